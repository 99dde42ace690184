"""
The embedded store as a migration holds it: under the writer's lock, whatever lies in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import apsw
import orjson

from graph.encoding import decode
from graph.moving import (
    MIGRATION,
    CounterRow,
    KeptRow,
    Key,
    Kind,
    LineRow,
    Migration,
    RecordRow,
    Row,
    SourceRow,
    StatementRow,
    SupportRow,
    may_load,
)
from graph.sqlite import journal, shelves
from graph.sqlite.hands import SqliteHands, stored_of
from graph.sqlite.queries import Row as Columns
from graph.sqlite.queries import select
from graph.sqlite.store import SqliteStore
from graph.values import ItemKind


class SqliteMoving(SqliteStore):
    """
    A `graph.moving.Movable`.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.url = f"sqlite:///{directory}"

    def _require_whole(self) -> None:
        """
        A migration alone may open what is half loaded.
        """

    def migration(self) -> Migration | None:
        return Migration.noted(self.kept(MIGRATION))

    def counts(self) -> Mapping[Kind, int]:
        with self._reading() as connection:
            return dict(zip(Kind, select(connection, "move_counts")[0], strict=True))

    def dump(self, kind: Kind, after: Key, limit: int) -> Sequence[Row]:
        query, row_of = _PAGES[kind]
        with self._reading() as connection:
            return [row_of(columns) for columns in select(connection, query, **after, limit=limit)]

    def load(self, rows: Sequence[Row], was: Migration | None, now: Migration | None) -> None:
        with self._writing() as connection:
            if may_load(Migration.noted(shelves.kept(connection, MIGRATION, None)), was, now):
                for row in rows:
                    _put(connection, self._hands, row)
                if now is None:
                    self._hands.unkeep(MIGRATION, "from")
                else:
                    shelves.keep(connection, MIGRATION, [("from", now.note())], ())


def _put(connection: apsw.Connection, hands: SqliteHands, row: Row) -> None:
    match row:
        case SourceRow(name, snapshots):
            select(connection, "source_load", name=name, snapshots=snapshots)
        case RecordRow(place, lapsed, record):
            hands.record(record, place, lapsed)
        case StatementRow(seq, opened, _, body, stored):
            hands.put(stored, decode(ItemKind(stored.kind), body), body, seq, opened)
        case SupportRow(statement, record_place, snapshot):
            select(connection, "support_load", statement=statement, record=record_place, snapshot=snapshot)
        case LineRow(seq, op, statement):
            select(connection, "feed_add", seq=seq, op=op, statement=statement)
        case KeptRow(shelf, key, body, records):
            shelves.keep(connection, shelf, [(key, body)], records)
        # the last line of the feed is the feed's end
        case CounterRow(name, value) if name != "feed":
            select(connection, "counter_forget", name=name)
            select(connection, "counter_load", name=name, value=value)


def _record(columns: Columns) -> Row:
    place, lapsed, *values = columns
    return RecordRow(place, bool(lapsed), journal.record_of(tuple(values)))


def _statement(columns: Columns) -> Row:
    seq, opened, record, body, *stored = columns
    return StatementRow(seq, opened, record, body, stored_of(tuple(stored)))


def _support(columns: Columns) -> Row:
    statement, record, snapshot = columns
    return SupportRow(statement, record, bool(snapshot))


def _kept(columns: Columns) -> Row:
    shelf, key, body, records = columns
    return KeptRow(shelf, key, body, tuple(sorted(orjson.loads(records))))


_PAGES: Mapping[Kind, tuple[str, Callable[[Columns], Row]]] = {
    Kind.SOURCES: ("move_sources", lambda columns: SourceRow(*columns)),
    Kind.RECORDS: ("move_records", _record),
    Kind.STATEMENTS: ("move_statements", _statement),
    Kind.SUPPORTS: ("move_supports", _support),
    Kind.LINES: ("move_lines", lambda columns: LineRow(*columns)),
    Kind.KEPT: ("move_kept", _kept),
    Kind.COUNTERS: ("move_counters", lambda columns: CounterRow(*columns)),
}
