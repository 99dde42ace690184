"""
What every request passes: the host's name, cross-site rules, the size of the body, and admission.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import Problem, problem
from service.settings import Settings

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})
_HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.IGNORECASE)
"""A Host header: a name or an address, and a port; nothing else, so that no other name hides in it."""
_PORTS = {"http": 80, "https": 443}
_SAFE = {"GET", "HEAD", "OPTIONS"}
MCP = "/mcp"
"""Whoever speaks this protocol tells his origin with every request, safe or not."""
_INTAKE = ("/v1/ingest", "/v1/hooks")
CSP = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    # without a referrer of its own origin, a browser calls the origin of our own forms "null"
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}


def largest(settings: Settings, path: str) -> int:
    """
    How many bytes the body of a request to a path may have, packed or not.
    """
    return settings.max_bulk if path.startswith(_INTAKE) else settings.max_body


def too_large(most: int) -> str:
    """
    What to say of a larger body.
    """
    return f"the body is larger than {most} bytes; send less at once, or raise `max_body` or `max_bulk`"


def _origin(text: str) -> tuple[str, str, int] | None:
    """
    Scheme, host and port of an origin; None for what is none.
    """
    try:
        parts = urlsplit(text)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname and port else None


def own_address(settings: Settings, request: Request) -> str:
    """
    The address under which a client reached us, without a path.
    """
    return (settings.public_url or f"{request.url.scheme}://{request.url.netloc}").rstrip("/")


def covers(audience: str, address: str) -> bool:
    """
    Whether an address is the one that a token is for, or lies below it.
    """
    paths = [urlsplit(one).path.rstrip("/") for one in (audience, address)]
    below = paths[1] == paths[0] or paths[1].startswith(paths[0] + "/")
    return below and _origin(audience) is not None and _origin(audience) == _origin(address)


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
            if self._places.locked():
                await asyncio.wait_for(self._places.acquire(), self._wait)
            else:
                # there is a place at once, and no need for a clock
                await self._places.acquire()
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
        parsed = _HOST.fullmatch(host)
        if not parsed or parsed[1].lower() not in self.hosts:
            return 421, f"this server is not {(parsed[1] if parsed else host)!r}; add the name to `allowed_hosts`"
        invited = scope["path"] == MCP and headers.get("origin") in self.settings.allowed_origins
        if not invited and (scope["method"] not in _SAFE or scope["path"] == MCP):
            if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
                return 403, "requests from other sites are refused"
            foreign = self._foreign(scope, headers, host)
            if foreign:
                return foreign
        return self._too_long(scope, headers)

    def _foreign(self, scope: Scope, headers: dict[str, str], host: str) -> tuple[int, str] | None:
        """
        A refusal of another origin's page.
        """
        origin = headers.get("origin")
        own = f"{scope.get('scheme', 'http')}://{host}"
        if not origin or (_origin(origin) is not None and _origin(origin) == _origin(own)):
            return None
        return 403, (
            f"requests from other origins are refused: {origin!r} is not {own!r}; "
            "a proxy has to pass on `Host` and `X-Forwarded-Proto`"
        )

    def _too_long(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._most(scope["path"]):
            return 413, too_large(self._most(scope["path"]))
        return None

    def _most(self, path: str) -> int:
        return largest(self.settings, path)

    def _gate(self, path: str) -> Gate | None:
        if path in ("/healthz", "/readyz", "/metrics"):
            return None
        return self.gates["ingest" if path.startswith(_INTAKE) else "read"]

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """
        The body, counted while it streams: a length that was not announced cannot grow past the limit either, and one
        that dawdles does not keep its place. Whoever reads it meets a Problem there, so that a part of a body is never
        taken for the whole.
        """
        most, got, whole = self._most(scope["path"]), 0, False
        end = asyncio.get_running_loop().time() + self.settings.body_ms / 1000

        async def bounded() -> Message:
            nonlocal got, whole
            try:
                async with asyncio.timeout_at(None if whole else end):
                    message = await receive()
            except TimeoutError:
                raise Problem(408, f"the body did not come within {self.settings.body_ms} ms; send it again") from None
            whole = not message.get("more_body", False)
            got += len(message.get("body", b""))
            if got > most:
                raise Problem(413, too_large(most))
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
