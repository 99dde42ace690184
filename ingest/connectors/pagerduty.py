"""
PagerDuty: webhooks v3, change events, and what the REST API answers (incidents, alerts, services, teams, policies,
schedules, on-calls, dependencies).

An incident's events replace one another, the latest counts. Notes, roles, workflows and custom fields of an incident
come without it: they state nothing. Who is on call, and whom a service escalates to: see `_pagerduty`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from graph.values import Alert, Change, ChangeKind, Fact, Item, Record, Trust
from ingest.connectors import pagerduty_alert_v2
from ingest.connectors._events import alert_of, attributes, deploys, ranked, through_relay, unread
from ingest.connectors._generic import kind_of
from ingest.connectors._pagerduty import (
    RANKS,
    VENDOR,
    dependency_facts,
    incident_of,
    name_of,
    on_call_facts,
    override_facts,
    policy_facts,
    schedule_facts,
    service_facts,
    services_of,
    team_facts,
    user_facts,
)
from ingest.connectors._pagerduty import alert_of as rest_alert
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, moment_at, objects_at, text_at, unwrapped
from ingest.parsing import named_time
from ingest.signing import Hmac

_LISTS = {
    "incidents": "incident", "services": "service", "business_services": "service", "teams": "team", "users": "user",
    "escalation_policies": "escalation_policy", "schedules": "schedule", "oncalls": "oncall", "alerts": "alert",
    "change_events": "change_event", "maintenance_windows": "maintenance_window", "relationships": "dependency",
    "overrides": "override",
    "notes": "note", "log_entries": "log_entry",
    "past_incidents": "past", "related_incidents": "past", "members": "member",
}  # fmt: skip
_SINGLE = {
    "incident": "incident", "maintenance_window": "maintenance_window", "service": "service",
    "business_service": "service", "team": "team", "user": "user",
    "escalation_policy": "escalation_policy", "schedule": "schedule", "alert": "alert", "change_event": "change_event",
}  # fmt: skip
_FACTS: Mapping[str, Callable[[Body, datetime], Iterator[Fact]]] = {
    "service": service_facts, "team": team_facts, "user": user_facts, "escalation_policy": policy_facts,
    "schedule": schedule_facts, "oncall": on_call_facts, "dependency": dependency_facts, "override": override_facts,
}  # fmt: skip
_PASSED_OVER = frozenset({
    "note", "log_entry", "past", "member", "incident_note", "incident_action_invocation", "incident_conference_bridge",
    "incident_field_values", "incident_custom_field_values", "incident_role_assignment", "incident_responder",
    "incident_status_update", "incident_workflow_instance", "incident_type", "service_custom_field_values",
    "service_field_values", "pagey_ping",
})  # fmt: skip


def _parts(body: Body) -> Iterator[Body]:
    """
    Each object with its kind, and of an event when it happened.
    """
    event = body.get("event")
    if isinstance(event, dict):
        yield _of_event(event)
        return
    if isinstance(body.get("messages"), list) or "event_action" in body:
        yield from ({"kind": "old", "data": one} for one in pagerduty_alert_v2.parts(body))
        return
    payload = body.get("payload")
    if isinstance(payload, dict) and "routing_key" in body:
        # the key is a secret: whoever knows it can page
        yield {"kind": "change_event", "data": {**payload, "links": body.get("links")}}
        return
    if isinstance(body.get("incident"), dict) and ("agent" in body or "annotation" in body):
        yield {"kind": "incident", "data": body["incident"], "note": text_at(body, "annotation", "content")}
        return
    listed = [(kind, one) for key, kind in _LISTS.items() for one in objects_at(body, key)]
    kind = (text_at(body, "type") or "").removesuffix("_reference")
    if kind in ("incident", "service", "business_service", "escalation_policy", "schedule", "team", "user", "alert"):
        yield {"kind": _SINGLE[kind], "data": body}
    elif kind in _PASSED_OVER or kind == "change_event":
        yield {"kind": kind, "data": body}
    elif listed or any(isinstance(body.get(key), list) for key in _LISTS):
        yield from ({"kind": found, "data": one} for found, one in listed)
    else:
        found = next((key for key in _SINGLE if isinstance(body.get(key), dict)), None)
        yield {"kind": _SINGLE[found], "data": body[found]} if found else {"kind": "", "data": body}


def _of_event(event: Body) -> Body:
    data = event.get("data")
    kind = (text_at(data, "type") or "").removesuffix("_reference")
    name = text_at(event, "event_type") or ""
    if name == "pagey.ping":
        kind = "pagey_ping"
    return {
        "kind": kind,
        "event": name,
        "event_id": event.get("id"),
        "occurred_at": event.get("occurred_at"),
        "data": data,
    }


def _part(body: Body, meta: Mapping[str, str]) -> str:
    kind, data = text_at(body, "kind") or "unknown", at(body, "data")
    if kind == "old" and isinstance(data, dict):
        return pagerduty_alert_v2.part(data, meta)
    if kind == "oncall":
        whose = [name_of(at(data, key)) for key in ("user", "schedule", "escalation_policy")]
        return f"oncall:{digest_of(whose)}:{text_at(data, 'start')}"
    if kind in ("incident", *_FACTS, "alert", "change_event", "maintenance_window"):
        return f"{kind}:{text_at(data, 'id') or digest_of(data)}"
    return f"{kind}:{text_at(body, 'event_id') or text_at(data, 'id') or digest_of(data)}"


def _occurred(body: Body) -> datetime | None:
    """
    When the event says it happened, else when the object was last changed; of what only stands there, when it is read.
    """
    data = body.get("data")
    if body.get("kind") == "old" and isinstance(data, dict):
        return pagerduty_alert_v2.occurred(data)
    moment = moment_at(body, ("occurred_at",)) or moment_at(data, ("updated_at",), ("last_status_change_at",))
    if moment is None and body.get("kind") not in _FACTS:
        moment = moment_at(data, ("resolved_at",), ("timestamp",), ("created_at",), ("start_time",))
    return ranked(moment, RANKS.get(text_at(data, "status") or "", 0))


def transform(record: Record) -> Iterator[Item]:
    """
    What one object states.
    """
    body = body_of(record)
    kind, data, event = text_at(body, "kind") or "", body.get("data"), text_at(body, "event") or ""
    if kind in _PASSED_OVER or event == "service.deleted":
        return
    if not isinstance(data, dict):
        raise (
            unread("PagerDuty", event)
            if event
            else BadRecord(f"{record.part} has no object; expected PagerDuty's JSON")
        )
    if kind == "incident":
        yield incident_of(data, moment_at(body, ("occurred_at",)), text_at(body, "note"))
    elif kind in _FACTS:
        yield from _FACTS[kind](data, record.received_at)
    elif kind == "alert":
        yield rest_alert(data)
    elif kind == "change_event":
        yield _change(record, data)
    elif kind == "maintenance_window":
        yield _maintenance(data)
    elif kind == "old":
        yield from pagerduty_alert_v2.items_of(data, record.received_at)
    elif event:
        raise unread("PagerDuty", event)
    else:
        raise BadRecord(
            f"{record.part} is no object of PagerDuty that is read; it is kept: send webhooks v3, or answers of its API"
        )


def _change(record: Record, data: Body) -> Change:
    summary, details = text_at(data, "summary") or "Change", at(data, "custom_details")
    kind = kind_of(summary) or (ChangeKind.DEPLOY if deploys(text_at(data, "source")) else ChangeKind.CODE)
    link = next((text_at(one, "href") for one in objects_at(data, "links")), None)
    environment = first(at(details, "environment"), at(details, "env"))
    # without an id of its own, it is told apart by what it says
    mark = text_at(data, "id") or digest_of([summary, text_at(data, "timestamp"), text_at(data, "source")])
    return Change(
        id=f"pagerduty:change:{mark}",
        kind=kind,
        at=named_time(at(data, "timestamp"), "`timestamp` of the change event")
        if at(data, "timestamp")
        else record.received_at,
        title=summary,
        services=services_of(data),
        environment=environment.lower() if environment else None,
        revision=first(*(at(details, key) for key in ("revision", "version", "commit", "sha", "commit_sha", "tag"))),
        actor=first(*(at(details, key) for key in ("user", "author", "actor"))),
        status=first(at(details, "build_state"), at(details, "status"), at(details, "state")),
        url=link,
        attributes=attributes(source=at(data, "source")),
    )


def _maintenance(data: Body) -> Change:
    """
    A window in which the services do not page: what is done in it is not told.
    """
    identity = text_at(data, "id") or digest_of(data)
    return Change(
        id=f"pagerduty:maintenance:{identity}",
        kind=ChangeKind.INFRASTRUCTURE,
        at=named_time(at(data, "start_time"), f"`start_time` of the maintenance window {identity}"),
        ended_at=moment_at(data, ("end_time",)),
        title=first(at(data, "description"), at(data, "summary")) or "Maintenance",
        services=services_of(data),
        actor=name_of(at(data, "created_by")),
        status="maintenance",
        url=text_at(data, "html_url"),
    )


def alerts(body: Body, received: datetime) -> Sequence[Alert]:
    """
    The incident of a webhook as an alert.
    """
    found = []
    for one in _parts(unwrapped(body)):
        data = one.get("data")
        if one.get("kind") == "incident" and isinstance(data, dict):
            incident = incident_of(data, moment_at(one, ("occurred_at",)))
            labels = attributes(
                team=name_of(at(data, "teams", 0)), key=at(data, "incident_key"), urgency=at(data, "urgency")
            )
            found.append(alert_of(incident, moment_at(one, ("occurred_at",)) or received, VENDOR, labels))
        elif one.get("kind") == "alert" and isinstance(data, dict):
            found.append(rest_alert(data))
    return found


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By PagerDuty's header, else by a webhook's event, a change event's key, or an object's address in its API.
    """
    if "x-pagerduty-signature" in headers:
        return True
    event = payload.get("event")
    if isinstance(event, dict) and {"event_type", "resource_type", "data"} <= set(event):
        return True
    known = [
        payload,
        payload.get("incident"),
        *(at(payload, key, 0) for key in _LISTS),
        at(payload, "oncalls", 0, "user"),
    ]
    if any("api.pagerduty.com/" in str(at(one, "self")) for one in known):
        return True
    return "routing_key" in payload and isinstance(payload.get("payload"), dict) and "event_action" not in payload


CONNECTOR = Connector(
    name="pagerduty",
    summary="PagerDuty's webhooks v3, change events and REST objects: incidents, owners, who is on call",
    trust=Trust.DECLARED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("pagerduty/*.json*",),
    recognises=through_relay(recognises),
    alerts=alerts,
    headers=("x-webhook-id", "x-webhook-subscription"),
    signing=Hmac(header="x-pagerduty-signature", prefix="v1="),
)
