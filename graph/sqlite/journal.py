"""
Records in the file: append, claim, settle, list.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import apsw
import orjson

from graph.contract import Receipt, Standing, Tally
from graph.counting import Counts, tally_of
from graph.encoding import micros, moment
from graph.errors import NotFound
from graph.sqlite.queries import Row, Value, select, select_one, sql
from graph.values import Labels, Record, RecordState


def append(connection: apsw.Connection, counts: Counts, records: Sequence[Record]) -> tuple[Receipt, ...]:
    """
    Insert what is not there; the caller commits.
    """
    return tuple(Receipt(record=record.id, duplicate=not put(connection, counts, record)) for record in records)


def put(
    connection: apsw.Connection, counts: Counts, record: Record, place: int | None = None, lapsed: bool = False
) -> bool:
    """
    Insert a record at this place, else at the next; whether its id was not there yet.
    """
    received_at, known_at = micros(record.received_at), micros(record.known_at)
    row: dict[str, Value] = {
        "seq": place,
        "id": record.id,
        "source": record.source,
        "connector": record.connector,
        "part": record.part,
        "body": record.body,
        "digest": record.digest,
        "received_at": received_at,
        "published_at": None if record.published_at is None else micros(record.published_at),
        "occurred_at": None if record.occurred_at is None else micros(record.occurred_at),
        "known_at": known_at,
        "meta": json_text(dict(record.meta)),
        "visibility": labels_number(connection, record.visibility),
        "state": record.state.value,
        "reason": record.reason,
        "lapsed": int(lapsed),
    }
    new = select_one(connection, "record_append", **row) is not None
    if new:
        counts.came(record, received_at, known_at)
    return new


def claim(connection: apsw.Connection, limit: int, source: str | None, lease: timedelta) -> tuple[Record, ...]:
    """
    Lease the oldest pending records.
    """
    now = micros(datetime.now(UTC))
    until = now + lease // timedelta(microseconds=1)
    leased = select(connection, "record_claim", now=now, until=until, source=source, limit=limit)
    return read(connection, [seq for (seq,) in leased])


def quarantine(connection: apsw.Connection, counts: Counts, record: str, reason: str) -> None:
    """
    Set a record aside. What was applied or retracted stays so.
    """
    row = select_one(connection, "record_head", id=record)
    if row is None:
        raise NotFound(record, "There is no such record in the store")
    seq, source, state = row[0], row[1], RecordState(row[-1])
    if state in (RecordState.PENDING, RecordState.QUARANTINED):
        select(connection, "record_settle", seq=seq, state=RecordState.QUARANTINED.value, reason=reason)
        counts.moved(source, state, RecordState.QUARANTINED, 0)


def release(connection: apsw.Connection, counts: Counts, source: str | None, records: Collection[str]) -> int:
    """
    Make quarantined records pending; their number.
    """
    ids = json_text(sorted(records))
    released = select(connection, "records_release", source=source, any_id=not records, ids=ids)
    for (name,) in released:
        counts.moved(name, RecordState.QUARANTINED, RecordState.PENDING, 0)
    return len(released)


def find(
    connection: apsw.Connection,
    ids: Collection[str],
    source: str | None,
    state: RecordState | None,
    visibility: Labels | None,
    limit: int,
) -> tuple[Record, ...]:
    """
    Records oldest first.
    """
    values: dict[str, Value] = {
        "source": source,
        "state": state.value if state else None,
        "all_labels": visibility is None,
        "labels": json_text(sorted(visibility or ())),
        "limit": limit,
    }
    if ids:
        rows = select(connection, "records_by_id", **values, ids=json_text(sorted(ids)))
    else:
        rows = select(connection, "records_by_state", **values)
    return read(connection, [seq for (seq,) in rows])


def read(connection: apsw.Connection, seqs: Sequence[int]) -> tuple[Record, ...]:
    """
    Whole records by place, oldest first.
    """
    rows = select(connection, "records_by_seq", seqs=json_text(list(seqs)))
    return tuple(record_of(row) for row in rows)


def record_of(row: Row) -> Record:
    """
    The record of a row of thirteen: its values in their order.
    """
    identity, source, connector, part, body, digest, received_at, published_at, occurred_at, *rest = row
    meta, labels, state, reason = rest
    return Record(
        id=identity,
        source=source,
        connector=connector,
        part=part,
        body=body,
        digest=digest,
        received_at=moment(received_at),
        published_at=None if published_at is None else moment(published_at),
        occurred_at=None if occurred_at is None else moment(occurred_at),
        meta=orjson.loads(meta),
        visibility=frozenset(orjson.loads(labels)),
        state=RecordState(state),
        reason=reason,
    )


def lapsed(connection: apsw.Connection, ids: Collection[str]) -> frozenset[str]:
    """
    Those of the records that do not count any more.
    """
    return frozenset(name for (name,) in select(connection, "records_lapsed", ids=json_text(sorted(ids))))


def standing(connection: apsw.Connection, source: str, parts: Collection[str]) -> tuple[Standing, ...]:
    """
    The record that stands for each of the parts.
    """
    rows = select(connection, "records_standing", source=source, parts=json_text(sorted(parts)))
    return tuple(
        Standing(
            record=identity,
            part=part,
            digest=digest,
            received_at=moment(received_at),
            known_at=moment(known_at),
            visibility=frozenset(orjson.loads(labels)),
            path=orjson.loads(meta).get("path", ""),
            lapsed=bool(gone),
        )
        for identity, part, digest, received_at, known_at, labels, meta, gone in rows
    )


def labelled(connection: apsw.Connection, source: str) -> frozenset[Labels]:
    """
    The sets of labels of a source's records.
    """
    return frozenset(
        frozenset(orjson.loads(labels)) for (labels,) in select(connection, "source_labels", source=source)
    )


def restrict(connection: apsw.Connection, ids: Collection[str], labels: Labels) -> None:
    """
    Add labels to records; the caller commits.
    """
    for identity, old in select(connection, "records_labels", ids=json_text(sorted(ids))):
        number = labels_number(connection, labels | frozenset(orjson.loads(old)))
        select(connection, "record_label", id=identity, visibility=number)


def tally(connection: apsw.Connection) -> tuple[Tally, ...]:
    """
    Every source with its counts.
    """
    return tuple(tally_of(*row) for row in select(connection, "tallies"))


def count(connection: apsw.Connection, counts: Counts) -> None:
    """
    Write what a transaction did to the tallies; the caller commits.
    """
    rows, shrunk = counts.take()
    for row in rows:
        connection.execute(sql("tally_add"), row)
    for one in shrunk:
        connection.execute(sql("tally_renew"), asdict(one))
        select(connection, "tally_drop", source=one.source)


def labels_number(connection: apsw.Connection, labels: Labels) -> int:
    """
    The number of a set of labels.
    """
    text = json_text(sorted(labels))
    select(connection, "labels_add", labels=text)
    return int(select(connection, "labels_get", labels=text)[0][0])


def json_text(value: object) -> str:
    """
    A value as the JSON text that queries take lists in.
    """
    return orjson.dumps(value).decode()
