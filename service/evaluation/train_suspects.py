"""
Learns the weights of an area's suspects from real organisations' reverts, and from each organisation left out.

    .venv/bin/python -m service.evaluation.train_suspects DIR DIR ...

What alerts are asked with (`models.suspect_terms.WEIGHTS`) is set by hand: no organisation here has enough of them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import logit
from models.parameters import Lesson, save
from models.suspects import AREA_NONE, AREA_WEIGHTS, CROWD, SuspectQuestion, terms_of
from service.evaluation.changes import LOGS, _truth, candidates, ingested, questions
from service.evaluation.frame import Lab, digests

LEARNED = (
    "lag", "area", "area_share", "area_rank", "parent", "automated", "harmless", "takes_back", "taken_back", "cosmetic", "fix", "trial",
)  # fmt: skip
PRIOR = 0.1
"""How firmly weights are held near the defaults: firm, as each organisation has few reverts."""

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
    asked = [
        logit.Question(rows, np.array([AREA_NONE * 10]), right, 1 / len(group))
        for group in groups
        for rows, right in group
    ]
    start = {**{name: AREA_WEIGHTS[name] for name in LEARNED}, "level": 1.0}
    found = logit.fit(asked, LEARNED, ("level",), start, prior=PRIOR, steps=600)
    return {name: found[name] for name in LEARNED}


def fit_levels(groups: Sequence[Sequence[Case]], weights: Mapping[str, float]) -> dict[str, float]:
    """
    The sharpness and the level of "none" under which the right ones are likeliest. Where the first is wrong, it counts
    for "none" as well: the culprit may be none of those that were seen.
    """
    vector = np.array([weights[name] for name in LEARNED])
    scored = [(rows @ vector, right) for group in groups for rows, right in group]
    best = (-np.inf, 1.0, AREA_NONE)
    for sharpness in np.arange(0.5, 1.51, 0.1):
        for level in (-5.0, -3.0, -1.5, -0.5):
            tops = [_top(scores * sharpness, right, float(level * sharpness)) for scores, right in scored]
            told = float(np.mean([np.log(p if hit else 1 - p) for p, hit in tops]))
            best = max(best, (told, float(sharpness), float(level)))
    return {"sharpness": round(best[1], 2), "area_none": round(best[2], 2)}


def _top(scores: NDArray[np.float64], right: int, level: float) -> tuple[float, float]:
    base = level + np.log1p(len(scores)) * CROWD
    chances = np.exp(np.append(scores, base) - max(scores.max(), base))
    chances /= chances.sum()
    best = int(np.argmax(chances[:-1]))
    return min(0.98, max(0.02, float(chances[best]))), float(best == right)


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
    if not kept:
        return {"area": {name: AREA_WEIGHTS[name] for name in LEARNED}, "area_none": AREA_NONE, "sharpness": 1.0}
    weights = fit(kept)
    return {"area": weights, **fit_levels(kept, weights)}


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
