"""
The terms by which changes are told apart: each has a name, a value, a default weight and a sentence.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from weakref import WeakKeyDictionary

from graph.values import Change, ChangeKind, EntityId, entity_name
from models import diffs
from models.exposure import SLACK, Exposure, Way, exposures
from models.names import tokens
from models.paths import area_of, areas_of, harmless, nearness, parent
from models.signals import NO_SIGNALS, Signals, entity
from models.symptoms import Symptom, stem
from models.taking_back import taken_back, takes_back

WINDOW = timedelta(days=7)

WEIGHTS: Mapping[str, float] = {
    # when, and where
    "lag": -0.62, "rank": -0.3, "service": 3.4, "neighbour": 1.5, "distance": -0.7, "other": -2.2, "path": 3.0, "named": 1.6, "unplaced": -1.5,
    "deployed": 0.8, "shared": -1.0, "held": -2.5, "late": -4.0, "environment": -3.0, "region": -4.0,
    # what it does, and what the symptom says
    "overlap": 1.3, "exact": 2.2, "seen": 2.5, "mechanism": 0.7, "moved": -2.5, "values": 0.8, "guards": 0.8, "logging": -2.5, "style": -3.0, "bump": -1.2,
    # what it is
    "files": -0.1, "lines": 0.05, "automated": -0.5, "merge": -2.0, "harmless": -1.6, "upgrade": 0.0, "failed": 0.3, "deploy": 0.5, "scaling": -0.6,
    "takes_back": -3.0, "taken_back": -4.0, "cosmetic": -1.0, "fix": -0.7, "trial": 0.4,
}  # fmt: skip

AREA_WEIGHTS: Mapping[str, float] = {
    "lag": -0.4, "area": 5.0, "area_share": 0.5, "area_rank": -1.4, "parent": 0.4, "automated": -0.5, "merge": -2.0, "harmless": -0.6,
    "takes_back": -3.0, "taken_back": -4.0, "cosmetic": -1.0, "fix": -0.7, "trial": 0.4, "environment": -3.0, "region": -4.0, "overlap": 1.3, "exact": 1.5,
}  # fmt: skip
"""Where an area of files is asked about, not a service: learned from what organisations took back."""

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
_MECHANISMS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in MECHANISMS.items()}
_LOGGED = re.compile(r"disk|no space|log|ingest|volume|quota", re.IGNORECASE)
_UPGRADE = re.compile(r"\b(?:upgrade|bump|update|migrate|switch|enable|move|replace|attempt|try)\b", re.IGNORECASE)
_FIX = re.compile(r"^\W*(?:\[[^\]]*\]\W*)?(?:hot|bug)?fix(?:es|ed|ing)?\b|\btypo|\bcorrect(?:s|ed)?\b|\bmissing\b|^\W*actually\b", re.IGNORECASE)  # fmt: skip
_TRIAL = re.compile(r"\btemporar|\btemp\b|\btest(?:s|ing)?\b|\btry(?:ing)?\b|\battempt|\bwip\b|\bexperiment|\bdebug|\bpilot\b|\btrial\b", re.IGNORECASE)  # fmt: skip
_COSMETIC = re.compile(
    r"\bcomments?\b|\bdocs?\b|\bdocument|\bnotes?\b|\breadme|\blint|\bformat|\bstyle\b|\blogo\b|\btypo|\bprettier|\bpre-commit|\bwhitespace|\btidy|\bclean",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class SuspectQuestion:
    """
    What is asked: a moment, and where it hurts (services with probabilities, or file areas).
    """

    at: datetime
    services: Mapping[EntityId, float] = field(default_factory=dict)
    neighbours: Mapping[EntityId, int] = field(default_factory=dict)
    """What the services depend on, or what shares something with them, and how many steps away."""
    areas: tuple[str, ...] = ()
    places: Mapping[str, float] = field(default_factory=dict)
    """Files and folders of the services in repositories, with the services' probabilities."""
    names: Mapping[frozenset[str], float] = field(default_factory=dict)
    """Names of the services as words, likewise: for changes that say where they are by path and title alone."""
    everywhere: bool = False
    """Whether changes of all services are weighed, since it is not known which one it is."""
    environment: str | None = None
    region: str | None = None
    text: str = ""
    signals: Signals = NO_SIGNALS
    window: timedelta = WINDOW

    @cached_property
    def onset(self) -> datetime:
        """
        When it began to go wrong, as far as the signals tell.
        """
        return self.signals.onset(self.at)

    @cached_property
    def hurt(self) -> Mapping[EntityId, float]:
        """
        The services that fail, with the chance that each is where it began: the alert's, and those of the signals.
        """
        first = self.signals.first()
        told = {entity(name): 0.9 / (place + 1) for place, name in enumerate(first[:4])}
        before = 0.7 if told else 1.0
        own = {service: chance * before for service, chance in self.services.items()}
        return {
            service: 1 - (1 - own.get(service, 0.0)) * (1 - told.get(service, 0.0)) for service in {**own, **told}
        }

    @cached_property
    def steps(self) -> Mapping[EntityId, int]:
        """
        What the failing services call, by the graph and by the calls that were seen, and how many steps away.
        """
        found = dict(self.neighbours)
        names = {name.partition(":")[2] for name in self.hurt}
        for edge in self.signals.edges:
            callee = entity(edge.callee)
            if edge.caller.lower() in names and callee not in self.hurt:
                found[callee] = min(1, found.get(callee, 1))
        return found


