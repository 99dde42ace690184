"""
When a thing began whose end does not say so.

Many tools send of an end only when it was: such an event's item begins when it ends. Taken as it is, it would move a
deploy to where it was over, behind the alert that it caused. So such an item *borrows*: it stands with the earliest
begin that the thing's other events tell, since it last ended before; as known at any moment, from those known by then.
The digest stays that of what was said, so what was borrowed can be told from what was said and given back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from graph.encoding import encode
from graph.hands import Hands, Stored, Version
from graph.keys import BEGINNING, digest_of
from graph.values import Alert, Change, Incident, Item, Labels, RecordState, Trust

Timed = Change | Alert | Incident
"""Items that begin and end."""


def may_borrow(item: Item) -> bool:
    """
    Whether it ended, and says of its begin nothing or that it was then.
    """
    return isinstance(item, Timed) and ended(item) is not None and item.at in (None, ended(item))


def ended(item: Timed) -> datetime | None:
    """
    Its end.
    """
    return item.resolved_at if isinstance(item, Incident) else item.ended_at


def onset(end: datetime, begins: Sequence[datetime], ends: Sequence[datetime]) -> datetime | None:
    """
    When that began which ended at `end`, by the begins and ends that others tell: the earliest begin after the end
    before the last begin. So of a thing that came back, an end belongs to the last time.
    """
    before = [begin for begin in begins if begin < end]
    if not before:
        return None
    last = max(before)
    over = max((one for one in ends if one <= last), default=None)
    return min(begin for begin in before if over is None or begin >= over)


@dataclass(frozen=True, slots=True)
class _Told:
    """
    One version of a thing: what its events said, what it shows, and from when on it is known that they said so (None:
    they were taken back).
    """

    version: Version
    row: Stored
    said: Timed
    shown: Timed
    known: int | None


@dataclass(frozen=True, slots=True)
class _Piece:
    since: int
    until: int
    item: Timed


class Onset:
    """
    What borrows of a thing, put right after its events changed; the caller commits.
    """

    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    def settle(self, source: str, key: bytes, since: int, record: int | None = None) -> None:
        """
        From `since` on; the record (by its place) is being applied.
        """
        told = self._told(self._hands.versions(source, key), record)
        for one in told:
            self._right(one, told, since)

    def cleanse(self, source: str, key: bytes) -> None:
        """
        For all times, since an event was erased: what borrowed from it is erased, and stands again without it.
        """
        told = self._told(self._hands.versions(source, key), None)
        for one in told:
            never = one.version.known_from >= one.version.known_to
            if never and one.said != one.shown:
                self._put(one, [_Piece(one.version.known_from, one.version.known_to, one.said)])
                self._hands.erase(one.version.seq)
            elif self._right(one, told, BEGINNING):
                self._hands.erase(one.version.seq)

    def _told(self, versions: Sequence[Version], record: int | None) -> list[_Told]:
        """
        Nothing where the thing never ends, or snapshots state it, of which the last says all.
        """
        items = [self._hands.item(version.seq) for version in versions]
        if not any(isinstance(item, Timed) and ended(item) is not None for item in items):
            return []
        found = []
        for version, item in zip(versions, items, strict=True):
            supports = self._hands.supports(version.seq)
            if any(support.part for support in supports) or not isinstance(item, Timed):
                return []
            own = self._hands.evidence(version.seq)
            times = [support.known_at for support in supports]
            if own.state is RecordState.APPLIED or own.place == record:
                times.append(own.known_at)
            row = self._hands.get(version.seq)
            found.append(_Told(version, row, _said(item, row), item, min(times, default=None)))
        return found if any(one.known is not None for one in found) else []

    def _right(self, one: _Told, told: Sequence[_Told], since: int) -> bool:
        """
        Let a version show what it should from `since` on; whether others took its place.
        """
        start, until = max(one.version.known_from, since), one.version.known_to
        if start >= until or not may_borrow(one.said):
            return False
        pieces = list(_pieces(one, told, start, until))
        stays = pieces[0].item == one.shown
        wrong = pieces[1:] if stays else pieces
        if wrong:
            self._hands.close(one.version.seq, wrong[0].since)
            self._put(one, wrong)
        return not stays

    def _put(self, one: _Told, pieces: Sequence[_Piece]) -> None:
        supports = self._hands.supports(one.version.seq)
        for piece in pieces:
            row = replace(one.row, known_from=piece.since, known_to=piece.until)
            seq = self._hands.insert(row, piece.item, encode(piece.item))
            for support in supports:
                self._hands.support(seq, support.part, support.record)


def _said(item: Timed, row: Stored) -> Timed:
    """
    The item as the events said it: with its begin, or none, at its end, where what it shows is borrowed.
    """
    end = ended(item)
    if end is None or item.at is None or item.at >= end:
        return item
    plains: list[Timed] = [replace(item, at=end)]
    if isinstance(item, Incident):
        plains.append(replace(item, at=None))
    for plain in plains:
        if digest_of(encode(plain), Trust(row.trust), row.labels) == row.digest:
            return plain
    return item


def _pieces(one: _Told, told: Sequence[_Told], start: int, until: int) -> Iterator[_Piece]:
    """
    What the version should show from `start` to `until`, changing when other events became known.
    """
    turns = {each.known for each in told if each.known is not None and start < each.known < until}
    piece: _Piece | None = None
    for moment in (start, *sorted(turns)):
        item = _shown(one, told, moment)
        if piece is None or piece.item != item:
            if piece is not None:
                yield replace(piece, until=moment)
            piece = _Piece(moment, until, item)
    if piece is not None:
        yield piece


def _shown(one: _Told, told: Sequence[_Told], moment: int) -> Timed:
    """
    What was said, with the begin that was known at that moment to whoever may see it.
    """
    end = ended(one.said)
    known = [each for each in told if each.known is not None and each.known <= moment and _open(each.row.labels, one)]
    begins = [each.said.at for each in known if each.said.at is not None and not may_borrow(each.said)]
    ends = [over for each in known if (over := ended(each.said)) is not None]
    found = None if end is None else onset(end, begins, ends)
    return one.said if found is None else replace(one.said, at=found)


def _open(labels: Labels, to: _Told) -> bool:
    return labels <= to.row.labels
