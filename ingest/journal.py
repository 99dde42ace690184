"""
The way in: a payload is cut, redacted, and made durable. Only then may anybody be told that we have it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice

from graph.contract import Standing, Store
from graph.errors import StoreUnavailable
from graph.values import PUBLIC, Labels, Record, RecordState
from ingest.connectors import connector, feedback, identity
from ingest.contract import Piece, Source
from ingest.errors import BadRecord, NotAllowed
from ingest.parsing import MAX_DOCUMENT
from ingest.redaction import Redactor
from ingest.redaction_bodies import redact_body
from ingest.strangers import stranger

BATCH = 512
"""Records a commit."""
DELIVERY = frozenset({"webhook-id", "svix-id", "idempotency-key"})
"""Headers by which any sender may mark one delivery, beside those that its connector names."""


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
    The redactor with this store's own key, made at the first use; where nothing can be kept, one for this time alone.
    """
    kept = store.kept("keys", ["redaction"])
    if "redaction" not in kept:
        made = secrets.token_bytes(32)
        try:
            store.keep("keys", [("redaction", made)])
        except StoreUnavailable:
            return Redactor(made)
        kept = store.kept("keys", ["redaction"])
    return Redactor(kept["redaction"])


def admit(
    store: Store,
    source: Source,
    payload: bytes,
    meta: Mapping[str, str],
    received_at: datetime | None = None,
    sender: Labels | None = None,
    redactor: Redactor | None = None,
) -> Admission:
    """
    Make the records of a payload durable. What cannot be read at all becomes one quarantined record; nothing is lost.

    `sender` are the labels of whoever sent it; None is this machine's own command, which may write anything.
    `redactor` is the store's, where the caller remembers it.
    """
    moment = received_at or datetime.now(UTC)
    redactor = redactor or redactor_of(store)
    source = named(source, redactor)
    if sender is not None:
        source = guarded(source, store.labelled(source.name), sender)
    records = records_of(source, payload, meta, moment, redactor)
    coming = Coming(store, source.name, moment)
    while batch := list(islice(records, BATCH)):
        coming.take(batch)
    return coming.end()


def named(source: Source, redactor: Redactor) -> Source:
    """
    The source under its name without secrets. NotAllowed under that of people's decisions.
    """
    if source.name in (identity.NAME, feedback.NAME) and source.name != source.connector:
        raise NotAllowed(
            f"the source name {source.name!r} is kept for decisions of people; give the source another one"
        )
    return replace(source, name=redactor.redact(source.name).text)


def records_of(
    source: Source, payload: bytes, meta: Mapping[str, str], moment: datetime, redactor: Redactor
) -> Iterator[Record]:
    """
    The records of a payload, cut and redacted.
    """
    given = {**source.options, **meta}
    # the connector reads the options as they are; a record keeps them without secrets
    kept = {key: redactor.redact_value(key, value).text for key, value in given.items()}
    return (_record(source, piece, kept, moment, redactor) for piece in _pieces(source, payload, given))


def guarded(source: Source, labelled: Iterable[Labels], sender: Labels) -> Source:
    """
    The source with the labels that its records carry, which what is sent to it carries too. NotAllowed where the sender
    lacks one: whatever he sends might replace a restricted record, or tell him by its answer whether he guessed one.
    """
    labels = PUBLIC.union(*labelled)
    if not labels <= sender:
        raise NotAllowed(
            f"the source {source.name!r} holds restricted records; sending to it needs a token with their labels"
        )
    return replace(source, visibility=source.visibility | labels)


