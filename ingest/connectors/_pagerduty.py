"""
PagerDuty's objects of any age: incidents, alerts, services, teams, policies, schedules and who is on call.

An escalation policy and a schedule stand as teams of their names: a service escalates to its policy, a policy to its
targets level by level, and a person is on call for the policy and the schedule. The team that a service belongs to owns
it, or where it has none its policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Alert, EntityId, EntityKind, Fact, FactKind, Incident, SectionKind, Span, entity_id
from ingest.connectors._events import attributes, names_of, person, sections, service_id, team
from ingest.connectors._rotas import pagerduty_layers, rota_attribute
from ingest.contract import Body
from ingest.errors import BadRecord
from ingest.fields import at, first, list_at, moment_at, named, objects_at, text_at, texts
from ingest.parsing import named_time

VENDOR = "pagerduty"
NOTHING_MORE: Mapping[str, str] = {}
RANKS = {"triggered": 0, "acknowledged": 1, "resolved": 2}


def name_of(thing: object) -> str | None:
    """
    The name of an object or a reference; its id where it has none.
    """
    return named(first(at(thing, "name"), at(thing, "summary"), at(thing, "id")))


def target(thing: object) -> EntityId | None:
    """
    Whom a reference means: a person, or a team for a schedule, a policy or a team.
    """
    kind = text_at(thing, "type") or ""
    return person(name_of(thing)) if kind.startswith(("user", "bot_user")) else team(name_of(thing))


def began(incident: object) -> datetime | None:
    """
    When an incident was opened.
    """
    return moment_at(incident, ("created_at",), ("created_on",))


def changed(incident: object) -> datetime | None:
    """
    When it became what it is.
    """
    return moment_at(
        incident,
        ("resolved_at",),
        ("last_status_change_at",),
        ("last_status_change_on",),
        ("updated_at",),
        ("created_at",),
        ("created_on",),
    )


def incident_of(incident: object, moment: datetime | None = None, note: str | None = None) -> Incident:
    """
    An incident as it stands; `moment` is when an event said so.
    """
    identity, status = text_at(incident, "id"), text_at(incident, "status")
    if not identity:
        raise BadRecord("an incident of PagerDuty has no `id`")
    number = first(at(incident, "incident_number"), at(incident, "number"))
    subject = first(
        at(incident, "trigger_summary_data", "subject"), at(incident, "trigger_summary_data", "description")
    )
    title = first(at(incident, "title"), at(incident, "description"), at(incident, "summary"), subject, number)
    ended = moment_at(incident, ("resolved_at",)) or moment or changed(incident)
    priority = first(at(incident, "priority", "summary"), at(incident, "priority", "name"))
    service = service_id(name_of(at(incident, "service")))
    fields = {text_at(one, "name"): text_at(one, "value") for one in objects_at(incident, "custom_fields")}
    return Incident(
        id=f"pagerduty:{identity}",
        title=title or f"Incident {identity}",
        at=began(incident),
        detected_at=began(incident),
        resolved_at=ended if status == "resolved" else None,
        severity=first(priority, at(incident, "urgency")),
        services=(service,) if service else (),
        environment=(fields.get("environment") or "").lower() or None,
        sections=sections((SectionKind.SUMMARY, at(incident, "body", "details")), (SectionKind.TIMELINE, note)),
        url=text_at(incident, "html_url"),
        attributes=attributes(
            status=status,
            number=number,
            urgency=at(incident, "urgency"),
            key=at(incident, "incident_key"),
            type=at(incident, "incident_type", "name"),
            policy=name_of(at(incident, "escalation_policy")),
            teams=", ".join(name for one in objects_at(incident, "teams") if (name := name_of(one))),
            assignees=", ".join(_assignees(incident)),
            resolution=first(at(incident, "resolve_reason", "type"), at(incident, "resolve_reason")),
        ),
    )


def _assignees(incident: object) -> Iterator[str]:
    for key in ("assignees", "assignments", "assigned_to"):
        for one in objects_at(incident, key):
            name = name_of(one.get("assignee") or one.get("object") or one)
            if name:
                yield name
    name = name_of(at(incident, "assigned_to_user"))
    if name:
        yield name


def alert_of(alert: object) -> Alert:
    """
    An alert of the REST API.
    """
    identity = text_at(alert, "id")
    ended = text_at(alert, "status") == "resolved"
    details = at(alert, "body", "details")
    told = texts(details) if isinstance(details, dict) else attributes(details=details)
    return Alert(
        id=f"pagerduty:alert:{identity or text_at(alert, 'alert_key')}",
        name=first(at(alert, "summary"), at(alert, "alert_key"), identity) or "alert",
        at=named_time(at(alert, "created_at"), f"`created_at` of the alert {identity}"),
        ended_at=moment_at(alert, ("resolved_at",), ("updated_at",)) if ended else None,
        status="resolved" if ended else "firing",
        labels=attributes(
            service=name_of(at(alert, "service")),
            severity=at(alert, "severity"),
            key=at(alert, "alert_key"),
            incident=at(alert, "incident", "id"),
        ),
        annotations=told,
        vendor=VENDOR,
        url=text_at(alert, "html_url"),
    )


def service_facts(service: Body, received: datetime) -> Iterator[Fact]:
    """
    A service with its owner and its policy.
    """
    subject = service_id(name_of(service))
    if subject is None:
        raise BadRecord("a service of PagerDuty has neither a name nor an id")
    yield Fact(
        kind=FactKind.ENTITY,
        subject=subject,
        attributes=attributes(
            name=name_of(service),
            description=at(service, "description"),
            url=at(service, "html_url"),
            kind=at(service, "type"),
            contact=at(service, "point_of_contact"),
        ),
    )
    yield from names_of(EntityKind.SERVICE, at(service, "id"), name_of(service), VENDOR)
    owners = [*objects_at(service, "teams"), service.get("team")]
    teams = [found for one in owners if (found := team(name_of(one)))]
    policy = team(name_of(at(service, "escalation_policy")))
    for owner in teams or ([policy] if policy else []):
        stated = "teams" if teams else "escalation_policy"
        yield Fact(kind=FactKind.OWNED_BY, subject=subject, object=owner, attributes={"stated_as": stated})
    if policy:
        yield Fact(kind=FactKind.ESCALATES_TO, subject=subject, object=policy, attributes={"level": "0"})
    for turn in objects_at(service, "__oncall_user"):
        yield from _on_call(turn, (subject,))


def policy_facts(policy: Body, received: datetime) -> Iterator[Fact]:
    """
    An escalation policy: its levels, and the services that escalate to it.
    """
    subject = team(name_of(policy))
    if subject is None:
        raise BadRecord("an escalation policy of PagerDuty has neither a name nor an id")
    yield from _described(subject, policy, "escalation_policy")
    for level, rule in enumerate(objects_at(policy, "escalation_rules"), 1):
        for one in objects_at(rule, "targets"):
            reached = target(one)
            if reached:
                told = attributes(level=level, delay_minutes=at(rule, "escalation_delay_in_minutes"))
                yield Fact(kind=FactKind.ESCALATES_TO, subject=subject, object=reached, attributes=told)
    for one in objects_at(policy, "services"):
        served = service_id(name_of(one))
        if served:
            yield Fact(kind=FactKind.ESCALATES_TO, subject=served, object=subject, attributes={"level": "0"})
    for turn in objects_at(policy, "__oncall_users"):
        yield from _on_call(turn, (subject,))


def _described(subject: EntityId, thing: Body, kind: str, more: Mapping[str, str] = NOTHING_MORE) -> Iterator[Fact]:
    yield Fact(
        kind=FactKind.ENTITY,
        subject=subject,
        attributes=attributes(
            name=name_of(thing), kind=kind, description=at(thing, "description"), url=at(thing, "html_url")
        )
        | dict(more),
    )
    yield from names_of(EntityKind.TEAM, at(thing, "id"), name_of(thing), VENDOR)


def team_facts(thing: Body, received: datetime) -> Iterator[Fact]:
    """
    A team.
    """
    subject = team(name_of(thing))
    if subject:
        yield from _described(subject, thing, "team")


def user_facts(user: Body, received: datetime) -> Iterator[Fact]:
    """
    A person and the teams he is of.
    """
    subject = person(name_of(user))
    if subject is None:
        return
    told = attributes(name=name_of(user), title=at(user, "job_title"), timezone=at(user, "time_zone"))
    if text_at(user, "deleted_at"):
        told["active"] = "false"
    yield Fact(kind=FactKind.ENTITY, subject=subject, attributes=told)
    yield from names_of(EntityKind.PERSON, at(user, "id"), name_of(user), VENDOR)
    for one in objects_at(user, "teams"):
        joined = team(name_of(one))
        if joined:
            yield Fact(kind=FactKind.MEMBER_OF, subject=subject, object=joined)


def schedule_facts(schedule: Body, received: datetime) -> Iterator[Fact]:
    """
    A schedule: who takes part, and who is on call when, where it was rendered.
    """
    subject = team(name_of(schedule))
    if subject is None:
        raise BadRecord("a schedule of PagerDuty has neither a name nor an id")
    rota = rota_attribute(
        pagerduty_layers(schedule, lambda user: person(name_of(user))), text_at(schedule, "time_zone")
    )
    yield from _described(subject, schedule, "schedule", rota)
    for one in objects_at(schedule, "users"):
        member = person(name_of(one))
        if member:
            yield Fact(kind=FactKind.MEMBER_OF, subject=member, object=subject)
    for turn in objects_at(schedule, "final_schedule", "rendered_schedule_entries"):
        yield from _on_call(turn, (subject,))
    for key in ("rendered_schedule_entries", "overrides"):
        for turn in objects_at(schedule, "overrides_subschedule", key):
            yield from _on_call(turn, (subject,), "override")
    for turn in objects_at(schedule, "overrides"):
        yield from _on_call(turn, (subject,), "override")
    now = schedule.get("oncall")
    if isinstance(now, dict):
        yield from _on_call(now, (subject,))


def on_call_facts(turn: Body, received: datetime) -> Iterator[Fact]:
    """
    An entry of who is on call, for its policy, its schedule and the services that the policy names.
    """
    found = [team(name_of(at(turn, "escalation_policy"))), team(name_of(at(turn, "schedule")))]
    found += [service_id(name_of(one)) for one in objects_at(turn, "escalation_policy", "services")]
    yield from _on_call(turn, tuple(dict.fromkeys(one for one in found if one)))


def override_facts(turn: Body, received: datetime) -> Iterator[Fact]:
    """
    Somebody in the place of a schedule's layers, where the override names its schedule.
    """
    found = team(name_of(at(turn, "schedule")))
    if found:
        yield from _on_call(turn, (found,), "override")


def _on_call(turn: Body, objects: tuple[EntityId, ...], stated_as: str | None = None) -> Iterator[Fact]:
    who = person(name_of(at(turn, "user")))
    start, end = moment_at(turn, ("start",)), moment_at(turn, ("end",))
    if who is None or (start and end and end <= start):
        return
    level, schedule = at(turn, "escalation_level"), name_of(at(turn, "schedule"))
    told = attributes(level=level, schedule=schedule, stated_as=stated_as)
    for one in objects:
        yield Fact(kind=FactKind.ON_CALL_FOR, subject=who, object=one, valid=Span(start, end), attributes=told)


def dependency_facts(relation: Body, received: datetime) -> Iterator[Fact]:
    """
    That one service depends on another; both are named by their ids.
    """
    dependent = service_id(name_of(at(relation, "dependent_service")))
    supporting = service_id(name_of(at(relation, "supporting_service")))
    if dependent and supporting:
        yield Fact(kind=FactKind.DEPENDS_ON, subject=dependent, object=supporting, attributes={"stated_as": VENDOR})


def services_of(body: object) -> tuple[EntityId, ...]:
    """
    The services that a change event names.
    """
    details = at(body, "custom_details")
    names = [name_of(one) for one in objects_at(body, "services")]
    names += [first(at(details, "service"), at(details, "service_name"))]
    names += [one for one in list_at(details, "services") if isinstance(one, str)]
    return tuple(dict.fromkeys(entity_id(EntityKind.SERVICE, name) for name in names if name))
