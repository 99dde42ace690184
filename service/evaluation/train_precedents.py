"""
Learns precedents: what makes an incident the same kind of problem as a question, and how sure that is.

    .venv/bin/python -m service.evaluation.train_precedents DIR DIR ...

Two steps. A conditional logit learns how the terms weigh against each other, from which of its candidates each question
has for an answer. Then scale and level are learned from first candidates, each question once as it is and once with its
answers taken away (Platt 1999), from the score and from how far it is ahead of the others. Confident is what at most
FALSE of the questions without an answer would reach. Each organisation weighs by the root of what it has, and is left
out once.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.indexer import Indexer
from models.logit import Question, fit, scored
from models.parameters import Lesson, save
from models.precedents import AHEAD, BIAS, TEXT, WEIGHTS, PrecedentQuestion, Precedents, lead
from service.evaluation.frame import Lab, digests
from service.evaluation.similar import asked_of, stated
from service.evaluation.train_suspects import licence_of

PRIOR = 0.003
LEVELS = 0.002
FALSE = 0.04
HARDEST = 60
"""Of a question's wrong candidates, those that are weighed against the right ones."""

Row = Mapping[str, float]


@dataclass(slots=True)
class Group:
    """
    Of one organisation: each question's candidates with the place of the best answer; and without the answers.
    """

    asked: list[tuple[list[Row], set[int]]] = field(default_factory=list)
    negative: list[list[Row]] = field(default_factory=list)


def gather(directory: Path) -> Group:
    """
    The candidates of an organisation's questions.
    """
    found = Group()
    with Lab(directory) as lab:
        store = lab.store()
        documents, asked = stated(directory, store)
        indexer = Indexer(store, lab.embedder())
        indexer.follow()
        ranker = Precedents(indexer, store)
        for one in asked:
            question = PrecedentQuestion(text=one.text, at=one.at)
            columns, _ = ranker.terms(question, asked_of(one))
            names = sorted(columns.documents)
            right = {place for place, name in enumerate(names) if name in one.answers}
            found.asked.append(([columns.row(name) for name in names], right))
            columns, _ = ranker.terms(question, asked_of(one, negative=True))
            found.negative.append([columns.row(name) for name in columns.documents])
    print(directory.name, len(documents), len(found.asked), file=sys.stderr)
    return found


def learn(groups: Sequence[Group]) -> dict[str, object]:
    """
    The weights of the text's terms, those of being ahead, the level, and what is confident.
    """
    weights = fit(
        [one for group in groups for one in _ranked(group)], TEXT, ["none"], WEIGHTS, prior=PRIOR, positive=TEXT
    )
    firsts = [one for group in groups for one in _firsts(group, weights)]
    start = {"score": 1.0, "gap": 0.5, "ahead": 0.5, "none": -BIAS}
    level = fit(firsts, ("score", *AHEAD), ["none"], start, prior=LEVELS, positive=("score", *AHEAD))
    scaled = {name: round(weights[name] * level["score"], 4) for name in TEXT}
    # ahead is measured in scaled scores
    scaled |= {name: round(level[name] / max(0.1, level["score"]), 4) for name in AHEAD}
    return {"weights": scaled, "bias": round(-level["none"], 4), "confident": _confident(groups, weights, level)}


def _confident(groups: Sequence[Group], weights: Row, level: Row) -> float:
    """
    The probability that FALSE of the questions without an answer exceed, each organisation weighed as in learning.
    """
    found = []
    for group in groups:
        for one in _firsts(Group(negative=group.negative), weights):
            logit = sum(level[name] * value for name, value in zip(("score", *AHEAD), one.rows[0], strict=True))
            found.append((1 / (1 + math.exp(level["none"] - logit)), 1.0 / len(group.negative) ** 0.5))
    found.sort(reverse=True)
    room = FALSE * sum(weight for _, weight in found)
    for probability, weight in found:
        room -= weight
        if room < 0:
            return round(max(0.3, min(0.9, probability)), 4)
    return 0.5


def _ranked(group: Group) -> list[Question]:
    """
    Each question with each of its answers against all that are none.
    """
    found = []
    for rows, right in group.asked:
        wrong = sorted(set(range(len(rows))) - right, key=lambda place: -scored(rows[place], WEIGHTS))[:HARDEST]
        for place in right:
            table = _table([rows[place], *(rows[other] for other in wrong)])
            found.append(Question(table, np.zeros(1), 0, 1.0 / (len(right) * len(group.asked) ** 0.5)))
    return found


def _firsts(group: Group, weights: Row) -> list[Question]:
    """
    First candidates by these weights: their score, and how far ahead they are; right or not.
    """
    found = []
    share = 1.0 / max(1, len(group.negative)) ** 0.5
    vector = np.array([weights[name] for name in TEXT])
    for rows, right in [*group.asked, *((rows, set[int]()) for rows in group.negative)]:
        if rows:
            scores = _table(rows) @ vector
            order = np.argsort(-scores, kind="stable")
            best = int(order[0])
            features = np.array([[scores[best], *lead(scores[order].tolist())[0].values()]])
            found.append(Question(features, np.ones(1), 0 if best in right else -1, share))
    return found


def _table(rows: Sequence[Row]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([[row.get(name, 0.0) for name in TEXT] for row in rows])


def main(arguments: Sequence[str]) -> int:
    """
    Writes models/weights/precedents.json.
    """
    folders = [Path(one) for one in arguments]
    groups = {folder.name: gather(folder) for folder in folders}
    lessons = [
        Lesson(
            name=folder.name,
            licence=licence_of(folder),
            n=len(groups[folder.name].asked),
            digests=tuple(digests(folder)),
        )
        for folder in folders
    ]
    leave_out = {name: learn([group for other, group in groups.items() if other != name]) for name in groups}
    learned = learn(list(groups.values()))
    cases = {name: len(one.asked) for name, one in groups.items()}
    print(save("precedents", learned, lessons, leave_out, {"cases": cases}), learned)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
