"""
New Relic's alerts: issues as a workflow's webhook sends them (its default template, and added fields), and the
incidents of the old alert channel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from graph.values import Alert, Item, Record, Trust
from ingest.contract import Body, Connector, Headers
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, first, list_at, moment_at, objects_at, text, text_at
from ingest.tags import filled, first_filled, labelled, noted

_ENDED = frozenset({"closed", "deactivated", "resolved"})
_LONGEST = 10**11
"""Milliseconds that an incident is open at most; more is a mistake."""
_KINDS = {
    "application": "service",
    "service": "service",
    "key_transaction": "service",
    "host": "host",
    "server": "host",
}
_PREFIXES = ("accumulations.", "labels.", "tag.", "tags.")


def _legacy(body: Body) -> bool:
    return "current_state" in body and "incident_id" in body


def _part(body: Body, meta: Mapping[str, str]) -> str:
    if _legacy(body):
        return f"incident:{text_at(body, 'account_id')}/{text_at(body, 'incident_id')}"
    return f"issue:{first_filled(body, 'id', 'issueId', 'issue_id')}"


def _occurred(body: Body) -> datetime | None:
    moment = (
        moment_at(body, ("timestamp",))
        if _legacy(body)
        else moment_at(body, ("updatedAt",), ("closedAt",), ("createdAt",))
    )
    return moment and moment + timedelta(microseconds=_ended(body))


def _ended(body: Body) -> bool:
    return (first_filled(body, "current_state", "state") or "").lower() in _ENDED


def transform(record: Record) -> Iterator[Item]:
    """
    The issue or incident as an alert.
    """
    body = body_of(record)
    if _legacy(body):
        yield _incident(body, record)
        return
    if first_filled(body, "id", "issueId", "issue_id") is None:
        raise BadRecord("the issue has no `id`; keep it in the workflow's template: {{ json issueId }}")
    yield _issue(body, record)


def _issue(body: Body, record: Record) -> Alert:
    conditions = [name for one in _list(body, "alertConditionNames") if (name := filled(one))]
    title = first_filled(body, "title", "issueTitle") or (conditions[0] if conditions else "issue")
    ended = _ended(body)
    began = moment_at(body, ("createdAt",), ("activatedAt",), ("updatedAt",)) or record.received_at
    entities = [name for one in _list(body, "impactedEntities") if (name := filled(one))]
    return Alert(
        id=f"newrelic:{record.part}",
        name=conditions[0] if len(conditions) == 1 else title,
        at=began,
        ended_at=(moment_at(body, ("closedAt",), ("updatedAt",)) or record.received_at) if ended else None,
        status="resolved" if ended else "firing",
        labels=labelled(
            _tags(body),
            _entity(body, entities),
            {
                "severity": body.get("priority"),
                "policy": _list(body, "alertPolicyNames"),
                "condition": conditions,
                "entity": entities,
                "state": first_filled(body, "state"),
            },
        ),
        annotations=noted(
            title=title,
            description=first(*_list(body, "alertConditionDescriptions"), body.get("description")),
            runbook_url=first(
                *_list(body, "alertConditionRunbookUrls"), body.get("runbookUrl"), body.get("runbook_url")
            ),
        ),
        expr=first_filled(body, "nrqlQuery", "query") or "",
        vendor="newrelic",
        url=first_filled(body, "issueUrl", "issuePageUrl"),
    )


def _list(body: Body, name: str) -> list[object]:
    """
    A field that the templates give as a list, as text of it, or alone.
    """
    found = body.get(name)
    return list(found) if isinstance(found, list) else [] if text(found) is None else [found]


def _entity(body: Body, entities: list[str]) -> dict[str, object]:
    """
    The one entity of an issue: a service where its type says so, else a name that may be one.
    """
    if len(set(entities)) != 1:
        return {}
    kinds = [*list_at(body, "entitiesData", "types"), *_list(body, "impactedEntityTypes")]
    kind = (text(kinds[0]) or "").lower() if kinds else ""
    return {_KINDS.get(kind, "app"): entities[0]}


def _tags(body: Body) -> dict[str, object]:
    """
    Tags as workflows give them: nested or dotted, each a list of values.
    """
    found: dict[str, object] = {}
    for source in (body, *(body.get(name) for name in ("labels", "accumulations", "tags", "tag"))):
        if isinstance(source, dict):
            found |= _flat(source, tagged=source is not body)
    return found


def _flat(source: Body, *, tagged: bool) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in source.items():
        name = key
        for prefix in _PREFIXES:
            name = name.removeprefix(prefix)
        if key in ("accumulations", "tag", "tags", "labels") and isinstance(value, dict):
            found |= _flat(value, tagged=True)
        elif tagged or name != key:
            found[name] = next(iter(value), None) if isinstance(value, list) else value
    return found


def _incident(body: Body, record: Record) -> Alert:
    moment = moment_at(body, ("timestamp",)) or record.received_at
    ended = _ended(body)
    opened = (text_at(body, "current_state") or "open").lower() == "open"
    open_for = body.get("duration")
    lasted = timedelta(milliseconds=open_for) if isinstance(open_for, int) and 0 < open_for < _LONGEST else timedelta()
    began = moment - lasted if moment.year > 1970 else moment
    targets = objects_at(body, "targets")
    target = targets[0] if targets else {}
    name = first(body.get("condition_name"), body.get("details")) or "incident"
    return Alert(
        id=f"newrelic:{record.part}",
        name=name,
        at=moment if opened else began,
        ended_at=moment if ended else None,
        status="resolved" if ended else "firing",
        labels=labelled(
            at(target, "labels"),
            {_KINDS.get((text_at(target, "type") or "").lower(), "app"): target.get("name")},
            {
                "severity": body.get("severity"),
                "policy": body.get("policy_name"),
                "account": body.get("account_name"),
                "product": target.get("product"),
            },
        ),
        annotations=noted(title=name, description=body.get("details"), runbook_url=body.get("runbook_url")),
        vendor="newrelic",
        url=text_at(body, "incident_url"),
    )


def recognises(payload: Body, headers: Headers) -> bool:
    """
    An issue with its link and policies, or an incident with its condition.
    """
    if {"current_state", "incident_id", "condition_name"} <= set(payload):
        return True
    given = {"issueUrl", "issuePageUrl"} & set(payload)
    return bool(given) and bool({"alertPolicyNames", "alertConditionNames", "impactedEntities"} & set(payload))


CONNECTOR = Connector(
    name="newrelic",
    summary="New Relic's workflow webhook (issues), and incidents of the old alert channel",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred),
    transform=transform,
    patterns=("newrelic/*.json*",),
    recognises=recognises,
)
