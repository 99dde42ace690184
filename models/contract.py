"""
What models give the rest: vectors, hits, candidates with probabilities. Scores never leave without their terms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from graph.searching import Hit, Row, Scope
from graph.values import View

Matrix = NDArray[np.float32]
Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


class Embedder(Protocol):
    """
    Texts to unit vectors.
    """

    @property
    def model(self) -> str:
        """Name and digest of the weights; vectors of different models never meet."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Matrix:
        """An array of shape (len(texts), dimension), float32, rows of length 1."""
        ...


class Index(Protocol):
    """
    Dense or lexical: a derived, rebuildable set of rows that follows the store's feed.
    """

    def add(self, rows: Sequence[Row]) -> None:
        """Add rows; those with a known key are replaced."""
        ...

    def close_rows(self, statement: int, known_to: datetime) -> None:
        """The statement is no longer claimed from `known_to` on."""
        ...

    def remove(self, statement: int) -> None:
        """Forget all rows of a statement, bytes included."""
        ...

    def search(self, text: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """Best rows first; at most `limit`."""
        ...


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


def silent(what: str, done: int, total: int) -> None:
    """
    No progress.
    """


class Search(Protocol):
    """
    Search by meaning and by words that follows the store's feed, wherever its rows are.
    """

    embedder: Embedder | None
    problems: list[str]
    """What was wrong at this start."""

    def follow(self, progress: Progress = ...) -> None:
        """Catch up with the feed."""
        ...

    def save(self) -> None:
        """Keep what makes the next start quick."""
        ...

    def status(self) -> Status:
        """How far it is."""
        ...

    @property
    def dense_lags(self) -> bool:
        """Whether what is found by meaning is not all that there is."""
        ...

    def vector(self, text: str) -> Matrix | None:
        """The question's vector, or None without an embedder."""
        ...

    def search_dense(self, text: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """Nearest rows; scores are cosines. None while there is no embedder."""
        ...

    def search_lexical(self, text: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """Best rows by words; scores are BM25 among the rows that the reader may see."""
        ...

    @property
    def reached(self) -> int:
        """The newest statement whose words are found; 0 where that is not told."""
        ...

    def upto(self, statement: int) -> Search:
        """The same search with its words weighed as when this statement was the newest; itself where it cannot."""
        ...

    def most(self, text: str, view: View) -> float:
        """About what a row could score by words that has every known one of a text; never 0."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """
    One named reason of a score, with its weight in the whole (log-odds) and a sentence for a person.
    """

    name: str
    value: float
    weight: float
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """
    A ranked answer: `id` (of a service, change, incident, runbook), its probability, and why.
    """

    id: str
    probability: float
    terms: tuple[Term, ...] = ()
    evidence: tuple[str, ...] = ()
    """Ids of the records behind it."""
    statement: int | None = None
    same_event: tuple[str, ...] = ()
    """Further candidates, ranked below it, that tell of the same event."""
    told_by: str | None = None
    """The candidate above it that tells of the same event."""

    @property
    def event(self) -> str:
        """
        What names the event that it tells of: the first candidate that tells of it.
        """
        return self.told_by or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """
    Candidates, best first, and the probability that none of them is right. `abstained`: too weak to say.
    """

    candidates: tuple[Candidate, ...] = ()
    none_probability: float = 1.0
    abstained: bool = True
    gaps: tuple[str, ...] = ()
    hypotheses: tuple[Term, ...] = field(default=())
    """Where none is likely: what else it may be (traffic, provider, certificate, hardware, data), with its sign."""


SUREST = 0.98
"""No answer is surer than it could be checked: one in fifty may be wrong."""


def doubted(share: float, none: bool = False) -> float:
    """
    A share of a whole that includes "none of them", when SUREST is the most that the others can have together: what
    was never thought of counts for "none".
    """
    return SUREST * share + (1 - SUREST if none else 0.0)


def chance(score: float) -> float:
    """
    A log-odds score as a probability, never surer than SUREST.
    """
    return min(SUREST, 1 / (1 + math.exp(-max(-500.0, score))))
