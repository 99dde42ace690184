"""
Server-rendered pages: paste an alert, read the answer, tell whether it was of use. They work without a script.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from urllib.parse import quote

import orjson
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse, Response

from graph.errors import StoreUnavailable
from graph.values import Alert, View
from ingest.errors import BadRecord
from service import parts
from service.api import pages_service, pages_session, pages_upkeep
from service.api.guard import own_address
from service.api.pages_desk import FOLDER, Visit, add, environment, utc
from service.api.problems import Problem
from service.api.verdicts import note_verdict
from service.pages.answer import answer_view
from service.pages.markdown import answer_markdown
from service.readiness_whole import kept_readiness
from service.wiring import Memory

ASSETS = {"style.css": "text/css", "page.js": "text/javascript", "mark.svg": "image/svg+xml"}
LISTED = 8
"""Alerts of each kind, and questions, that the first page lists."""
LOOKED_AT = 200
"""Alerts of which those are picked."""
VERDICTS = {"useful", "not_useful", "fixed", "not_cause"}
AnswerOf = Callable[..., parts.Part]


def install(app: FastAPI, memory: Memory, answer_of: AnswerOf) -> None:
    """
    Add the pages to the application.
    """
    app.state.pages = set()
    # so that nobody waits for a template to be compiled
    for name in environment().list_templates(extensions=["html"]):
        environment().get_template(name)

    def ask(visit: Visit) -> Response:
        return _ask(visit, answer_of)

    add(app, memory, "/", _home)
    add(app, memory, "/", ask, method="POST")
    add(app, memory, "/answers/{answer_id}", _answer)
    add(app, memory, "/answers/{answer_id}/feedback", _feedback, scope="feedback", method="POST")
    pages_session.install(app, memory)
    ready = kept_readiness(memory)
    pages_service.install(app, memory, ready)
    pages_upkeep.install(app, memory, ready)
    for name, kind in ASSETS.items():
        _asset(app, name, kind)


def _asset(app: FastAPI, name: str, kind: str) -> None:
    """
    A file that pages load: kept by the browser, and asked for again only to see whether it is the same.
    """
    body = (FOLDER / name).read_bytes()
    headers = {"etag": f'"{hashlib.sha256(body).hexdigest()[:20]}"', "cache-control": "no-cache"}

    async def asset(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(body, 200, headers, kind)

    app.add_route(f"/{name}", asset, include_in_schema=False)


def _home(visit: Visit) -> Response:
    return visit.page("home.html", _first_page(visit))


def _first_page(visit: Visit) -> dict[str, object]:
    firing, ended = _alerts(visit.memory, View.now(visit.who.visibility))
    return {"firing": firing, "ended": ended, "questions": _questions(visit)}


def _alerts(memory: Memory, view: View) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """
    Alerts to pick from, the latest first: those that fire, and one of each name that fired lately.
    """
    try:
        found = [one.item for one in memory.store.alerts(view, limit=LOOKED_AT)]
    except StoreUnavailable:
        return [], []
    firing = [one for one in found if one.status != "resolved" and one.ended_at is None]
    names = {one.name for one in firing}
    ended = {one.name: one for one in reversed(found) if one.name not in names}
    latest = sorted(ended.values(), key=lambda one: one.at, reverse=True)
    return [_picked(one) for one in firing[:LISTED]], [_picked(one) for one in latest[:LISTED]]


def _picked(alert: Alert) -> dict[str, object]:
    labels = alert.labels
    service = next((labels[key] for key in ("service", "app", "job", "namespace") if labels.get(key)), None)
    return {
        "name": alert.name,
        "at": parts.stamp(alert.at),
        "service": service,
        "body": orjson.dumps(parts.alert_part(alert)).decode(),
    }


def _questions(visit: Visit) -> list[dict[str, object]]:
    """
    What was asked last, of that which the caller may see.
    """
    store = visit.memory.store
    try:
        asked = visit.memory.shelf.questions()[: 4 * LISTED]
        ids = {one for question in asked for one in question["records"]}
        seen = {one.id for one in store.records(sorted(ids), visibility=visit.who.visibility, limit=len(ids) + 1)}
    except StoreUnavailable:
        return []
    found = [one for one in asked if seen.issuperset(one["records"])]
    return [{key: one[key] for key in ("answer_id", "name", "at", "says")} for one in found[:LISTED]]


def _ask(visit: Visit, answer_of: AnswerOf) -> Response:
    """
    Asking changes nothing, so a form without our token is answered too: a page that stood open over a restart works.
    """
    alert, as_of, known_at = (visit.form.get(name, "") for name in ("alert", "as_of", "known_at"))
    try:
        raw = alert.encode("utf-8", "replace")
        answer = answer_of(visit.memory, raw, {}, visit.who, utc(as_of.strip()), utc(known_at.strip()))
    except (BadRecord, Problem) as error:
        status = error.status if isinstance(error, Problem) else 422
        if visit.wants_json:
            raise
        return visit.page("home.html", _first_page(visit), status, problem=str(error), text=alert)
    if visit.wants_json or _is_away(visit.memory):
        # what is not kept could not be read again by its id
        return _shown(visit, answer)
    return visit.to(f"/answers/{answer['answer_id']}")


def _is_away(memory: Memory) -> bool:
    try:
        memory.store.watermark()
    except StoreUnavailable:
        return True
    return False


def _answer(visit: Visit) -> Response:
    from service.api.app import answer_seen

    kept = answer_seen(visit.memory, visit.request.path_params["answer_id"], visit.who)
    if visit.wants_json:
        return Response(kept, media_type="application/json")
    return _shown(visit, orjson.loads(kept))


def _shown(visit: Visit, answer: parts.Part) -> Response:
    view = answer_view(answer)
    address = f"{own_address(visit.memory.settings, visit.request)}/answers/{quote(str(answer['answer_id']))}"
    markdown = answer_markdown(view, address)
    if visit.asked("format") == "markdown":
        return PlainTextResponse(markdown, media_type="text/markdown; charset=utf-8")
    noted = visit.asked("noted")
    return visit.page("answer.html", answer, a=view, markdown=markdown, noted=noted if noted in VERDICTS else "")


def _feedback(visit: Visit) -> Response:
    visit.require_csrf()
    answer = str(visit.request.path_params["answer_id"])
    given = {key: visit.form[key] for key in ("verdict", "subject", "note") if visit.form.get(key)}
    body = note_verdict(visit.memory, visit.who, {"answer_id": answer, **given})
    if visit.wants_json:
        return Response(orjson.dumps(body), 202, media_type="application/json")
    return visit.to(f"/answers/{quote(answer, safe='')}?noted={quote(given['verdict'])}")
