"""
What is searched for, and what a search may return, whichever index it runs on.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
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
