"""
Opsgenie's services, teams, users, schedules and escalations as facts, and who is on call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from graph.values import EntityId, EntityKind, Fact, FactKind, Span, entity_id, entity_name
from ingest.connectors._events import attributes, names_of, person, team
from ingest.connectors._rotas import opsgenie_layers, rota_attribute
from ingest.contract import Body
from ingest.errors import BadRecord
from ingest.fields import at, first, list_at, moment_at, objects_at, text, text_at

VENDOR = "opsgenie"
_FOR_NOW = timedelta(days=1)


def _described(kind: EntityKind, data: Body, what: str, **more: str) -> tuple[EntityId, list[Fact]]:
    name = first(at(data, "name"), at(data, "fullName"), at(data, "username"), at(data, "id"))
    if name is None:
        raise BadRecord(f"a {what} of Opsgenie has neither a name nor an id")
    subject = (person(name) if kind is EntityKind.PERSON else None) or entity_id(kind, name)
    told = attributes(name=name, kind=what, description=at(data, "description"), url=at(data, "links", "web")) | more
    entity = Fact(kind=FactKind.ENTITY, subject=subject, attributes=told)
    known = [] if kind is EntityKind.PERSON else names_of(kind, at(data, "id"), name, VENDOR)
    return subject, [entity, *known]


def _named_team(data: object) -> EntityId | None:
    return team(first(at(data, "name"), at(data, "id")))


def _service(data: Body) -> Iterator[Fact]:
    subject, told = _described(EntityKind.SERVICE, data, "service")
    yield from told
    owner = team(at(data, "teamId"))
    if owner:
        yield Fact(kind=FactKind.OWNED_BY, subject=subject, object=owner, attributes={"stated_as": "teamId"})


def _team(data: Body) -> Iterator[Fact]:
    subject, told = _described(EntityKind.TEAM, data, "team")
    yield from told
    for one in objects_at(data, "members"):
        member = person(first(at(one, "user", "username"), at(one, "user", "id")))
        if member:
            yield Fact(
                kind=FactKind.MEMBER_OF, subject=member, object=subject, attributes=attributes(role=at(one, "role"))
            )


def _user(data: Body) -> Iterator[Fact]:
    gone = {"active": "false"} if at(data, "blocked") is True else {}
    subject, told = _described(EntityKind.PERSON, {"name": data.get("username"), "id": data.get("id")}, "user", **gone)
    yield from told
    yield Fact(
        kind=FactKind.ALIAS,
        subject=subject,
        object=text_at(data, "fullName") or entity_name(subject),
        attributes={"seen_in": VENDOR},
    )


def _schedule(data: Body) -> Iterator[Fact]:
    rota = rota_attribute(opsgenie_layers(data, _recipient), text_at(data, "timezone"))
    subject, told = _described(EntityKind.TEAM, data, "schedule", **rota)
    yield from told
    owner = _named_team(at(data, "ownerTeam"))
    if owner:
        yield Fact(kind=FactKind.ESCALATES_TO, subject=owner, object=subject, attributes={"level": "1"})
    seen: set[EntityId] = set()
    for one in objects_at(data, "rotations"):
        for member in objects_at(one, "participants"):
            who = _recipient(member)
            if who and who.startswith("person:") and who not in seen:
                seen.add(who)
                yield Fact(
                    kind=FactKind.MEMBER_OF,
                    subject=who,
                    object=subject,
                    attributes=attributes(rotation=at(one, "name")),
                )
    for period in (
        turn for one in objects_at(data, "finalTimeline", "rotations") for turn in objects_at(one, "periods")
    ):
        who, start = _recipient(at(period, "recipient")), moment_at(period, ("startDate",))
        if who and start:
            span = Span(start, moment_at(period, ("endDate",)))
            yield Fact(kind=FactKind.ON_CALL_FOR, subject=who, object=subject, valid=span)


def _override(data: Body) -> Iterator[Fact]:
    """
    Somebody in the place of a schedule's rotations, or of those that are named.
    """
    schedule = team(first(at(data, "_parent", "name"), at(data, "_parent", "id")))
    who, start = _recipient(at(data, "user")), moment_at(data, ("startDate",))
    names = [first(at(one, "name"), at(one, "id")) for one in objects_at(data, "rotations")]
    if who and schedule and start:
        span = Span(start, moment_at(data, ("endDate",)))
        for name in names or [None]:
            told = attributes(stated_as="override", layer=name)
            yield Fact(kind=FactKind.ON_CALL_FOR, subject=who, object=schedule, valid=span, attributes=told)


def _recipient(thing: object) -> EntityId | None:
    name = first(at(thing, "username"), at(thing, "name"), at(thing, "id")) if isinstance(thing, dict) else text(thing)
    return team(name) if text_at(thing, "type") in ("team", "escalation", "schedule") else person(name)


def _escalation(data: Body) -> Iterator[Fact]:
    subject, told = _described(EntityKind.TEAM, data, "escalation")
    yield from told
    owner = _named_team(at(data, "ownerTeam"))
    if owner:
        yield Fact(kind=FactKind.ESCALATES_TO, subject=owner, object=subject, attributes={"level": "0"})
    for level, rule in enumerate(objects_at(data, "rules"), 1):
        reached = _recipient(at(rule, "recipient"))
        if reached:
            found = attributes(level=level, delay=at(rule, "delay", "timeAmount"), condition=at(rule, "condition"))
            yield Fact(kind=FactKind.ESCALATES_TO, subject=subject, object=reached, attributes=found)


def on_call(data: Body, received: datetime) -> Iterator[Fact]:
    """
    Who is on call for a schedule and the team that owns it.
    """
    schedule = first(at(data, "_parent", "name"), at(data, "_parent", "id"))
    objects = [one for one in (team(schedule), _named_team(at(data, "ownerTeam"))) if one]
    who = [person(text(one)) for one in list_at(data, "onCallRecipients")]
    who += _participants(data)
    for one in dict.fromkeys(found for found in who if found and found.startswith("person:")):
        for answering in objects:
            yield Fact(
                kind=FactKind.ON_CALL_FOR,
                subject=one,
                object=answering,
                valid=Span(received, received + _FOR_NOW),
                attributes=attributes(schedule=schedule, stated_as="now"),
            )


def _participants(data: Body) -> list[EntityId | None]:
    """
    Those on call, and those that an escalation among them reaches.
    """
    found: list[EntityId | None] = []
    for one in objects_at(data, "onCallParticipants"):
        found += [_recipient(one), *_participants(one)]
    return found


FACTS: Mapping[str, Callable[[Body], Iterator[Fact]]] = {
    "service": _service,
    "team": _team,
    "schedule": _schedule,
    "escalation": _escalation,
    "user": _user,
    "override": _override,
}
