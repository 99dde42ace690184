"""
Prometheus metrics of the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from graph.errors import StoreUnavailable
from graph.values import RecordState
from service.wiring import Memory

REGISTRY = CollectorRegistry()
SECONDS = Histogram("precedent_request_seconds", "Time of a request's work.", ["route"], registry=REGISTRY)
RECORDS = Gauge("precedent_records", "Records by source and state.", ["source", "state"], registry=REGISTRY)
AGE = Gauge("precedent_source_age_seconds", "Age of a source's newest record.", ["source"], registry=REGISTRY)
BEHIND = Gauge("precedent_index_lag", "Feed lines that an index has not seen.", ["index"], registry=REGISTRY)
STORE = Gauge("precedent_store_up", "Whether the store could be read just now.", registry=REGISTRY)
REFUSED = Counter(
    "precedent_refused_deliveries", "Deliveries that did not prove themselves.", ["source"], registry=REGISTRY
)
ROWS = Gauge("precedent_index_rows", "Rows of an index.", ["index"], registry=REGISTRY)


@contextmanager
def observe(route: str) -> Iterator[None]:
    """
    Measure a block.
    """
    with SECONDS.labels(route).time():
        yield


def exposition(memory: Memory) -> bytes:
    """
    All metrics as text.
    """
    try:
        _measure(memory)
        STORE.set(1)
    except StoreUnavailable:
        # the others stay as they were when the store was last read
        STORE.set(0)
    return generate_latest(REGISTRY)


def _measure(memory: Memory) -> None:
    now = datetime.now(UTC)
    for tally in memory.store.tally():
        for state in RecordState:
            RECORDS.labels(tally.source, state.value).set(tally.states.get(state, 0))
        if tally.last_known:
            AGE.labels(tally.source).set(max(0.0, (now - tally.last_known).total_seconds()))
    status = memory.indexer.status()
    BEHIND.labels("lexical").set(status.watermark - status.lexical)
    BEHIND.labels("dense").set(status.watermark - status.dense)
    ROWS.labels("lexical").set(status.lexical_rows)
    ROWS.labels("dense").set(status.dense_rows)
