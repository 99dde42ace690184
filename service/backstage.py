"""
What sources say of services, teams, persons and resources in the shape of Backstage's catalogue.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence

import orjson

from graph.radius import edges
from graph.resolved import Entity, entities, entity, ownership
from graph.values import EntityId, EntityKind, FactKind, View, entity_id, entity_kind, entity_name
from service.parts import Part
from service.wiring import Memory

_KINDS = {"service": "Component", "team": "Group", "person": "User", "resource": "Resource"}
_OURS = {
    "component": "service", "api": "service", "group": "team", "user": "person", "resource": "resource",
    "system": "resource", "domain": "resource",
}  # fmt: skip
_RELATIONS = ((FactKind.PART_OF, "partOf", "hasPart"), (FactKind.MEMBER_OF, "memberOf", "hasMember"))
_ANNOTATIONS = {"pagerduty": "pagerduty.com/service-id", "repo": "github.com/project-slug"}


class Entities:
    """
    What one view sees, in Backstage's words.
    """

    def __init__(self, memory: Memory, view: View) -> None:
        self._facts, self._view = memory.facts, view
        self._known = memory.catalogue.directory(view).identity

    def by_ref(self, ref: str) -> Part | None:
        """
        The entity of `kind:namespace/name`; None where there is none of that kind.
        """
        kind, _, rest = ref.rpartition(":")
        space, _, name = rest.rpartition("/")
        ours = _OURS.get((kind or "component").lower())
        if ours is None or not name:
            return None
        named = name if space.lower() in ("", "default") else f"{space}/{name}"
        found = entity(self._facts, self._view, entity_id(EntityKind(ours), named), known=self._known)
        made = self._made(found) if found else None
        return made if made and str(made["kind"]).lower() == (kind or "component").lower() else None

    def listed(self, filters: Sequence[str]) -> list[Part]:
        """
        Entities that meet any of the filters, each `key=value,key,...` of which all must hold.
        """
        wanted = [_conditions(one) for one in filters]
        kinds = {_OURS.get(one) for found in wanted for one in found.get("kind", ())}
        if not wanted or any("kind" not in found for found in wanted):
            kinds = set(_KINDS)
        made = (
            self._made(one)
            for kind in EntityKind
            if kind.value in kinds
            for one in entities(self._facts, self._view, kind, known=self._known)
        )
        return [one for one in made if not wanted or any(_holds(found, one) for found in wanted)]

    def _ref(self, name: EntityId) -> str:
        space, _, bare = entity_name(name).rpartition("/")
        return f"{_KINDS.get(entity_kind(name), 'Resource').lower()}:{space or 'default'}/{bare}"

    def _made(self, found: Entity) -> Part:
        told = found.attributes
        space, _, name = entity_name(found.id).rpartition("/")
        given = told.get("kind", "")
        kind = given.capitalize() if given in ("system", "domain") else _KINDS[entity_kind(found.id)]
        kind = "API" if given == "api" else kind
        owner = ownership(self._facts, self._view, found.id, known=self._known).team
        relations = sorted(set(self._relations(found, owner)))
        spec: Part = {key: told[key] for key in ("type", "lifecycle") if told.get(key)}
        spec |= {"owner": self._ref(owner)} if owner else {}
        needs = [target for relation, target in relations if relation == "dependsOn"]
        spec |= {"dependsOn": needs} if needs else {}
        metadata: Part = {
            "name": name,
            "namespace": space or "default",
            "uid": str(uuid.uuid5(uuid.NAMESPACE_URL, found.id)),
            "annotations": self._annotations(found.id),
            "labels": {"tier": told["tier"]} if told.get("tier") else {},
            "tags": [one for one in told.get("tags", "").split(",") if one],
            "links": [{"url": url} for url in told.get("links", "").split()],
            **{key: told[key] for key in ("title", "description") if told.get(key)},
        }
        body: Part = {
            "apiVersion": "backstage.io/v1alpha1",
            "kind": kind,
            "metadata": metadata,
            "spec": spec,
            "relations": [{"type": relation, "targetRef": target} for relation, target in relations],
        }
        metadata["etag"] = hashlib.sha256(orjson.dumps(body)).hexdigest()[:40]
        return body

    def _annotations(self, name: EntityId) -> dict[str, str]:
        stated = self._facts.facts(self._view, kinds=(FactKind.ALIAS,), subjects=self._known.same(name))
        return {
            _ANNOTATIONS[seen]: one.item.object
            for one in stated
            if (seen := one.item.attributes.get("seen_in", "")) in _ANNOTATIONS
        }

    def _relations(self, found: Entity, owner: EntityId | None) -> Iterator[tuple[str, str]]:
        if owner:
            yield "ownedBy", self._ref(owner)
        ids = self._known.same(found.id)
        for outgoing, word in ((True, "dependsOn"), (False, "dependencyOf")):
            for edge in edges(self._facts, self._view, [found.id], outgoing=outgoing, known=self._known):
                if not edge.permitted and not edge.faded:
                    yield word, self._ref(edge.object if outgoing else edge.subject)
        for kind, there, back in _RELATIONS:
            for one in self._facts.facts(self._view, kinds=(kind,), subjects=ids):
                yield there, self._ref(self._known.canonical(one.item.object))
            for one in self._facts.facts(self._view, kinds=(kind,), objects=ids):
                yield back, self._ref(self._known.canonical(one.item.subject))
        if entity_kind(found.id) in ("team", "person"):
            for one in self._facts.facts(self._view, kinds=(FactKind.OWNED_BY,), objects=ids):
                if entity_kind(one.item.subject) in _KINDS:
                    yield "ownerOf", self._ref(self._known.canonical(one.item.subject))


def _conditions(text: str) -> dict[str, list[str]]:
    """
    Of a filter, the values of each key of which one must be there; no values: any.
    """
    found: dict[str, list[str]] = {}
    for part in text.split(","):
        key, equals, value = part.strip().partition("=")
        if key:
            found.setdefault(key.strip().lower(), []).extend([value.strip().lower()] if equals else [])
    return found


def _holds(wanted: dict[str, list[str]], made: Part) -> bool:
    for key, values in wanted.items():
        found = values_at(made, key)
        if not found or (values and not set(values) & found):
            return False
    return True


def values_at(made: Part, key: str, *, cased: bool = False) -> set[str]:
    """
    What stands at a key of an entity (`spec.owner`, `relations.ownedBy`), in lower case unless `cased`.
    """
    if key.startswith("relations."):
        rows = made["relations"] if isinstance(made["relations"], list) else []
        found = {str(one["targetRef"]) for one in rows if one["type"].lower() == key.partition(".")[2]}
    else:
        found = set(_inside(made, key))
    return found if cased else {one.lower() for one in found}


def _inside(value: object, key: str) -> Iterator[str]:
    """
    What stands at a key of dots; a key of an object may have dots itself, and has no case.
    """
    if isinstance(value, list):
        for one in value:
            yield from _inside(one, key)
    elif isinstance(value, dict):
        for name, inner in value.items():
            low = name.lower()
            if low == key:
                yield from _inside(inner, "")
            elif key.startswith(f"{low}."):
                yield from _inside(inner, key[len(low) + 1 :])
    elif not key and value is not None:
        yield str(value)
