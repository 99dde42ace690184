"""
The store on a server as a migration holds it: whatever lies in it, and with patience for large pages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from graph.counting import Counts
from graph.encoding import decode, micros
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
from graph.neo4j import shelves
from graph.neo4j.connecting import Limits, Transaction, one, rows
from graph.neo4j.connecting import Row as Columns
from graph.neo4j.journal import count
from graph.neo4j.properties import record_of, record_row, statement_row, stored_of
from graph.neo4j.store import Neo4jStore
from graph.values import ItemKind

_PATIENT = Limits(read=120, write=300, retry_read=10, retry_write=10)


class Neo4jMoving(Neo4jStore):
    """
    A `graph.moving.Movable`.
    """

    def __init__(self, url: str, *, user: str = "", password: str = "", read_only: bool = False) -> None:
        # a migration alone may open what is half loaded
        super().__init__(url, user=user, password=password, read_only=read_only, whole=False, limits=_PATIENT)
        self.url = url

    def migration(self) -> Migration | None:
        return Migration.noted(self.kept(MIGRATION))

    def counts(self) -> Mapping[Kind, int]:
        return dict(zip(Kind, self._access.read(lambda transaction: one(transaction, "move_counts")), strict=True))

    def dump(self, kind: Kind, after: Key, limit: int) -> Sequence[Row]:
        query, row_of = _PAGES[kind]
        found = self._access.read(lambda transaction: rows(transaction, query, **after, limit=limit))
        return [row_of(columns) for columns in found]

    def load(self, loaded: Sequence[Row], was: Migration | None, now: Migration | None) -> None:
        groups: dict[str, list[object]] = defaultdict(list)
        records = [row.record for row in loaded if isinstance(row, RecordRow)]
        for row in loaded:
            query, given = _put(row)
            groups[query].append(given)

        def work(transaction: Transaction) -> None:
            # the turn is held until the commit, so that two migrations see what the other noted
            rows(transaction, "store_turn")
            if may_load(Migration.noted(shelves.kept(transaction, MIGRATION, None)), was, now):
                for query, given in groups.items():
                    rows(transaction, query, rows=given)
                counts = Counts()
                for record in records:
                    counts.came(record, micros(record.received_at), micros(record.known_at))
                count(transaction, counts, by="journal")
                _note(transaction, now)

        self._access.write(work)


def _note(transaction: Transaction, now: Migration | None) -> None:
    if now is None:
        rows(transaction, "kept_delete", shelf=MIGRATION, key="from")
    else:
        shelves.keep(transaction, MIGRATION, [("from", now.note())], ())


def _put(row: Row) -> tuple[str, object]:
    """
    The query that puts in such rows, and what it takes of this one.
    """
    match row:
        case SourceRow(name, snapshots):
            return "sources_load", {"name": name, "snapshots": snapshots}
        case RecordRow(place, lapsed, record):
            return "records_load", [*record_row(record), place, lapsed]
        case StatementRow(seq, opened, record_id, body, stored):
            return statement_row(seq, stored, decode(ItemKind(stored.kind), body), body, record_id, opened, None)
        case SupportRow(statement, record_place, snapshot):
            return "supports_add", {"statement": statement, "record": record_place, "snapshot": snapshot}
        case LineRow(seq, op, statement):
            return "lines_add", {"seq": seq, "op": op, "statement": statement}
        case KeptRow(shelf, key, body, records):
            return "kept_load", {"shelf": shelf, "key": key, "body": body, "records": list(records)}
        case CounterRow(name, value):
            return "counters_load", {"name": name, "value": value}


def _record(columns: Columns) -> Row:
    node = columns[0]
    return RecordRow(node["seq"], node["lapsed"], record_of(node))


def _statement(columns: Columns) -> Row:
    node = columns[0]
    return StatementRow(node["seq"], node["opened"], node["record"], node["body"].encode(), stored_of(dict(node)))


def _kept(columns: Columns) -> Row:
    shelf, key, body, records = columns
    return KeptRow(shelf, key, bytes(body), tuple(sorted(records)))


_PAGES: Mapping[Kind, tuple[str, Callable[[Columns], Row]]] = {
    Kind.SOURCES: ("move_sources", lambda columns: SourceRow(*columns)),
    Kind.RECORDS: ("move_records", _record),
    Kind.STATEMENTS: ("move_statements", _statement),
    Kind.SUPPORTS: ("move_supports", lambda columns: SupportRow(*columns)),
    Kind.LINES: ("move_lines", lambda columns: LineRow(*columns)),
    Kind.KEPT: ("move_kept", _kept),
    Kind.COUNTERS: ("move_counters", lambda columns: CounterRow(*columns)),
}
