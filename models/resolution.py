"""
Which service is an alert about, and which team: candidates with probabilities, or "cannot tell".

A conditional logit over the services that some evidence names, with "none of them" as one more alternative. Evidence
adds in log-odds, by weights that are few, learned, and the same for every organisation; what is particular to one is in
its own names and known alerts (`models.resolution_terms`). A value that is exactly a service's declared name decides.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from graph.values import Alert, EntityId, View, entity_name
from models.catalogue import Catalogue
from models.contract import SUREST, Candidate, Ranking, Term, doubted
from models.directory import Directory
from models.logit import scored
from models.matching import Match
from models.parameters import Parameters, load
from models.resolution_terms import KIND_OF, Evidence, Findings, service_terms, team_terms

SHOWN = 50
LISTED = 1 - SUREST
"""A service that is less likely than what nobody thought of is no candidate, beside the best one."""
COST = 4.0
"""How much worse a wrong service is than none, where the two are weighed: the wrong people are woken."""
DECLARED_LABELS = ("service", "service_name")
DECLARED = 0.97
"""The probability of the service that the alert's own label names, where the catalogue knows it by that very name."""

RUNS = ("label", "workload", "job", "repository")
AGAINST = 2
"""So many other labels that agree on another service make the declared label one piece of evidence among others."""


class Resolver:
    """
    Answers from a catalogue. `parameters` (None: the shipped ones) hold the tables of weights `alert` and `team`.
    """

    def __init__(self, catalogue: Catalogue, parameters: Parameters | None = None) -> None:
        self._catalogue = catalogue
        learned = parameters or load("resolution")
        self._alert = learned.numbers("alert")
        self._team = learned.numbers("team")

    def lookup(self, name: str, view: View) -> Ranking:
        """
        The services that a name, as given anywhere, may mean.
        """
        matches, none = self._catalogue.directory(view).match(name)
        candidates = tuple(_candidate(match) for match in matches)
        none = doubted(none, none=True)
        best = candidates[0].probability if candidates else 0.0
        return Ranking(candidates=candidates, none_probability=none, abstained=none >= best)

    def named(self, name: str, view: View) -> dict[EntityId, float]:
        """
        The likeliest services of a name; one that is called exactly so is certain, under an old name too.
        """
        ranking = self.lookup(name, view)
        if ranking.abstained or not ranking.candidates:
            return {}
        best = ranking.candidates[0]
        if name.strip().lower() in _spelled(best.id, self._catalogue.directory(view)):
            return {best.id: 1.0}
        return {one.id: one.probability for one in ranking.candidates[:3]}

    def resolve(self, alert: Alert, view: View) -> Ranking:
        """
        The services that an alert may be about.
        """
        directory = self._catalogue.directory(view)
        declared = _declared(alert, directory)
        if declared:
            return _decided(declared, alert)
        sharp = directory.sharpness(self._alert)
        weights = {name: sharp * weight for name, weight in self._alert.items()}
        return _ranked(service_terms(alert, directory), weights)

    def team(self, alert: Alert, view: View) -> Ranking:
        """
        The teams that an alert may belong to, by name: the owners of its services, and the teams of alerts like it.
        """
        directory = self._catalogue.directory(view)
        services = [(one.id, one.probability) for one in self.resolve(alert, view).candidates[:10]]
        return _ranked(team_terms(alert, directory, services), self._team)

    def owners(self, services: Ranking, view: View) -> Ranking:
        """
        The owners of the best of ranked services; none where it has none, or where it is not sure which it is.
        """
        best = services.candidates[0] if services.candidates else None
        if best is None or services.abstained:
            return Ranking(none_probability=services.none_probability)
        owners = self._catalogue.directory(view).all_owners.get(best.id, ())
        each = best.probability / len(owners) if owners else 0.0
        found = tuple(Candidate(id=one, probability=each, terms=best.terms, evidence=best.evidence) for one in owners)
        return Ranking(candidates=found, none_probability=1 - best.probability if found else 1.0, abstained=not found)


def _candidate(match: Match) -> Candidate:
    logit = math.log(max(match.quality, 1e-9)) - math.log(max(1 - match.quality, 1e-9))
    term = Term(name="name", value=match.quality, weight=logit, says=match.says)
    return Candidate(id=match.service, probability=doubted(match.quality), terms=(term,), evidence=_records(match))


def _records(match: Match) -> tuple[str, ...]:
    """
    The record behind a match; none where only changes use the name.
    """
    return (match.record,) if match.record else ()


def _declared(alert: Alert, directory: Directory) -> Match | None:
    """
    The service that the alert's label names, if it is exactly a name that the catalogue knows, and the other labels do
    not all say otherwise.
    """
    for label in DECLARED_LABELS:
        value = alert.labels.get(label, "")
        matches, _ = directory.match(value) if value else ([], 0.0)
        if matches and matches[0].quality > 0.5 and value.strip().lower() in _spelled(matches[0].service, directory):
            return None if _contradicted(matches[0].service, alert, directory) else matches[0]
    return None


def _contradicted(service: EntityId, alert: Alert, directory: Directory) -> bool:
    """
    Whether several labels of what runs agree on another service, and none on this one.
    """
    said: Counter[EntityId] = Counter()
    for label, value in alert.labels.items():
        if KIND_OF.get(label) in RUNS and label not in DECLARED_LABELS and value:
            matches, _ = directory.match(value)
            if matches and matches[0].quality > 0.5:
                said[matches[0].service] += 1
    return not said[service] and max(said.values(), default=0) >= AGAINST


def _spelled(service: EntityId, directory: Directory) -> set[str]:
    return {entity_name(service), *(named.name.strip().lower() for named in directory.services[service])}


def _decided(match: Match, alert: Alert) -> Ranking:
    term = Term(
        name="label", value=1.0, weight=math.log(DECLARED / (1 - DECLARED)), says=f"label service: {match.says}"
    )
    candidate = Candidate(id=match.service, probability=DECLARED, terms=(term,), evidence=_records(match))
    return Ranking(candidates=(candidate,), none_probability=1 - DECLARED, abstained=False)


def _ranked(findings: Findings, weights: Mapping[str, float]) -> Ranking:
    scores = {name: scored(one.values, weights) for name, one in findings.candidates.items()}
    none = scored(findings.none, weights)
    top = max([*scores.values(), none])
    total = sum(math.exp(score - top) for score in scores.values()) + math.exp(none - top)
    order = sorted(scores, key=lambda name: (-scores[name], name))[:SHOWN]
    shares = {name: doubted(math.exp(scores[name] - top) / total) for name in order}
    candidates = tuple(
        Candidate(
            id=name,
            probability=shares[name],
            terms=_terms(findings.candidates[name], weights),
            evidence=tuple(sorted(findings.candidates[name].records)),
        )
        for name in order
        if name == order[0] or shares[name] >= LISTED
    )
    none_p = doubted(math.exp(none - top) / total, none=True)
    best = candidates[0].probability if candidates else 0.0
    return Ranking(candidates=candidates, none_probability=none_p, abstained=none_p * COST >= best)


def _terms(evidence: Evidence, weights: Mapping[str, float]) -> tuple[Term, ...]:
    found = [
        Term(name=name, value=value, weight=weights.get(name, 0.0) * value, says=evidence.says[name])
        for name, value in evidence.values.items()
    ]
    return tuple(sorted(found, key=lambda term: -term.weight))
