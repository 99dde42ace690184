"""
Short words for the suite: days, records, facts, changes, views.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from graph.contract import Applied, Store, Tally, Yield
from graph.values import (
    PUBLIC,
    Change,
    ChangeKind,
    Fact,
    FactKind,
    Item,
    Labels,
    Record,
    RecordState,
    Span,
    Trust,
    View,
)

_START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    """
    The moment so many days into the tests' time.
    """
    return _START + timedelta(days=number)


def record(
    name: str,
    at: float = 0,
    *,
    source: str = "catalog",
    part: str = "a.yaml",
    labels: Labels = PUBLIC,
    occurred: float | None = None,
) -> Record:
    """
    A record received on that day, of an event that occurred on another.
    """
    return Record(
        id=name,
        source=source,
        connector="test",
        part=part,
        body=f"body of {name}",
        digest=name,
        received_at=day(at),
        occurred_at=None if occurred is None else day(occurred),
        visibility=labels,
    )


def tallied(records: Sequence[Record]) -> tuple[Tally, ...]:
    """
    The tallies of all records that there are, by looking at each.
    """
    found = []
    for source in sorted({one.source for one in records}):
        own = [one for one in records if one.source == source]
        states = Counter(one.state for one in own)
        applied = [one.received_at for one in own if one.state is RecordState.APPLIED]
        found.append(
            Tally(
                source=source,
                connector=max(one.connector for one in own),
                states=dict(states),
                last_received=max(one.received_at for one in own),
                last_known=max(one.known_at for one in own),
                last_applied=max(applied, default=None),
            )
        )
    return tuple(found)


def owned(service: str, team: str, *, start: float | None = None, end: float | None = None, **attributes: str) -> Fact:
    """
    A service is owned by a team.
    """
    return fact(FactKind.OWNED_BY, f"service:{service}", f"team:{team}", start=start, end=end, **attributes)


def fact(
    kind: FactKind,
    subject: str,
    to: str = "",
    *,
    start: float | None = None,
    end: float | None = None,
    **attributes: str,
) -> Fact:
    """
    A fact that holds between two days.
    """
    valid = Span(None if start is None else day(start), None if end is None else day(end))
    return Fact(kind=kind, subject=subject, object=to, valid=valid, attributes=attributes)


def deploy(
    name: str, at: float, *services: str, title: str = "", revision: str | None = None, end: float | None = None
) -> Change:
    """
    A deploy that began on that day, and may have ended on another.
    """
    return Change(
        id=name,
        kind=ChangeKind.DEPLOY,
        at=day(at),
        ended_at=None if end is None else day(end),
        title=title,
        services=tuple(f"service:{service}" for service in services),
        revision=revision,
    )


def view(at: float, known: float | None = None, *, labels: Labels = PUBLIC, hidden: Sequence[str] = ()) -> View:
    """
    The world as of a day, as known then or on another.
    """
    return View(
        as_of=day(at), known_at=day(at if known is None else known), visibility=labels, hidden=frozenset(hidden)
    )


def state(store: Store, given: Record, *items: Item, snapshot: bool = False, trust: Trust = Trust.DECLARED) -> Applied:
    """
    Append a record and apply what it yielded.
    """
    store.append([given])
    return store.apply([Yield(record=given.id, items=items, trust=trust, snapshot=snapshot)])


def owners(store: Store, seen: View) -> list[str]:
    """
    The objects of all OWNED_BY facts that the view sees, sorted.
    """
    return sorted(one.item.object.removeprefix("team:") for one in store.facts(seen, kinds=(FactKind.OWNED_BY,)))
