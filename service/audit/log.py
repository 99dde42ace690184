"""
The audit of a process: what is recorded at the same time shares a commit, and only who must waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock

import orjson

from graph.errors import GraphError
from service.audit.chain import Act, Fault, Link, followed, head_of
from service.audit.places import AuditUnavailable, Place

MOST = 10_000
"""Entries that may wait while the place cannot be written; beyond that they are refused."""
LONGEST = 300
"""Characters of a text in an entry."""


class Audit:
    """
    `add` returns at once with what can be waited for; `record` waits until it is durable. Nothing is begun before the
    first entry. `problem` says why entries wait; it is empty while all is well.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = Lock()
        self._waiting: list[tuple[Act, Future[None]]] = []
        self._pool: ThreadPoolExecutor | None = None
        self.problem = ""

    def add(self, who: str, act: str, what: Mapping[str, object]) -> Future[None]:
        """
        Record soon. The future fails with StoreUnavailable where it could not be.
        """
        entry = Act(who=who[:LONGEST], act=act, at=datetime.now(UTC), what=_short(what))
        done: Future[None] = Future()
        with self._lock:
            if len(self._waiting) >= MOST:
                done.set_exception(AuditUnavailable(self.problem))
                return done
            self._waiting.append((entry, done))
            self._pool = self._pool or ThreadPoolExecutor(max_workers=1, thread_name_prefix="audit")
            self._pool.submit(self._write)
        return done

    def record(self, who: str, act: str, what: Mapping[str, object]) -> None:
        """
        Record, durably. Raises StoreUnavailable.
        """
        self.add(who, act, what).result()

    def _write(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting, []
        if not batch:
            return
        try:
            self._place.append([entry for entry, _ in batch])
        except GraphError as error:
            self.problem = str(error)
            self._failed(batch, error)
            return
        self.problem = ""
        for _, done in batch:
            if not done.done():
                done.set_result(None)

    def _failed(self, batch: list[tuple[Act, Future[None]]], error: GraphError) -> None:
        """
        Whoever waits is told; the entries stay for the next commit, since what they tell has begun.
        """
        for _, done in batch:
            if not done.done():
                done.set_exception(error)
        with self._lock:
            self._waiting = [*batch, *self._waiting]

    def verified(self, heads: Mapping[str, Link]) -> tuple[list[Link], list[Fault]]:
        """
        How far every chain is whole, and what is wrong; also of chains of the head that are not there.
        """
        self.flush()
        found = [followed(chain, lines, heads) for chain, lines in self._place.chains()]
        links = [link for link, _ in found]
        gone = sorted(heads.keys() - {link.chain for link in links})
        missing = [Fault(chain=name, seq=0, says="the chain of the exported head is not there") for name in gone]
        return links, [*(fault for _, fault in found if fault), *missing]

    def head(self) -> dict[str, object]:
        """
        The ends of all chains. Raises AuditUnavailable where one is not whole: its end would prove nothing.
        """
        links, faults = self.verified({})
        if faults:
            raise AuditUnavailable(f"line {faults[0].seq} of chain {faults[0].chain}: {faults[0].says}")
        return head_of(links)

    def entries(self, limit: int, who: str = "", act: str = "") -> list[dict[str, object]]:
        """
        The newest entries, the newest first; of one voice or one kind of act.
        """
        self.flush()
        found = []
        for _, lines in self._place.chains():
            for line in lines:
                with suppress(orjson.JSONDecodeError):
                    body = orjson.loads(line)
                    if isinstance(body, dict) and who in ("", body.get("who")) and act in ("", body.get("act")):
                        found.append(body)
        return sorted(found, key=lambda one: str(one.get("at")), reverse=True)[:limit]

    def flush(self) -> None:
        """
        Wait for what was added so far, as far as it can be written.
        """
        if self._pool is not None:
            self._pool.submit(self._write).result()

    def close(self) -> None:
        """
        Write what waits, and let go.
        """
        if self._pool is not None:
            self._pool.submit(self._write)
            self._pool.shutdown(wait=True)
        self._place.close()


def _short(what: Mapping[str, object]) -> dict[str, object]:
    """
    Values that fit a line.
    """
    return {key: value[:LONGEST] if isinstance(value, str) else value for key, value in what.items()}
