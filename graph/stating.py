"""
Applying what records yielded, in the order of what was known when, whatever the order of arrival.

A *thing* is what one source's key names; its versions follow one another in known time. Of two events of one thing the
one of the higher rank counts: the one that occurred later, whenever it arrives. So an event replaces the thing's
version from its own known time on, up to where something of a higher rank stands; where that is at once, it is kept as
a version that was never known, for the day when the other is taken back. A part of a snapshot supports the versions
that it states. What it no longer states loses its support, and a version that nothing supports is closed; a fact
without an end gets, beside that, a version that ended then, so that the past still has it. A snapshot older than one
that was applied of its part adds only closed versions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from graph.contract import Applied, Yield, kind_of
from graph.encoding import encode, micros
from graph.hands import Hands, Rank, Stored, Version, head_of, part_name, span
from graph.keys import BEGINNING, OPEN, Claim, claims
from graph.onset import Onset
from graph.values import Fact, ItemKind, Labels, RecordState

_DONE = (RecordState.APPLIED, RecordState.RETRACTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sighting:
    """
    One record being applied. `part` is empty for an event; `first`: nothing was seen of the part, or of the whole
    source, before; `until` is when the next snapshot of the part was known, where that was applied already.
    """

    source: str
    part: str
    record: int
    at: int
    rank: Rank
    trust: int
    labels: Labels
    first: bool
    until: int | None


class Stating:
    """
    The rules of `Store.apply` and `Store.sweep`; the caller commits.
    """

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._onset = Onset(hands)

    def apply(self, yields: Sequence[Yield]) -> Applied:
        """
        State what the records yielded. NotFound of a record that was never appended.
        """
        self._hands.expect_records([each.record for each in yields], [each.record for each in yields if each.snapshot])
        stated = [self._claims(each) for each in yields]
        heads = [(head_of(self._hands, each.record), each.snapshot) for each in yields]
        self._hands.expect_things(
            {(head.source, claim.key) for (head, _), made in zip(heads, stated, strict=True) for claim in made},
            {(head.source, part_name(head.part)) for head, snapshot in heads if snapshot},
        )
        return _sum(self._apply(each, made) for each, made in zip(yields, stated, strict=True))

    def sweep(self, source: str, seen: Collection[str], at: int) -> Applied:
        """
        Withdraw what the unseen parts stated; a whole snapshot has been read.
        """
        self._hands.swept(source, seen)
        gone = self._hands.unseen(source, seen)
        for statement, part in gone:
            self._hands.unsupport_part(statement, part)
        return Applied(closed=self._end((statement for statement, _ in gone), at))

    def _claims(self, given: Yield) -> Sequence[Claim]:
        head = head_of(self._hands, given.record)
        return () if head.state in _DONE else claims(given.items, given.trust, head.labels)

    def _apply(self, given: Yield, stated: Sequence[Claim]) -> Applied:
        # anew: the same record may stand twice among the yields
        head = head_of(self._hands, given.record)
        if head.state in _DONE:
            return Applied()
        sighting = _Sighting(
            source=head.source,
            part=part_name(head.part) if given.snapshot else "",
            record=head.place,
            at=head.known_at,
            rank=head.rank,
            trust=int(given.trust),
            labels=head.labels,
            first=given.snapshot and not self._hands.looked(head.source, head.part),
            until=self._hands.next_of(head.source, head.part, head.known_at) if given.snapshot else None,
        )
        total = (
            self._snapshot(sighting, stated) if given.snapshot else _sum(self._event(sighting, one) for one in stated)
        )
        if sighting.until is not None:
            self._hands.lapse(head.place)
        elif given.snapshot:
            self._hands.lapse_older(head.source, head.part, head.place)
        self._hands.settle(head, RecordState.APPLIED)
        return total

    def _event(self, sighting: _Sighting, claim: Claim) -> Applied:
        """
        Let the event stand from its known time on, but where what stands counts for more.
        """
        confirmed = closed = 0
        taken: list[tuple[int, int]] = []
        versions = self._hands.versions(sighting.source, claim.key)
        for version in versions:
            start = max(version.known_from, sighting.at)
            if start >= version.known_to:
                continue
            if version.digest == claim.digest:
                confirmed += 1
                self._support(sighting, version.seq)
                taken.append((start, version.known_to))
                continue
            outranked = self._outranked(version, sighting.rank, start)
            if outranked is not None:
                taken.append((outranked, version.known_to))
            if outranked != start:
                closed += 1
                self._cut(version, start, outranked)
        free = list(_free(sighting.at, taken))
        for start, end in free:
            self._open(sighting, claim, (), start, end)
        if not free and not confirmed:
            # it never counts, unless what counts for more is taken back
            self._open(sighting, claim, (), sighting.at, sighting.at)
        if versions and not isinstance(claim.item, Fact):
            self._onset.settle(sighting.source, claim.key, sighting.at, sighting.record)
        return Applied(stated=min(1, len(free)), unchanged=0 if free else 1, closed=closed)

    def _outranked(self, version: Version, rank: Rank, start: int) -> int | None:
        """
        From when on the version counts for more than an event of this rank, looked at from `start`; None: never.
        """
        if version.rank > rank:
            return start
        higher = [one for one in self._hands.supports(version.seq) if one.rank > rank]
        since = min((one.known_at for one in higher), default=OPEN)
        return max(start, since) if since < version.known_to else None

    def _cut(self, version: Version, at: int, resumed: int | None) -> None:
        """
        End a version at `at`. From `resumed` on, if that is given and before its end, it goes on.
        """
        self._hands.close(version.seq, at)
        supports = self._hands.supports(version.seq)
        self._hands.unsupport_parts(version.seq)
        if resumed is None or resumed >= version.known_to:
            return
        row = self._hands.get(version.seq)
        later = [support for support in supports if support.known_at >= resumed]
        first = max((one for one in later if one.known_at == later[0].known_at), key=lambda one: one.rank, default=None)
        record = first.record if first else row.record
        copy = self._hands.copy(version.seq, replace(row, known_from=resumed, known_to=version.known_to, record=record))
        for support in later:
            self._hands.support(copy, support.part, support.record)

    def _snapshot(self, sighting: _Sighting, stated: Sequence[Claim]) -> Applied:
        if sighting.until is not None:
            until = sighting.until
            return _sum(self._late(sighting, until, claim) for claim in stated)
        held: set[int] = set()
        opened = 0
        for claim in stated:
            versions = self._hands.versions(sighting.source, claim.key)
            current = [version for version in versions if version.holds(sighting.at)]
            same = _like(claim, current)
            if same is None:
                opened += 1
                # Another part states the same, known later.
                later = _like(claim, [each for each in versions if each.known_from > sighting.at and _open(each)])
                until = later.known_from if later else OPEN
                opening = self._open(sighting, claim, current, sighting.at, until)
                same = later
            held.add(same.seq if same else opening)
        for seq in held:
            self._support(sighting, seq)
        gone = set(self._hands.stated_by(sighting.source, sighting.part)) - held
        for seq in gone:
            self._hands.unsupport_part(seq, sighting.part)
        closed = self._end(sorted(gone), sighting.at)
        return Applied(stated=opened, unchanged=len(stated) - opened, closed=closed)

    def _late(self, sighting: _Sighting, until: int, claim: Claim) -> Applied:
        """
        Of a snapshot older than its part's last: what it stated was known until the next one.
        """
        versions = self._hands.versions(sighting.source, claim.key)
        current = [version for version in versions if version.holds(sighting.at)]
        if _like(claim, current) is not None:
            return Applied(unchanged=1)
        own = [version for version in current if self._is_of(version, sighting.part)]
        for version in own:
            self._cut(version, sighting.at, until)
        end = min([until, *(version.known_from for version in versions if version.known_from > sighting.at)])
        seq = self._open(sighting, claim, current, sighting.at, end)
        if not self._known(seq, end):
            self._ended(seq, end)
        return Applied(stated=1, closed=len(own))

    def _is_of(self, version: Version, part: str) -> bool:
        return part_name(self._hands.evidence(version.seq).part) == part

    def _open(self, sighting: _Sighting, claim: Claim, current: Sequence[Version], since: int, until: int) -> int:
        """
        Insert a version known from `since` until `until`; its seq.
        """
        item, body = claim.item, claim.body
        start, end = BEGINNING, OPEN
        if isinstance(item, Fact):
            start = self._start(sighting, item, current)
            end = OPEN if item.valid.end is None else micros(item.valid.end)
            item = replace(item, valid=span(start, end))
            body = encode(item)
        row = Stored(
            source=sighting.source,
            key=claim.key,
            digest=claim.digest,
            kind=kind_of(item).value,
            trust=sighting.trust,
            labels=sighting.labels,
            record=sighting.record,
            known_from=since,
            known_to=until,
            valid_from=start,
            valid_to=end,
        )
        seq = self._hands.insert(row, item, body)
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
        support = self._hands.support_anew if sighting.part else self._hands.support
        support(seq, sighting.part, sighting.record)

    def _end(self, seqs: Iterable[int], at: int) -> int:
        """
        Close those that nothing supports any more; their number.
        """
        closed = 0
        for seq in dict.fromkeys(seqs):
            if self._hands.supports(seq) or self._hands.get(seq).known_to != OPEN:
                continue
            self._hands.close(seq, at)
            closed += 1
            if not self._known(seq, at):
                self._ended(seq, at)
        return closed

    def _known(self, seq: int, at: int) -> bool:
        """
        Whether a version of the statement's thing is known at that time.
        """
        row = self._hands.get(seq)
        return any(version.holds(at) for version in self._hands.versions(row.source, row.key))

    def _ended(self, seq: int, at: int) -> None:
        """
        From `at` it is known that a fact without an end held until then.
        """
        row = self._hands.get(seq)
        if row.kind == ItemKind.FACT and row.valid_to == OPEN and row.valid_from < at:
            self._hands.copy(seq, replace(row, key=None, known_from=at, known_to=OPEN, valid_to=at))


def _like(claim: Claim, versions: Sequence[Version]) -> Version | None:
    return next((version for version in versions if version.digest == claim.digest), None)


def _free(start: int, taken: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """
    The times from `start` on that are not taken.
    """
    for first, end in sorted(taken):
        if first > start:
            yield start, first
        start = max(start, end)
    if start < OPEN:
        yield start, OPEN


def _open(version: Version) -> bool:
    return version.known_to == OPEN


def _sum(parts: Iterable[Applied]) -> Applied:
    stated = unchanged = closed = 0
    for part in parts:
        stated += part.stated
        unchanged += part.unchanged
        closed += part.closed
    return Applied(stated=stated, unchanged=unchanged, closed=closed)
