"""
The writer's hands: rows of statements, what supports them and the feed. It holds no rule of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import apsw

from graph.encoding import decode, encode, moment
from graph.sqlite.keys import BEGINNING, OPEN, names
from graph.sqlite.queries import Row, Value, select, select_one
from graph.values import Fact, Item, ItemKind, Span

_KEPT_NAMES = 100_000


@dataclass(frozen=True, slots=True)
class Version:
    """
    One version of a thing: its place, digest and times.
    """

    seq: int
    digest: bytes
    known_from: int
    known_to: int
    valid_from: int

    def holds(self, at: int) -> bool:
        """
        Whether it is known at that moment.
        """
        return self.known_from <= at < self.known_to


@dataclass(frozen=True, slots=True)
class Stored:
    """
    A statement's row, but for its seq and its item. `key` None: a version that ended, which nothing replaces.
    """

    source: int
    key: bytes | None
    digest: bytes
    kind: str
    trust: int
    visibility: int
    record: int
    known_from: int
    known_to: int
    valid_from: int
    valid_to: int


_COLUMNS = tuple(each.name for each in fields(Stored))


@dataclass(frozen=True, slots=True)
class Support:
    """
    Who states a statement: a part of a snapshot (empty: an event), by which record, known when.
    """

    part: str
    record: int
    known_at: int


class Rows:
    """
    Over the writer's connection, inside a transaction that the caller opens and ends.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._names: dict[tuple[str, str], int] = {}

    def forget(self) -> None:
        """
        Drop what is remembered of rows: they were rolled back, or erased.
        """
        self._names.clear()

    def run(self, query: str, /, **values: Value) -> list[Row]:
        """
        All rows of a named query.
        """
        return select(self._connection, query, **values)

    def one(self, query: str, /, **values: Value) -> Row:
        """
        The row of a named query that always gives one.
        """
        return self.run(query, **values)[0]

    def numbers(self, query: str, /, **values: Value) -> list[int]:
        """
        The first column of a named query.
        """
        return [row[0] for row in self.run(query, **values)]

    def head(self, record: str) -> Row | None:
        """
        (seq, source, part, known_at, visibility, state) of a record.
        """
        return select_one(self._connection, "record_head", id=record)

    def source(self, name: str) -> tuple[int, int]:
        """
        A source's number and how many whole snapshots of it were seen.
        """
        self.run("source_add", name=name)
        number, snapshots = self.one("source_get", name=name)
        return number, snapshots

    def versions(self, source: int, key: bytes | None) -> list[Version]:
        """
        All versions of a thing by a source, oldest knowledge first.
        """
        return [Version(*row) for row in self.run("versions", source=source, key=key)]

    def supports(self, seq: int) -> list[Support]:
        """
        Who states this, the longest known first.
        """
        return [Support(*row) for row in self.run("supports_of", statement=seq)]

    def insert(self, row: Stored, item: Item, body: bytes) -> int:
        """
        Open a statement of an item and its bytes (closed at once where its end is known already); its seq.
        """
        seq: int = self.one("statement_add", **{name: getattr(row, name) for name in _COLUMNS}, body=body)[0]
        for field, text, at in names(item):
            self.run("entry_add", name=self._name(field, text), at=at, statement=seq)
        self.run("feed_add", op="opened", statement=seq)
        if row.known_to != OPEN:
            self.run("feed_add", op="closed", statement=seq)
        return seq

    def _name(self, field: str, text: str) -> int:
        known = self._names.get((field, text))
        if known is None:
            known = int(self.one("name_number", field=field, text=text)[0])
            if len(self._names) >= _KEPT_NAMES:
                self._names.clear()
            self._names[field, text] = known
        return known

    def close(self, seq: int, at: int) -> None:
        """
        A statement is known no longer than to `at`.
        """
        self.run("statement_close", seq=seq, at=at)
        self.run("feed_add", op="closed", statement=seq)

    def get(self, seq: int) -> Stored:
        """
        A statement's row.
        """
        return Stored(*self.one("statement_row", seq=seq))

    def copy(self, seq: int, row: Stored) -> int:
        """
        Open the statement's item again as another row; its seq.
        """
        item = decode(ItemKind(row.kind), self.one("statement_body", seq=seq)[0])
        if isinstance(item, Fact):
            item = replace(item, valid=span(row.valid_from, row.valid_to))
        return self.insert(row, item, encode(item))

    def erase(self, seq: int) -> None:
        """
        Remove a statement and all by which it was found; the feed says only that it was erased.
        """
        self.run("supports_drop", statement=seq)
        self.run("entries_delete", seq=seq)
        self.run("statement_delete", seq=seq)
        self.run("feed_erase", statement=seq)
        self.run("feed_add", op="erased", statement=seq)


def span(start: int, end: int) -> Span:
    """
    The interval between two columns.
    """
    return Span(None if start == BEGINNING else moment(start), None if end == OPEN else moment(end))
