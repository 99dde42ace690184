"""
Entities and incidents as resources, and the whole schemas of the tools.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, unquote

import orjson

from graph.resolved import entities, neighbours
from graph.values import EntityKind, Incident, SectionKind, Statement, View, entity_name
from models.contract import Candidate
from service import parts
from service.fence import clean, safe, safe_id
from service.mcp import cursors
from service.mcp.asking import Asking, named
from service.mcp.refusals import UNKNOWN, Refusal
from service.mcp.shaping import Row, gap
from service.mcp.tools import TOOLS

ENTITY, INCIDENT, SCHEMA = "precedent://entity/", "precedent://incident/", "precedent://schema/"
TEMPLATES = ((f"{ENTITY}{{+id}}", "entity"), (f"{INCIDENT}{{+id}}", "incident"))
PAGE = 50
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
    if kind != "service" or not plain:
        raise Refusal(UNKNOWN)
    service, _ = named(asking, view, plain)
    if service is None:
        raise Refusal(UNKNOWN)
    gaps: list[str] = []
    part: Any = parts.owner_part(asking.memory, view, service, sorted, gaps.append)
    near = neighbours(asking.memory.facts, view, [service], depth=1)
    described = next(
        (one for one in entities(asking.memory.facts, view, EntityKind.SERVICE) if one.id == service), None
    )
    records = [one.record for one in described.statements] if described else []
    shaper = asking.shaper([*records, *part["evidence"]], "full")
    found: Row = {
        "id": shaper.entity(service, records),
        "owner": shaper.owner(part),
        "depends_on": shaper.entities((one.entity for one in near if one.path[0].outgoing), 25),
        "dependents": shaper.entities((one.entity for one in near if not one.path[0].outgoing), 25),
        "gaps": [gap(one) for one in gaps],
    }
    words = [described.attributes.get(key, "") for key in ("title", "description")] if described else []
    if any(words):
        found["untrusted_text"] = shaper.quote("\n".join(filter(None, words)), records)
    return found | ({"names": shaper.names} if shaper.names else {})


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
