"""
The routes. Each hands its work to a thread; the store and the models are synchronous.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Annotated, Literal

import orjson
from fastapi import FastAPI, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from graph.errors import GraphError, StoreUnavailable
from graph.resolved import entities, neighbours
from graph.values import Change, EntityKind, RecordState, Statement, View, entity_name
from ingest.alerts import PLAIN, Tell, read_payload, untold
from ingest.connectors import connectors
from ingest.parsing import load_json, mapping_of, text_of, unpack
from ingest.redaction import Redactor
from ingest.redaction_bodies import redact_body
from models.precedents import PrecedentQuestion, first_told
from models.runbooks import RunbookQuestion
from service import VERSION, parts
from service.api import audit, backtest, compat, feedback, identity, intake, owners, pages, policy
from service.api.examples import CONTEXT_BODY, CONTEXT_EXAMPLE
from service.api.guard import Guard, own_address
from service.api.problems import Problem, install
from service.api.recording import Recorded
from service.api.requests import Moment, as_json, asked_moment, body_of, caller, fresh, timed, view_of
from service.api.signals import signals_of
from service.context import Question, assemble
from service.events import told_once, with_likes
from service.lookup import resolved_service
from service.mcp import endpoint
from service.metrics import exposition
from service.outcomes import precedent
from service.render import answer_text
from service.replay import replayed
from service.retraction import replacement
from service.sources import listing
from service.timeline import incident_timeline, timeline_markdown
from service.tokens import Caller
from service.wiring import Memory

MOST = 500
"""Of the past incidents that one may ask for at once."""
Form = Annotated[Literal["json", "text"] | None, Query(alias="format", description="json, else as `Accept` says")]


def create_app(memory: Memory) -> FastAPI:
    """
    The application over an open memory; following the feed begins with it.
    """

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        with suppress(GraphError):
            await run_in_threadpool(memory.tokens.refresh)
        memory.start()
        # so that the first question does not wait for their import
        await run_in_threadpool(connectors)
        refreshing = asyncio.create_task(fresh(memory.tokens))
        yield
        refreshing.cancel()
        await agents.close()
        await run_in_threadpool(runner.stop)
        await run_in_threadpool(memory.close)

    app = FastAPI(title="Precedent", version=VERSION, lifespan=life, docs_url=None, redoc_url=None)
    app.state.memory = memory
    install(app)
    _answers(app, memory)
    owners.install(app, memory)
    compat.install(app, memory)
    _lookups(app, memory)
    identity.install(app, memory)
    intake.install(app, memory)
    feedback.install(app, memory)
    policy.install(app, memory)
    audit.install(app, memory)
    _operations(app, memory)
    pages.install(app, memory, answer_of)
    runner = backtest.install(app, memory)
    agents = endpoint.install(app, memory, caller)
    app.add_middleware(Recorded)
    app.add_middleware(Guard, settings=memory.settings, hosts=memory.settings.allowed_hosts)
    return app


def wants_text(request: Request, form: str | None) -> bool:
    """
    Whether an answer is wanted as text: by `format`, or by an `Accept` that names text and not JSON.
    """
    accepted = request.headers.get("accept", "").lower()
    named = "json" not in accepted and any(name in accepted for name in ("text/plain", "text/markdown"))
    return form == "text" or (form is None and named)


def answer_of(
    memory: Memory,
    raw: bytes,
    headers: Mapping[str, str],
    who: Caller,
    as_of: str | None = None,
    known_at: str | None = None,
) -> parts.Part:
    """
    The whole answer to a payload, with a gap for what the payload itself lacks.
    """
    gaps: list[str] = []
    question = question_of(raw, headers, who, memory.redactor(), as_of, known_at, gaps.append)
    return assemble(memory.telling(gaps), question)


def question_of(
    raw: bytes,
    headers: Mapping[str, str],
    who: Caller,
    redactor: Redactor,
    as_of: str | None = None,
    known_at: str | None = None,
    tell: Tell = untold,
) -> Question:
    """
    The first firing alert of a payload, with the others beside it. `signals`, `as_of`, `known_at` and `environment`
    may stand in the body too. Secrets are out of it before anything else is done, since the answer is kept. `tell`
    hears what the payload lacks.
    """
    body = redact_body(redactor, text_of(unpack(raw, "the alert"), "the alert")).text.encode("utf-8", "replace")
    asked = read_payload(body, headers, tell=tell)
    alerts = asked.alerts
    extra = _extra(body)
    firing = [alert for alert in alerts if alert.status != "resolved"] or list(alerts)
    return Question(
        alert=firing[0],
        others=tuple(firing[1:]),
        as_of=asked_moment(as_of or extra.get("as_of"), "as_of"),
        known_at=asked_moment(known_at or extra.get("known_at"), "known_at"),
        visibility=who.visibility,
        environment=_text(extra.get("environment")) if "labels" not in extra else None,
        signals=signals_of(extra.get("signals"), firing[1:], plain=asked.format == PLAIN),
        format=asked.format,
    )


def _extra(body: bytes) -> dict[str, object]:
    text = text_of(body, "the alert").strip()
    return dict(mapping_of(load_json(text, "the alert"), "the alert")) if text.startswith("{") else {}


def _text(value: object) -> str | None:
    return str(value) if value not in (None, "") else None


def _limit(value: object, default: int) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
        raise Problem(422, f"`limit` is {str(value)[:40]!r}; write a whole number from 1 to {MOST}")
    return value


def _answers(app: FastAPI, memory: Memory) -> None:
    @app.post(
        "/v1/context",
        openapi_extra=CONTEXT_BODY,
        responses={200: {"content": {"application/json": {"example": CONTEXT_EXAMPLE}}}},
    )
    async def context(
        request: Request, as_of: Moment = None, known_at: Moment = None, form: Form = None
    ) -> Response:  # fmt: skip
        """
        The whole answer for an alert, as a monitoring tool sent it; as text where that is asked for.
        """
        as_text = wants_text(request, form)
        who = await caller(request, "read")
        raw = await body_of(request)
        headers = dict(request.headers)
        answer = await timed("context", lambda: answer_of(memory, raw, headers, who, as_of, known_at))
        return PlainTextResponse(answer_text(answer) + "\n") if as_text else as_json(answer)

    @app.get("/v1/answers/{answer_id}")
    async def answer(request: Request, answer_id: str) -> Response:
        """
        An answer as it was given, byte for byte.
        """
        who = await caller(request, "read")
        kept = await run_in_threadpool(answer_seen, memory, answer_id, who)
        newer = await run_in_threadpool(replacement, memory.store, answer_id)
        headers = {"precedent-replaced-by": str(newer["answer_id"])} if newer else {}
        return Response(kept, headers=headers, media_type="application/json")

    @app.get("/v1/answers/{answer_id}/replay")
    async def replay(request: Request, answer_id: str) -> Response:
        """
        The answer made again from the store at its own view: whether it is the same, and what changed since.
        """
        who = await caller(request, "read")
        return as_json(await timed("replay", lambda: replay_seen(memory, answer_id, who)))

    @app.post("/v1/similar")
    async def similar(request: Request) -> Response:
        """
        Past incidents that are alike: `{text, service?, at?, limit?}`.
        """
        who = await caller(request, "read")
        body = mapping_of(load_json(await body_of(request), "the question"), "the question")
        text = _text(body.get("text") or body.get("symptoms"))
        if not text:
            raise Problem(422, "`text` is missing: say what is seen")
        return as_json(await timed("similar", lambda: similar_part(memory, who, text, body)))


def may_see(memory: Memory, body: bytes, who: Caller) -> bool:
    """
    Whether a caller may see all that a kept answer rests on.
    """
    ids = list(orjson.loads(body).get("evidence", {}))
    return not ids or len(memory.store.excerpts(ids, visibility=who.visibility, length=0)) == len(ids)


def answer_seen(memory: Memory, answer: str, who: Caller) -> bytes:
    """
    A kept answer. A Problem 404 where there is none that the caller may see.
    """
    kept = memory.shelf.get(answer)
    if kept is None:
        newer = replacement(memory.store, answer)
        then = (
            f"; a record that it rested on was erased, and it was asked again as {newer['answer_id']}" if newer else ""
        )
        raise Problem(404, f"there is no answer {answer}{then}")
    if not may_see(memory, kept, who):
        raise Problem(404, f"there is no answer {answer}")
    return kept


def replay_seen(memory: Memory, answer: str, who: Caller) -> parts.Part:
    """
    The replay of a kept answer. A Problem 404 where there is none that the caller may see.
    """
    answer_seen(memory, answer, who)
    return replayed(memory, answer, who.visibility)


def similar_part(memory: Memory, who: Caller, text: str, body: dict[str, object] | object) -> dict[str, object]:
    """
    Ranked incidents for a text.
    """
    fields = mapping_of(body, "the question")
    view = View.now(who.visibility)
    service = _text(fields.get("service"))
    named = memory.resolver.named(service.removeprefix("service:"), view) if service else {}
    services = memory.catalogue.directory(view).likely(named)
    limit = _limit(fields.get("limit"), 10)
    question = PrecedentQuestion(text=text, at=asked_moment(fields.get("at"), "at"), services=services)
    ranking = memory.precedents.rank(question, view, max(50, limit))
    cited: set[str] = set()
    shown = with_likes(ranking.candidates, first_told(ranking)[:limit])
    found = {one.item.id: one.item for one in memory.store.incidents(view, [one.id for one in shown])}
    rows = [
        precedent(memory, view, one, incident, lambda ids: sorted(cited.union(ids)))
        for one, incident in told_once((one, found[one.id]) for one in shown if one.id in found)
    ]
    return {"precedents": rows, "none_probability": round(ranking.none_probability, 4), "abstained": ranking.abstained}


def _lookups(app: FastAPI, memory: Memory) -> None:
    @app.get("/v1/services")
    async def services(request: Request, as_of: Moment = None, known_at: Moment = None) -> Response:
        """
        All services with their owners.
        """
        view = view_of(await caller(request, "read"), as_of, known_at)
        return as_json(await timed("services", lambda: {"services": service_rows(memory, view)}))

    @app.get("/v1/services/{name:path}")
    async def service(request: Request, name: str, as_of: Moment = None, known_at: Moment = None) -> Response:
        """
        One service: owner, neighbours, last changes, incidents.
        """
        view = view_of(await caller(request, "read"), as_of, known_at)
        return as_json(await timed("service", lambda: service_part(memory, view, name)))

    @app.get("/v1/changes")
    async def changes(
        request: Request, service: str | None = None, start: Moment = None, end: Moment = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:  # fmt: skip
        """
        Changes, newest first, of one service or of all.
        """
        view = view_of(await caller(request, "read"), None, None)
        return as_json(await timed("changes", lambda: change_rows(memory, view, service, start, end, limit)))

    @app.get("/v1/runbooks")
    async def runbooks(request: Request, text: str = "", alert: str = "", service: str | None = None) -> Response:
        """
        Runbooks for a text, an alert's name, a service.
        """
        view = view_of(await caller(request, "read"), None, None)
        return as_json(await timed("runbooks", lambda: runbook_rows(memory, view, text, alert, service)))

    @app.get("/v1/timeline")
    async def timeline(
        request: Request, service: str | None = None, incident: str | None = None, start: Moment = None,
        end: Moment = None, as_of: Moment = None, known_at: Moment = None,
        form: Annotated[Literal["json", "markdown"] | None, Query(alias="format")] = None,
    ) -> Response:  # fmt: skip
        """
        What was known when of an incident, for its postmortem (JSON, or Markdown); changes and incidents of a service.
        """
        view = view_of(await caller(request, "read"), as_of, known_at)
        if incident:
            found = await timed("timeline", lambda: incident_timeline(memory, view, incident))
            if form == "markdown" or (form is None and "text/markdown" in request.headers.get("accept", "")):
                text = timeline_markdown(found, own_address(memory.settings, request))
                return PlainTextResponse(text + "\n", media_type="text/markdown; charset=utf-8")
            return as_json(found)
        if not service:
            raise Problem(422, "say `incident`, for its postmortem, or `service`")
        return as_json(await timed("timeline", lambda: timeline_rows(memory, view, service, start, end)))

    @app.get("/v1/sources")
    async def sources(request: Request) -> Response:
        """
        The sources with their state, and what is in quarantine.
        """
        who = await caller(request, "read")
        hooks = memory.settings.webhooks
        return as_json(await timed("sources", lambda: listing(memory.store, hooks, datetime.now(UTC), who.visibility)))


def service_rows(memory: Memory, view: View) -> list[dict[str, object]]:
    """
    Every service with title and owner.
    """
    owners = memory.catalogue.directory(view).owners
    return [
        {
            "id": one.id, "name": entity_name(one.id), "title": one.attributes.get("title"), "type": one.attributes.get("type"),
            "tier": one.attributes.get("tier"), "owner": entity_name(owners[one.id]) if one.id in owners else None,
        }
        for one in entities(memory.facts, view, EntityKind.SERVICE)
    ]  # fmt: skip


def service_part(memory: Memory, view: View, name: str) -> dict[str, object]:
    """
    One service, whole.
    """
    service = resolved_service(memory, view, name)
    gaps: list[str] = []
    directory = memory.catalogue.directory(view)
    near = neighbours(memory.facts, view, [service], depth=1)
    described = next((one for one in entities(memory.facts, view, EntityKind.SERVICE) if one.id == service), None)
    counts = directory.past(service)
    incidents = [one.item for one in memory.store.incidents(view) if counts(one.item.services, one.item.at)]
    return {
        "id": service,
        "name": entity_name(service),
        "attributes": dict(described.attributes) if described else {},
        "aliases": [{"name": one.name, "seen_in": one.seen_in} for one in directory.services.get(service, ())],
        "owner": parts.owner_part(memory, view, service, sorted, gaps.append),
        "depends_on": [entity_name(one.entity) for one in near if one.path[0].outgoing],
        "dependents": [entity_name(one.entity) for one in near if not one.path[0].outgoing],
        "changes": change_rows(memory, view, service, None, None, 20)["changes"],
        "incidents": [{"id": one.id, "title": one.title, "at": parts.when(one)} for one in incidents][-20:],
        "gaps": gaps,
    }


def change_rows(
    memory: Memory, view: View, service: str | None, start: str | None, end: str | None, limit: int
) -> dict[str, object]:
    """
    Changes for a reader.
    """
    first, last = asked_moment(start, "start"), asked_moment(end, "end")
    if service:
        found = _changes_of(memory, view, resolved_service(memory, view, service), first, last, limit)
    else:
        found = memory.store.changes(view, start=first, end=last, limit=limit)
    return {
        "changes": [
            {
                "id": one.item.id, "kind": one.item.kind.value, "title": one.item.title, "at": parts.stamp(one.item.at),
                "services": [entity_name(name) for name in one.item.services], "environment": one.item.environment,
                "revision": one.item.revision, "actor": one.item.actor, "reverts": one.item.reverts, "url": one.item.url,
                "evidence": [one.record],
            }
            for one in found
        ]
    }  # fmt: skip


def _changes_of(
    memory: Memory, view: View, service: str, start: datetime | None, end: datetime | None, limit: int
) -> Sequence[Statement[Change]]:
    """
    Changes of a service under all its names, newest first, and of what it was split off from up to the split.
    """
    directory = memory.catalogue.directory(view)
    found = list(memory.store.changes(view, services=directory.own(service), start=start, end=end, limit=limit))
    held = {one.seq for one in found}
    for parent, split in directory.identity.inherited(service).items():
        until = min((moment for moment in (split, end) if moment), default=None)
        more = memory.store.changes(view, services=[parent], start=start, end=until, limit=limit)
        found += [one for one in more if one.seq not in held]
        held |= {one.seq for one in more}
    return (
        sorted(found, key=lambda one: (one.item.at, one.seq), reverse=True)[:limit]
        if directory.identity.inherited(service)
        else found
    )


def runbook_rows(memory: Memory, view: View, text: str, alert: str, service: str | None) -> dict[str, object]:
    """
    Ranked pages.
    """
    if not (text or alert or service):
        raise Problem(422, "say `text`, `alert` or `service`")
    directory = memory.catalogue.directory(view)
    services = directory.likely({resolved_service(memory, view, service): 1.0}) if service else {}
    ranking = memory.runbooks.rank(
        RunbookQuestion(text=text or alert or service or "", alert=alert, services=services), view, 10
    )
    found = {one.item.id: one.item for one in memory.store.runbooks(view, [one.id for one in ranking.candidates])}
    rows = [parts.runbook_part(one, found[one.id], sorted) for one in ranking.candidates if one.id in found]
    return {"runbooks": rows, "abstained": ranking.abstained}


def timeline_rows(memory: Memory, view: View, service: str, start: str | None, end: str | None) -> dict[str, object]:
    """
    What happened to a service, in order.
    """
    name = resolved_service(memory, view, service)
    counts = memory.catalogue.directory(view).past(name)
    first, last = asked_moment(start, "start"), asked_moment(end, "end")
    rows: list[tuple[datetime, dict[str, object]]] = []
    for change in _changes_of(memory, view, name, first, last, 500):
        rows.append(
            (
                change.item.at,
                {"what": "change", "id": change.item.id, "kind": change.item.kind.value, "title": change.item.title},
            )
        )
    for incident in memory.store.incidents(view):
        at = incident.item.at
        if at and counts(incident.item.services, at) and (not first or at >= first) and (not last or at < last):
            rows.append((at, {"what": "incident", "id": incident.item.id, "title": incident.item.title}))
    ordered = sorted(rows, key=lambda row: row[0])
    return {"service": name, "events": [{"at": parts.stamp(at), **row} for at, row in ordered]}


def _operations(app: FastAPI, memory: Memory) -> None:
    @app.get("/healthz")
    async def health() -> Response:
        """
        The process runs.
        """
        return as_json({"status": "ok"})

    @app.get("/readyz")
    async def ready(verbose: bool = False) -> Response:
        """
        Whether it can answer: the store reads, and names and words have caught up once.
        """
        body, code = await run_in_threadpool(_standing, memory, verbose)
        return as_json(body, code, {} if code == 200 else {"retry-after": "5"})

    @app.get("/metrics")
    async def metrics() -> Response:
        """
        Prometheus metrics.
        """
        return Response(await run_in_threadpool(exposition, memory), media_type="text/plain; version=0.0.4")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return RedirectResponse("/openapi.json")


def _standing(memory: Memory, verbose: bool) -> tuple[dict[str, object], int]:
    """
    How ready it is. Once it was, it stays so: without the store it still knows owners, names and what was indexed.
    """
    try:
        status = memory.indexer.status()
        tallies = memory.store.tally() if verbose else ()
    except StoreUnavailable as error:
        away = "without the store" if memory.ready else "not ready"
        return {"status": away, "gaps": [str(error), *memory.lags()]}, 200 if memory.ready else 503
    behind = memory.catalogue.watermark < status.watermark or status.behind
    body: dict[str, object] = {"status": "catching up" if behind else "ok", "gaps": memory.lags()}
    if verbose:
        body["indexes"] = {"watermark": status.watermark, "lexical": status.lexical, "dense": status.dense}
        body["pending"] = sum(one.states.get(RecordState.PENDING, 0) for one in tallies)
        held = {one.source: n for one in tallies if (n := one.states.get(RecordState.QUARANTINED, 0))}
        body["quarantined"] = sum(held.values())
        body["quarantine"] = held
        body["off"] = [one.source.name for one in memory.settings.webhooks if one.off]
        body["audit"] = memory.audit.problem or "ok"
        body["indexes_mended"] = list(memory.indexer.problems)
    return body, 200 if memory.ready else 503
