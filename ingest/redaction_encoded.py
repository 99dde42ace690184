"""
Secrets in base64: what is encoded is decoded, and where that is a text with a secret, the whole of it goes.
"""

from __future__ import annotations

import base64
import binascii
import re

import re2

from ingest.redaction import Redacted, Redactor

RULE = "encoded"
_OF_TEXT = "[C-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]"
"""Four characters that encode three of a text in ASCII: no byte of those has its highest bit, which few words hit."""
_ANY = "[A-Za-z0-9+/_-]"
_RUNS = re2.compile(
    rf"(?:^|[^A-Za-z0-9+/_-]|\\n)"
    rf"((?:(?:{_OF_TEXT}){{4,}}{_ANY}*(?:\r?\n|\\n)[ \t]*)*(?:{_OF_TEXT}){{4,}}{_ANY}*={{0,2}})"
)
_APART = re.compile(r"\s|\\n")
_TO_STANDARD = str.maketrans("-_", "+/")
_LONGEST = 100_000
"""Characters of one run that are looked into."""


def unveil(redactor: Redactor, given: Redacted) -> Redacted:
    """
    A text without what encodes a secret.
    """
    parts: list[str] = []
    end = 0
    for match in _RUNS.finditer(given.text):
        start, stop = match.span(1)
        run = given.text[start:stop]
        if not _hides(redactor, run):
            continue
        parts += [given.text[end:start], redactor.mark(RULE, run)]
        end = stop
    if not parts:
        return given
    found = (*given.found, *[RULE] * (len(parts) // 2))
    return Redacted("".join([*parts, given.text[end:]]), found)


def _hides(redactor: Redactor, run: str) -> bool:
    plain = _APART.sub("", run[:_LONGEST]).translate(_TO_STANDARD).rstrip("=")
    try:
        # one that was cut ends within four characters
        said = base64.b64decode(plain[: len(plain) // 4 * 4] + _rest(plain)).decode()
    except (binascii.Error, ValueError):
        return False
    return bool(redactor.redact(said).found)


def _rest(plain: str) -> str:
    """
    The last characters, filled up; one alone encodes nothing.
    """
    over = plain[len(plain) // 4 * 4 :]
    return over + "=" * (4 - len(over)) if len(over) > 1 else ""
