"""
FireHydrant: webhooks (`resource_type`, `operation`, `data`) and what its REST API answers for incidents,
retrospectives, change events, services and teams.

An incident's milestones say when it began, was detected and ended. A retrospective states its incident again, with
what it tells of causes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from graph.values import (
    Alert,
    EntityId,
    EntityKind,
    Incident,
    Item,
    Record,
    SectionKind,
    Trust,
    entity_id,
)
from ingest.connectors._events import (
    alert_of,
    attributes,
    part_of,
    ranked,
    sections,
    sections_of,
    through_relay,
    unread,
    with_fixes,
)
from ingest.connectors._firehydrant import VENDOR, alert_item, change_of, described, listed
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import (
    at,
    body_of,
    deliveries,
    digest_of,
    first,
    moment_at,
    objects_at,
    text_at,
    unwrapped,
)
from ingest.prose import section_kind
from ingest.signing import Hmac

_RESOURCES = ("incident", "alert", "change_event", "service", "team", "functionality", "report")
_NO_CHANGE = frozenset({
    "incident_event", "milestone", "task", "ticket", "impact", "status_update", "note", "generic_event", "chat_message",
    "role_assignment", "alert_event", "conference_bridge", "follow_up", "environment", "runbook", "event", "test",
    "ping", "change_type", "severity", "priority", "task_list", "user", "webhook", "generic_chat_message",
    "incident_role",
})  # fmt: skip
_ENDS = (
    "resolved",
    "retrospective_started",
    "retrospective_completed",
    "closed",
    "postmortem_started",
    "postmortem_completed",
)
_MILESTONES = ("started", "detected", "acknowledged", "investigating", "identified", "mitigated", *_ENDS)


def _parts(body: Body) -> Iterator[Body]:
    """
    Each object with its kind.
    """
    data = body.get("data")
    resource = (text_at(body, "resource_type") or text_at(data, "resource_type") or "").lower()
    if isinstance(data, list):
        yield from ({"kind": kind_of(one), "data": one} for one in objects_at(body, "data"))
        return
    inner = data if isinstance(data, dict) else body
    for kind in _RESOURCES:
        one = inner.get(kind)
        if isinstance(one, dict) and not (
            kind == "incident" and ("questions" in inner or "contributing_factors" in inner)
        ):
            yield {"kind": kind, "operation": text_at(body, "operation"), "data": one}
            return
    yield {"kind": resource or kind_of(inner), "operation": text_at(body, "operation"), "data": inner}


def kind_of(thing: Body) -> str:
    """
    What an object is, by keys that only its kind has.
    """
    keys = set(thing)
    if keys & {"questions", "contributing_factors"} and "incident" in keys:
        return "report"
    if keys & {"milestones", "current_milestone", "incident_channels", "customer_impact_summary"}:
        return "incident"
    if {"summary", "starts_at"} <= keys:
        return "change_event"
    if keys & {"service_tier", "checklists", "external_resources"}:
        return "service"
    return "team" if keys & {"memberships", "owned_services"} else ""


def _occurred(body: Body) -> datetime | None:
    data = body.get("data")
    moment = moment_at(data, ("updated_at",), ("created_at",), ("starts_at",))
    reached = text_at(data, "current_milestone") or ""
    return ranked(moment, _MILESTONES.index(reached) if reached in _MILESTONES else 0)


def transform(record: Record) -> Iterator[Item]:
    """
    What one object states.
    """
    body = body_of(record)
    kind, data = text_at(body, "kind") or "", body.get("data")
    if kind in _NO_CHANGE:
        return
    if not isinstance(data, dict) or kind not in _RESOURCES:
        raise (
            unread("FireHydrant", kind)
            if kind
            else BadRecord(f"{record.part} is no object of FireHydrant that is read; it is kept")
        )
    if kind == "incident":
        yield incident_of(data)
    elif kind == "alert":
        yield alert_item(data)
    elif kind == "report":
        yield _report(data)
    elif kind == "change_event":
        yield change_of(data, record)
    else:
        yield from described(data, EntityKind.TEAM if kind == "team" else EntityKind.SERVICE)


def _milestone(data: Body, *names: str) -> datetime | None:
    found = {
        text_at(one, "type") or (text_at(one, "name") or "").lower(): moment_at(one, ("occurred_at",))
        for one in objects_at(data, "milestones")
    }
    return next((moment for name in names if (moment := found.get(name))), None)


def _services(data: Body) -> tuple[EntityId, ...]:
    names = listed(data, "services")
    impacts = [*objects_at(data, "impacts"), *objects_at(data, "infrastructure")]
    names += [
        name
        for one in impacts
        if "service" in (text_at(one, "type") or text_at(one, "impact", "type") or "").lower()
        and (name := first(at(one, "impact", "name"), at(one, "name")))
    ]
    return tuple(dict.fromkeys(entity_id(EntityKind.SERVICE, name) for name in names))


def incident_of(data: Body, *more: tuple[SectionKind, object]) -> Incident:
    """
    An incident as it stands.
    """
    identity = text_at(data, "id") or digest_of(data)
    reached = text_at(data, "current_milestone")
    resolved = moment_at(data, ("resolved_at",)) or _milestone(data, "resolved")
    if resolved is None and reached in _ENDS:
        resolved = moment_at(data, ("updated_at",))
    began = _milestone(data, "started") or moment_at(data, ("started_at",), ("created_at",))
    environments = listed(data, "environments")
    return with_fixes(
        Incident(
            id=f"firehydrant:{identity}",
            title=text_at(data, "name") or f"Incident {identity}",
            at=began,
            detected_at=_milestone(data, "detected", "acknowledged")
            or moment_at(data, ("detected_at",), ("created_at",)),
            resolved_at=resolved,
            severity=text_at(data, "severity"),
            services=_services(data),
            environment=environments[0].lower() if environments else None,
            sections=sections(
                *sections_of(text_at(data, "summary")),
                *sections_of(text_at(data, "description")),
                (SectionKind.IMPACT, at(data, "customer_impact_summary")),
                (
                    SectionKind.TIMELINE,
                    at(data, "last_note")
                    if not isinstance(data.get("last_note"), dict)
                    else at(data, "last_note", "body"),
                ),
                (SectionKind.ACTION_ITEMS, "\n".join(_actions(data))),
                *more,
            ),
            url=first(at(data, "incident_url"), at(data, "private_status_page_url")),
            attributes=attributes(
                status=reached,
                number=at(data, "number"),
                priority=at(data, "priority"),
                teams=", ".join(
                    found
                    for one in objects_at(data, "team_assignments")
                    if (found := first(at(one, "team_name"), at(one, "team", "name")))
                ),
                tags=", ".join(listed(data, "tags") or listed(data, "tag_list")),
                functionalities=", ".join(listed(data, "functionalities")),
                mitigated_at=_stamp(_milestone(data, "mitigated")),
            ),
        )
    )


def _stamp(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _actions(data: Body) -> Iterator[str]:
    for one in objects_at(data, "follow_ups"):
        title = first(at(one, "title"), at(one, "summary"))
        if title:
            yield f"- {title} ({text_at(one, 'status') or text_at(one, 'state') or 'open'})"


def _report(data: Body) -> Incident:
    incident = data.get("incident")
    factors = [first(at(one, "summary"), at(one, "body")) or "" for one in objects_at(data, "contributing_factors")]
    asked = [(section_kind(text_at(one, "title") or ""), at(one, "body")) for one in objects_at(data, "questions")]
    told = [
        *sections_of(text_at(data, "summary")),
        (SectionKind.CAUSE, "\n".join(f"- {one}" for one in factors if one)),
        *asked,
    ]
    whole = incident if isinstance(incident, dict) else {"id": text_at(data, "incident_id"), "name": data.get("name")}
    return incident_of(whole, *told)


def alerts(body: Body, received: datetime) -> Sequence[Alert]:
    """
    The incident of a delivery, as an alert.
    """
    found: list[Alert] = []
    for one in _parts(unwrapped(body)):
        kind, data = one.get("kind"), one.get("data")
        if kind == "incident" and isinstance(data, dict):
            found.append(alert_of(incident_of(data), received, VENDOR, {}))
        elif kind == "alert" and isinstance(data, dict):
            found.append(alert_item(data))
    return found


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By FireHydrant's header, else by a resource, an operation and its data.
    """
    if "fh-signature" in headers:
        return True
    one = at(payload, "data", 0) or payload
    if isinstance(one, dict) and {"milestones", "current_milestone"} <= set(one):
        return True
    told = isinstance(payload.get("resource_type"), str) and isinstance(payload.get("operation"), str)
    return (told and "incident" in payload) or (told and isinstance(payload.get("data"), dict))


CONNECTOR = Connector(
    name="firehydrant",
    summary="FireHydrant's webhooks and REST objects: incidents, retrospectives, change events, owners",
    trust=Trust.DECLARED,
    snapshot=False,
    split=deliveries(part_of, _occurred, _parts),
    transform=transform,
    patterns=("firehydrant/*.json*",),
    recognises=through_relay(recognises),
    alerts=alerts,
    signing=Hmac(header="fh-signature"),
)
