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

from graph.resolved import Entity, entities
from graph.values import EntityId, EntityKind, Fact, FactKind, View, entity_kind, entity_name
from service.parts import Part, stamp
from service.wiring import Memory

VENDOR = "pagerduty"
_KINDS = {
    "service": "services", "escalation_policy": "escalation_policies", "user": "users", "schedule": "schedules",
    "team": "teams",
}  # fmt: skip


class Pager:
    """
    What one view sees, in PagerDuty's words. `base` is the address under which we are called.
    """

    def __init__(self, memory: Memory, view: View, base: str) -> None:
        self._facts, self._view, self._base = memory.facts, view, base
        self._known = memory.catalogue.directory(view).identity

    @cached_property
    def _marks(self) -> Mapping[EntityId, str]:
        """
        Ids that PagerDuty gave.
        """
        stated = self._facts.facts(self._view, kinds=(FactKind.ALIAS,))
        return {
            self._known.canonical(one.item.subject): one.item.object
            for one in stated
            if one.item.attributes.get("seen_in") == VENDOR and " " not in one.item.object
        }

    @cached_property
    def _escalations(self) -> Mapping[EntityId, list[Fact]]:
        found: dict[EntityId, list[Fact]] = {}
        for one in self._facts.facts(self._view, kinds=(FactKind.ESCALATES_TO,)):
            found.setdefault(self._known.canonical(one.item.subject), []).append(one.item)
        return found

    @cached_property
    def _owners(self) -> Mapping[EntityId, EntityId]:
        stated = self._facts.facts(self._view, kinds=(FactKind.OWNED_BY,))
        ranked = sorted(stated, key=lambda one: (one.trust, one.seq))
        return {self._known.canonical(one.item.subject): self._known.canonical(one.item.object) for one in ranked}

    @cached_property
    def _described(self) -> Mapping[EntityId, Entity]:
        kinds = (EntityKind.SERVICE, EntityKind.TEAM)
        return {one.id: one for kind in kinds for one in entities(self._facts, self._view, kind, known=self._known)}

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
        names = {*self._described, *self._escalations}
        return next((one for one in sorted(names) if entity_kind(one) == kind and self.mark(one) == mark), None)

    def services(self, query: str, teams: Collection[str]) -> list[EntityId]:
        """
        The services whose name holds a text, of these teams; none given: of all.
        """
        return [
            one
            for one in sorted(self._described)
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
        return self._known.canonical(to[0].object) if to else owner if entity_kind(owner) == "team" else ""

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
        told = self._described[name].attributes if name in self._described else {}
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
            levels.setdefault(fact.attributes.get("level", "99"), []).append(self._known.canonical(fact.object))
        steps = [levels[level] for level in sorted(levels, key=lambda text: int(text) if text.isdecimal() else 99)]
        on_call = self._facts.facts(self._view, kinds=(FactKind.ON_CALL_FOR,), objects=self._known.same(name))
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
        for one in self._facts.facts(self._view, kinds=(FactKind.ON_CALL_FOR,)):
            whose, who = self._known.canonical(one.item.object), self._known.canonical(one.item.subject)
            policy = self._policy_of(whose) if entity_kind(whose) == "service" else whose
            found = {"escalation_policy": policy, "schedule": whose, "user": who}
            if any(ids and self.mark(found[key]) not in ids for key, ids in wanted.items()):
                continue
            level = one.item.attributes.get("level", "")
            rows.append(
                {
                    "escalation_policy": self.reference(policy, "escalation_policy") if policy else None,
                    "escalation_level": int(level) if level.isdecimal() and int(level) else 1,
                    "schedule": self.reference(whose, "schedule"),
                    "user": self.reference(who, "user"),
                    "start": stamp(one.item.valid.start),
                    "end": stamp(one.item.valid.end),
                }
            )
        return rows
