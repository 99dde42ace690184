"""
Secrets leave the text before anything is stored, indexed or logged.

The rules are data (redaction_rules.toml), run by RE2 in time linear in the text. A secret becomes
`[redacted:RULE:hash]`, with a keyed hash, so that equal secrets still correlate and none can be guessed back. JSON is
read first and its strings redacted as they will be read later (redaction_bodies.py), since an escape hides any form.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Protocol

import re2

_RULES = Path(__file__).with_name("redaction_rules.toml")
_PLACEHOLDERS = re2.compile(
    r"(?i)^(?:\$\{?.*|\{\{.*|<.*>?|%\(?.*|\*{3,}|x{3,}|\.{3,}|\[redacted.*|null|none|true|false|undefined|example.*|your[_-].*"
    r"|changeme|placeholder|redacted|string|required|optional|n/?a|secretkeyref.*|valuefrom.*|vault:.*|file:.*|env[:.].*"
    r"|[*&][a-z_]+|\[[a-z _-]+\]|os\.(?:environ|getenv).*|process\.env.*|var\..*|data\..*|module\..*|local\..*"
    r"|kubernetes_secret.*|aws_.*|random_.*)$"
)
_MARK = re.compile(r"\[redacted:[a-z-]+:[0-9a-f]{8}\]")
_HARMLESS = re2.compile(
    r"(?i)^(?:[0-9a-f]{7,40}|[0-9a-f]{64}|sha256:[0-9a-f]{64}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|[0-9]+(?:\.[0-9]+)*|[a-z]+(?:[-_./][a-z]+)*|[a-z]+[0-9]{0,4}(?:[-_./](?:[a-z]+[0-9]{0,4}|[0-9]{1,4}))+|https?://.*)$"
)
_HEX = re.compile(r"[0-9a-fA-F]+")
_SURELY_A_KEY = re.compile(
    r"(?i)(?:api|access|encryption|signing|private|auth|master|secret).?key|(?:client|app).?secret"
)
_PROSE = re.compile(
    r"(?i)(?:and|are|argument|as|at|authentication|be|by|can|environment|field|file|flag|for|from|has|if|in|into|is|it|may|must"
    r"|not|of|on|option|options|or|parameter|prompt|should|that|the|this|to|value|via|was|when|will|with|without)[.,:;)]*"
)
_PORT = re.compile(r"[0-9]{1,5}/")


_AROUND = "\"'="
"""What a keyword may have around it that a name has not."""
_SHORT = 10_000
"""Characters of a text that cannot take more than the engine's memory."""
_LONGEST_NAME = 200
_SAMPLE = "q7Zt2Xw9Lk4Vb8Nc3Md6Hs1Jf5Rg0Py7Tu2Aw9Ek"
"""A value that is a secret under any name of one."""


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

    def search(self, text: str) -> Match | None: ...


class PatternSet(Protocol):
    """
    What we use of the engine's set of patterns.
    """

    def Add(self, pattern: str) -> int: ...

    def Compile(self) -> None: ...

    def Match(self, text: str) -> Sequence[int] | None: ...


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

    def may_be_in(self, lowered: str) -> bool:
        """
        Whether one of its keywords is there.
        """
        return any(word in lowered for word in self.keywords)


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


@cache
def _keywords() -> PatternSet:
    """
    The keywords of each rule, to be looked for in one pass over a text.
    """
    return _set_of([rule.keywords for rule in rules()])


@cache
def _words() -> PatternSet:
    """
    The keywords of all rules without the quotes and signs around them, so that the name of a value is found too.
    """
    return _set_of([sorted({word.strip(_AROUND) for rule in rules() for word in rule.keywords})])


def _set_of(groups: Sequence[Sequence[str]]) -> PatternSet:
    options = re2.Options()
    options.max_mem = 64 << 20
    found: PatternSet = re2.Set.SearchSet(options)
    for words in groups:
        found.Add("|".join(re2.escape(word) for word in words))
    found.Compile()
    return found


def _hinted(lowered: str) -> frozenset[int]:
    """
    The rules, by their place, of which a keyword is there: the cheap first look.
    """
    found = _keywords().Match(lowered)
    if not found and len(lowered) > _SHORT:
        # the engine finds nothing, too, where a text takes more of its memory than it may
        found = [place for place, rule in enumerate(rules()) if rule.may_be_in(lowered)]
    return frozenset(found or ())


