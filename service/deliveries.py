"""
When each webhook last took a delivery, and when and why it last refused one. Refusals are no records, so they are
noted here; noted in memory, and kept in the store by the background, so that no stranger makes it write at will.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import orjson

from graph.contract import Store

SHELF = "deliveries"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """
    Of one webhook.
    """

    accepted_at: datetime | None = None
    refused_at: datetime | None = None
    reason: str = ""
    """Why it refused."""


class Deliveries:
    """
    What this process saw since it was last kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._fresh: dict[str, Seen] = {}

    def accepted(self, name: str) -> None:
        """
        A delivery was taken.
        """
        with self._lock:
            self._fresh[name] = replace(self._fresh.get(name, Seen()), accepted_at=datetime.now(UTC))

    def refused(self, name: str, reason: str) -> None:
        """
        A delivery was refused.
        """
        with self._lock:
            old = self._fresh.get(name, Seen())
            self._fresh[name] = replace(old, refused_at=datetime.now(UTC), reason=reason[:300])

    def keep(self) -> None:
        """
        Put it into the store, beside what other processes saw. Raises StoreUnavailable, and it waits.
        """
        with self._lock:
            fresh = dict(self._fresh)
        if not fresh:
            return
        kept = deliveries(self._store)
        bodies = [(name, orjson.dumps(_later(kept.get(name, Seen()), seen))) for name, seen in fresh.items()]
        self._store.keep(SHELF, bodies)
        with self._lock:
            self._fresh = {name: seen for name, seen in self._fresh.items() if fresh.get(name) != seen}


def deliveries(store: Store) -> Mapping[str, Seen]:
    """
    What was kept, by webhook.
    """
    return {name: _seen(body) for name, body in store.kept(SHELF).items()}


def _later(one: Seen, other: Seen) -> Seen:
    refused = max((one, other), key=lambda seen: seen.refused_at or datetime.min.replace(tzinfo=UTC))
    accepted = max((at for at in (one.accepted_at, other.accepted_at) if at), default=None)
    return replace(refused, accepted_at=accepted)


def _seen(body: bytes) -> Seen:
    found = orjson.loads(body)
    times = {key: datetime.fromisoformat(found[key]) for key in ("accepted_at", "refused_at") if found[key]}
    return Seen(reason=found["reason"], **times)
