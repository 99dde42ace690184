"""
Rootly: webhooks (`event` with `data`), deliveries of its edge connector (`events`), and the JSON:API objects of its
REST API: incidents, alerts, pulses (changes), postmortems, services, teams, schedules and shifts.

A postmortem is a document of its own that names its incident. Actions, workflows and tasks state nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from graph.values import (
    Alert,
    Change,
    ChangeKind,
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
    ranked,
    sections,
    sections_of,
    through_relay,
    unread,
    with_fixes,
)
from ingest.connectors._generic import kind_of
from ingest.connectors._rootly import VENDOR, alert_item, described, environment, flat, names, plain, shift
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
    text,
    text_at,
    unwrapped,
)
from ingest.signing import TimedHmac

_KINDS = {
    "incidents": "incident", "incident": "incident", "alerts": "alert", "alert": "alert", "pulses": "pulse",
    "pulse": "pulse", "incident_post_mortem": "postmortem", "incident_post_mortems": "postmortem",
    "post_mortem": "postmortem", "post_mortems": "postmortem", "services": "service", "service": "service",
    "functionalities": "service", "groups": "team", "teams": "team", "team": "team", "schedules": "schedule",
    "schedule": "schedule", "shifts": "shift", "shift": "shift", "escalation_policies": "policy",
    "escalation_paths": "policy",
}  # fmt: skip
_PASSED_OVER = re.compile(
    r"(?:[a-z_]+\.)?(?:action_triggered|test|ping)$|action\.|genius_workflow_run|incident_(?:event|task|action_item|status_page"
    r"|form_field|feedback|role|retrospective_step|action)|action_item|workflow|user|role|cause|severit|environment|ping|test"
    r"|incident_type|status_page|override|on_call_role|retrospective|communication|heartbeat"
)
_RANKS = {
    "in_triage": 0,
    "started": 1,
    "detected": 1,
    "acknowledged": 2,
    "mitigated": 3,
    "resolved": 4,
    "closed": 5,
    "cancelled": 5,
}


def _parts(body: Body) -> Iterator[Body]:
    """
    Each object as {kind, event, at, data}, its attributes brought up to itself.
    """
    events = objects_at(body, "events")
    if events:
        for one in events:
            yield _piece(text_at(one, "event_type") or "", one.get("data"), one.get("timestamp"))
        return
    event = body.get("event")
    name = text_at(event, "type") if isinstance(event, dict) else text(event)
    if name:
        data = body.get("data") or body.get(name.partition(".")[0])
        yield _piece(name, data, at(event, "issued_at"))
        return
    given: object = body.get("data", body)
    for each in given if isinstance(given, list) else [given]:
        yield _piece(text_at(each, "type") or "", each, None)


def _piece(event: str, data: object, moment: object) -> Body:
    found = flat(data)
    kind = _KINDS.get(event.partition(".")[0], "")
    if not event and isinstance(found, dict) and {"title", "status", "started_at"} <= set(found):
        # an incident without its wrapper
        kind = "incident"
    return {"kind": kind, "event": event, "at": moment, "data": found}


def _part(body: Body, meta: Mapping[str, str]) -> str:
    data = body.get("data")
    return f"{text_at(body, 'kind') or text_at(body, 'event') or 'unknown'}:{text_at(data, 'id') or digest_of(data)}"


def _occurred(body: Body) -> datetime | None:
    moment = moment_at(
        body, ("at",), ("data", "updated_at"), ("data", "created_at"), ("data", "resolved_at"), ("data", "started_at")
    )
    return ranked(moment, _RANKS.get(text_at(body, "data", "status") or "", 0))


def transform(record: Record) -> Iterator[Item]:
    """
    What one object states.
    """
    body = body_of(record)
    kind, event, data = text_at(body, "kind") or "", text_at(body, "event") or "", body.get("data")
    if _PASSED_OVER.match(event) or event.endswith(".action_triggered"):
        return
    if not isinstance(data, dict) or kind not in _READERS:
        raise (
            unread("Rootly", event)
            if event
            else BadRecord(f"{record.part} is no object of Rootly that is read; it is kept")
        )
    if event.endswith(".deleted") and kind != "incident":
        return
    yield from _READERS[kind](data, body, record)


def _services(data: Body) -> tuple[EntityId, ...]:
    return tuple(entity_id(EntityKind.SERVICE, name) for name in names(data, "services"))


def _severity(data: Body) -> str | None:
    given = data.get("severity")
    inner = flat(at(given, "data")) if at(given, "data") else given
    return first(at(inner, "name"), at(inner, "slug")) if isinstance(inner, dict) else text(given)


def incident_of(data: Body, moment: datetime | None = None) -> Incident:
    """
    An incident as it stands; `moment` is when an event said so.
    """
    status = text_at(data, "status") or ""
    resolved = moment_at(data, ("resolved_at",)) or (moment if status in ("resolved", "closed") else None)
    began = moment_at(data, ("started_at",), ("detected_at",), ("created_at",))
    identity = text_at(data, "id") or digest_of(data)
    return with_fixes(
        Incident(
            id=f"rootly:{identity}",
            title=first(at(data, "title"), at(data, "slug")) or f"Incident {identity}",
            at=began,
            detected_at=moment_at(data, ("detected_at",), ("created_at",), ("started_at",)),
            resolved_at=resolved,
            severity=_severity(data),
            services=_services(data),
            environment=environment(data),
            sections=sections(
                *sections_of(text_at(data, "summary")),
                (SectionKind.CAUSE, at(data, "cause_message")),
                (SectionKind.RESOLUTION, at(data, "mitigation_message")),
                (SectionKind.RESOLUTION, at(data, "resolution_message")),
            ),
            url=first(at(data, "url"), at(data, "short_url")),
            attributes=attributes(
                status=status,
                number=at(data, "sequential_id"),
                kind=at(data, "kind"),
                mitigated_at=at(data, "mitigated_at"),
                acknowledged_at=at(data, "acknowledged_at"),
                causes=", ".join(names(data, "causes")),
                teams=", ".join(names(data, "groups") or names(data, "teams")),
                functionalities=", ".join(names(data, "functionalities")),
            ),
        )
    )


def _incident(data: Body, body: Body, record: Record) -> Iterator[Item]:
    if (text_at(data, "kind") or "").startswith(("test", "example")):
        return
    if text_at(data, "kind") in ("scheduled", "scheduled_sub") or (text_at(body, "event") or "").startswith(
        "incident.scheduled"
    ):
        yield _maintenance(data, record)
    else:
        yield incident_of(data, moment_at(body, ("at",)))


def _maintenance(data: Body, record: Record) -> Change:
    return Change(
        id=f"rootly:maintenance:{text_at(data, 'id')}",
        kind=ChangeKind.INFRASTRUCTURE,
        at=moment_at(data, ("scheduled_for",), ("started_at",), ("created_at",)) or record.received_at,
        ended_at=moment_at(data, ("resolved_at",), ("scheduled_until",)),
        title=text_at(data, "title") or "Scheduled maintenance",
        services=_services(data),
        environment=environment(data),
        status=text_at(data, "status"),
        text=text_at(data, "summary") or "",
        url=text_at(data, "url"),
    )


def _alert(data: Body, body: Body, record: Record) -> Iterator[Item]:
    yield alert_item(data)


def _pulse(data: Body, body: Body, record: Record) -> Iterator[Item]:
    title = text_at(data, "summary") or "Pulse"
    refs = {text_at(one, "key"): text_at(one, "value") for one in objects_at(data, "refs")}
    labels = {text_at(one, "key"): text_at(one, "value") for one in objects_at(data, "labels")}
    yield Change(
        id=f"rootly:pulse:{text_at(data, 'id') or digest_of(data)}",
        kind=kind_of(title) or ChangeKind.DEPLOY,
        at=moment_at(data, ("started_at",), ("created_at",)) or record.received_at,
        ended_at=moment_at(data, ("ended_at",)),
        title=title,
        services=_services(data),
        environment=environment(data),
        revision=first(*(refs.get(key) for key in ("sha", "commit", "image", "version", "tag")), labels.get("version")),
        actor=first(labels.get("user"), labels.get("author")),
        url=first(at(data, "external_url"), at(data, "url")),
        attributes=attributes(source=at(data, "source")),
    )


def _postmortem(data: Body, body: Body, record: Record) -> Iterator[Item]:
    identity = text_at(data, "id") or digest_of(data)
    yield with_fixes(
        Incident(
            id=f"rootly:postmortem:{identity}",
            title=text_at(data, "title") or f"Postmortem {identity}",
            at=moment_at(data, ("started_at",), ("detected_at",)),
            detected_at=moment_at(data, ("detected_at",), ("started_at",)),
            resolved_at=moment_at(data, ("resolved_at",), ("mitigated_at",)),
            services=_services(data),
            sections=sections(*sections_of(plain(text_at(data, "content") or ""))),
            url=text_at(data, "url"),
            attributes=attributes(
                status=at(data, "status"), incident=first(at(data, "incident_id"), at(data, "incident", "id"))
            ),
        )
    )


_READERS: Mapping[str, Callable[[Body, Body, Record], Iterator[Item]]] = {
    "incident": _incident,
    "alert": _alert,
    "pulse": _pulse,
    "postmortem": _postmortem,
    "service": described(EntityKind.SERVICE, "service"),
    "team": described(EntityKind.TEAM, "team"),
    "schedule": described(EntityKind.TEAM, "schedule"),
    "policy": described(EntityKind.TEAM, "escalation_policy"),
    "shift": shift,
}


def alerts(body: Body, received: datetime) -> Sequence[Alert]:
    """
    The incidents and alerts of a delivery, as alerts.
    """
    found: list[Alert] = []
    for one in _parts(unwrapped(body)):
        data = one.get("data")
        if one.get("kind") == "incident" and isinstance(data, dict):
            found.append(alert_of(incident_of(data, moment_at(one, ("at",))), received, VENDOR, {}))
        elif one.get("kind") == "alert" and isinstance(data, dict):
            found.append(alert_item(data))
    return found


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By Rootly's header, else by an event of its own names with data.
    """
    if "x-rootly-signature" in headers:
        return True
    one = at(payload, "events", 0)
    if isinstance(one, dict):
        return {"event_id", "event_type", "data"} <= set(one)
    event, data = payload.get("event"), payload.get("data")
    listed = data[0] if isinstance(data, list) and data else data
    if text_at(listed, "type") in _KINDS and "rootly.com/" in str(at(listed, "attributes", "url")):
        return True
    if isinstance(event, dict):
        return {"type", "issued_at"} <= set(event) and isinstance(data, dict)
    incident = payload.get("incident")
    return isinstance(event, str) and event.startswith("incident.") and "rootly.com" in str(at(incident, "url"))


CONNECTOR = Connector(
    name="rootly",
    summary="Rootly's webhooks and REST objects: incidents, alerts, pulses, postmortems, who is on call",
    trust=Trust.DECLARED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("rootly/*.json*",),
    recognises=through_relay(recognises),
    alerts=alerts,
    signing=TimedHmac(header="x-rootly-signature"),
)