def may_hold_a_secret(text: str) -> bool:
    """
    A quick look at a whole document in which nothing is escaped. It may suspect too much, never too little.
    """
    lowered = text.lower()
    return bool(_words().Match(lowered)) or (
        len(lowered) > _SHORT and any(word.strip(_AROUND) in lowered for rule in rules() for word in rule.keywords)
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
        hinted = _hinted(text.lower())
        if not hinted:
            return Redacted(text)
        found: list[str] = []
        for place, rule in enumerate(rules()):
            if place in hinted:
                spans = _outside(_spans(rule, text), text)
                if spans:
                    text = _replaced(text, spans, rule.id, self._mark)
                    hinted = _hinted(text.lower())
                    found += [rule.id] * len(spans)
        return Redacted(text, tuple(found))

    def redact_value(self, key: str, value: str) -> Redacted:
        """
        A value with its name, which alone may say that it is a secret.
        """
        redacted = self.redact(value)
        rule = naming_rule(key)
        if redacted.found or rule is None:
            return redacted
        if not any(char in value for char in "\"'\\\n"):
            before = f'"{key}": "'
            spans = _outside(_spans(rule, f'{before}{value}"'), f'{before}{value}"')
            inside = [(start - len(before), stop - len(before)) for start, stop in spans if start >= len(before)]
        else:
            inside = [] if _innocent(rule, value, key) or _MARK.search(value) else [(0, len(value))]
        if not inside:
            return redacted
        return Redacted(_replaced(value, inside, rule.id, self._mark), (rule.id,) * len(inside))

    def _mark(self, rule: str, secret: str) -> str:
        digest = hmac.new(self.key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:8]
        return f"[redacted:{rule}:{digest}]"


def _spans(rule: Rule, text: str) -> Iterator[tuple[int, int]]:
    for match in rule.pattern.finditer(text):
        group = rule.group if rule.group >= 0 else next((n for n in (1, 2, 3) if match.group(n)), 0)
        secret = match.group(group)
        if secret and not _innocent(rule, secret, text[match.span(0)[0] : match.span(group)[0]]):
            yield match.span(group)


def _outside(spans: Iterator[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    """
    Without what lies in a mark already, so that redacting twice is redacting once.
    """
    marks = [mark.span() for mark in _MARK.finditer(text)]
    return [(start, stop) for start, stop in spans if not any(a < stop and start < b for a, b in marks)]


def _innocent(rule: Rule, secret: str, label: str) -> bool:
    """
    Whether what was found, behind this label, is no secret after all.
    """
    if rule.group != 0:
        if _PLACEHOLDERS.match(secret):
            return True
        if rule.id == "url-password" and _PORT.match(secret):
            return True
        if rule.id.endswith("-option") and _PROSE.fullmatch(secret):
            return True
        if rule.id.startswith("secret") and _names_something(secret, label):
            return True
    return bool(rule.entropy) and entropy(secret) < rule.entropy


def _names_something(secret: str, label: str) -> bool:
    """
    A hash or an id behind the word "token" or "secret" names something far more often than it opens it: of hexadecimal
    digits only 32 are a secret there, and any number that is usual for keys where the label can mean nothing else.
    """
    if _HEX.fullmatch(secret) and not secret.isdigit():
        return not (len(secret) == 32 or (len(secret) in (40, 48, 64) and _SURELY_A_KEY.search(label)))
    return bool(_HARMLESS.match(secret))


def _replaced(text: str, spans: list[tuple[int, int]], rule: str, mark: Callable[[str, str], str]) -> str:
    parts, at = [], 0
    for start, stop in spans:
        parts += [text[at:start], mark(rule, text[start:stop])]
        at = stop
    return "".join([*parts, text[at:]])


@lru_cache(maxsize=10_000)
def naming_rule(key: str) -> Rule | None:
    """
    The rule by which a value of this name is a secret, whatever the value looks like; None for an ordinary name.
    """
    if len(key) > _LONGEST_NAME or any(char in key for char in "\"'\\\n"):
        return None
    lowered = key.lower()
    text = f'"{key}": "{_SAMPLE}"'
    for rule in rules():
        hinted = rule.group != 0 and any(word.strip(_AROUND) in lowered for word in rule.keywords)
        if hinted and any(text[start:stop] == _SAMPLE for start, stop in _spans(rule, text)):
            return rule
    return None


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
