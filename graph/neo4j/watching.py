"""
The watch over a line to a server: whether the server answers, and an end for whoever waits on one that does not.

A line that is cut without a word looks like a server that takes its time. So where a call takes long, or fails, the
server is asked for a sign of life beside it, within a short limit. While there is none it is away: calls that wait are
ended, others are refused at once, and it is asked again and again until it answers. Only that sign decides; a question
that is merely slow or wrong refuses nobody.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from graph.errors import StoreRefused, StoreUnavailable

PATIENCE = 0.5
"""Seconds that a call may take before a sign of life is asked for."""
SIGN = 2.0
"""Seconds that a sign of life may take; a server that takes longer is of no use to anybody who waits."""
PAUSE = 0.5
"""Seconds between two such questions."""
PAUSE_REFUSED = 5.0
"""The same after a refusal: servers lock out who keeps trying with a wrong password."""
_IDLE = 10.0
"""Seconds without a call until the thread ends; the next call begins another."""


class Watch:
    """
    `ask` returns where the server answers, within SIGN seconds, and raises StoreUnavailable otherwise. `end` ends
    all calls under way. Thread-safe.
    """

    def __init__(self, ask: Callable[[], None], end: Callable[[], None]) -> None:
        self._ask = ask
        self._end = end
        self._changed = threading.Condition()
        self._calls: dict[int, tuple[float, float]] = {}
        self._next = 0
        self._doubt = False
        self._ask_from = 0.0
        self._heard = 0.0
        self._running = False
        self._stopped = False
        self.away: StoreUnavailable | None = None
        """Why the server does not answer at the moment; None: as far as is known, it does."""

    @contextmanager
    def over(self, seconds: float) -> Iterator[None]:
        """
        Within the block, the call is ended where the server is away, or after so many seconds.
        """
        now = time.monotonic()
        with self._changed:
            self._next += 1
            ticket = self._next
            self._calls[ticket] = now, now + seconds
            self._begin()
        try:
            yield
            if time.monotonic() - now < SIGN:
                self._heard = time.monotonic()
        except StoreUnavailable:
            self._doubted()
            raise
        finally:
            with self._changed:
                self._calls.pop(ticket, None)

    def stop(self) -> None:
        """
        Watch nothing any more.
        """
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _begin(self) -> None:
        if not self._running and not self._stopped:
            self._running = True
            threading.Thread(target=self._run, name="precedent-watch", daemon=True).start()

    def _doubted(self) -> None:
        with self._changed:
            self._doubt = True
            self._begin()
            self._changed.notify()

    def _run(self) -> None:
        used = time.monotonic()
        while True:
            with self._changed:
                now = time.monotonic()
                if self._calls or self._doubt or self.away:
                    used = now
                if self._stopped or now - used > _IDLE:
                    self._running = False
                    return
                overdue = self._overdue(now)
                asks = self._asks(now)
                if not (overdue or asks):
                    self._changed.wait(PATIENCE / 2)
                    continue
            if overdue:
                self._end()
            if asks:
                self._look()

    def _overdue(self, now: float) -> bool:
        late = [ticket for ticket, (_, end) in self._calls.items() if end <= now]
        for ticket in late:
            del self._calls[ticket]
        return bool(late)

    def _asks(self, now: float) -> bool:
        slow = any(began + PATIENCE <= now for began, _ in self._calls.values())
        return now >= self._ask_from and bool(slow or self._doubt or self.away)

    def _look(self) -> None:
        away: StoreUnavailable | None = None
        asked = time.monotonic()
        try:
            self._ask()
        except Exception as error:  # noqa: BLE001 - a thread is an edge: what happened is told to whoever calls
            away = error if isinstance(error, StoreUnavailable) else StoreUnavailable(str(error))
        if self._heard > asked:
            # whatever else was answered meanwhile is a sign of life as well
            away = None
        with self._changed:
            self.away, self._doubt = away, False
            self._ask_from = time.monotonic() + (PAUSE_REFUSED if isinstance(away, StoreRefused) else PAUSE)
        if away is not None:
            self._end()
