"""
Nearest vectors by FAISS: over numbers of eight bits, all of them while there are some tens of thousands, then those of
inverted lists; what comes near is ranked by the vectors themselves.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.searching import Hit, Row, Scope
from models.contract import Matrix
from models.errors import IndexDamaged
from models.rows import Mask, Rows


def _faiss() -> Any:
    """
    The library; its types do not describe what it takes from numpy.
    """
    return importlib.import_module("faiss")


def _selector(mask: Mask) -> Any:
    return _faiss().IDSelectorBitmap(np.packbits(mask, bitorder="little"))


Numbers = NDArray[np.int64]
_MOST = 127
"""The greatest number of eight bits."""
FLAT_UP_TO = 50_000
NEAR, LEAST_NEAR = 4, 64
"""Rows that are ranked exactly, in multiples of those wanted, and how many at least: rounding moves a cosine by about
0.001."""
NEAR_IN_LISTS = 10
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
        self._scale = 1.0
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
            small = size <= FLAT_UP_TO
            near = (
                self._all(vector, max(limit * NEAR, LEAST_NEAR), mask)
                if small
                else self._listed(vector, limit * NEAR_IN_LISTS, mask)
            )
            scores = self._vectors[near] @ vector
            order = np.argsort(-scores, kind="stable")[:limit]
            return tuple(self.rows.hit(int(near[place]), float(scores[place])) for place in order)

    def _all(self, vector: Matrix, limit: int, mask: Mask) -> Numbers:
        """
        The nearest of all rows, about.
        """
        faiss = _faiss()
        most = float(np.abs(self._vectors[self._indexed : len(self.rows)]).max(initial=0.0))
        if self._index is None or most * self._scale > _MOST:
            everything = float(np.abs(self._vectors[: len(self.rows)]).max(initial=0.0))
            self._index, self._indexed, self._scale = self._eight_bits(), 0, _MOST / (everything or 1.0)
        self._catch_up(lambda vectors: np.rint(vectors * self._scale))
        rounded = np.clip(np.rint(vector * self._scale), -_MOST, _MOST)
        return self._search(rounded, limit, faiss.SearchParameters(sel=_selector(mask)))

    def _eight_bits(self) -> Any:
        faiss = _faiss()
        return faiss.IndexScalarQuantizer(
            self.dimension, faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT
        )

    def _listed(self, vector: Matrix, limit: int, mask: Mask) -> Numbers:
        """
        The nearest rows of the nearest lists, about.
        """
        faiss = _faiss()
        if not isinstance(self._index, faiss.IndexIVF) or self._index.ntotal < FLAT_UP_TO // 2:
            self._index, self._indexed = self._trained(), 0
        self._catch_up(lambda vectors: vectors)
        return self._search(vector, limit, faiss.SearchParametersIVF(sel=_selector(mask), nprobe=PROBES))

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

    def _catch_up(self, numbers: Callable[[Matrix], Matrix]) -> None:
        size = len(self.rows)
        if self._indexed < size:
            self._index.add(numbers(self._vectors[self._indexed : size]))
            self._indexed = size

    def _search(self, vector: Matrix, limit: int, parameters: Any) -> Numbers:
        # one question is not worth a team of threads, which wait for one another (the number is each thread's own)
        _faiss().omp_set_num_threads(1)
        _, numbers = self._index.search(vector[None, :], limit, params=parameters)
        # in the order of arrival, so that of equals the first arrived comes first
        found: Numbers = np.sort(numbers[0][numbers[0] >= 0])
        return found

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
