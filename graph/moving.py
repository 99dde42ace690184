"""
Moving a whole store into another, of whatever backend: rows that mean the same everywhere, page by page.

A row names records by place and id, sources and labels by value; what a backend derives (names, entities, edges) it
derives anew. Each page is one transaction of the target, which notes in it how far the move came: so an interrupted
move goes on where it was, and a page whose word got lost is not loaded twice. Until the census of both sides agrees the
note stays, and with it nothing but a migration may open the target. Claims are not moved: a pending record is free.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from types import MappingProxyType
from typing import Protocol, TypeAlias

import orjson

from graph.errors import MigrationRefused, StoreUnfinished
from graph.hands import Stored
from graph.values import Record

MIGRATION = "migration"
"""The shelf of the note. It is not moved."""
PAGE = 1000

Key: TypeAlias = Mapping[str, int | str | None]
"""After which row a page begins."""
Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is done, how many of it, of how many."""


class Kind(StrEnum):
    """
    The kinds of rows, in the order in which they are loaded.
    """

    SOURCES = "sources"
    RECORDS = "records"
    STATEMENTS = "statements"
    SUPPORTS = "supports"
    LINES = "lines"
    KEPT = "kept"
    COUNTERS = "counters"


_BEGINNINGS: Mapping[Kind, Key] = MappingProxyType(
    {
        Kind.SOURCES: {"name": None},
        Kind.RECORDS: {"place": 0},
        Kind.STATEMENTS: {"seq": 0},
        Kind.SUPPORTS: {"statement": 0, "record": 0, "snapshot": 0},
        Kind.LINES: {"seq": 0},
        Kind.KEPT: {"shelf": "", "key": ""},
        Kind.COUNTERS: {"name": None},
    }
)


@dataclass(frozen=True, slots=True)
class SourceRow:
    """
    How many whole snapshots of a source were seen.
    """

    name: str
    snapshots: int

    def after(self) -> Key:
        return {"name": self.name}


@dataclass(frozen=True, slots=True)
class RecordRow:
    """
    A record, its place in the order of arrival, and whether it is a snapshot that does not count any more.
    """

    place: int
    lapsed: bool
    record: Record

    def after(self) -> Key:
        return {"place": self.place}


@dataclass(frozen=True, slots=True)
class StatementRow:
    """
    A statement with its item's bytes, the line of the feed that opened it, and the id of its record.
    """

    seq: int
    opened: int
    record: str
    body: bytes
    stored: Stored

    def after(self) -> Key:
        return {"seq": self.seq}


@dataclass(frozen=True, slots=True)
class SupportRow:
    """
    A record states a statement: as a snapshot of its part, or as an event.
    """

    statement: int
    record: int
    snapshot: bool

    def after(self) -> Key:
        return {"statement": self.statement, "record": self.record, "snapshot": int(self.snapshot)}


@dataclass(frozen=True, slots=True)
class LineRow:
    """
    A line of the feed that opened nothing.
    """

    seq: int
    op: str
    statement: int

    def after(self) -> Key:
        return {"seq": self.seq}


@dataclass(frozen=True, slots=True)
class KeptRow:
    """
    Bytes on a shelf, and the ids of the records that they rest on, sorted.
    """

    shelf: str
    key: str
    body: bytes
    records: tuple[str, ...]

    def after(self) -> Key:
        return {"shelf": self.shelf, "key": self.key}


@dataclass(frozen=True, slots=True)
class CounterRow:
    """
    The last number given to `records`, `statements` or the `feed`.
    """

    name: str
    value: int

    def after(self) -> Key:
        return {"name": self.name}


Row: TypeAlias = SourceRow | RecordRow | StatementRow | SupportRow | LineRow | KeptRow | CounterRow


@dataclass(frozen=True, slots=True)
class Migration:
    """
    The note of an unfinished move: out of what, and after which row of each kind it goes on.
    """

    source: str
    reached: Mapping[str, Key]

    def note(self) -> bytes:
        """
        As it lies on the shelf.
        """
        return orjson.dumps(self)

    @classmethod
    def noted(cls, shelf: Mapping[str, bytes]) -> Migration | None:
        """
        The note on the shelf, if there is one.
        """
        return next((cls(**orjson.loads(body)) for body in shelf.values()), None)


def may_load(found: Migration | None, was: Migration | None, now: Migration | None) -> bool:
    """
    Whether a page leads from what is noted to `now`; False where it was loaded already.
    """
    if found == now:
        return False
    if found != was:
        raise MigrationRefused(message="Another migration is at work on the target")
    return True


