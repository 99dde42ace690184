"""
Planted secrets are found, and what merely looks like one is left alone.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ingest.redaction import Redactor, redact

ALNUM = string.ascii_letters + string.digits


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
        "password: ${DB_PASSWORD}",
        "token: {{ .Values.token }}",
        "secret: <your secret>",
        "api_key: $API_KEY",
        "passwordless login",
    ]
    hit = [text for text in texts if redact(text).found]
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