@dataclass(frozen=True, slots=True)
class Row:
    """
    The terms of one change, and what explains them.
    """

    values: dict[str, float]
    exposure: Exposure
    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    seen: str = ""


def terms_of(changes: Sequence[Change], question: SuspectQuestion) -> list[dict[str, float]]:
    """
    The values of the terms of each change.
    """
    return [row.values for row in rows_of(changes, question)]


def rows_of(changes: Sequence[Change], question: SuspectQuestion) -> list[Row]:
    """
    The terms of each change with what explains them.
    """
    readings = [_reading(change) for change in changes]
    found = exposures(changes, question.hurt, question.onset)
    back, taken = takes_back(changes), taken_back(changes)
    live = [place for place in range(len(changes)) if place not in back and place not in taken]
    place_of = _Places(changes, found, live, question)
    symptom = _Symptom(question, readings)
    rows = []
    for place, (change, reading, exposure) in enumerate(zip(changes, readings, found, strict=True)):
        values = {
            **reading.terms,
            **place_of.terms(place),
            "lag": math.log1p(max(0.0, (question.onset - exposure.at).total_seconds() / 3600) * 4),
            "taken_back": float(place in taken),
            "takes_back": float(place in back),
        }
        rows.append(symptom.row(reading, values, exposure))
    return rows


class _Reading:
    """
    What a change says by itself, whatever is asked: the values of its own terms, its words, its diff.
    """

    __slots__ = ("_met", "diff", "lowered", "names", "terms", "text", "words")

    def __init__(self, change: Change) -> None:
        self.diff = diffs.read(change.text, change.files) if change.text else diffs.EMPTY
        self.terms = _own_terms(change, self.diff)
        self.text = f"{change.title}\n{change.text}\n{' '.join(change.files)}"
        self.lowered = self.text.lower()
        self.words = _words(change, self.diff)
        self.names = self.diff.names | {path.rpartition("/")[2].lower() for path in change.files[:50]}
        self._met: dict[str, bool] = {}

    def speaks_of(self, mechanism: str) -> bool:
        """
        Whether its texts name a mechanism.
        """
        met = self._met.get(mechanism)
        if met is None:
            met = self._met[mechanism] = bool(_MECHANISMS[mechanism].search(self.text))
        return met


_READ: WeakKeyDictionary[Change, _Reading] = WeakKeyDictionary()
"""Alerts of one hour are asked about the same changes. What was read of a change goes with it, erased texts too."""


