"""
Learns precedents: what makes an incident the same kind of problem as a question, and how sure that is.

    .venv/bin/python -m service.evaluation.train_precedents DIR DIR ...

Two steps. A conditional logit learns how the terms weigh against each other, from which of its candidates each question
has for an answer. Then scale and level are learned from first candidates, each question once as it is and once with its
answers taken away (Platt 1999). Each organisation weighs by the root of what it has, and is left out once.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.indexer import Indexer
from models.logit import Question, fit
from models.parameters import Lesson, save
from models.precedents import BIAS, WEIGHTS, PrecedentQuestion, Precedents
from service.evaluation.frame import Lab, digests
from service.evaluation.similar import asked_of, stated
from service.evaluation.train_suspects import licence_of

TEXT = ("dense", "lexical", "symptom", "lexical_share", "margin", "ahead", "lexical_ahead")
PRIOR = 0.003
LEVELS = 0.002

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
            rows = ranker.terms(question, asked_of(one))
            names = sorted(rows)
            right = {place for place, name in enumerate(names) if name in one.answers}
            found.asked.append(([rows[name] for name in names], right))
            found.negative.append(list(ranker.terms(question, asked_of(one, negative=True)).values()))
    print(directory.name, len(documents), len(found.asked), file=sys.stderr)
    return found


def learn(groups: Sequence[Group]) -> dict[str, object]:
    """
    The weights of the text's terms, and the level.
    """
    weights = fit(
        [one for group in groups for one in _ranked(group)], TEXT, ["none"], WEIGHTS, prior=PRIOR, positive=TEXT
    )
    firsts = [one for group in groups for one in _firsts(group, weights)]
    start = {"score": 1.0, "none": -BIAS}
    level = fit(firsts, ("score",), ["none"], start, prior=LEVELS, positive=("score",))
    scaled = {name: round(weights[name] * level["score"], 4) for name in TEXT}
    return {"weights": scaled, "bias": round(-level["none"], 4)}


def _ranked(group: Group) -> list[Question]:
    """
    Each question with each of its answers against all that are none.
    """
    found = []
    for rows, right in group.asked:
        wrong = [place for place in range(len(rows)) if place not in right]
        for place in right:
            table = _table([rows[place], *(rows[other] for other in wrong)])
            found.append(Question(table, np.zeros(1), 0, 1.0 / (len(right) * len(group.asked) ** 0.5)))
    return found


def _firsts(group: Group, weights: Row) -> list[Question]:
    """
    First candidates by these weights: one feature, the score; right or not.
    """
    found = []
    share = 1.0 / len(group.asked) ** 0.5
    vector = np.array([weights[name] for name in TEXT])
    for rows, right in [*group.asked, *((rows, set[int]()) for rows in group.negative)]:
        if rows:
            scores = _table(rows) @ vector
            best = int(np.argmax(scores))
            found.append(Question(scores[[best]][:, None], np.ones(1), 0 if best in right else -1, share))
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
