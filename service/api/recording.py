"""
What a request does that must be in the audit: it is written while the answer is made, and the answer waits for it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from concurrent.futures import Future

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graph.errors import GraphError
from service.api.problems import problem
from service.tokens import Caller
from service.wiring import Memory

_KEY = "precedent.recording"


def restricted_read(request: Request, who: Caller) -> None:
    """
    Whoever holds labels may be shown what is restricted: that he asked is recorded, whatever he finds.
    """
    query = request.url.query
    asked = {"method": request.method, "path": request.url.path, "labels": sorted(who.visibility)}
    recording(request, who, "read", asked | ({"query": mark_of(query.encode())} if query else {}))


def recording(request: Request, who: Caller, act: str, what: Mapping[str, object]) -> None:
    """
    Record an act; the response waits until it is durable, and is a 503 where it cannot be.
    """
    memory: Memory = request.app.state.memory
    waiting: list[Future[None]] = request.scope.setdefault(_KEY, [])
    waiting.append(memory.audit.add(who.name, act, what))


def mark_of(text: bytes) -> str:
    """
    What stands in the audit for words that somebody else chose.
    """
    return hashlib.sha256(text).hexdigest()[:16]


class Recorded:
    """
    ASGI middleware: no response begins before what it has to record is durable.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Pass on, and wait where something is recorded.
        """
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        waiting: list[Future[None]] = []
        scope[_KEY] = waiting
        refused = False

        async def sent(message: Message) -> None:
            nonlocal refused
            if waiting and message["type"] == "http.response.start":
                refused = not await _durable(waiting)
                if refused:
                    told = "this must be recorded in the audit, which cannot be written now; try again"
                    await problem(503, told, {"retry-after": "5"})(scope, receive, send)
            if not refused:
                await send(message)

        await self.app(scope, receive, sent)


async def _durable(waiting: list[Future[None]]) -> bool:
    try:
        await asyncio.gather(*(asyncio.wrap_future(one) for one in waiting))
    except GraphError:
        return False
    return True