def _reading(change: Change) -> _Reading:
    found = _READ.get(change)
    if found is None:
        found = _READ[change] = _Reading(change)
    return found


def _words(change: Change, diff: diffs.Diff) -> dict[str, float]:
    """
    Stems with the weight of where they stand: what a diff changes, the title, file names, what stands around it.
    """
    words: dict[str, float] = {}
    body = diff.words or dict.fromkeys(tokens(change.text[:4000]), 0.7)
    parts = [
        dict.fromkeys(tokens(" ".join(entity_name(one) for one in change.services)), 0.5),
        body,
        dict.fromkeys(tokens(" ".join(change.files[:50])), 0.8),
        dict.fromkeys(tokens(change.title), 0.8),
    ]
    for part in parts:
        for word, weight in part.items():
            key = stem(word)
            if weight > words.get(key, 0.0):
                words[key] = weight
    return words


def _own_terms(change: Change, diff: diffs.Diff) -> dict[str, float]:
    lines = sum(float(change.attributes.get(name, 0) or 0) for name in ("added", "deleted"))
    told = not diff.lines  # a title is asked only where no diff tells what was done
    return {
        "files": math.log1p(len(change.files)),
        "lines": math.log1p(lines),
        "automated": float(change.automated),
        "merge": float(change.merge),
        "harmless": float(bool(change.files) and all(harmless(path) for path in change.files)),
        "upgrade": float(bool(_UPGRADE.search(change.title))),
        "failed": float(change.status in ("failure", "failed", "error")),
        "deploy": float(change.kind in (ChangeKind.DEPLOY, ChangeKind.FLAG, ChangeKind.MODEL, ChangeKind.SCHEMA)),
        "scaling": float(change.kind is ChangeKind.SCALING),
        "cosmetic": float(told and bool(_COSMETIC.search(change.title))),
        "fix": float(told and bool(_FIX.search(change.title))),
        "trial": float(told and bool(_TRIAL.search(change.title))),
        "moved": diff.moved,
        "values": float(diff.values > 0 and not diff.bump),
        "guards": float(diff.guards > 0),
        "style": float(diff.style_only),
        "bump": diff.bump,
    }


class _Symptom:
    """
    What the symptom says, and how much of it each change touches.
    """

    def __init__(self, question: SuspectQuestion, readings: Sequence[_Reading]) -> None:
        text = f"{question.text}\n{question.signals.text}"
        self._told = bool(text.strip())
        self._kinds = [name for name, pattern in _MECHANISMS.items() if pattern.search(text)] if self._told else []
        names = [entity_name(one) for one in (*question.hurt, *question.steps)]
        self._words = Symptom(text, names, [reading.words for reading in readings]) if self._told else None
        self._logged = bool(_LOGGED.search(text))
        self._metrics = [delta for delta in question.signals.metrics if delta.before != delta.after]

    def row(self, reading: _Reading, values: dict[str, float], exposure: Exposure) -> Row:
        """
        The values of a change with those that the symptom gives.
        """
        values["logging"] = float(reading.diff.logs_only and not self._logged)
        if self._words is None:
            return Row(values, exposure)
        score, words = self._words.overlap(reading.words)
        names, only = self._words.named(reading.lowered, reading.names, reading.diff.libraries)
        seen = self._seen(reading.diff)
        values["overlap"] = math.log1p(max(0.0, score) / 3)
        values["exact"] = min(2.0, len(names) + 0.3 * len(only))
        values["seen"] = float(bool(seen))
        values["mechanism"] = math.log1p(sum(reading.speaks_of(name) for name in self._kinds))
        return Row(values, exposure, words, names + only, seen)

    def _seen(self, diff: diffs.Diff) -> str:
        """
        A metric that went from the one to the other value of a setting that the diff changes.
        """
        for name, before, after in diff.settings:
            for delta in self._metrics:
                if _number(before) == delta.before and _number(after) == delta.after:
                    return f"{delta.metric} went from {delta.before:g} to {delta.after:g}, as it sets {name}"
        return ""


