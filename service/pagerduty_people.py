"""
Users, teams and schedules in the shape of PagerDuty's REST API, and references written out that a caller includes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta

from graph.answering import rota_of
from graph.resolved import entities
from graph.rota import Rota, hand_off, on_call
from graph.values import EntityId, EntityKind, Fact, FactKind, Statement, entity_kind, entity_name
from service.pagerduty import Pager
from service.parts import Part, stamp

STRETCHES = 200
"""Entries of a schedule's calendar, at most."""
INCLUDED = {
    "teams": "team", "escalation_policies": "escalation_policy", "services": "service", "users": "user",
    "schedules": "schedule", "schedule": "schedule", "user": "user", "escalation_policy": "escalation_policy",
}  # fmt: skip


def everybody(pager: Pager, query: str, teams: Collection[str]) -> list[EntityId]:
    """
    Persons whose name holds a text, of these teams; none given: of all.
    """
    found = {one.id for one in entities(pager.facts, pager.view, EntityKind.PERSON, known=pager.known)}
    found |= {pager.known.canonical(one.item.subject) for one in _members(pager)}
    found |= {one for one in pager.duties if entity_kind(one) == "person"}
    return sorted(
        one for one in found
        if query in entity_name(one) and (not teams or {pager.mark(team) for team in pager.teams_of(one)} & set(teams))
    )  # fmt: skip


def all_teams(pager: Pager, query: str) -> list[EntityId]:
    """
    Teams whose name holds a text, without those that are but schedules.
    """
    return sorted(
        name for name, one in pager.described.items()
        if entity_kind(name) == "team" and one.attributes.get("kind") != "schedule" and query in entity_name(name)
    )  # fmt: skip


def schedules(pager: Pager, query: str) -> list[EntityId]:
    """
    Whatever somebody is on call for.
    """
    found = {name for name, one in pager.described.items() if _is_schedule(one.attributes)}
    found |= {pager.known.canonical(one.item.object) for one in pager.on_call_facts}
    return sorted(one for one in found if query in entity_name(one))


def _is_schedule(told: Mapping[str, str]) -> bool:
    return told.get("kind") == "schedule" or "rota" in told


def _members(pager: Pager) -> tuple[Statement[Fact], ...]:
    return pager.facts.facts(pager.view, kinds=(FactKind.MEMBER_OF,))


def user(pager: Pager, name: EntityId) -> Part:
    """
    A person.
    """
    told = pager.attributes(name)
    return {
        **pager.reference(name, "user"),
        "type": "user",
        "name": told.get("title") or told.get("display_name") or told.get("name") or entity_name(name),
        "email": told.get("email") or (entity_name(name) if "@" in entity_name(name) else ""),
        "time_zone": told.get("time_zone", "Etc/UTC"),
        "color": "black",
        "role": "user",
        "avatar_url": None,
        "description": told.get("description"),
        "invitation_sent": False,
        "job_title": told.get("job_title"),
        "teams": [pager.reference(one, "team") for one in pager.teams_of(name)],
        "contact_methods": [],
        "notification_rules": [],
    }


def team(pager: Pager, name: EntityId) -> Part:
    """
    A team.
    """
    told = pager.attributes(name)
    above = pager.facts.facts(pager.view, kinds=(FactKind.PART_OF,), subjects=pager.known.same(name))
    parents = [pager.known.canonical(one.item.object) for one in above if entity_kind(one.item.object) == "team"]
    return {
        **pager.reference(name, "team"),
        "type": "team",
        "name": told.get("title") or entity_name(name),
        "description": told.get("description"),
        "default_role": "manager",
        "parent": pager.reference(parents[0], "team") if parents else None,
    }


def members(pager: Pager, name: EntityId) -> list[Part]:
    """
    Who is in a team, and as what.
    """
    stated = pager.facts.facts(pager.view, kinds=(FactKind.MEMBER_OF,), objects=pager.known.same(name))
    found = {pager.known.canonical(one.item.subject): one.item.attributes.get("role", "") for one in stated}
    return [
        {"user": pager.reference(who, "user"), "role": "manager" if "lead" in role.lower() else "responder"}
        for who, role in sorted(found.items())
    ]


