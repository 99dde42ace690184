"""
What a connector is: how to cut a file into records, and what a record states. Both are pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from graph.values import PUBLIC, Item, Labels, Record, Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """
    A configured origin: a name, the connector that reads it, and that connector's options.
    """

    name: str
    connector: str
    path: str = ""
    """A file or folder; empty for a webhook."""
    options: Mapping[str, str] = field(default_factory=dict, hash=False)
    visibility: Labels = PUBLIC
    recognised: bool = False
    """Nobody named its connector: only files that look like the connector's are its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """
    One future record of a payload: `part` names it within its source for good (the same thing has the same part when
    the file is read again), `body` is its text, `published_at` the source's own publication time of imported history.
    """

    part: str
    body: str
    published_at: datetime | None = None
    meta: Mapping[str, str] = field(default_factory=dict, hash=False)
    problem: str = ""
    """Why this piece cannot be read (not UTF-8, too long); it goes to quarantine at once."""


Split = Callable[[bytes, Mapping[str, str]], Iterator[Piece]]
"""(raw bytes, meta with at least `path`) -> pieces. Raises BadRecord where nothing of the payload can be read."""

Transform = Callable[[Record], Iterator[Item]]
"""A record -> what it states. Raises BadRecord with a message for the person who must mend the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """
    One format. `snapshot`: each reading states the whole, so what is no longer stated is closed; else it appends.
    """

    name: str
    summary: str
    trust: Trust
    snapshot: bool
    split: Split
    transform: Transform
    patterns: tuple[str, ...] = ()
    """Globs of file names that this connector reads in a folder (`catalog-info*.y*ml`)."""
    recognises: Callable[[Mapping[str, object], Mapping[str, str]], bool] | None = None
    """Of a webhook: whether this JSON body (and lower-cased headers) is of this format."""
