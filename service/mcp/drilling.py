"""
The drill-downs: an owner, changes, past incidents, runbooks, with pages by cursor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from graph.values import Change, Statement, entity_name
from ingest.parsing import asked_time
from models.contract import Candidate
from models.precedents import PrecedentQuestion, first_told
from models.runbooks import RunbookQuestion
from service import parts
from service.events import told_once, with_likes
from service.fence import clean
from service.mcp import cursors
from service.mcp.asking import Asking, explained, named, nothing, page
from service.mcp.refusals import UNKNOWN, Refusal
from service.mcp.shapes import AskChanges, AskOwner, AskRunbook, AskSimilar
from service.mcp.shaping import Row, gap, page_id
from service.outcomes import precedent
from service.support import supported

PAGE = 900
"""Characters of a runbook that is read page by page."""
LONGEST = 65_536
"""Characters of a runbook that can be read so."""
WORTH = 0.02
"""A runbook below this is not shown."""
RANKED = 60
"""Past incidents that can be paged through."""


def owner(asking: Asking, ask: AskOwner) -> Row:
    """
    Who owns a service and who answers now.
    """
    view = asking.view(ask.as_of)
    service, close = named(asking, view, ask.service)
    if service is None:
        return nothing(asking, close) | {"owner": None, "gaps": []}
    gaps: list[str] = []
    cited: set[str] = set()
    part: Mapping[str, Any] = parts.owner_part(asking.memory, view, service, parts.citing(cited), gaps.append)
    shaper = asking.shaper(cited)
    found = {"service": shaper.entity(service), "owner": shaper.owner(part), "gaps": [gap(one) for one in gaps]}
    return explained(found, shaper)


def changes(asking: Asking, ask: AskChanges) -> Row:
    """
    Changes, newest first, a page at a time.
    """
    question = (ask.service, ask.start, ask.end)
    place = cursors.read(ask.cursor, *question)
    view = asking.view(known=place.known)
    service, close = named(asking, view, ask.service) if ask.service else (None, [])
    if ask.service and service is None:
        return nothing(asking, close) | {"changes": []}
    until = datetime.fromtimestamp(place.until, UTC) + timedelta(microseconds=1) if place.until is not None else None
    rows = asking.memory.store.changes(
        view,
        services=asking.memory.catalogue.directory(view).members(service) if service else None,
        start=asked_time(ask.start, "start") if ask.start else None,
        end=until or (asked_time(ask.end, "end") if ask.end else None),
        limit=place.given + ask.limit + 1,
    )[place.given :]
    shaper = asking.shaper(one.record for one in rows)
    shown = page([shaper.change(_change(one)) for one in rows[: ask.limit]])
    found = {"service": shaper.entity(service) if service else None, "changes": shown}
    if len(rows) > len(shown):
        found["next_cursor"] = cursors.written(_after(place, rows[: len(shown)]), *question)
    return explained(found, shaper)


def _after(place: cursors.Place, rows: Sequence[Statement[Change]]) -> cursors.Place:
    """
    Where a page ended: at a moment, of which so many changes were given.
    """
    last = rows[-1].item.at
    same = sum(one.item.at == last for one in rows)
    again = place.given if place.until == last.timestamp() else 0
    return cursors.Place(given=same + again, until=last.timestamp(), known=place.known)


def _change(one: Statement[Change]) -> parts.Part:
    """
    A change as it is shown, without a rank.
    """
    told = parts.suspect_part(Candidate(id=one.item.id, probability=0.0), one.item, list)
    del told["probability"], told["terms"]
    return told | {"reverts": one.item.reverts, "evidence": [one.record]}


def similar(asking: Asking, ask: AskSimilar) -> Row:
    """
    Past incidents that are alike, best first, with how well each fix is supported.
    """
    question = (ask.text, ask.service)
    place = cursors.read(ask.cursor, *question)
    view = asking.view(known=place.known)
    service, close = named(asking, view, ask.service) if ask.service else (None, [])
    if ask.service and service is None:
        return nothing(asking, close) | {"precedents": [], "fixes": [], "none_probability": 1.0}
    text = asking.memory.redactor().redact(ask.text).text
    likely = {service: 1.0} if service else {}
    ranking = asking.memory.precedents.rank(PrecedentQuestion(text=text, at=view.as_of, services=likely), view, RANKED)
    leading = first_told(ranking)
    candidates = leading[place.given : place.given + ask.limit]
    liked = with_likes(ranking.candidates, candidates)
    items = {one.item.id: one.item for one in asking.memory.store.incidents(view, [one.id for one in liked])}
    told: list[Mapping[str, Any]] = [
        precedent(asking.memory, view, one, incident, list)
        for one, incident in told_once((one, items[one.id]) for one in liked if one.id in items)
    ]
    evidence = asking.evidence(record for one in told for record in one["evidence"])
    shaper = asking.shaper(evidence)
    shown = page([shaper.precedent(one) for one in told])
    found: Row = {
        "service": shaper.entity(service) if service else None,
        "precedents": shown,
        "fixes": [shaper.support(one) for one in supported(told[: len(shown)], evidence)],
        "none_probability": round(ranking.none_probability, 2),
    }
    given = place.given + (len(candidates) if len(shown) == len(told) else len(shown))
    if given < len(leading) and shown:
        found["next_cursor"] = cursors.written(place.model_copy(update={"given": given}), *question)
    return explained(found, shaper)


def runbook(asking: Asking, ask: AskRunbook) -> Row:
    """
    The pages for some symptoms or a service, or one page from its beginning to its end.
    """
    if ask.id:
        return _read(asking, ask)
    if not (ask.text or ask.service):
        raise Refusal("say `id`, `text` or `service`")
    view = asking.view()
    service, close = named(asking, view, ask.service) if ask.service else (None, [])
    if ask.service and service is None:
        return nothing(asking, close) | {"runbooks": []}
    text = asking.memory.redactor().redact(ask.text).text or entity_name(service or "")
    likely = {service: 1.0} if service else {}
    ranking = asking.memory.runbooks.rank(RunbookQuestion(text=text, alert="", services=likely), view, 5)
    pages = {
        one.item.id: one.item for one in asking.memory.store.runbooks(view, [one.id for one in ranking.candidates])
    }
    told: list[Mapping[str, Any]] = [
        parts.runbook_part(one, pages[one.id], list)
        for one in ranking.candidates
        if one.id in pages and one.probability >= WORTH
    ]
    shaper = asking.shaper((record for one in told for record in one["evidence"]), "full")
    shown = page([shaper.page(one) for one in told])
    return explained({"service": shaper.entity(service) if service else None, "runbooks": shown}, shaper)


def _read(asking: Asking, ask: AskRunbook) -> Row:
    place = cursors.read(ask.cursor, ask.id)
    view = asking.view(known=place.known)
    stated = next((one for one in asking.memory.store.runbooks(view) if page_id(one.item.id) == ask.id), None)
    if stated is None:
        raise Refusal(UNKNOWN)
    text = "\n".join([stated.item.title, *(f"{one.heading}\n{one.text}" for one in stated.item.sections)])
    # what is cleaned by pieces may join to what was dropped, so it is cleaned whole
    whole = clean(text, LONGEST)
    end = place.given + PAGE
    shaper = asking.shaper([stated.record])
    row = {
        "id": page_id(stated.item.id),
        "approved": stated.item.approved,
        "untrusted_text": shaper.quote(whole[place.given : end], [stated.record], limit=PAGE),
    }
    found: Row = {"service": None, "runbooks": [row]}
    if end < len(whole):
        found["next_cursor"] = cursors.written(place.model_copy(update={"given": end}), ask.id)
    return found
