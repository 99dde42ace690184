"""
Records in the file: append, claim, settle, list.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import apsw
import orjson

from graph.contract import Excerpt, Standing, Tally
from graph.counting import Counts, tally_of
from graph.encoding import micros, moment
from graph.errors import NotFound
from graph.sqlite.hands import SqliteHands
from graph.sqlite.queries import Row, Value, json_text, labels_of, select
from graph.values import Labels, Record, RecordState


def append(connection: apsw.Connection, hands: SqliteHands, records: Sequence[Record]) -> set[int]:
    """
    Insert what is not there, and tell the places of what is; the caller commits.
    """
    ids = json_text([record.id for record in records])
    there = {identity for (identity,) in select(connection, "records_known", ids=ids)}
    known = set()
    for place, record in enumerate(records):
        if record.id in there:
            known.add(place)
        else:
            there.add(record.id)
            hands.record(record)
    return known


def claim(
    connection: apsw.Connection, hands: SqliteHands, limit: int, source: str | None, lease: timedelta
) -> tuple[Record, ...]:
    """
    Lease the oldest pending records, of this process alone: nobody else writes.
    """
    now = micros(datetime.now(UTC))
    for place in [place for place, until in hands.claims.items() if until <= now]:
        del hands.claims[place]
    claimed = json_text(list(hands.claims))
    found = select(connection, "records_pending", source=source, claimed=claimed, limit=limit)
    until = now + lease // timedelta(microseconds=1)
    hands.claims.update((place, until) for (place,) in found)
    return read(connection, [place for (place,) in found])


def quarantine(hands: SqliteHands, record: str, reason: str) -> None:
    """
    Set a record aside. What was applied or retracted stays so.
    """
    head = hands.head(record)
    if head is None:
        raise NotFound(record, "There is no such record in the store")
    if head.state in (RecordState.PENDING, RecordState.QUARANTINED):
        hands.settle(head, RecordState.QUARANTINED, reason)


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


def excerpts(connection: apsw.Connection, ids: Collection[str], visibility: Labels, length: int) -> tuple[Excerpt, ...]:
    """
    How records begin, oldest first.
    """
    labels = json_text(sorted(visibility))
    rows = select(connection, "excerpts", ids=json_text(sorted(ids)), labels=labels, length=length)
    return tuple(
        Excerpt(identity, source, connector, part, digest, moment(known), text)
        for identity, source, connector, part, digest, known, text in rows
    )


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
        visibility=labels_of(labels),
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
            visibility=labels_of(labels),
            path=orjson.loads(meta).get("path", ""),
            lapsed=bool(gone),
        )
        for identity, part, digest, received_at, known_at, labels, meta, gone in rows
    )


def labelled(connection: apsw.Connection, source: str) -> frozenset[Labels]:
    """
    The sets of labels of a source's records.
    """
    return frozenset(labels_of(labels) for (labels,) in select(connection, "source_labels", source=source))


def restrict(connection: apsw.Connection, hands: SqliteHands, ids: Collection[str], labels: Labels) -> None:
    """
    Add labels to records; the caller commits.
    """
    for identity, old in select(connection, "records_labels", ids=json_text(sorted(ids))):
        number = hands.label_set(labels | labels_of(old))
        select(connection, "record_label", id=identity, visibility=number)


def tally(connection: apsw.Connection) -> tuple[Tally, ...]:
    """
    Every source with its counts.
    """
    return tuple(tally_of(*row) for row in select(connection, "tallies"))
