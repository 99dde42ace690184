"""
Server-rendered pages: paste an alert, read the answer, look at a service. They work without a script.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

import orjson
from fastapi import FastAPI, Request
from jinja2 import Environment, FileSystemLoader
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from graph.errors import StoreUnavailable
from graph.values import View
from ingest.errors import BadRecord
from service import parts
from service.api.problems import Problem
from service.tokens import Caller
from service.wiring import Memory

FOLDER = Path(__file__).resolve().parents[1] / "pages"
WIDTH, HEIGHT = 720, 74
Ask = Callable[[Request, str], Awaitable[Caller]]


@cache
def environment() -> Environment:
    """
    Templates, with every value escaped.
    """
    loaded = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    loaded.filters["percent"] = lambda value: f"{value:.0%}" if value is not None else "?"
    loaded.filters["short"] = lambda value: str(value or "").replace("T", " ").replace("Z", "")[:16]
    loaded.filters["words"] = lambda value: str(value or "").replace("_", " ")
    return loaded


def html(name: str, status: int = 200, **values: object) -> Response:
    """
    A rendered page.
    """
    return Response(environment().get_template(name).render(**values), status, media_type="text/html; charset=utf-8")


def install(app: FastAPI, memory: Memory, caller: Ask, answer_of: Callable[..., parts.Part]) -> None:
    """
    Add the pages to the application.
    """

    @app.get("/", include_in_schema=False)
    async def home(request: Request) -> Response:
        who = await caller(request, "read")
        recent = await run_in_threadpool(_recent, memory, who)
        return html("home.html", recent=recent)

    @app.post("/", include_in_schema=False)
    async def ask(request: Request) -> Response:
        who = await caller(request, "read")
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        text = form.get("alert", [""])[0]
        try:
            raw = text.encode("utf-8", "replace")
            answer = await run_in_threadpool(answer_of, memory, raw, {}, who)
        except (BadRecord, Problem) as error:
            recent = await run_in_threadpool(_recent, memory, who)
            return html("home.html", 422, recent=recent, problem=str(error), text=text)
        if await run_in_threadpool(_is_away, memory):
            # it could not be read again by its id
            return html("answer.html", answer=answer, marks=marks(answer))
        return RedirectResponse(f"/answers/{answer['answer_id']}", 303)

    @app.get("/answers/{answer_id}", include_in_schema=False)
    async def answer(request: Request, answer_id: str) -> Response:
        from service.api.app import answer_seen

        who = await caller(request, "read")
        body = orjson.loads(await run_in_threadpool(answer_seen, memory, answer_id, who))
        return html("answer.html", answer=body, marks=marks(body))

    @app.get("/services/{name:path}", include_in_schema=False)
    async def service(request: Request, name: str) -> Response:
        from service.api.app import service_part

        who = await caller(request, "read")
        body = await run_in_threadpool(service_part, memory, View.now(who.visibility), name)
        return html("service.html", service=body)

    @app.get("/style.css", include_in_schema=False)
    async def style() -> Response:
        return Response((FOLDER / "style.css").read_bytes(), media_type="text/css")

    @app.get("/mark.svg", include_in_schema=False)
    async def mark() -> Response:
        return Response((FOLDER / "mark.svg").read_bytes(), media_type="image/svg+xml")


def _recent(memory: Memory, who: Caller) -> list[dict[str, object]]:
    """
    Alerts that fired last, to pick from.
    """
    view = View.now(who.visibility)
    try:
        found = memory.store.alerts(view, limit=12)
    except StoreUnavailable:
        return []
    return [
        {
            "name": one.item.name,
            "at": parts.stamp(one.item.at),
            "body": orjson.dumps(parts.alert_part(one.item)).decode(),
        }
        for one in found
    ]


def _is_away(memory: Memory) -> bool:
    try:
        memory.store.watermark()
    except StoreUnavailable:
        return True
    return False


def marks(answer: dict[str, object]) -> list[dict[str, object]]:
    """
    The suspects as points of a time line that ends at the onset, for the drawing.
    """
    alert, changes = answer.get("alert"), answer.get("changes")
    suspects = changes.get("suspects") if isinstance(changes, dict) else None
    if not isinstance(alert, dict) or not suspects:
        return []
    onset = datetime.fromisoformat(str(alert["at"]))
    hours = [(onset - datetime.fromisoformat(one["at"])).total_seconds() / 3600 for one in suspects]
    span = max(1.0, *hours) * 1.05
    return [
        {
            "x": round(24 + (WIDTH - 60) * (1 - hour / span), 1),
            "r": round(4 + 10 * float(one["probability"]), 1),
            "label": one["id"],
            "place": number,
        }
        for number, (one, hour) in enumerate(zip(suspects, hours, strict=True), 1)
    ]
