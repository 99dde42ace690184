"""
`/mcp`: the Model Context Protocol over HTTP, without sessions, and what tells clients how to be let in (RFC 9728).

The SDK is loaded when somebody first asks; until then serving costs nothing for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.guard import MCP, own_address
from service.api.problems import Problem
from service.mcp import lacks
from service.tokens import Caller
from service.wiring import Memory

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from service.mcp.asking import Asking

SCOPE = "read"
METADATA = "/.well-known/oauth-protected-resource"
_CALLER = "precedent.caller"
Ask = Callable[[Request, str], Awaitable[Caller]]


def install(app: FastAPI, memory: Memory, caller: Ask) -> Endpoint:
    """
    Add the endpoint to the application. Its `close` ends it.
    """
    endpoint = Endpoint(memory, caller)
    served: ASGIApp = endpoint
    if memory.settings.allowed_origins:
        served = CORSMiddleware(
            endpoint,
            allow_origins=memory.settings.allowed_origins,
            allow_methods=["POST"],
            allow_headers=["authorization", "content-type", "mcp-protocol-version", "mcp-method", "mcp-name"],
            expose_headers=["www-authenticate"],
        )
    app.router.routes.append(Route(MCP, served))

    @app.get(METADATA + MCP)
    @app.get(METADATA, include_in_schema=False)
    async def metadata(request: Request) -> Response:
        """
        Which resource this is and which scopes it wants (RFC 9728).
        """
        found: dict[str, object] = {
            "resource": own_address(memory.settings, request) + MCP,
            "resource_name": "Precedent",
            "scopes_supported": [SCOPE],
            "bearer_methods_supported": ["header"],
        }
        if memory.settings.authorization_servers:
            found["authorization_servers"] = list(memory.settings.authorization_servers)
        return JSONResponse(found)

    return endpoint


class Endpoint:
    """
    An ASGI application: who asks is settled before the protocol is spoken.
    """

    def __init__(self, memory: Memory, caller: Ask) -> None:
        self._memory = memory
        self._caller = caller
        self._starting = asyncio.Lock()
        self._ended = asyncio.Event()
        self._manager: StreamableHTTPSessionManager | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Answer one request.
        """
        request = Request(scope, receive)
        scope[_CALLER] = await self._admitted(request)
        if request.method != "POST":
            raise Problem(405, "there are no sessions or streams here: send each request by POST", {"allow": "POST"})
        if self._manager is None and (problem := lacks()):
            raise Problem(501, problem)
        manager = self._manager or await self._started()
        await manager.handle_request(scope, receive, send)

    async def _admitted(self, request: Request) -> Caller:
        """
        Who asks; a refusal tells where a token can be had, and for which scope.
        """
        try:
            return await self._caller(request, SCOPE)
        except Problem as error:
            if error.status in (401, 403):
                where = own_address(self._memory.settings, request) + METADATA + MCP
                said = {401: 'error="invalid_token", ', 403: 'error="insufficient_scope", '}[error.status]
                said = said if "authorization" in request.headers else ""
                error.headers["www-authenticate"] = f'Bearer {said}scope="{SCOPE}", resource_metadata="{where}"'
            raise

    async def _started(self) -> StreamableHTTPSessionManager:
        async with self._starting:
            if self._manager is None:
                ready: asyncio.Future[StreamableHTTPSessionManager] = asyncio.get_running_loop().create_future()
                self._keeper = asyncio.create_task(self._keep(ready))
                self._manager = await ready
            return self._manager

    async def _keep(self, ready: asyncio.Future[StreamableHTTPSessionManager]) -> None:
        """
        The SDK's manager is entered and left by one task.
        """
        try:
            manager = await run_in_threadpool(_manager_of, self._memory)
            async with manager.run():
                ready.set_result(manager)
                await self._ended.wait()
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    async def close(self) -> None:
        """
        End what was begun.
        """
        self._ended.set()
        if self._keeper:
            await asyncio.wait([self._keeper])


def _manager_of(memory: Memory) -> StreamableHTTPSessionManager:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from service.mcp.asking import Asking
    from service.mcp.protocol import server_of

    async def whose(request: Request) -> Asking:
        return Asking(memory, request.scope[_CALLER])

    # names of hosts, origins and sizes were checked by the guard
    return StreamableHTTPSessionManager(
        server_of(whose), stateless=True, json_response=True, max_request_body_size=memory.settings.max_body + 1
    )
