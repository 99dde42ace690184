"""
Learns the weights of resolution from real catalogues and rules, and from each organisation left out.

    .venv/bin/python -m service.evaluation.train_resolution DIR DIR ...

Three conditional logits, of names, of alerts to services, and of alerts to teams. Names that drifted are made by seed;
where an organisation has `drifted.jsonl`, those are learned from too.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from graph.values import EntityId
from models.directory import Directory
from models.known import Example, bag_of
from models.logit import Question, even, fit
from models.matching import FEATURES, Match, Named, Names
from models.names import tokens
from models.parameters import Lesson, Parameters, save
from models.resolution import _ranked
from models.resolution_terms import NONE_TERMS, TEAM_NONE_TERMS, TEAM_TERMS, TERMS, Findings, service_terms, team_terms
from service.evaluation.drift import drifted
from service.evaluation.frame import data_file, digests, read_lines
from service.evaluation.lessons import Case, Course, course, fold
from service.evaluation.train_suspects import licence_of

LOOKUP: Mapping[str, float] = {
    "exact": 6.0, "same": 4.0, "covered": 4.0, "told": 3.0, "missing": -4.0, "missing_role": -2.0, "missing_affix": -4.0, "affix": -0.2,
    "role": -1.0, "role_known": -1.0, "address": -0.2, "segment": -1.0, "titled": -0.5, "titled_known": -1.0, "other": -4.0, "other_known": -3.0,
    "tag": -2.0, "plural": -1.0, "short": -2.0, "typo": -2.0, "stem": -2.5, "joined": -0.7, "apart": -2.0, "alias": -0.2, "initials": 2.0, "none": 3.0,
}  # fmt: skip
ALERT: Mapping[str, float] = {
    "label": 6.0, "workload": 5.0, "job": 4.0, "resource": 3.5, "repository": 4.0, "address": 3.5, "namespace": 2.0, "inherited": 1.0,
    "selector": 5.0, "selector_job": 3.0, "selector_other": 2.0, "metric": 3.0, "metric_in": 1.0, "name": 2.0, "name_in": 1.0, "summary": 2.0, "text": 1.5,
    "link": 1.5, "rule": 4.0, "known": 6.0, "near": 3.0, "family": 2.0, "values": 2.0, "siblings": 1.0, "none": 2.0, "unmatched": 1.5, "unmatched_in": 1.0, "new": 2.0, "taught": 0.0,
}  # fmt: skip
TEAM: Mapping[str, float] = {
    "owner": 3.0,
    "usual": 2.0,
    "known_team": 5.0,
    "near_team": 1.0,
    "family_team": 1.0,
    "values_team": 1.0,
    "siblings_team": 1.0,
    "none_team": 0.0,
    "new_team": 1.0,
}
NAME_POSITIVE = ("exact", "same", "covered", "told", "initials")
NAMES_EACH = 3
REMOVED_NAMES = 0.15
REMOVED_SERVICES = 12
"""Services of a fold that are asked for after their removal, at most; each needs its own model of known alerts."""
UNKNOWN = 0.25
"""How much a question whose service was removed counts."""
RARE = 0.04
"""How often an alert's service is expected to be missing from the catalogue, against known ones."""


@dataclass(slots=True)
class Group:
    """
    The questions of one organisation, by model.
    """

    lookup: list[Question] = field(default_factory=list)
    alert: list[Question] = field(default_factory=list)
    team: list[Question] = field(default_factory=list)


def service_id(name: str) -> EntityId:
    """
    The id of a service of a course.
    """
    return f"service:{name.strip().lower()}"


def names_of(services: Collection[str], weights: Mapping[str, float]) -> Names:
    """
    An index of bare names.
    """
    found = Names(weights)
    for name in sorted(services):
        found.add(Named(service_id(name), name, "name", ""))
    return found


def name_questions(directory: Path, lesson: Course, weights: Mapping[str, float]) -> Iterator[Question]:
    """
    Drifted names, those of removed services, and the organisation's own drifted names, which count twice.
    """
    rng = random.Random(lesson.name)  # noqa: S311 - made questions, not a secret
    index = names_of(lesson.names, weights)
    path = data_file(directory, "drifted.jsonl")
    own = [
        (str(row["name"]), str(row["service"]) if row.get("service") else None)
        for row in (read_lines(path) if path else ())
    ]
    asked = [(name, service, 1.0) for name, service in drifted(lesson.names, rng, NAMES_EACH)]
    asked += [(name, service, 2.0 * len(asked) / len(own)) for name, service in own]
    for name, service, weight in asked:
        found = index.candidates(name)
        places = {match.service: place for place, match in enumerate(found)}
        if service is None or service_id(service) in places:
            yield _names(found, places[service_id(service)] if service else -1, weight)
        if service and rng.random() < REMOVED_NAMES:
            rest = [match for match in found if match.service != service_id(service)]
            if not any(_nested(service, match.service) for match in rest):
                yield _names(rest, -1, weight)


def _names(found: Sequence[Match], right: int, weight: float) -> Question:
    rows = np.array([match.features for match in found]).reshape(len(found), len(FEATURES))
    return Question(rows, np.array([1.0]), right, weight)


def _nested(one: str, other: str) -> bool:
    left, right = set(tokens(one)), set(tokens(other.partition(":")[2]))
    return left <= right or right <= left


