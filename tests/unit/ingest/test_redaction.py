"""
Planted secrets are found, and what merely looks like one is left alone.
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.redaction import Redactor, may_hold_a_secret, redact, rules
from ingest.redaction_bodies import redact_body

ALNUM = string.ascii_letters + string.digits
SECRET = "Zx9kQ2mB7vT4"
HEX = "9f86d081884c7d659a2feaa0c55ad015"
TOKEN = "ghp_" + "QwErTy0123456789" * 2 + "AbCd"


def planted(rng: random.Random) -> tuple[str, str]:
    """
    (a text with a secret in it, the secret).
    """

    def some(alphabet: str, size: int) -> str:
        # a real token of some length nearly always mixes its letters and digits
        return "aB3" + "".join(rng.choice(alphabet) for _ in range(size - 3))

    makers: list[Callable[[], tuple[str, str]]] = [
        lambda: ("use {} here", "ghp_" + some(ALNUM, 36)),
        lambda: (
            "export AWS_ACCESS_KEY_ID={}",
            "AKIA" + "".join(rng.choice(string.ascii_uppercase + "234567") for _ in range(16)),
        ),
        lambda: ("glpat: {}", "glpat-" + some(ALNUM, 20)),
        lambda: ("slack {} token", "xoxb-" + some(string.digits, 11) + "-" + some(ALNUM, 24)),
        lambda: ("key {}", "sk_live_" + some(ALNUM, 24)),
        lambda: ("db: postgres://app:{}@db.internal:5432/orders", some(ALNUM + "-_!", 14)),
        lambda: ('password: "{}"', some(ALNUM + "!#%&*", 12)),
        lambda: ("DB_PASSWORD={}", some(ALNUM, 16)),
        lambda: ("Authorization: Bearer {}", some(ALNUM + "._-", 32)),
        lambda: ('api_key = "{}"', some(ALNUM, 32)),
        lambda: ("client_secret: {}", some(ALNUM, 40)),
        lambda: ("{}", "eyJ" + some(ALNUM, 20) + ".eyJ" + some(ALNUM, 30) + "." + some(ALNUM, 43)),
        lambda: ("google {}", "AIza" + some(ALNUM, 35)),
        lambda: (
            "hook https://hooks.slack.com/services/{}",
            some(ALNUM, 9) + "/" + some(ALNUM, 9) + "/" + some(ALNUM, 24),
        ),
        lambda: ("npm {}", "npm_" + some(ALNUM, 36)),
        lambda: ("vault {}", "hvs." + some(ALNUM, 24)),
    ]
    form, secret = rng.choice(makers)()
    return form.format(secret), secret


def test_nearly_all_of_a_thousand_planted_secrets_are_found() -> None:
    rng = random.Random(11)
    missed = [text for text, secret in (planted(rng) for _ in range(1000)) if secret in redact(text).text]
    assert len(missed) <= 10, missed[:5]


def test_hashes_ids_and_placeholders_are_left_alone() -> None:
    rng = random.Random(12)
    texts = []
    for _ in range(500):
        sha = "".join(rng.choice("0123456789abcdef") for _ in range(40))
        trace = "".join(rng.choice("0123456789abcdef") for _ in range(32))
        texts += [f"commit {sha}", f"trace_id={trace}", f"image: app@sha256:{sha}{sha[:24]}", f"token: {sha}"]
        texts += [
            trace,
            f"span {trace}",
            json.dumps({"trace_id": trace, "id": f"{trace[:8]}-{sha[:4]}-4{sha[:3]}-{sha[4:8]}-{sha[:12]}"}),
        ]
        texts += [json.dumps({"sha": sha, "image": f"oci://hub.example:5000/app@sha256:{sha}{sha[:24]}"})]
    texts += [
        "password: ${DB_PASSWORD}",
        "token: {{ .Values.token }}",
        "secret: <your secret>",
        "api_key: $API_KEY",
        "passwordless login",
        "see the --password option of the tool",
        "existingSecret: postgres-prod-v2",
        '{"labels": {"secret": "web-tls-cert-2026"}}',
        '{"password": "${DB_PASSWORD}", "max_tokens": 4096}',
    ]
    hit = [text for text in texts if redact(text).found or redact_body(Redactor(), text).text != text]
    assert len(hit) <= len(texts) * 0.005, hit[:5]


def test_equal_secrets_have_equal_marks_under_one_key_and_others_under_another() -> None:
    text = "password=Tr0ub4dor-and-3"
    one, two = Redactor(b"one"), Redactor(b"two")
    assert one.redact(text).text == one.redact(text).text != two.redact(text).text


@given(st.text(max_size=300))
def test_redacting_twice_is_redacting_once(text: str) -> None:
    once = redact(text).text
    assert redact(once).text == once


def test_real_documents_keep_nearly_all_of_their_text(shared: Path) -> None:
    pages = list((shared / "data").glob("*/runbooks/**/*.md"))
    found = sum(len(redact(page.read_text(encoding="utf-8", errors="replace")).found) for page in pages)
    assert found <= len(pages) / 20


@pytest.mark.parametrize(
    "text",
    [
        f"PGPASSWORD={SECRET} psql -h db",
        f"DB_PASS={SECRET}",
        f"export clientSecret={SECRET}{SECRET}",
        f"secret_key_base: {SECRET}{SECRET}",
        f'password := "{SECRET}"',
        f"password: |\n  {SECRET}\nuser: x",
        f'password: "two {SECRET}"',
        f"run --password {SECRET} now",
        f'args: ["--api-key", "{SECRET}"]',
        f"mysql -u root -p{SECRET} orders",
        f"curl -fsS -u bob:{SECRET} https://example.org",
        f"<db.password>{SECRET}</db.password>",
        f"postgres://app:a/b{SECRET}@db/orders",
        f"- name: DB_PASSWORD\n  value: {SECRET}",
        f"api_key={HEX}",
        f"token: {HEX}",
        f'it logged {{\\"password\\":\\"{SECRET}\\"}} twice',
        f'title: "{TOKEN.replace("_", chr(92) + "x5f")}"',
    ],
)
def test_common_forms_are_found_in_text(text: str) -> None:
    clean = redact_body(Redactor(), text).text
    assert not any(secret in clean for secret in (SECRET, HEX, TOKEN[4:])), clean


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"title": f"leak {TOKEN}"}).replace("_", "\\u005f"),
        json.dumps({"inner": json.dumps({"password": SECRET})}),
        json.dumps({"inner": json.dumps({"title": TOKEN}).replace("_", "\\u005f")}),
        json.dumps({"password": f"two {SECRET}"}),
        json.dumps({"password": f'a"b\\{SECRET}'}),
        json.dumps({"dbPassword": SECRET, "apiKey": HEX}),
        json.dumps({"Authorization": f"Bearer {SECRET}{SECRET}"}),
        json.dumps({"env": [{"name": "DB_PASSWORD", "value": SECRET}]}),
        json.dumps({"args": ["--password", SECRET]}),
        json.dumps({TOKEN: 1}),
        f'{{"password": "{SECRET}", "password": "none"}}',
    ],
)
def test_what_json_says_is_redacted_as_it_will_be_read(body: str) -> None:
    clean = redact_body(Redactor(), body).text
    json.loads(clean)
    assert not any(secret in clean for secret in (SECRET, HEX, TOKEN[4:])), clean


def test_a_number_may_be_a_password() -> None:
    assert "48151623" not in redact_body(Redactor(), '{"password": 48151623}').text


def test_json_without_a_secret_keeps_every_byte() -> None:
    body = '{ "b": 1.50, "a": "caf\\u00e9", "a": "\\u0041", "big": 123456789012345678901234567890 }\n'
    assert redact_body(Redactor(), body).text == body


def test_a_key_without_an_end_takes_no_more_than_its_own_value() -> None:
    row = {"id": "c-1", "text": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg", "at": "2026-03-02T10:00:00Z"}
    clean = json.loads(redact_body(Redactor(), json.dumps(row)).text)
    assert (clean["id"], clean["at"]) == ("c-1", "2026-03-02T10:00:00Z")
    assert "MII" not in clean["text"]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_json_stays_json_and_is_redacted_once(value: object) -> None:
    once = redact_body(Redactor(), json.dumps(value)).text
    json.loads(once)
    assert redact_body(Redactor(), once).text == once


_WORDS = sorted({word for rule in rules() for word in rule.keywords})


@given(st.lists(st.sampled_from(_WORDS) | st.text(max_size=5), max_size=30).map("".join))
def test_the_quick_look_sees_whatever_looking_for_each_keyword_sees(text: str) -> None:
    assert may_hold_a_secret(text) or not any(rule.may_be_in(text.lower()) for rule in rules())


@pytest.mark.parametrize(
    "form", ['{{"user": "app", "password": "{}', 'password: "{}\nuser: app', '{{"id": 1, "api_key": "{}']
)
def test_a_secret_in_quotes_that_a_cut_left_open_is_found(form: str) -> None:
    secret = SECRET + "Lp4Ws8"
    assert secret not in redact(form.format(secret)).text