class Movable(Protocol):
    """
    A store as a migration holds it.
    """

    @property
    def url(self) -> str:
        """
        Where it is, for messages.
        """
        ...

    def migration(self) -> Migration | None:
        """
        The unfinished move into this store.
        """
        ...

    def counts(self) -> Mapping[Kind, int]:
        """
        How many rows it has of each kind.
        """
        ...

    def dump(self, kind: Kind, after: Key, limit: int) -> Sequence[Row]:
        """
        The rows of a kind after that key, in an order of their keys that does not change.
        """
        ...

    def load(self, rows: Sequence[Row], was: Migration | None, now: Migration | None) -> None:
        """
        Put in rows and note `now` in place of `was`, in one transaction; nothing where `now` is noted already.
        """
        ...

    def kept(self, shelf: str, keys: Collection[str] | None = None) -> dict[str, bytes]:
        """
        As `Store.kept`.
        """
        ...

    def close(self) -> None:
        """
        As `Store.close`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Census:
    """
    How many rows there are, and a digest of them that no order of theirs changes.
    """

    count: int
    digest: str


@dataclass(frozen=True, slots=True)
class Compared:
    """
    One kind on both sides.
    """

    kind: Kind
    source: Census
    target: Census

    @property
    def same(self) -> bool:
        """
        Whether the target holds what the source holds.
        """
        return self.source == self.target


def move(source: Movable, target: Movable, progress: Progress, page: int = PAGE) -> tuple[Compared, ...]:
    """
    Copy all of the source, or what an interrupted move left to copy, and compare both sides. Where they are the same
    the target is open for use. MigrationRefused where the target holds something else, or the source was written
    meanwhile.
    """
    migration = _begun(source, target)
    done, totals = target.counts(), source.counts()
    for kind in Kind:
        count = done[kind]
        for rows in _pages(source, kind, migration.reached.get(kind.value), page):
            reached = Migration(migration.source, {**migration.reached, kind.value: rows[-1].after()})
            target.load(rows, migration, reached)
            migration = reached
            count += len(rows)
            progress(f"moving {kind}", count, totals[kind])
    compared = tuple(
        Compared(kind, census(source, kind, progress, page), census(target, kind, progress, page)) for kind in Kind
    )
    if _state(source) != migration.source:
        raise MigrationRefused(source.url, "The source was written meanwhile; stop its writers and begin anew")
    if all(one.same for one in compared):
        target.load((), migration, None)
    return compared


def census(store: Movable, kind: Kind, progress: Progress, page: int = PAGE) -> Census:
    """
    Count the rows of a kind and take their digest.
    """
    count, total, expected = 0, 0, store.counts()[kind]
    for rows in _pages(store, kind, None, page):
        # a sum, since backends sort texts differently
        total += sum(int.from_bytes(blake2b(_bytes(row), digest_size=16).digest(), "big") for row in rows)
        count += len(rows)
        progress(f"checking {kind}", count, expected)
    return Census(count, f"{total % 2**128:032x}")


def _begun(source: Movable, target: Movable) -> Migration:
    if source.migration() is not None:
        raise StoreUnfinished(source.url)
    state, found = _state(source), target.migration()
    if found is None:
        if any(target.counts().values()):
            raise MigrationRefused(target.url, "The target is not empty; name an empty store, or empty it")
        found = Migration(state, {})
        target.load((), None, found)
    if found.source != state:
        raise MigrationRefused(
            target.url,
            "The target holds an unfinished migration of another store, or of this one before it was written again; "
            "empty it",
        )
    return found


def _state(store: Movable) -> str:
    """
    What tells a store from others, and from itself after a write.
    """
    counters = [row for rows in _pages(store, Kind.COUNTERS, None, PAGE) for row in rows]
    name = store.kept("store", {"name"}).get("name", b"").decode()
    return orjson.dumps([name, *counters]).decode()


def _pages(store: Movable, kind: Kind, after: Key | None, page: int) -> Iterator[Sequence[Row]]:
    after = after or _BEGINNINGS[kind]
    while rows := store.dump(kind, after, page):
        yield rows
        after = rows[-1].after()


def _bytes(row: Row) -> bytes:
    return orjson.dumps(row, default=_plain, option=orjson.OPT_SORT_KEYS)


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(type(value))
