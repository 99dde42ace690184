"""
Applying what records yielded, in the order of what was known when, whatever the order of arrival.

A *thing* is what one source's key names; its versions follow one another in known time. An event replaces the
thing's version from its own known time on, up to the next version or the next event that confirmed the one it falls
into. A part of a snapshot supports the versions that it states. What it no longer states loses its support, and a
version that nothing supports is closed; a fact without an end gets, beside that, a version that ended then, so that
the past still has it. A snapshot older than one that was applied of its part adds only closed versions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from graph.contract import Applied, Yield, kind_of
from graph.encoding import micros
from graph.errors import NotFound
from graph.sqlite.journal import json_text
from graph.sqlite.keys import BEGINNING, OPEN, Claim, claims
from graph.sqlite.rows import Rows, Value, Version, span
from graph.values import Fact, ItemKind, RecordState

_DONE = (RecordState.APPLIED.value, RecordState.RETRACTED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sighting:
    """
    One record being applied. `part` is empty for an event; `until` is when a later snapshot of the part was known.
    """

    source: int
    part: str
    record: int
    at: int
    trust: int
    visibility: int
    first: bool
    until: int | None


def part_name(part: str) -> str:
    """
    A snapshot's part among the supports, told apart from events.
    """
    return f"={part}"


class Stating:
    """
    The rules of `Store.apply` and `Store.sweep`.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def apply(self, yields: Sequence[Yield]) -> Applied:
        """
        State all; the caller commits.
        """
        total = Applied()
        for each in yields:
            total = _sum(total, self._apply(each))
        return total

    def sweep(self, source: str, seen: Collection[str], at: int) -> Applied:
        """
        Withdraw what the unseen parts stated; a whole snapshot has been read.
        """
        number, _ = self._rows.source(source)
        self._rows.run("source_swept", id=number)
        kept = json_text(sorted(part_name(part) for part in seen))
        gone = self._rows.run("unseen_supports", source=number, seen=kept)
        for statement, part in gone:
            self._rows.run("support_drop", statement=_int(statement), part=str(part))
        return Applied(closed=self._end((_int(statement) for statement, _ in gone), at))

    def _apply(self, given: Yield) -> Applied:
        found = self._rows.run("record_head", id=given.record)
        if not found:
            raise NotFound(given.record, "There is no such record in the store")
        record, source, part, at, visibility, state = found[0]
        if state in _DONE:
            return Applied()
        number, snapshots = self._rows.source(str(source))
        sighting = _Sighting(
            source=number,
            part=part_name(str(part)) if given.snapshot else "",
            record=_int(record),
            at=_int(at),
            trust=int(given.trust),
            visibility=_int(visibility),
            first=not snapshots and not self._rows.number("part_seen", source=source, part=part),
            until=self._later(str(source), str(part), _int(at)) if given.snapshot else None,
        )
        stated = claims(given.items, given.trust, sighting.visibility)
        total = self._snapshot(sighting, stated) if given.snapshot else self._event(sighting, stated)
        self._rows.run("record_settle", seq=sighting.record, state=RecordState.APPLIED.value, reason="")
        return total

    def _later(self, source: str, part: str, at: int) -> int | None:
        found = self._rows.run("part_next", source=source, part=part, at=at)[0][0]
        return None if found is None else _int(found)

    def _event(self, sighting: _Sighting, stated: Sequence[Claim]) -> Applied:
        total = Applied()
        for claim in stated:
            versions = self._rows.versions(sighting.source, claim.key)
            current = [version for version in versions if version.holds(sighting.at)]
            same = _like(claim, current)
            if same is not None:
                self._support(sighting, same.seq)
                total = _sum(total, Applied(unchanged=1))
                continue
            ends = [version.known_from for version in versions if version.known_from > sighting.at]
            ends += [end for version in current if (end := self._cut(version, sighting.at)) is not None]
            self._open(sighting, claim, current, min(ends, default=OPEN))
            total = _sum(total, Applied(stated=1, closed=len(current)))
        return total

    def _cut(self, version: Version, at: int, resumed: int | None = None) -> int | None:
        """
        End a version at `at`. Where it was confirmed later (or is `resumed`), it goes on from there: that time.
        """
        supports = [(str(part), _int(record), _int(known)) for part, record, known in self._supports(version.seq)]
        if resumed is None:
            resumed = min((known for _, _, known in supports if known > at), default=None)
        self._rows.close(version.seq, at)
        if resumed is None or resumed >= version.known_to:
            self._rows.run("supports_drop", statement=version.seq)
            return None
        later = [(part, record) for part, record, known in supports if known >= resumed]
        changed: dict[str, Value] = {"known_from": resumed, "known_to": version.known_to}
        if later:
            changed["record"] = later[0][1]
        copy = self._rows.copy(version.seq, **changed)
        source = _int(self._rows.get(copy)["source"])
        for part, record in later:
            self._rows.run("support_add", statement=copy, source=source, part=part, record=record)
        self._rows.run("supports_drop", statement=version.seq)
        return resumed

    def _snapshot(self, sighting: _Sighting, stated: Sequence[Claim]) -> Applied:
        if sighting.until is not None:
            return self._late(sighting, sighting.until, stated)
        held: set[int] = set()
        opened = 0
        for claim in stated:
            versions = self._rows.versions(sighting.source, claim.key)
            current = [version for version in versions if version.holds(sighting.at)]
            same = _like(claim, current)
            if same is None:
                opened += 1
                later = _like(claim, [each for each in versions if each.known_from > sighting.at and _open(each)])
                opening = self._open(sighting, claim, current, later.known_from if later else OPEN)
                held.add(later.seq if later else opening)
            else:
                held.add(same.seq)
        for seq in held:
            self._support(sighting, seq)
        gone = set(self._rows.numbers("part_supports", source=sighting.source, part=sighting.part)) - held
        for seq in gone:
            self._rows.run("support_drop", statement=seq, part=sighting.part)
        closed = self._end(sorted(gone), sighting.at)
        return Applied(stated=opened, unchanged=len(stated) - opened, closed=closed)

    def _late(self, sighting: _Sighting, until: int, stated: Sequence[Claim]) -> Applied:
        """
        A snapshot older than its part's last: what it stated was known until the next one.
        """
        total = Applied()
        for claim in stated:
            versions = self._rows.versions(sighting.source, claim.key)
            current = [version for version in versions if version.holds(sighting.at)]
            if _like(claim, current) is not None:
                total = _sum(total, Applied(unchanged=1))
                continue
            own = [version for version in current if self._is_of(version, sighting.part)]
            for version in own:
                self._cut(version, sighting.at, until)
            end = min([until, *(version.known_from for version in versions if version.known_from > sighting.at)])
            seq = self._open(sighting, claim, current, end)
            if not any(version.holds(end) for version in self._rows.versions(sighting.source, claim.key)):
                self._ended(seq, end)
            total = _sum(total, Applied(stated=1, closed=len(own)))
        return total

    def _is_of(self, version: Version, part: str) -> bool:
        return part_name(str(self._rows.run("evidence_part", statement=version.seq)[0][0])) == part

    def _open(self, sighting: _Sighting, claim: Claim, current: Sequence[Version], until: int) -> int:
        """
        Insert a version known from the sighting's time until `until`; its seq.
        """
        item = claim.item
        start, end = BEGINNING, OPEN
        if isinstance(item, Fact):
            start = self._start(sighting, item, current)
            end = OPEN if item.valid.end is None else micros(item.valid.end)
            item = replace(item, valid=span(start, end))
        row: dict[str, Value] = {
            "source": sighting.source,
            "key": claim.key,
            "digest": claim.digest,
            "kind": kind_of(item).value,
            "trust": sighting.trust,
            "visibility": sighting.visibility,
            "record": sighting.record,
            "known_from": sighting.at,
            "known_to": until,
            "valid_from": start,
            "valid_to": end,
        }
        seq = self._rows.insert(row, item)
        if until == OPEN:
            self._support(sighting, seq)
        return seq

    def _start(self, sighting: _Sighting, fact: Fact, current: Sequence[Version]) -> int:
        """
        Since when a fact holds whose source does not say: since it was first seen, if there was a look before that.
        """
        if fact.valid.start is not None:
            return micros(fact.valid.start)
        if not sighting.part:
            return BEGINNING
        if current:
            return current[0].valid_from
        if sighting.first or (fact.valid.end is not None and micros(fact.valid.end) <= sighting.at):
            return BEGINNING
        return sighting.at

    def _support(self, sighting: _Sighting, seq: int) -> None:
        values = {"statement": seq, "part": sighting.part, "record": sighting.record}
        if sighting.part:
            self._rows.run("support_replace", **values)
        self._rows.run("support_add", source=sighting.source, **values)

    def _supports(self, seq: int) -> list[tuple[object, ...]]:
        return [tuple(row) for row in self._rows.run("supports_of", statement=seq)]

    def _end(self, seqs: Iterable[int], at: int) -> int:
        """
        Close those that nothing supports any more; their number.
        """
        closed = 0
        for seq in dict.fromkeys(seqs):
            if self._supports(seq):
                continue
            row = self._rows.get(seq)
            if row["known_to"] != OPEN:
                continue
            self._rows.close(seq, at)
            closed += 1
            others = self._rows.versions(_int(row["source"]), _bytes(row["key"]))
            if not any(version.holds(at) for version in others):
                self._ended(seq, at)
        return closed

    def _ended(self, seq: int, at: int) -> None:
        """
        From `at` it is known that a fact without an end held until then.
        """
        row = self._rows.get(seq)
        if row["kind"] != ItemKind.FACT.value or row["valid_to"] != OPEN or _int(row["valid_from"]) >= at:
            return
        self._rows.copy(seq, key=None, known_from=at, known_to=OPEN, valid_to=at)


def _like(claim: Claim, versions: Sequence[Version]) -> Version | None:
    return next((version for version in versions if version.digest == claim.digest), None)


def _open(version: Version) -> bool:
    return version.known_to == OPEN


def _sum(one: Applied, other: Applied) -> Applied:
    return Applied(
        stated=one.stated + other.stated,
        unchanged=one.unchanged + other.unchanged,
        closed=one.closed + other.closed,
    )


def _int(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 - the table is strict
    return value


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)  # noqa: S101 - the table is strict
    return value
