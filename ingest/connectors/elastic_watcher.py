"""
Elastic's alerts: our own templates for Watcher's webhook action and for Kibana's webhook connector, Kibana's alert
documents, a short common form of its fields, and watches (each is a rule).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import PurePath

import orjson

from graph.values import Alert, AlertRule, Item, Record, Trust
from ingest.contract import Body, Connector, Headers
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, moment_at, text_at
from ingest.tags import check_version, first_filled, labelled, noted, ours

_ENDED = frozenset({"recovered", "resolved", "inactive", "ok", "alert_recovered"})
_WATCH = frozenset({"trigger", "input", "condition", "actions"})
_DOCUMENT = "kibana.alert."


def _document(body: Body) -> dict[str, object]:
    """
    The fields of an alert's document, in the words of our template. They come dotted or nested.
    """
    found = at(body, "kibana", "alert") if "kibana" in body else None
    flat = _flat(found) if isinstance(found, dict) else {}
    flat |= {key.removeprefix(_DOCUMENT): value for key, value in body.items() if key.startswith(_DOCUMENT)}
    return {
        "alert_uuid": first(flat.get("uuid")),
        "rule_id": first(flat.get("rule.uuid")),
        "rule_name": first(flat.get("rule.name")),
        "status": first(flat.get("status")),
        "severity": first(flat.get("severity")),
        "reason": first(flat.get("reason")),
        "url": first(flat.get("url")),
        "tags": flat.get("rule.tags"),
        "started": first(flat.get("start")),
        "ended": first(flat.get("end")),
        "date": first(body.get("@timestamp")),
        "service": first(body.get("service.name"), at(body, "service", "name")),
        "environment": first(body.get("service.environment"), at(body, "service", "environment")),
        "host": first(body.get("host.name"), at(body, "host", "name")),
    }


def _flat(body: Body, prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in body.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def _parts(body: Body) -> Iterator[Body]:
    inner = body.get("watch")
    if isinstance(inner, dict) and set(inner) >= _WATCH:
        yield {**inner, "_id": body.get("_id")}
    elif _is_document(body):
        yield _document(body)
    else:
        yield body


def _is_document(body: Body) -> bool:
    return any(key.startswith(_DOCUMENT) for key in body) or isinstance(at(body, "kibana", "alert"), dict)


def _part(body: Body, meta: Mapping[str, str]) -> str:
    if set(body) >= _WATCH:
        file = PurePath(meta.get("path", "watch")).name.removesuffix(".json").removesuffix(".watch")
        return f"watch:{first(body.get('_id'), at(body, 'metadata', 'name'), file)}"
    watch = first_filled(body, "watch_id")
    if watch:
        return f"watch:{watch}@{first_filled(body, 'execution_time') or first_filled(body, 'id')}"
    alert = first_filled(body, "alert_uuid", "alertUuid")
    rule = first_filled(body, "rule_id", "ruleId") or digest_of(body)
    return f"alert:{alert}" if alert else f"rule:{rule}/{first_filled(body, 'alert_id', 'alertId') or ''}"


def _ended(body: Body) -> bool:
    return any(
        (first_filled(body, name) or "").lower() in _ENDED
        for name in ("status", "action_group", "actionGroup", "eventType")
    )


def _moment(body: Body) -> datetime | None:
    return moment_at(body, *([("ended",)] if _ended(body) else []), ("execution_time",), ("date",), ("timestamp",))


def _occurred(body: Body) -> datetime | None:
    moment = _moment(body)
    return moment and moment + timedelta(microseconds=_ended(body))


def transform(record: Record) -> Iterator[Item]:
    """
    The alert; of a watch, its rule.
    """
    body = body_of(record)
    check_version(body)
    if set(body) >= _WATCH:
        yield _rule(body, record)
        return
    name = first_filled(body, "name", "rule_name", "ruleName", "watch_id")
    if name is None or not (
        ours(body, "elastic_watcher", "kibana") or first_filled(body, "rule_id", "ruleId", "alert_uuid")
    ):
        raise BadRecord("this is no alert of Elastic; use a template of docs/how-to/send-alerts.md")
    ended = _ended(body)
    moment = _moment(body) or record.received_at
    began = moment_at(body, ("started",), ("startedAt",)) or moment
    yield Alert(
        id=f"elastic:{record.part}",
        name=name,
        at=began,
        ended_at=(moment_at(body, ("ended",)) or moment) if ended else None,
        status="resolved" if ended else "firing",
        labels=labelled(
            {key: body.get(key) for key in ("service", "environment", "team", "region", "host")},
            first_filled(body, "rule_tags", "ruleTags") or body.get("ruleTags") or body.get("tags"),
            {
                "severity": first_filled(body, "severity"),
                "space": first_filled(body, "space", "spaceId"),
                "rule_type": first_filled(body, "rule_type"),
                "group": first_filled(body, "alert_id", "alertId"),
            },
        ),
        annotations=noted(
            title=name,
            description=first(
                first_filled(body, "message", "reason", "contextReason"),
                at(body, "context", "message"),
                at(body, "context", "reason"),
            ),
            hits=body.get("hits"),
            runbook_url=body.get("runbook_url"),
        ),
        vendor="elastic",
        url=first_filled(body, "url", "ruleUrl"),
    )  # fmt: skip


def _rule(body: Body, record: Record) -> AlertRule:
    name = record.part.removeprefix("watch:")
    search = at(body, "input", "search", "request", "body", "query")
    return AlertRule(
        id=f"elastic:{record.part}",
        name=name,
        expr=orjson.dumps(search).decode() if search else "",
        labels=labelled(body.get("metadata")),
        annotations=noted(
            description=first(
                at(body, "metadata", "description"), *(at(one, "logging", "text") for one in _actions(body))
            )
        ),
    )


def _actions(body: Body) -> list[object]:
    found = body.get("actions")
    return list(found.values()) if isinstance(found, dict) else []


def recognises(payload: Body, headers: Headers) -> bool:
    """
    One of our templates, an alert's document, a rule's state in its space, or a watch.
    """
    if ours(payload, "elastic_watcher", "kibana") or _is_document(payload) or set(payload) >= _WATCH:
        return True
    if {"ruleId", "ruleName"} <= set(payload) and {"spaceId", "alertId", "actionGroup"} & set(payload):
        return True
    return text_at(payload, "_id") is not None and set(mapping(payload.get("watch"))) >= _WATCH


def mapping(value: object) -> Body:
    """
    The value where it is an object.
    """
    return value if isinstance(value, dict) else {}


CONNECTOR = Connector(
    name="elastic_watcher",
    summary="Elastic's Watcher and Kibana alerts (our templates), watches",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("elastic_watcher/*.json*",),
    recognises=recognises,
)
