"""
`graph.hands.Hands` over the embedded store's writer connection.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import apsw
import orjson

from graph.counting import Counts
from graph.encoding import decode, encode
from graph.hands import Evidence, Head, Stored, Support, Version, part_name, rank_of, span
from graph.keys import OPEN, names
from graph.sqlite.journal import json_text, labels_number
from graph.sqlite.queries import Row, Value, select, select_one
from graph.values import Fact, Item, ItemKind, Labels, RecordState

_KEPT_NAMES = 100_000


class SqliteHands:
    """
    Inside a transaction that the caller opens and ends.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.counts = Counts()
        self._names: dict[tuple[str, str], int] = {}
        self._sources: dict[str, int] = {}
        self._labels: dict[Labels, int] = {}

    def forget_all(self) -> None:
        """
        Drop what is remembered of rows: they were rolled back, or erased.
        """
        for remembered in (self._names, self._sources, self._labels):
            remembered.clear()
        self.counts.clear()

    def _run(self, query: str, /, **values: Value) -> list[Row]:
        return select(self._connection, query, **values)

    def expect_records(self, records: Collection[str], snapshots: Collection[str]) -> None:
        """
        Nothing: a row is never far.
        """

    def expect_things(self, things: Collection[tuple[str, bytes]], parts: Collection[tuple[str, str]]) -> None:
        """
        Nothing.
        """

    def head(self, record: str) -> Head | None:
        row = select_one(self._connection, "record_head", id=record)
        if row is None:
            return None
        place, source, part, received_at, known_at, occurred_at, digest, labels, state = row
        return Head(
            place=place,
            source=source,
            part=part,
            received_at=received_at,
            known_at=known_at,
            rank=rank_of(place, known_at, occurred_at, digest),
            labels=frozenset(orjson.loads(labels)),
            state=RecordState(state),
        )

    def looked(self, source: str, part: str) -> bool:
        return bool(self._run("part_seen", source=source, part=part)[0][0])

    def next_of(self, source: str, part: str, at: int) -> int | None:
        found: int | None = self._run("part_next", source=source, part=part, at=at)[0][0]
        return found

    def settle(self, head: Head, state: RecordState, reason: str = "") -> None:
        self._run("record_settle", seq=head.place, state=state.value, reason=reason)
        self.counts.moved(head.source, head.state, state, head.received_at)

    def lapse(self, place: int) -> None:
        self._run("record_lapse", seq=place)

    def lapse_older(self, source: str, part: str, place: int) -> None:
        self._run("part_lapse", source=source, part=part, seq=place)

    def swept(self, source: str, seen: Collection[str]) -> None:
        self._run("source_swept", id=self._source(source))
        self._run("unseen_lapse", source=source, seen=json_text(sorted(seen)))

    def versions(self, source: str, key: bytes | None) -> list[Version]:
        return [
            Version(seq, digest, known_from, known_to, valid_from, rank_of(*record))
            for seq, digest, known_from, known_to, valid_from, *record in self._run(
                "versions", source=self._source(source), key=key
            )
        ]

    def get(self, seq: int) -> Stored:
        return stored_of(self._run("statement_row", seq=seq)[0])

    def insert(self, row: Stored, item: Item, body: bytes) -> int:
        seq = self.put(row, item, body)
        if row.known_to != OPEN:
            self._run("feed_add", seq=None, op="closed", statement=seq)
        return seq

    def put(self, row: Stored, item: Item, body: bytes, number: int | None = None, opened: int | None = None) -> int:
        """
        A statement with its names and the line of its opening, under these numbers, else under the next; its seq.
        """
        seq: int = self._run(
            "statement_add",
            seq=number,
            source=self._source(row.source),
            key=row.key,
            digest=row.digest,
            kind=row.kind,
            trust=row.trust,
            visibility=self._label_set(row.labels),
            record=row.record,
            known_from=row.known_from,
            known_to=row.known_to,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            body=body,
        )[0][0]
        for field, text, at in names(item):
            self._run("entry_add", name=self._name(field, text), at=at, statement=seq)
        self._run("feed_add", seq=opened, op="opened", statement=seq)
        return seq

    def copy(self, seq: int, row: Stored) -> int:
        item = decode(ItemKind(row.kind), self._run("statement_body", seq=seq)[0][0])
        if isinstance(item, Fact):
            item = replace(item, valid=span(row.valid_from, row.valid_to))
        return self.insert(row, item, encode(item))

    def close(self, seq: int, at: int) -> None:
        self._run("statement_close", seq=seq, at=at)
        self._run("feed_add", seq=None, op="closed", statement=seq)

    def erase(self, seq: int) -> None:
        self._run("supports_drop", statement=seq)
        self._run("entries_delete", seq=seq)
        self._run("statement_delete", seq=seq)
        self._run("feed_erase", statement=seq)
        self._run("feed_add", seq=None, op="erased", statement=seq)

    def supports(self, seq: int) -> list[Support]:
        return [
            Support(part, record, known_at, rank_of(record, known_at, occurred_at, digest))
            for part, record, known_at, occurred_at, digest in self._run("supports_of", statement=seq)
        ]

    def support(self, seq: int, part: str, record: int) -> None:
        self._run("support_add", statement=seq, part=part, record=record)

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
        rank = rank_of(place, known_at, occurred_at, digest)
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
            self._run("source_add", name=name)
            self._sources[name] = self._run("source_number", name=name)[0][0]
        return self._sources[name]

    def _label_set(self, labels: Labels) -> int:
        if labels not in self._labels:
            self._labels[labels] = labels_number(self._connection, labels)
        return self._labels[labels]

    def _name(self, field: str, text: str) -> int:
        known = self._names.get((field, text))
        if known is None:
            known = int(self._run("name_number", field=field, text=text)[0][0])
            if len(self._names) >= _KEPT_NAMES:
                self._names.clear()
            self._names[field, text] = known
        return known


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
        labels=frozenset(orjson.loads(labels)),
        record=record,
        known_from=known_from,
        known_to=known_to,
        valid_from=valid_from,
        valid_to=valid_to,
    )
