"""
Owners in the shapes of other tools, so that their clients can be pointed here unchanged. Read-only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeAlias, TypeVar

import orjson
from fastapi import FastAPI, Request
from starlette.responses import Response

from graph.values import EntityId, View
from ingest.parsing import load_json, mapping_of, texts_of
from service import backstage_queries as queries
from service import pagerduty_people as people
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
Asker: TypeAlias = Callable[[Request], Awaitable[Pager]]
Listed: TypeAlias = Callable[[Pager, str, Sequence[str]], list[EntityId]]
Made: TypeAlias = Callable[[Pager, EntityId], Part]


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


def _page(request: Request, key: str, rows: Sequence[Row], made: Callable[[Row], object]) -> Response:
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
        return await timed("compat", lambda: _page(request, "services", rows, _whole(request, asked, asked.service)))

    @app.get(f"{PAGER}/services/{{mark}}")
    async def service(request: Request, mark: str) -> Response:
        """
        One service, by its id in PagerDuty or the id that the list gives.
        """
        asked = await pager(request)
        found = await timed("compat", lambda: asked.named(mark, "service"))
        return as_json({"service": _whole(request, asked, asked.service)(found)}) if found else _missing()

    @app.get(f"{PAGER}/escalation_policies")
    async def policies(request: Request) -> Response:
        """
        PagerDuty's list of escalation policies.
        """
        asked = await pager(request)
        query = request.query_params.get("query", "").lower()
        rows = await timed("compat", lambda: asked.policies(query))
        made = _whole(request, asked, asked.policy)
        return await timed("compat", lambda: _page(request, "escalation_policies", rows, made))

    @app.get(f"{PAGER}/escalation_policies/{{mark}}")
    async def policy(request: Request, mark: str) -> Response:
        """
        One escalation policy.
        """
        asked = await pager(request)
        found = await timed("compat", lambda: asked.named(mark, "escalation_policy"))
        return as_json({"escalation_policy": _whole(request, asked, asked.policy)(found)}) if found else _missing()

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
        return await timed("compat", lambda: _page(request, "oncalls", rows, _whole(request, asked, lambda row: row)))

    for many, one, listed, made in (
        ("users", "user", people.everybody, people.user),
        ("teams", "team", lambda asked, query, teams: people.all_teams(asked, query), people.team),
        ("schedules", "schedule", lambda asked, query, teams: people.schedules(asked, query), people.schedule),
    ):
        _listed(app, pager, many, listed, made)
        _single(app, pager, many, one, made)

    @app.get(f"{PAGER}/teams/{{mark}}/members")
    async def members(request: Request, mark: str) -> Response:
        """
        PagerDuty's list of a team's members.
        """
        asked = await pager(request)
        found = await timed("compat", lambda: asked.named(mark, "team"))
        if not found:
            return _missing()
        rows = await timed("compat", lambda: people.members(asked, found))
        return await timed("compat", lambda: _page(request, "members", rows, _whole(request, asked, lambda row: row)))


def _whole(request: Request, asked: Pager, made: Callable[[Row], Part]) -> Callable[[Row], object]:
    """
    As made, with what `include[]` names written out.
    """
    include = request.query_params.getlist("include[]")
    return lambda row: people.written_out(asked, made(row), include)


def _listed(app: FastAPI, pager: Asker, many: str, listed: Listed, made: Made) -> None:
    async def found(request: Request) -> Response:
        asked = await pager(request)
        query, teams = request.query_params.get("query", "").lower(), request.query_params.getlist("team_ids[]")
        rows = await timed("compat", lambda: listed(asked, query, teams))
        whole = _whole(request, asked, partial(made, asked))
        return await timed("compat", lambda: _page(request, many, rows, whole))

    found.__doc__ = f"PagerDuty's list of {many}: `query`, `team_ids[]`, `include[]`, `limit`, `offset`, `total`."
    app.get(f"{PAGER}/{many}", name=f"pagerduty_{many}")(found)


def _single(app: FastAPI, pager: Asker, many: str, one: str, made: Made) -> None:
    async def found(request: Request, mark: str) -> Response:
        asked = await pager(request)
        name = await timed("compat", lambda: asked.named(mark, one))
        if not name:
            return _missing()
        if one == "schedule":
            since, until = _calendar(request, asked)
            return as_json({one: await timed("compat", lambda: people.schedule(asked, name, since, until))})
        whole = _whole(request, asked, partial(made, asked))
        return as_json({one: await timed("compat", lambda: whole(name))})

    found.__doc__ = f"One of {many}, by its id" + ("; `since`, `until`: its calendar." if one == "schedule" else ".")
    app.get(f"{PAGER}/{many}/{{mark}}", name=f"pagerduty_{one}")(found)


def _calendar(request: Request, asked: Pager) -> tuple[datetime, datetime]:
    """
    The time of a calendar: two weeks from now where nothing is said, and no longer than a year.
    """
    first, last = people.month(asked)
    since = _moment(request, "since") or first
    until = _moment(request, "until") or since + (last - first)
    if not since < until <= since + timedelta(days=366):
        raise Problem(422, "`since` is before `until`, and not by more than a year")
    return since, until


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
        return as_json([queries.projected(one, _fields(request)) for one in rows[offset : offset + limit]])

    @app.get(f"{BACKSTAGE}/entities/by-query")
    async def by_query(request: Request) -> Response:
        """
        Backstage's pages of entities: `filter`, `fields`, `fullTextFilterTerm`, `fullTextFilterFields`, `orderField`,
        `limit`, `offset`, `cursor`.
        """
        asked = await catalogue(request)
        query = queries.query_of(request.query_params.multi_items())
        rows = await timed("compat", lambda: asked.listed(query.filters))
        return as_json(await timed("compat", lambda: queries.page(rows, query)))

    @app.get(f"{BACKSTAGE}/entities/by-uid/{{uid}}")
    async def by_uid(request: Request, uid: str) -> Response:
        """
        One entity of Backstage's catalogue, by the uid that it gave.
        """
        asked = await catalogue(request)
        rows = await timed("compat", lambda: asked.listed(()))
        found = next((one for one in rows if queries.uid_of(one) == uid), None)
        return tagged(request, found) if found else _unknown(f"No entity with uid '{uid[:80]}'")

    @app.get(f"{BACKSTAGE}/entity-facets")
    async def facets(request: Request) -> Response:
        """
        Backstage's counts of values: `facet` (any number), `filter`.
        """
        asked = await catalogue(request)
        names = [one for given in request.query_params.getlist("facet") for one in given.split(",") if one]
        if not names:
            raise Problem(422, "say at least one `facet`, like `facet=kind`")
        rows = await timed("compat", lambda: asked.listed(request.query_params.getlist("filter")))
        return as_json({"facets": await timed("compat", lambda: queries.counted(rows, names))})

    @app.get(f"{BACKSTAGE}/entities/by-name/{{kind}}/{{namespace}}/{{name}}")
    async def by_name(request: Request, kind: str, namespace: str, name: str) -> Response:
        """
        One entity of Backstage's catalogue.
        """
        asked = await catalogue(request)
        found = await timed("compat", lambda: asked.by_ref(f"{kind}:{namespace}/{name}"))
        if found is None:
            return _unknown(f"No entity named '{name}' found, with kind '{kind}' in namespace '{namespace}'")
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


def _moment(request: Request, key: str) -> datetime | None:
    """
    A time of the query; one without an offset is in UTC.
    """
    given = request.query_params.get(key, "")
    try:
        found = datetime.fromisoformat(given) if given else None
    except ValueError:
        raise Problem(422, f"`{key}` is {given[:40]!r}; write a time as 2026-05-01T09:00:00Z") from None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def _unknown(message: str) -> Response:
    return as_json({"error": {"name": "NotFoundError", "message": message}}, 404)


def _fields(request: Request) -> list[str]:
    return [one for given in request.query_params.getlist("fields") for one in given.split(",") if one]
