"""
Zabbix's webhook media type: our own template, the parameters that Zabbix's own webhooks share (`event_id`,
`trigger_id`, `event_value`), and two short common bodies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from graph.values import Alert, Item, Record, Trust
from ingest.contract import Body, Connector, Headers
from ingest.errors import BadRecord
from ingest.fields import body_of, deliveries, digest_of, list_at, text
from ingest.parsing import load_json, named_time, parse_time
from ingest.tags import check_version, first_filled, labelled, noted, ours

_ENDED = frozenset({"ok", "resolved", "recovery", "0"})
_MACRO = re.compile(r"\{?[A-Z]+(\.[A-Z0-9]+)+\}?")
_SENTENCE = frozenset({"alert_uid", "link_to_upstream_details"})
"""Fields of a body that has a state beside a title and a text, and no event."""


def _parts(body: Body) -> Iterator[Body]:
    yield _plain(body)


def _plain(body: Body) -> Body:
    """
    A body by our names, also where its keys are the macros themselves (`EVENT.ID`, `{EVENT.ID}`).
    """
    if not any(_MACRO.fullmatch(key) for key in body):
        return body
    return {key.strip("{}").lower().replace(".", "_"): value for key, value in body.items()}


def _event(body: Body) -> str | None:
    """
    The event, which a recovery repeats: in its field, or in the link.
    """
    link = first_filled(body, "link", "url", "trigger_url") or ""
    try:
        found = parse_qs(urlsplit(link).query).get("eventid", [None])[0]
    except ValueError:
        found = None
    return first_filled(body, "event_id", "eventid", "alert_uid", "eventId") or found


def _part(body: Body, meta: Mapping[str, str]) -> str:
    event = _event(body)
    if event:
        return f"event:{event}"
    return f"trigger:{digest_of([_host(body), first_filled(body, 'trigger', 'trigger_id', 'name', 'event_name')])}"


def _host(body: Body) -> str | None:
    return first_filled(body, "host", "hostname", "host_name")


def _ended(body: Body) -> bool:
    state = first_filled(body, "value", "event_value", "status", "state", "event_status", "trigger_status") or ""
    return state.lower() in _ENDED


def _occurred(body: Body) -> datetime | None:
    try:
        moment = (_time(body, "recovery") if _ended(body) else None) or _time(body, "event")
    except BadRecord:
        return None
    return moment and moment + timedelta(microseconds=_ended(body))


def _time(body: Body, what: str) -> datetime | None:
    """
    A moment of an event or of its recovery: a stamp, else a date and a time in the server's zone.
    """
    prefixes = ("", "event_") if what == "event" else ("recovery_", "event_recovery_")
    stamp = first_filled(body, *(f"{prefix}timestamp" for prefix in prefixes))
    if stamp:
        return parse_time(stamp)
    date = first_filled(body, *(f"{prefix}date" for prefix in prefixes))
    clock = first_filled(body, *(f"{prefix}time" for prefix in prefixes))
    if not date or not clock:
        return None
    zone = first_filled(body, "timezone") or "UTC"
    return named_time(f"{date.replace('.', '-')} {clock}", f"the time of the {what}", zone)


def transform(record: Record) -> Iterator[Item]:
    """
    The problem as an alert; its recovery ends it.
    """
    body = body_of(record)
    check_version(body)
    name = first_filled(body, "name", "event_name", "trigger", "trigger_name", "title", "alert_subject", "subject")
    if name is None:
        raise BadRecord("there is no name of an event; use the template of docs/how-to/send-alerts.md")
    ended = _ended(body)
    at_end = (_time(body, "recovery") or record.received_at) if ended else None
    yield Alert(
        id=f"zabbix:{record.part}",
        name=name,
        at=_time(body, "event") or at_end or record.received_at,
        ended_at=at_end,
        status="resolved" if ended else "firing",
        labels=labelled(
            _tags(body),
            {
                "host": _host(body),
                "host_groups": first_filled(body, "host_groups", "hostgroup", "host_group"),
                "severity": first_filled(body, "severity", "event_severity", "trigger_severity"),
                "item": first_filled(body, "item", "item_name"),
                "trigger_id": first_filled(body, "trigger_id", "triggerid"),
                "service": first_filled(body, "service"),
                "environment": first_filled(body, "environment"),
            },
        ),
        annotations=noted(
            title=name,
            description=first_filled(body, "description", "message", "alert_message", "trigger_description"),
            value=first_filled(body, "opdata", "event_opdata"),
        ),
        expr=first_filled(body, "expression", "trigger_expression") or "",
        vendor="zabbix",
        url=first_filled(body, "link", "link_to_upstream_details", "trigger_url", "url"),
    )


def _tags(body: Body) -> object:
    """
    Tags: a list, JSON in a text (`[{"tag": …, "value": …}]`), or `key:value` separated by commas.
    """
    given = (
        first_filled(body, "tags", "event_tagsjson", "event_tags")
        or list_at(body, "tags")
        or list_at(body, "event_tags")
    )
    if isinstance(given, str) and given.startswith("["):
        try:
            return load_json(given)
        except BadRecord:
            return None
    return given


def recognises(payload: Body, headers: Headers) -> bool:
    """
    Our template, an event with its trigger, or one of the two short bodies.
    """
    keys = set(_plain(payload))
    if ours(payload, "zabbix") or keys >= _SENTENCE | {"state"}:
        return True
    if {"trigger", "hostname", "status"} <= keys:
        return "item" in keys or "triggerid=" in (text(payload.get("link")) or "")
    event = {"event_id", "eventid"} & keys and {"trigger_id", "triggerid"} & keys
    return bool(event) and bool({"event_value", "event_severity", "event_nseverity", "event_name"} & keys)


CONNECTOR = Connector(
    name="zabbix",
    summary="Zabbix's webhook media type: our template, the parameters of its own webhooks",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("zabbix/*.json*",),
    recognises=recognises,
)
