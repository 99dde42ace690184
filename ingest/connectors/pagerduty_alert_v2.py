"""
PagerDuty's Events API v2 (bodies that monitoring sends to page) and its webhooks of versions 1 and 2 (`messages`).

A trigger is an alert, named by its `dedup_key`; a resolve ends it where it repeats the payload. An acknowledgement,
and a resolve with the key alone, state nothing: they would leave the alert without its words. The messages of
webhooks are states of incidents, the same as webhooks v3 tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from graph.values import Alert, Item, Record, Trust
from ingest.connectors._events import alert_of, attributes, ranked, unread
from ingest.connectors._pagerduty import RANKS, VENDOR, incident_of, name_of
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, moment_at, objects_at, text_at, texts

_ACTIONS = ("trigger", "acknowledge", "resolve")


def parts(body: Body) -> Iterator[Body]:
    """
    The messages of a webhook, or the event.
    """
    messages = objects_at(body, "messages")
    yield from messages
    if not messages:
        # the key is a secret: whoever knows it can page
        yield {key: value for key, value in body.items() if key not in ("routing_key", "service_key")}


def _incident(body: Body) -> object:
    return at(body, "incident") or at(body, "data", "incident")


def part(body: Body, meta: Mapping[str, str]) -> str:
    """
    The incident or alert that it is about; what states nothing has a part of its own.
    """
    incident = _incident(body)
    if isinstance(incident, dict):
        return f"incident:{text_at(incident, 'id')}"
    key = first(at(body, "dedup_key"), at(body, "incident_key")) or digest_of(_lasting(body))
    stated = "alert" if isinstance(body.get("payload"), dict) else text_at(body, "event_action") or "unknown"
    return f"{stated}:{key}"


def _lasting(body: Body) -> object:
    payload = body.get("payload")
    return {name: at(payload, name) for name in ("summary", "source", "component", "class", "timestamp")}


def occurred(body: Body) -> datetime | None:
    """
    When it became so.
    """
    status = text_at(_incident(body), "status") or ""
    if isinstance(_incident(body), dict):
        return ranked(moment_at(body, ("created_on",), ("created_at",)), RANKS.get(status, 0))
    moment = moment_at(body, ("payload", "timestamp"))
    return ranked(moment, 1 if text_at(body, "event_action") == "resolve" else 0)


def transform(record: Record) -> Iterator[Item]:
    """
    The alert of an event, or the incident of a message.
    """
    yield from items_of(body_of(record), record.received_at)


def items_of(given: Body, received: datetime) -> Iterator[Item]:
    """
    The same of a body that came at that moment.
    """
    for body in parts(given):
        incident, action = _incident(body), text_at(body, "event_action") or ""
        if isinstance(incident, dict):
            yield incident_of(incident, moment_at(body, ("created_on",), ("created_at",)))
        elif action in _ACTIONS:
            yield from _alert(body, action, received)
        elif action or text_at(body, "event") or text_at(body, "type"):
            raise unread("PagerDuty", first(action, at(body, "event"), at(body, "type")))
        else:
            raise BadRecord(
                "this has neither `event_action` nor `messages`; expected a body of PagerDuty's Events API v2"
            )


def _alert(body: Body, action: str, received: datetime) -> Iterator[Alert]:
    payload = body.get("payload")
    if action == "acknowledge" or not isinstance(payload, dict):
        return
    key = text_at(body, "dedup_key") or digest_of(_lasting(body))
    moment = moment_at(payload, ("timestamp",)) or received
    details = payload.get("custom_details")
    told = texts(details) if isinstance(details, dict) else attributes(details=details)
    labels = {name: at(payload, name) for name in ("severity", "source", "component", "group", "class")}
    named_in = {
        name: told.get(name)
        for name in ("service", "environment", "env", "region", "team", "cluster", "namespace", "host")
    }
    link = next((text_at(one, "href") for one in objects_at(body, "links")), None)
    yield Alert(
        id=f"pagerduty:event:{key}",
        name=text_at(payload, "summary") or key,
        at=moment,
        ended_at=moment if action == "resolve" else None,
        status="resolved" if action == "resolve" else "firing",
        labels=attributes(**named_in) | attributes(**labels),
        annotations=attributes(summary=at(payload, "summary"), client=at(body, "client")) | told,
        vendor=VENDOR,
        url=first(link, at(body, "client_url")),
    )


def alerts(body: Body, received: datetime) -> Sequence[Alert]:
    """
    The alert of an event, and the incidents of messages as alerts.
    """
    found: list[Alert] = []
    for one in parts(body):
        incident = _incident(one)
        if isinstance(incident, dict):
            labels = attributes(team=name_of(at(incident, "teams", 0)), key=at(incident, "incident_key"))
            found.append(alert_of(incident_of(incident, moment_at(one, ("created_on",))), received, VENDOR, labels))
        else:
            found += [item for item in items_of(one, received) if isinstance(item, Alert)]
    return found


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    An action with a routing key, or messages about incidents.
    """
    if payload.get("event_action") in _ACTIONS and ("routing_key" in payload or "dedup_key" in payload):
        return True
    message = at(payload, "messages", 0)
    name = text_at(message, "event") or text_at(message, "type") or ""
    return isinstance(message, dict) and name.startswith("incident.") and isinstance(_incident(message), dict)


CONNECTOR = Connector(
    name="pagerduty_alert_v2",
    summary="PagerDuty's Events API v2 as alerts, and its webhooks of versions 1 and 2 as incidents",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(part, occurred, parts),
    transform=transform,
    patterns=("pagerduty_alert_v2/*.json*",),
    recognises=recognises,
    alerts=alerts,
)
