"""
Calibrates precedents: how a score becomes the chance that an incident is the same kind of problem.

    .venv/bin/python -m service.evaluation.train_precedents DIR DIR ...

Only the scale and the level are learned, on each question and on the same with its answers taken away (Platt 1999);
each organisation weighs the same and is left out once.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.indexer import Indexer
from models.parameters import Lesson, save
from models.precedents import BIAS, WEIGHTS, PrecedentQuestion, Precedents
from service.evaluation.frame import Lab, digests
from service.evaluation.similar import asked_of, stated
from service.evaluation.train_suspects import licence_of

TEXT = ("dense", "lexical", "symptom", "lexical_share", "margin")

Pairs = list[tuple[float, bool]]
"""(score of the first candidate, whether it is right)."""


def pairs_of(directory: Path) -> Pairs:
    """
    First candidates of an organisation's questions and negatives.
    """
    found: Pairs = []
    with Lab(directory) as lab:
        store = lab.store()
        documents, asked = stated(directory, store)
        indexer = Indexer(store, lab.embedder())
        indexer.follow()
        ranker = Precedents(indexer, store)
        for one in asked:
            for negative in (False, True):
                view = asked_of(one, negative=negative)
                ranking = ranker.rank(PrecedentQuestion(text=one.text, at=one.at), view)
                if ranking.candidates:
                    best = ranking.candidates[0]
                    score = sum(term.weight for term in best.terms) + BIAS
                    found.append((score, not negative and best.id in one.answers))
        print(directory.name, len(documents), len(found), file=sys.stderr)
    return found


def fit(groups: Sequence[Pairs]) -> dict[str, object]:
    """
    The scale and level with the least log loss, over a grid: the data are few, and a grid cannot run away.
    """
    grid = [(float(scale), float(level)) for scale in np.geomspace(0.1, 3, 35) for level in np.linspace(-8, 4, 121)]
    scale, level = min(grid, key=lambda one: sum(_loss(group, *one) for group in groups) + 0.01 * math.log(one[0]) ** 2)
    # the graph's terms do not occur in these sets, and stay as they are
    weights = {name: round(WEIGHTS[name] * scale, 4) for name in TEXT}
    return {"weights": weights, "bias": round(BIAS * scale + level, 4)}


def _loss(group: Pairs, scale: float, level: float) -> float:
    scores = np.clip(np.array([scale * score + level for score, _ in group]), -30, 30)
    right = np.array([float(one) for _, one in group])
    return float(np.mean(np.logaddexp(0, scores) - right * scores))


def main(arguments: Sequence[str]) -> int:
    """
    Writes models/weights/precedents.json.
    """
    folders = [Path(one) for one in arguments]
    groups = {folder.name: pairs_of(folder) for folder in folders}
    lessons = [
        Lesson(name=folder.name, licence=licence_of(folder), n=len(groups[folder.name]), digests=tuple(digests(folder)))
        for folder in folders
    ]
    leave_out = {name: fit([group for other, group in groups.items() if other != name]) for name in groups}
    learned = fit(list(groups.values()))
    print(
        save("precedents", learned, lessons, leave_out, {"cases": {name: len(one) for name, one in groups.items()}}),
        learned,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
