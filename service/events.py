"""
Past incidents as they are shown: those that tell of one event once, by the one that says what fixed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from graph.values import Incident
from models.contract import Candidate

Told = tuple[Candidate, Incident]


def with_likes(candidates: Iterable[Candidate], leading: Iterable[Candidate]) -> list[Candidate]:
    """
    These of the candidates, each with those that tell of the same event.
    """
    wanted = {one.event for one in leading}
    return [one for one in candidates if one.event in wanted]


def told_once(stated: Iterable[Told]) -> Iterator[Told]:
    """
    Each event once, in the order of what tells of it first, with that one's probability.
    """
    events: dict[str, list[Told]] = {}
    for one, incident in stated:
        events.setdefault(one.event, []).append((one, incident))
    for told in events.values():
        best, shown = next((one for one in told if one[1].fixes), told[0])
        others = dict.fromkeys([*(one.id for one, _ in told), *(name for one, _ in told for name in one.same_event)])
        rest = tuple(name for name in others if name != best.id)
        yield replace(best, probability=told[0][0].probability, same_event=rest), shown
