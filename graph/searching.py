"""
What is searched for, what a search may return, and how a store searches that can do so itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, runtime_checkable

from graph.values import ItemKind, Labels, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One facet of one document version, as an index holds it. `statement` and `facet` are its key.
    """

    statement: int
    kind: ItemKind
    document: str
    """The item's own id; one document has several rows."""
    facet: str
    """`title`, `symptoms`, `cause`, `resolution`, `steps`, `section:ANCHOR`, ..."""
    text: str
    record: str
    visibility: Labels
    known_from: datetime | None
    known_to: datetime | None
    at: datetime | None
    """When the thing happened (an incident's beginning); None for what has no moment (a runbook)."""


class Hit(NamedTuple):
    """
    A row found: `score` is the index's own (cosine, BM25), comparable only within one search.
    """

    statement: int
    document: str
    kind: ItemKind
    facet: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """
    What a search may return: filtered inside the search.
    """

    view: View
    kinds: Collection[ItemKind] = ()
    facets: Collection[str] = ()
    """Names or, before a colon, families of facets; empty: all."""
    before: datetime | None = None
    """Only what happened strictly earlier; things without a moment stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    A row with what a store searches it by. `place`: which of its statement's rows it is; without a vector it is found
    by its terms alone.
    """

    row: Row
    place: int
    terms: Sequence[str]
    vector: Sequence[float] | None = None


class RowSet(Protocol):
    """
    The rows that one maker, a model with an analysis of words, made of a store's statements, searched where they are.
    Any number of processes put and search; doing it twice is doing it once. What is closed or erased in the store is
    closed and gone here at once.
    """

    def watermark(self) -> int:
        """
        How far the feed was followed; 0 where nobody began.
        """
        ...

    def size(self) -> int:
        """
        The number of rows.
        """
        ...

    def lead(self, who: str, lease: timedelta) -> bool:
        """
        Whether this follower has the turn until the lease ends: others need not make the same vectors meanwhile.
        """
        ...

    def put(self, entries: Sequence[Entry]) -> None:
        """
        Add rows, but for those that are there, and those of statements that are erased.
        """
        ...

    def reach(self, watermark: int) -> None:
        """
        All rows of the feed up to there are put.
        """
        ...

    def index(self) -> None:
        """
        Make the indexes that rows lack: until then nothing is found by words, and vectors are compared one by one.
        """
        ...

    def nearest(self, vector: Sequence[float], limit: int, scope: Scope) -> tuple[Hit, ...]:
        """
        Nearest first; scores are cosines.
        """
        ...

    def match(self, terms: Collection[str], limit: int, scope: Scope) -> tuple[Hit, ...]:
        """
        Best first of those that have any of the terms; scores are BM25 among rows of the same labels.
        """
        ...

    def frequencies(self, terms: Collection[str], view: View) -> tuple[int, dict[str, int]]:
        """
        How many rows carry labels that a reader may see, and how many of them have each term.
        """
        ...


@runtime_checkable
class Searchable(Protocol):
    """
    A store that can search rows itself.
    """

    def rows_of(self, maker: str, dimension: int) -> RowSet:
        """
        The rows of a maker, whose vectors have so many numbers.
        """
        ...
