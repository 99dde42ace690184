"""
What is replayed: past incidents as the alerts that fired, and changes that were taken back, each with what is known
today of its culprit, and the records that a replay of it must not see.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from graph.contract import Store
from graph.values import Alert, Change, EntityId, Incident, ItemKind, Statement, View, entity_name
from models.culprits import SLACK, Culprit, Weighed, culprits, is_telling, unfound
from models.traces import Trace, Traces, trace_of

FEED = 5000
SURE = 0.5
"""A weak label of less confidence is shown and not scored."""
EARLY = timedelta(minutes=30)
"""An alert may fire so long before its incident is said to begin."""
LATE = timedelta(hours=6)
"""And so long after, where the incident does not say when it ended."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    One replay. `truth`: `named` or `weak` (its culprits), `none` (no change was the cause), `reverted` (no incident is
    known, but a change was taken back), or `unlabelled`. `asked`: by the `alert` that fired, by the `document`'s alert
    and services, by its `title`, or by the place of the `revert`.
    """

    id: str
    title: str
    at: datetime
    truth: str
    asked: str
    alert: Alert | None = None
    revert: Trace | None = None
    hidden: frozenset[str] = frozenset()
    services: tuple[EntityId, ...] = ()
    environment: str | None = None
    culprits: tuple[Culprit, ...] = ()
    unfound: tuple[str, ...] = ()
    """What its document names as cause and no change is known by."""
    cause_kind: str | None = None

    @property
    def answers(self) -> frozenset[str]:
        """
        All ids that are right.
        """
        return frozenset().union(*(one.answers for one in self.culprits)) if self.culprits else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """
    All that a backtest reads before it begins.
    """

    traces: Traces
    incidents: tuple[Statement[Incident], ...]
    culprits: tuple[Culprit, ...]
    weighed: tuple[Weighed, ...]
    alerts: Mapping[str, Sequence[Alert]] = field(default_factory=dict)
    records: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Of each incident, the records that state it."""


def history(store: Store, view: View, progress: Progress) -> History:
    """
    Everything that a reader sees today of changes, incidents and alerts, lightly.
    """
    incidents = store.incidents(view)
    ids = frozenset(one.item.id.lower() for one in incidents if is_telling(one.item.id))
    traces = Traces.of(_traces(store, view, ids, progress))
    records: dict[str, set[str]] = defaultdict(set)
    for event in _feed(store, ItemKind.INCIDENT):
        if isinstance(event.item, Incident):
            records[event.item.id].add(event.record)
    names = {name for one in incidents for name in one.item.alerts}
    alerts: dict[str, list[Alert]] = defaultdict(list)
    for one in store.alerts(view, names=names, limit=1_000_000) if names else ():
        alerts[one.item.name].append(one.item)
    found, weighed = culprits(incidents, traces)
    return History(
        traces=traces,
        incidents=incidents,
        culprits=found,
        weighed=weighed,
        alerts={name: sorted(group, key=_fired) for name, group in alerts.items()},
        records={name: frozenset(group) for name, group in records.items()},
    )


def _fired(alert: Alert) -> datetime:
    return alert.at


def _feed(store: Store, kind: ItemKind, progress: Progress | None = None) -> Iterator[Statement[Change | Incident]]:
    """
    All statements of a kind that were ever opened, each once, as they stand now.
    """
    at, end, seen = 0, store.watermark(), set[int]()
    while events := store.changes_since(at, FEED, (kind,)):
        for event in events:
            one = event.statement
            if one is not None and one.seq not in seen and isinstance(one.item, Change | Incident):
                seen.add(one.seq)
                yield one  # type: ignore[misc]  # the item was tested
        at = events[-1].seq
        if progress:
            progress("reading changes", min(at, end), end)


def _traces(store: Store, view: View, ids: frozenset[str], progress: Progress) -> Iterator[Trace]:
    latest: dict[tuple[str, str], Trace] = {}
    for one in _feed(store, ItemKind.CHANGE, progress):
        if isinstance(one.item, Change) and view.sees(one):
            latest[one.source, one.item.id] = trace_of(one, ids)  # type: ignore[arg-type]  # the item was tested
    return iter(latest.values())


