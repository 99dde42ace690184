"""
Learns the weights of suspects from real organisations' reverts, and from each organisation left out.

    .venv/bin/python -m service.evaluation.train_suspects DIR DIR ...
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.parameters import Lesson, save
from models.suspects import AREA_NONE, WEIGHTS, SuspectQuestion, terms_of
from service.evaluation.changes import LOGS, _truth, candidates, ingested, questions
from service.evaluation.frame import Lab, digests

LEARNED = (
    "lag", "rank", "area", "area_share", "area_rank", "parent", "files", "lines", "automated", "harmless", "upgrade", "taken_back",
)  # fmt: skip
RIDGE = 1.0
STEPS = 600

Case = tuple[NDArray[np.float64], int]
"""(terms of the candidates, one row each; the place of the culprit)."""


def cases(directory: Path) -> list[Case]:
    """
    The reverts of an organisation whose culprit is a candidate.
    """
    truth = _truth(directory)
    found: list[Case] = []
    with Lab(directory) as lab:
        log = ingested(lab.store(), directory, LOGS, lab)
        for identity, at, area in questions(directory, log) if log else ():
            changes = [one.item for one in candidates(log, at)] if log else []
            right = [place for place, change in enumerate(changes) if change.id in truth.get(identity, set())]
            if right:
                rows = terms_of(changes, SuspectQuestion(at=at, areas=(area,)))
                found.append((np.array([[row.get(name, 0.0) for name in LEARNED] for row in rows]), right[0]))
    return found


def fit(groups: Sequence[Sequence[Case]]) -> dict[str, float]:
    """
    Weights of the conditional logit, every organisation weighing the same, drawn towards the defaults.
    """
    start = np.array([WEIGHTS[name] for name in LEARNED])
    weights = start.copy()
    speed = np.zeros_like(weights)
    for step in range(STEPS):
        slope = RIDGE * (weights - start) / 100
        for group in groups:
            for rows, right in group:
                scores = rows @ weights
                chances = np.exp(scores - scores.max())
                slope += (chances / chances.sum() @ rows - rows[right]) / len(group) / len(groups)
        speed = 0.9 * speed - 0.05 * slope * (1 if step < STEPS / 2 else 0.3)
        weights = weights + speed
    return {name: round(float(weight), 4) for name, weight in zip(LEARNED, weights, strict=True)}


def fit_none(groups: Sequence[Sequence[Case]], weights: Mapping[str, float]) -> float:
    """
    The level of "none" at which the mean probability of the first candidate is the share of right ones.
    """
    levels = np.arange(-4.0, 4.0, 0.1)
    vector = np.array([weights[name] for name in LEARNED])
    gaps = []
    for level in levels:
        found = [_top(rows @ vector, right, float(level)) for group in groups for rows, right in group]
        gaps.append(abs(float(np.mean([p - hit for p, hit in found]))))
    return round(float(levels[int(np.argmin(gaps))]), 2)


def _top(scores: NDArray[np.float64], right: int, level: float) -> tuple[float, float]:
    base = level + np.log(1 + len(scores)) * 0.35
    chances = np.exp(np.append(scores, base) - max(scores.max(), base))
    chances /= chances.sum()
    best = int(np.argmax(chances[:-1]))
    return float(chances[best]), float(best == right)


def main(arguments: Sequence[str]) -> int:
    """
    Writes models/weights/suspects.json.
    """
    folders = [Path(one) for one in arguments]
    if not folders:
        print("name the folders to learn from", file=sys.stderr)
        return 2
    groups = {folder.name: cases(folder) for folder in folders}
    lessons = [
        Lesson(name=folder.name, licence=licence_of(folder), n=len(groups[folder.name]), digests=tuple(digests(folder)))
        for folder in folders
    ]
    learned = _fitted(list(groups.values()))
    leave_out = {name: _fitted([group for other, group in groups.items() if other != name]) for name in groups}
    path = save(
        "suspects", learned, lessons, leave_out, {"cases": {name: len(group) for name, group in groups.items()}}
    )
    print(path, learned)
    return 0


def _fitted(groups: Sequence[Sequence[Case]]) -> dict[str, object]:
    kept = [group for group in groups if group]
    weights = fit(kept) if kept else {name: WEIGHTS[name] for name in LEARNED}
    return {"weights": weights, "area_none": fit_none(kept, weights) if kept else AREA_NONE}


def licence_of(folder: Path) -> str:
    """
    The permissive licence that a set states; parameters may learn from no other. Raises ValueError.
    """
    text = (folder / "PROVENANCE.md").read_text(encoding="utf-8")
    found = [name for name in ("MIT", "BSD-3-Clause", "Apache-2.0", "CC-BY-4.0") if name in text]
    if not found:
        raise ValueError(f"{folder}/PROVENANCE.md states no permissive licence")
    return found[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
