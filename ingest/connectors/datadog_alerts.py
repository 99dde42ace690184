"""
Datadog's alerts: monitor webhooks (our own template, and the common one of the same variables), events, monitors and
incidents as the API gives them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Alert, AlertRule, Incident, Item, Record, Trust
from ingest.contract import Body, Connector, Headers
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, moment_at, objects_at, service, text_at
from ingest.parsing import mapping_of
from ingest.tags import check_version, filled, first_filled, labelled, noted, ours

_STATES = "Triggered|Re-Triggered|Recovered|Warn|Re-Warn|Warning|Alert|No Data|Re-No Data|Renotify|Monitor|P[1-5]|Test"
_PREFIX = re.compile(rf"^(?:\[(?:{_STATES})\b[^\]]*\]\s*)+", re.IGNORECASE)
_SCOPE = re.compile(r"\{([^{}]+)\}")
_FIRING = frozenset({"Alert", "Warn", "No Data"})
_QUIET = frozenset({"info", "user_update", "recommendation", "snapshot"})
"""Types of events that tell of no alert, unless a monitor made them."""
_TYPES = frozenset({"incidents", "event"})


def _parts(body: Body) -> Iterator[Body]:
    for key in ("events", "monitors", "data"):
        if isinstance(body.get(key), list):
            yield from objects_at(body, key)
            return
    inner = body.get("event") or body.get("data")
    yield mapping_of(inner, "the event") if isinstance(inner, dict) and not _webhook(body) else body


def _webhook(body: Body) -> bool:
    return ours(body, "datadog") or _plain(body) or bool({"alert_transition", "monitor_id"} & set(body))


def _plain(body: Body) -> bool:
    """
    Whether it is what Datadog sends where nobody wrote a payload: only the title tells the state and the scope.
    """
    return {"event_type", "title", "last_updated", "org"} <= set(body)


def _monitor(body: Body) -> bool:
    return "query" in body and "id" in body and bool({"overall_state", "options"} & set(body))


def _part(body: Body, meta: Mapping[str, str]) -> str:
    if _monitor(body):
        return f"monitor:{text_at(body, 'id')}"
    if text_at(body, "type") in _TYPES:
        return f"{text_at(body, 'type')}:{text_at(body, 'id')}"
    if not _webhook(body):
        return f"event:{first(body.get('id_str'), body.get('id')) or digest_of(body)}"
    monitor, cycle = first_filled(body, "monitor_id", "alert_id"), first_filled(body, "cycle", "alert_cycle_key")
    if cycle:
        return f"monitor:{monitor}/cycle:{cycle}"
    event = first_filled(body, "id", "event_id")
    return f"event:{event}" if event else f"monitor:{monitor}/{digest_of(body)}"


def _occurred(body: Body) -> datetime | None:
    return moment_at(
        body, ("date",), ("last_updated",), ("date_happened",), ("attributes", "modified"), ("attributes", "timestamp"),
        ("overall_state_modified",), ("modified",),
    )  # fmt: skip


def transform(record: Record) -> Iterator[Item]:
    """
    An alert of a webhook or event; of a monitor its rule, and its alert where it fires; an incident.
    """
    body = body_of(record)
    check_version(body)
    if _monitor(body):
        yield from _rule(body, record)
    elif text_at(body, "type") == "incidents":
        yield _incident(body, record)
    elif text_at(body, "type") == "event":
        attributes = mapping_of(body.get("attributes") or {}, "attributes")
        inner = mapping_of(attributes.get("attributes") or {}, "attributes")
        yield from _event({**inner, **attributes}, record)
    elif _webhook(body):
        yield _notified(body, record)
    elif "date_happened" in body:
        yield from _event(body, record)
    else:
        kind = text_at(body, "type") or "unknown"
        raise BadRecord(f"Datadog's object of type {kind!r} is no monitor, event or incident; send monitors' webhooks")


def _titled(title: str | None) -> tuple[str, str | None]:
    """
    The marks before a title (`[Triggered on {service:checkout}]`), and the scope that they name.
    """
    marks = found[0] if (found := _PREFIX.match(title or "")) else ""
    scope = _SCOPE.search(marks)
    words = _SCOPE.sub("", marks).replace("[", " ").replace("]", " ").split()
    return " ".join(word for word in words if word != "on"), scope[1] if scope else None


def _notified(body: Body, record: Record) -> Alert:
    title = first_filled(body, "title", "event_title")
    monitor = first_filled(body, "monitor_id", "alert_id")
    if not title and not monitor:
        raise BadRecord("the variables of the template are not filled; save it in Datadog's webhook and test a monitor")
    transition = first_filled(body, "transition", "alert_transition") or (_titled(title)[0] if _plain(body) else "")
    ended = "recover" in transition.lower() or (not transition and filled(body.get("alert_type")) == "success")
    moment = _occurred(body) or record.received_at
    scope = first_filled(body, "scope", "scopes") or _titled(title)[1]
    return Alert(
        id=f"datadog:{record.part}",
        name=_PREFIX.sub("", title or f"monitor {monitor}"),
        at=moment,
        ended_at=moment if ended else None,
        status="resolved" if ended else "firing",
        labels=labelled(
            body.get("tags"),
            scope,
            {
                "host": body.get("host"),
                "severity": first_filled(body, "priority", "severity"),
                "transition": transition,
                "metric": body.get("metric"),
                "monitor_id": monitor,
                "type": first_filled(body, "type", "alert_type"),
            },
        ),
        annotations=noted(title=title, description=first_filled(body, "message", "body", "description")),
        expr=first_filled(body, "query", "alert_query") or "",
        vendor="datadog",
        url=first_filled(body, "url", "link"),
    )


def _event(body: Body, record: Record) -> Iterator[Alert]:
    kind = (first_filled(body, "alert_type", "status") or "error").lower()
    monitor = first(body.get("monitor_id"), at(body, "monitor", "id"))
    if kind in _QUIET and not monitor:
        return
    title = first(body.get("title"), at(body, "evt", "name"), body.get("message")) or "event"
    ended = (
        kind in ("success", "ok") or "recover" in (text_at(body, "monitor", "transition", "trans_name") or "").lower()
    )
    moment = moment_at(body, ("date_happened",), ("timestamp",)) or record.received_at
    yield Alert(
        id=f"datadog:{record.part}",
        name=_PREFIX.sub("", first(at(body, "monitor", "name")) or title),
        at=moment,
        ended_at=moment if ended else None,
        status="resolved" if ended else "firing",
        labels=labelled(
            body.get("tags"),
            {"service": body.get("service"), "host": first(body.get("host"), body.get("hostname"))},
            {"severity": body.get("priority"), "type": kind, "monitor_id": monitor},
        ),
        annotations=noted(title=title, description=first(body.get("text"), body.get("message"))),
        expr=first(at(body, "monitor", "query")) or "",
        vendor="datadog",
        url=text_at(body, "url"),
    )


def _rule(body: Body, record: Record) -> Iterator[Item]:
    name, expr = text_at(body, "name") or f"monitor {text_at(body, 'id')}", text_at(body, "query") or ""
    labels = labelled(body.get("tags"), {"severity": body.get("priority"), "type": body.get("type")})
    annotations = noted(title=name, description=body.get("message"))
    yield AlertRule(
        id=f"datadog:{record.part}",
        name=name,
        expr=expr,
        labels=labels,
        annotations=annotations,
        services=service(labels.get("service")),
    )
    if text_at(body, "overall_state") in _FIRING:
        moment = moment_at(body, ("overall_state_modified",), ("modified",)) or record.received_at
        yield Alert(
            id=f"datadog:{record.part}@{moment.isoformat()}",
            name=name,
            at=moment,
            labels={**labels, "state": str(body["overall_state"])},
            annotations=annotations,
            expr=expr,
            vendor="datadog",
        )


def _incident(body: Body, record: Record) -> Incident:
    fields = mapping_of(body.get("attributes") or {}, "attributes")
    named = at(fields, "fields", "services", "value")
    return Incident(
        id=f"datadog:{record.part}",
        title=text_at(fields, "title") or f"incident {text_at(body, 'id')}",
        at=moment_at(fields, ("customer_impact_start",), ("detected",), ("created",)),
        detected_at=moment_at(fields, ("detected",)),
        resolved_at=moment_at(fields, ("resolved",)),
        severity=first(fields.get("severity"), at(fields, "fields", "severity", "value")),
        services=tuple(one for name in (named if isinstance(named, list) else [named]) for one in service(name)),
        attributes=noted(state=first(fields.get("state"), at(fields, "fields", "state", "value"))),
    )


def recognises(payload: Body, headers: Headers) -> bool:
    """
    Our template, the variables of a monitor's webhook, or one of the API's objects.
    """
    if ours(payload, "datadog") or {"alert_transition", "monitor_id"} <= set(payload):
        return True
    if _plain(payload) or {"monitor_id", "query", "message", "type"} <= set(payload):
        return True
    if {"query", "options", "id"} <= set(payload) and {"overall_state", "message", "type"} <= set(payload):
        return True
    data = payload.get("data")
    many = objects_at(payload, "data") or objects_at(payload, "events") or ([data] if isinstance(data, dict) else [])
    one = many[0] if many else at(payload, "event")
    if text_at(one, "type") == "incidents":
        return {"public_id", "customer_impact_scope"} <= set(mapping_of(at(one, "attributes") or {}, "attributes"))
    if text_at(one, "type") == "event":
        return at(one, "attributes", "attributes") is not None
    return isinstance(one, dict) and {"date_happened", "title"} <= set(one)


CONNECTOR = Connector(
    name="datadog_alerts",
    summary="Datadog's monitor webhooks (our template), events, monitors and incidents of the API",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("datadog_alerts/*.json*",),
    recognises=recognises,
)