def schedule(pager: Pager, name: EntityId, since: datetime | None = None, until: datetime | None = None) -> Part:
    """
    A schedule; with a time, the calendar of that time.
    """
    rota, told = rota_of(pager.facts, pager.view, name, pager.known), pager.attributes(name)
    zone = next((one.zone for one in rota.layers if one.zone), "") if rota else ""
    found: Part = {
        **pager.reference(name, "schedule"),
        "type": "schedule",
        "name": told.get("title") or entity_name(name),
        "time_zone": zone or told.get("time_zone", "Etc/UTC"),
        "description": told.get("description"),
        "users": [pager.reference(one, "user") for one in _of_schedule(pager, name, rota)],
        "escalation_policies": [pager.reference(one, "escalation_policy") for one in pager.policies_of(name)],
        "teams": [],
        "schedule_layers": [],
    }
    if since and until:
        entries = list(_calendar(pager, rota, since, until)) if rota else []
        covered = sum((one[1] - one[0]).total_seconds() for one in entries)
        found["final_schedule"] = {
            "name": "Final Schedule",
            "rendered_schedule_entries": [
                {"start": stamp(start), "end": stamp(end), "user": pager.reference(who, "user")}
                for start, end, people in entries
                for who in people
            ],
            # null where no rules are known: that is no hole in the calendar
            "rendered_coverage_percentage": round(100 * covered / (until - since).total_seconds(), 1) if rota else None,
        }
    return found


def _of_schedule(pager: Pager, name: EntityId, rota: Rota | None) -> list[EntityId]:
    """
    All who have a turn, or are on call for it.
    """
    named = [who for layer in rota.layers for turn in layer.turns for who in turn] if rota else []
    named += [one.item.subject for one in pager.on_call_facts if pager.known.canonical(one.item.object) == name]
    return sorted({pager.known.canonical(who) for who in named if entity_kind(who) == "person"})


def _calendar(
    pager: Pager, rota: Rota, since: datetime, until: datetime
) -> Iterator[tuple[datetime, datetime, list[EntityId]]]:
    """
    Who is on call from when to when, holes left out.
    """
    at = since
    for _ in range(STRETCHES):
        following = min(hand_off(rota, at, until - at) or until, until)
        people = sorted({pager.known.canonical(who) for who in on_call(rota, at).people})
        if people:
            yield at, following, people
        at = following
        if at >= until:
            return


def month(pager: Pager) -> tuple[datetime, datetime]:
    """
    The time that a calendar shows where none is said.
    """
    return pager.view.as_of, pager.view.as_of + timedelta(days=14)


def written_out(pager: Pager, part: object, include: Collection[str]) -> object:
    """
    A part with those of its references written out that the caller included.
    """
    kinds = {INCLUDED[one] for one in include if one in INCLUDED}
    if not kinds or not isinstance(part, dict):
        return part
    return {key: _whole(pager, value, kinds) for key, value in part.items()}


def _whole(pager: Pager, value: object, kinds: Collection[str]) -> object:
    if isinstance(value, list):
        return [_whole(pager, one, kinds) for one in value]
    if not isinstance(value, dict) or not str(value.get("type", "")).endswith("_reference"):
        return value
    kind = str(value["type"]).removesuffix("_reference")
    name = pager.named(str(value["id"]), kind) if kind in kinds else None
    return MADE[kind](pager, name) if name else value


def _service(pager: Pager, name: EntityId) -> Part:
    return pager.service(name)


def _policy(pager: Pager, name: EntityId) -> Part:
    return pager.policy(name)


MADE: Mapping[str, Callable[[Pager, EntityId], Part]] = {
    "user": user, "team": team, "schedule": schedule, "service": _service, "escalation_policy": _policy,
}  # fmt: skip
