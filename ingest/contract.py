"""
What a connector is: how to cut a file into records, and what a record states. Both are pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from graph.values import PUBLIC, Alert, Item, Labels, Record, Trust
from ingest.signing import Signing


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
    occurred_at: datetime | None = None
    """Of an event, when by its source's own clock it became so. Of two events of one thing the one that occurred later
    counts, in whatever order they arrive; where two share a moment, a connector adds microseconds by the rank of their
    state."""
    meta: Mapping[str, str] = field(default_factory=dict, hash=False)
    problem: str = ""
    """Why this piece cannot be read (not UTF-8, too long); it goes to quarantine at once."""


Split = Callable[[bytes, Mapping[str, str]], Iterator[Piece]]
"""(raw bytes, meta with at least `path`) -> pieces. Raises BadRecord where nothing of the payload can be read."""

Transform = Callable[[Record], Iterator[Item]]
"""A record -> what it states. Raises BadRecord with a message for the person who must mend the source."""

Body = Mapping[str, object]
"""A JSON object."""
Headers = Mapping[str, str]
"""Of a request, their names in lower case."""


Recognises = Callable[[Body, Headers], bool]


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
    recognises: Recognises | None = None
    """Of a webhook: whether this JSON body (and headers) is of this format. Only one connector may say so of a body."""
    alerts: Callable[[Body, datetime], Sequence[Alert]] | None = None
    """Of a format whose deliveries can be asked about (`POST /v1/context`) though they state no Alert: the alerts in
    such a body, which was received at that moment. None: those that `transform` states."""
    gone: Callable[[Record], tuple[str, ...]] | None = None
    """Of an event that states nothing: the ids of incidents and changes that by it are no more (deleted, or something
    else now). What older events of its part stated is retracted."""
    headers: tuple[str, ...] = ()
    """The headers that its records keep, in lower case: an event's name, a delivery's id."""
    delivery: tuple[str, ...] = ()
    """Those of them that mark one delivery: the same again is the same delivery."""
    signing: Signing | None = None
    """How the vendor proves that a delivery is his; None: only a shared secret in a header can."""
