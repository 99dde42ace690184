"""
Values as properties of nodes, and back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import orjson

from graph.decoded import statement_of
from graph.encoding import micros, moment
from graph.errors import InvalidValue
from graph.hands import Stored
from graph.neo4j.connecting import Row
from graph.values import (
    UNPLACED,
    Alert,
    AlertRule,
    Change,
    Fact,
    FactKind,
    Item,
    ItemKind,
    Record,
    RecordState,
    Statement,
)

LONGEST_INDEXED = 1000
"""Characters of a text that is looked up; an index takes about 8,000 bytes, and some have two texts."""
_LONELY = (FactKind.ENTITY, FactKind.ALIAS, FactKind.JUDGED, FactKind.POLICY)
"""Facts that are no edge between two entities."""
_TYPES = {
    ItemKind.INCIDENT: "Incident",
    ItemKind.RUNBOOK: "Runbook",
    ItemKind.ALERT_RULE: "AlertRule",
    ItemKind.ALERT: "Alert",
}


def indexed(text: str) -> str:
    """
    A text as it is looked up: itself, or a long one's beginning and digest.
    """
    if len(text) <= LONGEST_INDEXED:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[: LONGEST_INDEXED - len(digest)]}{digest}"


def thing_of(source: str, key: bytes) -> str:
    """
    What two statements share that are versions of one.
    """
    return f"{indexed(source)}\n{key.hex()}"


def stand_of(source: str, part: str) -> str:
    """
    What two records share of which one stands for both.
    """
    return f"{indexed(source)}\n{indexed(part)}"


def statement_row(
    seq: int, row: Stored, item: Item, body: bytes, record: str, opened: int, snapshot: bool | None
) -> tuple[str, list[object]]:
    """
    The query that opens such a statement, and its row: values alone, since names would be half of what is sent.
    `snapshot`: its own record states it, as a snapshot or not; None: it does not any more.
    """
    made: list[object] = [
        row.record,
        snapshot,
        seq,
        None if row.key is None else thing_of(row.source, row.key),
        row.source,
        row.digest.hex(),
        row.kind,
        row.trust,
        sorted(row.labels),
        record,
        row.known_from,
        row.known_to,
        row.valid_from,
        row.valid_to,
        opened,
        body.decode(),
    ]
    if isinstance(item, Fact):
        edge = [] if item.kind in _LONELY else [item.kind.value.upper()]
        return "facts_add", [*made, item.kind.value, indexed(item.subject), indexed(item.object), edge]
    if isinstance(item, Change):
        services = sorted({indexed(one) for one in item.services or (UNPLACED,)})
        revision = indexed(item.revision) if item.revision else None
        return "changes_add", [*made, indexed(item.id), micros(item.at), revision, services]
    name = indexed(item.name if isinstance(item, Alert | AlertRule) else item.id)
    at = micros(item.at) if isinstance(item, Alert) else None
    return "documents_add", [*made, name, at, _TYPES[ItemKind(row.kind)]]


def stored_of(row: Mapping[str, object]) -> Stored:
    """
    A statement's row, of its node's properties.
    """
    # one that replaces nothing has no thing
    thing, labels = row.get("thing"), row["labels"]
    return Stored(
        source=str(row["source"]),
        key=bytes.fromhex(str(thing).rpartition("\n")[2]) if thing else None,
        digest=bytes.fromhex(str(row["digest"])),
        kind=str(row["kind"]),
        trust=_number(row["trust"]),
        labels=frozenset(labels) if isinstance(labels, list) else frozenset(),
        record=_number(row["evidence"]),
        known_from=_number(row["known_from"]),
        known_to=_number(row["known_to"]),
        valid_from=_number(row["valid_from"]),
        valid_to=_number(row["valid_to"]),
    )


def _number(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 - only this package writes these properties
    return value


def statement_of_row(row: Row) -> Statement[Item]:
    """
    The statement of a row of nine: seq, kind, body, record, source, trust, known from and to, labels.
    """
    seq, kind, body, record, source, trust, known_from, known_to, labels = row
    return statement_of(seq, kind, body, record, source, trust, known_from, known_to, frozenset(labels))


def record_row(record: Record) -> list[object]:
    """
    A record's values in the order in which it is appended. InvalidValue where a text is no Unicode.
    """
    row: list[object] = [
        record.id,
        record.source,
        record.connector,
        record.part,
        stand_of(record.source, record.part),
        record.body,
        record.digest,
        micros(record.received_at),
        None if record.published_at is None else micros(record.published_at),
        micros(record.known_at),
        orjson.dumps(dict(record.meta), option=orjson.OPT_SORT_KEYS).decode(),
        sorted(record.visibility),
        record.state.value,
        record.reason,
        None if record.occurred_at is None else micros(record.occurred_at),
    ]
    try:
        orjson.dumps(row)
    except orjson.JSONEncodeError as error:
        raise InvalidValue(repr(record.id), f"The record is not valid Unicode ({error})") from error
    return row


def record_of(row: Mapping[str, object]) -> Record:
    """
    The record of a node.
    """
    published, occurred = row.get("published_at"), row.get("occurred_at")
    labels = row["labels"]
    return Record(
        id=str(row["id"]),
        source=str(row["source"]),
        connector=str(row["connector"]),
        part=str(row["part"]),
        body=str(row["body"]),
        digest=str(row["digest"]),
        received_at=moment(int(str(row["received_at"]))),
        published_at=None if published is None else moment(int(str(published))),
        occurred_at=None if occurred is None else moment(int(str(occurred))),
        meta=orjson.loads(str(row["meta"])),
        visibility=frozenset(labels) if isinstance(labels, list) else frozenset(),
        state=RecordState(str(row["state"])),
        reason=str(row["reason"]),
    )
