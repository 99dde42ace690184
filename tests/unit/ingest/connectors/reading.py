"""
Reading a payload through a connector alone, as tests of connectors want it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from graph.values import Fact, FactKind, Item, Record
from ingest.connectors import connector

DATA = Path(__file__).parent / "data"
"""A payload for each connector, written by us in the vendor's shape."""
RECEIVED = datetime(2026, 5, 1, tzinfo=UTC)


def read(name: str, raw: bytes, **meta: str) -> list[Item]:
    """
    All that a payload states; a piece that cannot be read fails the test. `meta` are headers and options, with `_` for `-`
    in names.
    """
    found: list[Item] = []
    one = connector(name)
    given = {"path": "file.json", **{key.replace("_", "-"): value for key, value in meta.items()}}
    for piece in one.split(raw, given):
        assert not piece.problem, piece.problem
        found += one.transform(
            Record(
                id="r",
                source="s",
                connector=name,
                part=piece.part,
                body=piece.body,
                digest="",
                received_at=RECEIVED,
                meta={**given, **piece.meta},
            )
        )
    return found


def facts(items: list[Item]) -> set[tuple[FactKind, str, str]]:
    """
    The facts among items, without their attributes.
    """
    return {(one.kind, one.subject, one.object) for one in items if isinstance(one, Fact)}
