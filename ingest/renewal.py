"""
Trying records again under options that were mended: a record keeps the mapping by which it was read, and a sender of
webhooks does not send again. What waits in quarantine is told anew, and the old record is retracted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from graph.contract import Store
from graph.values import Record, RecordState
from ingest.contract import Source
from ingest.journal import admit, record_id, redactor_of
from ingest.rivals import MANY

Options = Mapping[str, Mapping[str, str]]
"""By source."""


def renew(store: Store, options: Options, source: str | None = None) -> int:
    """
    Tell quarantined records anew whose source has other options by now; how many.
    """
    redact = redactor_of(store).redact_value
    count = 0
    for name, given in options.items():
        if source not in (None, name):
            continue
        present = {key: redact(key, value).text for key, value in given.items()}
        for record in store.records(source=name, state=RecordState.QUARANTINED, limit=MANY):
            if any(record.meta.get(key) != value for key, value in present.items()):
                _again(store, record, given, present)
                count += 1
    return count


def _again(store: Store, record: Record, given: Mapping[str, str], present: Mapping[str, str]) -> None:
    meta = {**record.meta, **present}
    if record.part == record.meta.get("path"):
        # it was not even cut
        whole = Source(name=record.source, connector=record.connector, visibility=record.visibility)
        admit(store, whole, record.body.encode(), {**meta, **given}, record.received_at)
    else:
        named = record_id(record.source, record.part, record.digest, meta, record.visibility)
        store.append([replace(record, id=named, meta=meta, state=RecordState.PENDING, reason="")])
    store.retract(record.id, datetime.now(UTC), "tried again under the options that its source has by now")
