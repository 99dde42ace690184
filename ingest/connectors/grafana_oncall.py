"""
Grafana OnCall: outgoing webhooks about alert groups, and what its REST API answers for alert groups, alerts,
integrations, teams, escalation chains and policies, schedules and users.

An alert group is an incident. The alert that opened it lies in `alert_payload` as the monitoring tool sent it: that
tool's connector reads it. The service is the group's label, else the integration's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import orjson

from graph.values import (
    Alert,
    EntityId,
    EntityKind,
    Fact,
    FactKind,
    Incident,
    Item,
    Record,
    SectionKind,
    Span,
    Trust,
    entity_id,
)
from ingest.alerts import read_alerts
from ingest.connectors._events import alert_of, attributes, names_of, person, ranked, sections, service_id, team
from ingest.connectors._rotas import floating, grafana_layer, rota_attribute
from ingest.contract import Body, Connector
from ingest.errors import UNEXPECTED, BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, list_at, moment_at, text, text_at, texts

VENDOR = "grafana_oncall"
_RANKS = {"firing": 0, "silenced": 1, "acknowledged": 1, "resolved": 2}
_FOR_NOW = timedelta(days=1)


def _parts(body: Body) -> Iterator[Body]:
    """
    Each object with its kind; a webhook as it is.
    """
    if isinstance(body.get("alert_group"), dict):
        yield {"kind": "group", "data": body}
        return
    results = body.get("results")
    for one in results if isinstance(results, list) else [body]:
        if isinstance(one, dict):
            yield {"kind": kind_of(one), "data": one}


def kind_of(thing: Body) -> str:
    """
    What an object is, by keys that only its kind has.
    """
    keys = set(thing)
    rules = (
        ("rest_group", {"integration_id", "alerts_count"}),
        ("alert", {"alert_group_id", "payload"}),
        ("integration", {"default_route"}),
        ("integration", {"templates", "name"}),
        ("schedule", {"on_call_now"}),
        ("route", {"routing_regex"}),
        ("route", {"routing_type"}),
        ("policy", {"escalation_chain_id", "position"}),
        ("turns", {"duration", "start"}),
        ("note", {"alert_group_id", "text"}),
        ("user", {"username", "id"}),
        ("shift", {"user_pk", "shift_start"}),
        ("team", {"grafana_id"}),
        ("team", {"avatar_url", "name"}),
        ("chain", {"id", "name", "team_id"}),
    )
    return next((kind for kind, needed in rules if needed <= keys), "")


def _part(body: Body, meta: Mapping[str, str]) -> str:
    kind, data = text_at(body, "kind") or "unknown", body.get("data")
    if kind == "group":
        return f"group:{first(at(data, 'alert_group', 'id'), at(data, 'alert_group_id')) or digest_of(data)}"
    return f"{kind.removeprefix('rest_')}:{text_at(data, 'id') or digest_of(data)}"


def _occurred(body: Body) -> datetime | None:
    data = body.get("data")
    group = at(data, "alert_group") or data
    moment = moment_at(data, ("event", "time")) or moment_at(
        group, ("resolved_at",), ("acknowledged_at",), ("silenced_at",), ("created_at",)
    )
    return ranked(moment, _RANKS.get(text_at(group, "state") or "", 0))


def transform(record: Record) -> Iterator[Item]:
    """
    What one object states.
    """
    body = body_of(record)
    kind, data = text_at(body, "kind") or "", body.get("data")
    if not isinstance(data, dict) or kind not in _READERS:
        raise BadRecord(f"{record.part} is no object of Grafana OnCall that is read; it is kept")
    yield from _READERS[kind](data, record)


def group_of(data: Body) -> Incident:
    """
    The alert group of a webhook or of the REST API, as an incident.
    """
    group: object = data.get("alert_group") or data
    identity = first(at(group, "id"), at(data, "alert_group_id")) or digest_of(group)
    labels = texts(at(data, "integration", "labels")) | texts(at(group, "labels"))
    service = service_id(first(labels.get("service"), labels.get("service_name"), at(data, "integration", "name")))
    environment = first(labels.get("environment"), labels.get("env"))
    began = moment_at(group, ("created_at",))
    state = text_at(group, "state")
    link = first(at(group, "permalinks", "web"), at(group, "permalinks", "slack"))
    return Incident(
        id=f"grafana_oncall:{identity}",
        title=first(at(group, "title")) or f"Alert group {identity}",
        at=began,
        detected_at=began,
        resolved_at=moment_at(group, ("resolved_at",)) if state in ("resolved", None) else None,
        severity=labels.get("severity"),
        services=(service,) if service else (),
        environment=environment.lower() if environment else None,
        alerts=tuple(dict.fromkeys(one.name for one in _original(data, None))),
        sections=sections((SectionKind.SUMMARY, at(data, "alert_payload", "message"))),
        url=link,
        attributes=attributes(
            status=state,
            team=at(data, "integration", "team"),
            integration=at(data, "integration", "name"),
            acknowledged_at=at(group, "acknowledged_at"),
            event=at(data, "event", "type"),
            acknowledged_by=at(data, "alert_group_acknowledged_by", "username"),
            resolved_by=at(data, "alert_group_resolved_by", "username"),
        ),
    )


def _original(data: Body, moment: datetime | None) -> Sequence[Alert]:
    """
    The alerts of the payload, as the connector of the tool that sent it reads them; none where nobody can.
    """
    payload = first_dict(data.get("alert_payload"), at(data, "last_alert", "payload"), data.get("payload"))
    when = moment or moment_at(data, ("last_alert", "created_at"), ("alert_group", "created_at"), ("created_at",))
    if payload is None or when is None:
        return ()
    try:
        return read_alerts(orjson.dumps(payload), {}, when)
    except (BadRecord, *UNEXPECTED):
        # the group is told all the same
        return ()


def first_dict(*values: object) -> Body | None:
    """
    The first object that is not empty.
    """
    return next((value for value in values if isinstance(value, dict) and value), None)


def _group(data: Body, record: Record) -> Iterator[Item]:
    yield group_of(data)
    yield from _original(data, None)


def _alert(data: Body, record: Record) -> Iterator[Item]:
    yield from _original(data, moment_at(data, ("created_at",)) or record.received_at)


def _entity(kind: EntityKind, what: str, data: Body) -> tuple[EntityId, list[Fact]]:
    name = first(at(data, "name"), at(data, "username"), at(data, "id"))
    if name is None:
        raise BadRecord(f"a {what} of Grafana OnCall has neither a name nor an id")
    subject = entity_id(kind, name)
    told = Fact(
        kind=FactKind.ENTITY, subject=subject, attributes=attributes(name=name, kind=what, type=at(data, "type"))
    )
    return subject, [told, *names_of(kind, at(data, "id"), name, VENDOR)]


def _integration(data: Body, record: Record) -> Iterator[Fact]:
    subject, told = _entity(EntityKind.SERVICE, "integration", data)
    yield from told
    owner, chain = team(at(data, "team_id")), team(at(data, "default_route", "escalation_chain_id"))
    if owner:
        yield Fact(kind=FactKind.OWNED_BY, subject=subject, object=owner, attributes={"stated_as": "team_id"})
    if chain:
        yield Fact(kind=FactKind.ESCALATES_TO, subject=subject, object=chain, attributes={"level": "0"})


def _team(what: str) -> Callable[[Body, Record], Iterator[Item]]:
    def read(data: Body, record: Record) -> Iterator[Item]:
        subject, told = _entity(EntityKind.TEAM, what, data)
        yield from told
        for shift in list_at(data, "shifts"):
            part = _shift_id(text(shift))
            if part:
                zone = attributes(time_zone=at(data, "time_zone"))
                yield Fact(kind=FactKind.PART_OF, subject=part, object=subject, attributes=zone)
        owner = team(at(data, "team_id"))
        if owner:
            yield Fact(kind=FactKind.ESCALATES_TO, subject=owner, object=subject, attributes={"level": "0"})
        for one in list_at(data, "on_call_now"):
            who = person(first(at(one, "username"), at(one, "id")) if isinstance(one, dict) else text(one))
            if who:
                until = Span(record.received_at, record.received_at + _FOR_NOW)
                now = {"stated_as": "now"}
                yield Fact(kind=FactKind.ON_CALL_FOR, subject=who, object=subject, valid=until, attributes=now)

    return read


def _shift_id(identity: str | None) -> EntityId | None:
    return entity_id(EntityKind.RESOURCE, f"grafana_oncall/shift/{identity}") if identity else None


def _rule(data: Body, record: Record) -> Iterator[Fact]:
    """
    A shift as a rule; its schedule lists it, or it names the schedule itself.
    """
    subject, schedule = _shift_id(text_at(data, "id")), team(at(data, "schedule"))
    if subject is None:
        return
    zone = text_at(data, "time_zone")
    layer = grafana_layer(data, "UTC")
    rules = rota_attribute([layer], zone) if zone else {"rota": floating(layer)}
    told = attributes(name=at(data, "name"), kind="shift") | rules
    yield Fact(kind=FactKind.ENTITY, subject=subject, attributes=told)
    if schedule:
        yield Fact(kind=FactKind.PART_OF, subject=subject, object=schedule)


def _policy(data: Body, record: Record) -> Iterator[Fact]:
    """
    A step of an escalation chain: whom it reaches.
    """
    chain = team(at(data, "escalation_chain_id"))
    step = at(data, "position")
    level = str(step + 1) if isinstance(step, int) else "1"
    reached = [
        person(text(one))
        for key in ("persons_to_notify", "persons_to_notify_next_each_time")
        for one in list_at(data, key)
    ]
    reached += [
        team(at(data, key)) for key in ("notify_on_call_from_schedule", "group_to_notify", "notify_to_team_members")
    ]
    for one in reached:
        if chain and one:
            yield Fact(
                kind=FactKind.ESCALATES_TO,
                subject=chain,
                object=one,
                attributes={"level": level} | attributes(type=at(data, "type")),
            )


def _route(data: Body, record: Record) -> Iterator[Fact]:
    integration, chain = service_id(at(data, "integration_id")), team(at(data, "escalation_chain_id"))
    if integration and chain:
        yield Fact(kind=FactKind.ESCALATES_TO, subject=integration, object=chain, attributes={"level": "0"})


def _nothing(data: Body, record: Record) -> Iterator[Item]:
    """
    A note without its group.
    """
    return iter(())


def _user(data: Body, record: Record) -> Iterator[Fact]:
    yield from _entity(EntityKind.PERSON, "user", {"name": data.get("username"), "id": data.get("id")})[1]


def _shift(data: Body, record: Record) -> Iterator[Fact]:
    who, start = person(first(at(data, "user_username"), at(data, "user_pk"))), moment_at(data, ("shift_start",))
    schedule = team(first(at(data, "schedule_name"), at(data, "schedule_id")))
    if who and schedule and start:
        yield Fact(
            kind=FactKind.ON_CALL_FOR, subject=who, object=schedule, valid=Span(start, moment_at(data, ("shift_end",)))
        )


_READERS: Mapping[str, Callable[[Body, Record], Iterator[Item]]] = {
    "group": _group,
    "rest_group": _group,
    "alert": _alert,
    "integration": _integration,
    "team": _team("team"),
    "chain": _team("escalation_chain"),
    "schedule": _team("schedule"),
    "policy": _policy,
    "route": _route,
    "turns": _rule,
    "note": _nothing,
    "user": _user,
    "shift": _shift,
}


def alerts(body: Body, received: datetime) -> Sequence[Alert]:
    """
    The alerts of the payload; where it holds none, the alert group as an alert.
    """
    if not isinstance(body.get("alert_group"), dict):
        return ()
    return _original(body, received) or [alert_of(group_of(body), received, VENDOR, {})]


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    An alert group with the id of its own and its integration, or the API's list of what only it has.
    """
    one = at(payload, "results", 0)
    if isinstance(one, dict) and kind_of(one) in ("rest_group", "alert", "integration", "policy"):
        return True
    return isinstance(payload.get("alert_group"), dict) and "alert_group_id" in payload and "integration" in payload


CONNECTOR = Connector(
    name="grafana_oncall",
    summary="Grafana OnCall's webhooks and REST objects: alert groups, alerts, whom they escalate to",
    trust=Trust.DECLARED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("grafana_oncall/*.json*",),
    recognises=recognises,
    alerts=alerts,
)
