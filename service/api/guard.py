"""
What every request passes: the host's name, cross-site rules, the size of the body, and admission.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import problem
from service.settings import Settings

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]", "testserver"})
_SAFE = {"GET", "HEAD", "OPTIONS"}
CSP = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    # without a referrer of its own origin, a browser calls the origin of our own forms "null"
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}


class Gate:
    """
    At most so many in flight; others wait shortly, then are turned away.
    """

    def __init__(self, most: int, wait_ms: int) -> None:
        self._places = asyncio.Semaphore(most)
        self._wait = wait_ms / 1000

    async def enter(self) -> bool:
        """
        Whether there was a place in time.
        """
        try:
            await asyncio.wait_for(self._places.acquire(), self._wait)
        except TimeoutError:
            return False
        return True

    def leave(self) -> None:
        """
        Give the place back.
        """
        self._places.release()


class Guard:
    """
    ASGI middleware.
    """

    def __init__(self, app: ASGIApp, settings: Settings, hosts: Collection[str]) -> None:
        self.app = app
        self.settings = settings
        self.hosts = {*LOOPBACK, *hosts}
        self.gates = {
            "read": Gate(settings.inflight, settings.queue_ms),
            "ingest": Gate(settings.inflight_ingest, settings.queue_ms),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Check, admit, pass on.
        """
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal:
            await problem(*refusal)(scope, receive, send)
            return
        gate = self._gate(scope["path"])
        if gate and not await gate.enter():
            await problem(503, "too many requests in flight; try again", {"retry-after": "1"})(scope, receive, send)
            return
        try:
            await self.app(scope, self._bounded(scope, receive), self._headed(send))
        finally:
            if gate:
                gate.leave()

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if name.lower() not in self.hosts:
            return 421, f"this server is not {name!r}; add the name to `allowed_hosts`"
        if scope["method"] not in _SAFE:
            if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
                return 403, "requests from other sites are refused"
            origin = headers.get("origin")
            if origin and (urlsplit(origin).hostname or "") not in self.hosts:
                return 403, "requests from other origins are refused"
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._most(scope["path"]):
            return 413, f"the body is larger than {self._most(scope['path'])} bytes"
        return None

    def _most(self, path: str) -> int:
        return self.settings.max_bulk if path.startswith("/v1/ingest") else self.settings.max_body

    def _gate(self, path: str) -> Gate | None:
        if path in ("/healthz", "/readyz", "/metrics"):
            return None
        return self.gates["ingest" if path.startswith("/v1/ingest") else "read"]

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """
        The body, counted while it streams: a length that was not announced cannot grow past the limit either.
        """
        most, got = self._most(scope["path"]), 0

        async def bounded() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > most:
                return {"type": "http.request", "body": b"", "more_body": False, "too_large": True}
            return message

        return bounded

    def _headed(self, send: Send) -> Callable[[Message], Awaitable[None]]:
        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                extra = [
                    (name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in present
                ]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        return headed
