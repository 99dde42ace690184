"""
What a change says by itself, whatever is asked: the values of its own terms, its words, its diff, its mechanisms.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from weakref import ref

from graph.values import Change, ChangeKind, entity_name
from models import diffs
from models.names import tokens
from models.paths import harmless
from models.phrases import Phrases
from models.symptoms import stem, stems
from models.taking_back import said

MECHANISMS: Mapping[str, str] = {
    "tls": r"tls|ssl|x509|certificat|handshake|cipher|mtls",
    "pool": r"connection pool|pool exhausted|too many connections|max.?conn|idle connection|conn(?:ection)?s? (?:leak|exhaust)|pool|sessions?",
    "memory": r"\boom\b|out of memory|oomkilled|heap|memory|leak|maxmemory",
    "cpu": r"\bcpu\b|throttl|load average|saturat|regex|n\+1",
    "disk": r"disk|no space|inode|volume|log level|debug log|retention",
    "schema": r"schema|migration|column|table|relation .* does not exist|unknown column|alter",
    "config": r"config|env(?:ironment)? var|setting|feature.?flag|toggle|values\.ya?ml",
    "dns": r"\bdns\b|resolv|nxdomain|servfail|lookup",
    "network": r"connection refused|reset by peer|network policy|ingress|routing|route|firewall|security group",
    "auth": r"jwt|token|unauthori[sz]ed|\b401\b|\b403\b|forbidden|permission|rbac|signature|key id|login|credential",
    "timeout": r"timeout|timed out|deadline|latency|slow|retry|retries|backoff|budget",
    "parse": r"deseriali[sz]|unmarshal|decode|parse|json|protobuf|malformed|null|nil pointer|undefined|type ?error",
    "dependency": r"version|upgrade|dependency|import ?error|module not found|requirements|lock|package",
    "queue": r"queue|consumer|lag|kafka|topic|backlog|dead.?letter|offset",
    "cache": r"cache|redis|evict|ttl|stale",
    "race": r"race|concurren|deadlock|lock|mutex|hydrat",
    "model": r"model|embedding|prompt|index|dimension|vector|groundedness",
    "query": r"query|sql|select|n\+1|index scan|statement",
}  # fmt: skip
_NAMES = tuple(MECHANISMS)
_MECHANISMS = Phrases(MECHANISMS.values())
_FIX = re.compile(r"^\W*(?:\[[^\]]*\]\W*)?(?:hot|bug)?fix(?:es|ed|ing)?\b|\btypo|\bcorrect(?:s|ed)?\b|\bmissing\b|^\W*actually\b", re.IGNORECASE)  # fmt: skip
_TRIAL = re.compile(r"\btemporar|\btemp\b|\btest(?:s|ing)?\b|\btry(?:ing)?\b|\battempt|\bwip\b|\bexperiment|\bdebug|\bpilot\b|\btrial\b", re.IGNORECASE)  # fmt: skip
_DARK = re.compile(r"(?:->|→|\bto|\bat|=|:)\s*0(?:\.0+)?\s?%")
_COSMETIC = re.compile(
    r"\bcomments?\b|\bdocs?\b|\bdocument|\bnotes?\b|\breadme|\blint|\bformat|\bstyle\b|\blogo\b|\btypo|\bprettier|\bpre-commit|\bwhitespace|\btidy|\bclean",
    re.IGNORECASE,
)


class Reading:
    """
    What a change says by itself, whatever is asked: the values of its own terms, its words, its diff.
    """

    __slots__ = ("_met", "diff", "lowered", "names", "said", "terms", "text", "words")

    def __init__(self, change: Change) -> None:
        self.diff = diffs.read(change.text, change.files) if change.text else diffs.EMPTY
        self.terms = {name: value for name, value in _own_terms(change, self.diff).items() if value}
        self.text = f"{change.title}\n{change.text}\n{' '.join(change.files)}"
        self.lowered = self.text.lower()
        self.words = _words(change, self.diff)
        self.said = said(change.title)
        self.names = self.diff.names | {path.rpartition("/")[2].lower() for path in change.files[:50]}
        self._met: frozenset[str] | None = None

    def speaks_of(self, mechanism: str) -> bool:
        """
        Whether its texts name a mechanism.
        """
        if self._met is None:
            self._met = frozenset(_mechanisms(self.text))
        return mechanism in self._met


_READ: dict[int, tuple[ref[Change], Reading]] = {}
"""Alerts of one hour are asked about the same changes. What was read of a change goes with it, erased texts too. By what
a change is and not by what it says, since to compare all that it says costs more than to read it."""


def reading_of(change: Change) -> Reading:
    """
    What a change says, read once for each object.
    """
    mark = id(change)
    held = _READ.get(mark)
    if held is not None and held[0]() is change:
        return held[1]
    made = Reading(change)
    _READ[mark] = (ref(change, lambda _: _READ.pop(mark, None)), made)
    return made


def _words(change: Change, diff: diffs.Diff) -> dict[str, float]:
    """
    Stems with the weight of where they stand: what a diff changes, title and file names, what stands around it.
    """
    words = {word: 0.5 for one in change.services for word in stems(entity_name(one))}
    body = diff.words or (dict.fromkeys(tokens(change.text[:4000]), 0.7) if change.text else {})
    for word, weight in body.items():
        key = stem(word)
        if weight > words.get(key, 0.0):
            words[key] = weight
    for word in (stem(word) for word in tokens(change.title)):
        words[word] = max(0.8, words.get(word, 0.0))
    for path in change.files[:50]:
        for word in stems(path):
            if words.get(word, 0.0) < 0.8:
                words[word] = 0.8
    return words


def _own_terms(change: Change, diff: diffs.Diff) -> dict[str, float]:
    counted = change.attributes
    lines = float(counted.get("added") or 0) + float(counted.get("deleted") or 0) if counted else 0.0
    told = bool(change.title) and not diff.lines  # a title is asked only where no diff tells what was done
    return {
        "files": math.log1p(len(change.files)),
        "lines": math.log1p(lines),
        "automated": float(change.automated),
        "merge": float(change.merge),
        "harmless": float(bool(change.files) and all(harmless(path) for path in change.files)),
        "failed": float(change.status in ("failure", "failed", "error")),
        "deploy": float(change.kind in (ChangeKind.DEPLOY, ChangeKind.FLAG, ChangeKind.MODEL, ChangeKind.SCHEMA)),
        "scaling": float(change.kind is ChangeKind.SCALING),
        "dark": float(change.kind is ChangeKind.FLAG and bool(_DARK.search(f"{change.title}\n{change.text[:500]}"))),
        "cosmetic": float(told and bool(_COSMETIC.search(change.title))),
        "fix": float(told and bool(_FIX.search(change.title))),
        "trial": float(told and bool(_TRIAL.search(change.title))),
        "moved": diff.moved,
        "values": float(diff.values > 0 and not diff.bump),
        "guards": float(diff.guards > 0),
        "style": float(diff.style_only),
        "bump": diff.bump,
    }


@lru_cache(maxsize=256)
def mechanisms(text: str) -> tuple[str, ...]:
    """
    The mechanisms that a symptom speaks of.
    """
    return _mechanisms(text)


def _mechanisms(text: str) -> tuple[str, ...]:
    return tuple(_NAMES[place] for place in _MECHANISMS.among(text))
