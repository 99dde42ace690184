"""
What could be answered for each service, before it pages, and what to mend.
"""

from __future__ import annotations

from graph.resolved import entities
from graph.values import EntityKind, FactKind, View, entity_name
from service.wiring import Memory

_EDGES = (FactKind.DEPENDS_ON,)
PARTS = ("owner", "changes", "incidents", "runbook", "dependencies")


def readiness(memory: Memory, view: View) -> dict[str, object]:
    """
    Per service which parts are there, and the share of services that has each.
    """
    directory = memory.catalogue.directory(view)
    changed = {name for one in memory.store.changes(view, limit=20_000) for name in one.item.services}
    hurt = {name for one in memory.store.incidents(view) for name in one.item.services}
    paged = {name for one in memory.store.runbooks(view) for name in one.item.services}
    linked = {one.item.subject for one in memory.facts.facts(view, kinds=_EDGES)}
    rows: list[tuple[str, dict[str, bool]]] = []
    for one in entities(memory.facts, view, EntityKind.SERVICE):
        if one.attributes.get("kind") == "api":
            continue
        members = directory.members(one.id)
        has = {
            "owner": one.id in directory.owners,
            "changes": bool(members & changed),
            "incidents": bool(members & hurt),
            "runbook": bool(members & paged),
            "dependencies": bool(members & linked),
        }
        rows.append((entity_name(one.id), has))
    share = {name: sum(has[name] for _, has in rows) / len(rows) if rows else None for name in PARTS}
    return {"services": [_row(name, has) for name, has in sorted(rows, key=_worst_first)], "share": share}


def _worst_first(row: tuple[str, dict[str, bool]]) -> tuple[int, str]:
    return sum(row[1].values()), row[0]


def _row(name: str, has: dict[str, bool]) -> dict[str, object]:
    missing = [part for part in PARTS if not has[part]]
    return {"service": name, "has": has, "missing": missing, "score": 1 - len(missing) / len(PARTS)}
