"""
Nagios: notifications by our own template of its macros, and the status that its JSON CGI gives. Soft states are no
alerts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from graph.values import Item, Record, Trust
from ingest.connectors._checks import ENDED, Check, check_of, tells_nothing
from ingest.contract import Body, Connector, Headers
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, moment_at, objects_at, text, text_at
from ingest.tags import check_version, first_filled, noted, ours

_SERVICES = {1: "PENDING", 2: "OK", 4: "WARNING", 8: "UNKNOWN", 16: "CRITICAL"}
_HOSTS = {1: "PENDING", 2: "UP", 4: "DOWN", 8: "UNREACHABLE"}


def _parts(body: Body) -> Iterator[Body]:
    """
    A notification, or the status of each host and service of the CGI's answer.
    """
    data = body.get("data")
    if "result" not in body or not isinstance(data, dict):
        yield body
        return
    if isinstance(data.get("service"), dict) or isinstance(data.get("host"), dict):
        yield from (one for one in (data.get("service"), data.get("host")) if isinstance(one, dict))
    lists = (data.get("servicelist"), data.get("hostlist"))
    for found in (one for one in lists if isinstance(one, dict)):
        for one in found.values():
            inner = one.values() if isinstance(one, dict) and "status" not in one else [one]
            yield from (each for each in inner if isinstance(each, dict))
    yield from (one for one in objects_at(data, "servicelist") if "status" in one)


def _host(body: Body) -> str | None:
    return first_filled(body, "host", "host_name", "name")


def _service(body: Body) -> str | None:
    return first_filled(body, "service", "description")


def _part(body: Body, meta: Mapping[str, str]) -> str:
    check = check_of(_host(body), _service(body))
    if "host_name" in body or "status" in body:
        changed = moment_at(body, ("last_hard_state_change",))
        return f"{check}@{changed.isoformat() if changed else ''}"
    problem = _problem(body)
    return f"{check}#{problem}" if problem else check


def _problem(body: Body) -> str | None:
    """
    The problem's number: a recovery has it as the last one.
    """
    names = ("problem_id", "last_problem_id")
    return next((one for name in names if (one := first_filled(body, name)) not in (None, "0")), None)


def _occurred(body: Body) -> datetime | None:
    moment = moment_at(body, ("time",), ("last_change",), ("last_hard_state_change",))
    return moment and moment + timedelta(microseconds=(first_filled(body, "state") in ENDED))


def transform(record: Record) -> Iterator[Item]:
    """
    The problem as an alert. A check that is soft, or never was else than well, states nothing.
    """
    body = body_of(record)
    check_version(body)
    check = _polled(body, record) if "status" in body else _notified(body, record)
    if check:
        yield check.alert("nagios", record.part)


def _polled(body: Body, record: Record) -> Check | None:
    names = _SERVICES if _service(body) else _HOSTS
    status = text_at(body, "status") or ""
    state = names.get(int(status)) if status.isdecimal() else status.upper()
    if state is None:
        raise BadRecord(f"the status {status} of {_host(body)} is none that Nagios's JSON CGI gives")
    if text_at(body, "state_type") in ("0", "soft") or state in ENDED or state == "PENDING":
        return None
    return Check(
        host=_host(body) or "host",
        service=_service(body),
        state=state,
        began=moment_at(body, ("last_hard_state_change",), ("last_state_change",)) or record.received_at,
        labels={},
        annotations=noted(description=text(body.get("plugin_output")), details=body.get("long_plugin_output")),
    )


def _notified(body: Body, record: Record) -> Check | None:
    kind = (first_filled(body, "notification_type") or "PROBLEM").upper()
    if tells_nothing(kind) or (first_filled(body, "state_type") or "HARD").upper() == "SOFT":
        return None
    host, state = _host(body), first_filled(body, "state")
    if host is None or state is None:
        raise BadRecord("neither the host nor its state is filled; use the template of docs/how-to/send-alerts.md")
    moment = moment_at(body, ("last_change",), ("time",)) or record.received_at
    return Check(
        host=host,
        service=_service(body),
        state=state.upper(),
        began=moment,
        ended=moment_at(body, ("time",)) or moment,
        labels={
            "host_groups": body.get("host_groups"),
            "service_groups": body.get("service_groups"),
            "environment": body.get("environment"),
            "team": body.get("team"),
            "service": body.get("application"),
        },
        annotations=noted(
            description=body.get("output"),
            details=body.get("long_output"),
            runbook_url=body.get("notes_url"),
            acknowledged=body.get("comment") if kind == "ACKNOWLEDGEMENT" else None,
        ),
        url=first_filled(body, "action_url"),
    )


def recognises(payload: Body, headers: Headers) -> bool:
    """
    Our template, or an answer of the status CGI.
    """
    return ours(payload, "nagios") or (
        text_at(payload, "result", "cgi") == "statusjson.cgi" and at(payload, "data") is not None
    )


CONNECTOR = Connector(
    name="nagios",
    summary="Nagios: notifications (our template), the status of its JSON CGI",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("nagios/*.json*",),
    recognises=recognises,
)
