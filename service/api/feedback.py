"""
The routes of feedback: a verdict on an answer or a part of it, taking it back, and what counts.
"""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from graph.values import View
from ingest.parsing import load_json, mapping_of
from service.api.requests import as_json, body_of, caller
from service.api.verdicts import note_verdict
from service.feedback import listing
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
        return as_json(await run_in_threadpool(note_verdict, memory, who, body), 202)

    @app.get("/v1/feedback")
    async def verdicts(request: Request, answer_id: str | None = None) -> Response:
        """
        The verdicts that count, the latest first.
        """
        who = await caller(request, "read")
        return as_json({"verdicts": listing(memory.facts, View.now(who.visibility), answer_id)})
