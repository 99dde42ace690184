"""
Statuspage: webhooks about incidents and components, and what its API and its public page answer for them.

Every delivery repeats all updates of an incident: they are its timeline, the first its summary, the one that resolved
it its resolution; a postmortem may lie in it. Scheduled maintenance is a change. A component that is degraded is an
alert.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from graph.values import (
    Alert,
    Change,
    ChangeKind,
    EntityId,
    EntityKind,
    Fact,
    FactKind,
    Incident,
    Item,
    Record,
    SectionKind,
    Trust,
    entity_id,
)
from ingest.connectors._events import alert_of, attributes, ranked, sections, sections_of, with_fixes
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, moment_at, named, objects_at, text_at
from ingest.parsing import named_time

VENDOR = "statuspage"
_RANKS = {
    "scheduled": 0, "investigating": 0, "identified": 1, "in_progress": 1, "monitoring": 2, "verifying": 2,
    "resolved": 3, "completed": 3, "postmortem": 4,
}  # fmt: skip
_DOWN = ("degraded_performance", "partial_outage", "major_outage")
_LISTS = {"incidents": "incident", "scheduled_maintenances": "incident", "components": "component"}


def _parts(body: Body) -> Iterator[Body]:
    """
    Each incident and component, of a component's update with what it was before.
    """
    for kind in ("incident", "scheduled_maintenance"):
        if isinstance(body.get(kind), dict):
            yield {"kind": "incident", "data": body[kind]}
            return
    if isinstance(body.get("component"), dict):
        yield {"kind": "component", "data": body["component"], "update": body.get("component_update")}
        return
    if "incident_updates" in body or "impact" in body:
        yield {"kind": "incident", "data": body}
        return
    listed = [(kind, one) for key, kind in _LISTS.items() for one in objects_at(body, key)]
    if listed or any(isinstance(body.get(key), list) for key in _LISTS):
        yield from ({"kind": kind, "data": one} for kind, one in listed)
        return
    yield {"kind": "component" if {"status", "name", "id"} <= set(body) else "", "data": body}


def _part(body: Body, meta: Mapping[str, str]) -> str:
    data = body.get("data")
    update = text_at(body, "update", "id")
    return ":".join(
        one for one in (text_at(body, "kind") or "unknown", text_at(data, "id") or digest_of(data), update) if one
    )


def _occurred(body: Body) -> datetime | None:
    data = body.get("data")
    moment = moment_at(body, ("update", "created_at"), ("data", "updated_at"), ("data", "created_at"))
    return ranked(moment, _RANKS.get(text_at(data, "status") or "", 0))


def transform(record: Record) -> Iterator[Item]:
    """
    What one incident, maintenance or component states.
    """
    body = body_of(record)
    kind, data = text_at(body, "kind"), body.get("data")
    if not isinstance(data, dict) or not kind:
        raise BadRecord(f"{record.part} is neither an incident nor a component of Statuspage; it is kept")
    if kind == "component":
        yield from _component(data, body, record)
    elif _scheduled(data):
        yield _maintenance(data)
    else:
        yield incident_of(data)


def _scheduled(data: Body) -> bool:
    return text_at(data, "impact") == "maintenance" or text_at(data, "scheduled_for") is not None


def _services(data: Body) -> tuple[EntityId, ...]:
    names = [text_at(one, "name") for one in objects_at(data, "components")]
    if not names:
        names = [text_at(one, "name") for update in _updates(data) for one in objects_at(update, "affected_components")]
    return tuple(dict.fromkeys(entity_id(EntityKind.SERVICE, name) for name in names if name))


def _updates(data: Body) -> list[Body]:
    """
    The updates, the oldest first.
    """
    found = list(objects_at(data, "incident_updates"))
    return sorted(found, key=lambda one: text_at(one, "display_at") or text_at(one, "created_at") or "")


def _told(data: Body) -> Iterator[tuple[SectionKind, str]]:
    updates = [
        (one, body)
        for one in _updates(data)
        if (body := text_at(one, "body")) and text_at(one, "status") != "postmortem"
    ]
    if updates:
        yield SectionKind.SUMMARY, updates[0][1]
    ends = [body for one, body in updates if text_at(one, "status") in ("resolved", "completed")]
    if ends and len(updates) > 1:
        yield SectionKind.RESOLUTION, ends[-1]
    if len(updates) > 1:
        lines = [
            f"- {text_at(one, 'display_at') or text_at(one, 'created_at')} {text_at(one, 'status')}: {body}"
            for one, body in updates
        ]
        yield SectionKind.TIMELINE, "\n".join(lines)
    written = [text_at(one, "body") for one in _updates(data) if text_at(one, "status") == "postmortem"]
    yield from sections_of(first(at(data, "postmortem_body"), *written))


def incident_of(data: Body) -> Incident:
    """
    An incident as it stands.
    """
    identity = text_at(data, "id") or digest_of(data)
    began = moment_at(data, ("started_at",), ("created_at",))
    status = text_at(data, "status")
    ended = moment_at(data, ("resolved_at",))
    if ended is None and status in ("resolved", "postmortem", "completed"):
        ended = moment_at(data, ("updated_at",))
    return with_fixes(
        Incident(
            id=f"statuspage:{identity}",
            title=text_at(data, "name") or f"Incident {identity}",
            at=began,
            detected_at=moment_at(data, ("created_at",)),
            resolved_at=ended,
            severity=first(at(data, "impact_override"), at(data, "impact")),
            services=_services(data),
            sections=sections(*_told(data)),
            url=text_at(data, "shortlink"),
            attributes=attributes(status=status, page=at(data, "page_id"), monitoring_at=at(data, "monitoring_at")),
        )
    )


def _maintenance(data: Body) -> Change:
    identity, status = text_at(data, "id") or digest_of(data), text_at(data, "status")
    when = first(at(data, "scheduled_for"), at(data, "created_at"))
    done = status in ("completed", "resolved", "postmortem")
    bodies = [body for one in _updates(data) if (body := text_at(one, "body"))]
    return Change(
        id=f"statuspage:maintenance:{identity}",
        kind=ChangeKind.INFRASTRUCTURE,
        at=named_time(when, "`scheduled_for` of the maintenance"),
        ended_at=moment_at(data, ("resolved_at",), ("scheduled_until",)) if done else None,
        title=text_at(data, "name") or "Scheduled maintenance",
        services=_services(data),
        status=status,
        text="\n\n".join(bodies),
        url=text_at(data, "shortlink"),
        attributes=attributes(until=at(data, "scheduled_until"), impact=at(data, "impact"), page=at(data, "page_id")),
    )


def _component(data: Body, body: Body, record: Record) -> Iterator[Item]:
    name = named(at(data, "name"))
    if name is None:
        raise BadRecord(f"the component {record.part} has no `name`")
    subject = entity_id(EntityKind.SERVICE, name)
    told = attributes(name=name, kind="component", description=at(data, "description"), page=at(data, "page_id"))
    yield Fact(kind=FactKind.ENTITY, subject=subject, attributes=told)
    alert = _outage(data, at(body, "update"))
    if alert:
        yield alert


def _outage(data: Body, update: object) -> Alert | None:
    """
    The alert of a component's update, where it is or was down.
    """
    was, now = text_at(update, "old_status"), first(at(update, "new_status"), at(data, "status"))
    moment = moment_at(update, ("created_at",)) or moment_at(data, ("updated_at",))
    if moment is None or update is None or not (now in _DOWN or was in _DOWN):
        return None
    name, down = text_at(data, "name") or "component", now in _DOWN
    return Alert(
        id=f"statuspage:component:{first(at(update, 'id'), at(data, 'id'))}",
        name=f"{name} is {((now if down else was) or '').replace('_', ' ')}",
        at=moment,
        ended_at=None if down else moment,
        status="firing" if down else "resolved",
        labels=attributes(service=name, status=now, before=was),
        vendor=VENDOR,
        series=f"statuspage:component:{text_at(data, 'id') or name}",
    )


def alerts(body: Body, received: datetime) -> Sequence[Alert]:
    """
    The incident or the component's outage of a webhook, as an alert.
    """
    found: list[Alert] = []
    for one in _parts(body):
        data = one.get("data")
        if isinstance(data, dict) and one.get("kind") == "incident" and not _scheduled(data):
            found.append(alert_of(incident_of(data), received, VENDOR, {}))
        elif isinstance(data, dict) and (alert := _outage(data, one.get("update"))):
            found.append(alert)
    return found


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    A page beside incidents or components, or an incident with its updates.
    """
    page, one = payload.get("page"), payload.get("incident") or payload
    if isinstance(one, dict) and {"incident_updates", "shortlink", "impact"} <= set(one):
        return True
    if isinstance(page, dict) and "id" in page and any(isinstance(payload.get(key), list) for key in _LISTS):
        return True
    return isinstance(page, dict) and "status_indicator" in page and bool({"incident", "component"} & set(payload))


CONNECTOR = Connector(
    name="statuspage",
    summary="Statuspage's webhooks and pages: incidents with postmortems, maintenance, components",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("statuspage/*.json*",),
    recognises=recognises,
    alerts=alerts,
)