def _number(text: str) -> float | None:
    try:
        return float(text.strip("\"' ,;"))
    except ValueError:
        return None


class _Places:
    """
    Where changes lie, seen from what is asked.
    """

    def __init__(
        self, changes: Sequence[Change], found: Sequence[Exposure], live: Sequence[int], question: SuspectQuestion
    ) -> None:
        self._changes, self._found, self._question = changes, found, question
        self._areas = set(question.areas)
        self._above = {parent(area) for area in self._areas}
        self._hurt = {service for service, chance in question.hurt.items() if chance >= 0.2}
        there = [place for place in live if not self._hurt or found[place].services & self._hurt]
        self._newer = sorted(found[place].at for place in there)
        self._newer_there = (
            sorted(changes[place].at for place in live if self._areas & areas_of(changes[place].files))
            if self._areas
            else []
        )

    def terms(self, place: int) -> dict[str, float]:
        """
        The terms of where and when of one change.
        """
        change, exposure, question = self._changes[place], self._found[place], self._question
        row = {"rank": math.log1p(len(self._newer) - bisect_right(self._newer, exposure.at))}
        if self._areas:
            row |= self._area(change)
        if question.hurt:
            row |= self._service(change, exposure)
        row["held"] = float(exposure.way is Way.HELD)
        row["late"] = float(exposure.at > question.onset + SLACK)
        if question.environment and change.environment and not _same_environment(question.environment, change.environment):
            row["environment"] = 1.0
        if question.region and change.region and question.region.lower() != change.region.lower():
            row["region"] = 1.0
        return row

    def _area(self, change: Change) -> dict[str, float]:
        inside = sum(area_of(path) in self._areas for path in change.files)
        newer = len(self._newer_there) - bisect_right(self._newer_there, change.at)
        beside = not inside and bool(self._above & {parent(area_of(path)) for path in change.files})
        return {
            "area": float(inside > 0),
            "area_share": inside / len(change.files) if change.files else 0.0,
            "area_rank": math.log1p(newer) if inside else 0.0,
            "parent": float(beside),
        }

    def _service(self, change: Change, exposure: Exposure) -> dict[str, float]:
        question = self._question
        services = exposure.services or frozenset(change.services)
        own = max((question.hurt.get(service, 0.0) for service in services), default=0.0)
        near = [question.steps[service] for service in services if service in question.steps]
        row = {
            "service": own,
            "neighbour": float(bool(near) and own < 0.2),
            "distance": float(min(near)) if near and own < 0.2 else 0.0,
            "other": float(bool(services) and not near and own < 0.05),
            "deployed": float(exposure.way is Way.DEPLOYED and own >= 0.2),
            "shared": float(exposure.way is Way.CARRIED and not change.services),
        }
        if services:
            return row
        row |= _unplaced(change, question)
        return row | {"unplaced": 1.0} if exposure.way is Way.ELSEWHERE and not (row["path"] or row["named"]) else row


def _unplaced(change: Change, question: SuspectQuestion) -> dict[str, float]:
    """
    Of a change that names no service, where it is by its files and its title.
    """
    files = change.files[:50]
    path = max(
        (chance * nearness(file, place) for place, chance in question.places.items() for file in files), default=0.0
    )
    given = [frozenset(tokens(text)) for text in (change.title, *files)]
    named = (chance for name, chance in question.names.items() if any(name <= words for words in given))
    row = {"path": path, "named": max(named, default=0.0)}
    return {**row, "unplaced": float(bool(question.places or question.names) and not any(row.values()))}


_SHORT = {
    "production": "prod",
    "prd": "prod",
    "live": "prod",
    "stage": "staging",
    "stg": "staging",
    "development": "dev",
}


def _same_environment(left: str, right: str) -> bool:
    return _SHORT.get(left.lower(), left.lower()) == _SHORT.get(right.lower(), right.lower())
