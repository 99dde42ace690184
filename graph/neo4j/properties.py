"""
Values as properties of nodes, and back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import orjson

from graph.encoding import decode, micros, moment
from graph.errors import InvalidValue
from graph.hands import Stored
from graph.keys import OPEN
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
    Span,
    Statement,
    Trust,
)

LONGEST_INDEXED = 1000
"""Characters of a text that is looked up; an index takes about 8,000 bytes, and some have two texts."""
_LONELY = (FactKind.ENTITY, FactKind.ALIAS)
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
) -> tuple[str, dict[str, object]]:
    """
    The query that opens such a statement, and its row. `snapshot`: its own record states it, as a snapshot or not;
    None: it does not any more.
    """
    statement: dict[str, object] = {
        "seq": seq,
        "thing": None if row.key is None else thing_of(row.source, row.key),
        "source": row.source,
        "digest": row.digest.hex(),
        "kind": row.kind,
        "trust": row.trust,
        "labels": sorted(row.labels),
        "record": record,
        "evidence": row.record,
        "known_from": row.known_from,
        "known_to": row.known_to,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "opened": opened,
        "body": body.decode(),
    }
    made: dict[str, object] = {"statement": statement, "snapshot": snapshot}
    if isinstance(item, Fact):
        statement |= {"fact": item.kind.value, "subject": indexed(item.subject), "object": indexed(item.object)}
        edge = {"statement": seq} | {
            name: statement[name] for name in ("known_from", "known_to", "valid_from", "valid_to", "trust", "labels")
        }
        return "facts_add", made | {
            "type": item.kind.value.upper(),
            "edges": [] if item.kind in _LONELY else [edge],
        }
    if isinstance(item, Change):
        statement |= {"name": indexed(item.id), "at": micros(item.at)}
        statement |= {"revision": indexed(item.revision)} if item.revision else {}
        return "changes_add", made | {"services": sorted({indexed(one) for one in item.services or (UNPLACED,)})}
    statement["name"] = indexed(item.name if isinstance(item, Alert | AlertRule) else item.id)
    if isinstance(item, Alert):
        statement["at"] = micros(item.at)
    return "documents_add", made | {"type": _TYPES[ItemKind(row.kind)]}


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


def statement_of(row: Row) -> Statement[Item]:
    """
    The statement of a row of nine: seq, kind, body, record, source, trust, known from and to, labels.
    """
    seq, kind, body, record, source, trust, known_from, known_to, labels = row
    return Statement(
        seq=seq,
        item=decode(ItemKind(kind), body),
        record=record,
        source=source,
        trust=Trust(trust),
        known=Span(moment(known_from), None if known_to == OPEN else moment(known_to)),
        visibility=frozenset(labels),
    )


def record_row(record: Record) -> dict[str, object]:
    """
    A record's properties but for its number. InvalidValue where a text is no Unicode.
    """
    row: dict[str, object] = {
        "id": record.id,
        "source": record.source,
        "connector": record.connector,
        "part": record.part,
        "stand": stand_of(record.source, record.part),
        "body": record.body,
        "digest": record.digest,
        "received_at": micros(record.received_at),
        "published_at": None if record.published_at is None else micros(record.published_at),
        "known_at": micros(record.known_at),
        "meta": orjson.dumps(dict(record.meta), option=orjson.OPT_SORT_KEYS).decode(),
        "labels": sorted(record.visibility),
        "state": record.state.value,
        "reason": record.reason,
        "claimed_until": 0,
        "lapsed": False,
    }
    try:
        orjson.dumps(row)
    except orjson.JSONEncodeError as error:
        raise InvalidValue(repr(record.id), f"The record is not valid Unicode ({error})") from error
    return row


def record_of(row: Mapping[str, object]) -> Record:
    """
    The record of a node.
    """
    published = row.get("published_at")
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
        meta=orjson.loads(str(row["meta"])),
        visibility=frozenset(labels) if isinstance(labels, list) else frozenset(),
        state=RecordState(str(row["state"])),
        reason=str(row["reason"]),
    )
