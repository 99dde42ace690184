"""
What items state, in the form in which tests of catalogues and topology compare it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from graph.values import Fact, FactKind, Item, Record
from ingest.connectors import connector
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, read


def data(name: str) -> bytes:
    """
    A payload of ours.
    """
    return (DATA / name).read_bytes()


def about(items: Iterable[Item], entity: str) -> Mapping[str, str]:
    """
    What is said of one entity.
    """
    (found,) = [one for one in items if isinstance(one, Fact) and (one.kind, one.subject) == (FactKind.ENTITY, entity)]
    return found.attributes


def entities(items: Iterable[Item]) -> set[str]:
    """
    The entities that are described.
    """
    return {one.subject for one in items if isinstance(one, Fact) and one.kind is FactKind.ENTITY}


def names(items: Iterable[Item], entity: str) -> set[tuple[str, str]]:
    """
    (other name, where it was seen) of one entity.
    """
    return {
        (one.object, one.attributes["seen_in"])
        for one in items
        if isinstance(one, Fact) and one.kind is FactKind.ALIAS and one.subject == entity
    }


def edges(items: Iterable[Item], kind: FactKind = FactKind.DEPENDS_ON) -> set[tuple[str, str]]:
    """
    The edges of a kind.
    """
    return {(one.subject, one.object) for one in items if isinstance(one, Fact) and one.kind is kind}


def edge(items: Iterable[Item], subject: str, target: str, kind: FactKind = FactKind.DEPENDS_ON) -> Mapping[str, str]:
    """
    What is said of one edge, which is stated once.
    """
    (found,) = [
        one.attributes
        for one in items
        if isinstance(one, Fact) and (one.kind, one.subject, one.object) == (kind, subject, target)
    ]
    return found


def sample(name: str, path: object) -> list[Item]:
    """
    What a real payload states.
    """
    file = str(path)
    with open(file, "rb") as stream:
        return read(name, stream.read(), path=file.rpartition("/")[2])


def refused(name: str, raw: bytes, path: str = "file.json") -> list[str]:
    """
    Why the pieces of a payload, or all of it, cannot be read; empty texts for those that can.
    """
    found, one = [], connector(name)
    try:
        for piece in one.split(raw, {"path": path}):
            record = Record(
                id="r", source="s", connector=name, part=piece.part, body=piece.body, digest="",
                received_at=datetime(2026, 5, 1, tzinfo=UTC), meta={"path": path, **piece.meta},
            )  # fmt: skip
            try:
                _ = piece.problem or list(one.transform(record))
                found.append(piece.problem)
            except BadRecord as error:
                found.append(str(error))
    except BadRecord as error:
        found.append(str(error))
    return found
