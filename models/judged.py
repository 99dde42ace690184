"""
What people judged of earlier answers, as a bounded weight for later ones.

A voice counts once for each thing, with its last verdict: fully where the same alert fired, by half where only the
service is the same. However many voices agree, the odds of a thing at most double or halve, so verdicts settle what is
close and never put the wrong thing before one that the evidence puts far ahead.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from graph.replica import Replica
from graph.values import EntityId, Fact, FactKind, Statement, View
from models.contract import Candidate, Ranking, Term, chance

BOUND = math.log(2)
"""In log-odds, either way."""
SAME_SERVICE = 0.5
SLOW = 2.0
"""Voices until half of the bound is reached."""
FOR: Mapping[str, float] = {"useful": 1.0, "fixed": 1.0, "not_useful": -1.0, "not_cause": -1.0}
SOURCE = "feedback"
"""Who may say so: our own API alone."""
CITED = 2
"""Verdicts that an answer cites, of all that count."""
MOST = 500
"""Verdicts on one thing that are looked at, the latest; more change nothing."""


@dataclass(frozen=True, slots=True)
class Scope:
    """
    For what a verdict is asked: the alert that fires and the services that it may be about.
    """

    alert: str
    services: frozenset[EntityId]


@dataclass(frozen=True, slots=True)
class Judged:
    """
    What the voices come to: `weight` in log-odds within the bound, how many were for and against, and their records.
    """

    weight: float = 0.0
    approved: int = 0
    refused: int = 0
    records: tuple[str, ...] = ()


NONE = Judged()


def judged(facts: Replica, view: View, subjects: Collection[str], scope: Scope) -> dict[str, Judged]:
    """
    By subject, what was judged of it in this scope; subjects of which nothing was judged are left out.
    """
    if not subjects or not facts.any(FactKind.JUDGED):
        return {}
    found: dict[str, dict[str, tuple[float, Statement[Fact]]]] = {}
    for one in facts.facts(view, kinds=(FactKind.JUDGED,), subjects=subjects)[-MOST * len(subjects) :]:
        share = _share(one.item.attributes, scope) if one.source == SOURCE else 0.0
        if share:
            voices = found.setdefault(one.item.subject, {})
            held = voices.get(one.item.object)
            # of a voice's verdicts the nearest counts, and of equally near ones the last
            if held is None or share >= abs(held[0]):
                voices[one.item.object] = (share * FOR.get(one.item.attributes.get("verdict", ""), 0.0), one)
    return {subject: _summed(list(voices.values())) for subject, voices in found.items()}


def _share(attributes: Mapping[str, str], scope: Scope) -> float:
    if attributes.get("alert") and attributes["alert"] == scope.alert:
        return 1.0
    return SAME_SERVICE if attributes.get("service") in scope.services else 0.0


def _summed(voices: list[tuple[float, Statement[Fact]]]) -> Judged:
    total = sum(worth for worth, _ in voices)
    return Judged(
        weight=BOUND * total / (abs(total) + SLOW),
        approved=sum(worth > 0 for worth, _ in voices),
        refused=sum(worth < 0 for worth, _ in voices),
        records=tuple(one.record for _, one in voices[-CITED:]),
    )


def subjects(ranking: Ranking, kind: str, most: int) -> list[str]:
    """
    The first candidates as what can be judged.
    """
    return [f"{kind}:{one.id}".lower() for one in ranking.candidates[:most]]


def adjusted(ranking: Ranking, verdicts: Mapping[str, Judged], kind: str, confident: float | None = None) -> Ranking:
    """
    A ranking of things that are right or wrong each for itself, with what was judged of them as one more term. With
    `confident` it abstains where the best is below that.
    """
    if not verdicts:
        return ranking
    moved = [_moved(one, verdicts.get(f"{kind}:{one.id}".lower(), NONE)) for one in ranking.candidates]
    moved.sort(key=lambda one: -one.probability)
    best = moved[0].probability if moved else 0.0
    abstained = ranking.abstained if confident is None else best < confident
    return replace(ranking, candidates=tuple(moved), none_probability=1 - best, abstained=abstained)


def _moved(one: Candidate, verdict: Judged) -> Candidate:
    if not verdict.weight:
        return one
    p = min(max(one.probability, 1e-9), 1 - 1e-9)
    return replace(
        one,
        probability=chance(math.log(p / (1 - p)) + verdict.weight),
        terms=(*one.terms, term_of(verdict)),
        evidence=(*one.evidence, *verdict.records),
    )


def term_of(verdict: Judged) -> Term:
    """
    The verdicts as a named term.
    """
    says = " and ".join(
        f"{count} {'person' if count == 1 else 'people'} judged it {word}"
        for count, word in ((verdict.approved, "right"), (verdict.refused, "wrong"))
        if count
    )
    return Term(name="feedback", value=float(verdict.approved - verdict.refused), weight=verdict.weight, says=says)


def shared_out(ranking: Ranking, verdicts: Mapping[str, Judged], kind: str) -> Ranking:
    """
    A ranking of which one at most is right, "none" among them: the odds of each against all others are moved, and the
    whole is one again.
    """
    if not verdicts:
        return ranking
    weights = [verdicts.get(f"{kind}:{one.id}".lower(), NONE) for one in ranking.candidates]
    shares = [
        one.probability * math.exp(verdict.weight) for one, verdict in zip(ranking.candidates, weights, strict=True)
    ]
    whole = 1 + sum(shares) - sum(one.probability for one in ranking.candidates)
    found = [
        replace(_moved(one, verdict), probability=share / whole)
        for one, verdict, share in zip(ranking.candidates, weights, shares, strict=True)
    ]
    found.sort(key=lambda one: -one.probability)
    none = ranking.none_probability / whole
    best = found[0].probability if found else 0.0
    return replace(ranking, candidates=tuple(found), none_probability=none, abstained=none >= best)
