"""
The routes of the backtest: begin one, see how far it is, read the last report; and its page.
"""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.responses import Response

from ingest.parsing import load_json, mapping_of
from service.api.pages_desk import Visit, add
from service.api.problems import Problem
from service.api.requests import as_json, asked_moment, body_of, caller, timed
from service.backtest.kept import Runner, last
from service.backtest.plots import page_values
from service.backtest.run import CATALOGUES, MOST, Plan
from service.tokens import Caller
from service.wiring import Memory

LARGEST = 20_000
WATCHED = {"refresh": "3"}
"""So that a page without a script shows how far it is."""


def install(app: FastAPI, memory: Memory) -> Runner:
    """
    Add the routes; whoever closes the memory stops the runner before.
    """
    runner = Runner(memory)

    @app.post("/v1/backtest", status_code=202)
    async def begin(request: Request) -> Response:
        """
        Replay past incidents in the background: `{limit?, since?, until?, catalogue?: known|today}`; scope `admin`.
        """
        who = await caller(request, "admin")
        body = await body_of(request)
        plan = plan_of(mapping_of(load_json(body, "the plan"), "the plan") if body.strip() else {}, who)
        if not runner.start(plan):
            raise Problem(409, "a backtest is running already; GET /v1/backtest tells how far it is")
        return as_json({"status": runner.status()}, 202)

    @app.get("/v1/backtest")
    async def seen(request: Request) -> Response:
        """
        `status` (running, failed, idle), and the last `report` that the caller may see; null before the first.
        """
        who = await caller(request, "read")
        report = await timed("backtest", lambda: last(memory.store, who.visibility))
        return as_json({"status": runner.status(), "report": report})

    def page(visit: Visit) -> Response:
        report = last(memory.store, visit.who.visibility)
        shown = visit.page("backtest.html", page_values(report, runner.status()))
        shown.headers.update(WATCHED if runner.running else {})
        return shown

    def begin_here(visit: Visit) -> Response:
        visit.require_csrf()
        runner.start(plan_of({"catalogue": visit.form.get("catalogue", CATALOGUES[0])}, visit.who))
        return visit.to("/backtest")

    add(app, memory, "/backtest", page)
    add(app, memory, "/backtest", begin_here, scope="admin", method="POST")
    return runner


def plan_of(fields: dict[str, object] | object, who: Caller) -> Plan:
    """
    What a body asks for. A Problem 422 names the field that is wrong.
    """
    given = mapping_of(fields, "the plan")
    unknown = sorted(set(given) - {"limit", "since", "until", "catalogue"})
    if unknown:
        raise Problem(422, f"`{unknown[0][:40]}` is not known; a plan has limit, since, until, catalogue")
    limit, catalogue = given.get("limit", MOST), given.get("catalogue", CATALOGUES[0])
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= LARGEST:
        raise Problem(422, f"`limit` is {str(limit)[:40]!r}; write a whole number from 1 to {LARGEST}")
    if catalogue not in CATALOGUES:
        raise Problem(422, f"`catalogue` is {str(catalogue)[:40]!r}; write known or today")
    return Plan(
        limit=limit,
        since=asked_moment(given.get("since"), "since"),
        until=asked_moment(given.get("until"), "until"),
        visibility=who.visibility,
        catalogue=str(catalogue),
    )
