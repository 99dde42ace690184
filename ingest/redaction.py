"""
Secrets leave the text before anything is stored, indexed or logged.

The rules are data (redaction_rules.toml), run by RE2 in time linear in the text. A secret becomes
`[redacted:RULE:hash]`, with a keyed hash, so that equal secrets still correlate and none can be guessed back.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

import re2

_RULES = Path(__file__).with_name("redaction_rules.toml")
_PLACEHOLDERS = re2.compile(
    r"(?i)^(?:\$\{?.*|\{\{.*|<.*>?|%\(?.*|\*{3,}|x{3,}|\.{3,}|\[redacted.*|null|none|true|false|undefined|example.*|your[_-].*"
    r"|changeme|placeholder|redacted|string|required|optional|n/?a|secretkeyref.*|valuefrom.*|vault:.*|file:.*|env[:.].*"
    r"|os\.(?:environ|getenv).*|process\.env.*|var\..*|data\..*|module\..*|local\..*|kubernetes_secret.*|aws_.*|random_.*)$"
)
_MARK = re.compile(r"\[redacted:[a-z-]+:[0-9a-f]{8}\]")
_HARMLESS = re2.compile(
    r"(?i)^(?:[0-9a-f]{7,40}|[0-9a-f]{64}|sha256:[0-9a-f]{64}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|[0-9]+(?:\.[0-9]+)*|[a-z]+(?:[-_./][a-z]+)*|https?://.*)$"
)


@dataclass(frozen=True, slots=True)
class Redacted:
    """
    The text without its secrets, and which rules found them.
    """

    text: str
    found: tuple[str, ...] = ()


class Match(Protocol):
    """
    What we use of the engine's match; it ships no types.
    """

    def group(self, number: int) -> str | None: ...

    def span(self, number: int) -> tuple[int, int]: ...


class Pattern(Protocol):
    """
    What we use of the engine's pattern.
    """

    def finditer(self, text: str) -> Iterator[Match]: ...


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One form of a secret.
    """

    id: str
    pattern: Pattern
    keywords: tuple[str, ...]
    group: int
    entropy: float


@cache
def rules() -> tuple[Rule, ...]:
    """
    The rules of the data file, compiled once.
    """
    options = re2.Options()
    options.max_mem = 64 << 20
    return tuple(
        Rule(
            id=row["id"],
            pattern=re2.compile(row["pattern"], options),
            keywords=tuple(row["keywords"]),
            group=row.get("group", 0),
            entropy=row.get("entropy", 0.0),
        )
        for row in tomllib.loads(_RULES.read_text(encoding="utf-8"))["rules"]
    )


@dataclass(frozen=True)
class Redactor:
    """
    Redacts with a key of its own (of the data directory), so that hashes are equal within it and nowhere else.
    """

    key: bytes = field(default=b"precedent", repr=False)

    def redact(self, text: str) -> Redacted:
        """
        The text with every secret replaced.
        """
        lowered = text.lower()
        found: list[str] = []
        for rule in rules():
            if any(word in lowered for word in rule.keywords):
                spans = _outside(_spans(rule, text), text)
                if spans:
                    text = _replaced(text, spans, rule.id, self._mark)
                    lowered = text.lower()
                    found += [rule.id] * len(spans)
        return Redacted(text, tuple(found))

    def _mark(self, rule: str, secret: str) -> str:
        digest = hmac.new(self.key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:8]
        return f"[redacted:{rule}:{digest}]"


def _spans(rule: Rule, text: str) -> Iterator[tuple[int, int]]:
    for match in rule.pattern.finditer(text):
        group = rule.group if rule.group >= 0 else next((n for n in (1, 2, 3) if match.group(n)), 0)
        secret = match.group(group)
        if secret and not _innocent(rule, secret):
            yield match.span(group)


def _outside(spans: Iterator[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    """
    Without what lies in a mark already, so that redacting twice is redacting once.
    """
    marks = [mark.span() for mark in _MARK.finditer(text)]
    return [(start, stop) for start, stop in spans if not any(a < stop and start < b for a, b in marks)]


def _innocent(rule: Rule, secret: str) -> bool:
    if rule.group == 0:
        return bool(rule.entropy) and entropy(secret) < rule.entropy
    if _PLACEHOLDERS.match(secret):
        return True
    if rule.id == "secret" and _HARMLESS.match(secret):
        # a hash or an id behind the word "key" or "token" names something far more often than it opens it
        return True
    return bool(rule.entropy) and entropy(secret) < rule.entropy


def _replaced(text: str, spans: list[tuple[int, int]], rule: str, mark: Callable[[str, str], str]) -> str:
    parts, at = [], 0
    for start, stop in spans:
        parts += [text[at:start], mark(rule, text[start:stop])]
        at = stop
    return "".join([*parts, text[at:]])


def entropy(text: str) -> float:
    """
    Shannon's entropy of the characters, in bits a character.
    """
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values()) if text else 0.0


def redact(text: str) -> Redacted:
    """
    Redact with the default key.
    """
    return Redactor().redact(text)