class Coming:
    """
    One payload on its way in.

    What was said before and is said again is a duplicate, unless it stands no more. A snapshot stands no more when a
    newer one of its part was applied or its part was swept. An event that says when it occurred stands where it is:
    said again it changes nothing. Another stands no more when another record stands for its part (the one that counts
    last), was read at the same place and is not known later by the source's own time. So A, B, A ends at A, received
    thrice; an older event that comes again changes nothing where the source gives its time or a delivery its id, and of
    a file that says both only the last counts.

    The same content under other labels is stated again under these from the time on that it was known, so that the
    other statement never counts; where labels were added, the older record carries them too.
    """

    def __init__(self, store: Store, source: str, moment: datetime) -> None:
        self._store, self._source = store, source
        self._moment = moment
        self._ids: list[str] = []
        self._parts: set[str] = set()
        self._new = self._duplicates = self._quarantined = 0
        self._again: dict[str, tuple[int, Record]] = {}

    def take(self, batch: list[Record]) -> None:
        """
        A batch of records, in one commit.
        """
        standing = standing_of(self._store, self._source, {record.part for record in batch})
        ready = self.ready(batch, standing)
        self.note(ready, self._appended(ready), standing)

    def ready(self, batch: list[Record], standing: Mapping[str, Standing]) -> list[Record]:
        """
        The records as they are appended, where these stand for their parts.
        """
        batch = self._renewed([_as_standing(record, standing.get(record.part)) for record in batch])
        return [self._labelled(record, standing.get(record.part)) for record in batch]

    def note(self, batch: Sequence[Record], duplicates: Sequence[bool], standing: Mapping[str, Standing]) -> None:
        """
        What became of those that were ready.
        """
        for record, duplicate in zip(batch, duplicates, strict=True):
            self._again.pop(record.part, None)
            if duplicate and _may_return(record, standing.get(record.part)):
                self._again[record.part] = (len(self._ids), record)
            self._ids.append(record.id)
            self._parts.add(record.part)
            self._duplicates += duplicate
            self._new += not duplicate
            self._quarantined += not duplicate and record.state is RecordState.QUARANTINED

    def end(self) -> Admission:
        """
        Events that took effect again are told only now, when it is known that the payload says nothing later.
        """
        places = list(self._again.values())
        for first in range(0, len(places), BATCH):
            self._return(places[first : first + BATCH])
        return Admission(
            records=tuple(self._ids),
            new=self._new,
            duplicates=self._duplicates,
            quarantined=self._quarantined,
            parts=frozenset(self._parts),
        )

    def _return(self, places: Sequence[tuple[int, Record]]) -> None:
        parts = {record.part for _, record in places}
        standing = standing_of(self._store, self._source, parts)
        back = [(place, record) for place, record in places if _may_return(record, standing.get(record.part))]
        batch = [self._labelled(self._anew(record), standing.get(record.part)) for _, record in back]
        self._appended(batch)
        for (place, _), record in zip(back, batch, strict=True):
            self._ids[place] = record.id
        self._new += len(back)
        self._duplicates -= len(back)

    def _appended(self, batch: list[Record]) -> list[bool]:
        return [receipt.duplicate for receipt in self._store.append(batch)]

    def _renewed(self, batch: list[Record]) -> list[Record]:
        """
        What a snapshot says again after it said otherwise is news: such a record gets an id of its own.
        """
        snapshots = [record.id for record in batch if connector(record.connector).snapshot]
        if not snapshots:
            return batch
        lapsed = self._store.lapsed(snapshots)
        return [self._anew(record) if record.id in lapsed else record for record in batch]

    def _anew(self, record: Record) -> Record:
        return replace(record, id=f"{record.id}-{int(self._moment.timestamp() * 1_000_000):x}")

    def _labelled(self, record: Record, standing: Standing | None) -> Record:
        """
        The record at the time of the one that said the same under other labels.
        """
        if standing is None or standing.digest != record.digest or standing.visibility == record.visibility:
            return record
        if not record.visibility <= standing.visibility:
            self._store.restrict([standing.record], record.visibility)
        return record if standing.lapsed else replace(record, received_at=standing.received_at)


def standing_of(store: Store, source: str, parts: Collection[str]) -> dict[str, Standing]:
    """
    What stands for the parts of a source, by part.
    """
    return {one.part: one for one in store.standing(source, parts)}


def _as_standing(record: Record, standing: Standing | None) -> Record:
    """
    Under the id by which it stands, where it was told anew before.
    """
    if standing is None or standing.lapsed or not standing.record.startswith(f"{record.id}-"):
        return record
    return replace(record, id=standing.record)


def _may_return(record: Record, standing: Standing | None) -> bool:
    """
    Whether an event that was there already takes effect again. One that says when it occurred never does: the same
    again is the same event.
    """
    return (
        standing is not None
        and record.occurred_at is None
        and standing.record != record.id
        and not connector(record.connector).snapshot
        and not _delivery(record)
        and standing.path == record.meta.get("path", "")
        and (record.published_at is None or record.published_at >= standing.known_at)
    )


def _delivery(record: Record) -> bool:
    """
    Whether its sender marked the delivery; the same again is the same delivery.
    """
    return not record.meta.keys().isdisjoint(DELIVERY.union(connector(record.connector).delivery))


def _pieces(source: Source, payload: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    place = meta.get("path") or source.name
    reason = stranger(source.connector, payload, meta)
    if reason:
        yield Piece(part=place, body=payload.decode("utf-8", "replace").replace("\0", "\ufffd"), problem=reason)
        return
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
    kept = {**meta, **{key: redactor.redact_value(key, value).text for key, value in piece.meta.items()}}
    body = redact_body(redactor, body).text.encode("utf-8", "replace").decode()
    part = redactor.redact(piece.part).text
    return Record(
        id=record_id(source.name, part, digest, kept, source.visibility),
        source=source.name,
        connector=source.connector,
        part=part,
        body=body,
        digest=digest,
        received_at=moment,
        published_at=piece.published_at,
        occurred_at=None if connector(source.connector).snapshot else piece.occurred_at,
        meta=kept,
        visibility=source.visibility,
        state=RecordState.QUARANTINED if problem else RecordState.PENDING,
        reason=redactor.redact(problem).text if problem else "",
    )


def record_id(source: str, part: str, digest: str, meta: Mapping[str, str], labels: Labels = PUBLIC) -> str:
    """
    The same content of the same part under the same options and labels is the same record.
    """
    options = [f"{key}={meta[key]}" for key in sorted(meta) if key != "row"]
    text = "\x1f".join([source, part, digest, *options, *(f"label={label}" for label in sorted(labels))])
    return f"r-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"
