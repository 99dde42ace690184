"""
Each vendor's scheme proves what its holder of the secret sent, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from ingest.signing import (
    IN_URL,
    AnyOf,
    Hmac,
    NamedHmac,
    Shared,
    Signing,
    StandardWebhooks,
    TimedHmac,
    unproven,
)

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = b'{"event": "deployed", "text": "caf\xc3\xa9"}'
SECRET = "a secret of ours"
KEY = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


def digest(signed: bytes, secret: str = SECRET, algorithm: str = "sha256") -> str:
    return hmac.new(secret.encode(), signed, algorithm).hexdigest()


def standard(identity: str, stamp: str, body: bytes, key: bytes = base64.b64decode(KEY)) -> str:
    signed = f"{identity}.{stamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"precedent:{password}".encode()).decode()


GITLAB = AnyOf(schemes=(StandardWebhooks(), Shared(header="x-gitlab-token")))
SIGNED = {"webhook-id": "m1", "webhook-timestamp": STAMP, "webhook-signature": standard("m1", STAMP, BODY)}
SCHEMES: dict[str, tuple[Signing, Mapping[str, str], str]] = {
    "github": (Hmac(header="x-hub-signature-256", prefix="sha256="), {"x-hub-signature-256": f"sha256={digest(BODY)}"}, SECRET),
    "jira and bitbucket": (Hmac(header="x-hub-signature", prefix="sha256="), {"x-hub-signature": f"sha256={digest(BODY)}"}, SECRET),
    "pagerduty": (Hmac(header="x-pagerduty-signature", prefix="v1="), {"x-pagerduty-signature": f"v1={'0' * 64},v1={digest(BODY)}"}, SECRET),
    "circleci": (Hmac(header="circleci-signature", prefix="v1="), {"circleci-signature": f"v1={digest(BODY)},v2=abc"}, SECRET),
    "sentry": (Hmac(header="sentry-hook-signature"), {"sentry-hook-signature": digest(BODY)}, SECRET),
    "terraform": (
        Hmac(header="x-tfe-notification-signature", algorithm="sha512"),
        {"x-tfe-notification-signature": digest(BODY, algorithm="sha512")},
        SECRET,
    ),
    "flux": (NamedHmac(header="x-signature"), {"x-signature": f"sha512={digest(BODY, algorithm='sha512')}"}, SECRET),
    "rootly": (
        TimedHmac(header="x-rootly-signature"),
        {"x-rootly-signature": f"t={STAMP},v1={digest(STAMP.encode() + BODY)}"},
        SECRET,
    ),
    "grafana with a time": (
        TimedHmac(header="x-grafana-alerting-signature", stamp="x-at", separator=":", required=False),
        {"x-grafana-alerting-signature": digest(STAMP.encode() + b":" + BODY), "x-at": STAMP},
        SECRET,
    ),
    "grafana without": (
        TimedHmac(header="x-grafana-alerting-signature", stamp="x-at", separator=":", required=False),
        {"x-grafana-alerting-signature": digest(BODY)},
        SECRET,
    ),
    "standard": (StandardWebhooks(), SIGNED, f"whsec_{KEY}"),
    "svix": (StandardWebhooks(), {key.replace("webhook", "svix"): value for key, value in SIGNED.items()}, f"whsec_{KEY}"),
    "mlflow": (
        StandardWebhooks(names=("x-mlflow-delivery-id", "x-mlflow-timestamp", "x-mlflow-signature"), plain=True),
        {"x-mlflow-delivery-id": "m1", "x-mlflow-timestamp": STAMP, "x-mlflow-signature": standard("m1", STAMP, BODY, SECRET.encode())},
        SECRET,
    ),
    "gitlab's signature": (GITLAB, SIGNED, f"whsec_{KEY}"),
    "gitlab's token": (GITLAB, {"x-gitlab-token": SECRET}, SECRET),
    "bearer": (Shared(), {"authorization": "Bearer caf\xc3\xa9"}, "café"),
    "basic": (Shared(), {"authorization": basic("pass:word é")}, "pass:word é"),
    "own header": (Shared(header="x-api-key"), {"x-api-key": SECRET}, SECRET),
    "url": (Shared(header=IN_URL), {IN_URL: SECRET}, SECRET),
}  # fmt: skip
UNSIGNED = {"gitlab's token", "bearer", "basic", "own header", "url"}
TIMED = {"rootly", "grafana with a time", "standard", "svix", "mlflow", "gitlab's signature"}


@pytest.mark.parametrize("name", SCHEMES)
def test_what_its_sender_signed_is_proven_by_the_secret_alone(name: str) -> None:
    signing, headers, secret = SCHEMES[name]
    assert signing.problem(BODY, headers, secret, NOW) == ""
    other = f"whsec_{base64.b64encode(b'another key').decode()}" if secret.startswith("whsec_") else "another"
    for wrong in (other, secret[:-1], secret.upper(), ""):
        assert signing.problem(BODY, headers, wrong, NOW) != "", wrong


@pytest.mark.parametrize("name", SCHEMES)
def test_every_header_is_needed(name: str) -> None:
    signing, headers, secret = SCHEMES[name]
    assert "missing" in signing.problem(BODY, {}, secret, NOW)
    for gone in headers:
        assert signing.problem(BODY, {key: value for key, value in headers.items() if key != gone}, secret, NOW) != ""
        assert signing.problem(BODY, {**headers, gone: ""}, secret, NOW) != ""


@pytest.mark.parametrize("name", sorted(set(SCHEMES) - UNSIGNED))
def test_an_altered_byte_is_seen(name: str) -> None:
    signing, headers, secret = SCHEMES[name]
    for body in (BODY + b" ", BODY[:-1], BODY.replace(b"deployed", b"deplqyed"), b""):
        assert "is not that of the body" in signing.problem(body, headers, secret, NOW)


@pytest.mark.parametrize("name", sorted(TIMED))
def test_an_old_delivery_is_refused_where_the_time_is_signed(name: str) -> None:
    signing, headers, secret = SCHEMES[name]
    for seconds in (-299, 0, 299):
        assert signing.problem(BODY, headers, secret, NOW + timedelta(seconds=seconds)) == ""
    for seconds in (-301, 301, 86_400):
        assert "not within 300 s" in signing.problem(BODY, headers, secret, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("name", sorted(TIMED))
@pytest.mark.parametrize("stamp", ["soon", "-1", "1e9", "9" * 5000, "٣" * 10, " ", str(int(STAMP) + 1)])
def test_a_time_that_was_not_signed_is_refused(name: str, stamp: str) -> None:
    signing, headers, secret = SCHEMES[name]
    altered = {key: value.replace(STAMP, stamp) for key, value in headers.items()}
    assert signing.problem(BODY, altered, secret, NOW) != ""


def test_a_time_in_milliseconds_is_one() -> None:
    stamp = STAMP + "000"
    headers = {"x-rootly-signature": f"t={stamp},v1={digest(stamp.encode() + BODY)}"}
    assert TimedHmac(header="x-rootly-signature").problem(BODY, headers, SECRET, NOW) == ""


@pytest.mark.parametrize("given", ["sha1=", "md5=", "shake_128=", "=", "", "sha256"])
def test_a_function_that_is_weak_or_unknown_is_refused(given: str) -> None:
    digits = digest(BODY, algorithm="sha1")
    assert NamedHmac(header="x-signature").problem(BODY, {"x-signature": given + digits}, SECRET, NOW) != ""


@pytest.mark.parametrize(
    "given", ["Basic", "Basic !!!", "Basic ====", "Bearer", "\xff", "v1", ",,,", "t=,v1=", "v1,", " "]
)
@pytest.mark.parametrize("name", SCHEMES)
def test_a_header_that_is_none_of_theirs_is_told(name: str, given: str) -> None:
    signing, headers, secret = SCHEMES[name]
    assert signing.problem(BODY, dict.fromkeys(headers, given), secret, NOW) != ""


def test_either_of_two_secrets_proves_and_both_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    signing, headers, _ = SCHEMES["github"]
    compared: list[bytes] = []
    real = hmac.compare_digest

    def noted(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    for secrets in ([SECRET, "next"], ["next", SECRET]):
        compared.clear()
        assert unproven(signing, BODY, headers, secrets, NOW) == ""
        assert len(compared) == 2
    assert "not that of the body" in unproven(signing, BODY, headers, ["next", "third"], NOW)


@pytest.mark.parametrize("secrets", [[], [""], [" ", "\n"]])
@pytest.mark.parametrize("name", SCHEMES)
def test_without_a_secret_nothing_is_proven(name: str, secrets: list[str]) -> None:
    signing, headers, _ = SCHEMES[name]
    assert unproven(signing, BODY, headers, secrets, NOW) == "there is no secret to check it with"
    empty = {key: value.replace(SECRET, "") for key, value in headers.items()}
    assert unproven(signing, BODY, empty, secrets, NOW) != ""


@pytest.mark.parametrize("secret", ["whsec_", "whsec_!!!", "", "not base64"])
def test_a_key_that_is_none_is_told(secret: str) -> None:
    signed = "v1," + base64.b64encode(hmac.new(b"", b"m1." + STAMP.encode() + b"." + BODY, "sha256").digest()).decode()
    problem = StandardWebhooks().problem(BODY, {**SIGNED, "webhook-signature": signed}, secret, NOW)
    assert problem == "the source's secret is not base64 behind whsec_"


def test_a_scheme_that_fails_proves_nothing() -> None:
    class Broken:
        def problem(self, body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> str:
            raise ZeroDivisionError(secret)

    assert unproven(Broken(), BODY, {}, [SECRET], NOW) == "Broken could not check it: ZeroDivisionError"


PUBLISHED: dict[str, Signing] = {
    "github.sha256": Hmac(header="x-hub-signature-256", prefix="sha256="),
    "pagerduty.v1": Hmac(header="x-pagerduty-signature", prefix="v1="),
    "standard-webhooks.v1": StandardWebhooks(),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_vectors_are_proven(shared: Path, name: str) -> None:
    vector = orjson.loads((shared / f"samples/signatures/{name}.json").read_bytes())
    headers = {key.lower(): value for key, value in vector["header"].items()}
    now = datetime.fromtimestamp(int(headers.get("webhook-timestamp", "0")), UTC)
    (secret,) = (value for key, value in vector.items() if key.startswith("test_secret"))
    body = vector["body"].encode()
    assert PUBLISHED[name].problem(body, headers, secret, now) == ""
    assert PUBLISHED[name].problem(body + b"\n", headers, secret, now) != ""
    wrong = {key.lower(): value for key, value in vector.get("wrong_header", {}).items()}
    assert PUBLISHED[name].problem(body, wrong, secret, now) != ""
