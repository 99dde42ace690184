"""
Signing in with a token, and out again.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from graph.errors import GraphError
from service.api.pages_desk import Visit, add, as_problem, cookie_name, form_of, html, is_secure
from service.api.problems import Problem
from service.api.requests import allowed
from service.sessions import LIFE
from service.wiring import Memory


def install(app: FastAPI, memory: Memory) -> None:
    """
    Add the routes to the application.
    """

    async def form(request: Request) -> Response:
        return html(request, "sign_in.html", next=own_path(request.query_params.get("next", "/")))

    async def sign_in(request: Request) -> Response:
        given = await form_of(request)
        after = own_path(given.get("next", "/"))
        try:
            session = await run_in_threadpool(_begun, memory, request, given.get("token", "").strip())
        except (Problem, GraphError) as error:
            found = as_problem(error)
            return html(request, "sign_in.html", found.status, next=after, problem=found.detail)
        response = RedirectResponse(after, 303)
        response.set_cookie(
            cookie_name(request), session, max_age=int(LIFE.total_seconds()), path="/",
            secure=is_secure(request), httponly=True, samesite="strict",
        )  # fmt: skip
        return response

    app.add_route("/sign-in", form, methods=["GET"], include_in_schema=False)
    app.add_route("/sign-in", sign_in, methods=["POST"], include_in_schema=False)
    add(app, memory, "/sign-out", sign_out, method="POST")


def _begun(memory: Memory, request: Request, token: str) -> str:
    memory.tokens.refresh()
    found = memory.tokens.caller(token)
    if found is None:
        raise Problem(401, "this token is not known, or has expired")
    allowed(request, found, "read")
    return memory.sessions.begin(token)


def sign_out(visit: Visit) -> Response:
    """
    End the session, here and in every process.
    """
    visit.require_csrf()
    if visit.session:
        visit.memory.sessions.end(visit.session)
    response = visit.to("/sign-in")
    response.delete_cookie(
        cookie_name(visit.request), path="/", secure=is_secure(visit.request), httponly=True, samesite="strict"
    )
    return response


def own_path(given: str) -> str:
    """
    A path of ours to go on to; the first page for anything else, so that nobody is sent elsewhere.
    """
    parts = urlsplit(given)
    fine = given.startswith("/") and not given.startswith(("//", "/\\")) and given.isprintable() and "\\" not in given
    return given if fine and not parts.scheme and not parts.netloc else "/"
