"""
The pages for those who keep the memory well: sources with their quarantine, identity, readiness.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

from fastapi import FastAPI
from starlette.responses import Response

from graph.values import View
from service.api.identity import decided_part, proposals_part
from service.api.pages_desk import Visit, add, utc
from service.api.problems import Problem
from service.identities import decisions
from service.kept import Kept
from service.pages.upkeep import readiness_view, sources_view
from service.parts import stamp
from service.readiness_whole import Whole
from service.sources import listing
from service.tokens import LOCAL
from service.wiring import Memory

NAMES = 20
WAIT = 5.0
"""Seconds to wait for what is worked out for the first time."""


def install(app: FastAPI, memory: Memory, ready: Kept[Whole]) -> None:
    """
    Add the pages to the application.
    """
    add(app, memory, "/sources", _sources)
    add(app, memory, "/sources", _retry, scope="admin", method="POST")
    proposed = Kept(lambda labels: proposals_part(memory, View.now(labels))["proposals"], memory.pool)
    add(app, memory, "/identity", partial(_identity, proposed))
    add(app, memory, "/identity", partial(_decide, proposed), scope="admin", method="POST")
    add(app, memory, "/readiness", partial(_readiness, ready))


def _sources(visit: Visit) -> Response:
    memory = visit.memory
    body = listing(memory.store, memory.settings.webhooks, datetime.now(UTC), visit.who.visibility)
    if visit.wants_json:
        return visit.page("sources.html", body)
    again = visit.asked("again")
    return visit.page("sources.html", {}, **sources_view(body), again=int(again) if _is_count(again) else None)


def _is_count(text: str) -> bool:
    """
    Whether a text is a number that one of our own links has; nothing else in an address is repeated on a page.
    """
    return text.isdecimal() and text.isascii() and len(text) < 9


def _retry(visit: Visit) -> Response:
    """
    Have a record, or a source's, tried again: it is pending from here on, and applied like any other.
    """
    visit.require_csrf()
    memory, labels = visit.memory, visit.who.visibility
    source, record = visit.form.get("source", ""), visit.form.get("record", "")
    if bool(source) == bool(record):
        raise Problem(422, "say `source` or `record`: what is to be tried again")
    if record:
        if not memory.store.records([record], visibility=None if visit.who is LOCAL else labels, limit=1):
            raise Problem(404, f"there is no record {record[:80]}")
        count = memory.store.release(records=[record])
    else:
        seen = listing(memory.store, memory.settings.webhooks, datetime.now(UTC), labels)["sources"]
        if source not in {one["source"] for one in seen}:  # type: ignore[attr-defined]  # a list of rows
            raise Problem(404, f"there is no source {source[:80]}")
        count = memory.store.release(source=source)
    memory.nudge()
    if visit.wants_json:
        return visit.page("sources.html", {"released": count})
    return visit.to(f"/sources?again={count}")


def _identity(proposed: Kept[object], visit: Visit) -> Response:
    found = proposed.get(visit.who.visibility, WAIT)
    if found is None:
        raise Problem(503, "names are being compared; look again in a moment", {"retry-after": "5"})
    decided = decisions(visit.memory.store, visit.who.visibility)
    made = [one for one in decided if one["id"] == visit.asked("made")]
    return visit.page("identity.html", {"proposals": found.value, "decisions": decided}, made=made[:1])


def _decide(proposed: Kept[object], visit: Visit) -> Response:
    visit.require_csrf()
    form = visit.form
    given = [form[key] for key in (f"name{number}" for number in range(1, NAMES)) if form.get(key)]
    names = given or [one.strip() for one in form.get("names", "").splitlines() if one.strip()]
    asked: dict[str, object] = {"action": form.get("action", ""), "names": names}
    asked |= {key: form[key] for key in ("id", "note") if form.get(key)}
    if form.get("at"):
        asked["at"] = utc(form["at"])
    made = decided_part(visit.memory, asked, visit.who)
    proposed.forget()
    if visit.wants_json:
        return visit.page("identity.html", made)
    return visit.to(f"/identity?made={quote(str(made['id']))}")


def _readiness(ready: Kept[Whole], visit: Visit) -> Response:
    made = ready.get(visit.who.visibility, WAIT)
    if made is None:
        raise Problem(
            503, "readiness is being worked out over all services; look again in a moment", {"retry-after": "5"}
        )
    body, at = made.value.body, stamp(made.at)
    if visit.wants_json:
        return visit.page("readiness.html", {**body, "as_of": at})
    return visit.page("readiness.html", {}, **readiness_view(body, at))
