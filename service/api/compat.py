"""
Owners in the shapes of other tools, so that their clients can be pointed here unchanged. Read-only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import orjson
from fastapi import FastAPI, Request
from starlette.responses import Response

from graph.values import View
from ingest.parsing import load_json, mapping_of, texts_of
from service.api.owners import tagged
from service.api.problems import Problem
from service.api.requests import as_json, body_of, caller, timed
from service.backstage import Entities
from service.pagerduty import Pager
from service.parts import Part
from service.wiring import Memory

PAGER = "/compat/pagerduty"
BACKSTAGE = "/compat/backstage/api/catalog"
MOST = 100
Row = TypeVar("Row")


def install(app: FastAPI, memory: Memory) -> None:
    """
    Add the routes to the application.
    """
    _pagerduty(app, memory)
    _backstage(app, memory)


def _number(request: Request, name: str, default: int, most: int) -> int:
    given = request.query_params.get(name, "")
    if given and (not given.isdecimal() or len(given) > 9):
        raise Problem(422, f"`{name}` is {given[:40]!r}; write a whole number")
    return min(most, int(given)) if given else default


def _page(request: Request, key: str, rows: Sequence[Row], made: Callable[[Row], Part]) -> Response:
    """
    A page of a list, as PagerDuty counts it.
    """
    limit, offset = _number(request, "limit", 25, MOST), _number(request, "offset", 0, 10_000)
    total = len(rows) if request.query_params.get("total") == "true" else None
    shown = [made(one) for one in rows[offset : offset + limit]]
    more = offset + limit < len(rows)
    return as_json({key: shown, "limit": limit, "offset": offset, "total": total, "more": more})


def _missing() -> Response:
    return as_json({"error": {"message": "Not Found", "code": 2100}}, 404)


def _pagerduty(app: FastAPI, memory: Memory) -> None:
    async def pager(request: Request) -> Pager:
        view = View.now((await caller(request, "read")).visibility)
        return Pager(memory, view, str(request.base_url).rstrip("/"))

    @app.get(f"{PAGER}/services")
    async def services(request: Request) -> Response:
        """
        PagerDuty's list of services: `query`, `team_ids[]`, `limit`, `offset`, `total`.
        """
        asked = await pager(request)
        teams = set(request.query_params.getlist("team_ids[]"))
        query = request.query_params.get("query", "").lower()
        rows = await timed("compat", lambda: asked.services(query, teams))
        return await timed("compat", lambda: _page(request, "services", rows, asked.service))

    @app.get(f"{PAGER}/services/{{mark}}")
    async def service(request: Request, mark: str) -> Response:
        """
        One service, by its id in PagerDuty or the id that the list gives.
        """
        asked = await pager(request)
        found = await timed("compat", lambda: asked.named(mark, "service"))
        return as_json({"service": asked.service(found)}) if found else _missing()

    @app.get(f"{PAGER}/escalation_policies")
    async def policies(request: Request) -> Response:
        """
        PagerDuty's list of escalation policies.
        """
        asked = await pager(request)
        query = request.query_params.get("query", "").lower()
        rows = await timed("compat", lambda: asked.policies(query))
        return await timed("compat", lambda: _page(request, "escalation_policies", rows, asked.policy))

    @app.get(f"{PAGER}/escalation_policies/{{mark}}")
    async def policy(request: Request, mark: str) -> Response:
        """
        One escalation policy.
        """
        asked = await pager(request)
        found = await timed("compat", lambda: asked.named(mark, "team"))
        return as_json({"escalation_policy": asked.policy(found)}) if found else _missing()

    @app.get(f"{PAGER}/oncalls")
    async def oncalls(request: Request) -> Response:
        """
        Who is on call now, as PagerDuty lists it: `escalation_policy_ids[]`, `schedule_ids[]`, `user_ids[]`.
        """
        asked = await pager(request)
        wanted = {
            key: set(request.query_params.getlist(f"{key}_ids[]"))
            for key in ("escalation_policy", "schedule", "user")
        }  # fmt: skip
        rows = await timed("compat", lambda: asked.oncalls(wanted))
        return _page(request, "oncalls", rows, lambda row: row)


def _backstage(app: FastAPI, memory: Memory) -> None:
    async def catalogue(request: Request) -> Entities:
        return Entities(memory, View.now((await caller(request, "read")).visibility))

    @app.get(f"{BACKSTAGE}/entities")
    async def entities(request: Request) -> Response:
        """
        Backstage's list of entities: `filter` (any number), `limit`, `offset`.
        """
        asked = await catalogue(request)
        filters = request.query_params.getlist("filter")
        limit, offset = _number(request, "limit", 10_000, 10_000), _number(request, "offset", 0, 1_000_000)
        rows = await timed("compat", lambda: asked.listed(filters))
        return as_json(rows[offset : offset + limit])

    @app.get(f"{BACKSTAGE}/entities/by-name/{{kind}}/{{namespace}}/{{name}}")
    async def by_name(request: Request, kind: str, namespace: str, name: str) -> Response:
        """
        One entity of Backstage's catalogue.
        """
        asked = await catalogue(request)
        found = await timed("compat", lambda: asked.by_ref(f"{kind}:{namespace}/{name}"))
        if found is None:
            message = f"No entity named '{name}' found, with kind '{kind}' in namespace '{namespace}'"
            return as_json({"error": {"name": "NotFoundError", "message": message}}, 404)
        return tagged(request, found)

    @app.post(f"{BACKSTAGE}/entities/by-refs")
    async def by_refs(request: Request) -> Response:
        """
        Entities by their references, in their order, null for what is not there.
        """
        asked = await catalogue(request)
        body = mapping_of(load_json(await body_of(request), "the references"), "the references")
        refs = texts_of(body.get("entityRefs"))[:1000]
        found = await timed("compat", lambda: [asked.by_ref(ref) for ref in refs])
        return Response(orjson.dumps({"items": found}), media_type="application/json")
