"""
Who owns it, for paging tools: one question or a list of them; how far harm reaches from a service, and what
we could answer for each.
"""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Annotated

import orjson
from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from graph.values import View
from ingest.errors import BadRecord
from ingest.parsing import load_json
from service.api.problems import Problem
from service.api.requests import Moment, as_json, body_of, caller, timed, view_of
from service.lookup import LABEL, asked_of, owner_answer, resolved_service
from service.parts import Part
from service.radius import radius_part
from service.readiness import readiness
from service.wiring import Memory

MOST = 1000
"""Questions of one list."""


def install(app: FastAPI, memory: Memory) -> None:
    """
    Add the routes to the application.
    """

    @app.get("/v1/owner")
    async def owner(
        request: Request,
        service: str | None = None,
        name: str | None = None,
        alias: str | None = None,
        host: str | None = None,
        repository: str | None = None,
        path: str | None = None,
        as_of: Moment = None,
        known_at: Moment = None,
    ) -> Response:
        """
        Who owns it and who answers now: by a service's name or any alias, an alert's labels (`label.KEY=VALUE`, any
        number), a file (`repository` and `path`), or a `host`. With an ETag.
        """
        who = await caller(request, "read")
        given: dict[str, object] = {
            "service": service, "name": name, "alias": alias, "host": host, "repository": repository, "path": path,
        }  # fmt: skip
        given |= {key: value for key, value in request.query_params.items() if key.startswith(LABEL)}
        asked = asked_of(given)
        view = view_of(who, as_of, known_at)
        return tagged(request, await timed("owner", lambda: owner_answer(memory, view, asked)))

    @app.post("/v1/owners")
    async def owners(request: Request, as_of: Moment = None, known_at: Moment = None) -> Response:
        """
        The same for a list of questions, answered in their order, each by itself: names, or objects with the
        parameters of `GET /v1/owner` (`labels` as an object). What cannot be answered has an `error` in its place.
        """
        who = await caller(request, "read")
        given = load_json(await body_of(request), "the questions")
        given = given.get("owners") if isinstance(given, dict) else given
        if not isinstance(given, list) or len(given) > MOST:
            raise Problem(422, f'write a list of at most {MOST} questions, or `{{"owners": [...]}}`')
        view = view_of(who, as_of, known_at)
        return as_json(await timed("owners", lambda: {"owners": [_one(memory, view, one) for one in given]}))

    @app.get("/v1/services/{name:path}/blast-radius")
    async def blast_radius(
        request: Request,
        name: str,
        depth: Annotated[int, Query(ge=1, le=10)] = 3,
        limit: Annotated[int, Query(ge=1, le=5000)] = 500,
        as_of: Moment = None,
        known_at: Moment = None,
    ) -> Response:
        """
        What depends on a service and what it depends on, each with the edges that lead there, their kind and age.
        """
        view = view_of(await caller(request, "read"), as_of, known_at)

        def found() -> Part:
            service = resolved_service(memory, view, name)
            return radius_part(memory, view, service, sorted, depth=depth, limit=limit, shown=limit)

        return as_json(await timed("blast_radius", found))

    @app.get("/v1/readiness")
    async def ready(
        request: Request, trend: str = "", as_of: Moment = None, known_at: Moment = None
    ) -> Response:  # fmt: skip
        """
        What we could answer for each service if it paged now, what is missing, what to mend first; `trend=7,30`: and
        the shares so many days ago.
        """
        view = view_of(await caller(request, "read"), as_of, known_at)
        days = days_of(trend)
        return as_json(await timed("readiness", lambda: readiness(memory, view, days)))


def days_of(text: str) -> list[int]:
    """
    Days ago, as `7,30`; a Problem where they are none.
    """
    found = [one.strip() for one in text.split(",") if one.strip()]
    if len(found) > 5 or not all(one.isdecimal() and 1 <= int(one) <= 3650 for one in found):
        raise Problem(422, f"`trend` is {text[:40]!r}; write at most five numbers of days, like 7,30")
    return [int(one) for one in found]


def _one(memory: Memory, view: View, given: object) -> Part:
    try:
        return owner_answer(memory, view, asked_of(given))
    except BadRecord as error:
        return _failed(given, 422, str(error))
    except Problem as error:
        return _failed(given, error.status, error.detail)


def _failed(given: object, status: int, detail: str) -> Part:
    error = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return {"asked": given, "error": error}


def tagged(request: Request, value: object) -> Response:
    """
    JSON with its ETag; 304 where the caller has just this.
    """
    body = orjson.dumps(value)
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers={"etag": tag})
    return Response(body, 200, {"etag": tag}, "application/json")
