"""
All that is known of one service, or of one incident, for somebody who looks at it whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from graph.errors import NotFound, StoreUnavailable
from graph.resolved import entity
from graph.values import Change, EntityId, Fact, FactKind, Fix, Incident, Statement, View, entity_name
from models.precedents import PrecedentQuestion
from service import parts
from service.lookup import resolved_service
from service.parts import Part, stamp
from service.radius import radius_part
from service.wiring import Memory

CHANGES = 40
INCIDENTS = 40
NEAR = 400
"""Neighbours of each side at most."""
LIKE = 5
"""Past incidents that are alike, of which this many are told."""
LONGEST = 2000
"""Characters of an incident's text by which others are looked for."""


def service_dossier(memory: Memory, view: View, name: str) -> Part:
    """
    One service. Raises Problem 404 where none is known by the name.
    """
    service = resolved_service(memory, view, name)
    directory = memory.catalogue.directory(view)
    gaps: list[str] = []
    described = entity(memory.facts, view, service, known=directory.identity)
    attributes = dict(described.attributes) if described else {}
    return {
        "id": service,
        "name": entity_name(service),
        "attributes": {key: value for key, value in attributes.items() if not key.startswith("slo.")},
        "objectives": _objectives(attributes),
        "owner": parts.owner_part(memory, view, service, sorted, gaps.append),
        "owners": owner_history(memory, view, service),
        "aliases": [{"name": one.name, "seen_in": one.seen_in} for one in directory.services.get(service, ())],
        "neighbours": radius_part(memory, view, service, sorted, depth=2, limit=NEAR, shown=NEAR),
        "changes": _read(lambda: _changes(memory, view, service), gaps),
        "incidents": _incidents(memory, view, service),
        "gaps": gaps,
        "as_of": stamp(view.as_of),
        "known_at": stamp(view.known_at),
    }


def owner_history(memory: Memory, view: View, service: EntityId) -> list[Part]:
    """
    Who was said to own it, the latest first, with what is said no more.
    """
    ids = memory.catalogue.directory(view).identity.same(service)
    stated = memory.facts.facts(view, kinds=(FactKind.OWNED_BY,), subjects=ids, valid=False)
    former = memory.facts.former(view, FactKind.OWNED_BY, ids)
    ended = {one.seq for one in former}
    rows = [
        _ownership(one, said_no_more=one.seq in ended) for one in {one.seq: one for one in (*stated, *former)}.values()
    ]
    return sorted(
        rows, key=lambda row: (not row["until"], str(row["until"] or ""), str(row["since"] or "")), reverse=True
    )


def _ownership(one: Statement[Fact], *, said_no_more: bool) -> Part:
    """
    What one source said. Where it gives no beginning, that is when we learned it, unless it had ended by then.
    """
    until = one.item.valid.end or (one.known.end if said_no_more else None)
    learned = one.known.start
    since = one.item.valid.start or (learned if learned and (until is None or learned < until) else None)
    return {
        "team": entity_name(one.item.object),
        "since": stamp(since),
        "until": stamp(until),
        "source": one.source,
        "trust": one.trust.name.lower(),
        "evidence": [one.record],
    }


def _objectives(attributes: dict[str, str]) -> list[Part]:
    names = sorted({key.split(".")[1] for key in attributes if key.startswith("slo.")})
    return [
        {
            "name": name,
            "target": attributes.get(f"slo.{name}"),
            "measures": attributes.get(f"slo.{name}.measures"),
            "method": attributes.get(f"slo.{name}.method"),
        }
        for name in names
    ]


def _read(work: Callable[[], list[Part]], gaps: list[str]) -> list[Part]:
    """
    What the store gives, or nothing and a gap.
    """
    try:
        return work()
    except StoreUnavailable as error:
        gaps.append(f"without changes: {error}")
        return []


def _changes(memory: Memory, view: View, service: EntityId) -> list[Part]:
    ids = memory.catalogue.directory(view).own(service)
    return [change_row(one) for one in memory.store.changes(view, services=ids, end=view.as_of, limit=CHANGES)]


