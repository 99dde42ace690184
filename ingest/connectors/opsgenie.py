"""
Opsgenie (and the alerts of Jira Service Management, which took it over): webhooks, and what the REST API answers for
alerts, incidents, services, teams, schedules, escalations and who is on call.

An alert's actions (those that a customer named himself, too) replace one another. A schedule and an escalation stand
as teams of their names. Who is on call "now" comes without a time: it is taken to hold for a day from when it was
read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import (
    Alert,
    Incident,
    Item,
    Record,
    Trust,
)
from ingest.connectors._events import (
    attributes,
    ranked,
    sections,
    sections_of,
    service_id,
)
from ingest.connectors._opsgenie import FACTS, VENDOR, on_call
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import (
    at,
    body_of,
    deliveries,
    digest_of,
    first,
    list_at,
    moment_at,
    objects_at,
    text,
    text_at,
    texts,
)

_ENDS = ("close", "delete")


def parts(body: Body) -> Iterator[Body]:
    """
    Each object with its kind, and of a webhook its action.
    """
    for kind in ("alert", "incident"):
        inner = body.get(kind)
        if isinstance(inner, dict) and ("action" in body or "integrationName" in body):
            yield {
                "kind": kind,
                "action": text_at(body, "action"),
                "data": inner,
                "source": text_at(body, "source", "name"),
            }
            return
    given = body.get("data")
    for one in given if isinstance(given, list) else [given if isinstance(given, dict) else body]:
        if isinstance(one, dict):
            yield {"kind": kind_of(one), "data": one}
            turn = one.get("__currentOncalls")
            if isinstance(turn, dict):
                yield {"kind": "oncall", "data": turn | {"ownerTeam": one.get("ownerTeam")}}


def kind_of(thing: Body) -> str:
    """
    What an object is, by keys that only its kind has.
    """
    keys = set(thing)
    rules = (
        ("oncall", {"onCallRecipients"}), ("oncall", {"onCallParticipants"}), ("incident", {"impactedServices"}),
        ("override", {"user", "startDate", "_parent"}),
        ("alert", {"alias", "message"}), ("alert", {"alertId"}), ("alert", {"acknowledged", "message"}),
        ("schedule", {"timezone", "name"}), ("schedule", {"rotations"}), ("escalation", {"rules", "name"}),
        ("service", {"teamId", "name"}), ("user", {"username", "fullName"}), ("team", {"members"}),
        ("incident", {"message", "tinyId"}),
    )  # fmt: skip
    if {"enabled", "type", "teamId"} <= keys:
        # an integration owns nothing
        return ""
    found = next((kind for kind, needed in rules if needed <= keys), "")
    if found or not {"id", "name"} <= keys:
        return found
    web = str(at(thing, "links", "web"))
    return "service" if "/service/" in web else "team" if keys <= {"id", "name", "description", "links"} else ""


def part_of(body: Body, meta: Mapping[str, str]) -> str:
    """
    The object.
    """
    data = body.get("data")
    names = ("alertId", "id", "incidentId")
    alias = at(data, "alias") if text_at(body, "kind") == "override" else None
    identity = first(*(at(data, name) for name in names), alias, at(data, "_parent", "id")) or digest_of(data)
    return f"{text_at(body, 'kind') or 'unknown'}:{identity}"


def occurred(body: Body) -> datetime | None:
    """
    When it was last changed.
    """
    moment = moment_at(body, ("data", "updatedAt"), ("data", "createdAt"), ("data", "insertedAt"))
    return ranked(moment, 1 if _ended(body) else 0)


def _ended(body: Body) -> bool:
    return (text_at(body, "action") or "").lower() in _ENDS or text_at(body, "data", "status") in ("closed", "resolved")


def transform(record: Record) -> Iterator[Item]:
    """
    What one object states.
    """
    yield from items_of(body_of(record), record, VENDOR)


def items_of(body: Body, record: Record, vendor: str) -> Iterator[Item]:
    """
    The same, of a vendor that speaks as Opsgenie does.
    """
    kind, data = text_at(body, "kind") or "", body.get("data")
    if not isinstance(data, dict):
        raise BadRecord(f"{record.part} has no object; expected Opsgenie's JSON")
    if kind == "alert":
        yield alert_of(body, vendor, record.received_at)
    elif kind == "incident":
        yield _incident(body, data, vendor)
    elif kind == "oncall":
        yield from on_call(data, record.received_at)
    elif kind in FACTS:
        yield from FACTS[kind](data)
    elif not (text_at(data, "result") or text_at(data, "took")):
        raise BadRecord(f"{record.part} is no object of Opsgenie that is read; it is kept")


def _tagged(data: object, *keys: str) -> str | None:
    """
    The value of a tag (`service:checkout`, `env=prod`) of one of these names.
    """
    for tag in list_at(data, "tags"):
        name, _, value = (text(tag) or "").replace("=", ":", 1).partition(":")
        if value and name.strip().lower() in keys:
            return value.strip()
    return None


def _priority(value: object) -> str | None:
    found = text(value)
    return f"P{found}" if found and found.isdecimal() else found


def alert_of(body: Body, vendor: str, received: datetime) -> Alert:
    """
    An alert after an action, or as the API answers it.
    """
    data = body.get("data")
    identity = first(at(data, "alertId"), at(data, "id"), at(data, "alias"))
    if identity is None:
        raise BadRecord("an alert of Opsgenie has no `alertId`")
    ended = _ended(body) or text_at(body, "action") in ("closed", "resolved")
    details = texts(at(data, "details"))
    labels = {
        name: details[name]
        for name in ("service", "environment", "env", "region", "team", "host", "namespace")
        if name in details
    }
    began = moment_at(data, ("createdAt",), ("insertedAt",)) or received
    responders = [at(one, "name") for key in ("teams", "responders") for one in objects_at(data, key)]
    told = {key: text_at(data, key) for key in ("description", "note")}
    link = first(at(data, "links", "web"), at(data, "url"))
    return Alert(
        id=f"{vendor}:{identity}",
        name=text_at(data, "message") or identity,
        at=began,
        ended_at=(moment_at(data, ("updatedAt",)) or received) if ended else None,
        status="resolved" if ended else "firing",
        labels=attributes(
            service=first(details.get("service"), _tagged(data, "service", "svc")), entity=at(data, "entity"),
            environment=first(details.get("environment"), details.get("env"), _tagged(data, "environment", "env")),
            priority=_priority(at(data, "priority")), alias=at(data, "alias"), team=first(*responders),
            tags=",".join(tag for one in list_at(data, "tags") if (tag := text(one))),
            source=first(body.get("source"), at(data, "integration", "name")),
        )
        | labels,
        annotations={"summary": text_at(data, "message") or identity} | details | attributes(**told),
        vendor=vendor,
        url=link,
    )  # fmt: skip


def _incident(body: Body, data: Body, vendor: str) -> Incident:
    ended = moment_at(data, ("impactEndDate",)) or (
        moment_at(data, ("resolvedAt",), ("updatedAt",)) if _ended(body) else None
    )
    names = [
        service_id(first(at(one, "name"), at(one, "id")) if isinstance(one, dict) else one)
        for one in list_at(data, "impactedServices")
    ]
    identity = first(at(data, "id"), at(data, "incidentId")) or digest_of(data)
    detected = moment_at(data, ("impactDetectDate",), ("createdAt",))
    owners = [
        at(one, "name") or at(one, "id") for one in objects_at(data, "responders") if text_at(one, "type") == "team"
    ]
    return Incident(
        id=f"{vendor}:incident:{identity}",
        title=text_at(data, "message") or f"Incident {identity}",
        at=moment_at(data, ("impactStartDate",), ("createdAt",)),
        detected_at=detected,
        resolved_at=ended,
        severity=_priority(at(data, "priority")),
        services=tuple(dict.fromkeys(name for name in names if name)),
        environment=(_tagged(data, "environment", "env") or "").lower() or None,
        sections=sections(*sections_of(text_at(data, "description"))),
        url=text_at(data, "links", "web"),
        attributes=attributes(
            status=at(data, "status"), number=at(data, "tinyId"), team=first(at(data, "ownerTeam"), *owners),
            tags=",".join(tag for one in list_at(data, "tags") if (tag := text(one))),
        ),
    )  # fmt: skip


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    An action with an alert or incident, from an integration of Opsgenie, or an object's address there.
    """
    inner = payload.get("alert") or payload.get("incident")
    keys = {"integrationName", "integrationId", "integrationType", "escalationId"}
    if isinstance(payload.get("action"), str) and isinstance(inner, dict):
        return bool(keys & set(payload))
    given = at(payload, "data", 0) or payload.get("data") or payload
    return any("opsgenie.com/" in str(at(given, "links", key)) for key in ("web", "api"))


CONNECTOR = Connector(
    name="opsgenie",
    summary="Opsgenie's webhooks and REST objects: alerts, incidents, owners, who is on call",
    trust=Trust.DECLARED,
    snapshot=False,
    split=deliveries(part_of, occurred, parts),
    transform=transform,
    patterns=("opsgenie/*.json*",),
    recognises=recognises,
)
