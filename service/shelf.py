"""
Answers on their way into the store: a responder does not wait for the disk, and asks for his answer by id all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import orjson

from graph.contract import Store
from graph.errors import GraphError

SHELF = "answers"
ASKED = ".asked"
"""Behind an answer's id: the key of the question in full, for a replay."""
QUESTIONS = "questions"
"""The shelf of what was asked last, in so many places that take turns by chance; any process may write there."""
PLACES = 64
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

    def put(
        self, answer: str, body: bytes, records: Collection[str], asked: Callable[[], bytes] | None = None
    ) -> None:  # fmt: skip
        """
        Keep an answer with its question, resting on records. Raises GraphError where it is known that it cannot be.
        """
        if not self._behind or self._failed or len(self._waiting) >= MOST:
            self._store.keep(SHELF, _rows(answer, body, asked), records)
            self._failed = False
            self._note(answer, body, records)
            return
        self._waiting[answer] = body
        self._pool.submit(self._write, answer, body, records, asked)

    def _write(
        self, answer: str, body: bytes, records: Collection[str], asked: Callable[[], bytes] | None
    ) -> None:  # fmt: skip
        try:
            self._store.keep(SHELF, _rows(answer, body, asked), records)
            self._note(answer, body, records)
        except GraphError:
            self._failed = True
        finally:
            self._waiting.pop(answer, None)

    def _note(self, answer: str, body: bytes, records: Collection[str]) -> None:
        """
        Remember the question in short.
        """
        told = orjson.loads(body)
        short = {
            "answer_id": answer,
            "name": told["alert"]["name"],
            "at": told["alert"]["at"],
            "says": " ".join(told["headline"][:2]),
            "asked_at": datetime.now(UTC).isoformat(),
            "records": sorted(records),
        }
        place = int(hashlib.sha256(answer.encode()).hexdigest()[:8], 16) % PLACES
        self._store.keep(QUESTIONS, [(str(place), orjson.dumps(short))], records)

    def questions(self) -> list[dict[str, Any]]:
        """
        What was asked last, the latest first: `answer_id`, `name` and `at` of the alert, what the answer `says` first,
        `asked_at`, and the `records` that it rests on.
        """
        found = [orjson.loads(body) for body in self._store.kept(QUESTIONS).values() if body]
        return sorted(found, key=lambda one: str(one["asked_at"]), reverse=True)

    def get(self, answer: str) -> bytes | None:
        """
        A kept answer, or one that waits.
        """
        if answer.endswith(ASKED):
            return None
        return self._waiting.get(answer) or self._store.kept(SHELF, [answer]).get(answer)

    def asked(self, answer: str) -> bytes | None:
        """
        The question of a kept answer; what still waits is written first.
        """
        self._pool.submit(lambda: None).result()
        key = answer + ASKED
        return self._store.kept(SHELF, [key]).get(key)

    def close(self) -> None:
        """
        Wait until all is written.
        """
        self._pool.shutdown(wait=True)


def _rows(answer: str, body: bytes, asked: Callable[[], bytes] | None) -> list[tuple[str, bytes]]:
    return [(answer, body), *([(answer + ASKED, asked())] if asked else [])]
