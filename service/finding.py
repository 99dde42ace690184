"""
Search over everything: services by any part of a name, teams, incidents, changes, runbooks and alert rules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from graph.errors import StoreUnavailable
from graph.searching import Scope
from graph.values import EntityKind, FactKind, ItemKind, View, entity_kind, entity_name
from models.precedents import PrecedentQuestion
from models.runbooks import RunbookQuestion
from service import parts
from service.dossier import change_row
from service.parts import Part
from service.wiring import Memory

SHOWN = 10
WORTH = 0.2
"""An incident or runbook that is less likely meant is not shown."""


def find(memory: Memory, view: View, text: str) -> Part:
    """
    What a text may mean, by kind, the best first.
    """
    gaps: list[str] = []
    found: Part = {"query": text, "services": _services(memory, view, text), "teams": _teams(memory, view, text)}
    found["alerts"] = _alerts(memory, view, text)
    try:
        found["incidents"] = _incidents(memory, view, text)
        found["changes"] = [change_row(one) for one in memory.store.changes(view, ids=[text], limit=SHOWN)]
        found["runbooks"] = _runbooks(memory, view, text)
    except StoreUnavailable as error:
        gaps.append(f"without incidents, changes and runbooks: {error}")
    found["gaps"] = [*gaps, *memory.lags()]
    return found


def _services(memory: Memory, view: View, text: str) -> list[Part]:
    directory = memory.catalogue.directory(view)
    wanted = text.lower()
    found: dict[str, tuple[int, str]] = {}
    for service, names in directory.services.items():
        for named in names:
            name = named.name.lower()
            if wanted in name:
                rank = 0 if name == wanted else 1 if name.startswith(wanted) else 2
                found[service] = min(found.get(service, (9, "")), (rank, f"{named.name} ({named.seen_in})"))
    best = sorted(found, key=lambda one: (found[one][0], len(one), one))[:SHOWN]
    if not best:
        likely = memory.resolver.lookup(text, view)
        best = [] if likely.abstained else [one.id for one in likely.candidates[:3]]
    owners = directory.owners
    return [
        {
            "name": entity_name(one),
            "owner": entity_name(owners[one]) if one in owners else None,
            "matched": found[one][1] if one in found else "by the structure of its names",
        }
        for one in best
    ]


def _teams(memory: Memory, view: View, text: str) -> list[Part]:
    """
    Teams and people, with how many services a team owns.
    """
    directory = memory.catalogue.directory(view)
    owned: dict[str, int] = {}
    for owner in directory.owners.values():
        owned[owner] = owned.get(owner, 0) + 1
    kinds = (EntityKind.TEAM.value, EntityKind.PERSON.value)
    stated = memory.facts.facts(view, kinds=(FactKind.ENTITY,))
    known = {one.item.subject for one in stated if entity_kind(one.item.subject) in kinds} | owned.keys()
    return [
        {"name": entity_name(one), "kind": entity_kind(one), "services": owned.get(one, 0)}
        for one in _best(known, text)
    ]


def _alerts(memory: Memory, view: View, text: str) -> list[Part]:
    rules = memory.catalogue.directory(view).rules
    return [
        {"name": name, "services": sorted({entity_name(one) for rule in rules[name] for one in rule.item.services})}
        for name in _best(rules, text)
    ]


def _best(names: Iterable[str], text: str) -> list[str]:
    """
    Names that hold the text, the same first, then those that begin with it.
    """
    wanted = text.lower()
    held = [(one, entity_name(one).lower() if ":" in one else one.lower()) for one in names]
    found = [(name != wanted, not name.startswith(wanted), name, one) for one, name in held if wanted in name]
    return [one for *_, one in sorted(found)[:SHOWN]]


def _incidents(memory: Memory, view: View, text: str) -> list[Part]:
    exact = memory.catalogue.incidents.incidents(view, [text, text.upper()])
    ranking = memory.precedents.rank(PrecedentQuestion(text=text), view, SHOWN)
    likely = {one.id: one.probability for one in ranking.candidates if one.probability >= WORTH}
    worded = memory.indexer.search_lexical(text, 3 * SHOWN, Scope(view=view, kinds=(ItemKind.INCIDENT,)))
    ids = [*(one.item.id for one in exact), *likely, *(one.document for one in worded)]
    known = {one.item.id: one.item for one in memory.catalogue.incidents.incidents(view, ids)}
    rows: list[Part] = [
        {
            "id": one,
            "title": known[one].title,
            "at": parts.when(known[one]),
            "probability": round(likely[one], 4) if one in likely else None,
        }
        for one in dict.fromkeys(ids)
        if one in known
    ]
    return rows[:SHOWN]


def _runbooks(memory: Memory, view: View, text: str) -> list[Part]:
    ranking = memory.runbooks.rank(RunbookQuestion(text=text), view, SHOWN)
    ids: Collection[str] = [one.id for one in ranking.candidates if one.probability >= WORTH]
    pages = {one.item.id: one.item for one in memory.store.runbooks(view, ids)} if ids else {}
    likely = {one.id: one.probability for one in ranking.candidates}
    return [
        {
            "id": one,
            "title": pages[one].title,
            "url": pages[one].url,
            "approved": pages[one].approved,
            "probability": round(likely[one], 4),
        }
        for one in ids
        if one in pages
    ]