def alert_questions(lesson: Course, weights: Mapping[str, float]) -> Iterator[Question]:
    """
    Each case with the other folds' known, and again with its service removed.
    """
    rng = random.Random(lesson.name)  # noqa: S311 - made questions, not a secret
    for number in range(5):
        asked = [case for case in lesson.cases if fold(case.alert) == number]
        known = [case for case in lesson.cases if fold(case.alert) != number] if lesson.taught else []
        whole = directory_of(lesson, known, weights)
        for case in asked:
            yield from _asked(service_terms(case.alert, whole), case.service)
        services = sorted({case.service for case in asked if case.service})
        for gone in rng.sample(services, min(REMOVED_SERVICES, len(services))):
            without = directory_of(lesson, known, weights, gone)
            for case in asked:
                if case.service == gone:
                    yield from (
                        replace(one, weight=UNKNOWN) for one in _asked(service_terms(case.alert, without), None)
                    )


def team_questions(lesson: Course, weights: Mapping[str, float], alert: Mapping[str, float]) -> Iterator[Question]:
    """
    Each case with a team, the other folds' known.
    """
    for number in range(5):
        asked = [case for case in lesson.cases if fold(case.alert) == number and case.team]
        known = [case for case in lesson.cases if fold(case.alert) != number]
        whole = directory_of(lesson, known, weights) if asked else None
        for case in asked if whole else ():
            assert whole is not None  # noqa: S101 - narrows the type
            ranked = _ranked(service_terms(case.alert, whole), alert).candidates[:10]
            found = team_terms(case.alert, whole, [(one.id, one.probability) for one in ranked])
            yield from _rows(found, TEAM_TERMS, TEAM_NONE_TERMS, str(case.team).lower())


def directory_of(lesson: Course, known: Sequence[Case], weights: Mapping[str, float], gone: str = "") -> Directory:
    """
    What a view would see of a course, without one service and its alerts.
    """
    found = Directory(names_of([name for name in lesson.names if name != gone], weights))
    for case in known:
        if case.service != gone:
            bag = bag_of(case.alert.name, case.alert.expr, case.alert.labels, case.alert.annotations)
            found.examples.append(Example(bag, service_id(case.service) if case.service else None, case.team, ""))
    return found


def _asked(found: Findings, service: str | None) -> Iterator[Question]:
    return _rows(found, TERMS, NONE_TERMS, service_id(service) if service else None)


def _rows(found: Findings, terms: Sequence[str], none: Sequence[str], right: str | None) -> Iterator[Question]:
    names = sorted(found.candidates)
    if right is not None and right not in found.candidates:
        return
    rows = np.array([[found.candidates[name].values.get(term, 0.0) for term in terms] for name in names])
    empty = np.array([found.none[term] for term in none])
    yield Question(rows.reshape(len(names), len(terms)), empty, names.index(right) if right is not None else -1)


def learn(groups: Mapping[str, Group]) -> dict[str, object]:
    """
    The three tables of weights, each organisation counting by the root of how much it has.
    """
    lookup = fit(
        even([group.lookup for group in groups.values()]), FEATURES, ["none"], LOOKUP, prior=0.0005,
        positive=NAME_POSITIVE, negative=[name for name in FEATURES if name not in NAME_POSITIVE],
    )  # fmt: skip
    alert = fit(
        even([group.alert for group in groups.values()]), TERMS, NONE_TERMS, ALERT, prior=0.001, positive=[*TERMS, *NONE_TERMS[1:4]]
    )  # fmt: skip
    # corrected for the prior: asked often, to learn to tell them apart; met seldom (Saerens et al., 2002)
    alert["none"] = round(alert["none"] - math.log(UNKNOWN / RARE), 4)
    teams = even([group.team for group in groups.values()])
    team = fit(teams, TEAM_TERMS, TEAM_NONE_TERMS, TEAM, prior=0.005, positive=TEAM_TERMS) if teams else dict(TEAM)
    return {"lookup": lookup, "alert": alert, "team": team}


def gather(directory: Path, before: Parameters) -> Group:
    """
    The questions of one directory, as weights from before shortlist and grade names.
    """
    weights, found = before.numbers("lookup"), Group()
    for lesson in course(directory):
        found.alert += alert_questions(lesson, weights)
        if not lesson.taught:
            found.lookup += name_questions(directory, lesson, weights)
        if lesson.taught:
            found.team += team_questions(lesson, weights, before.numbers("alert"))
    return found


def main(arguments: Sequence[str]) -> int:
    """
    Writes models/weights/resolution.json.
    """
    folders = [Path(one) for one in arguments]
    if not folders:
        print("name the folders to learn from", file=sys.stderr)
        return 2
    learned = Parameters(name="resolution", values={"lookup": LOOKUP, "alert": ALERT, "team": TEAM})
    # names are graded by the weights of names, so these come first
    for _ in range(2):
        groups = {folder.name: gather(folder, learned) for folder in folders}
        learned = Parameters(name="resolution", values=learn(groups))
    leave_out = {name: learn({other: group for other, group in groups.items() if other != name}) for name in groups}
    lessons = [
        Lesson(
            name=folder.name, licence=licence_of(folder), n=_size(groups[folder.name]), digests=tuple(digests(folder))
        )
        for folder in folders
    ]
    counts = {
        name: {"names": len(group.lookup), "alerts": len(group.alert), "teams": len(group.team)}
        for name, group in groups.items()
    }
    path = save("resolution", learned.values, lessons, leave_out, {"questions": counts})
    print(path, counts, learned.values)
    return 0


def _size(group: Group) -> int:
    return len(group.lookup) + len(group.alert) + len(group.team)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
