"""
Secrets leave the text before anything is stored, indexed or logged.

The rules are data (redaction_rules.toml), run by RE2 in time linear in the text. A secret becomes
`[redacted:RULE:hash]`, with a keyed hash, so that equal secrets still correlate and none can be guessed back. JSON is
read first and its strings redacted as they will be read later (redaction_bodies.py), since an escape hides any form.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import tomllib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Protocol

import re2

from ingest.innocence import entropy, innocent

_RULES = Path(__file__).with_name("redaction_rules.toml")
_MARK = re.compile(r"\[redacted:[a-z-]+:[0-9a-f]{8}\]")
_NO_SECRET_AFTER = re.compile(r"arn:[\w-]*:secretsmanager:[\w-]*:[0-9]*:$|Action=ConfirmSubscription&\S*$")
"""The name of a secret is none; with the token that SNS sends a person confirms a subscription, and nothing else."""
_BEFORE = 400
_CODE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
"""Of a program: what is called."""
_LONGEST_LABEL = 60
_KEY_ENDS = re.compile(
    r"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|---- END SSH2[^\n]{0,60}|Private-MAC:[ \t]*[0-9a-f]*"
)
_KEY_BODY = re.compile(r"[A-Za-z0-9+/=\s\\:,.-]{4,}")
_AROUND = "\"'="
"""What a keyword may have around it that a name has not."""
_FEW = 3
_GROUPS = (1, 2, 3)
_SHORT = 2000
"""Below this a search of the engine costs more than it saves."""
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
    hint: Pattern | None = None
    """The keywords as one pattern, where they are so many that looking for one after another is slow."""

    def may_be_in(self, lowered: str) -> bool:
        """
        The cheap first look.
        """
        if self.hint is not None and len(lowered) > _SHORT:
            return self.hint.search(lowered) is not None
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
            hint=_any_of(row["keywords"]) if len(row["keywords"]) > _FEW else None,
        )
        for row in tomllib.loads(_RULES.read_text(encoding="utf-8"))["rules"]
    )


@cache
def _any_keyword() -> Pattern:
    return _any_of(sorted({word for rule in rules() for word in rule.keywords}))


@cache
def _keywords() -> tuple[re2.Set, tuple[tuple[int, ...], ...]]:
    """
    The keywords of all rules as one set that tells in one pass which of them occur, and for each whose it is.
    """
    owners: dict[str, list[int]] = {}
    for place, rule in enumerate(rules()):
        for word in rule.keywords:
            owners.setdefault(word, []).append(place)
    options = re2.Options()
    options.max_mem = 64 << 20
    found = re2.Set.SearchSet(options)
    for word in owners:
        found.Add(re2.escape(word))
    found.Compile()
    return found, tuple(map(tuple, owners.values()))


@cache
def _words() -> tuple[re2.Set, tuple[str, ...]]:
    """
    The keywords of all rules without the quotes and signs around them, so that the name of a value is found too.
    """
    words = tuple(sorted({word.strip(_AROUND) for rule in rules() for word in rule.keywords}))
    options = re2.Options()
    options.max_mem = 64 << 20
    found = re2.Set.SearchSet(options)
    found.Add("|".join(re2.escape(word) for word in words))
    found.Compile()
    return found, words


def may_hold_a_secret(text: str) -> bool:
    """
    A quick look at a whole document in which nothing is escaped. It may suspect too much, never too little.
    """
    lowered = text.lower()
    found, words = _words()
    # nothing, or the set gave up on a text of very many different words
    return found.Match(lowered) is not None or any(word in lowered for word in words if len(lowered) > _SHORT)


def _hinted(text: str) -> Iterator[Rule]:
    """
    The rules of which a keyword occurs, in their order. Most short texts hold none, and are done with.
    """
    lowered = text.lower()
    words, owners = _keywords()
    met = words.Match(lowered)
    if met is None:
        # nothing, or the set gave up on a text of very many different words
        if _any_keyword().search(lowered) is None:
            return
        yield from (rule for rule in rules() if rule.may_be_in(lowered))
    else:
        every = rules()
        yield from (every[place] for place in sorted({place for word in met for place in owners[word]}))


def _any_of(words: Sequence[str]) -> Pattern:
    found: Pattern = re2.compile("|".join(re2.escape(word) for word in words))
    return found


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
        found: list[str] = []
        for rule in _hinted(text):
            spans = _outside(_spans(rule, text), text)
            if spans:
                text = _replaced(text, spans, rule.id, self.mark)
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
        return Redacted(_replaced(value, inside, rule.id, self.mark), (rule.id,) * len(inside))

    def mark(self, rule: str, secret: str) -> str:
        """
        What stands for a secret.
        """
        digest = hmac.new(self.key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:8]
        return f"[redacted:{rule}:{digest}]"


def _spans(rule: Rule, text: str) -> Iterator[tuple[int, int]]:
    if rule.id == "pem":
        yield from _keys(rule, text)
        return
    for match in rule.pattern.finditer(text):
        group = rule.group if rule.group >= 0 else next((n for n in _GROUPS if _group(match, n)), 0)
        secret, start = match.group(group), match.span(0)[0]
        if rule.id == "secret" and _NO_SECRET_AFTER.search(text[max(0, start - _BEFORE) : start]):
            continue
        if secret and text.startswith("(", match.span(group)[1]) and _CODE.fullmatch(secret):
            continue
        if secret and not _innocent(rule, secret, _label(text, start, match.span(group)[0])):
            yield match.span(group)


def _innocent(rule: Rule, secret: str, label: str) -> bool:
    if innocent(rule.id, secret, label if rule.group else ""):
        return True
    return bool(rule.entropy) and entropy(secret) < rule.entropy


def _keys(rule: Rule, text: str) -> Iterator[tuple[int, int]]:
    """
    Private keys, each to its end; where that is missing, or another begins before it, as far as it looks like one.
    """
    begins = [match.span(0) for match in rule.pattern.finditer(text)]
    ends = [match.span() for match in _KEY_ENDS.finditer(text)]
    last = place = 0
    for number, (start, body) in enumerate(begins):
        if start < last:
            continue
        while place < len(ends) and ends[place][0] < body:
            place += 1
        following = begins[number + 1][0] if number + 1 < len(begins) else len(text)
        if text.startswith("AGE", start):
            last = body
        elif place < len(ends) and ends[place][0] <= following:
            last = ends[place][1]
        else:
            rest = _KEY_BODY.match(text, body, following)
            last = rest.end() if rest else body
        if last > body or text.startswith("AGE", start):
            yield start, last


def _group(match: Match, number: int) -> str | None:
    try:
        return match.group(number)
    except IndexError:
        return None


def _label(text: str, start: int, end: int) -> str:
    """
    What stands before a secret, from the beginning of its name, or the sign that makes the name part of an address.
    """
    first = start
    while first > 0 and start - first < _LONGEST_LABEL and (text[first - 1].isalnum() or text[first - 1] in "_.-"):
        first -= 1
    return text[first - (first > 0 and text[first - 1] in "?&/") : end]


def _outside(spans: Iterator[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    """
    Without what lies in a mark already, so that redacting twice is redacting once.
    """
    found = list(spans)
    marks = [mark.span() for mark in _MARK.finditer(text)] if found else []
    ends = [stop for _, stop in marks]
    return [span for span in found if (at := bisect_right(ends, span[0])) == len(marks) or marks[at][0] >= span[1]]


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


def redact(text: str) -> Redacted:
    """
    Redact with the default key.
    """
    return Redactor().redact(text)
