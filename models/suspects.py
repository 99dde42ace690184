"""
What changed: the changes that may be behind an alert, ranked by exposure and evidence, with "none of these" among them.

A conditional logit (McFadden 1974) over the candidate changes and "none". Each term has a name, and its weight stands
in one table; parameters that were learned on real organisations' reverts override the defaults. Nothing that happened
after the onset is a candidate.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from graph.contract import Store
from graph.values import UNPLACED, Change, ChangeKind, EntityId, Statement, View, entity_name
from models.contract import Candidate, Ranking, Term, doubted
from models.names import tokens
from models.parameters import Parameters
from models.paths import area_of, areas_of, harmless, nearness, parent

WINDOW = timedelta(days=7)
MOST = 200
"""Candidates that are looked at, newest first."""

WEIGHTS: Mapping[str, float] = {
    "lag": -0.62, "rank": -0.45, "path": 3.0, "named": 1.6, "unplaced": -1.5, "area": 2.6, "area_share": 1.0, "area_rank": -0.8, "parent": 0.6, "files": -0.12, "lines": 0.06,
    "automated": -0.7, "merge": -2.0, "harmless": -1.6, "service": 3.4, "neighbour": 1.5, "distance": -0.7, "other": -2.2,
    "environment": -3.0, "region": -4.0, "overlap": 1.3, "mechanism": 1.1, "taken_back": -1.2, "upgrade": 0.25, "failed": 0.3,
    "deploy": 0.5, "scaling": -0.6,
}  # fmt: skip
EXPLAINED = 10
"""Candidates whose terms are put into words."""
NONE = 1.1
AREA_NONE = -4.0
"""Where somebody takes a change back, there is one."""
NONE_WITH_SIGN = 1.6
"""Added to "none" for each sign of a cause that is no change."""

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

SIGNS: Mapping[str, str] = {
    "certificate": r"certificate has expired|expired certificate|notafter|x509: certificate",
    "provider": r"provider (?:outage|incident|degrad)|status page|third.?party|upstream provider|servfail|resolver|availability zone",
    "traffic": r"traffic (?:spike|surge)|requests? (?:per second )?(?:spike|surge|doubled|tripled)|rate limit exceeded|times (?:the )?(?:usual|normal)",
    "hardware": r"hardware|disk failure|i/o error|node not ?ready|memory fault|ecc",
    "data": r"poison|malformed (?:record|message|event)|corrupt|bad record|same (?:offset|record|message) (?:again|retr)",
}  # fmt: skip
_SIGNS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in SIGNS.items()}
_UPGRADE = re.compile(r"\b(?:upgrade|bump|update|migrate|switch|enable|move|replace|attempt|try)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """
    What a caller saw beside the alert, where it saw anything.
    """

    patterns: tuple[tuple[str, str, float], ...] = ()
    """(service, log pattern, growth against the baseline)."""
    failing: tuple[str, ...] = ()
    """Services with errors, the first to fail first."""
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """
        All of it in words.
        """
        return "\n".join([*(pattern for _, pattern, _ in self.patterns), *self.notes])


@dataclass(frozen=True, slots=True, kw_only=True)
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
    signals: Signals = Signals()
    window: timedelta = WINDOW


class Suspects:
    """
    Ranks from a store; `parameters` may hold `weights`, `none`, `temperature`.
    """

    def __init__(self, store: Store, parameters: Parameters | None = None) -> None:
        self._store = store
        self._weights = {**WEIGHTS, **(parameters.numbers("weights") if parameters else {})}
        self._levels = levels(parameters)

    def rank(self, question: SuspectQuestion, view: View) -> Ranking:
        """
        Candidates before the onset within the window, best first.
        """
        return rank(self._candidates(question, view), question, self._weights, self._levels)

    def _candidates(self, question: SuspectQuestion, view: View) -> tuple[Statement[Change], ...]:
        start = question.at - question.window
        services = None
        if question.services and not (question.areas or question.everywhere):
            services = {*question.services, *question.neighbours, UNPLACED}
        return self._store.changes(view, services=services, start=start, end=question.at, limit=MOST)


def levels(parameters: Parameters | None) -> tuple[float, float]:
    """
    The level of "none" for alerts, and for a known area.
    """
    return (
        (parameters.number("none", NONE), parameters.number("area_none", AREA_NONE))
        if parameters
        else (NONE, AREA_NONE)
    )


def rank(
    found: Sequence[Statement[Change]],
    question: SuspectQuestion,
    weights: Mapping[str, float] = WEIGHTS,
    none: tuple[float, float] = (NONE, AREA_NONE),
) -> Ranking:
    """
    Rank given changes. The same as `Suspects.rank`, for callers that have the changes at hand.
    """
    changes = [one for one in found if one.item.at <= question.at]
    rows = terms_of([one.item for one in changes], question)
    scores = [sum(value * weights.get(name, 0.0) for name, value in row.items()) for row in rows]
    hypotheses = _hypotheses(question)
    # "none" competes with the candidates together: more of them don't make it less likely by themselves
    base = none[bool(question.areas)] + math.log(1 + len(changes)) * 0.35 + NONE_WITH_SIGN * min(2, len(hypotheses))
    top = max([*scores, base])
    total = sum(math.exp(score - top) for score in scores) + math.exp(base - top)
    order = sorted(range(len(changes)), key=lambda place: (-scores[place], -changes[place].item.at.timestamp()))
    candidates = tuple(
        Candidate(
            id=changes[place].item.id,
            probability=doubted(math.exp(scores[place] - top) / total),
            terms=_explained(rows[place], weights, changes[place].item, question) if rank < EXPLAINED else (),
            evidence=(changes[place].record,),
            statement=changes[place].seq,
        )
        for rank, place in enumerate(order[:100])
    )
    none_p = doubted(math.exp(base - top) / total, none=True)
    best = candidates[0].probability if candidates else 0.0
    gaps = () if question.signals.text else ("no logs, traces or metrics were given with the alert",)
    return Ranking(
        candidates=candidates, none_probability=none_p, abstained=none_p >= best, gaps=gaps, hypotheses=hypotheses
    )


def terms_of(changes: Sequence[Change], question: SuspectQuestion) -> list[dict[str, float]]:
    """
    The values of the terms of each change.
    """
    areas = set(question.areas)
    touching = [change for change in changes if areas & areas_of(change.files)] if areas else []
    newer = sorted(change.at for change in changes)
    newer_there = sorted(change.at for change in touching)
    reverted = {change.reverts for change in changes if change.reverts}
    symptom = f"{question.text}\n{question.signals.text}"
    words = {word for word in tokens(symptom) if len(word) > 2}
    readings = [_reading(change) for change in changes]
    having = Counter(word for reading in readings for word in reading.words & words)
    rarity = {word: math.log((len(changes) + 1) / (having[word] + 0.5)) for word in words}
    kinds = [name for name, pattern in _MECHANISMS.items() if pattern.search(symptom)]
    rows = []
    for change, reading in zip(changes, readings, strict=True):
        row = {
            **reading.terms,
            "lag": math.log1p(max(0.0, (question.at - change.at).total_seconds() / 3600) * 4),
            "rank": math.log1p(len(newer) - bisect_right(newer, change.at)),
            "taken_back": float(change.id in reverted or change.revision in reverted),
        }
        row |= _where(change, question, areas, len(newer_there) - bisect_right(newer_there, change.at))
        if symptom.strip():
            row["overlap"] = math.log1p(max(0.0, sum(rarity[word] for word in reading.words & words)) / 3)
            row["mechanism"] = math.log1p(sum(reading.speaks_of(name) for name in kinds))
        rows.append(row)
    return rows


class _Reading:
    """
    What a change says by itself, whatever is asked: the values of its own terms, its words, and what it touches.
    """

    __slots__ = ("_met", "_text", "terms", "words")

    def __init__(self, change: Change) -> None:
        self.terms = _own_terms(change)
        self.words = frozenset(_words(change))
        self._text = f"{change.title}\n{change.text}\n{' '.join(change.files)}"
        self._met: dict[str, bool] = {}

    def speaks_of(self, mechanism: str) -> bool:
        """
        Whether its texts name a mechanism.
        """
        met = self._met.get(mechanism)
        if met is None:
            met = self._met[mechanism] = bool(_MECHANISMS[mechanism].search(self._text))
        return met


_READ: WeakKeyDictionary[Change, _Reading] = WeakKeyDictionary()
"""Alerts of one hour are asked about the same changes. What was read of a change goes with it, erased texts too."""


def _reading(change: Change) -> _Reading:
    found = _READ.get(change)
    if found is None:
        found = _READ[change] = _Reading(change)
    return found


def _own_terms(change: Change) -> dict[str, float]:
    lines = sum(float(change.attributes.get(name, 0) or 0) for name in ("added", "deleted"))
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
    }


def _where(change: Change, question: SuspectQuestion, areas: set[str], area_place: int) -> dict[str, float]:
    row: dict[str, float] = {}
    if areas:
        inside = sum(area_of(path) in areas for path in change.files)
        row["area"] = float(inside > 0)
        row["area_share"] = inside / len(change.files) if change.files else 0.0
        row["area_rank"] = math.log1p(area_place) if inside else 0.0
        row["parent"] = float(
            not inside and bool({parent(area) for area in areas} & {parent(area_of(path)) for path in change.files})
        )
    if question.services:
        own = max((question.services.get(service, 0.0) for service in change.services), default=0.0)
        near = [question.neighbours[service] for service in change.services if service in question.neighbours]
        row["service"] = own
        row["neighbour"] = float(bool(near) and own < 0.2)
        row["distance"] = float(min(near)) if near and own < 0.2 else 0.0
        row["other"] = float(bool(change.services) and not near and own < 0.05)
        if not change.services:
            row |= _unplaced(change, question)
    if question.environment and change.environment and not _same_environment(question.environment, change.environment):
        row["environment"] = 1.0
    if question.region and change.region and question.region.lower() != change.region.lower():
        row["region"] = 1.0
    return row


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


def _words(change: Change) -> tuple[str, ...]:
    return tokens(
        " ".join([change.title, change.text[:4000], *change.files, *(entity_name(one) for one in change.services)])
    )


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


def _hypotheses(question: SuspectQuestion) -> tuple[Term, ...]:
    text = f"{question.text}\n{question.signals.text}"
    found = [(name, mark[0]) for name, pattern in _SIGNS.items() if (mark := pattern.search(text))]
    return tuple(
        Term(name=name, value=1.0, weight=NONE_WITH_SIGN, says=f"the alert or signals say {mark!r}")
        for name, mark in found
    )


def _explained(
    row: Mapping[str, float], weights: Mapping[str, float], change: Change, question: SuspectQuestion
) -> tuple[Term, ...]:
    hours = (question.at - change.at).total_seconds() / 3600
    ago = f"{hours * 60:.0f} min" if hours < 2 else f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"
    names = ", ".join(entity_name(one) for one in change.services)
    says = {
        "lag": f"{ago} before the onset",
        "service": f"on {names}, which the alert is about",
        "neighbour": f"on {names}, which the alerting service depends on",
        "path": "it touches files of the service that the alert is about",
        "unplaced": "neither its files nor its title are about the service",
        "named": "its title or files name the service that the alert is about",
        "area": f"touches {', '.join(question.areas)}",
        "area_share": "most of its files lie in the hurt area",
        "overlap": "its words are those of the symptom",
        "mechanism": "it touches what the symptom speaks of",
        "environment": f"in {change.environment}, not {question.environment}",
        "region": f"in {change.region}, not {question.region}",
        "taken_back": "it was taken back before the onset",
        "harmless": "only documents, tests or style",
        "automated": "made by a bot",
    }
    terms = [
        Term(name=name, value=value, weight=weight, says=says.get(name, name))
        for name, value in row.items()
        if abs(weight := value * weights.get(name, 0.0)) > 0.05
    ]
    return tuple(sorted(terms, key=lambda term: -abs(term.weight)))
