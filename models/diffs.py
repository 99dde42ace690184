"""
What a diff does, as far as its text shows: which words it really takes away and brings, whether it changes values,
takes safeguards away, only moves code about, only logs differently, or only lifts a dependency.

A refactoring takes away much and brings the same again; a fault changes a value, drops a guard, asks for something that
is not there. So words that are both taken away and brought count little, and the rest counts in full.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.names import tokens

_VALUE = re.compile(r"\"(?:[^\"\\\n]|\\.){1,200}\"|'(?:[^'\\\n]|\\.){1,200}'|(?<![\w.])\d[\d._]*(?:[a-z]{1,3}\b)?")
_SETTING = re.compile(
    r"^[\s\"'-]*(?:(?:const|let|var|final|static|public|private|export|set|env|int|long|float)\s+)*([\w.\-\[\]]+)[\"']?\s*(?::=|[:=]|\s+v?(?=\d))\s*(.+?)[,;]?\s*$"
)
_COMMENT = re.compile(r"^\s*(?://|#|\*|/\*|--\s|<!--|;)")
_LOGS = re.compile(r"\blog(?:ger|ging)?s?\b\s*[.(]|\bLOG_?[A-Z]*\s*\(|\bconsole\.|\bprint(?:f|ln)?\(|span\.Set|metrics?[._]|tracing", re.IGNORECASE)  # fmt: skip
_ERRORS = re.compile(r"\bErrorf?\(|\berrors\.\w+\(|\bnew \w*(?:Error|Exception)\(|\braise \w|\bthrow\b|\bpanic\(")
_STYLE = re.compile(
    r"\.(?:css|scss|less|svg|png|html?|tmpl)$|(?:^|/)(?:theme|styles?|static|assets)[./]", re.IGNORECASE
)
_MANIFEST = re.compile(
    r"(?:^|/)(?:go\.(?:mod|sum)|package(?:-lock)?\.json|yarn\.lock|pnpm-lock\.yaml|requirements[^/]*\.txt|poetry\.lock|pyproject\.toml"
    r"|pom\.xml|build\.gradle|Cargo\.(?:toml|lock)|Gemfile(?:\.lock)?|composer\.(?:json|lock))$",
    re.IGNORECASE,
)
_SETTINGS = re.compile(r"\.(?:ya?ml|json|toml|ini|conf|cfg|env|properties|tfvars)$", re.IGNORECASE)
_IDENTIFIER = re.compile(r"[A-Za-z_][\w.-]{3,}")
_VERSION = re.compile(r"\bv?(\d+)\.(\d+)(?:\.(\d+))?")
_GUARD = re.compile(
    r"lock|mutex|semaphore|atomic|leeway|toleran|timeout|deadline|retr(?:y|ies)|backoff|sleep|limit|throttl|check|valid|verif|guard"
    r"|close|defer|release|recover|catch|except|finally|default|fallback|batch|required|escape|sanitiz|transaction|cache|ttl|index|bound"
)


@dataclass(frozen=True, slots=True)
class Diff:
    """
    What was read of a diff. Word tables give a weight from 0 to 1.
    """

    words: dict[str, float]
    """Words of what changes in truth, 1; of what is moved or stands around it, less."""
    names: frozenset[str] = frozenset()
    """Values and identifiers that stand on one side alone, in lower case."""
    kept: float = 0.0
    """The share of the changed words that stand on both sides: 1 where code is only moved about."""
    values: int = 0
    """How many values are changed, taken away or brought."""
    settings: tuple[tuple[str, str, str], ...] = ()
    """(name, value before, value after)."""
    guards: int = 0
    """How many safeguards are taken away: locks, checks, limits, retries."""
    logs_only: bool = False
    style_only: bool = False
    bump: float = 0.0
    """A lifted dependency: 1 by a patch, 0.5 by a minor version, 0 else."""
    libraries: tuple[str, ...] = ()
    """The words of the dependencies that are lifted."""
    lines: int = 0

    @property
    def moved(self) -> float:
        """
        How far it only rewrites what stays the same: no value changes, no safeguard goes, and much of it comes back.
        """
        same = self.kept > 0 and not (self.values or self.guards or self.bump)
        return 0.5 + self.kept / 2 if same else 0.0


EMPTY = Diff(words={})


def read(text: str, files: Sequence[str]) -> Diff:
    """
    Read a diff in unified form; anything else has no words of its own.
    """
    lines = text[:20_000].splitlines()
    minus = [line[1:] for line in lines if line.startswith("-") and not line.startswith("---")]
    plus = [line[1:] for line in lines if line.startswith("+") and not line.startswith("+++")]
    if not (minus or plus):
        return EMPTY
    around = [line for line in lines if not line.startswith(("+", "-"))]
    gone, come = _told(minus), _told(plus)
    old, new = _counts(gone), _counts(come)
    both = sum((old & new).values())
    most = max(sum(old.values()), sum(new.values()), 1)
    removed, added = _values(gone), _values(come)
    manifest = bool(files) and all(_MANIFEST.search(path) for path in files)
    changed = [*_unlike(gone, come), *_unlike(come, gone)]
    return Diff(
        words=_weights(old, new, around, [*minus, *plus]),
        names=frozenset(name.lower() for name in (removed ^ added) | (_names(minus) ^ _names(plus))),
        kept=both / most if minus and plus else 0.0,
        values=len(removed ^ added) + (bool(changed) if files and all(_SETTINGS.search(path) for path in files) else 0),
        settings=_settings(gone, come),
        guards=len({word for word in old - new if _GUARD.search(word)}),
        logs_only=bool(changed) and all(_LOGS.search(line) for line in changed),
        style_only=bool(files) and all(_STYLE.search(path) for path in files),
        bump=_bump(gone, come) if manifest else 0.0,
        libraries=_libraries(changed) if manifest else (),
        lines=len(minus) + len(plus),
    )


def _told(lines: Iterable[str]) -> list[str]:
    return [line.strip() for line in lines if line.strip() and not _COMMENT.match(line)]


def _counts(lines: Sequence[str]) -> Counter[str]:
    return Counter(word for line in lines for word in tokens(line))


def _unlike(lines: Sequence[str], others: Sequence[str]) -> list[str]:
    known = set(others)
    return [line for line in lines if line not in known and len(line) > 2]


def _weights(old: Counter[str], new: Counter[str], around: Sequence[str], told: Sequence[str]) -> dict[str, float]:
    words = {word: 0.3 for line in around for word in tokens(line)}
    words |= {word: 0.5 for line in told if _COMMENT.match(line) for word in tokens(line)}
    words |= {word: 0.3 for word in old.keys() & new.keys() if old[word] == new[word]}
    return words | {word: 1.0 for word in old.keys() | new.keys() if old[word] != new[word]}


def _values(lines: Sequence[str]) -> set[str]:
    told = (line for line in lines if not (_LOGS.search(line) or _ERRORS.search(line)))
    return {match.group().strip("\"'") for line in told for match in _VALUE.finditer(line)}


def _names(lines: Sequence[str]) -> set[str]:
    return {name.strip(".-") for line in lines for name in _IDENTIFIER.findall(line)}


def _settings(gone: Sequence[str], come: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
    before = {found[1]: found[2] for line in gone if (found := _SETTING.match(line))}
    after = {found[1]: found[2] for line in come if (found := _SETTING.match(line))}
    return tuple((name, before[name], after[name]) for name in before if name in after and before[name] != after[name])


def _bump(gone: Sequence[str], come: Sequence[str]) -> float:
    steps = []
    for line, other in zip(gone, come, strict=False):
        left, right = _VERSION.search(line), _VERSION.search(other)
        if left and right:
            steps.append(1.0 if left.groups()[:2] == right.groups()[:2] else 0.5 if left[1] == right[1] else 0.0)
    return min(steps, default=0.5)


def _libraries(changed: Sequence[str]) -> tuple[str, ...]:
    names = (_VERSION.split(line)[0].rpartition("/")[2] or _VERSION.split(line)[0] for line in changed)
    return tuple(dict.fromkeys(word for name in names for word in tokens(name) if len(word) > 3))
