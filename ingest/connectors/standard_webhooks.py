"""
Any sender of Standard Webhooks: an envelope `{type, timestamp, data}`, whose data are read as an alert by the names
that people give the fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from graph.values import Alert, Item, Record, Trust
from ingest.contract import Body, Connector, Headers
from ingest.errors import BadRecord
from ingest.fields import body_of, deliveries, digest_of, first, moment_at, objects_at, text_at
from ingest.parsing import mapping_of
from ingest.signing import StandardWebhooks
from ingest.tags import labelled, noted

_ALERTS = re.compile(r"(?:^|[._:-])(?:alerts?|alarms?|incidents?|monitors?|problems?|outages?|checks?)(?:$|[._:-])")
_ENDS = frozenset({"resolved", "resolve", "recovered", "recovery", "closed", "ok", "up", "cleared", "ended"})
_FIELDS = {
    "id": ("id", "alert_id", "alertId", "incident_id", "fingerprint", "dedup_key", "key"),
    "name": ("name", "title", "alert_name", "alertName", "rule", "monitor", "check", "summary", "message"),
    "began": (
        "started_at", "startedAt", "startsAt", "start", "fired_at", "triggered_at", "opened_at", "created_at",
        "createdAt", "at",
    ),
    "ended": ("ended_at", "endedAt", "endsAt", "end", "resolved_at", "resolvedAt", "closed_at", "recovered_at"),
    "state": ("status", "state"),
    "description": ("description", "message", "text", "details", "body", "reason"),
    "runbook": ("runbook_url", "runbookUrl", "runbook"),
    "url": ("url", "html_url", "link", "permalink", "alert_url"),
    "expr": ("expr", "query", "expression"),
}  # fmt: skip
_LABELS = (
    "service", "service_name", "environment", "env", "region", "host", "hostname", "team", "severity", "priority",
    "namespace", "cluster", "component", "application", "app",
)  # fmt: skip
"""Fields that are labels by themselves; beside them `labels` and `tags`."""
_KEYS = frozenset({"type", "timestamp", "data"})


def _wrapped(body: Body) -> Iterator[Body]:
    """
    Several alerts of one envelope each by itself.
    """
    many = objects_at(body, "data", "alerts") or objects_at(body, "data")
    yield from ({**body, "data": one} for one in many) if many else [body]


def _value(data: Body, what: str) -> str | None:
    return first(*(data.get(name) for name in _FIELDS[what]))


def _time(data: Body, what: str) -> datetime | None:
    return moment_at(data, *((name,) for name in _FIELDS[what]))


def _data(body: Body) -> Body:
    found = body.get("data")
    return found if isinstance(found, dict) else {}


def _event(body: Body) -> str:
    return (text_at(body, "type") or "").lower()


def _ended(body: Body) -> bool:
    """
    By the state in the data, else by the last word of the event's type.
    """
    state = _value(_data(body), "state")
    return (state.lower() if state else re.split(r"[._:-]", _event(body))[-1]) in _ENDS


def _part(body: Body, meta: Mapping[str, str]) -> str:
    data = _data(body)
    identity = _value(data, "id")
    if identity:
        return f"alert:{identity}"
    return f"alert:{digest_of([_value(data, 'name'), data.get('labels'), *(data.get(key) for key in _LABELS)])}"


def _occurred(body: Body) -> datetime | None:
    moment = moment_at(body, ("timestamp",))
    return moment and moment + timedelta(microseconds=_ended(body))


def transform(record: Record) -> Iterator[Item]:
    """
    The alert that the data tell of. Any other event is kept in quarantine.
    """
    body = body_of(record)
    event, data = _event(body), mapping_of(body.get("data"), "`data` of the webhook")
    name = _value(data, "name")
    if name is None or not (_ALERTS.search(event) or {"severity", "status", "state"} & set(data)):
        raise BadRecord(f"the event {event!r} tells of no alert; the delivery is kept, and a mapping file can read it")
    sent = moment_at(body, ("timestamp",)) or record.received_at
    ended = _ended(body)
    labels, annotations = data.get("labels"), data.get("annotations")
    yield Alert(
        id=f"webhook:{record.part}",
        name=name,
        at=_time(data, "began") or sent,
        ended_at=(_time(data, "ended") or sent) if ended else None,
        status="resolved" if ended else "firing",
        labels=labelled({key: data.get(key) for key in _LABELS}, labels, data.get("tags"), {"event": event}),
        annotations=labelled(annotations)
        | noted(title=name, description=_value(data, "description"), runbook_url=_value(data, "runbook")),
        expr=_value(data, "expr") or "",
        vendor="standard_webhooks",
        url=_value(data, "url"),
    )


def recognises(payload: Body, headers: Headers) -> bool:
    """
    The envelope with the specification's headers; without them, an event of an alert.
    """
    if (
        not set(payload) >= _KEYS
        or not isinstance(payload.get("data"), dict)
        or moment_at(payload, ("timestamp",)) is None
    ):
        return False
    if ("webhook-id" in headers or "svix-id" in headers) and len(payload) <= len(_KEYS) + 1:
        return True
    return set(payload) == _KEYS and _event(payload).startswith(("alert.", "alerts.", "alarm."))


CONNECTOR = Connector(
    name="standard_webhooks",
    summary="alerts of any sender of Standard Webhooks",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _wrapped, relayed=False),
    transform=transform,
    patterns=("standard_webhooks/*.json*",),
    recognises=recognises,
    headers=("webhook-id", "webhook-timestamp"),
    delivery=("webhook-id",),
    signing=StandardWebhooks(),
)
