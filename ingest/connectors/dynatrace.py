"""
Dynatrace's problems: the custom integration's webhook (our own template, and the usual placeholders), the Problems API
(version 2, and the details of version 1), and both as the data of a CloudEvent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from graph.values import Alert, Item, Record, Trust
from ingest.contract import Body, Connector, Headers
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, first, list_at, moment_at, objects_at, text, text_at
from ingest.parsing import load_json, mapping_of
from ingest.tags import check_version, filled, first_filled, labelled, noted, ours

_ENDED = frozenset({"resolved", "closed", "merged"})
_TESTS = frozenset({"999", "99999", "testid", "xxxxxxxxxxxxx"})
_LABELS = {"SERVICE": "service", "HOST": "host", "KUBERNETES_CLUSTER": "cluster", "CLOUD_APPLICATION": "workload"}


def _parts(body: Body) -> Iterator[Body]:
    many = next((found for path in _MANY if isinstance(found := at(body, *path), list)), None)
    if many is not None:
        yield from (one for one in many if isinstance(one, dict))
        return
    data = body.get("data")
    if "specversion" in body and isinstance(data, dict):
        yield {**data, "sent": body.get("time")}
        return
    yield body


_MANY = (("problems",), ("result", "problems"))


def _details(body: Body) -> Body:
    """
    The problem itself: of a webhook, that in its details, which come as an object or as a text of one.
    """
    found = body.get("ProblemDetails") or body.get("ProblemDetailsJSON")
    return _opened(found) if found else body


def _opened(value: object) -> Body:
    if isinstance(value, str):
        try:
            value = load_json(value)
        except BadRecord:
            return {}
    return value if isinstance(value, dict) else {}


def _identity(body: Body) -> str | None:
    details = _details(body)
    return (
        first_filled(body, "PID", "problemId")
        or first_filled(details, "problemId", "id")
        or first_filled(body, "ProblemID")
    )


def _ended(body: Body) -> bool:
    state = first_filled(body, "State", "status") or first_filled(_details(body), "status") or "OPEN"
    return state.lower() in _ENDED


def _occurred(body: Body) -> datetime | None:
    details = _details(body)
    paths = (("endTime",), ("startTime",)) if _ended(body) else (("startTime",),)
    moment = moment_at(details, *paths) or moment_at(body, ("sent",))
    return moment and moment + timedelta(microseconds=_ended(body))


def _part(body: Body, meta: Mapping[str, str]) -> str:
    return f"problem:{_identity(body) or 'test'}"


def transform(record: Record) -> Iterator[Item]:
    """
    The problem as an alert. A test of the integration states nothing.
    """
    body = body_of(record)
    check_version(body)
    name = first_filled(body, "ProblemTitle", "title") or first_filled(_details(body), "title", "displayName")
    if _test(body, name):
        return
    if name is None:
        raise BadRecord("this is no problem of Dynatrace: neither ProblemTitle nor title is filled")
    details, ended = _details(body), _ended(body)
    sent = moment_at(body, ("sent",)) or record.received_at
    yield Alert(
        id=f"dynatrace:{record.part}",
        name=name,
        at=moment_at(details, ("startTime",)) or sent,
        ended_at=(moment_at(details, ("endTime",)) or sent) if ended else None,
        status="resolved" if ended else "firing",
        labels=_labels(body, details),
        annotations=noted(
            title=name,
            description=first_filled(body, "ProblemDetailsText") or first_filled(body, "ImpactedEntity"),
            problem=first_filled(body, "ProblemID", "displayId"),
        ),
        vendor="dynatrace",
        url=first_filled(body, "ProblemURL"),
    )


def _test(body: Body, name: str | None) -> bool:
    """
    A test sends the words of a test, or the placeholders as they are.
    """
    given = {key: text_at(body, key) or "" for key in ("PID", "ProblemID")}
    unfilled = any(value and filled(value) is None for value in given.values())
    return unfilled or "test run" in (name or "").lower() or any(one.lower() in _TESTS for one in given.values())


def _labels(body: Body, details: Body) -> dict[str, str]:
    return labelled(
        {"service": body.get("service"), "environment": body.get("environment"), "team": body.get("team")},
        {
            "service": body.get("KeptnService"),
            "environment": body.get("KeptnStage"),
            "project": body.get("KeptnProject"),
        },
        _tags(body, details),
        _entities(body, details),
        {
            "severity": first_filled(body, "ProblemSeverity") or first_filled(details, "severityLevel"),
            "impact": first_filled(body, "ProblemImpact") or first_filled(details, "impactLevel"),
            "management_zone": [one.get("name") for one in objects_at(details, "managementZones")],
        },
    )


def _tags(body: Body, details: Body) -> list[object]:
    given = body.get("Tags")
    plain = [one.strip() for one in given.split(",")] if isinstance(given, str) and filled(given) else []
    return [*plain, *list_at(details, "entityTags"), *list_at(details, "tagsOfAffectedEntities")]


def _entities(body: Body, details: Body) -> dict[str, object]:
    """
    Services, hosts and the like that are hit: the root cause first; where there are several services and no root cause,
    none of them is named.
    """
    impacted = body.get("ImpactedEntities")
    webhook = impacted if isinstance(impacted, list) else _listed(impacted)
    named: dict[str, list[str]] = {}
    root = at(details, "rootCauseEntity")
    for one in [root, *webhook, *list_at(details, "impactedEntities"), *list_at(details, "affectedEntities")]:
        kind = first(at(one, "type"), at(one, "entityId", "type")) or ""
        name = text_at(one, "name")
        label = _LABELS.get(kind)
        if label and name and name not in named.setdefault(label, []):
            named[label].append(name)
    if len(named.get("service", [])) > 1 and text_at(root, "entityId", "type") != "SERVICE":
        named.pop("service")
    return {label: names[0] for label, names in named.items()}


def _listed(value: object) -> list[object]:
    try:
        found = load_json(value) if isinstance(value, str) else []
    except BadRecord:
        return []
    return list(found) if isinstance(found, list) else []


def recognises(payload: Body, headers: Headers) -> bool:
    """
    Our template, the placeholders' names, or a problem of the API. An envelope of CloudEvents is read as such.
    """
    if "specversion" in payload:
        return False
    if ours(payload, "dynatrace") or {"ProblemID", "State"} <= set(payload):
        return True
    many = next((found for path in _MANY if isinstance(found := at(payload, *path), list) and found), None)
    one = mapping_of(many[0], "a problem") if many and isinstance(many[0], dict) else payload
    return {"severityLevel", "impactLevel", "status"} <= set(one) and text(one.get("startTime")) is not None


CONNECTOR = Connector(
    name="dynatrace",
    summary="Dynatrace's problems: custom integration (our template), Problems API, CloudEvents",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("dynatrace/*.json*",),
    recognises=recognises,
)
