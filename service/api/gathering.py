"""
Work of requests that come at the same time, done together in one thread.

While one group is at work the next one gathers, so nobody waits for others to come, and the busier it is the less each
costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
MOST = 64
"""Of a group."""


class Gathering(Generic[Asked, Answer]):
    """
    `work` answers each of a group in their order, by an exception where it failed. For the event loop's thread alone.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Sequence[Answer | Exception]]) -> None:
        self._work = work
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked) -> Answer:
        """
        The answer to one, worked out with others. Raises what became of it.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._worker is None:
            self._worker = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._answer(group)
        finally:
            self._worker = None

    async def _answer(self, group: Sequence[tuple[Asked, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await run_in_threadpool(self._work, [asked for asked, _ in group])
        except BaseException as error:
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), answer in zip(group, answers, strict=True):
            # whoever went away asks no more
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
