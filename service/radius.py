"""
The blast radius for a reader: dependents and dependencies with the edges that lead there, and how much they matter.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from graph.radius import Edge, Reach, Reached, Saying, cycles, reach
from graph.values import EntityId, View, entity_kind, entity_name
from service.parts import Cite, Part, stamp
from service.wiring import Memory

SHOWN = 25
APART = 10
"""Edges at most that are shown of those that do not count."""
LEVELS = ("critical", "high", "normal", "low", "unknown")
_TIERS: Mapping[str, str] = {
    "0": "critical", "1": "critical", "critical": "critical", "platinum": "critical", "mission_critical": "critical",
    "2": "high", "high": "high", "gold": "high", "important": "high",
    "3": "normal", "normal": "normal", "medium": "normal", "silver": "normal", "standard": "normal",
    "4": "low", "5": "low", "low": "low", "bronze": "low", "best_effort": "low",
}  # fmt: skip
_UNUSED = frozenset(
    {"experimental", "deprecated", "retired", "end_of_life", "end-of-life", "alpha", "sandbox", "ended"}
)
_LIVE = frozenset({"production", "ga", "live", "active", "operational", "generally available"})


def criticality(attributes: Mapping[str, str]) -> str:
    """
    How much a service matters, by its tier; without one by its lifecycle. What is not in use matters little.
    """
    tiers = tuple(attributes.get(key, "") for key in ("tier", "criticality", "business_criticality"))
    return _criticality(attributes.get("lifecycle", ""), tiers)


@lru_cache(maxsize=1000)
def _criticality(lifecycle: str, tiers: tuple[str, ...]) -> str:
    if lifecycle.strip().lower().replace("-", "_") in _UNUSED:
        return "low"
    for tier in tiers:
        given = re.sub(r"^(?:tier|t|p)[\s_-]*(?=\d)|\s.*$", "", tier.strip().lower())
        if given.replace("-", "_") in _TIERS:
            return _TIERS[given.replace("-", "_")]
    return "normal" if lifecycle.strip().lower() in _LIVE else "unknown"


def radius_part(
    memory: Memory, view: View, service: EntityId | None, cite: Cite, *, depth: int = 2, limit: int = 200,
    shown: int = SHOWN, needs: Reach | None = None, brief: bool = False,
) -> Part:  # fmt: skip
    """
    What depends on a service and what it depends on, nearest first; without a service nothing. `needs` is what it
    depends on, where that is known already. `brief`: of each edge no more than kinds, sources and age.
    """
    sides = {"dependents": Reach(), "dependencies": Reach()}
    if service is not None:
        known = memory.catalogue.directory(view).identity
        for side, outgoing in (("dependents", False), ("dependencies", True)):
            known_already = needs if outgoing else None
            sides[side] = known_already or reach(
                memory.facts, view, [service], outgoing=outgoing, depth=depth, limit=limit, known=known
            )
    # the counts rest on those that are not shown, too
    cite(_records(edge for side in sides.values() for one in side.reached for edge in one.path))
    levels = described(memory, view, {one.entity for side in sides.values() for one in side.reached})
    start = memory.catalogue.directory(view).identity.canonical(service) if service else None
    return {
        "service": service,
        **{
            side: [_row(one, levels, cite, brief=brief) for one in found.reached[:shown]]
            for side, found in sides.items()
        },
        "counts": {side: len(found.reached) for side, found in sides.items()},
        "depth": depth,
        "cut": {side: found.cut for side, found in sides.items()},
        "criticality": _worst(levels[one.entity]["criticality"] for one in sides["dependents"].reached),
        "cycles": [
            [entity_name(one) for one in circle]
            for circle in cycles(start or "", sides["dependencies"].reached, sides["dependents"].reached)[:5]
        ],
        "permitted": _apart(sides, "permitted", cite),
        "faded": _apart(sides, "faded", cite),
    }  # fmt: skip


def _records(edges: Iterable[Edge]) -> set[str]:
    return {record for edge in edges for record in edge.records}


def described(memory: Memory, view: View, names: Collection[EntityId]) -> dict[EntityId, dict[str, str | None]]:
    """
    Tier and lifecycle of each as sources give them, and how much it matters.
    """
    directory = memory.catalogue.directory(view)
    told = {one: directory.attributes(one) for one in names}
    return {
        one: {"tier": given.get("tier"), "lifecycle": given.get("lifecycle"), "criticality": criticality(given)}
        for one, given in told.items()
    }


def _worst(levels: Iterable[str | None]) -> Part:
    counts = Counter(level or "unknown" for level in levels)
    worst = next((level for level in LEVELS if counts[level]), None)
    return {"worst": worst, "counts": {level: counts[level] for level in LEVELS if counts[level]}}


def _row(one: Reached, told: Mapping[EntityId, Mapping[str, str | None]], cite: Cite, *, brief: bool) -> Part:
    return {
        "id": one.entity,
        "name": entity_name(one.entity),
        "steps": len(one.path),
        "kind": entity_kind(one.entity),
        **told[one.entity],
        "strength": round(one.strength, 3),
        "via": [entity_name(edge.subject) + " -> " + entity_name(edge.object) for edge in one.path],
        "edge": _brief(one.path[-1]) if brief else edge_part(one.path[-1]),
        "evidence": cite(_records(one.path)),
    }


def _brief(edge: Edge) -> Part:
    return {
        "kinds": edge.kinds,
        "sources": list(dict.fromkeys(one.statement.source for one in edge.sayings)),
        "age_days": min((one.age.days for one in edge.sayings if one.age is not None), default=None),
    }


def edge_part(edge: Edge) -> Part:
    """
    One edge with who says so, and how old each saying is.
    """
    return {
        "from": edge.subject,
        "to": edge.object,
        "kinds": list(edge.kinds),
        "strength": round(edge.strength, 3),
        "sources": [_saying(one) for one in edge.sayings[:5]],
    }


def _saying(one: Saying) -> Part:
    return {
        "source": one.statement.source,
        "kind": one.kind,
        "trust": one.statement.trust.name.lower(),
        "since": stamp(one.since),
        "last_seen": one.statement.item.attributes.get("last_seen"),
        "age_days": one.age.days if one.age is not None else None,
        "samples": one.statement.item.attributes.get("samples"),
        "evidence": [one.statement.record],
    }


def _apart(sides: Mapping[str, Reach], which: str, cite: Cite) -> list[Part]:
    """
    Edges that are no dependencies, of both directions.
    """
    rows: list[Part] = []
    for side, found in sides.items():
        edges: Sequence[Edge] = found.permitted if which == "permitted" else found.faded
        for edge in edges[:APART]:
            cite(_records([edge]))
            rows.append({"direction": side, **edge_part(edge)})
    return rows
