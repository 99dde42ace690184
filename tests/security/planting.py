"""
Secrets as vendors make them, put where people leave them; and what looks like one and is none.

Every secret is made from parts when it is needed, so that this file holds none.
"""

from __future__ import annotations

import base64
import json
import random
import string
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
ALNUM = string.ascii_letters + DIGITS
HEX = "0123456789abcdef"
URLSAFE = ALNUM + "-_"
BASE64 = ALNUM + "+/"
SYMBOLS = ALNUM + "!#%^*_+=~.?-"


@dataclass(frozen=True, slots=True)
class Planted:
    """
    A body, what must not be left of it, and what kind of secret that is.
    """

    kind: str
    body: str
    secret: str


def some(rng: random.Random, alphabet: str, size: int) -> str:
    """
    Random characters; of any mixed alphabet at least a digit and a letter.
    """
    made = [rng.choice(alphabet) for _ in range(size)]
    if size > 3 and set(alphabet) > set(DIGITS) and not set(made) & set(DIGITS):
        made[rng.randrange(1, size)] = rng.choice(DIGITS)
    return "".join(made)


def encoded(rng: random.Random, size: int) -> str:
    """
    Random bytes in base64.
    """
    return base64.b64encode(rng.randbytes(size)).decode()


def identifier(rng: random.Random) -> str:
    """
    A random UUID.
    """
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def token(rng: random.Random) -> str:
    """
    A signed JSON web token.
    """
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": some(rng, DIGITS, 8), "iat": rng.randrange(10**9, 2 * 10**9)})
    head = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*head, some(rng, URLSAFE, 43)])


def pem(rng: random.Random, label: str, lines: int = 6) -> str:
    """
    A private key in lines.
    """
    mark = "-" * 5
    return "\n".join(
        [f"{mark}BEGIN {label}{mark}", *(some(rng, BASE64, 64) for _ in range(lines)), f"{mark}END {label}{mark}"]
    )


Maker = Callable[[random.Random], str]

