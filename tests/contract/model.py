"""
What any store must answer, in the plainest way: keep every deed, and for a question replay those known by then.

A question "as known at K" is answered by starting from nothing and doing, in the order of known time, all that was
known at K. So the model has no versions, no spans of known time and no order of arrival to get wrong. It holds what a
store must agree with: which statements are seen, with their valid time and their evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from graph.contract import Yield, kind_of
from graph.values import UNPLACED, Change, Fact, Item, Labels, Record, Span, Trust, View


@dataclass(frozen=True)
class Deed:
    """
    Something that became known at a time: a record with its yield, a sweep, a retraction.
    """

    at: datetime
    record: Record | None = None
    given: Yield | None = None
    sweep: tuple[str, frozenset[str]] | None = None
    retract: str | None = None


@dataclass
class Claim:
    """
    A source's standing claim: what it says, since when it holds, whose records say it.
    """

    source: str
    key: tuple[str, ...]
    item: Item
    trust: Trust
    labels: Labels
    evidence: str
    start: datetime | None
    sayers: dict[str, str] = field(default_factory=dict)
    """By a snapshot's part: the record."""
    said: set[str] = field(default_factory=set)
    ended: datetime | None = None
    snapshot: bool = True


@dataclass(frozen=True)
class Answer:
    """
    One statement as a store must show it; which of the records that say it is the evidence is the store's choice.
    """

    source: str
    item: Item
    trust: Trust
    labels: Labels


class Model:
    """
    Deeds in the order of arrival.
    """

    def __init__(self) -> None:
        self._deeds: list[Deed] = []

    def do(self, deed: Deed) -> None:
        """
        Remember a deed.
        """
        self._deeds.append(deed)

    def facts(self, view: View) -> dict[Answer, set[str]]:
        """
        The facts that hold as of the view, with the records that said them.
        """
        return {
            one: said
            for one, said in self._seen(view)
            if isinstance(one.item, Fact) and one.item.valid.holds(view.as_of)
        }

    def changes(self, view: View, services: Sequence[str], start: datetime, end: datetime) -> dict[Answer, set[str]]:
        """
        The changes on any of the services with `start <= at < end`.
        """
        return {
            one: said
            for one, said in self._seen(view)
            if isinstance(one.item, Change)
            and start <= one.item.at < end
            and not set(services).isdisjoint(one.item.services or (UNPLACED,))
        }

    def _seen(self, view: View) -> Iterable[tuple[Answer, set[str]]]:
        for claim in _replay(sorted((deed for deed in self._deeds if deed.at <= view.known_at), key=lambda d: d.at)):
            if claim.labels <= view.visibility:
                yield Answer(claim.source, _timed(claim), claim.trust, claim.labels), claim.said


def _timed(claim: Claim) -> Item:
    if not isinstance(claim.item, Fact):
        return claim.item
    return replace(claim.item, valid=Span(claim.start, claim.ended or claim.item.valid.end))


def _key(item: Item) -> tuple[str, ...]:
    if isinstance(item, Fact):
        return ("fact", item.kind, item.subject, item.object, str(item.valid.start))
    return (kind_of(item), item.id)


def _rank(record: Record, arrival: int) -> tuple[datetime, str, int]:
    return (record.occurred_at or record.known_at, record.digest if record.occurred_at else "", arrival)


def _replay(deeds: Sequence[Deed]) -> list[Claim]:
    world = _World()
    for deed in deeds:
        if deed.record is not None and deed.given is not None:
            world.state(deed.record, deed.given)
        elif deed.sweep is not None:
            world.sweep(*deed.sweep, deed.at)
        elif deed.retract is not None:
            world.retract(deed.retract)
    return world.standing + world.ended


