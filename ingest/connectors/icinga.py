"""
Icinga 2's API: objects of hosts and services, and its event stream (state changes, notifications, check results), one
JSON object a line. Soft states are no alerts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from graph.values import Item, Record, Trust
from ingest.connectors._checks import ENDED, HOST_STATES, SERVICE_STATES, Check, check_of, tells_nothing
from ingest.contract import Body, Connector, Headers
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, first, list_at, moment_at, objects_at, text_at
from ingest.tags import noted

_QUIET = (
    "Acknowledgement", "Comment", "Downtime", "Flapping", "ObjectCreated", "ObjectModified", "ObjectDeleted",
)  # fmt: skip
_EVENTS = frozenset({"CheckResult", "StateChange", "Notification"})


def _parts(body: Body) -> Iterator[Body]:
    yield from objects_at(body, "results") if isinstance(body.get("results"), list) else [body]


def _names(body: Body) -> tuple[str | None, str | None]:
    """
    The host and, of a service's check, the check.
    """
    if "attrs" not in body:
        return text_at(body, "host"), text_at(body, "service")
    own = first(body.get("name"), at(body, "attrs", "__name"), at(body, "attrs", "name")) or ""
    host, bang, name = own.partition("!")
    if bang or text_at(body, "type") == "Service":
        host = first(at(body, "joins", "host", "name"), at(body, "attrs", "host_name"), host if bang else None) or ""
        return host, name or text_at(body, "attrs", "name") or own
    return own, None


def _changed(body: Body) -> datetime | None:
    if "attrs" not in body:
        return moment_at(body, ("timestamp",))
    return moment_at(body, ("attrs", "last_hard_state_change"), ("attrs", "last_state_change"))


def _part(body: Body, meta: Mapping[str, str]) -> str:
    changed = _changed(body)
    return f"{check_of(*_names(body))}@{changed.isoformat() if changed else ''}"


def _occurred(body: Body) -> datetime | None:
    moment = _changed(body)
    # a check's result, its change of state and the notification of it share a moment
    rank = {"CheckResult": 0, "StateChange": 1, "Notification": 2}.get(text_at(body, "type") or "", 3)
    return moment and moment + timedelta(microseconds=rank)


def transform(record: Record) -> Iterator[Item]:
    """
    A hard problem as an alert, and of the event stream its end. What is well, or soft, states nothing.
    """
    body = body_of(record)
    kind = text_at(body, "type") or ""
    if "attrs" not in body and kind not in _EVENTS:
        if kind.startswith(_QUIET):
            return
        raise BadRecord(f"Icinga's event {kind!r} is not read yet; the record is kept")
    if "attrs" not in body and kind == "Notification" and tells_nothing(text_at(body, "notification_type") or ""):
        return
    check = _check(body, record)
    if check:
        yield check.alert("icinga", record.part)


def _check(body: Body, record: Record) -> Check | None:
    host, service = _names(body)
    polled = "attrs" in body
    state = _state(body, SERVICE_STATES if service else HOST_STATES)
    if state is None or _soft(body) or (polled and state in ENDED):
        return None
    if text_at(body, "type") == "CheckResult" and not _turned(body):
        return None
    return Check(
        host=host or "host",
        service=service,
        state=state,
        began=_changed(body) or record.received_at,
        labels={
            "environment": first(at(body, "attrs", "vars", "environment"), at(body, "attrs", "vars", "env")),
            "service": first(at(body, "attrs", "vars", "service"), at(body, "attrs", "vars", "application")),
            "team": at(body, "attrs", "vars", "team"),
            "groups": list_at(body, "attrs", "groups"),
            "zone": at(body, "attrs", "zone"),
        },
        annotations=noted(
            title=at(body, "attrs", "display_name"),
            description=first(
                at(body, "attrs", "last_check_result", "output"), at(body, "check_result", "output"), body.get("text")
            ),
            runbook_url=first(at(body, "attrs", "notes_url")),
            notes=at(body, "attrs", "notes"),
        ),
        url=text_at(body, "attrs", "action_url"),
    )  # fmt: skip


def _state(body: Body, names: tuple[str, ...]) -> str | None:
    """
    The state by its number, which comes as 2 or 2.0. A host is judged by 0 and 1.
    """
    given = first(at(body, "attrs", "state"), body.get("state"), at(body, "check_result", "state"))
    try:
        return names[int(float(given))] if given is not None else None
    except (ValueError, OverflowError, IndexError) as error:
        raise BadRecord(f"the state {given!r} of {check_of(*_names(body))} is none of 0 to {len(names) - 1}") from error


def _soft(body: Body) -> bool:
    places = (("attrs", "state_type"), ("state_type",), ("check_result", "vars_after", "state_type"))
    given = first(*(at(body, *path) for path in places))
    return given in ("0", "0.0")


def _turned(body: Body) -> bool:
    """
    Whether a check's result brought another hard state: most say again what was.
    """
    before, after = (at(body, "check_result", key) for key in ("vars_before", "vars_after"))
    if not isinstance(before, dict) or not isinstance(after, dict):
        return False
    return any(first(before.get(key)) != first(after.get(key)) for key in ("state", "state_type"))


def recognises(payload: Body, headers: Headers) -> bool:
    """
    Objects of the API, or an event of the stream.
    """
    results = objects_at(payload, "results")
    if results:
        return text_at(results[0], "type") in ("Service", "Host") and isinstance(results[0].get("attrs"), dict)
    return text_at(payload, "type") in _EVENTS and {"host", "timestamp"} <= set(payload)


CONNECTOR = Connector(
    name="icinga",
    summary="Icinga 2's API: hosts and services, the event stream",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("icinga/*.json*",),
    recognises=recognises,
)
