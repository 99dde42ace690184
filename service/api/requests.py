"""
What every route does with a request: who asks, what the body says, and how the answer goes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import orjson
from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from graph.errors import GraphError
from graph.values import View
from ingest.parsing import asked_time, packed, unpack
from service.api.guard import LOOPBACK, covers, largest, own_address
from service.api.problems import Problem
from service.api.recording import restricted_read
from service.metrics import observe
from service.tokens import LOCAL, UNKNOWN, Caller, Tokens
from service.wiring import Memory

Result = TypeVar("Result")
Moment = Annotated[str | None, Query(description="RFC 3339; the world as of then")]


async def caller(request: Request, scope: str) -> Caller:
    """
    Who asks, allowed to; else a Problem.
    """
    memory: Memory = request.app.state.memory
    tokens = memory.tokens
    if tokens.any is None:
        return _stranger(memory, scope)
    if not tokens.any:
        return _neighbour(memory)
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip() if kind.lower() == "bearer" else _pagers(kind, token)
    found = tokens.caller(token)
    if found is None and token:
        # it may have been made a moment ago, by another process
        await run_in_threadpool(tokens.refresh)
        found = tokens.caller(token)
    if found is None:
        raise Problem(401, "a token is needed: Authorization: Bearer prc_...", {"www-authenticate": "Bearer"})
    return allowed(request, found, scope)


def allowed(request: Request, found: Caller, scope: str) -> Caller:
    """
    The caller, where he may have this here; else a Problem.
    """
    memory: Memory = request.app.state.memory
    if found.audience and not covers(found.audience, own_address(memory.settings, request) + request.url.path):
        raise Problem(401, "this token is for another address", {"www-authenticate": "Bearer"})
    if not found.may(scope):
        raise Problem(403, f"this token has not the scope `{scope}`")
    if found.visibility and scope != "ingest":
        restricted_read(request, found)
    return found


def _pagers(kind: str, token: str) -> str:
    """
    The token as clients of PagerDuty send it: `Token token=...`.
    """
    given = token.strip().removeprefix("token=").strip('"')
    return given if kind.lower() == "token" else ""


def _stranger(memory: Memory, scope: str) -> Caller:
    """
    Whoever asks before the store was read once: nothing is known that he could see, and nothing can be taken from him.
    """
    if scope != "read" or memory.settings.host not in LOOPBACK:
        detail = "the store has not been reached since the start, so no token can be checked; try again"
        raise Problem(503, detail, {"retry-after": "5"})
    return UNKNOWN


def _neighbour(memory: Memory) -> Caller:
    """
    Whoever asks while there are no tokens. Serving others than this machine is refused at the start already, where the
    store could be asked then.
    """
    if memory.settings.host not in LOOPBACK:
        raise Problem(
            401, "there are no tokens, so only this machine is served; make one: precedent token NAME --scope read"
        )
    return LOCAL


async def fresh(tokens: Tokens) -> None:
    """
    Read the tokens again and again, as other processes may make some.
    """
    while True:
        with suppress(GraphError):
            await run_in_threadpool(tokens.refresh)
        await asyncio.sleep(1)


async def body_of(request: Request) -> bytes:
    """
    The whole body, unpacked where it is gzip, as its header says or its first bytes do. A Problem where it is, or would
    be, larger than allowed. Unpacking is work for a thread: meanwhile others are answered.
    """
    most = largest(request.app.state.memory.settings, request.url.path)
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip"):
        known = {"accept-encoding": "gzip"}
        raise Problem(415, f"the body's Content-Encoding `{coding[:40]}` is not known; send gzip, or as it is", known)
    raw = await request.body()
    if coding.endswith("gzip") and not packed(raw):
        raise Problem(422, "Content-Encoding says gzip, but the body is not gzip; send it as it is, without the header")
    raw = await unpacked(raw, most)
    if packed(raw):
        raise Problem(422, "the body is gzip within gzip within gzip; pack it once")
    return raw


async def unpacked(raw: bytes, most: int) -> bytes:
    """
    A body without its gzip. A packed file that was packed once more on its way is fine; more layers than that are no
    honest body, and stay.
    """
    for _ in range(2):
        if packed(raw):
            raw = await run_in_threadpool(unpack, raw, "the body", most)
    return raw


def as_json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """
    JSON by the quick encoder.
    """
    return Response(orjson.dumps(value), status, headers, "application/json")


async def timed(name: str, work: Callable[[], Result]) -> Result:
    """
    Work done in a thread, and measured.
    """
    with observe(name):
        return await run_in_threadpool(work)


def view_of(who: Caller, as_of: str | None, known_at: str | None) -> View:
    """
    The view that a request asks for.
    """
    now = datetime.now(UTC)
    return View(
        as_of=asked_moment(as_of, "as_of") or now,
        known_at=asked_moment(known_at, "known_at") or now,
        visibility=who.visibility,
    )


def asked_moment(value: object, name: str) -> datetime | None:
    """
    A time that a request asks about; None where it gives none.
    """
    return asked_time(value, name) if value not in (None, "") else None