def cases(known: History) -> list[Case]:
    """
    All cases in order of time; incidents without a time are none.
    """
    by_incident: dict[str, list[Culprit]] = defaultdict(list)
    for one in known.culprits:
        if one.incident:
            by_incident[one.incident].append(one)
    found = [
        _of_incident(one, by_incident.get(one.item.id, []), known) for one in known.incidents if one.item.at is not None
    ]
    found += [_of_revert(one) for one in known.culprits if one.undone_by]
    return sorted(found, key=lambda one: (one.at, one.id))


def _of_incident(statement: Statement[Incident], blamed: Sequence[Culprit], known: History) -> Case:
    incident = statement.item
    onset = incident.at
    assert onset is not None  # noqa: S101 - the caller left out those without
    fired = _occurrence(incident, onset, known.alerts)
    alert, asked = (fired, "alert") if fired else _told(incident, onset)
    named = tuple(one for one in blamed if one.named)
    weak = tuple(one for one in blamed if not one.named and one.confidence >= SURE)
    lacking = unfound(incident, known.traces)
    if named or lacking:
        truth = "named"
    elif incident.cause_kind and incident.cause_kind not in ("change", "unknown"):
        truth = "none"
    else:
        truth = "weak" if weak else "unlabelled"
    return Case(
        id=incident.id,
        title=incident.title,
        at=alert.at,
        truth=truth,
        asked=asked,
        alert=alert,
        hidden=known.records.get(incident.id, frozenset({statement.record})) | _telling(incident, onset, known.traces),
        services=incident.services,
        environment=incident.environment,
        culprits=named or (weak if truth == "weak" else ()),
        unfound=lacking,
        cause_kind=incident.cause_kind,
    )


def _telling(incident: Incident, onset: datetime, traces: Traces) -> frozenset[str]:
    """
    Of an incident of which only the day is known, the changes of that day that tell of it: its document came with one.
    """
    if not incident.day_only:
        return frozenset()
    day = traces.between(onset - timedelta(days=1), onset)
    return frozenset(one.record for one in day if incident.id.lower() in one.tells_of)


def _occurrence(incident: Incident, onset: datetime, alerts: Mapping[str, Sequence[Alert]]) -> Alert | None:
    """
    The first of the incident's alerts that fired about when it began; of several at once the one of a hurt service.
    """
    first, last = onset - EARLY, max(incident.resolved_at or onset + LATE, onset)
    if incident.day_only:
        first = onset - timedelta(days=1)
    found: list[Alert] = []
    for name in incident.alerts:
        group = alerts.get(name, ())
        found += group[bisect_left(group, first, key=_fired) : bisect_left(group, last, key=_fired)]
    hurt = {entity_name(one) for one in incident.services}
    if not found:
        return None
    best = min(found, key=lambda one: (hurt.isdisjoint(value.lower() for value in one.labels.values()), one.at, one.id))
    # an occurrence that ended says so; while it fired, nobody knew
    return replace(best, status="firing", ended_at=None)


def _told(incident: Incident, onset: datetime) -> tuple[Alert, str]:
    """
    Where no occurrence is kept: the alert that the document names, or its title, on the service that it says was hurt.
    """
    labels = {"service": entity_name(incident.services[0])} if len(incident.services) == 1 else {}
    annotations = (
        {} if labels or not incident.services else {"services": ", ".join(map(entity_name, incident.services))}
    )
    name = incident.alerts[0] if incident.alerts else incident.title
    alert = Alert(id=incident.id, name=name[:500], at=onset, labels=labels, annotations=annotations)
    return alert, "document" if incident.alerts else "title"


def _of_revert(one: Culprit) -> Case:
    undo = one.undone_by
    assert undo is not None  # noqa: S101 - the caller asked for it
    return Case(
        id=undo.id, title=undo.title, at=undo.at, truth="reverted", asked="revert", revert=undo,
        hidden=frozenset({undo.record}), services=undo.services, environment=undo.environment, culprits=(one,),
    )  # fmt: skip


def early(incidents: Iterable[Statement[Incident]]) -> list[Statement[Incident]]:
    """
    Documents that claim to have been known before what they tell of began: their time of publication is wrong.
    """
    return [
        one
        for one in incidents
        if one.item.at and one.known.start and not one.item.day_only and one.known.start < one.item.at - SLACK
    ]
