"""
What takes long is made once, and readers do not wait for a newer one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from graph.values import PUBLIC, Labels
from service import kept
from service.kept import Kept


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as found:
        yield found


def test_the_first_is_waited_for_only_as_long_as_one_wants(pool: ThreadPoolExecutor) -> None:
    go = threading.Event()
    calls: list[Labels] = []

    def work(labels: Labels) -> int:
        calls.append(labels)
        go.wait(5)
        return 7

    held = Kept(work, pool)
    assert held.get(PUBLIC) is None
    assert held.get(PUBLIC, 0.01) is None
    go.set()
    made = held.get(PUBLIC, 5)
    assert made
    assert made.value == 7
    assert calls == [PUBLIC], "it is made once, however many ask"


def test_an_old_one_is_given_while_a_newer_is_made(pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "FRESH", 0.0)
    monkeypatch.setattr(kept, "SHARE", 0)
    counted = iter(range(100))
    again = threading.Event()

    def work(labels: Labels) -> int:
        number = next(counted)
        if number:
            again.wait(5)
        return number

    held = Kept(work, pool)
    first = held.get(PUBLIC, 5)
    assert first
    second = held.get(PUBLIC, 5)
    assert second
    assert second.value == first.value == 0
    again.set()


def test_readers_of_other_labels_get_their_own_and_nothing_forgotten_comes_back(pool: ThreadPoolExecutor) -> None:
    go = threading.Event()
    go.set()
    counted = iter(range(100))

    def work(labels: Labels) -> tuple[int, Labels]:
        number = next(counted)
        go.wait(5)
        return number, labels

    held = Kept(work, pool)
    one, other = held.get(PUBLIC, 5), held.get(frozenset({"vip"}), 5)
    assert one
    assert other
    assert (one.value[1], other.value[1]) == (PUBLIC, frozenset({"vip"}))
    held.forget()
    go.clear()
    assert held.get(PUBLIC) is None
    held.forget()
    go.set()
    newest = held.get(PUBLIC, 5)
    assert newest
    assert newest.value[0] == 3


def test_a_failure_is_told_and_tried_again(pool: ThreadPoolExecutor) -> None:
    outcomes = iter([ValueError("away"), 5])

    def work(labels: Labels) -> object:
        found = next(outcomes)
        if isinstance(found, Exception):
            raise found
        return found

    held = Kept(work, pool)
    with pytest.raises(ValueError, match="away"):
        held.get(PUBLIC, 5)
    made = held.get(PUBLIC, 5)
    assert made
    assert made.value == 5
