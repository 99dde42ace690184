"""
Readiness for pages: worked out over all services it takes a moment, so a reader gets the last one that was made while
a newer one is being made.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from graph.values import Labels, View
from service.readiness import readiness
from service.wiring import Memory

FRESH = timedelta(seconds=60)
KEPT = 8
TREND = (7, 30)
"""Days ago that the trend looks at."""


@dataclass(frozen=True, slots=True)
class Made:
    """
    Readiness as of a moment; `rows` are its services by name.
    """

    body: Mapping[str, Any]
    rows: Mapping[str, Mapping[str, Any]]
    at: datetime


class KeptReadiness:
    """
    One for each set of labels. Safe to share between threads.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._made: OrderedDict[Labels, Made] = OrderedDict()
        self._making: set[Labels] = set()
        self._lock = threading.Lock()

    def get(self, labels: Labels) -> Made | None:
        """
        The last that was made; None where the first is only being made.
        """
        with self._lock:
            made = self._made.get(labels)
            stale = made is None or datetime.now(UTC) - made.at > FRESH
            begin = stale and labels not in self._making
            if begin:
                self._making.add(labels)
        if begin:
            self._memory.pool.submit(self._make, labels)
        return made

    def wait(self, labels: Labels) -> Made:
        """
        The last that was made, else one that is made now.
        """
        made = self.get(labels)
        return made or self._make(labels)

    def _make(self, labels: Labels) -> Made:
        try:
            view = View.now(labels)
            body = readiness(self._memory, view, TREND)
            rows = {str(one["service"]): one for one in body["services"]}  # type: ignore[attr-defined]  # a list of rows
            made = Made(body, rows, view.as_of)
        finally:
            with self._lock:
                self._making.discard(labels)
        with self._lock:
            self._made[labels] = made
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
        return made
