"""
The schema in ordered steps: constraints, indexes, counters. Each step can be run again.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from graph.errors import StoreTooNew, StoreUnavailable
from graph.neo4j.connecting import Line, rows
from graph.neo4j.queries import cypher

_INDEX_SECONDS = 300


@cache
def steps() -> tuple[tuple[str, ...], ...]:
    """
    The commands of each step, in order.
    """
    folder = Path(__file__).with_name("migrations")
    return tuple(_commands(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("[0-9]*.cypher")))


def _commands(text: str) -> tuple[str, ...]:
    lines = [line for line in text.splitlines() if not line.startswith("//")]
    return tuple(part.strip() for part in "\n".join(lines).split(";") if part.strip())


def require(line: Line, *, write: bool) -> None:
    """
    Bring the schema to the present version where one may write. StoreTooNew of a later one, StoreUnavailable of an
    older one that may not be changed.
    """
    version = line.command(cypher("schema_version"))[0][0] or 0
    if version > len(steps()):
        raise StoreTooNew(
            line.url,
            f"The store has schema {version}, this program knows {len(steps())}; install the version that wrote it",
        )
    if version == len(steps()):
        return
    if not write:
        raise StoreUnavailable(line.url, "The store has no schema of this version; let a writer open it once")
    for step in steps()[version:]:
        for command in step:
            # a step may look at all there is
            line.command(command, _INDEX_SECONDS)
    line.command(f"CALL db.awaitIndexes({_INDEX_SECONDS})")
    line.write(lambda transaction: rows(transaction, "schema_reached", version=len(steps())))
