"""
What takes long to work out over everything, kept for pages: a reader gets the last that was made while a newer one is
being made.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as LateError
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from graph.values import Labels

T = TypeVar("T")
FRESH = 60.0
"""Seconds for which what was made is new enough."""
SHARE = 20
"""And so many times as long as it took, so that making it anew never takes more than this part of a process's time."""
MOST = 8
"""Sets of labels for which one is kept."""


@dataclass(frozen=True, slots=True)
class Made(Generic[T]):
    """
    What was made, when, and how many seconds that took.
    """

    value: T
    at: datetime
    took: float


class Kept(Generic[T]):
    """
    One for each set of labels. Safe to share between threads.
    """

    def __init__(self, work: Callable[[Labels], T], pool: Executor) -> None:
        self._work = work
        self._pool = pool
        self._made: OrderedDict[Labels, Made[T]] = OrderedDict()
        self._making: dict[Labels, Future[Made[T]]] = {}
        self._lock = threading.Lock()

    def get(self, labels: Labels, wait: float = 0.0) -> Made[T] | None:
        """
        The last that was made. Where there is none yet, the first is waited for as long as `wait` seconds; else None.
        """
        with self._lock:
            made = self._made.get(labels)
            making = self._making.get(labels)
            if making is None and (made is None or _age(made) > max(FRESH, SHARE * made.took)):
                making = self._making[labels] = self._pool.submit(self._make, labels)
        if made is not None or making is None:
            return made
        try:
            return making.result(wait)
        except LateError:
            return None

    def forget(self) -> None:
        """
        What was made counts no more.
        """
        with self._lock:
            self._made.clear()
            self._making.clear()

    def _make(self, labels: Labels) -> Made[T]:
        began, at = time.perf_counter(), datetime.now(UTC)
        try:
            made = Made(self._work(labels), at, time.perf_counter() - began)
        except BaseException:
            with self._lock:
                self._making.pop(labels, None)
            raise
        with self._lock:
            # what was forgotten meanwhile does not come back
            if self._making.pop(labels, None) is not None:
                self._made[labels] = made
                while len(self._made) > MOST:
                    self._made.popitem(last=False)
        return made


def _age(made: Made[T]) -> float:
    return (datetime.now(UTC) - made.at).total_seconds()
