"""
What an answer shows of each thing: an owner, a suspect, a precedent, a runbook, as values for JSON, with evidence.

`cite` notes the records that a part rests on, and gives their ids.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from graph.answering import Answerer, Level
from graph.values import Alert, Change, EntityId, Fact, Fix, Incident, Runbook, Section, Statement, View, entity_name
from models.contract import Candidate, Term
from service.fence import label
from service.owners import Claim, Owner, owner

if TYPE_CHECKING:
    from service.wiring import Memory

Part = dict[str, object]
Cite = Callable[[Iterable[str]], list[str]]


def when(incident: Incident) -> str | None:
    """
    When an incident began: a moment, or the day alone where no more is known.
    """
    if incident.day_only and incident.at:
        # it counts as begun when its day ended where it was written; twelve hours before is that day in UTC too
        return (incident.at - timedelta(hours=12)).date().isoformat()
    return stamp(incident.at)


def stamp(moment: datetime | None) -> str | None:
    """
    RFC 3339 in UTC.
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


def citing(cited: set[str]) -> Cite:
    """
    Notes in `cited` what a part rests on.
    """

    def cite(ids: Iterable[str]) -> list[str]:
        found = sorted({one for one in ids if one})
        cited.update(found)
        return found

    return cite


def strings(value: object) -> list[str]:
    """
    A list's values as texts; nothing of what is no list.
    """
    return [str(one) for one in value] if isinstance(value, list) else []


def alert_part(alert: Alert, others: Sequence[Alert] = (), form: str | None = None) -> Part:
    """
    The alert as we understood it.
    """
    return {
        "name": alert.name,
        "at": stamp(alert.at),
        "status": alert.status,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "ended_at": stamp(alert.ended_at),
        "vendor": alert.vendor,
        "format": form or alert.vendor,
        "url": alert.url,
        "firing_with": [{"name": other.name, "at": stamp(other.at)} for other in others[:20]],
    }


def owner_part(
    memory: Memory,
    view: View,
    service: EntityId,
    cite: Cite,
    gap: Callable[[str], None],
) -> Part:
    """
    Who owns a service, who answers now, whom it escalates to, and who says so.
    """
    names = memory.catalogue.directory(view).identity
    found = owner(memory.facts, memory.activity, view, service, names)
    now = found.answering
    on_call = next((turn for level in now.levels if (turn := [one for one in level.present if one.on_call])), [])
    _owner_gaps(found, on_call, service, sorted(names.parts(service)), gap)
    return {
        "service": service,
        "team": found.team,
        "name": entity_name(found.team) if found.team else None,
        "trust": found.trust.name.lower() if found.trust is not None else None,
        "confidence": found.confidence,
        "certainty": found.word,
        "answers_now": [_answerer(one, cite) for one in on_call],
        "answering": {
            "via": now.via or None,
            "people": [_answerer(one, cite) for one in now.people],
            "next_hand_off": stamp(now.next_hand_off),
            "levels": [_level(one, cite) for one in now.levels],
        },
        "escalation": [said(one, cite) for one in found.stated.escalation],
        "conflicts": [{"team": team, "name": entity_name(team)} for team in found.conflicts],
        "statements": [said(one, cite) for one in found.stated.statements[:8]],
        "claims": [_claim(one, cite) for one in found.claims[:12]],
        "faults": [
            {"kind": one.kind, "subject": one.subject, "says": one.says, "evidence": cite(one.records)}
            for one in found.faults[:20]
        ],
        "evidence": cite([*(one.record for one in found.stated.statements), *(one.record for one in found.claims)]),
    }


def _owner_gaps(
    found: Owner,
    on_call: Sequence[Answerer],
    service: EntityId,
    parts: Sequence[EntityId],
    gap: Callable[[str], None],
) -> None:
    if found.team is None:
        split = f"; it was split into {', '.join(_name(one) for one in parts)}" if parts else ""
        gap(f"no source names an owner of {_name(service)}{split}")
    elif found.stated.team is None:
        gap(f"no source names an owner of {_name(service)} itself; its code is {_name(found.team)}'s")
    if found.team and not on_call:
        instead = ", ".join(_name(one.person) for one in found.answering.people)
        then = f"; {instead} would answer ({found.answering.via})" if instead else ""
        gap(f"nobody is known to be on call for {_name(found.team)}{then}")
    for one in found.faults[:5]:
        if one.kind != "conflict":
            gap(one.says.replace(entity_name(one.subject), _name(one.subject)))


def _name(entity: EntityId) -> str:
    """
    An entity's name in a sentence of ours.
    """
    return label(entity_name(entity))


def _answerer(one: Answerer, cite: Cite) -> Part:
    first = one.statements[0] if one.statements else None
    return {
        "id": one.person,
        "name": entity_name(one.person),
        "source": first.source if first else None,
        "trust": first.trust.name.lower() if first else None,
        "since": stamp(first.item.valid.start or first.known.start) if first else None,
        "until": stamp(one.until),
        "by": one.by,
        "schedule": one.schedule,
        "evidence": cite(said.record for said in one.statements),
    }


def _level(level: Level, cite: Cite) -> Part:
    return {
        "level": level.number,
        "targets": [{"id": one, "name": entity_name(one)} for one in level.targets],
        "people": [_answerer(one, cite) for one in level.present],
        "departed": [
            {"id": one.person, "name": entity_name(one.person), "says": one.departed}
            for one in level.people
            if one.departed
        ],
        "empty": list(level.empty),
        "delay_minutes": level.delay_minutes,
        "evidence": cite(level.records),
    }


