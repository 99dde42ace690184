"""
A light reading of all changes, to find those that a text names and those that take another back: ids, hashes and their
beginnings, numbers of pull requests, revisions, what a deploy carries, the deploys of a service in order.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from graph.values import Change, ChangeKind, EntityId, Statement
from models.citations import mended, number_of, reverted_title, taken_back
from models.paths import area_of

_NAME = re.compile(r"\w[\w-]*\w")
SHORTEST = 7
"""Characters of a hash by which it may be named."""
TITLE_DAYS = 30
"""A title is used again; so long it means the last change that had it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """
    What is kept of a change: where, when, and what its words say of other changes.
    """

    id: str
    kind: ChangeKind
    at: datetime
    known: datetime | None
    title: str
    services: tuple[EntityId, ...] = ()
    areas: tuple[str, ...] = ()
    """The areas that it touches, the one with most files first."""
    environment: str | None = None
    region: str | None = None
    revision: str | None = None
    previous: str | None = None
    merge: bool = False
    number: str | None = None
    carries: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    """What it says it takes back, as it says it."""
    mends: tuple[str, ...] = ()
    """What it says it mends."""
    tells_of: frozenset[str] = frozenset()
    """Ids of incidents that its words or files hold."""
    record: str = ""
    seq: int = 0

    @property
    def takes_back(self) -> bool:
        """
        Whether it is one that takes something back, whatever that is.
        """
        return bool(self.back) or self.kind is ChangeKind.ROLLBACK or reverted_title(self.title) is not None


def trace_of(statement: Statement[Change], incidents: Collection[str] = ()) -> Trace:
    """
    The reading of one change; `incidents` are ids in lower case that it may tell of.
    """
    one = statement.item
    words = f"{one.title}\n{one.text[:4000]}"
    back = [*([one.reverts] if one.reverts else []), *taken_back(words)]
    return Trace(
        id=one.id,
        kind=one.kind,
        at=one.at,
        known=statement.known.start,
        title=one.title,
        services=one.services,
        areas=_areas(one.files),
        environment=one.environment,
        region=one.region,
        revision=one.revision,
        previous=one.previous,
        merge=one.merge,
        number=number_of(one.title, one.url),
        carries=one.carries,
        back=tuple(dict.fromkeys(back)),
        mends=tuple(dict.fromkeys(mended(words))),
        tells_of=_told(words, one.files, incidents),
        record=statement.record,
        seq=statement.seq,
    )


def _told(words: str, files: Sequence[str], incidents: Collection[str]) -> frozenset[str]:
    if not incidents:
        return frozenset()
    names = {found.lower() for found in _NAME.findall(words)}
    names |= {PurePosixPath(path).name.partition(".")[0].lower() for path in files[:200]}
    return frozenset(names.intersection(incidents))


def _areas(files: Iterable[str]) -> tuple[str, ...]:
    counts = Counter(area_of(path) for path in files)
    return tuple(sorted(counts, key=lambda area: (-counts[area], area)))


@dataclass
class Traces:
    """
    All readings, found by what names them.
    """

    ordered: list[Trace]
    """In order of time."""
    _by_name: dict[str, list[Trace]] = field(default_factory=lambda: defaultdict(list))
    _by_title: dict[str, list[Trace]] = field(default_factory=lambda: defaultdict(list))
    _by_service: dict[EntityId, list[Trace]] = field(default_factory=lambda: defaultdict(list))
    _carriers: dict[str, list[Trace]] = field(default_factory=lambda: defaultdict(list))
    _hashes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, traces: Iterable[Trace]) -> Traces:
        """
        Of traces in any order.
        """
        found = cls(sorted(traces, key=lambda one: (one.at, one.seq)))
        for one in found.ordered:
            for name in {one.id.lower(), (one.revision or one.id).lower(), (one.number or one.id).lower()}:
                found._by_name[name].append(one)
            found._by_title[one.title.strip().lower()].append(one)
            for service in one.services:
                found._by_service[service].append(one)
            for carried in {*one.carries, *([one.revision] if one.revision else [])}:
                found._carriers[carried.lower()].append(one)
        found._hashes = sorted(name for name in found._by_name if len(name) > SHORTEST and _hexadecimal(name))
        return found

    def named(self, reference: str, before: datetime | None = None) -> list[Trace]:
        """
        The changes that a reference names: an id, a revision, the beginning of a hash, `#12`; up to a time, if given.
        """
        name = reference.strip().lower()
        found = list(self._by_name.get(name, ()))
        if not found and len(name) >= SHORTEST and _hexadecimal(name):
            found = [one for whole in self._beginning(name) for one in self._by_name[whole]]
            # the other way round: the log has short hashes, the text the whole one
            found = found or [one for size in range(SHORTEST, len(name)) for one in self._by_name.get(name[:size], ())]
        return [one for one in found if before is None or one.at <= before]

    def _beginning(self, name: str) -> Iterator[str]:
        place = bisect_left(self._hashes, name)
        while place < len(self._hashes) and self._hashes[place].startswith(name):
            yield self._hashes[place]
            place += 1

    def carrying(self, one: Trace) -> list[Trace]:
        """
        The changes that bring a change: deploys and merges of its revision.
        """
        names = {one.id.lower(), (one.revision or one.id).lower()}
        return [found for name in sorted(names) for found in self._carriers.get(name, ()) if found.id != one.id]

    def undone(self, one: Trace) -> list[Trace]:
        """
        What a change takes back: as it says, else by the title in its own, else of a rollback the deploys of its
        service since the version that it goes back to.
        """
        for reference in one.back:
            found = [other for other in self.named(reference, one.at) if other.id != one.id]
            if found:
                return found
        title = reverted_title(one.title)
        if title:
            earlier = [
                other
                for other in self._by_title.get(title.lower(), ())
                if other.id != one.id and timedelta(0) < one.at - other.at <= timedelta(days=TITLE_DAYS)
            ]
            return earlier[-1:]
        return self._rolled_back(one) if one.kind is ChangeKind.ROLLBACK else []

    def _rolled_back(self, one: Trace) -> list[Trace]:
        for service in one.services:
            for other in reversed(self.on(service, one.at - timedelta(days=7), one.at)):
                same = other.environment == one.environment and other.kind is ChangeKind.DEPLOY
                if (
                    same
                    and other.revision != one.revision
                    and (not one.revision or other.previous in (None, one.revision))
                ):
                    return [other]
        return []

    def on(self, service: EntityId, start: datetime, end: datetime) -> list[Trace]:
        """
        The changes of a service with `start <= at < end`, in order of time.
        """
        found = self._by_service.get(service, [])
        return found[bisect_left(found, start, key=_at) : bisect_left(found, end, key=_at)]

    def between(self, start: datetime, end: datetime) -> list[Trace]:
        """
        All changes of that time, in order.
        """
        return self.ordered[bisect_left(self.ordered, start, key=_at) : bisect_left(self.ordered, end, key=_at)]


def _at(one: Trace) -> datetime:
    return one.at


def _hexadecimal(text: str) -> bool:
    return all(char in "0123456789abcdef" for char in text)
