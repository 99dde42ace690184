"""
Answers on their way into the store: a responder does not wait for the disk, and asks for his answer by id all the same.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from graph.contract import Store
from graph.errors import GraphError

SHELF = "answers"
MOST = 200
"""Answers that may wait; beyond that whoever asks waits for the disk after all."""


class Shelf:
    """
    `put` returns before the answer is durable, unless the last one could not be written: then it is written at once,
    and what is wrong is raised to whoever asks. Without `behind`, always so. `close` waits for all.
    """

    def __init__(self, store: Store, *, behind: bool) -> None:
        self._store = store
        self._behind = behind
        self._failed = False
        self._waiting: dict[str, bytes] = {}
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="shelf")

    def put(self, answer: str, body: bytes, records: Collection[str]) -> None:
        """
        Keep an answer, resting on records. Raises GraphError where it is known that it cannot be kept.
        """
        if not self._behind or self._failed or len(self._waiting) >= MOST:
            self._store.keep(SHELF, [(answer, body)], records)
            self._failed = False
            return
        self._waiting[answer] = body
        self._pool.submit(self._write, answer, body, records)

    def _write(self, answer: str, body: bytes, records: Collection[str]) -> None:
        try:
            self._store.keep(SHELF, [(answer, body)], records)
        except GraphError:
            self._failed = True
        finally:
            self._waiting.pop(answer, None)

    def get(self, answer: str) -> bytes | None:
        """
        A kept answer, or one that waits.
        """
        return self._waiting.get(answer) or self._store.kept(SHELF, [answer]).get(answer)

    def close(self) -> None:
        """
        Wait until all is written.
        """
        self._pool.shutdown(wait=True)
