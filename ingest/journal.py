"""
The way in: a payload is cut, redacted, and made durable. Only then may anybody be told that we have it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice

from graph.contract import Store
from graph.values import Record, RecordState
from ingest.connectors import connector
from ingest.contract import Piece, Source
from ingest.errors import BadRecord
from ingest.parsing import MAX_DOCUMENT
from ingest.redaction import Redactor

BATCH = 512
"""Records a commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """
    What became of a payload: ids of its records (in order), how many are new, and the parts that it holds.
    """

    records: tuple[str, ...] = ()
    new: int = 0
    duplicates: int = 0
    quarantined: int = 0
    parts: frozenset[str] = frozenset()


def redactor_of(store: Store) -> Redactor:
    """
    The redactor with this store's own key, made at the first use.
    """
    kept = store.kept("keys", ["redaction"])
    if "redaction" not in kept:
        store.keep("keys", [("redaction", secrets.token_bytes(32))])
        kept = store.kept("keys", ["redaction"])
    return Redactor(kept["redaction"])


def admit(
    store: Store, source: Source, payload: bytes, meta: Mapping[str, str], received_at: datetime | None = None
) -> Admission:
    """
    Make the records of a payload durable. What cannot be read at all becomes one quarantined record; nothing is lost.
    """
    moment = received_at or datetime.now(UTC)
    redactor = redactor_of(store)
    given = {**source.options, **meta}
    records = (_record(source, piece, given, moment, redactor) for piece in _pieces(source, payload, given))
    ids: list[str] = []
    parts: set[str] = set()
    new = duplicates = quarantined = 0
    while batch := list(islice(records, BATCH)):
        batch = _renewed(store, batch, moment)
        receipts = store.append(batch)
        for record, receipt in zip(batch, receipts, strict=True):
            ids.append(receipt.record)
            parts.add(record.part)
            duplicates += receipt.duplicate
            new += not receipt.duplicate
            quarantined += not receipt.duplicate and record.state is RecordState.QUARANTINED
    return Admission(
        records=tuple(ids), new=new, duplicates=duplicates, quarantined=quarantined, parts=frozenset(parts)
    )


def _renewed(store: Store, batch: list[Record], moment: datetime) -> list[Record]:
    """
    What a snapshot says again after it said otherwise is news: such a record gets an id of its own.
    """
    lapsed = store.lapsed([record.id for record in batch if connector(record.connector).snapshot])
    salt = int(moment.timestamp() * 1_000_000)
    return [replace(record, id=f"{record.id}-{salt:x}") if record.id in lapsed else record for record in batch]


def _pieces(source: Source, payload: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    place = meta.get("path") or source.name
    try:
        yield from connector(source.connector).split(payload, meta)
    except BadRecord as error:
        body = payload[:MAX_DOCUMENT].decode("utf-8", "replace").replace("\0", "\ufffd")
        fits = len(payload) <= MAX_DOCUMENT
        yield Piece(part=place, body=body if fits else "", problem=str(error))


def _record(source: Source, piece: Piece, meta: Mapping[str, str], moment: datetime, redactor: Redactor) -> Record:
    problem = piece.problem
    body = piece.body
    digest = hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
    if len(body) > MAX_DOCUMENT:
        problem, body = f"{piece.part} is larger than {MAX_DOCUMENT >> 20} MiB; split it", ""
    kept = {key: redactor.redact(value).text for key, value in {**meta, **piece.meta}.items()}
    body = redactor.redact(body).text.encode("utf-8", "replace").decode()
    return Record(
        id=record_id(source.name, piece.part, digest, kept),
        source=source.name,
        connector=source.connector,
        part=piece.part,
        body=body,
        digest=digest,
        received_at=moment,
        published_at=piece.published_at,
        meta=kept,
        visibility=source.visibility,
        state=RecordState.QUARANTINED if problem else RecordState.PENDING,
        reason=problem,
    )


def record_id(source: str, part: str, digest: str, meta: Mapping[str, str]) -> str:
    """
    The same content of the same part under the same options is the same record.
    """
    text = "\x1f".join([source, part, digest, *(f"{key}={meta[key]}" for key in sorted(meta) if key != "row")])
    return f"r-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def held(admissions: Iterable[Admission]) -> frozenset[str]:
    """
    All parts of several payloads: what a snapshot source still states.
    """
    return frozenset(part for admission in admissions for part in admission.parts)
