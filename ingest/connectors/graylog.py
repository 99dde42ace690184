"""
Graylog's HTTP notification of an event, and the alert callback of versions before 3.1. Graylog tells of no recovery.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Alert, Item, Record, Trust
from ingest.contract import Body, Connector, Headers
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, moment_at, text_at
from ingest.tags import labelled, noted

_PRIORITIES = {"1": "low", "2": "normal", "3": "high", "4": "critical"}
_TESTS = frozenset({"NotificationTestId", "test-dummy-v1"})


def _part(body: Body, meta: Mapping[str, str]) -> str:
    event = first(at(body, "event", "id"), at(body, "check_result", "triggered_condition", "id"))
    when = text_at(body, "check_result", "triggered_at")
    return f"event:{event or digest_of(body)}" + (f"@{when}" if when else "")


def _occurred(body: Body) -> datetime | None:
    return moment_at(body, ("event", "timestamp"), ("check_result", "triggered_at"))


def transform(record: Record) -> Iterator[Item]:
    """
    The event as an alert. An event that is none, and a test, state nothing.
    """
    body = body_of(record)
    if isinstance(body.get("check_result"), dict):
        yield from _callback(body, record)
        return
    if not isinstance(body.get("event"), dict):
        raise BadRecord("there is no `event`; expected Graylog's HTTP notification")
    if _TESTS & {text_at(body, "event_definition_id"), text_at(body, "event_definition_type")}:
        return
    if at(body, "event", "alert") is False:
        return
    name = first(body.get("event_definition_title"), at(body, "event", "message")) or "event"
    yield Alert(
        id=f"graylog:{record.part}",
        name=name,
        at=_occurred(body) or record.received_at,
        labels=labelled(
            at(body, "event", "group_by_fields"),
            at(body, "event", "fields"),
            {
                "host": at(body, "event", "source"),
                "severity": _PRIORITIES.get(text_at(body, "event", "priority") or ""),
                "key": at(body, "event", "key"),
            },
        ),
        annotations=noted(
            title=name,
            description=at(body, "event", "message"),
            definition=body.get("event_definition_description"),
        ),
        expr=text_at(body, "event", "replay_info", "query") or "",
        vendor="graylog",
    )


def _callback(body: Body, record: Record) -> Iterator[Alert]:
    result = body["check_result"]
    if at(result, "triggered") is False:
        return
    name = first(at(result, "triggered_condition", "title"), at(body, "stream", "title")) or "alert"
    yield Alert(
        id=f"graylog:{record.part}",
        name=name,
        at=_occurred(body) or record.received_at,
        labels=labelled({"stream": at(body, "stream", "title"), "type": at(result, "triggered_condition", "type")}),
        annotations=noted(
            title=name,
            description=at(result, "result_description"),
            definition=at(body, "stream", "description"),
        ),
        vendor="graylog",
    )


def recognises(payload: Body, headers: Headers) -> bool:
    """
    An event beside its definition, or a check's result beside its stream.
    """
    return {"event_definition_id", "event"} <= set(payload) or {"check_result", "stream"} <= set(payload)


CONNECTOR = Connector(
    name="graylog",
    summary="Graylog's HTTP notification, and its older alert callback",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred),
    transform=transform,
    patterns=("graylog/*.json*",),
    recognises=recognises,
)
