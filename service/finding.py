"""
Search over everything: services by any part of a name, teams, incidents, changes, runbooks and alert rules.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from graph.errors import StoreUnavailable
from graph.searching import Scope
from graph.values import EntityId, EntityKind, FactKind, ItemKind, View, entity_kind, entity_name
from models.directory import Directory
from models.precedents import PrecedentQuestion
from models.runbooks import RunbookQuestion
from service import parts
from service.dossier import change_row
from service.parts import Part
from service.wiring import Memory

SHOWN = 10
KEPT = 4
"""Directories whose names are kept ready."""
WORTH = 0.2
"""An incident or runbook that is less likely meant is not shown."""


@dataclass(frozen=True, slots=True)
class _Names:
    """
    What is searched by name, of one directory: (name in lower case, what it names, how it is told).
    """

    directory: Directory
    services: list[tuple[str, EntityId, str]]
    groups: list[tuple[str, EntityId, str]]
    owned: Counter[EntityId]


class Finder:
    """
    Finds by name without walking all facts each time. Safe to share between threads.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._names: deque[_Names] = deque(maxlen=KEPT)

    def find(self, view: View, text: str) -> Part:
        """
        What a text may mean, by kind, the best first.
        """
        memory, gaps = self._memory, list[str]()
        names = self._named(view)
        found: Part = {"query": text, "services": _services(memory, view, names, text), "teams": _groups(names, text)}
        found["alerts"] = _alerts(memory, view, text)
        try:
            found["incidents"] = _incidents(memory, view, text)
            found["changes"] = [change_row(one) for one in memory.store.changes(view, ids=[text], limit=SHOWN)]
            found["runbooks"] = _runbooks(memory, view, text)
        except StoreUnavailable as error:
            gaps.append(f"without incidents, changes and runbooks: {error}")
        found["gaps"] = [*gaps, *memory.lags()]
        return found

    def _named(self, view: View) -> _Names:
        directory = self._memory.catalogue.directory(view)
        held = next((one for one in list(self._names) if one.directory is directory), None)
        if held is None:
            held = _names_of(self._memory, view, directory)
            self._names.append(held)
        return held


def _names_of(memory: Memory, view: View, directory: Directory) -> _Names:
    services = [
        (named.name.lower(), service, f"{named.name} ({named.seen_in})")
        for service, names in directory.services.items()
        for named in names
    ]
    owned = Counter(directory.owners.values())
    stated = {one.item.subject for one in memory.facts.facts(view, kinds=(FactKind.ENTITY,))}
    known = {one for one in stated if entity_kind(one) in (EntityKind.TEAM, EntityKind.PERSON)} | owned.keys()
    return _Names(directory, services, [(entity_name(one).lower(), one, entity_kind(one)) for one in known], owned)


def _services(memory: Memory, view: View, names: _Names, text: str) -> list[Part]:
    wanted = text.lower()
    found: dict[EntityId, tuple[int, str]] = {}
    for name, service, says in names.services:
        if wanted in name:
            rank = 0 if name == wanted else 1 if name.startswith(wanted) else 2
            found[service] = min(found.get(service, (9, "")), (rank, says))
    best = sorted(found, key=lambda one: (found[one][0], len(one), one))[:SHOWN]
    if not best:
        likely = memory.resolver.lookup(text, view)
        best = [] if likely.abstained else [one.id for one in likely.candidates[:3]]
    owners = names.directory.owners
    return [
        {
            "name": entity_name(one),
            "owner": entity_name(owners[one]) if one in owners else None,
            "matched": found[one][1] if one in found else "by the structure of its names",
        }
        for one in best
    ]


def _groups(names: _Names, text: str) -> list[Part]:
    """
    Teams and people, with how many services a team owns.
    """
    wanted = text.lower()
    held = [one for one in names.groups if wanted in one[0]]
    best = sorted(held, key=lambda one: (one[0] != wanted, not one[0].startswith(wanted), one))
    return [{"name": entity_name(one), "kind": kind, "services": names.owned[one]} for _, one, kind in best[:SHOWN]]


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
    held = [(one.lower(), one) for one in names]
    found = [(name != wanted, not name.startswith(wanted), name, one) for name, one in held if wanted in name]
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
