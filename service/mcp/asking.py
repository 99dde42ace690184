"""
Who asks what memory, and what the tools' answers have in common: names resolved, records cited, pages that fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

import orjson

from graph.values import EntityId, EntityKind, FactKind, View, entity_id, entity_name
from ingest.parsing import asked_time
from models.contract import Candidate
from service import parts
from service.fence import is_handle, safe
from service.mcp.budget import BUDGETS, size
from service.mcp.shaping import Row, Shaper
from service.tokens import Caller
from service.wiring import Memory

SAME = 0.9
"""How well a name must match a service's to be one of it."""
TEXTS = {"brief": 160, "normal": 280, "full": 700}
"""Characters of a source's words, by detail."""
TEXT_ROOM = 130
"""Tokens that the short text beside the structure may take."""
Evidence: TypeAlias = dict[str, parts.Part]


@dataclass(frozen=True, slots=True)
class Asking:
    """
    Who asks what memory.
    """

    memory: Memory
    who: Caller

    def view(self, as_of: str | None = None, known: float | None = None) -> View:
        """
        The present, or a moment in the past as it was known then; or as it was known when the first page was asked for.
        """
        moment = asked_time(as_of, "as_of") if as_of else datetime.now(UTC)
        at = datetime.fromtimestamp(known, UTC) if known else moment
        return View(as_of=moment if as_of else at, known_at=at, visibility=self.who.visibility)

    def shaper(self, ids: Iterable[str], detail: str = "normal") -> Shaper:
        """
        Shapes parts that rest on these records, as they are now.
        """
        return Shaper(self.evidence(ids), TEXTS[detail], self.known(self.view()))

    def known(self, view: View) -> Callable[[str], bool]:
        """
        Whether there is an entity of a name, or a service that goes by it.
        """
        directory = self.memory.catalogue.directory(view)

        def known(name: str) -> bool:
            ids = [entity_id(kind, name) for kind in EntityKind]
            stated = self.memory.facts.facts(view, kinds=(FactKind.ENTITY,), subjects=ids)
            return bool(stated) or any(one.quality > SAME for one in directory.match(name)[0][:1])

        return known

    def evidence(self, ids: Iterable[str]) -> Evidence:
        """
        Where records come from.
        """
        wanted = sorted({one for one in ids if one})
        found = self.memory.store.excerpts(wanted, visibility=self.who.visibility, length=0) if wanted else ()
        return {one.id: {"source": one.source, "connector": one.connector} for one in found}


def named(asking: Asking, view: View, name: str) -> tuple[EntityId | None, Sequence[Candidate]]:
    """
    The service of a name, or what is close. A handle stands for a name that was too long to be shown.
    """
    plain = name.removeprefix("service:")
    if is_handle(plain):
        known = asking.memory.catalogue.directory(view).services
        return next((one for one in known if safe(entity_name(one)) == plain), None), ()
    ranking = asking.memory.resolver.lookup(plain, view)
    if ranking.abstained or not ranking.candidates:
        return None, ranking.candidates[:3]
    return ranking.candidates[0].id, ()


def nothing(asking: Asking, close: Sequence[Candidate]) -> Row:
    shaper = asking.shaper(record for one in close for record in one.evidence)
    rows = [{"id": one.id, "probability": one.probability, "evidence": list(one.evidence)} for one in close]
    return explained({"service": None, "candidates": shaper.likely(rows)}, shaper)


def page(rows: list[Row]) -> list[Row]:
    """
    As many rows as the budget has room for, and at least one.
    """
    room = BUDGETS["normal"] - TEXT_ROOM - 200
    for place, row in enumerate(rows):
        room -= size(row)
        if room < 0 and place:
            return rows[:place]
    return rows


def explained(found: Row, shaper: Shaper) -> Row:
    names = used_names(found, shaper)
    return found | ({"names": names} if names else {})


def used_names(answer: Row, shaper: Shaper) -> list[Row]:
    """
    The names that still stand in the answer.
    """
    body = orjson.dumps({key: value for key, value in answer.items() if key != "names"}).decode()
    return [one for one in shaper.names if one["id"] in body]
