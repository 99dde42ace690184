"""
Entities and incidents as resources, and the whole schemas of the tools.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

import orjson

from graph.resolved import entities, neighbours
from graph.values import (
    EntityKind,
    FactKind,
    Incident,
    SectionKind,
    Statement,
    View,
    entity_id,
    entity_kind,
    entity_name,
)
from models.contract import Candidate
from service import parts
from service.fence import clean, handle, is_handle, safe, safe_id
from service.mcp import cursors
from service.mcp.asking import Asking, named
from service.mcp.refusals import UNKNOWN, Refusal
from service.mcp.shaping import Row, Shaper, gap
from service.mcp.tools import TOOLS

ENTITY, INCIDENT, SCHEMA = "precedent://entity/", "precedent://incident/", "precedent://schema/"
TEMPLATES = ((f"{ENTITY}{{+id}}", "entity"), (f"{INCIDENT}{{+id}}", "incident"))
PAGE = 50
RELATIONS = 50
_URI = re.compile(r"precedent://(entity|incident|schema)/(.{1,300})", re.DOTALL)


def listed(asking: Asking, cursor: str | None) -> tuple[list[tuple[str, str]], str | None]:
    """
    (address, name) of the schemas and the services, a page at a time, and the cursor of the next page.
    """
    place = cursors.read(cursor, "resources")
    rows = [(f"{SCHEMA}{name}", f"schema of {name}") for name in TOOLS]
    known = entities(asking.memory.facts, asking.view(known=place.known), EntityKind.SERVICE)
    ids = sorted(f"service:{safe(entity_name(one.id))}" for one in known)
    rows += [(ENTITY + quote(one, safe=":/@"), one) for one in ids]
    end = place.given + PAGE
    more = cursors.written(place.model_copy(update={"given": end}), "resources") if end < len(rows) else None
    return rows[place.given : end], more


def read(asking: Asking, uri: str) -> bytes:
    """
    A resource as JSON. Raises Refusal where there is none that the caller may see.
    """
    found = _URI.fullmatch(uri)
    if found is None:
        raise Refusal(UNKNOWN)
    kind, name = found[1], unquote(found[2])
    if kind == "schema":
        if name not in TOOLS:
            raise Refusal(UNKNOWN)
        return orjson.dumps(TOOLS[name].whole())
    return orjson.dumps(_entity(asking, name) if kind == "entity" else _incident(asking, name))


def _entity(asking: Asking, name: str) -> Row:
    view = asking.view()
    kind, _, plain = name.partition(":")
    if kind not in list(EntityKind) or not plain:
        raise Refusal(UNKNOWN)
    if kind == EntityKind.SERVICE:
        return _service(asking, view, plain)
    return _other(asking, view, EntityKind(kind), plain)


def _service(asking: Asking, view: View, name: str) -> Row:
    service, _ = named(asking, view, name)
    if service is None:
        raise Refusal(UNKNOWN)
    gaps: list[str] = []
    part: Any = parts.owner_part(asking.memory, view, service, sorted, gaps.append)
    near = neighbours(asking.memory.facts, view, [service], depth=1)
    described = next(
        (one for one in entities(asking.memory.facts, view, EntityKind.SERVICE) if one.id == service), None
    )
    records = [one.record for one in described.statements] if described else []
    said = [part, *part["answers_now"], *part["escalation"], *part["statements"]]
    shaper = asking.shaper([*records, *(record for one in said for record in one["evidence"])], "full")
    found: Row = {
        "id": shaper.entity(service, records),
        "owner": shaper.owner(part),
        "depends_on": shaper.entities((one.entity for one in near if one.path[0].outgoing), 25),
        "dependents": shaper.entities((one.entity for one in near if not one.path[0].outgoing), 25),
        "gaps": [gap(one) for one in gaps],
    }
    if described:
        found |= _described(described.attributes, records, shaper)
    return found | ({"names": shaper.names} if shaper.names else {})


def _other(asking: Asking, view: View, kind: EntityKind, name: str) -> Row:
    """
    A team, person, resource, repository or environment: what it is said to be, and to have to do with others.
    """
    facts = asking.memory.facts
    entity = entity_id(kind, name)
    if is_handle(name):
        # whoever owns something need not be declared by himself
        ends = (end for one in facts.facts(view) for end in (one.item.subject, one.item.object))
        entity = next((one for one in ends if entity_kind(one) == kind and handle(entity_name(one)) == name), entity)
    stated = [*facts.facts(view, subjects=[entity]), *facts.facts(view, objects=[entity])]
    if not stated:
        raise Refusal(UNKNOWN)
    shaper = asking.shaper((one.record for one in stated), "full")
    found: Row = {"id": shaper.entity(entity, [stated[0].record]), "relations": []}
    for one in stated:
        if one.item.kind is FactKind.ENTITY:
            found |= _described(one.item.attributes, [one.record], shaper)
        elif one.item.kind is not FactKind.ALIAS and len(found["relations"]) < RELATIONS:
            both = (one.item.subject, one.item.object)
            subject, target = (shaper.entity(end, [one.record]) for end in both)
            relation = {"kind": one.item.kind.value, "subject": subject, "object": target}
            found["relations"].append(relation | {"trust": one.trust.name.lower(), "record": one.record})
    return found | ({"names": shaper.names} if shaper.names else {})


def _described(attributes: Mapping[str, str], records: Sequence[str], shaper: Shaper) -> Row:
    words = [attributes.get(key, "") for key in ("title", "display_name", "description")]
    return {"untrusted_text": shaper.quote("\n".join(filter(None, words)), records)} if any(words) else {}


def _incident(asking: Asking, name: str) -> Row:
    view = asking.view()
    stated = _stated(asking, view, name)
    incident = stated.item
    shaper = asking.shaper([stated.record], "full")
    weightless = Candidate(id=incident.id, probability=0.0, evidence=(stated.record,))
    told = shaper.precedent(parts.precedent_part(weightless, incident, list))
    del told["probability"]
    words = {kind.value: text for kind, text in _sections(incident)}
    found = told | {
        "why": [],
        "resolved_at": parts.stamp(incident.resolved_at),
        "sections": {kind: {"untrusted_text": shaper.quote(text, [stated.record])} for kind, text in words.items()},
    }
    return found | ({"names": shaper.names} if shaper.names else {})


def _stated(asking: Asking, view: View, name: str) -> Statement[Incident]:
    known = asking.memory.store.incidents(view, [name]) or [
        one for one in asking.memory.store.incidents(view) if name.startswith("~") and safe_id(one.item.id) == name
    ]
    if not known:
        raise Refusal(UNKNOWN)
    return known[0]


def _sections(incident: Incident) -> Iterable[tuple[SectionKind, str]]:
    return ((kind, text) for kind, text in incident.sections.items() if clean(text, 40))
