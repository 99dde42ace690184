"""
Where changes lie, seen from what is asked: on the failing service, on what it calls, in the hurt area, elsewhere.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

from graph.values import Change
from models.exposure import SLACK, Exposure, Way
from models.names import tokens
from models.paths import area_of, areas_of, nearness, parent
from models.suspect_question import SuspectQuestion


class Places:
    """
    Where changes lie, seen from what is asked.
    """

    def __init__(
        self, changes: Sequence[Change], found: Sequence[Exposure], live: Sequence[int], question: SuspectQuestion
    ) -> None:
        self._changes, self._found, self._question = changes, found, question
        self._areas = set(question.areas)
        self._hurt_chances, self._steps = question.hurt, question.steps
        self._late = question.onset + SLACK
        self._above = {parent(area) for area in self._areas}
        self._hurt = {service for service, chance in question.hurt.items() if chance >= 0.2}
        there = [place for place in live if not self._hurt or not self._hurt.isdisjoint(found[place].services)]
        self._newer = sorted(found[place].at for place in there)
        self._newer_there = (
            sorted(changes[place].at for place in live if self._areas & areas_of(changes[place].files))
            if self._areas
            else []
        )

    def terms(self, place: int) -> dict[str, float]:
        """
        The terms of where and when of one change.
        """
        change, exposure, question = self._changes[place], self._found[place], self._question
        row: dict[str, float] = {}
        if newer := len(self._newer) - bisect_right(self._newer, exposure.at):
            row["rank"] = math.log1p(newer)
        if self._areas:
            row |= self._area(change)
        if self._hurt_chances:
            self._service(change, exposure, row)
        if exposure.way is Way.HELD:
            row["held"] = 1.0
        if exposure.at > self._late:
            row["late"] = 1.0
        if (
            question.environment
            and change.environment
            and not _same_environment(question.environment, change.environment)
        ):
            row["environment"] = 1.0
        return row

    def _area(self, change: Change) -> dict[str, float]:
        inside = sum(area_of(path) in self._areas for path in change.files)
        newer = len(self._newer_there) - bisect_right(self._newer_there, change.at)
        beside = not inside and bool(self._above & {parent(area_of(path)) for path in change.files})
        return {
            "area": float(inside > 0),
            "area_share": inside / len(change.files) if change.files else 0.0,
            "area_rank": math.log1p(newer) if inside else 0.0,
            "parent": float(beside),
        }

    def _service(self, change: Change, exposure: Exposure, row: dict[str, float]) -> None:
        services = exposure.services or change.services
        own = max((self._hurt_chances.get(service, 0.0) for service in services), default=0.0)
        if own:
            row["service"] = own
        if own < 0.2:
            near = [self._steps[service] for service in services if service in self._steps]
            if near:
                row["neighbour"], row["distance"] = 1.0, float(min(near))
            elif services and own < 0.05:
                row["other"] = 1.0
        elif exposure.way is Way.DEPLOYED:
            row["deployed"] = 1.0
        if exposure.way is Way.CARRIED and not change.services:
            row["shared"] = 1.0
        if not services:
            row |= _unplaced(change, self._question)
            if exposure.way is Way.ELSEWHERE and not (row["path"] or row["named"]):
                row["unplaced"] = 1.0


def _unplaced(change: Change, question: SuspectQuestion) -> dict[str, float]:
    """
    Of a change that names no service, where it is by its files and its title.
    """
    files = change.files[:50]
    path = max(
        (chance * nearness(file, place) for place, chance in question.places.items() for file in files), default=0.0
    )
    given = [frozenset(tokens(text)) for text in (change.title, *files)]
    named = (chance for name, chance in question.names.items() if any(name <= words for words in given))
    row = {"path": path, "named": max(named, default=0.0)}
    return {**row, "unplaced": float(bool(question.places or question.names) and not any(row.values()))}


_EVERYWHERE = frozenset(("global", "all", "multi", "any", "*"))


def reaches(region: str | None, asked: str | None) -> bool:
    """
    Whether a change in a region can show in another; a zone lies in its region, and what names none may be anywhere.
    """
    if not (region and asked):
        return True
    one, other = region.lower(), asked.lower()
    return one in _EVERYWHERE or other in _EVERYWHERE or one.startswith(other) or other.startswith(one)


_SHORT = {
    "production": "prod",
    "prd": "prod",
    "live": "prod",
    "stage": "staging",
    "stg": "staging",
    "development": "dev",
}


def _same_environment(left: str, right: str) -> bool:
    return _SHORT.get(left.lower(), left.lower()) == _SHORT.get(right.lower(), right.lower())
