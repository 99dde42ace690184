"""
The writer's hands: rows of statements, what supports them and the feed. It holds no rule of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import apsw

from graph.encoding import decode, encode, moment
from graph.sqlite.keys import BEGINNING, OPEN, names
from graph.sqlite.queries import sql
from graph.values import Fact, Item, ItemKind, Span

Value: TypeAlias = int | str | bytes | None
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

    def run(self, query: str, /, **values: Value) -> list[tuple[apsw.SQLiteValue, ...]]:
        """
        All rows of a named query.
        """
        return self._connection.execute(sql(query), values).fetchall()

    def number(self, query: str, /, **values: Value) -> int:
        """
        The one number that a named query gives.
        """
        found = self._connection.execute(sql(query), values).get
        assert isinstance(found, int)  # noqa: S101 - the query selects an integer
        return found

    def numbers(self, query: str, /, **values: Value) -> list[int]:
        """
        The first column of a named query.
        """
        return [row[0] for row in self._connection.execute(sql(query), values).fetchall()]

    def source(self, name: str) -> tuple[int, int]:
        """
        A source's number and how many whole snapshots of it were seen.
        """
        self.run("source_add", name=name)
        found = self._connection.execute(sql("source_get"), {"name": name}).fetchone()
        return found[0], found[1]

    def versions(self, source: int, key: bytes) -> list[Version]:
        """
        All versions of a thing by a source, oldest knowledge first.
        """
        rows = self._connection.execute(sql("versions"), {"source": source, "key": key}).fetchall()
        return [Version(*row) for row in rows]

    def insert(self, row: Mapping[str, Value], item: Item) -> int:
        """
        Open a statement (closed at once where its end is known already); its seq.
        """
        seq = self.number("statement_add", **(dict(row) | {"body": encode(item)}))
        for field, text, at in names(item):
            self.run("entry_add", name=self._name(field, text), at=at, statement=seq)
        self.run("feed_add", op="opened", statement=seq)
        if row["known_to"] != OPEN:
            self.run("feed_add", op="closed", statement=seq)
        return seq

    def _name(self, field: str, text: str) -> int:
        known = self._names.get((field, text))
        if known is None:
            self.run("name_add", field=field, text=text)
            known = self.number("name_get", field=field, text=text)
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

    def get(self, seq: int) -> dict[str, Value]:
        """
        A statement's columns by name.
        """
        cursor = self._connection.execute(sql("statement_row"), {"seq": seq})
        columns = [column[0] for column in cursor.get_description()]
        return dict(zip(columns, cursor.fetchall()[0], strict=True))

    def copy(self, seq: int, **changed: Value) -> int:
        """
        Open the same statement again with other columns; its seq.
        """
        row = self.get(seq) | changed
        item = item_of(row)
        if isinstance(item, Fact):
            item = replace(item, valid=span(row["valid_from"], row["valid_to"]))
        return self.insert(row, item)

    def erase(self, seq: int) -> None:
        """
        Remove a statement and all by which it was found; the feed says only that it was erased.
        """
        self.run("supports_drop", statement=seq)
        self.run("entries_delete", seq=seq)
        self.run("statement_delete", seq=seq)
        self.run("feed_erase", statement=seq)
        self.run("feed_add", op="erased", statement=seq)


def item_of(row: Mapping[str, Value]) -> Item:
    """
    The item in a statement's columns.
    """
    kind, body = row["kind"], row["body"]
    assert isinstance(kind, str) and isinstance(body, bytes)  # noqa: S101 - the table is strict
    return decode(ItemKind(kind), body)


def span(start: Value, end: Value) -> Span:
    """
    The interval between two columns.
    """
    assert isinstance(start, int) and isinstance(end, int)  # noqa: S101 - the table is strict
    return Span(None if start == BEGINNING else moment(start), None if end == OPEN else moment(end))