PREFIXED: dict[str, Maker] = {
    "aws-access-key": lambda r: r.choice(["AK", "AS"]) + "IA" + some(r, UPPER + "234567", 16),
    "github-classic": lambda r: "gh" + "p_" + some(r, ALNUM, 36),
    "github-fine-grained": lambda r: "github" + "_pat_" + some(r, ALNUM, 22) + "_" + some(r, ALNUM, 59),
    "github-app": lambda r: "gh" + r.choice("sour") + "_" + some(r, ALNUM, 36),
    "gitlab": lambda r: "gl" + "pat-" + some(r, URLSAFE, 20),
    "gitlab-routable": lambda r: "gl" + "pat-" + some(r, URLSAFE, 27) + ".01." + some(r, LOWER + DIGITS, 9),
    "slack-token": lambda r: "xox" + r.choice("bp") + "-" + some(r, DIGITS, 12) + "-" + some(r, DIGITS, 12) + "-" + some(r, ALNUM, 24),
    "slack-app": lambda r: "xa" + "pp-1-A" + some(r, UPPER + DIGITS, 10) + "-" + some(r, DIGITS, 13) + "-" + some(r, HEX, 64),
    "stripe": lambda r: r.choice(["sk", "rk"]) + "_" + r.choice(["live", "test"]) + "_" + some(r, ALNUM, r.choice([24, 99])),
    "twilio-key": lambda r: "S" + "K" + some(r, HEX, 32),
    "sendgrid": lambda r: "SG" + "." + some(r, URLSAFE, 22) + "." + some(r, URLSAFE, 43),
    "google-api-key": lambda r: "AI" + "za" + some(r, URLSAFE, 35),
    "google-oauth": lambda r: "ya" + "29." + some(r, URLSAFE, 60),
    "google-client-secret": lambda r: "GOC" + "SPX-" + some(r, URLSAFE, 28),
    "npm": lambda r: "np" + "m_" + some(r, ALNUM, 36),
    "pypi": lambda r: "py" + "pi-AgEIcHlwaS5vcmc" + some(r, URLSAFE, 120),
    "jwt": token,
    "newrelic-user": lambda r: "NR" + "AK-" + some(r, UPPER + DIGITS, 27),
    "newrelic-licence": lambda r: some(r, HEX, 36) + "NR" + "AL",
    "grafana-service": lambda r: "gl" + "sa_" + some(r, ALNUM, 32) + "_" + some(r, HEX, 8),
    "grafana-cloud": lambda r: "gl" + "c_eyJ" + some(r, BASE64, 90),
    "vault": lambda r: "hv" + "s." + some(r, URLSAFE, 24),
    "vault-batch": lambda r: "hv" + "b." + some(r, URLSAFE, 140),
    "terraform-cloud": lambda r: some(r, ALNUM, 14) + ".atlas" + "v1." + some(r, URLSAFE, 67),
    "launchdarkly": lambda r: r.choice(["sdk", "api"]) + "-" + identifier(r),
    "databricks": lambda r: "da" + "pi" + some(r, HEX, 32),
    "openai": lambda r: "sk" + r.choice(["-", "-proj-", "-svcacct-"]) + some(r, ALNUM, 20) + "T3Blbk" + "FJ" + some(r, ALNUM, 20),
    "anthropic": lambda r: "sk" + "-ant-api03-" + some(r, URLSAFE, 93) + "AA",
    "huggingface": lambda r: "h" + "f_" + some(r, string.ascii_letters, 34),
    "azure-client-secret": lambda r: some(r, ALNUM, 3) + "8Q" + "~" + some(r, ALNUM + "_~.-", 34),
    "docker": lambda r: "dckr" + "_pat_" + some(r, URLSAFE, 27),
    "digitalocean": lambda r: "do" + r.choice("por") + "_v1_" + some(r, HEX, 64),
    "atlassian": lambda r: "ATA" + "TT3xFfGF0" + some(r, URLSAFE, 180) + "=" + some(r, UPPER + DIGITS, 8),
    "sentry": lambda r: "sntr" + "yu_" + some(r, HEX, 64),
    "circleci": lambda r: "CCI" + "PAT_" + some(r, ALNUM, 22) + "_" + some(r, HEX, 40),
    "dynatrace": lambda r: "dt" + "0c01." + some(r, UPPER + DIGITS, 24) + "." + some(r, UPPER + DIGITS, 64),
    "shopify": lambda r: "shp" + "at_" + some(r, HEX, 32),
    "mailgun": lambda r: "k" + "ey-" + some(r, HEX, 32),
    "telegram": lambda r: some(r, "123456789", 10) + ":A" + "A" + some(r, URLSAFE, 33),
    "age": lambda r: "AGE-SECRET" + "-KEY-1" + some(r, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58),
    "square": lambda r: "sq" + "0csp-" + some(r, URLSAFE, 43),
    "linear": lambda r: "li" + "n_api_" + some(r, ALNUM, 40),
    "rubygems": lambda r: "ruby" + "gems_" + some(r, HEX, 48),
    "groq": lambda r: "gs" + "k_" + some(r, ALNUM, 52),
}  # fmt: skip
"""Kinds whose own form gives them away, wherever they stand."""

