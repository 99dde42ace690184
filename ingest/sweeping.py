"""
Closing what a snapshot source no longer holds, and nothing else.

Only parts of files that this source was read from are closed: what came under the same name over HTTP stays. A file
that could not be read keeps all that it stated when it last could.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from graph.contract import Store
from graph.values import RecordState
from ingest.contract import Source
from ingest.journal import Admission, redactor_of
from ingest.rivals import MANY, first_of, live_parts

MAX_SWEPT_SHARE = 0.2
FEW = 5
"""So many parts may go at once, however small the source is."""
SHELF = "sources"


@dataclass(slots=True)
class Reading:
    """
    One reading of a source: what became of each file, by its path within the source, and what went wrong.
    """

    files: dict[str, Admission | None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def admissions(self) -> list[Admission]:
        """
        Of the files that could be taken in.
        """
        return [admission for admission in self.files.values() if admission]

    @property
    def records(self) -> frozenset[str]:
        """
        All that was read.
        """
        return frozenset(record for admission in self.admissions for record in admission.records)


def remember(store: Store, source: Source, names: Iterable[str], problem: str = "") -> None:
    """
    Note the files of a source, so that one that is gone later is missed, and what kept it from being closed.
    """
    redact = redactor_of(store).redact
    body = orjson.dumps({"files": sorted({redact(name).text for name in names}), "problem": problem})
    if store.kept(SHELF, [source.name]).get(source.name) != body:
        store.keep(SHELF, [(source.name, body)])


def remembered(store: Store, source: Source) -> frozenset[str]:
    """
    The files that a source was read from and that were not yet missed.
    """
    body = store.kept(SHELF, [source.name]).get(source.name)
    return frozenset(orjson.loads(body)["files"]) if body else frozenset()


def with_files(store: Store) -> frozenset[str]:
    """
    The names of the snapshot sources that were read from files which are not yet missed.
    """
    return frozenset(name for name, body in store.kept(SHELF).items() if orjson.loads(body)["files"])


def sweep(store: Store, source: Source, reading: Reading, *, force: bool) -> tuple[int, str]:
    """
    Close what is gone; how many statements, and why not where that is suspiciously much and not forced.
    """
    live = live_parts(store, source.name)
    before = remembered(store, source)
    broken = _broken(store, source, reading, live)
    owned = _parts_of(live, before | set(reading.files))
    seen = {part for admission in reading.admissions for part in admission.parts}
    gone = owned - seen - _parts_of(live, broken)
    if len(gone) > FEW and len(gone) > MAX_SWEPT_SHARE * len(owned) and not force:
        problem = f"{len(gone)} of {len(owned)} parts are gone; nothing was closed. If that is right, use --force"
        remember(store, source, before | set(reading.files), problem)
        return 0, problem
    closed = store.sweep(source.name, sorted((set(live) | seen) - gone), datetime.now(UTC)).closed
    remember(store, source, reading.files)
    return closed, ""


def _broken(store: Store, source: Source, reading: Reading, live: Collection[str]) -> frozenset[str]:
    """
    The files of which something could not be read, so that nobody knows what of the rest is gone.
    """
    bad = {
        record.id
        for record in store.records(source=source.name, state=RecordState.QUARANTINED, limit=MANY)
        if record.part not in live and not first_of(record.reason)
    }
    return frozenset(
        name for name, admission in reading.files.items() if admission is None or not bad.isdisjoint(admission.records)
    )


def _parts_of(parts: Iterable[str], files: Collection[str]) -> set[str]:
    """
    Those parts that are a file or something in it: FILE or FILE#ENTRY, case aside.
    """
    names = {name.casefold() for name in files}
    return {part for part in parts if any(start in names for start in _starts(part.casefold()))}


def _starts(part: str) -> Iterable[str]:
    yield part
    for place, char in enumerate(part):
        if char == "#":
            yield part[:place]
