"""
The last report of each set of labels, kept in the store; and the one backtest that a server may have in the making.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import orjson

from graph.contract import Store
from graph.values import Labels
from service.backtest.run import Backtest, Plan, Report, backtest
from service.parts import stamp
from service.wiring import Memory

SHELF = "backtests"
REST = 1.0
"""Seconds of rest a second of work: answers come first."""
LONGEST = 2.0
"""Seconds of rest at once."""


def keep(store: Store, made: Backtest, visibility: Labels) -> None:
    """
    Keep a report in place of the one for the same labels. It goes with the records that it rests on.
    """
    store.keep(SHELF, [(_key(visibility), orjson.dumps(made.report))], made.records)


def last(store: Store, visibility: Labels) -> Report | None:
    """
    The newest report that a reader with these labels may see.
    """
    found = [orjson.loads(body) for body in store.kept(SHELF).values()]
    seen = [one for one in found if frozenset(one["visibility"]) <= visibility]
    return max(seen, key=lambda one: str(one["made_at"]), default=None)


def _key(visibility: Labels) -> str:
    return orjson.dumps(sorted(visibility)).decode()


class _Ended(Exception):
    """
    The server goes down.
    """


class Runner:
    """
    Runs one backtest at a time in the background. Safe to share between threads.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._at: dict[str, object] = {}
        self._problem = ""
        self._worked_since = 0.0

    def start(self, plan: Plan) -> bool:
        """
        Begin, unless one runs already.
        """
        with self._lock:
            if self.running:
                return False
            self._problem = ""
            self._at = {"what": "reading changes", "done": 0, "total": 0, "started_at": stamp(datetime.now(UTC))}
            self._worked_since = time.perf_counter()
            self._thread = threading.Thread(target=self._run, args=(plan,), name="precedent-backtest", daemon=True)
            self._thread.start()
            return True

    @property
    def running(self) -> bool:
        """
        Whether one is in the making.
        """
        return self._thread is not None and self._thread.is_alive()

    def status(self) -> dict[str, object]:
        """
        `state` (running, failed, idle), how far it is, and what went wrong with the last one.
        """
        if self.running:
            return {"state": "running", **self._at}
        return {"state": "failed", "problem": self._problem} if self._problem else {"state": "idle"}

    def stop(self) -> None:
        """
        End after the present replay.
        """
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def _run(self, plan: Plan) -> None:
        try:
            keep(self._memory.store, backtest(self._memory, plan, self._progress), plan.visibility)
        except _Ended:
            return
        except Exception as error:  # noqa: BLE001 - the background is an edge: whoever asks is told
            self._problem = f"{type(error).__name__}: {error}"

    def _progress(self, what: str, done: int, total: int) -> None:
        if self._ended.is_set():
            raise _Ended
        self._at = {**self._at, "what": what, "done": done, "total": total}
        self._ended.wait(min(LONGEST, (time.perf_counter() - self._worked_since) * REST))
        self._worked_since = time.perf_counter()
