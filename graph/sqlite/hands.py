"""
`graph.hands.Hands` over the embedded store's writer connection.

A batch is a few queries instead of several a row: records and things that will be asked about are looked up at once,
and rows wait to be written together. Whatever reads such rows has them written first, so nobody sees the difference.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace

import apsw

from graph.counting import Counts
from graph.encoding import decode, encode, micros
from graph.hands import Evidence, Head, Stored, Support, Version, part_name, rank_of, span
from graph.keys import OPEN, names
from graph.sqlite.queries import Row, Value, json_text, labels_of, select, sql
from graph.values import Fact, Item, ItemKind, Labels, Record, RecordState

_KEPT_NAMES = 100_000
_IN_ORDER = ("record_append", "statement_add", "entry_add", "support_add", "feed_add", "record_settle")
"""What may wait, in the order in which one refers to another."""


class SqliteHands:
    """
    Inside a transaction that the caller opens and ends.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.counts = Counts()
        self.claims: dict[int, int] = {}
        """Until when a pending record, by its place, is leased to somebody."""
        self._heads: dict[str, Head] = {}
        self._unstated: set[tuple[str, bytes]] = set()
        self._last: int | None = None
        self._waiting: dict[str, list[tuple[Value, ...]]] = {}
        self._names: dict[tuple[str, str], int] = {}
        self._sources: dict[str, int] = {}
        self._labels: dict[Labels, int] = {}

    def forget_all(self) -> None:
        """
        Drop what is remembered of rows: they were rolled back, or erased.
        """
        for remembered in (self._names, self._sources, self._labels, self._waiting):
            remembered.clear()
        self.counts.clear()
        self._end()

    def flush(self) -> None:
        """
        Write all that waits; the caller commits.
        """
        self._write()
        rows, shrunk = self.counts.take()
        for row in rows:
            self._connection.execute(sql("tally_add"), row)
        for one in shrunk:
            self._connection.execute(sql("tally_renew"), asdict(one))
            self._run("tally_drop", source=one.source)
        self._end()

    def _end(self) -> None:
        self._heads.clear()
        self._unstated.clear()
        self._last = None

    def _write(self) -> None:
        for query in _IN_ORDER:
            if rows := self._waiting.pop(query, None):
                self._connection.executemany(sql(query), rows)

    def _later(self, query: str, *values: Value) -> None:
        """
        A row to be written with others, by the order of its columns.
        """
        self._waiting.setdefault(query, []).append(values)

    def _run(self, query: str, /, **values: Value) -> list[Row]:
        """
        A query after all that waits.
        """
        if self._waiting:
            self._write()
        return select(self._connection, query, **values)

    def record(self, record: Record, place: int | None = None, lapsed: bool = False) -> None:
        """
        A record that is not there, at this place, else at the next.
        """
        received_at, known_at = micros(record.received_at), micros(record.known_at)
        self._later(
            "record_append",
            place,
            record.id,
            record.source,
            record.connector,
            record.part,
            record.body,
            record.digest,
            received_at,
            None if record.published_at is None else micros(record.published_at),
            None if record.occurred_at is None else micros(record.occurred_at),
            known_at,
            json_text(dict(record.meta)),
            self.label_set(record.visibility),
            record.state.value,
            record.reason,
            int(lapsed),
        )
        self.counts.came(record, received_at, known_at)

    def expect_records(self, records: Collection[str], snapshots: Collection[str]) -> None:
        for row in self._run("record_heads", ids=json_text(list(records))):
            head = _head(*row)
            self._heads[head.id] = head

    def expect_things(self, things: Collection[tuple[str, bytes]], parts: Collection[tuple[str, str]]) -> None:
        for source, keys in _by_source(things).items():
            given = json_text([key.hex() for key in keys])
            stated = {key for (key,) in self._run("things_stated", source=self._source(source), keys=given)}
            self._unstated.update((source, key) for key in keys if key not in stated)

    def head(self, record: str) -> Head | None:
        if record not in self._heads:
            self.expect_records([record], ())
        return self._heads.get(record)

    def looked(self, source: str, part: str) -> bool:
        return bool(self._run("part_seen", source=source, part=part)[0][0])

    def next_of(self, source: str, part: str, at: int) -> int | None:
        found: int | None = self._run("part_next", source=source, part=part, at=at)[0][0]
        return found

    def settle(self, head: Head, state: RecordState, reason: str = "") -> None:
        self._later("record_settle", state.value, reason, head.place)
        self.claims.pop(head.place, None)
        self.counts.moved(head.source, head.state, state, head.received_at)
        # whoever asks for it again reads it anew
        self._heads.pop(head.id, None)

    def lapse(self, place: int) -> None:
        self._run("record_lapse", seq=place)

    def lapse_older(self, source: str, part: str, place: int) -> None:
        self._run("part_lapse", source=source, part=part, seq=place)

    def swept(self, source: str, seen: Collection[str]) -> None:
        self._run("source_swept", id=self._source(source))
        self._run("unseen_lapse", source=source, seen=json_text(sorted(seen)))

    def versions(self, source: str, key: bytes | None) -> list[Version]:
        if key is None or (source, key) in self._unstated:
            return []
        return [
            Version(seq, digest, known_from, known_to, valid_from, rank_of(*record))
            for seq, digest, known_from, known_to, valid_from, *record in self._run(
                "versions", source=self._source(source), key=key
            )
        ]

    def get(self, seq: int) -> Stored:
        return stored_of(self._run("statement_row", seq=seq)[0])

    def insert(self, row: Stored, item: Item, body: bytes) -> int:
        if self._last is None:
            self._last = int(self._run("statements_last")[0][0])
        self._last += 1
        self.put(row, item, body, self._last)
        if row.known_to != OPEN:
            self._later("feed_add", None, "closed", self._last)
        return self._last

    def put(self, row: Stored, item: Item, body: bytes, seq: int, opened: int | None = None) -> None:
        """
        A statement of this number with its names and the line of its opening, at this place or the feed's end.
        """
        if row.key is not None:
            self._unstated.discard((row.source, row.key))
        self._later(
            "statement_add",
            seq,
            self._source(row.source),
            row.key,
            row.digest,
            row.kind,
            row.trust,
            self.label_set(row.labels),
            row.record,
            row.known_from,
            row.known_to,
            row.valid_from,
            row.valid_to,
            body,
        )
        for field, text, at in names(item):
            self._later("entry_add", self._name(field, text), at, seq)
        self._later("feed_add", opened, "opened", seq)

    def item(self, seq: int) -> Item:
        kind, body = self._run("statement_body", seq=seq)[0]
        return decode(ItemKind(kind), body)

    def copy(self, seq: int, row: Stored) -> int:
        item = self.item(seq)
        if isinstance(item, Fact):
            item = replace(item, valid=span(row.valid_from, row.valid_to))
        return self.insert(row, item, encode(item))

    def close(self, seq: int, at: int) -> None:
        self._run("statement_close", seq=seq, at=at)
        self._later("feed_add", None, "closed", seq)

    def erase(self, seq: int) -> None:
        self._run("supports_drop", statement=seq)
        self._run("entries_delete", seq=seq)
        self._run("statement_delete", seq=seq)
        self._run("feed_erase", statement=seq)
        self._later("feed_add", None, "erased", seq)

    def supports(self, seq: int) -> list[Support]:
        return [
            Support(part, record, known_at, rank_of(known_at, occurred_at, digest))
            for part, record, known_at, occurred_at, digest in self._run("supports_of", statement=seq)
        ]

    def support(self, seq: int, part: str, record: int) -> None:
        self._later("support_add", part, record, seq)

    def support_anew(self, seq: int, part: str, record: int) -> None:
        self._run("support_replace", statement=seq, part=part, record=record)
        self.support(seq, part, record)

    def unsupport_part(self, seq: int, part: str) -> None:
        self._run("support_drop", statement=seq, part=part)

    def unsupport_record(self, seq: int, record: int) -> None:
        self._run("support_drop_record", statement=seq, record=record)

    def unsupport_parts(self, seq: int) -> None:
        self._run("supports_drop_parts", statement=seq)

    def move_supports(self, seq: int, target: int) -> None:
        self._run("supports_move", statement=seq, target=target)

    def stated_by(self, source: str, part: str) -> list[int]:
        return [seq for (seq,) in self._run("part_supports", source=self._source(source), part=part)]

    def unseen(self, source: str, seen: Collection[str]) -> list[tuple[int, str]]:
        parts = json_text(sorted(part_name(part) for part in seen))
        return [(seq, part) for seq, part in self._run("unseen_supports", source=self._source(source), seen=parts)]

    def evidence(self, seq: int) -> Evidence:
        place, part, known_at, occurred_at, digest, state = self._run("evidence", statement=seq)[0]
        rank = rank_of(known_at, occurred_at, digest)
        return Evidence(place=place, part=part, known_at=known_at, rank=rank, state=RecordState(state))

    def resting_on(self, place: int) -> list[int]:
        return [seq for (seq,) in self._run("statements_of_record", record=place)]

    def kept_of(self, place: int) -> tuple[tuple[str, str], ...]:
        return tuple((shelf, key) for shelf, key in self._run("kept_of_record", record=place))

    def unkeep(self, shelf: str, key: str) -> None:
        self._run("kept_delete", shelf=shelf, key=key)
        self._run("keep_links_drop", shelf=shelf, key=key)

    def forget(self, head: Head) -> None:
        self._run("names_orphaned")
        self._run("sources_orphaned", seq=head.place)
        self._run("record_delete", seq=head.place)
        self._run("labels_orphaned")
        self.counts.went(head.source, RecordState.RETRACTED, head.received_at, head.known_at)

    def _source(self, name: str) -> int:
        if name not in self._sources:
            self._select("source_add", name=name)
            self._sources[name] = self._select("source_number", name=name)[0][0]
        return self._sources[name]

    def label_set(self, labels: Labels) -> int:
        """
        The number of a set of labels.
        """
        if labels not in self._labels:
            text = json_text(sorted(labels))
            self._select("labels_add", labels=text)
            self._labels[labels] = self._select("labels_get", labels=text)[0][0]
        return self._labels[labels]

    def _name(self, field: str, text: str) -> int:
        known = self._names.get((field, text))
        if known is None:
            known = int(self._select("name_number", field=field, text=text)[0][0])
            if len(self._names) >= _KEPT_NAMES:
                self._names.clear()
            self._names[field, text] = known
        return known

    def _select(self, query: str, **values: Value) -> list[Row]:
        """
        Of a table of names, whose rows never wait.
        """
        return select(self._connection, query, **values)


def _by_source(things: Collection[tuple[str, bytes]]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for source, key in things:
        found.setdefault(source, []).append(key)
    return found


def _head(
    place: int,
    identity: str,
    source: str,
    part: str,
    received_at: int,
    known_at: int,
    occurred_at: int | None,
    digest: str,
    labels: str,
    state: str,
) -> Head:
    return Head(
        id=identity,
        place=place,
        source=source,
        part=part,
        received_at=received_at,
        known_at=known_at,
        rank=rank_of(known_at, occurred_at, digest),
        labels=labels_of(labels),
        state=RecordState(state),
    )


def stored_of(row: Row) -> Stored:
    """
    The statement of a row of eleven: source, key, digest, kind, trust, labels, record, known and valid times.
    """
    source, key, digest, kind, trust, labels, record, known_from, known_to, valid_from, valid_to = row
    return Stored(
        source=source,
        key=key,
        digest=digest,
        kind=kind,
        trust=trust,
        labels=labels_of(labels),
        record=record,
        known_from=known_from,
        known_to=known_to,
        valid_from=valid_from,
        valid_to=valid_to,
    )
