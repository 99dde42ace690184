"""
Requests that come while others are at work are answered together, each its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from service.api.gathering import MOST, Gathering


class Held:
    """
    Work that waits to be let go, and remembers its groups.
    """

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.began = threading.Semaphore(0)
        self.goes = threading.Semaphore(0)

    def __call__(self, asked: Sequence[int]) -> list[str | Exception]:
        self.groups.append(list(asked))
        self.began.release()
        self.goes.acquire()
        if 99 in asked:
            raise ConnectionError("all of it")
        return [ValueError(one) if one == 13 else str(one) for one in asked]


async def asked_while_at_work(held: Held, *numbers: int) -> list[str | BaseException]:
    gathering = Gathering[int, str](held)
    first = asyncio.create_task(gathering.ask(0))
    await asyncio.to_thread(held.began.acquire)
    others = [asyncio.create_task(gathering.ask(number)) for number in numbers]
    await asyncio.sleep(0)
    held.goes.release(100)
    return await asyncio.gather(first, *others, return_exceptions=True)


def test_who_comes_while_one_is_at_work_goes_together() -> None:
    held = Held()
    assert asyncio.run(asked_while_at_work(held, 1, 2, 3)) == ["0", "1", "2", "3"]
    assert held.groups == [[0], [1, 2, 3]]


def test_a_failure_is_told_to_who_asked() -> None:
    found = asyncio.run(asked_while_at_work(Held(), 1, 13, 2))
    assert [str(one) for one in found] == ["0", "1", "13", "2"]
    assert isinstance(found[2], ValueError)


def test_a_group_that_fails_whole_is_told_to_all_of_it_and_others_go_on() -> None:
    held = Held()

    async def work() -> str:
        found = await asked_while_at_work(held, 1, 99)
        assert [type(one) for one in found] == [str, ConnectionError, ConnectionError]
        return await Gathering[int, str](held).ask(5)

    assert asyncio.run(work()) == "5"


def test_a_group_has_a_bound() -> None:
    held = Held()
    asyncio.run(asked_while_at_work(held, *range(100, 100 + MOST + 1)))
    assert [len(group) for group in held.groups] == [1, MOST, 1]


def test_whoever_went_away_holds_up_nobody() -> None:
    held = Held()

    async def work() -> list[str]:
        gathering = Gathering[int, str](held)
        first = asyncio.create_task(gathering.ask(0))
        await asyncio.to_thread(held.began.acquire)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        other = asyncio.create_task(gathering.ask(1))
        await asyncio.sleep(0)
        held.goes.release(2)
        return [await other]

    assert asyncio.run(work()) == ["1"]
