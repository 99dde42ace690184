"""
Search in the store itself, shared by all processes that answer: none of them holds an index.

Whoever follows the feed makes rows of what is new and puts them there; a lease keeps two from making the same vectors,
and where it fails nothing worse happens. Words are analysed here, as for the index in memory, so that both find alike.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from threading import Lock
from typing import TypeAlias
from uuid import uuid4

from graph.contract import Store
from graph.searching import Entry, Hit, RowSet, Scope, Searchable
from graph.values import Item, ItemKind, Labels, Statement, View
from models.contract import Embedder, Matrix, Progress, Status, silent
from models.facets import ROWS, embedded, rows
from models.lexical import ANALYSIS, asked, chosen, most, words
from models.vectors import question_vector, vectors_of

FEED = 500
"""Lines of the feed at a time: what is lost when a process dies."""
LEASE = timedelta(minutes=2)
RECENT = 256
RECENT_SECONDS = 1.0
KINDS = (ItemKind.INCIDENT, ItemKind.RUNBOOK)

_Counts: TypeAlias = tuple[int, dict[str, int]]


class SharedSearch:
    """
    A `models.contract.Search` over a store that can search. Without an embedder it goes by words alone. Without `keep`
    it makes no rows: another has to.
    """

    def __init__(self, store: Store, searchable: Searchable, embedder: Embedder | None, *, keep: bool = True) -> None:
        self.embedder = embedder
        self.problems: list[str] = []
        self._store = store
        self._keeps = keep
        self._name = uuid4().hex
        self._lock = Lock()
        self._counts: dict[tuple[str, Labels], tuple[_Counts | None, float]] = {}
        # one who led before may have died before it came to that
        self._unindexed = True
        self._behind = True
        maker = f"{embedder.model if embedder else 'none'}, words {ANALYSIS}, rows {ROWS}"
        self._rows: RowSet = searchable.rows_of(maker, embedder.dimension if embedder else 1)

    def follow(self, progress: Progress = silent) -> None:
        """
        Make rows up to the feed's end, unless another is at it.
        """
        with self._lock:
            while self._step(progress):
                pass

    def _step(self, progress: Progress) -> bool:
        """
        One part of the feed; whether there may be more.
        """
        end = self._store.watermark()
        self._behind = self._rows.watermark() < end
        if not self._behind:
            if self._unindexed and self._keeps:
                self._rows.index()
                self._unindexed = False
            return False
        if not self._keeps or not self._rows.lead(self._name, LEASE):
            return False
        # whoever led before may have come further meanwhile
        begin = self._rows.watermark()
        events = self._store.changes_since(begin, FEED, KINDS)
        self._rows.put(self._entries([event.statement for event in events if event.op == "opened" and event.statement]))
        reached = events[-1].seq if events else end
        self._rows.reach(reached)
        self._unindexed = True
        progress("rows", reached, end)
        return True

    def _entries(self, statements: Sequence[Statement[Item]]) -> list[Entry]:
        placed = [(place, row) for statement in statements for place, row in enumerate(rows(statement))]
        found = [row for _, row in placed]
        near = [number for number, row in enumerate(found) if self.embedder and embedded(row)]
        vectors: dict[int, Matrix] = {}
        if self.embedder and near:
            # the rows hold them: kept once more they would only take room
            made = vectors_of(self.embedder, self._store, [found[number] for number in near], keep=False)
            vectors = dict(zip(near, made, strict=True))
        return [
            Entry(
                row=row,
                place=place,
                terms=words(row.text),
                vector=vectors[number].tolist() if number in vectors else None,
            )
            for number, (place, row) in enumerate(placed)
        ]

    def save(self) -> None:
        """
        All is kept already.
        """

    def status(self) -> Status:
        """
        Words and vectors of a row come together.
        """
        reached, size = self._rows.watermark(), self._rows.size()
        return Status(self._store.watermark(), reached, reached, size if self.embedder else 0, size)

    @property
    def dense_lags(self) -> bool:
        """
        Whether rows were missing when the feed was last looked at; their words and vectors come together.
        """
        return self._behind

    def vector(self, text: str) -> Matrix | None:
        """
        The question's vector, or None without an embedder.
        """
        return question_vector(self.embedder, text)

    def search_dense(self, text: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """
        Nearest rows.
        """
        vector = self.vector(text)
        return () if vector is None else self._rows.nearest(vector.tolist(), limit, scope)

    def search_lexical(self, text: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """
        Best rows by words.
        """
        _, terms = self._known(text, scope.view)
        return self._rows.match(terms, limit, scope) if terms else ()

    @property
    def reached(self) -> int:
        """
        Not told: the store weighs words by all that it holds.
        """
        return 0

    def upto(self, statement: int) -> SharedSearch:
        """
        Itself.
        """
        return self

    def most(self, text: str, view: View) -> float:
        """
        About what a row could score by words that has every known one of a text.
        """
        return most(*self._known(text, view))

    def _known(self, text: str, view: View) -> _Counts:
        """
        How many rows a reader may see, and how many of them have each telling term. One alert is asked about four
        times in a row, so it is remembered for a moment.
        """
        key = (text, view.visibility)
        found, until = self._counts.get(key, (None, 0.0))
        if found is None or until < time.monotonic():
            terms = asked(text)
            size, counts = self._rows.frequencies(terms, view)
            found = size, chosen({term: counts.get(term, 0) for term in terms})
            if len(self._counts) >= RECENT:
                self._counts.clear()
            self._counts[key] = found, time.monotonic() + RECENT_SECONDS
        return found
