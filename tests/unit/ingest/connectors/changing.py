"""
What connectors of changes are tested with: the changes of a payload, those of each real sample, and what is left of
deliveries in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import orjson

from graph.values import Change, Item, Record
from ingest.connectors import connector
from ingest.contract import Piece
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, RECEIVED, read


def moment(text: str) -> datetime:
    """
    A moment in UTC, written like `2026-03-02 14:43:05`.
    """
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def changes(name: str, raw: bytes, **meta: str) -> list[Change]:
    """
    The changes that a payload states. Anything else fails the test.
    """
    found = read(name, raw, **meta)
    assert all(isinstance(one, Change) for one in found)
    return [one for one in found if isinstance(one, Change)]


def data(name: str) -> bytes:
    """
    Our own payload of a connector.
    """
    return next(path for path in sorted(DATA.glob(f"{name}.*"))).read_bytes()


def events(name: str) -> list[dict[str, object]]:
    """
    The deliveries in our own payload of a connector.
    """
    found = orjson.loads(data(name))
    assert isinstance(found, list)
    return found


def ids(found: Iterable[Item]) -> list[str]:
    """
    The ids of changes, in order.
    """
    return [one.id for one in found if isinstance(one, Change)]


def sampled(shared: Path, name: str, folder: str = "") -> dict[str, list[str] | str]:
    """
    Of each real sample the ids of its changes, or why it is refused.
    """
    found: dict[str, list[str] | str] = {}
    for path in sorted((shared / "samples" / (folder or name)).glob("*.*")):
        if path.suffix == ".md":
            continue
        try:
            found[path.name] = ids(changes(name, path.read_bytes(), path=path.name))
        except BadRecord as error:
            found[path.name] = str(error)
    return found


def record_of(name: str, piece: Piece, path: str = "file.json") -> Record:
    """
    The record of a piece.
    """
    return Record(
        id="r", source="s", connector=name, part=piece.part, body=piece.body, digest="", received_at=RECEIVED,
        meta={"path": path, **piece.meta},
    )  # fmt: skip


def settled(name: str, bodies: Sequence[object]) -> list[Change]:
    """
    What is left of deliveries: of each part what occurred last, whatever the order. Fails where the order matters.
    """
    outcomes = {_settled(name, order) for order in permutations([*bodies, bodies[0]])}
    assert len(outcomes) == 1
    return list(outcomes.pop())


def _settled(name: str, bodies: Sequence[object]) -> tuple[Change, ...]:
    one = connector(name)
    last: dict[str, Piece] = {}
    for body in bodies:
        for piece in one.split(orjson.dumps(body), {"path": "file.json"}):
            assert piece.occurred_at is not None, piece.part
            before = last.get(piece.part)
            if before is None or before.occurred_at is None or before.occurred_at <= piece.occurred_at:
                last[piece.part] = piece
    found = [item for part in sorted(last) for item in one.transform(record_of(name, last[part]))]
    return tuple(item for item in found if isinstance(item, Change))
