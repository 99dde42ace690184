"""
The routes of policy: whether an action may be taken, and which rules are in force. Nothing is ever done.
"""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.responses import Response

from ingest.parsing import load_json, mapping_of
from service.api.recording import recording
from service.api.requests import Moment, as_json, body_of, caller, timed, view_of
from service.policy_check import check_of, checked, shown, told_of
from service.wiring import Memory


def install(app: FastAPI, memory: Memory) -> None:
    """
    Add the routes to the application.
    """

    @app.post("/v1/policy/check")
    async def check(request: Request, as_of: Moment = None, known_at: Moment = None) -> Response:
        """
        Whether an action may be taken: `{action, target?, environment?, at?, who?}`. Allow, who must approve, or
        refuse, with the rule, the blast radius, the reversal and the escalation path. Without rules: never without a
        person.
        """
        who = await caller(request, "read")
        view = view_of(who, as_of, known_at)
        asked = check_of(mapping_of(load_json(await body_of(request), "the action"), "the action"), who)
        found = await timed("policy", lambda: checked(memory, view, asked))
        recording(request, who, "policy", told_of(found))
        return as_json(found)

    @app.get("/v1/policy")
    async def rules(request: Request, as_of: Moment = None, known_at: Moment = None) -> Response:
        """
        The rules in force, with where each stands.
        """
        view = view_of(await caller(request, "read"), as_of, known_at)
        return as_json(await timed("policy", lambda: shown(memory, view)))
