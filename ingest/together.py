"""
Deliveries that come at the same time, taken in together: what is asked of the store for each is asked once for all, and
their records become durable in one commit. Each hears of its own alone, as if it had come by itself.

Two that say something of one part are not taken in together: the later one has to see what the earlier one said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from graph.contract import Store
from graph.values import Labels, Record
from ingest.contract import Source
from ingest.journal import BATCH, Admission, Coming, admit, guarded, named, records_of, standing_of
from ingest.redaction import Redactor

LARGE = 1 << 16
"""Bytes of a payload that is taken in by itself, so that no small one waits for it."""
Outcome = Admission | Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """
    A payload on its way in, as `ingest.journal.admit` takes it.
    """

    source: Source
    payload: bytes
    meta: Mapping[str, str]
    sender: Labels
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(slots=True)
class _Opened:
    place: int
    source: str
    coming: Coming
    records: list[Record]


def admit_together(store: Store, deliveries: Sequence[Delivery], redactor: Redactor) -> list[Outcome]:
    """
    What became of each delivery, in their order: its admission, or what `admit` would have raised.
    """
    outcomes: dict[int, Outcome] = {}
    waiting = list(range(len(deliveries)))
    while waiting:
        group = _opened(store, deliveries, waiting, redactor, outcomes)
        _taken(store, deliveries, group, redactor, outcomes)
        waiting = [place for place in waiting if place not in outcomes]
    return [outcomes[place] for place in range(len(deliveries))]


def _opened(
    store: Store,
    deliveries: Sequence[Delivery],
    places: Sequence[int],
    redactor: Redactor,
    outcomes: dict[int, Outcome],
) -> list[_Opened]:
    """
    Those that can go together, cut and redacted. What fails is told, and what is large is taken in at once.
    """
    labels: dict[str, frozenset[Labels]] = {}
    taken: set[tuple[str, str]] = set()
    group = []
    for place in places:
        one = deliveries[place]
        try:
            source = named(one.source, redactor)
            if source.name not in labels:
                labels[source.name] = store.labelled(source.name)
            source = guarded(source, labels[source.name], one.sender)
            records = list(islice(records_of(source, one.payload, one.meta, one.received_at, redactor), BATCH + 1))
        except Exception as error:  # noqa: BLE001 - raised again where the delivery is waited for
            outcomes[place] = error
            continue
        parts = {(source.name, record.part) for record in records}
        if len(records) > BATCH:
            outcomes[place] = _alone(store, one, redactor)
        elif taken.isdisjoint(parts):
            group.append(_Opened(place, source.name, Coming(store, source.name, one.received_at), records))
        # those after one that waits must not overtake it
        taken |= parts
    return group


def _taken(
    store: Store,
    deliveries: Sequence[Delivery],
    group: Sequence[_Opened],
    redactor: Redactor,
    outcomes: dict[int, Outcome],
) -> None:
    """
    Make a group durable; where that fails, each by itself.
    """
    try:
        admissions = _appended(store, group)
    except Exception as error:  # noqa: BLE001 - raised again where the delivery is waited for
        for one in group:
            outcomes[one.place] = error if len(group) == 1 else _alone(store, deliveries[one.place], redactor)
        return
    outcomes.update(zip((one.place for one in group), admissions, strict=True))


def _appended(store: Store, group: Sequence[_Opened]) -> list[Admission]:
    parts: dict[str, set[str]] = {}
    for one in group:
        parts.setdefault(one.source, set()).update(record.part for record in one.records)
    standing = {source: standing_of(store, source, found) for source, found in parts.items()}
    ready = [one.coming.ready(one.records, standing[one.source]) for one in group]
    receipts = iter(store.append([record for batch in ready for record in batch]))
    for one, batch in zip(group, ready, strict=True):
        duplicates = [receipt.duplicate for receipt in islice(receipts, len(batch))]
        one.coming.note(batch, duplicates, standing[one.source])
    return [one.coming.end() for one in group]


def _alone(store: Store, one: Delivery, redactor: Redactor) -> Outcome:
    try:
        return admit(store, one.source, one.payload, one.meta, one.received_at, one.sender, redactor)
    except Exception as error:  # noqa: BLE001 - raised again where the delivery is waited for
        return error
