"""
incident.io: webhooks (an event's own name is the key of its body), and what the REST API answers for incidents, alerts,
schedules and catalogue entries.

The names of statuses are the customer's, so their category counts. A private incident comes as its id alone and states
nothing. Services are custom fields whose name says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from graph.values import (
    Alert,
    EntityId,
    EntityKind,
    Fact,
    FactKind,
    Incident,
    Item,
    Record,
    SectionKind,
    Span,
    Trust,
    entity_id,
)
from ingest.connectors._events import (
    alert_of,
    attributes,
    names_of,
    part_of,
    person,
    ranked,
    sections,
    sections_of,
    team,
    through_relay,
    unread,
    with_fixes,
)
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, first, moment_at, objects_at, text_at, unwrapped
from ingest.parsing import named_time
from ingest.prose import section_kind
from ingest.signing import StandardWebhooks

VENDOR = "incident_io"
_LISTS = {
    "incidents": "incident", "alerts": "alert", "schedules": "schedule", "incident_updates": "update",
    "catalog_entries": "entry", "follow_ups": "follow_up", "actions": "action", "users": "user", "teams": "team",
}  # fmt: skip
_PASSED_OVER = ("follow_up", "action", "update", "user", "private")
_DONE = {"closed", "learning", "post_incident", "post-incident"}
_BEGAN = ("impact started", "started", "impact start", "started at", "occurred at")
_DETECTED = ("identified at", "detected", "detected at", "reported at", "reported", "declared at", "accepted at")
_RESOLVED = ("resolved at", "impact ended", "fixed at", "resolved", "closed at", "mitigated at", "stabilized at")
_SERVICE = re.compile(r"\b(?:service|component|system|application)s?\b", re.IGNORECASE)
_FOR_NOW = timedelta(days=1)


def _parts(body: Body) -> Iterator[Body]:
    event = text_at(body, "event_type")
    if event:
        yield _of_event(event, body)
        return
    listed = [(kind, one) for key, kind in _LISTS.items() for one in objects_at(body, key)]
    entries = at(body, "schedule_entries")
    for key in ("final", "overrides", "scheduled"):
        listed += [
            ("shift", {**one, "schedule": body.get("schedule")}) for one in objects_at(entries, key) if key == "final"
        ]
    if listed or any(isinstance(body.get(key), list) for key in _LISTS):
        yield from ({"kind": kind, "data": one} for kind, one in listed)
        return
    found = next((kind for kind in _LISTS.values() if isinstance(body.get(kind), dict)), "")
    kind = found or ("incident" if "reference" in body or "incident_status" in body else "")
    yield {"kind": kind, "data": body.get(found) if found else body}


def _of_event(event: str, body: Body) -> Body:
    """
    `{"event_type": x, x: {…}}`, where the object may lie a level deeper beside what is new.
    """
    given = body.get(event)
    inner = given if isinstance(given, dict) else body
    if event.startswith("private_"):
        return {"kind": "private", "event": event, "data": {"id": text_at(inner, "id")}}
    kind = next((kind for kind in ("follow_up", "action", "alert") if f"{kind}_" in event), "incident")
    data = inner.get(kind) if isinstance(inner.get(kind), dict) else inner
    return {"kind": kind, "event": event, "data": data, "message": text_at(inner, "message")}


def _occurred(body: Body) -> datetime | None:
    data = body.get("data")
    moment = moment_at(data, ("updated_at",), ("created_at",), ("start_at",))
    return ranked(moment, 1 if _category(data) in _DONE else 0)


def _category(data: object) -> str:
    status = first(at(data, "incident_status", "category"), at(data, "status_category"))
    return (status or first(at(data, "incident_status", "name"), at(data, "status")) or "").lower()


def transform(record: Record) -> Iterator[Item]:
    """
    What one object states.
    """
    body = body_of(record)
    kind, event, data = text_at(body, "kind") or "", text_at(body, "event"), body.get("data")
    if kind in _PASSED_OVER:
        return
    if event and not re.match(r"(?:public_)?(?:incident|alert)", event):
        raise unread("incident.io", event)
    if kind == "incident" and isinstance(data, dict) and text_at(data, "id"):
        yield _incident(data, text_at(body, "message"))
    elif kind == "alert" and isinstance(data, dict):
        yield _alert(data)
    elif kind in ("schedule", "shift", "entry", "team") and isinstance(data, dict):
        yield from {"schedule": _schedule, "shift": _shift, "entry": _entry, "team": _entry}[kind](
            data, record.received_at
        )
    else:
        raise BadRecord(f"{record.part} is no object of incident.io that is read; it is kept")


def _times(data: Body, names: Sequence[str]) -> datetime | None:
    """
    The first of the incident's timestamps of one of these names that is set.
    """
    found: dict[str, datetime] = {}
    for one in objects_at(data, "incident_timestamp_values"):
        moment = moment_at(one, ("value", "value"), ("value",))
        if moment:
            found[(text_at(one, "incident_timestamp", "name") or "").lower()] = moment
    for one in objects_at(data, "timestamps"):
        moment = moment_at(one, ("last_occurred_at",), ("value",))
        if moment:
            found[(text_at(one, "name") or "").lower()] = moment
    return next((found[name] for name in names if name in found), None)


def _fields(data: Body) -> Iterator[tuple[str, str]]:
    """
    (name, value) of the custom fields.
    """
    for one in objects_at(data, "custom_field_entries"):
        name = text_at(one, "custom_field", "name") or ""
        for value in objects_at(one, "values"):
            found = first(
                at(value, "value_catalog_entry", "name"), at(value, "value_option", "value"), at(value, "value_text"),
                at(value, "value_link"), at(value, "value_numeric"),
            )  # fmt: skip
            if found:
                yield name, found


def _incident(data: Body, message: str | None) -> Incident:
    category, began = _category(data), _times(data, _BEGAN)
    created = moment_at(data, ("created_at",))
    resolved = _times(data, _RESOLVED) or (moment_at(data, ("updated_at",)) if category in _DONE else None)
    fields = list(_fields(data))
    told = [(section_kind(name), value) for name, value in fields if len(value) > 20]
    environment = next((value.lower() for name, value in fields if "environment" in name.lower()), None)
    roles = [
        f"{text_at(one, 'role', 'name')}: {who}"
        for one in objects_at(data, "incident_role_assignments")
        if (who := text_at(one, "assignee", "name"))
    ]
    return with_fixes(
        Incident(
            id=f"incident_io:{text_at(data, 'id')}",
            title=first(at(data, "name"), at(data, "reference")) or "Incident",
            at=began or created,
            detected_at=_times(data, _DETECTED) or created,
            resolved_at=resolved,
            severity=text_at(data, "severity", "name"),
            services=tuple(
                dict.fromkeys(entity_id(EntityKind.SERVICE, value) for name, value in fields if _SERVICE.search(name))
            ),
            environment=environment,
            sections=sections(
                *sections_of(text_at(data, "summary")),
                *((kind, value) for kind, value in told if kind is not SectionKind.OTHER),
                (SectionKind.TIMELINE, message),
            ),
            url=text_at(data, "permalink"),
            attributes=attributes(
                status=first(at(data, "incident_status", "name"), at(data, "status")), category=category,
                number=at(data, "reference"), mode=at(data, "mode"), type=at(data, "incident_type", "name"),
                roles=", ".join(roles), postmortem=at(data, "postmortem_document_url"),
            ),
        )
    )  # fmt: skip


def _alert(data: Body) -> Alert:
    ended = text_at(data, "status") == "resolved"
    began = named_time(first(at(data, "created_at")), "`created_at` of the alert")
    return Alert(
        id=f"incident_io:alert:{text_at(data, 'id') or text_at(data, 'deduplication_key')}",
        name=text_at(data, "title") or "alert",
        at=began,
        ended_at=moment_at(data, ("resolved_at",), ("updated_at",)) if ended else None,
        status="resolved" if ended else "firing",
        labels=attributes(key=at(data, "deduplication_key"))
        | attributes(**{
            name.lower(): first(at(one, "value", "label"), at(one, "value", "literal"))
            for one in objects_at(data, "attributes") if (name := text_at(one, "attribute", "name"))
        }),
        annotations=attributes(description=at(data, "description")),
        vendor=VENDOR,
        url=text_at(data, "source_url"),
    )  # fmt: skip


def _schedule(data: Body, received: datetime) -> Iterator[Fact]:
    name = text_at(data, "name")
    subject = team(name)
    if subject is None:
        raise BadRecord("a schedule of incident.io has no `name`")
    yield Fact(kind=FactKind.ENTITY, subject=subject, attributes=attributes(name=name, kind="schedule"))
    yield from names_of(EntityKind.TEAM, at(data, "id"), name, VENDOR)
    for shift in objects_at(data, "current_shifts"):
        yield from _turn(shift, subject, received)


def _shift(data: Body, received: datetime) -> Iterator[Fact]:
    subject = team(first(at(data, "schedule", "name"), at(data, "schedule", "id"), at(data, "schedule_id")))
    if subject:
        yield from _turn(data, subject, received)


def _turn(shift: Body, subject: EntityId, received: datetime) -> Iterator[Fact]:
    who = person(first(at(shift, "user", "name"), at(shift, "user", "email")))
    if who:
        start, end = moment_at(shift, ("start_at",)), moment_at(shift, ("end_at",))
        valid = Span(start, end) if start else Span(received, received + _FOR_NOW)
        yield Fact(kind=FactKind.ON_CALL_FOR, subject=who, object=subject, valid=valid)


def _entry(data: Body, received: datetime) -> Iterator[Fact]:
    """
    An entry of the catalogue, where its type says that it is a service or a team.
    """
    kind = (first(at(data, "catalog_type", "name"), at(data, "catalog_type", "type_name")) or "").lower()
    name = text_at(data, "name")
    if not name or not ("service" in kind or "team" in kind or "members" in data):
        return
    found = EntityKind.SERVICE if "service" in kind else EntityKind.TEAM
    yield Fact(kind=FactKind.ENTITY, subject=entity_id(found, name), attributes=attributes(name=name, kind=kind))
    yield from names_of(found, at(data, "id"), name, VENDOR)


def alerts(body: Body, received: datetime) -> Sequence[Alert]:
    """
    The incident or the alert of a webhook, as an alert.
    """
    found: list[Alert] = []
    for one in _parts(unwrapped(body)):
        kind, data = one.get("kind"), one.get("data")
        if kind == "incident" and isinstance(data, dict) and text_at(data, "id"):
            found.append(alert_of(_incident(data, None), received, VENDOR, {"number": at(data, "reference")}))
        elif kind == "alert" and isinstance(data, dict) and moment_at(data, ("created_at",)):
            found.append(_alert(data))
    return found


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    An event type of incident.io, with its own key or an incident beside it.
    """
    event = payload.get("event_type")
    one = at(payload, "incidents", 0) or payload.get("incident")
    if isinstance(one, dict) and {"incident_status", "reference", "permalink"} <= set(one):
        return True
    if not isinstance(event, str) or not re.match(r"(?:public|private)_(?:incident|alert)\.", event):
        return False
    return isinstance(payload.get(event), dict) or isinstance(payload.get("incident"), dict)


CONNECTOR = Connector(
    name="incident_io",
    summary="incident.io's webhooks and REST objects: incidents, alerts, who is on call",
    trust=Trust.DECLARED,
    snapshot=False,
    split=deliveries(part_of, _occurred, _parts),
    transform=transform,
    patterns=("incident_io/*.json*",),
    recognises=through_relay(recognises),
    alerts=alerts,
    headers=("webhook-id",),
    delivery=("webhook-id",),
    signing=StandardWebhooks(),
)