class _World:
    def __init__(self) -> None:
        self.standing: list[Claim] = []
        self.ended: list[Claim] = []
        self._records: dict[str, Record] = {}
        self._events: dict[str, Yield] = {}
        self._swept: set[str] = set()
        self._retracted: set[str] = set()

    def state(self, record: Record, given: Yield) -> None:
        looked = {(one.source, one.part) for one in self._records.values() if one.id not in self._retracted}
        first = record.source not in self._swept and (record.source, record.part) not in looked
        self._records[record.id] = record
        if not given.snapshot:
            self._events[record.id] = given
            self._count()
            return
        kept = [self._say(record, given, item, first) for item in given.items]
        gone = [
            one
            for one in self.standing
            if one.source == record.source and record.part in one.sayers and one not in kept
        ]
        for claim in gone:
            del claim.sayers[record.part]
        self._drop(gone, record.known_at)

    def _count(self) -> None:
        """
        Of each thing that events state, what the last of them says: the last to occur, else to become known.
        """
        order = list(self._records)
        last: dict[tuple[str, tuple[str, ...]], Claim] = {}
        for name in sorted(self._events, key=lambda one: _rank(self._records[one], order.index(one))):
            record, given = self._records[name], self._events[name]
            for item in given.items:
                claim = Claim(
                    record.source, _key(item), item, given.trust, record.visibility, name, None, snapshot=False
                )
                claim.start = item.valid.start if isinstance(item, Fact) else None
                same = [
                    one.id
                    for one in (self._records[each] for each in self._events)
                    if item in self._events[one.id].items
                    and (one.source, one.visibility) == (record.source, record.visibility)
                    and self._events[one.id].trust == given.trust
                ]
                claim.said.update(same)
                last[record.source, claim.key] = claim
        for claim in last.values():
            claim.item = self._begun(claim)
        self.standing = [one for one in self.standing if one.snapshot] + list(last.values())

    def _begun(self, claim: Claim) -> Item:
        """
        A change that tells only its end began with the first begin that others tell of the time that ended then.
        """
        item = claim.item
        if not isinstance(item, Change) or item.at != item.ended_at:
            return item
        marks = list[tuple[datetime, bool]]()
        for name, given in self._events.items():
            record = self._records[name]
            if record.source == claim.source and record.visibility <= claim.labels:
                for one in given.items:
                    if isinstance(one, Change) and one.id == item.id:
                        marks += [(one.ended_at, False)] if one.ended_at else []
                        marks += [(one.at, True)] if one.at != one.ended_at else []
        since, running = item.at, False
        for moment, begins in sorted(marks):
            if moment < item.at and begins and not running:
                since = moment
            running = begins
        return replace(item, at=since)

    def _say(self, record: Record, given: Yield, item: Item, first: bool) -> Claim:
        key = _key(item)
        rivals = [one for one in self.standing if one.source == record.source and one.key == key]
        for claim in rivals:
            if (claim.item, claim.trust, claim.labels) == (item, given.trust, record.visibility):
                claim.sayers[record.part] = record.id
                claim.said.add(record.id)
                return claim
        start = item.valid.start if isinstance(item, Fact) else None
        if isinstance(item, Fact) and start is None:
            over = item.valid.end is not None and item.valid.end <= record.known_at
            start = rivals[0].start if rivals else None if first or over else record.known_at
        sayers = {record.part: record.id}
        claim = Claim(record.source, key, item, given.trust, record.visibility, record.id, start, sayers, {record.id})
        self.standing.append(claim)
        return claim

    def sweep(self, source: str, seen: frozenset[str], at: datetime) -> None:
        self._swept.add(source)
        gone = [one for one in self.standing if one.source == source]
        for claim in gone:
            claim.sayers = {part: by for part, by in claim.sayers.items() if part in seen}
        self._drop(gone, at)

    def _drop(self, claims: Sequence[Claim], at: datetime) -> None:
        silent = [one for one in claims if not one.sayers]
        self.standing = [one for one in self.standing if one not in silent]
        for claim in silent:
            restated = any((one.source, one.key) == (claim.source, claim.key) for one in self.standing)
            open_ended = isinstance(claim.item, Fact) and claim.item.valid.end is None
            if open_ended and not restated and (claim.start is None or claim.start < at):
                self.ended.append(replace(claim, ended=at))

    def retract(self, record: str) -> None:
        self._retracted.add(record)
        if self._events.pop(record, None):
            self._count()
            return
        self.ended = [one for one in self.ended if one.evidence != record]
        for claim in [one for one in self.standing if one.snapshot]:
            evidence = self._records[claim.evidence]
            for part, by in list(claim.sayers.items()):
                if by == record:
                    del claim.sayers[part]
                    if evidence.id not in self._retracted and evidence.part == part:
                        claim.sayers[part] = evidence.id
            if not claim.sayers:
                self.standing.remove(claim)
            elif claim.evidence == record:
                claim.evidence = min(
                    claim.sayers.values(), key=lambda one: (self._records[one].known_at, list(self._records).index(one))
                )
