"""
`precedent mcp`: the protocol over standard input and output, for an agent that starts us as its child.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Lock

from starlette.concurrency import run_in_threadpool

from graph.errors import GraphError
from service.mcp.asking import Asking
from service.mcp.refusals import Refusal
from service.tokens import LOCAL, Caller
from service.wiring import Memory

REFUSED = "tokens are in use here: set PRECEDENT_TOKEN to one with the scope `read` that is bound to no address"


def serve(memory: Memory) -> None:
    """
    Until the input ends.
    """
    asyncio.run(_serve(memory))


def caller_of(memory: Memory) -> Caller:
    """
    Whose token the settings hold. Raises Refusal where tokens are in use and it is none that may read here.
    """
    memory.tokens.refresh()
    if not memory.tokens.any:
        return LOCAL
    found = memory.tokens.caller(memory.settings.token.get_secret_value())
    if found is None or not found.may("read") or found.audience:
        raise Refusal(REFUSED)
    return found


async def _serve(memory: Memory) -> None:
    from mcp.server.stdio import stdio_server

    from service.mcp.protocol import server_of

    lock = Lock()

    def current() -> Asking:
        # another process writes: whoever asks sees what it has written
        with lock, suppress(GraphError):
            memory.follow()
        return Asking(memory, caller_of(memory))

    async def whose(request: object) -> Asking:
        return await run_in_threadpool(current)

    server = server_of(whose)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
