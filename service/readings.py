"""
When each source was last read from files, from where, and what was wrong. A note per source, renewed by each reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from graph.contract import Store
from ingest.contract import Source
from ingest.pipeline import Report

SHELF = "readings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """
    Of one source. `config` is what was named to read: a folder, a file or a `sources.toml`.
    """

    connector: str
    config: str
    named: bool
    """Its connector was said with the command, and stands in no file."""
    read_at: datetime
    succeeded_at: datetime | None = None
    problem: str = ""


def note(store: Store, config: Path, sources: Sequence[Source], report: Report, *, named: bool) -> None:
    """
    Keep what became of a reading.
    """
    now = datetime.now(UTC)
    before = readings(store)
    problems = {one.source: one.problem for one in report.sources}
    bodies = []
    for source in sources:
        problem = problems.get(source.name, "")
        old = before.get(source.name)
        read = Read(
            connector=source.connector,
            config=str(config),
            named=named,
            read_at=now,
            succeeded_at=(old.succeeded_at if old else None) if problem else now,
            problem=problem,
        )
        bodies.append((source.name, orjson.dumps(read)))
    store.keep(SHELF, bodies)


def readings(store: Store) -> Mapping[str, Read]:
    """
    The last reading of each source.
    """
    return {name: _read(body) for name, body in store.kept(SHELF).items()}


def _read(body: bytes) -> Read:
    found = orjson.loads(body)
    succeeded = found.pop("succeeded_at")
    read = datetime.fromisoformat(found.pop("read_at"))
    return Read(**found, read_at=read, succeeded_at=datetime.fromisoformat(succeeded) if succeeded else None)
