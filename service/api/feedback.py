"""
The routes of feedback: a verdict on an answer or a part of it, taking it back, and what counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs

import orjson
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from graph.values import View
from ingest.errors import BadRecord
from ingest.parsing import load_json, mapping_of
from service.api.problems import Problem
from service.api.requests import as_json, body_of, caller
from service.feedback import give, listing, undo
from service.tokens import LOCAL, Caller
from service.wiring import Memory


def install(app: FastAPI, memory: Memory) -> None:
    """
    Add the routes to the application.
    """

    @app.post("/v1/feedback", status_code=202)
    async def feedback(request: Request) -> Response:
        """
        A verdict on an answer: `{answer_id, verdict: useful|not_useful|fixed|not_cause, subject?, note?}`; or
        `{undo: ID}`.
        """
        who = await caller(request, "feedback")
        body = mapping_of(load_json(await body_of(request), "the feedback"), "the feedback")
        return as_json(await run_in_threadpool(feedback_part, memory, body, who), 202)

    @app.get("/v1/feedback")
    async def verdicts(request: Request, answer_id: str | None = None) -> Response:
        """
        The verdicts that count, the latest first.
        """
        who = await caller(request, "read")
        return as_json({"verdicts": listing(memory.facts, View.now(who.visibility), answer_id)})

    @app.post("/answers/{answer_id}/feedback", include_in_schema=False)
    async def judged(request: Request, answer_id: str) -> Response:
        who = await caller(request, "feedback")
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        body = {name: values[0] for name, values in form.items()} | {"answer_id": answer_id}
        await run_in_threadpool(feedback_part, memory, body, who)
        return RedirectResponse(f"/answers/{answer_id}#judged", 303)


def feedback_part(memory: Memory, body: Mapping[str, object], who: Caller) -> dict[str, object]:
    """
    A verdict in the caller's name, or taken back, in force when this returns. A token says whose voice it is; without
    tokens there is only what the body says.
    """
    from service.api.app import answer_seen

    by = str(body.get("by") or who.name)[:200] if who is LOCAL else who.name
    labels = None if who is LOCAL else who.visibility
    if body.get("undo"):
        made = undo(memory.store, str(body["undo"]), None if who.may("admin") else by, labels)
    elif not body.get("answer_id"):
        raise BadRecord("feedback needs `answer_id`, or `undo` with the id of a verdict")
    else:
        answer = orjson.loads(answer_seen(memory, str(body["answer_id"]), who))
        if not isinstance(answer, dict):
            raise Problem(404, f"there is no answer {body['answer_id']}")
        made = give(memory.store, answer, body, by)
    memory.follow()
    return made
