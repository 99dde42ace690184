"""
The catalogue of names follows the feed, for each reader by what he may see.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.contract import Store
from graph.opening import open_store
from graph.values import View
from models.catalogue import Catalogue
from tests.contract.making import deploy, record, state, view

SECRET = frozenset({"secret"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}")
    yield opened
    opened.close()


def _known(catalogue: Catalogue, store: Store, seen: View) -> set[str]:
    catalogue.follow(store)
    return set(catalogue.directory(seen).services)


def test_a_service_that_only_changes_name_is_known_as_long_as_its_reader_sees_one(store: Store) -> None:
    catalogue = Catalogue()
    public, insider = view(50), view(50, labels=SECRET)
    state(store, record("r"), deploy("1", 1, "z"))
    assert _known(catalogue, store, public) == _known(catalogue, store, insider) == {"service:z"}
    state(store, record("s", labels=SECRET, part="b"), deploy("2", 2, "z"), deploy("3", 3, "hidden"))
    assert _known(catalogue, store, public) == {"service:z"}
    assert _known(catalogue, store, insider) == {"service:z", "service:hidden"}
    store.erase("r")
    assert _known(catalogue, store, public) == set()
    assert _known(catalogue, store, insider) == {"service:z", "service:hidden"}


def test_readers_without_end_are_all_answered(store: Store) -> None:
    catalogue = Catalogue()
    state(store, record("r"), deploy("1", 1, "z"))
    for number in range(40):
        hiding = view(50, hidden=[f"x{number}", *(["r"] if number % 2 else [])])
        assert _known(catalogue, store, hiding) == (set() if number % 2 else {"service:z"})
