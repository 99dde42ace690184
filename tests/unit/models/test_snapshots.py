"""
Snapshots of the indexes make a start quick, and are believed only when whole: answers are the same with and without.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from graph.contract import Store, Yield
from graph.opening import open_store
from graph.searching import Hit, Scope
from graph.values import Incident, ItemKind, Record, SectionKind, Trust, View
from models.contract import Matrix
from models.indexer import Indexer

NOW = View(as_of=datetime(2026, 6, 1, tzinfo=UTC), known_at=datetime(2026, 6, 1, tzinfo=UTC))
SCOPE = Scope(view=NOW, kinds=(ItemKind.INCIDENT,))
TEXTS = {"a": "zebrafish pool exhausted", "b": "walrus certificate expired", "c": "ocelot disk full"}


class Counting:
    """
    Vectors by letters; counts the texts that it made one for.
    """

    model, dimension = "letters", 26

    def __init__(self) -> None:
        self.made = 0

    def embed(self, texts: Sequence[str]) -> Matrix:
        self.made += len(texts)
        found = np.array([[text.lower().count(chr(97 + place)) for place in range(26)] for text in texts], np.float32)
        unit: Matrix = found / np.maximum(1e-6, np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
        return unit


def state(store: Store, name: str) -> None:
    record = Record(
        id=f"r-{name}", source=name, connector="test", part=name, body=TEXTS[name], digest=name,
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    store.append([record])
    item = Incident(
        id=name, title=TEXTS[name], at=datetime(2026, 1, 1, tzinfo=UTC), sections={SectionKind.IMPACT: TEXTS[name]}
    )
    store.apply([Yield(record=record.id, items=(item,), trust=Trust.DECLARED)])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = open_store(f"sqlite:///{tmp_path / 'data'}")
    for name in ("a", "b"):
        state(found, name)
    yield found
    found.close()


def started(store: Store, folder: Path, *, keep: bool = True) -> Indexer:
    indexer = Indexer(store, Counting(), keep=keep, folder=folder)
    indexer.follow()
    return indexer


def answers(indexer: Indexer) -> list[tuple[Hit, ...]]:
    searches = (indexer.search_dense, indexer.search_lexical)
    return [search(text, 5, SCOPE) for search in searches for text in TEXTS.values()]


def test_a_restart_answers_the_same_from_snapshots_and_catches_up(store: Store, tmp_path: Path) -> None:
    first = started(store, tmp_path / "indexes")
    first.save()
    state(store, "c")
    first.follow()
    again = started(store, tmp_path / "indexes")
    assert (again.problems, again.status()) == ([], first.status())
    assert answers(again) == answers(first)


@pytest.mark.parametrize("name", ["dense/vectors.f32", "dense/rows.json", "lexical/terms.txt", "lexical/manifest.json"])
@pytest.mark.parametrize("harm", ["flip", "cut", "missing"])
def test_a_damaged_snapshot_is_told_and_made_anew(store: Store, tmp_path: Path, name: str, harm: str) -> None:
    first = started(store, tmp_path / "indexes")
    first.save()
    path = tmp_path / "indexes" / name
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 4
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(body if harm == "flip" else body[: len(body) // 2])
    again = started(store, tmp_path / "indexes")
    assert [name.split("/")[0] in problem for problem in again.problems] == [True]
    assert answers(again) == answers(first)


def test_a_snapshot_of_another_store_or_model_counts_for_nothing(store: Store, tmp_path: Path) -> None:
    started(store, tmp_path / "indexes").save()
    other = open_store(f"sqlite:///{tmp_path / 'other'}")
    for name in ("c", "b"):
        state(other, name)
    found = {hit.document for hits in answers(started(other, tmp_path / "indexes")) for hit in hits}
    assert found == {"c", "b"}
    other.close()
    newer = Counting()
    newer.model = "letters-2"
    indexer = Indexer(store, newer, folder=tmp_path / "indexes")
    indexer.follow()
    assert newer.made > 0


def test_what_is_erased_is_in_no_snapshot(store: Store, tmp_path: Path) -> None:
    indexer = started(store, tmp_path / "indexes")
    indexer.save()
    store.erase("r-b")
    indexer.follow()
    indexer.save()
    bodies = [path.read_bytes() for path in (tmp_path / "indexes").rglob("*") if path.is_file()]
    assert bodies
    assert not any(b"walrus" in body for body in bodies)
    assert all(hit.document == "a" for hits in answers(started(store, tmp_path / "indexes")) for hit in hits)


def test_a_reader_keeps_nothing(store: Store, tmp_path: Path) -> None:
    started(store, tmp_path / "indexes", keep=False).save()
    assert not (tmp_path / "indexes").exists()