NAMED: dict[str, tuple[tuple[str, ...], Maker]] = {
    "aws-secret-key": (
        ("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "SecretAccessKey", "secretAccessKey"), lambda r: some(r, BASE64, 40),
    ),
    "aws-session-token": (("aws_session_token", "AWS_SESSION_TOKEN", "SessionToken"), lambda r: "IQoJ" + some(r, BASE64, 300)),
    "password": (
        ("password", "DB_PASSWORD", "dbPassword", "spring.datasource.password", "PGPASSWORD", "admin_password", "MYSQL_ROOT_PASSWORD", "smtp_pass"),
        lambda r: some(r, SYMBOLS, r.randrange(10, 24)),
    ),
    "datadog": (("DD_API_KEY", "dd_api_key", "datadog_api_key", "DD-API-KEY"), lambda r: some(r, HEX, 32)),
    "datadog-application": (("DD_APP_KEY", "DD_APPLICATION_KEY", "datadog_app_key"), lambda r: some(r, HEX, 40)),
    "pagerduty": (("PAGERDUTY_TOKEN", "pagerduty_api_key", "PD_API_KEY"), lambda r: "u+" + some(r, ALNUM + "_-", 18)),
    "pagerduty-routing": (("routing_key", "integration_key", "PAGERDUTY_ROUTING_KEY"), lambda r: some(r, HEX, 32)),
    "opsgenie": (("OPSGENIE_API_KEY", "opsgenie_api_key", "apiKey"), identifier),
    "twilio-auth": (("TWILIO_AUTH_TOKEN", "twilio_auth_token", "authToken"), lambda r: some(r, HEX, 32)),
    "client-secret": (("client_secret", "clientSecret", "OAUTH_CLIENT_SECRET"), lambda r: some(r, ALNUM, r.choice([32, 40, 64]))),
    "signing-secret": (("JWT_SECRET", "webhook_secret", "SESSION_SECRET", "signing_secret"), lambda r: some(r, HEX, 64)),
    "api-key": (("api_key", "apikey", "API_KEY", "x-api-key", "apiKey"), lambda r: some(r, ALNUM, r.choice([20, 32, 40]))),
    "access-token": (("access_token", "ACCESS_TOKEN", "accessToken", "refresh_token"), lambda r: some(r, URLSAFE, r.choice([32, 48, 64]))),
    "bot-token": (("BOT_TOKEN", "deploy_token", "CONSUL_HTTP_TOKEN"), identifier),
    "encryption-key": (("ENCRYPTION_KEY", "encryption_key", "MASTER_KEY"), lambda r: encoded(r, 32)),
    "framework-key": (("APP_KEY", "app_key"), lambda r: "base64:" + encoded(r, 32)),
    "vault-legacy": (("VAULT_TOKEN", "vault_token", "X-Vault-Token"), lambda r: "s" + "." + some(r, ALNUM, 24)),
    "discord-bot": (
        ("DISCORD_TOKEN", "BOT_TOKEN"), lambda r: "M" + some(r, ALNUM, 25) + "." + some(r, URLSAFE, 6) + "." + some(r, URLSAFE, 38),
    ),
    "session": (("session_token", "sessionToken", "SESSION_ID"), lambda r: some(r, ALNUM, 32)),
}  # fmt: skip
"""Kinds that only their names give away."""


def _urls(r: random.Random) -> tuple[str, str]:
    password = some(r, ALNUM + "-_!.~", r.randrange(10, 24))
    scheme, host = r.choice(
        [("postgres", "db.prod.internal:5432/orders"), ("postgresql+asyncpg", "10.0.3.4/orders?sslmode=require"), ("mysql", "db:3306/shop"),
         ("mongodb+srv", "cluster0.ab1cd.example.net/?retryWrites=true"), ("redis", "cache:6379/0"), ("amqps", "mq.internal/vhost"), ("https", "git.example.org/a/b.git")]
    )  # fmt: skip
    user = "" if scheme == "redis" else r.choice(["app", "svc-orders", "root"])
    return f"{scheme}://{user}:{password}@{host}", password


def _azure_storage(r: random.Random) -> tuple[str, str]:
    key = encoded(r, 64)
    return (
        f"DefaultEndpointsProtocol=https;AccountName=shop{some(r, DIGITS, 3)};Account"
        + f"Key={key};EndpointSuffix=core.windows.net",
        key,
    )


def _azure_bus(r: random.Random) -> tuple[str, str]:
    key = encoded(r, 32)
    return "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccess" + f"Key={key}", key


def _azure_sas(r: random.Random) -> tuple[str, str]:
    key = encoded(r, 32).replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    return (
        "https://shop.blob.core.windows.net/logs/a.txt?sv=2022-11-02&se=2026-03-02T10%3A00Z&sr=b&sp=r&si" + f"g={key}",
        key,
    )


def _connection(r: random.Random) -> tuple[str, str]:
    password = some(r, ALNUM + "!#%*", 16)
    return r.choice(["Server=tcp:db,1433;Database=shop;User ID=app;Password={};Encrypt=True", "host=db port=5432 user=app password={} dbname=shop", "cache:6380,password={},ssl=True"]).format(password), password  # fmt: skip


def _authorization(r: random.Random) -> tuple[str, str]:
    basic = base64.b64encode(f"app:{some(r, ALNUM, 14)}".encode()).decode()
    opaque = some(r, ALNUM + "._-", 40)
    header, secret = r.choice(
        [(f"Authorization: Basic {basic}", basic), (f"Authorization: Bearer {opaque}", opaque), (f"authorization: bearer {opaque}", opaque),
         ("Authorization: GenieKey {0}", identifier(r)), ("Authorization: Token token={0}", some(r, ALNUM, 20)), ("Authorization: SSWS {0}", "00" + some(r, URLSAFE, 40)),
         ("X-Api-Key: {0}", some(r, ALNUM, 24)), ("X-Vault-Token: {0}", some(r, ALNUM, 26)), ("Private-Token: {0}", some(r, ALNUM, 20))]
    )  # fmt: skip
    return header.format(secret), secret


def _cookie(r: random.Random) -> tuple[str, str]:
    value = some(r, ALNUM, 32)
    form = r.choice(["Cookie: theme=dark; sessionid={}; lang=en", "Set-Cookie: JSESSIONID={}; Path=/; HttpOnly", "Set-Cookie: connect.sid=s%3A{}; Path=/", "cookie: _shop_session={}"])  # fmt: skip
    return form.format(value), value


def _query(r: random.Random) -> tuple[str, str]:
    value = some(r, ALNUM, r.choice([24, 32, 40]))
    name = r.choice(["access_token", "token", "api_key", "apikey", "key", "auth", "client_secret", "sig", "jwt"])
    return f"GET https://api.example.org/v1/orders?page=2&{name}={value}&sort=at", value


def _option(r: random.Random) -> tuple[str, str]:
    value = some(r, ALNUM + "!%*_", 14)
    form = r.choice(
        ["deployctl push --user bot --password {} --env prod", "deployctl push --password={}", "mysql -h db -u root -p{} orders", "curl -sS -u bot:{} https://example.org/x",
         "docker login -u bot -p {} registry.example.org", "sshpass -p {} ssh bot@host", "redis-cli -h cache -a {} ping", "PGPASSWORD={} psql -h db"]
    )  # fmt: skip
    return form.format(value), value


def _hook(r: random.Random) -> tuple[str, str]:
    slack = f"T{some(r, UPPER + DIGITS, 8)}/B{some(r, UPPER + DIGITS, 8)}/{some(r, ALNUM, 24)}"
    discord = some(r, URLSAFE, 68)
    teams = f"{some(r, HEX, 32)}/{identifier(r)}"
    return r.choice(
        [("https://hooks." + f"slack.com/services/{slack}", slack), ("https://discord" + f".com/api/webhooks/{some(r, '123456789', 18)}/{discord}", discord),
         (f"https://acme.webhook.office.com/webhookb2/{identifier(r)}@{identifier(r)}/IncomingWebhook/{teams}", teams)]
    )  # fmt: skip


def _signed(r: random.Random) -> tuple[str, str]:
    value = some(r, HEX, 64)
    return (
        f"https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260302T100000Z&X-Amz-Signature={value}",
        value,
    )


def _npmrc(r: random.Random) -> tuple[str, str]:
    value = identifier(r)
    return "//registry.example.org/:_auth" + f"Token={value}", value


def _sentry_dsn(r: random.Random) -> tuple[str, str]:
    value = some(r, HEX, 32)
    return f"https://{value}@o{some(r, '123456789', 6)}.ingest.sentry.io/{some(r, '123456789', 7)}", value


def _netrc(r: random.Random) -> tuple[str, str]:
    value = some(r, ALNUM, 16)
    return f"machine git.example.org login bot password {value}", value


def _sql(r: random.Random) -> tuple[str, str]:
    value = some(r, ALNUM + "!", 14)
    return r.choice(["CREATE USER app IDENTIFIED BY '{}';", "ALTER ROLE app WITH LOGIN PASSWORD '{}';"]).format(
        value
    ), value


def _said(r: random.Random) -> tuple[str, str]:
    value = some(r, ALNUM + "!", 12)
    return r.choice(["the password is {} for now", "Password: {}", "use pw: {} until Friday"]).format(value), value


LINES: dict[str, Callable[[random.Random], tuple[str, str]]] = {
    "url-password": _urls, "azure-storage": _azure_storage, "azure-service-bus": _azure_bus, "azure-sas": _azure_sas, "connection-string": _connection,
    "authorization": _authorization, "cookie": _cookie, "query": _query, "command-option": _option, "webhook-url": _hook, "signed-url": _signed,
    "npmrc": _npmrc, "sentry-dsn": _sentry_dsn, "netrc": _netrc, "sql": _sql, "prose-password": _said,
}  # fmt: skip
"""Kinds that stand in a line of their own form."""

KEYS = (
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "DSA PRIVATE KEY",
)
"""Labels of private keys."""


def _named_line(rng: random.Random, name: str, value: str) -> str:
    return rng.choice(
        [f"{name}={value}", f"export {name}={value}", f'{name}="{value}"', f"{name}: {value}", f'{name}: "{value}"', f"{name} = '{value}'",
         f"level=debug msg=\"started\" {name}={value} port=80", f'{{"{name}":"{value}"}}', f'{{\\"{name}\\": \\"{value}\\"}}']
    )  # fmt: skip


def wrapped(rng: random.Random, line: str) -> str:
    """
    The line somewhere in a body of one of our formats.
    """
    prose = "checkout failed twice after the release, see below"
    forms: list[Callable[[], str]] = [
        lambda: line,
        lambda: json.dumps(
            {"issue": {"key": "OPS-12", "fields": {"summary": prose, "description": f"{prose}\n{line}\nthanks"}}}
        ),
        lambda: json.dumps({"incident": {"id": "PT4KHLK", "notes": [{"content": line}]}}),
        lambda: json.dumps({"message": json.dumps({"level": "error", "text": f"{prose}: {line}"})}),
        lambda: f"payload received: {json.dumps({'text': line})} in 12ms",
        lambda: (
            "kind: ConfigMap\nmetadata:\n  name: shop\ndata:\n  run.sh: |\n"
            + "\n".join(f"    {one}" for one in line.split("\n"))
        ),
        lambda: f"# Restart\n\n1. Log in\n2. Run:\n\n```bash\n{line}\n```\n\nThen wait.",
        lambda: f"2026-03-02T10:00:00.123Z ERROR [shop,{some(rng, HEX, 16)}] {line}",
        lambda: (
            "diff --git a/.env b/.env\n--- a/.env\n+++ b/.env\n@@ -1,2 +1,2 @@\n-# old\n"
            + "\n".join(f"+{one}" for one in line.split("\n"))
        ),
        lambda: f"Summary\n\n{prose} ({line}) and was rolled back.",
    ]
    return rng.choice(forms)()


def _prefixed(rng: random.Random, kind: str) -> Planted:
    secret = PREFIXED[kind](rng)
    line = rng.choice(
        [
            "use {} here",
            "token {}",
            "curl -H 'X-Thing: {}' https://example.org",
            "KEY={}",
            '"{}"',
            "`{}`",
            "({})",
            "see {}, then go on",
        ]
    ).format(secret)
    return Planted(kind, wrapped(rng, line), secret)


def _named(rng: random.Random, kind: str) -> Planted:
    names, maker = NAMED[kind]
    name, secret = rng.choice(names), maker(rng)
    body = (
        json.dumps({"env": [{"name": name, "value": secret}]})
        if rng.random() < 0.1
        else wrapped(rng, _named_line(rng, name, secret))
    )
    if rng.random() < 0.15:
        body = json.dumps({"attributes": {"region": "eu-west-1", name: secret}})
    return Planted(kind, body, secret)


def _key(rng: random.Random, kind: str) -> Planted:
    label = "PGP PRIVATE KEY BLOCK" if kind == "pgp" else rng.choice(KEYS)
    text = pem(rng, label)
    secret = text.split("\n")[3]
    form = rng.randrange(5)
    if kind == "service-account":
        account = {
            "type": "service_account",
            "project_id": "shop",
            "private_key_id": some(rng, HEX, 40),
            "private_key": text + "\n",
        }
        line = json.dumps(account)
        return Planted(kind, rng.choice([line, f"found {line} in the log", json.dumps({"data": line})]), secret)
    if form == 0:
        return Planted(kind, json.dumps({"key": text}), secret)
    if form == 1:
        return Planted(kind, f'KEY="{text}"'.replace("\n", "\\n"), secret)
    return Planted(kind, wrapped(rng, text), secret)


def _kubernetes(rng: random.Random, kind: str) -> Planted:
    secret = base64.b64encode(some(rng, SYMBOLS, 18).encode()).decode()
    names = ["username", "config", "tls.key", "DB_URL", "value"]
    if rng.random() < 0.5:
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "shop"},
            "data": {rng.choice(names): secret},
            "type": "Opaque",
        }
        return Planted(
            kind,
            rng.choice([json.dumps(body), json.dumps({"items": [body]}), json.dumps({"annotation": json.dumps(body)})]),
            secret,
        )
    text = (
        f"apiVersion: v1\ndata:\n  {rng.choice(names)}: {secret}\nkind: Secret\nmetadata:\n  name: shop\ntype: Opaque"
    )
    return Planted(
        kind,
        rng.choice(
            [
                text,
                f"kind: ConfigMap\ndata:\n  a: b\n---\n{text}",
                f"```yaml\n{text}\n```",
                json.dumps({"manifest": text}),
            ]
        ),
        secret,
    )


