"""
Past incidents as they are shown: those that tell of one event once, by the one that says what fixed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from graph.values import Incident
from models.contract import Candidate

Told = tuple[Candidate, Incident]


def with_likes(candidates: Sequence[Candidate], leading: Iterable[Candidate]) -> list[Candidate]:
    """
    These of the candidates, each with those that tell of the same event.
    """
    wanted = {name for one in leading for name in (one.id, *one.same_event)}
    return [one for one in candidates if one.id in wanted]


def told_once(stated: Iterable[Told]) -> Iterator[Told]:
    """
    Each event once, in the order of what tells of it first, with that one's probability.
    """
    known = {one.id: (one, incident) for one, incident in stated}
    for first, incident in known.values():
        if first.told_by in known:
            continue
        told = [(first, incident), *(known[name] for name in first.same_event if name in known)]
        best, shown = next((one for one in told if one[1].fixes), told[0])
        rest = tuple(name for name in (first.id, *first.same_event) if name != best.id)
        yield replace(best, probability=first.probability, same_event=rest), shown