def _claim(one: Claim, cite: Cite) -> Part:
    return {
        "team": one.team,
        "name": entity_name(one.team),
        "person": one.person,
        "source": one.source,
        "stated_as": one.stated_as,
        "trust": one.trust.name.lower(),
        "since": stamp(one.since),
        "evidence": cite([one.record]),
    }


def said(one: Statement[Fact], cite: Cite) -> Part:
    """
    Whom a fact names, who says so, and since when.
    """
    named = one.item.object
    return {
        "id": named,
        "name": entity_name(named),
        "source": one.source,
        "trust": one.trust.name.lower(),
        "since": stamp(one.item.valid.start or one.known.start),
        "evidence": cite([one.record]),
    }


def suspect_part(one: Candidate, change: Change, cite: Cite) -> Part:
    """
    A ranked change for a reader.
    """
    return {
        "id": one.id,
        "kind": change.kind.value,
        "title": change.title or _described(change),
        "services": [entity_name(name) for name in change.services],
        "at": stamp(change.at),
        "actor": change.actor,
        "environment": change.environment,
        "revision": change.revision,
        "previous": change.previous,
        "url": change.url,
        "probability": round(one.probability, 4),
        "terms": [_term(term) for term in one.terms[:6]],
        "evidence": cite(one.evidence),
    }


def _described(change: Change) -> str:
    """
    A change without a title by what it changed: service, and the revisions as short as people write them.
    """
    steps = " to ".join(_revision(one) for one in (change.previous, change.revision) if one)
    return " ".join(filter(None, [", ".join(entity_name(name) for name in change.services), steps]))


def _revision(text: str) -> str:
    return re.sub(r"\b([0-9a-f]{8})[0-9a-f]{4,}\b", r"\1", text)


def _term(term: Term) -> Part:
    return {"name": term.name, "value": round(term.value, 3), "weight": round(term.weight, 3), "says": term.says}


def precedent_part(one: Candidate, incident: Incident, cite: Cite) -> Part:
    """
    A ranked incident for a reader: what fixed it, in quoted words, and whether that held.
    """
    worked = [fix for fix in incident.fixes if fix.worked is not False]
    return {
        "id": one.id,
        "title": incident.title,
        "at": when(incident),
        "day_only": incident.day_only,
        "minutes": minutes(incident),
        "services": [entity_name(name) for name in incident.services],
        "probability": round(one.probability, 4),
        "why": [term.says for term in one.terms[:4] if term.weight > 0.1],
        "terms": [_term(term) for term in one.terms[:6]],
        "cause": (incident.cause_kind or None),
        "fix": fix_part(worked[0], incident.resolved_at) if worked else None,
        "also": [fix_part(fix, incident.resolved_at) for fix in worked[1:3]],
        "did_not_help": [fix_part(fix, incident.resolved_at) for fix in incident.fixes if fix.worked is False][:3],
        "same_event": list(one.same_event[:5]),
        "open_actions": int(incident.attributes.get("open_actions", 0)),
        "url": incident.url,
        "evidence": cite(one.evidence),
    }


def fix_part(fix: Fix, resolved_at: datetime | None = None) -> Part:
    """
    A fix for a reader, with the words that say so; of what else may be known of it only what is. `resolved_at`: when
    its incident ended.
    """
    more: Part = {
        "at": stamp(fix.at),
        "by": fix.by,
        "parameters": fix.parameters,
        "change": fix.change,
        "runbook": fix.runbook,
        "step": fix.step,
        "stated_as": fix.stated_as,
    }
    if fix.at and resolved_at and resolved_at >= fix.at:
        more["minutes_to_recover"] = round((resolved_at - fix.at).total_seconds() / 60)
    return {
        "action": fix.action.value,
        "target": fix.target,
        "quote": fix.quote,
        "section": fix.section,
        "worked": fix.worked,
        "held": fix.held,
        "reverts": fix.reverts,
    } | {name: value for name, value in more.items() if value not in (None, "")}


def minutes(incident: Incident) -> int | None:
    """
    How long it lasted, where both ends are known.
    """
    if incident.at is None or incident.resolved_at is None or incident.day_only:
        return None
    return round((incident.resolved_at - incident.at).total_seconds() / 60)


def runbook_part(one: Candidate, page: Runbook, cite: Cite) -> Part:
    """
    A page with the section to begin at, quoted.
    """
    best = next((term for term in one.terms if term.name == "section"), None)
    matched = next((part for part in page.sections if best and part.anchor == best.says), None)
    # a section that is headed like the alert, or linked, is meant; else a page's steps come before what is merely alike
    section = matched if best and best.value else _steps(page) or matched
    return {
        "id": page.id,
        "title": page.title,
        "probability": round(one.probability, 4),
        "why": [term.says for term in one.terms if term.name != "section"][:4],
        "reasons": [term.name for term in one.terms if term.name != "section"][:4],
        "section": {"heading": section.heading, "anchor": section.anchor, "quote": section.text[:1500]}
        if section
        else None,
        "approved": page.approved,
        "url": page.url,
        "last_reviewed": page.attributes.get("last_reviewed_on"),
        "evidence": cite(one.evidence),
    }


def _steps(page: Runbook) -> Section | None:
    return next(
        (
            part
            for part in page.sections
            if re.search(r"\b(?:steps|mitigat|resolution|remediation|fix)\b", part.heading, re.IGNORECASE)
        ),
        None,
    )
