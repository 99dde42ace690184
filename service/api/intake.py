"""
The way in over HTTP: what is sent with a token, and what webhooks deliver.

A configured webhook is proven by its vendor's signature over the bytes as they came, on whichever path they came; no
token stands in for that. Once it is proven a delivery is taken, readable or not: a sender that gets refusals ends
sending, and what nobody can read yet waits in quarantine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from graph.values import Labels
from ingest.connectors import NAMES, connector, feedback, identity, policy
from ingest.contract import Source
from ingest.errors import BadRecord, TooLarge
from ingest.journal import DELIVERY, Admission, admit
from ingest.parsing import printable
from ingest.signing import IN_URL
from ingest.together import LARGE, Delivery, Outcome, admit_together
from service.api.gathering import Gathering
from service.api.guard import largest
from service.api.problems import Problem
from service.api.requests import as_json, body_of, caller, unpacked
from service.metrics import REFUSED, observe
from service.webhooks import Webhook
from service.wiring import Memory


def install(app: FastAPI, memory: Memory) -> None:
    """
    Add the routes to the application.
    """
    taking = Taking(memory)

    @app.post("/v1/ingest/{name}", status_code=202)
    async def ingest(request: Request, name: str, source: str | None = None, path: str | None = None) -> Response:
        """
        Records of a connector: durable when this answers 202. What cannot be read is kept in quarantine.
        """
        hook = memory.settings.webhook(source or name)
        if hook:
            _suits(hook, name, path)
            return await _delivered(request, memory, hook, taking)
        who = await caller(request, "ingest")
        if name == feedback.NAME:
            raise Problem(403, "verdicts on answers are given with POST /v1/feedback, not ingested")
        if name == identity.NAME:
            raise Problem(403, "decisions about identity are made with POST /v1/identity, not ingested")
        if name == policy.NAME:
            raise Problem(403, "rules about actions are reviewed files, read with `precedent ingest`, not sent")
        if name not in NAMES:
            raise Problem(404, f"there is no connector {name!r}; there are: {', '.join(NAMES)}")
        raw = await body_of(request)
        given = Source(name=printable(source or name, "source"), connector=name)
        meta = {**_kept(request, name), "path": printable(path or f"{name}.json", "path")}
        return await taking.take(given, raw, meta, who.visibility)

    @app.post("/v1/hooks/{name}", status_code=202)
    async def hooks(request: Request, name: str) -> Response:
        """
        A delivery to a configured webhook, proven by its vendor's signature: durable when this answers 202.
        """
        hook = memory.settings.webhook(name)
        if hook is None:
            raise Problem(404, f"no webhook is configured as {name!r}; write it as [[webhooks]] in the settings")
        return await _delivered(request, memory, hook, taking)


def _suits(hook: Webhook, name: str, path: str | None) -> None:
    """
    A Problem where a configured source is sent what only others can be.
    """
    if hook.source.connector != name:
        raise Problem(422, f"the source {hook.source.name!r} is read by {hook.source.connector!r}, not by {name!r}")
    if path is not None:
        raise Problem(422, f"the source {hook.source.name!r} is a webhook; its deliveries have no `path`")


async def _delivered(request: Request, memory: Memory, hook: Webhook, taking: Taking) -> Response:
    name = hook.source.name
    if hook.off:
        detail = f"the webhook {name!r} is off: it cannot check who sends; `precedent sources test {name}` says why"
        raise _refused(memory, name, 403, detail, hook.off)
    raw = await request.body()
    headers = {**dict(request.headers), IN_URL: request.query_params.get("secret", "")}
    problem = await run_in_threadpool(hook.unproven, raw, headers, datetime.now(UTC))
    if problem:
        raise _refused(memory, name, 401, f"the delivery to {name!r} is not proven: {problem}", problem)
    meta = {**_kept(request, hook.source.connector), "path": f"{hook.source.connector}.json"}
    body = await _opened(raw, largest(memory.settings, request.url.path))
    answer = await taking.take(hook.source, body, meta, hook.source.visibility)
    memory.deliveries.accepted(name)
    return answer


def _refused(memory: Memory, name: str, status: int, detail: str, reason: str) -> Problem:
    memory.deliveries.refused(name, reason)
    REFUSED.labels(name).inc()
    return Problem(status, detail, {"www-authenticate": "Signature"} if status == 401 else {})


async def _opened(raw: bytes, most: int) -> bytes:
    """
    A proven body without its gzip; damaged gzip stays as it is, and its connector says what is wrong with it.
    """
    try:
        return await unpacked(raw, most)
    except TooLarge:
        raise
    except BadRecord:
        return raw


def _kept(request: Request, name: str) -> dict[str, str]:
    """
    The headers that records of a connector keep.
    """
    kept = DELIVERY.union(connector(name).headers)
    return {key: value for key, value in request.headers.items() if key in kept}


class Taking:
    """
    Makes durable what was sent, with what comes at the same time.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._small = Gathering[Delivery, Admission](self._together)

    async def take(self, source: Source, raw: bytes, meta: Mapping[str, str], sender: Labels) -> Response:
        """
        The answer that says what became of it.
        """
        given = Delivery(source=source, payload=raw, meta=meta, sender=sender)
        with observe("ingest"):
            admitted = await (run_in_threadpool(self._alone, given) if len(raw) > LARGE else self._small.ask(given))
        self._memory.nudge()
        body = {
            "records": list(admitted.records[:100]), "read": len(admitted.records), "new": admitted.new,
            "duplicates": admitted.duplicates, "quarantined": admitted.quarantined,
        }  # fmt: skip
        return as_json(body, 202)

    def _together(self, given: Sequence[Delivery]) -> list[Outcome]:
        return admit_together(self._memory.store, given, self._memory.redactor())

    def _alone(self, one: Delivery) -> Admission:
        redactor = self._memory.redactor()
        return admit(self._memory.store, one.source, one.payload, one.meta, one.received_at, one.sender, redactor)
