"""
What changed: the changes that may be behind an alert, ranked by exposure and evidence, with "none of these" among them.

A conditional logit (McFadden 1974) over the candidate changes and "none". Each term has a name, and its weight stands
in one table; parameters that were learned on real organisations' reverts override the defaults. Nothing that happened
after the alert fired is a candidate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graph.contract import Store
from graph.values import UNPLACED, Change, Statement, View, entity_name
from models.contract import Candidate, Ranking, Term, doubted
from models.exposure import tied
from models.hypotheses import hypotheses, together
from models.parameters import Parameters
from models.signals import Signals, entity
from models.suspect_places import reaches
from models.suspect_question import SuspectQuestion
from models.suspect_sentences import SENTENCES, Words
from models.suspect_terms import AREA_WEIGHTS, WEIGHTS, Read, read, terms_of

__all__ = [
    "AREA_WEIGHTS",
    "SENTENCES",
    "WEIGHTS",
    "Signals",
    "SuspectQuestion",
    "Suspects",
    "Weighing",
    "rank",
    "terms_of",
    "weighing",
]

MOST = 200
"""Candidates that are looked at, newest first."""
EXPLAINED = 6
"""Candidates whose terms are put into words."""
NONE = 1.8
"""About every third alert is no change's doing, and a guess costs more than none."""
UNSEEN_NONE = -0.5
"""The same where no logs, traces or metrics were given: that a change does not touch what nobody told says nothing.
Chosen so that "none" is right about as often as it is said, on organisations that we made up."""
AREA_NONE = -4.0
"""Where somebody takes a change back, there is one."""
CROWD = 0.35
"""How "none" rises with the number of candidates: more of them don't make it less likely by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """
    The weights of the terms, and the level of "none": where a service is asked about with signals, without them, and
    where an area of files is. `sharpness` scales the scores of an area.
    """

    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)
    area: Mapping[str, float] = field(default_factory=lambda: AREA_WEIGHTS)
    none: float = NONE
    unseen_none: float = UNSEEN_NONE
    area_none: float = AREA_NONE
    sharpness: float = 1.0


DEFAULT = Weighing()


def weighing(parameters: Parameters | None) -> Weighing:
    """
    What parameters say, else the defaults: `weights` and `area` by term, and the numbers by their names.
    """
    if parameters is None:
        return DEFAULT
    return Weighing(
        weights={**WEIGHTS, **parameters.numbers("weights")},
        area={**AREA_WEIGHTS, **parameters.numbers("area")},
        none=parameters.number("none", NONE),
        unseen_none=parameters.number("unseen_none", UNSEEN_NONE),
        area_none=parameters.number("area_none", AREA_NONE),
        sharpness=parameters.number("sharpness", 1.0),
    )


class Suspects:
    """
    Ranks from a store, with shipped parameters or the defaults.
    """

    def __init__(self, store: Store, parameters: Parameters | None = None) -> None:
        self._store = store
        self._weighing = weighing(parameters)

    def rank(self, question: SuspectQuestion, view: View) -> Ranking:
        """
        Candidates before the alert within the window, best first.
        """
        return rank(self._candidates(question, view), question, self._weighing)

    def _candidates(self, question: SuspectQuestion, view: View) -> tuple[Statement[Change], ...]:
        start = question.at - question.window
        services = None
        if question.services and not (question.areas or question.everywhere):
            services = {*question.hurt, *question.steps, UNPLACED}
        return self._store.changes(view, services=services, start=start, end=question.at, limit=MOST)


def rank(
    found: Sequence[Statement[Change]],
    question: SuspectQuestion,
    by: Weighing = DEFAULT,
) -> Ranking:
    """
    Rank given changes. The same as `Suspects.rank`, for callers that have the changes at hand. What came after
    the alert, or to another region alone, is no suspect.
    """
    before = [one for one in found if one.item.at <= question.at and reaches(one.item.region, question.region)]
    every = read([one.item for one in before], question)
    deeds = tied(every.exposures)
    kept = [place for place in range(len(before)) if place not in deeds]
    changes = [before[place] for place in kept]
    rows = [every.rows[place] for place in kept]
    weights = {name: weight * by.sharpness for name, weight in by.area.items()} if question.areas else by.weights
    scores = [sum(value * weights.get(name, 0.0) for name, value in row.items()) for row in rows]
    others = _others(question, every)
    base = none_score(question, len(changes), others, by)
    top = max([*scores, base])
    total = sum(math.exp(score - top) for score in scores) + math.exp(base - top)
    order = sorted(range(len(changes)), key=lambda place: (-scores[place], -changes[place].item.at.timestamp()))
    candidates = tuple(
        Candidate(
            id=changes[place].item.id,
            probability=doubted(math.exp(scores[place] - top) / total),
            terms=explained(rows[place], weights, _words(kept[place], every, before, question))
            if rank < EXPLAINED
            else (),
            evidence=_records(kept[place], every, before),
            statement=changes[place].seq,
        )
        for rank, place in enumerate(order[:100])
    )
    none_p = doubted(math.exp(base - top) / total, none=True)
    best = candidates[0].probability if candidates else 0.0
    return Ranking(
        candidates=candidates,
        none_probability=none_p,
        abstained=none_p >= best,
        gaps=_gaps(question.signals),
        hypotheses=others,
    )


def none_score(question: SuspectQuestion, count: int, others: Sequence[Term], by: Weighing) -> float:
    """
    The log-odds of "no change explains this".
    """
    service = by.none if _seen(question.signals) else by.unseen_none
    level = by.area_none * by.sharpness if question.areas else service
    return level + math.log1p(count) * CROWD + together(others)


def _others(question: SuspectQuestion, every: Read) -> tuple[Term, ...]:
    """
    What else it may be.
    """
    if not (question.text or question.signals):
        return ()
    apart = {entity(name) for name in question.signals.together()}
    reached = max((len(apart.intersection(one.services)) for one in every.exposures), default=0) if apart else 0
    names = {entity_name(one) for one, chance in question.hurt.items() if chance >= 0.2}
    return hypotheses(question.text, question.signals, question.onset, names, reached)


def _records(place: int, every: Read, before: Sequence[Statement[Change]]) -> tuple[str, ...]:
    deploy = every.exposures[place].deploy
    own = before[place].record
    return (own,) if deploy is None or before[deploy].record == own else (own, before[deploy].record)


def _gaps(signals: Signals) -> tuple[str, ...]:
    """
    What a caller could have told, and did not.
    """
    return () if _seen(signals) else ("no logs, traces or metrics were given with the alert",)


def _seen(signals: Signals) -> bool:
    return bool(signals.patterns or signals.edges or signals.metrics or signals.failing or signals.notes)


def _words(place: int, every: Read, before: Sequence[Statement[Change]], question: SuspectQuestion) -> Words:
    return Words(before[place].item, every.exposures[place], question, every.told.by(place))


def explained(row: Mapping[str, float], weights: Mapping[str, float], words: Words) -> tuple[Term, ...]:
    """
    The terms that count for a change, the weightiest first: each weight is what its term adds to the log-odds.
    """
    terms = [
        Term(name=name, value=value, weight=weight, says=words.says(name))
        for name, value in row.items()
        if abs(weight := value * weights.get(name, 0.0)) > 0.05
    ]
    return tuple(sorted(terms, key=lambda term: -abs(term.weight)))