def _dockerconfig(rng: random.Random, kind: str) -> Planted:
    secret = base64.b64encode(f"bot:{some(rng, ALNUM, 20)}".encode()).decode()
    return Planted(kind, json.dumps({"auths": {"registry.example.org": {"auth": secret}}}), secret)


def _line(rng: random.Random, kind: str) -> Planted:
    line, secret = LINES[kind](rng)
    return Planted(kind, wrapped(rng, line), secret)


KINDS: dict[str, Callable[[random.Random, str], Planted]] = {
    **dict.fromkeys(PREFIXED, _prefixed), **dict.fromkeys(NAMED, _named), **dict.fromkeys(LINES, _line),
    "private-key": _key, "pgp": _key, "service-account": _key, "kubernetes-secret": _kubernetes, "dockerconfig": _dockerconfig,
}  # fmt: skip


def planted(seed: int, count: int) -> Iterator[Planted]:
    """
    That many secrets, all kinds alike.
    """
    rng = random.Random(seed)
    kinds = list(KINDS)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        yield KINDS[kind](rng, kind)


def harmless(seed: int, count: int) -> Iterator[str]:
    """
    Bodies with hashes, ids and checksums, and no secret.
    """
    rng = random.Random(seed)
    for _ in range(count):
        sha, longer, trace, span = some(rng, HEX, 40), some(rng, HEX, 64), some(rng, HEX, 32), some(rng, HEX, 16)
        one, checksum = identifier(rng), encoded(rng, 32)
        line = rng.choice(
            [f"commit {sha}", f"revision: {sha[:12]}", f"token: {sha}", f"checksum/secret: {longer}", f"image: registry.example.org:5000/shop/app@sha256:{longer}", f"trace_id={trace} span_id={span}",
             f"traceparent: 00-{trace}-{span}-01", f"etag: W/\"{trace}\"", f"ETag: \"{trace}\"", f"Content-MD5: {encoded(rng, 16)}", f"integrity: sha512-{encoded(rng, 64)}", f"checksum = \"{checksum}\"",
             f"arn:aws:iam::{some(rng, DIGITS, 12)}:role/deploy-{one}", f"arn:aws:secretsmanager:eu-west-1:{some(rng, DIGITS, 12)}:secret:prod/db-{some(rng, ALNUM, 6)}",
             f"secret: arn:aws:secretsmanager:eu-west-1:{some(rng, DIGITS, 12)}:secret:prod/db-{some(rng, ALNUM, 6)}", f"request_id: {one}", f"idempotency-key: {one}",
             f"instance i-{some(rng, HEX, 17)} in sg-{some(rng, HEX, 17)}", f"/subscriptions/{one}/resourceGroups/shop/providers/Microsoft.Web/sites/pay", f"kms_key_id: {one}", f"dedup_key={trace}",
             f"incident_key: {longer}", f"cache-key: build-{longer}", f"public_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{some(rng, BASE64, 43)} bot@host", f"fingerprint SHA256:{some(rng, BASE64, 43)}",
             f"next_token: {checksum}", f"nextPageToken={some(rng, ALNUM, 32)}", f"partition_key={one}", f"sha256:{longer}", f"digest {longer}", f"uid: {one}", f"pod app-{some(rng, HEX, 10)}-{some(rng, LOWER + DIGITS, 5)}",
             f"resourceVersion: \"{some(rng, DIGITS, 9)}\"", f"-----BEGIN CERTIFICATE-----\n{some(rng, BASE64, 64)}\n-----END CERTIFICATE-----", f"session closed for user {one}", f"max_tokens: {some(rng, DIGITS, 4)}",
             f"secretName: shop-tls-{some(rng, HEX, 8)}", "password: ${DB_PASSWORD}", "token: {{ .Values.token }}", "apiKey: <your key>", f"https://example.org/builds/{one}/artifacts?sha={sha}",
             f"tokenRef: vault:secret/data/shop#{one[:8]}", f"serial: {':'.join(some(rng, HEX, 2) for _ in range(16))}", f"GET /v1/items/{one}?cursor={some(rng, ALNUM, 24)}", f"user-agent: app/{sha[:7]}",
             "the token is expired and the password was rotated", f"key: {longer}", f"keyid={sha}", f"subject: {one}@example.org", f"deployment:{one}", f"job 4{some(rng, DIGITS, 9)} of run {one}"]
        )  # fmt: skip
        yield wrapped(rng, line)
