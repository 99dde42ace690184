"""
Services, escalation policies and who is on call in the shape of PagerDuty's REST API.

An id is the one that PagerDuty gave, where a source states it, else one of our own that stays. What a service escalates
to is its policy, else the team that owns it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Mapping
from functools import cached_property

from graph.answering import Answerer, levels_of
from graph.resolved import Entity, entities, entity
from graph.values import EntityId, EntityKind, Fact, FactKind, Statement, View, entity_kind, entity_name
from service.owners import departed_of
from service.parts import Part, stamp
from service.wiring import Memory

VENDOR = "pagerduty"
_KINDS = {
    "service": "services", "escalation_policy": "escalation_policies", "user": "users", "schedule": "schedules",
    "team": "teams",
}  # fmt: skip

_PLACED = {"user": "person", "escalation_policy": "page", "schedule": "page"}
"""What of ours stands behind a kind of theirs, where it is not called so: a `page` is a team, or else a service."""


class Pager:
    """
    What one view sees, in PagerDuty's words. `base` is the address under which we are called.
    """

    def __init__(self, memory: Memory, view: View, base: str) -> None:
        self.facts, self.view, self._base = memory.facts, view, base
        self.known = memory.catalogue.directory(view).identity
        self._departed = departed_of(memory.facts, memory.activity, view, self.known)

    @cached_property
    def _marks(self) -> Mapping[EntityId, str]:
        """
        Ids that PagerDuty gave.
        """
        stated = self.facts.facts(self.view, kinds=(FactKind.ALIAS,))
        return {
            self.known.canonical(one.item.subject): one.item.object
            for one in stated
            if one.item.attributes.get("seen_in") == VENDOR and " " not in one.item.object
        }

    @cached_property
    def _escalations(self) -> Mapping[EntityId, list[Fact]]:
        found: dict[EntityId, list[Fact]] = {}
        for one in self.facts.facts(self.view, kinds=(FactKind.ESCALATES_TO,)):
            found.setdefault(self.known.canonical(one.item.subject), []).append(one.item)
        return found

    @cached_property
    def _owners(self) -> Mapping[EntityId, EntityId]:
        stated = self.facts.facts(self.view, kinds=(FactKind.OWNED_BY,))
        ranked = sorted(stated, key=lambda one: (one.trust, one.seq))
        return {self.known.canonical(one.item.subject): self.known.canonical(one.item.object) for one in ranked}

    @cached_property
    def described(self) -> Mapping[EntityId, Entity]:
        """
        Services and teams that sources describe.
        """
        kinds = (EntityKind.SERVICE, EntityKind.TEAM)
        return {one.id: one for kind in kinds for one in entities(self.facts, self.view, kind, known=self.known)}

    def mark(self, name: EntityId) -> str:
        """
        The id of an entity.
        """
        own = base64.b32encode(hashlib.sha256(name.encode()).digest()).decode()[:13]
        return self._marks.get(name) or f"P{own}"

    def named(self, mark: str, kind: str) -> EntityId | None:
        """
        The entity of an id.
        """
        return self._places.get(_PLACED.get(kind, kind), {}).get(mark)

    @cached_property
    def _places(self) -> Mapping[str, Mapping[str, EntityId]]:
        """
        Entities by their kind and id.
        """
        names = {*self.described, *self._escalations, *self.duties, *self._owners.values()}
        names |= {self.known.canonical(one.item.object) for one in self.on_call_facts}
        names |= {one.id for one in entities(self.facts, self.view, EntityKind.PERSON, known=self.known)}
        names |= {self.known.canonical(one) for one in self._joined}
        names |= {self.known.canonical(one.object) for edges in self._escalations.values() for one in edges}
        found: dict[str, dict[str, EntityId]] = {}
        for one in sorted(names):
            found.setdefault(entity_kind(one), {})[self.mark(one)] = one
        both = {**found.get("service", {}), **found.get("resource", {}), **found.get("team", {})}
        return {**found, "page": both}

    @cached_property
    def on_call_facts(self) -> tuple[Statement[Fact], ...]:
        """
        Who was ever stated to be on call for what.
        """
        return self.facts.facts(self.view, kinds=(FactKind.ON_CALL_FOR,), valid=False)

    @cached_property
    def _joined(self) -> Mapping[EntityId, list[EntityId]]:
        found: dict[EntityId, list[EntityId]] = {}
        for one in self.facts.facts(self.view, kinds=(FactKind.MEMBER_OF,)):
            found.setdefault(self.known.canonical(one.item.subject), []).append(self.known.canonical(one.item.object))
        return found

    def teams_of(self, person: EntityId) -> list[EntityId]:
        """
        The teams that somebody is in.
        """
        return sorted({one for one in self._joined.get(person, ()) if entity_kind(one) == "team"})

    def attributes(self, name: EntityId) -> Mapping[str, str]:
        """
        What sources say of an entity.
        """
        told = self.described.get(name) or entity(self.facts, self.view, name, known=self.known)
        return told.attributes if told else {}

    def policies_of(self, schedule: EntityId) -> list[EntityId]:
        """
        The policies that page a schedule.
        """
        paging = [
            name for name, edges in self._escalations.items()
            if any(self.known.canonical(one.object) == schedule for one in edges)
        ]  # fmt: skip
        return sorted({*paging, schedule} & set(self.policies("")))

    @cached_property
    def duties(self) -> Mapping[EntityId, list[tuple[EntityId, int, Answerer]]]:
        """
        By person, the policies and levels at which he is on call now, by the rules of the schedules.
        """
        found: dict[EntityId, list[tuple[EntityId, int, Answerer]]] = {}
        own = {self.known.canonical(one.item.object) for one in self.on_call_facts}
        services = [one for one in sorted(own) if entity_kind(one) == "service"]
        for name in [*self.policies(""), *services]:
            policy = self._policy_of(name) if entity_kind(name) == "service" else name
            for level in levels_of(self.facts, self.view, name, self.known, self._departed):
                if name != policy and level.targets != (name,):
                    continue
                for one in level.present:
                    if one.on_call:
                        found.setdefault(one.person, []).append((policy, level.number, one))
        return found

    def services(self, query: str, teams: Collection[str]) -> list[EntityId]:
        """
        The services whose name holds a text, of these teams; none given: of all.
        """
        return [
            one
            for one in sorted(self.described)
            if entity_kind(one) == "service"
            and query in entity_name(one)
            and (not teams or (one in self._owners and self.mark(self._owners[one]) in teams))
        ]

    def policies(self, query: str) -> list[EntityId]:
        """
        What services escalate to, and teams that escalate.
        """
        found = {one for one in self._escalations if entity_kind(one) == "team"}
        found |= self._served.keys() - {""}
        return sorted(one for one in found if query in entity_name(one))

    def _policy_of(self, service: EntityId) -> EntityId:
        to = self._escalations.get(service)
        owner = self._owners.get(service, "")
        return self.known.canonical(to[0].object) if to else owner if entity_kind(owner) == "team" else ""

    @cached_property
    def _served(self) -> Mapping[EntityId, list[EntityId]]:
        """
        The services of each policy.
        """
        found: dict[EntityId, list[EntityId]] = {}
        for one in self.services("", ()):
            found.setdefault(self._policy_of(one), []).append(one)
        return found

    def reference(self, name: EntityId, kind: str) -> Part:
        """
        A pointer to an entity.
        """
        mark = self.mark(name)
        address = f"{self._base}/compat/pagerduty/{_KINDS[kind]}/{mark}"
        return {
            "id": mark,
            "type": f"{kind}_reference",
            "summary": entity_name(name),
            "self": address,
            "html_url": None,
        }

    def service(self, name: EntityId) -> Part:
        """
        A service.
        """
        told = self.described[name].attributes if name in self.described else {}
        owner, policy = self._owners.get(name, ""), self._policy_of(name)
        return {
            **self.reference(name, "service"),
            "type": "service",
            "html_url": f"{self._base}/services/{entity_name(name)}",
            "name": told.get("name") or entity_name(name),
            "description": told.get("description"),
            "status": "active",
            "teams": [self.reference(owner, "team")] if entity_kind(owner) == "team" else [],
            "escalation_policy": self.reference(policy, "escalation_policy") if policy else None,
            "integrations": [],
            "addons": [],
        }

    def policy(self, name: EntityId) -> Part:
        """
        An escalation policy: whoever is on call for it first, then its targets level by level.
        """
        levels: dict[str, list[EntityId]] = {}
        for fact in self._escalations.get(name, ()):
            levels.setdefault(fact.attributes.get("level", "99"), []).append(self.known.canonical(fact.object))
        steps = [levels[level] for level in sorted(levels, key=lambda text: int(text) if text.isdecimal() else 99)]
        on_call = self.facts.facts(self.view, kinds=(FactKind.ON_CALL_FOR,), objects=self.known.same(name))
        if on_call and "1" not in levels:
            steps.insert(0, [name])
        return {
            **self.reference(name, "escalation_policy"),
            "type": "escalation_policy",
            "name": entity_name(name),
            "num_loops": 0,
            "escalation_rules": [
                {
                    "id": f"{self.mark(name)}{number}",
                    "escalation_delay_in_minutes": 30,
                    "targets": [self._target(one) for one in step],
                }
                for number, step in enumerate(steps, 1)
            ],
            "services": [self.reference(one, "service") for one in self._served.get(name, ())],
            "teams": [],
        }

    def _target(self, name: EntityId) -> Part:
        return self.reference(name, "user" if entity_kind(name) == "person" else "schedule")

    def oncalls(self, wanted: Mapping[str, Collection[str]]) -> list[Part]:
        """
        Everybody on call now, level by level.
        """
        rows: list[Part] = []
        for who, turns in sorted(self.duties.items()):
            for policy, level, one in turns:
                found = {"escalation_policy": policy, "schedule": one.schedule or "", "user": who}
                if any(ids and self.mark(found[key]) not in ids for key, ids in wanted.items()):
                    continue
                first = one.statements[0].item.valid.start if one.statements else None
                rows.append(
                    {
                        "escalation_policy": self.reference(policy, "escalation_policy") if policy else None,
                        "escalation_level": level,
                        "schedule": self.reference(one.schedule, "schedule") if one.schedule else None,
                        "user": self.reference(who, "user"),
                        "start": stamp(first),
                        "end": stamp(one.until),
                    }
                )
        return sorted(rows, key=lambda row: (str(row["escalation_policy"]), str(row["escalation_level"])))
