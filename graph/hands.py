"""
A writer's hands: what the rules of stating and retracting do to a backend's rows, inside one transaction that the store
opens and ends. Hands hold no rule of their own, so the rules stand once for every backend.

A record is named by its `place`, its number in the order of arrival; times are microseconds since 1970 in UTC.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from graph.encoding import moment
from graph.errors import NotFound
from graph.keys import BEGINNING, OPEN
from graph.values import Item, Labels, RecordState, Span

Rank: TypeAlias = tuple[int, str]
"""Of two events of one thing the one of the higher rank counts, of equals the one that was applied last."""


def rank_of(known_at: int, occurred_at: int | None, digest: str) -> Rank:
    """
    An event's rank: when it occurred, else when it became known. Events that occurred at one moment are ranked by their
    digests, which no order of arrival changes.
    """
    return (known_at, "") if occurred_at is None else (occurred_at, digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """
    What the rules need to know of a record.
    """

    id: str
    place: int
    source: str
    part: str
    received_at: int
    known_at: int
    rank: Rank
    labels: Labels
    state: RecordState


@dataclass(frozen=True, slots=True)
class Version:
    """
    One version of a thing: its place, digest, times, and the rank of its own record.
    """

    seq: int
    digest: bytes
    known_from: int
    known_to: int
    valid_from: int
    rank: Rank

    def holds(self, at: int) -> bool:
        """
        Whether it is known at that moment.
        """
        return self.known_from <= at < self.known_to


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """
    A statement's row, but for its seq and its item. `key` None: a version that ended, which nothing replaces.
    """

    source: str
    key: bytes | None
    digest: bytes
    kind: str
    trust: int
    labels: Labels
    record: int
    known_from: int
    known_to: int
    valid_from: int
    valid_to: int


@dataclass(frozen=True, slots=True)
class Support:
    """
    Who states a statement: a part of a snapshot (`=` and its name; empty: an event), by which record, known when and
    of which rank.
    """

    part: str
    record: int
    known_at: int
    rank: Rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """
    A statement's own record.
    """

    place: int
    part: str
    known_at: int
    rank: Rank
    state: RecordState


def part_name(part: str) -> str:
    """
    A snapshot's part among the supports, told apart from events.
    """
    return f"={part}"


class Hands(Protocol):
    """
    Rows of records, statements and what supports them.
    """

    def expect_records(self, records: Collection[str], snapshots: Collection[str]) -> None:
        """
        These records will be asked about, some of them as snapshots. A distant backend fetches them at once.
        """
        ...

    def expect_things(self, things: Collection[tuple[str, bytes]], parts: Collection[tuple[str, str]]) -> None:
        """
        The versions of these things (source and key) will be asked about, and what these parts (source and name among
        the supports) state. A distant backend fetches them at once.
        """
        ...

    def head(self, record: str) -> Head | None:
        """
        A record by its id.
        """
        ...

    def looked(self, source: str, part: str) -> bool:
        """
        Whether the whole source, or an earlier record of the part, was seen before.
        """
        ...

    def next_of(self, source: str, part: str, at: int) -> int | None:
        """
        When the next snapshot of a part was known, of those that were applied already.
        """
        ...

    def settle(self, head: Head, state: RecordState, reason: str = "") -> None:
        """
        Put a record into a state.
        """
        ...

    def lapse(self, place: int) -> None:
        """
        A snapshot that came late does not count.
        """
        ...

    def lapse_older(self, source: str, part: str, place: int) -> None:
        """
        All applied snapshots of a part but this one do not count any more.
        """
        ...

    def swept(self, source: str, seen: Collection[str]) -> None:
        """
        A whole snapshot of the source was read: records of parts that are not among `seen` do not count any more.
        """
        ...

    def versions(self, source: str, key: bytes | None) -> list[Version]:
        """
        All versions of a thing by a source, oldest knowledge first.
        """
        ...

    def get(self, seq: int) -> Stored:
        """
        A statement's row.
        """
        ...

    def item(self, seq: int) -> Item:
        """
        A statement's item.
        """
        ...

    def insert(self, row: Stored, item: Item, body: bytes) -> int:
        """
        Open a statement of an item and its bytes (closed at once where its end is known already); its seq.
        """
        ...

    def copy(self, seq: int, row: Stored) -> int:
        """
        Open the statement's item again as another row, with that row's valid time; its seq.
        """
        ...

    def close(self, seq: int, at: int) -> None:
        """
        A statement is known no longer than to `at`.
        """
        ...

    def erase(self, seq: int) -> None:
        """
        Remove a statement and all by which it was found; the feed says only that it was erased.
        """
        ...

    def supports(self, seq: int) -> list[Support]:
        """
        Who states this, the longest known first.
        """
        ...

    def support(self, seq: int, part: str, record: int) -> None:
        """
        A record states this too.
        """
        ...

    def support_anew(self, seq: int, part: str, record: int) -> None:
        """
        A record states this in place of the part's older ones.
        """
        ...

    def unsupport_part(self, seq: int, part: str) -> None:
        """
        A part does not state this any more.
        """
        ...

    def unsupport_record(self, seq: int, record: int) -> None:
        """
        A record does not state this any more.
        """
        ...

    def unsupport_parts(self, seq: int) -> None:
        """
        Of a version that ends, only what events said of it stays: a later arrival, or one that is taken back, may have
        to know it.
        """
        ...

    def move_supports(self, seq: int, target: int) -> None:
        """
        What stated one version states its copy.
        """
        ...

    def stated_by(self, source: str, part: str) -> list[int]:
        """
        What a snapshot's part states.
        """
        ...

    def unseen(self, source: str, seen: Collection[str]) -> list[tuple[int, str]]:
        """
        What a source's parts state that are not among those seen, with the part.
        """
        ...

    def evidence(self, seq: int) -> Evidence:
        """
        The statement's own record.
        """
        ...

    def resting_on(self, place: int) -> list[int]:
        """
        What rests on a record: its own statements, and those of others that it states too.
        """
        ...

    def kept_of(self, place: int) -> tuple[tuple[str, str], ...]:
        """
        The kept things that rest on a record, as (shelf, key).
        """
        ...

    def unkeep(self, shelf: str, key: str) -> None:
        """
        Remove a kept thing.
        """
        ...

    def forget(self, head: Head) -> None:
        """
        Remove a retracted record, and the names, sources and labels that nothing has any more.
        """
        ...


def span(start: int, end: int) -> Span:
    """
    The interval between two columns.
    """
    return Span(None if start == BEGINNING else moment(start), None if end == OPEN else moment(end))


def head_of(hands: Hands, record: str) -> Head:
    """
    A record by its id. NotFound where there is none.
    """
    head = hands.head(record)
    if head is None:
        raise NotFound(record, "There is no such record in the store")
    return head
