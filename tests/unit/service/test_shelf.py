"""
Answers are there by id at once, reach the store, and a store that takes none is told.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.errors import GraphError
from graph.opening import open_store
from service.shelf import Shelf


def test_an_answer_is_there_at_once_and_after_the_end(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}")
    shelf = Shelf(store, behind=True)
    for number in range(50):
        shelf.put(f"a-{number}", b"body", [])
        assert shelf.get(f"a-{number}") == b"body"
    shelf.close()
    assert len(store.kept("answers")) == 50
    assert shelf.get("a-none") is None
    store.close()


def test_a_store_that_takes_no_answer_is_told(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}").close()
    store = open_store(f"sqlite:///{tmp_path}", read_only=True)
    at_once, behind = Shelf(store, behind=False), Shelf(store, behind=True)
    with pytest.raises(GraphError):
        at_once.put("a-1", b"body", [])
    behind.put("a-1", b"body", [])
    behind.close()
    with pytest.raises(GraphError):
        behind.put("a-2", b"body", [])
    store.close()
