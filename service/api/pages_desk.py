"""
What all pages share: who looks, how a page or its JSON twin goes out, and how a refusal looks to a person.

A page is a plain function of a `Visit`; it runs in a thread. Its data go out as they are where JSON is wanted: by
`?format=json`, or an `Accept` that names JSON and not HTML.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, quote

import orjson
from fastapi import FastAPI, Request
from jinja2 import Environment, FileSystemLoader
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from graph.errors import GraphError, NotFound, StoreUnavailable
from graph.values import View
from ingest.errors import IngestError, NotAllowed, TooLarge
from service.api.problems import Problem, problem
from service.api.requests import allowed, body_of, caller, timed, view_of
from service.pages import moments, text
from service.tokens import LOCAL, Caller
from service.wiring import Memory

FOLDER = Path(__file__).resolve().parents[1] / "pages"
NAV = (
    ("/", "Ask"),
    ("/services", "Services"),
    ("/readiness", "Readiness"),
    ("/backtest", "Backtest"),
    ("/identity", "Identity"),
    ("/sources", "Sources"),
)
"""Of these, what the application has."""
CSP = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
FIELDS = 40
"""Of a form at most."""


@dataclass(frozen=True, slots=True)
class Visit:
    """
    One request for a page, by somebody who may make it. `session` is the id of his session, where he has one.
    """

    request: Request
    memory: Memory
    who: Caller
    session: str | None
    form: Mapping[str, str]

    def asked(self, name: str) -> str:
        """
        A parameter of the query, or an empty text.
        """
        return self.request.query_params.get(name, "").strip()

    @property
    def view(self) -> View:
        """
        From where he looks: now, unless the query has `as_of` or `known_at`.
        """
        return view_of(self.who, utc(self.asked("as_of")), utc(self.asked("known_at")))

    @property
    def wants_json(self) -> bool:
        """
        Whether it is the twin that is asked for.
        """
        return wants_json(self.request)

    @property
    def csrf(self) -> str:
        """
        What his forms have to bring along.
        """
        return self.memory.sessions.csrf(self.session)

    def page(self, template: str, body: Mapping[str, object], status: int = 200, **more: object) -> Response:
        """
        The page, or `body` as JSON. `more` is for the template alone.
        """
        if self.wants_json:
            return Response(orjson.dumps(dict(body), default=str), status, media_type="application/json")
        shown = {
            "visitor": self.who.name if self.session else None,
            "csrf": self.csrf,
            "may_tell": self.who.may("feedback"),
            "may_decide": self.who.may("admin"),
            **body,
            **more,
        }
        return html(self.request, template, status, **shown)

    def to(self, address: str) -> Response:
        """
        On to another page, after something was done.
        """
        return RedirectResponse(address, 303)

    def require_csrf(self) -> None:
        """
        A Problem where the form is not one of ours. Whoever brings his token with each request needs none.
        """
        if self.session is None and self.who is not LOCAL:
            return
        given = self.form.get("csrf", "")
        if not hmac.compare_digest(given.encode(), self.csrf.encode()):
            raise Problem(403, "this form is not from here or too old; load the page again and repeat")


def utc(given: str) -> str | None:
    """
    A moment as a field for date and time gives it, which has no zone: it is meant in UTC.
    """
    if not given:
        return None
    bare = "T" in given and not given.endswith(("Z", "z")) and "+" not in given and given.count("-") == 2
    return f"{given}Z" if bare else given


def wants_json(request: Request) -> bool:
    """
    Whether JSON is asked for.
    """
    accepted = request.headers.get("accept", "").lower()
    form = request.query_params.get("format")
    return form == "json" or (form is None and "json" in accepted and "html" not in accepted)


@cache
def environment() -> Environment:
    """
    Templates, with every value escaped and nothing hidden in it.
    """
    made = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=text.visible
    )
    made.filters |= {
        "percent": moments.percent, "short": moments.short, "sure": moments.sure, "markdown": text.rendered,
        "address": text.address, "words": lambda value: str(value or "").replace("_", " "), "sentence": sentence,
    }  # fmt: skip
    return made


def sentence(value: object) -> str:
    """
    A value as a sentence of its own: a text, or the texts of an object.
    """
    told = "; ".join(f"{key}: {one}" for key, one in value.items()) if isinstance(value, Mapping) else str(value or "")
    return f"{told[:1].upper()}{told[1:]}{'' if told.endswith(('.', '!', '?')) or not told else '.'}"


def html(request: Request, template: str, status: int = 200, **values: object) -> Response:
    """
    A rendered page.
    """
    paths = request.app.state.pages
    nav = [one for one in NAV if one[0] in paths]
    made = environment().get_template(template).render(nav=nav, here=request.url.path, **values)
    return Response(made, status, {"content-security-policy": CSP}, "text/html; charset=utf-8")


Page = Callable[[Visit], Response]


def add(app: FastAPI, memory: Memory, path: str, page: Page, *, scope: str = "read", method: str = "GET") -> None:
    """
    Serve a page at a path.
    """

    async def endpoint(request: Request) -> Response:
        try:
            visit = await _visit(request, memory, scope)
            return await timed("page", lambda: page(visit))
        except (Problem, GraphError, IngestError) as error:
            return await _refused(request, memory, as_problem(error))

    app.state.pages.add(path)
    app.add_route(path, endpoint, methods=[method], include_in_schema=False)


async def _visit(request: Request, memory: Memory, scope: str) -> Visit:
    who, session = await visitor(request, memory, scope)
    form = await form_of(request) if request.method == "POST" else {}
    return Visit(request, memory, who, session, form)


async def visitor(request: Request, memory: Memory, scope: str) -> tuple[Caller, str | None]:
    """
    Who looks, and his session: by a token with the request, by the cookie of a session, or as anybody on this machine
    while there are no tokens.
    """
    session = request.cookies.get(cookie_name(request))
    if session and memory.tokens.any and "authorization" not in request.headers:
        found = await run_in_threadpool(memory.sessions.caller, session)
        if found:
            return allowed(request, found, scope), session
    return await caller(request, scope), None


async def form_of(request: Request) -> dict[str, str]:
    raw = await body_of(request)
    try:
        fields = parse_qs(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS)
    except ValueError as error:
        raise Problem(422, f"the form has more than {FIELDS} fields") from error
    return {name: values[0] for name, values in fields.items()}


def is_secure(request: Request) -> bool:
    """
    Whether clients reach us by TLS, here or at a proxy before us.
    """
    memory: Memory = request.app.state.memory
    return request.url.scheme == "https" or memory.settings.public_url.startswith("https://")


def cookie_name(request: Request) -> str:
    """
    With the prefix by which a browser keeps it to this host, where that needs no more than we have.
    """
    return "__Host-precedent" if is_secure(request) else "precedent"


def as_problem(error: Exception) -> Problem:
    """
    What went wrong as a Problem, with the status that the API gives it.
    """
    if isinstance(error, Problem):
        return error
    if isinstance(error, NotFound):
        return Problem(404, str(error))
    if isinstance(error, StoreUnavailable):
        return Problem(503, str(error), {"retry-after": "5"})
    if isinstance(error, NotAllowed):
        return Problem(403, str(error))
    return Problem(413 if isinstance(error, TooLarge) else 422, str(error))


async def _refused(request: Request, memory: Memory, found: Problem) -> Response:
    """
    A refusal for a person, else as problem details: only a browser asks for HTML by name. Who is not known yet may
    sign in.
    """
    if wants_json(request) or "html" not in request.headers.get("accept", "").lower():
        return problem(found.status, found.detail, found.headers)
    if found.status == 401 and memory.tokens.any and request.method == "GET":
        if request.headers.get("sec-fetch-site") == "cross-site":
            # a link from elsewhere comes without the cookie; the same address once more, from here, comes with it
            return html(request, "again.html", address=_own(request))
        return RedirectResponse(f"/sign-in?next={quote(_own(request))}", 303)
    shown = html(request, "error.html", found.status, code=found.status, detail=found.detail)
    shown.headers.update(found.headers)
    return shown


def _own(request: Request) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")
