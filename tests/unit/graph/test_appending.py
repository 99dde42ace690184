"""
Callers that come at the same time share a commit, and each hears of its own records alone.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from graph.appending import LARGEST_GROUP, Appending
from graph.contract import Receipt
from graph.errors import InvalidValue, StoreUnavailable
from graph.values import Record
from tests.contract.making import record


class Slow:
    """
    A commit that waits until it is let go, and remembers its groups.
    """

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.began = threading.Semaphore(0)
        self.goes = threading.Semaphore(0)
        self.there: set[str] = set()
        self.bad: frozenset[str] = frozenset()
        self.error: BaseException | None = None

    def __call__(self, records: Sequence[Record]) -> set[int]:
        ids = [one.id for one in records]
        self.groups.append(ids)
        self.began.release()
        self.goes.acquire()
        if self.error is not None:
            raise self.error
        if not self.bad.isdisjoint(ids):
            raise InvalidValue("bad", "not valid")
        known = {nth for nth, one in enumerate(ids) if one in self.there or one in ids[:nth]}
        self.there.update(ids)
        return known


class Callers:
    """
    Threads that each append one batch; what each was told.
    """

    def __init__(self, appending: Appending) -> None:
        self._appending = appending
        self._threads: list[threading.Thread] = []
        self.told: dict[str, tuple[Receipt, ...] | BaseException] = {}

    def send(self, *ids: str) -> None:
        def work() -> None:
            try:
                self.told[ids[0]] = self._appending.append([record(one) for one in ids])
            except BaseException as error:  # noqa: BLE001 - told, and looked at by the test
                self.told[ids[0]] = error

        before = len(self._appending.waiting)
        self._threads.append(threading.Thread(target=work))
        self._threads[-1].start()
        if len(self._threads) > 1:
            while len(self._appending.waiting) == before:
                pass

    def join(self) -> None:
        for thread in self._threads:
            thread.join()


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def callers(slow: Slow) -> Callers:
    return Callers(Appending(slow))


def begin(slow: Slow, callers: Callers) -> None:
    """
    One commits, and cannot end yet.
    """
    callers.send("first")
    slow.began.acquire()


def duplicates(told: object) -> list[bool]:
    assert isinstance(told, tuple)
    return [one.duplicate for one in told]


def test_who_comes_during_a_commit_shares_the_next_one(slow: Slow, callers: Callers) -> None:
    begin(slow, callers)
    for ids in (("a", "b"), ("c",), ("d", "a")):
        callers.send(*ids)
    slow.goes.release(2)
    callers.join()
    assert slow.groups == [["first"], ["a", "b", "c", "d", "a"]]
    assert {name: duplicates(told) for name, told in callers.told.items()} == {
        "first": [False],
        "a": [False, False],
        "c": [False],
        "d": [False, True],
    }


def test_nobody_leads_for_longer_than_its_own_commit(slow: Slow, callers: Callers) -> None:
    begin(slow, callers)
    callers.send("next")
    slow.goes.release()
    slow.began.acquire()
    while "first" not in callers.told:
        pass
    assert "next" not in callers.told
    slow.goes.release()
    callers.join()
    assert duplicates(callers.told["next"]) == [False]


def test_a_record_that_cannot_be_stored_fails_its_own_call_alone(slow: Slow, callers: Callers) -> None:
    slow.bad = frozenset({"bad"})
    begin(slow, callers)
    for ids in (("a",), ("bad",), ("c",)):
        callers.send(*ids)
    slow.goes.release(5)
    callers.join()
    assert isinstance(callers.told["bad"], InvalidValue)
    assert [duplicates(callers.told[name]) for name in ("a", "c")] == [[False], [False]]


@pytest.mark.parametrize("error", [StoreUnavailable("x"), KeyboardInterrupt()])
def test_a_commit_that_fails_is_told_to_all_of_it_and_the_next_goes_on(
    slow: Slow, callers: Callers, error: BaseException
) -> None:
    begin(slow, callers)
    callers.send("a")
    slow.error = error
    slow.goes.release()
    slow.began.acquire()
    slow.error = None
    slow.goes.release()
    callers.join()
    assert callers.told["first"] is error
    assert duplicates(callers.told["a"]) == [False]


def test_a_large_group_is_cut_between_calls(slow: Slow, callers: Callers) -> None:
    begin(slow, callers)
    many = [f"m{nth}" for nth in range(LARGEST_GROUP)]
    callers.send("a")
    callers.send(*many)
    slow.goes.release(3)
    callers.join()
    assert [len(group) for group in slow.groups] == [1, 1, LARGEST_GROUP]
