"""
Nearest vectors by FAISS: exact while there are some tens of thousands, then inverted lists with exact re-ranking.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import RLock
from typing import Any

import numpy as np

from graph.searching import Hit, Row, Scope
from models.contract import Matrix
from models.errors import IndexDamaged
from models.rows import Mask, Rows


def _faiss() -> Any:
    """
    The library; its types do not describe what it takes from numpy.
    """
    return importlib.import_module("faiss")


FLAT_UP_TO = 50_000
OVER_FETCH = 10
PROBES = 24


class DenseIndex:
    """
    Rows with unit vectors; scores are cosines. Filters are applied inside the search. Safe to share between threads.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.rows = Rows()
        self._vectors = np.zeros((64, dimension), dtype=np.float32)
        self._index: Any = None
        self._indexed = 0
        self._lock = RLock()

    def add_vectors(self, rows: Sequence[Row], vectors: Matrix) -> None:
        """
        Add rows with their vectors of shape (len(rows), dimension).
        """
        with self._lock:
            first = len(self.rows)
            room = len(self._vectors)
            if first + len(rows) > room:
                more = max(first + len(rows), room * 2)
                self._vectors = np.concatenate([self._vectors, np.zeros((more - room, self.dimension), np.float32)])
            self._vectors[first : first + len(rows)] = vectors
            self.rows.add(rows)

    def close_rows(self, statement: int, known_to: datetime) -> None:
        """
        The statement is no longer claimed from `known_to` on.
        """
        with self._lock:
            self.rows.close(statement, known_to)

    def remove(self, statement: int) -> None:
        """
        Forget a statement's rows, bytes included.
        """
        with self._lock:
            numbers = self.rows.remove(statement)
            self._vectors[numbers] = 0
            if numbers and min(numbers) < self._indexed:
                self._index, self._indexed = None, 0

    def search_vector(self, vector: Matrix, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """
        Best rows first.
        """
        with self._lock:
            size = len(self.rows)
            if not size:
                return ()
            mask = self.rows.mask(scope)
            if not mask.any():
                return ()
            found = self._approximate(vector, limit, mask) if size > FLAT_UP_TO else self._exact(vector, limit, mask)
            return tuple(self._hit(number, score) for number, score in found)

    def _hit(self, number: int, score: float) -> Hit:
        entry = self.rows.entries[number]
        return Hit(statement=entry.statement, document=entry.document, kind=entry.kind, facet=entry.facet, score=score)

    def _exact(self, vector: Matrix, limit: int, mask: Mask) -> list[tuple[int, float]]:
        faiss = _faiss()
        if self._index is None:
            self._index, self._indexed = faiss.IndexFlatIP(self.dimension), 0
        self._catch_up()
        return self._search(vector, limit, mask, "SearchParameters")

    def _approximate(self, vector: Matrix, limit: int, mask: Mask) -> list[tuple[int, float]]:
        faiss = _faiss()
        if self._index is None or self._index.ntotal < FLAT_UP_TO // 2 or isinstance(self._index, faiss.IndexFlat):
            self._index, self._indexed = self._trained(), 0
        self._catch_up()
        found = self._search(vector, limit * OVER_FETCH, mask, "SearchParametersIVF", nprobe=PROBES)
        numbers = [number for number, _ in found]
        scores = self._vectors[numbers] @ vector
        order = np.argsort(-scores, kind="stable")[:limit]
        return [(numbers[place], float(scores[place])) for place in order]

    def _trained(self) -> Any:
        faiss = _faiss()
        size = len(self.rows)
        lists = int(4 * np.sqrt(size))
        quantiser = faiss.IndexFlatIP(self.dimension)
        index = faiss.IndexIVFScalarQuantizer(
            quantiser, self.dimension, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        )
        sample = np.random.default_rng(7).permutation(size)[: lists * 64]
        index.train(self._vectors[np.sort(sample)])
        return index

    def _catch_up(self) -> None:
        size = len(self.rows)
        if self._index is not None and self._indexed < size:
            self._index.add(self._vectors[self._indexed : size])
            self._indexed = size

    def _search(
        self, vector: Matrix, limit: int, mask: Mask, parameters: str, **options: int
    ) -> list[tuple[int, float]]:
        faiss = _faiss()
        if self._index is None:
            return []
        selector = faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
        scores, numbers = self._index.search(
            vector[None, :], limit, params=getattr(faiss, parameters)(sel=selector, **options)
        )
        return [(int(number), float(score)) for score, number in zip(scores[0], numbers[0], strict=True) if number >= 0]

    def state(self) -> dict[str, bytes]:
        """
        Rows and vectors, for `restore`.
        """
        with self._lock:
            vectors = self._vectors[: len(self.rows)][self.rows.alive]
            return {"rows.json": self.rows.state(), "vectors.f32": vectors.tobytes()}

    def restore(self, state: Mapping[str, bytes]) -> None:
        """
        Take the place of what is held. Raises IndexDamaged where rows and vectors do not match.
        """
        rows = Rows.restored(state["rows.json"])
        vectors = np.frombuffer(state["vectors.f32"], dtype=np.float32)
        if len(vectors) != len(rows) * self.dimension:
            raise IndexDamaged(f"{len(rows)} rows have {len(vectors)} numbers, not {self.dimension} each")
        with self._lock:
            self.rows, self._vectors = rows, vectors.reshape(len(rows), self.dimension).copy()
            self._index, self._indexed = None, 0
