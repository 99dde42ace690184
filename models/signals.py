"""
What a caller saw beside the alert: log patterns, calls between services, metrics that moved, other alerts, notes. All
of it is optional; it is kept with an answer alone, for a replay.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from graph.values import EntityId

EARLIEST = timedelta(hours=6)
"""What began longer than this before the alert is not its onset."""
_TRAFFIC = re.compile(
    r"(?:^|[_.\s])(?:requests?|queries|rps|qps|throughput|traffic|hits|calls|messages|records|events)"
    r"(?:[_.\s]|$)|per_(?:sec|second|min|minute)",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    r"error|fail|latenc|duration|timeout|5xx|4xx|\d{3}|ratio|wait|p9\d|exhaust|dropped|lag|backlog|depth|age\b|queue|miss",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """
    Calls from one service to another, as traces show them; `caller` may be empty for what nobody calls.
    """

    caller: str = ""
    callee: str
    failed: int = 0
    text: str = ""
    """The operation and the error, as spans say it."""
    since: datetime | None = None
    """Since when the calls fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """
    A metric that moved: its usual value and the one at the alert.
    """

    service: str
    metric: str
    before: float
    after: float
    since: datetime | None = None

    @property
    def traffic(self) -> bool:
        """
        Whether it counts what is asked of a service, and not how that goes.
        """
        return bool(_TRAFFIC.search(self.metric)) and not _TROUBLE.search(self.metric)

    @property
    def growth(self) -> float:
        """
        How many times the usual value; infinite from nothing.
        """
        return self.after / self.before if self.before > 0 else math.inf if self.after > 0 else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """
    Another alert that fires.
    """

    name: str
    service: str = ""
    at: datetime | None = None


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
    edges: tuple[Edge, ...] = ()
    metrics: tuple[Delta, ...] = ()
    alerts: tuple[Firing, ...] = ()
    began: datetime | None = None
    """When it began to go wrong, where the caller says so itself."""

    def __bool__(self) -> bool:
        return any((self.patterns, self.failing, self.notes, self.edges, self.metrics, self.alerts))

    @property
    def text(self) -> str:
        """
        All of it in words.
        """
        return "\n".join(self._texts())

    def _texts(self) -> Iterator[str]:
        yield from (pattern for _, pattern, _ in self.patterns)
        yield from (edge.text for edge in self.edges if edge.text)
        yield from (delta.metric for delta in self.metrics if not delta.traffic)
        yield from (f"{one.name} fires too" for one in self.alerts)
        yield from self.notes

    def onset(self, at: datetime) -> datetime:
        """
        When it began to go wrong, at the latest when the alert fired: as the caller says, else the first failure.
        """
        if self.began is not None:
            return min(self.began, at)
        times = [edge.since for edge in self.edges if edge.failed]
        times += [delta.since for delta in self.metrics if not delta.traffic]
        times += [one.at for one in self.alerts]
        return min((time for time in times if time and at - EARLIEST <= time <= at), default=at)

    def first(self) -> tuple[str, ...]:
        """
        The services that fail, the likely origin first: what the caller says, else those that fail by themselves (what
        they call does not, and their errors name no other that fails), in order of time.
        """
        if self.failing:
            return self.failing
        since = self._since()
        own: Counter[str] = Counter()
        for edge in self.edges:
            own[edge.callee] += edge.failed
            own[edge.caller] -= edge.failed
        grown: Counter[str] = Counter()
        for service, _, growth in self.patterns:
            grown[service] += int(growth)
        names = {edge.callee for edge in self.edges if edge.failed} | set(since) | set(grown)
        calling = {edge.caller for edge in self.edges if edge.failed and own[edge.caller] <= 0}
        suffering = self._suffering(names) | calling

        def order(name: str) -> tuple[bool, bool, float, int, str]:
            return name in suffering, own[name] <= 0, since.get(name, math.inf), -grown[name], name

        return tuple(sorted(names - {""}, key=order))

    def _since(self) -> dict[str, float]:
        """
        Since when each service fails, by its metrics, else by the calls to it.
        """
        found: dict[str, float] = {}
        for delta in self.metrics:
            if delta.since and not delta.traffic:
                found[delta.service] = min(delta.since.timestamp(), found.get(delta.service, math.inf))
        calls: dict[str, float] = {}
        for edge in self.edges:
            if edge.failed and edge.since:
                calls[edge.callee] = min(edge.since.timestamp(), calls.get(edge.callee, math.inf))
        return {**calls, **found}

    def _suffering(self, names: Collection[str]) -> frozenset[str]:
        """
        Services that name another failing one in their own errors: they suffer from it.
        """
        told = [(service, text) for service, text, _ in self.patterns]
        told += [(edge.callee, edge.text) for edge in self.edges if edge.failed]
        told += [(delta.service, delta.metric) for delta in self.metrics]
        return frozenset(
            service
            for service, text in told
            for other in names
            if other and other != service and other not in service and _names(other, text)
        )

    def together(self, within: timedelta = timedelta(minutes=1)) -> tuple[str, ...]:
        """
        Services that began to fail at the same time although neither calls the other, as far as the calls show.
        """
        since = self._since()
        first = min(since.values(), default=0.0)
        names = sorted(name for name, time in since.items() if time - first <= within.total_seconds())
        linked = {frozenset((edge.caller, edge.callee)) for edge in self.edges if edge.caller}
        apart = [
            name for name in names if not any(frozenset((name, other)) in linked for other in names if other != name)
        ]
        return tuple(apart)


def entity(name: str) -> EntityId:
    """
    The id of a service that a signal names.
    """
    return f"service:{name}".lower() if ":" not in name else name.lower()


def _names(name: str, text: str) -> bool:
    """
    Whether a text names a service, as a whole word.
    """
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", text, re.IGNORECASE))


NO_SIGNALS = Signals()
