"""
Keeps the dense and the lexical index in step with the store's feed, and with nothing else.

The indexes live in memory. What is costly to make, the vectors, lies in the store by the digest of their text, so that
a start reads them instead of embedding again, and erasing a record erases its vectors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from graph.contract import Event, Store
from graph.values import Incident, Runbook
from models.contract import Embedder, Hit, Matrix, Row, Scope
from models.dense import DenseIndex
from models.facets import rows
from models.lexical import LexicalIndex

Progress = Callable[[str, int, int], None]
FEED = 2000
EMBED = 256


@dataclass(frozen=True, slots=True)
class Status:
    """
    How far each index has followed the feed, and how many rows it holds.
    """

    watermark: int
    lexical: int
    dense: int
    dense_rows: int
    lexical_rows: int

    @property
    def behind(self) -> bool:
        """
        Whether either lags.
        """
        return min(self.lexical, self.dense) < self.watermark


def _silent(what: str, done: int, total: int) -> None:
    """
    No progress.
    """


class Indexer:
    """
    `follow` catches up; searches may run meanwhile. Without an embedder, the lexical index works alone. Over a store
    that is open for reading, `keep` is False, and vectors that are made are not kept.
    """

    def __init__(self, store: Store, embedder: Embedder | None, *, keep: bool = True) -> None:
        self._store = store
        self._keeps = keep
        self.embedder = embedder
        self.dense = DenseIndex(embedder.dimension if embedder else 1)
        self.lexical = LexicalIndex()
        self._lexical_at = self._dense_at = 0
        self._waiting: list[Event] = []
        self._lock = Lock()

    def follow(self, progress: Progress = _silent) -> None:
        """
        Catch up with the feed: the lexical index first, which is quick, then the vectors.
        """
        with self._lock:
            end = self._store.watermark()
            while self._lexical_at < end:
                events = self._store.changes_since(self._lexical_at, FEED)
                if not events:
                    break
                found = [event for event in events if event.op != "opened" or _searched(event)]
                self._apply(found, lexical=True)
                self._waiting += found
                self._lexical_at = events[-1].seq
                progress("words", self._lexical_at, end)
            while self.embedder and self._waiting:
                part, self._waiting = self._waiting[:FEED], self._waiting[FEED:]
                try:
                    self._apply(part, lexical=False)
                except BaseException:
                    self._waiting = part + self._waiting
                    raise
                self._dense_at = part[-1].seq
                progress("vectors", self._dense_at, end)
            if self.embedder:
                self._dense_at = self._lexical_at
            self._waiting.clear()

    def _apply(self, events: Sequence[Event], *, lexical: bool) -> None:
        index = self.lexical if lexical else self.dense
        opened = [
            row
            for event in events
            if event.op == "opened" and event.statement and event.statement_seq not in index.rows.by_statement
            for row in rows(event.statement)
        ]
        if lexical:
            self.lexical.add(opened)
        elif opened:
            self.dense.add_vectors(opened, self._vectors(opened))
        for event in events:
            if event.op == "closed" and event.statement and event.statement.known.end:
                index.close_rows(event.statement_seq, event.statement.known.end)
            elif event.op == "erased":
                index.remove(event.statement_seq)

    def _vectors(self, found: Sequence[Row]) -> Matrix:
        """
        From the store where they are, else made and kept there.
        """
        if self.embedder is None:
            raise ValueError("no embedder")
        shelf = f"vectors:{self.embedder.model}"
        keys = [hashlib.sha256(row.text.encode("utf-8", "surrogatepass")).hexdigest() for row in found]
        kept = self._store.kept(shelf, set(keys))
        missing = {key: row for key, row in zip(keys, found, strict=True) if key not in kept}
        places = sorted(missing, key=lambda key: len(missing[key].text))
        for start in range(0, len(places), EMBED):
            part = places[start : start + EMBED]
            vectors = self.embedder.embed([missing[key].text for key in part])
            made = {key: vector.astype(np.float32).tobytes() for key, vector in zip(part, vectors, strict=True)}
            kept |= made
            by_record: dict[str, list[tuple[str, bytes]]] = {}
            for key, body in made.items():
                by_record.setdefault(missing[key].record, []).append((key, body))
            for record, bodies in by_record.items() if self._keeps else ():
                self._store.keep(shelf, bodies, [record])
        return np.stack([np.frombuffer(kept[key], dtype=np.float32) for key in keys])

    def vector(self, text: str) -> Matrix | None:
        """
        The question's vector, or None without an embedder.
        """
        if self.embedder is None:
            return None
        one = getattr(self.embedder, "embed_one", None)
        found: Matrix = one(text) if one else self.embedder.embed([text])[0]
        return found

    def search_dense(self, text: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """
        Nearest rows; none while there is no embedder.
        """
        vector = self.vector(text)
        return () if vector is None else self.dense.search_vector(vector, limit, scope)

    def search_lexical(self, text: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """
        Best rows by words.
        """
        return self.lexical.search(text, limit, scope)

    def status(self) -> Status:
        """
        How far the indexes are.
        """
        dense = self._dense_at if self.embedder else self._lexical_at
        return Status(self._store.watermark(), self._lexical_at, dense, len(self.dense.rows), len(self.lexical.rows))


def _searched(event: Event) -> bool:
    """
    Whether the event is of a document that has rows.
    """
    return event.statement is not None and isinstance(event.statement.item, Incident | Runbook)