def change_row(one: Statement[Change]) -> Part:
    """
    A change in a list.
    """
    item = one.item
    return {
        "id": item.id,
        "kind": item.kind.value,
        "title": item.title,
        "at": stamp(item.at),
        "services": [entity_name(name) for name in item.services],
        "environment": item.environment,
        "revision": item.revision,
        "previous": item.previous,
        "actor": item.actor,
        "reverts": item.reverts,
        "url": item.url,
        "evidence": [one.record],
    }


def _incidents(memory: Memory, view: View, service: EntityId) -> list[Part]:
    directory = memory.catalogue.directory(view)
    counts = directory.past(service)
    found = [
        one.item
        for one in memory.catalogue.incidents.of_services(directory.members(service), view)
        if counts(one.item.services, one.item.at)
    ]
    dated = sorted(found, key=lambda one: one.at.timestamp() if one.at else 0.0, reverse=True)
    return [
        {
            "id": one.id,
            "title": one.title,
            "at": parts.when(one),
            "minutes": parts.minutes(one),
            "severity": one.severity,
        }
        for one in dated[:INCIDENTS]
    ]


def incident_dossier(memory: Memory, view: View, name: str) -> Part:
    """
    One incident: what happened when, what caused it, what was done, and what is still to be done. Raises NotFound.
    """
    found = memory.store.incidents(view, [name])
    if not found:
        raise NotFound(name, "There is no incident of this id")
    stated, item = found[0], found[0].item
    causes = [change_row(one) for one in memory.store.changes(view, ids=item.caused_by)] if item.caused_by else []
    return {
        "id": item.id,
        "title": item.title,
        "at": parts.when(item),
        "day_only": item.day_only,
        "detected_at": stamp(item.detected_at),
        "resolved_at": stamp(item.resolved_at),
        "minutes": parts.minutes(item),
        "severity": item.severity,
        "environment": item.environment,
        "services": [entity_name(one) for one in item.services],
        "alerts": list(item.alerts),
        "cause": item.cause_kind,
        "caused_by": list(item.caused_by),
        "causes": causes,
        "fixes": [_fix(one) for one in item.fixes],
        "sections": {kind.value: text for kind, text in item.sections.items()},
        "open_actions": int(item.attributes.get("open_actions", 0)),
        "runbooks": list(item.runbooks),
        "url": item.url,
        "timeline": _timeline(item, causes),
        "alike": _alike(memory, view, item),
        "source": stated.source,
        "trust": stated.trust.name.lower(),
        "known_at": stamp(stated.known.start),
        "evidence": [stated.record],
    }


def _fix(fix: Fix) -> Part:
    return {**parts.fix_part(fix), "at": stamp(fix.at), "by": fix.by, "runbook": fix.runbook}


def _timeline(item: Incident, causes: Sequence[Part]) -> list[Part]:
    """
    Its moments in order, as far as they are known.
    """
    rows: list[tuple[str, str]] = [
        (str(one["at"]), f"{one['kind']} {one['id']}: {one['title']}") for one in causes if one["at"]
    ]
    own: list[tuple[datetime | None, str]] = [
        (None if item.day_only else item.at, "it began"),
        (item.detected_at, "it was detected"),
        (item.resolved_at, "it was resolved"),
    ]
    own += [(fix.at, f"{fix.action.value.replace('_', ' ')} {fix.target}") for fix in item.fixes]
    rows += [(stamp(at) or "", says) for at, says in own if at]
    return [{"at": at, "says": says} for at, says in sorted(rows)]


def _alike(memory: Memory, view: View, item: Incident) -> list[Part]:
    """
    Other incidents of the same kind, the likeliest first.
    """
    text = " ".join([item.title, *item.sections.values()])[:LONGEST]
    services = memory.catalogue.directory(view).likely(dict.fromkeys(item.services, 1.0))
    question = PrecedentQuestion(text=text, services=services)
    ranking = memory.precedents.rank(question, view, LIKE + 1)
    rows = [one for one in ranking.candidates if one.id != item.id and one.probability >= 0.2][:LIKE]
    known = {one.item.id: one.item for one in memory.catalogue.incidents.incidents(view, [row.id for row in rows])}
    return [
        {
            "id": one.id,
            "title": known[one.id].title,
            "at": parts.when(known[one.id]),
            "probability": round(one.probability, 4),
        }
        for one in rows
        if one.id in known
    ]
