"""
Errors as problem details (RFC 9457): what, where, what to do; never a stack trace.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from graph.errors import GraphError, NotFound, StoreUnavailable
from ingest.errors import IngestError, NotAllowed, TooLarge

_LOG = logging.getLogger("precedent")


class Problem(Exception):
    """
    An answer that says what is wrong.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **extra: object) -> Response:
    """
    A problem as a response.
    """
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **extra}
    return Response(orjson.dumps(body), status, dict(headers or {}), "application/problem+json")


def install(app: FastAPI) -> None:
    """
    Turn every error into a problem.
    """

    @app.exception_handler(Problem)
    async def known(request: Request, error: Problem) -> Response:
        return problem(error.status, error.detail, error.headers)

    @app.exception_handler(IngestError)
    async def bad_input(request: Request, error: IngestError) -> Response:
        return problem(413 if isinstance(error, TooLarge) else 422, str(error))

    @app.exception_handler(NotAllowed)
    async def not_allowed(request: Request, error: NotAllowed) -> Response:
        return problem(403, str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return problem(422, f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        detail = str(error.detail)
        if error.status_code == 404:
            detail = f"there is nothing at {request.url.path}; see /openapi.json"
        return problem(error.status_code, detail, error.headers)

    @app.exception_handler(GraphError)
    async def store(request: Request, error: GraphError) -> Response:
        if isinstance(error, NotFound):
            return problem(404, str(error))
        if isinstance(error, StoreUnavailable):
            return problem(503, str(error), {"retry-after": "5"})
        return problem(422, str(error))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        _LOG.exception("%s %s failed", request.method, request.url.path)
        return problem(500, "something went wrong here; the log of the server says what")
