"""
Learns the weights of runbooks and of their sections from real pairs of alerts and pages.

    .venv/bin/python -m service.evaluation.train_runbooks DIR DIR ...

Two steps: how the terms weigh against each other, then scale and "none" from the scores. Each alert is asked with its
name and without, and once more with its page taken away, where "none" is right; every organisation counts by the root
of how much it has, and is left out once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ingest.parsing import anchor
from models.facets import alert_text
from models.indexer import Indexer
from models.logit import Question, even, fit
from models.parameters import Lesson, save
from models.runbooks import FEATURES, SECTION_FEATURES, SECTION_WEIGHTS, WEIGHTS, Pages, RunbookQuestion, Runbooks
from service.evaluation.frame import Lab, data_file, digests, read_lines
from service.evaluation.runbooks import VIEW, alert_of, stated, unnamed
from service.evaluation.train_suspects import licence_of

UNNAMED = 0.5
"""How much a question without the alert's name counts."""
MISSING = 0.5
"""How much a question whose page was taken away counts: half of all alerts have no page."""
PRIOR = 0.1
"""Strong: what two organisations teach of which page is right held worse in a third than what was set by hand."""
LEVELS = 0.001
POSITIVE = tuple(name for name in FEATURES if name not in ("dense", "title"))


@dataclass(slots=True)
class Group:
    """
    The questions of one organisation: of pages, and of sections.
    """

    pages: list[Question] = field(default_factory=list)
    sections: list[Question] = field(default_factory=list)


def gather(directory: Path) -> Group:
    """
    The questions of a directory.
    """
    found = Group()
    with Lab(directory) as lab:
        store = stated(directory, lab)
        indexer = Indexer(store, lab.embedder())
        indexer.follow()
        ranker = Runbooks(indexer, store)
        path = data_file(directory, "runbook_pairs.jsonl")
        for row in read_lines(path) if path else ():
            alert = alert_of(row)
            for asked, weight in ((alert, 1.0), (unnamed(alert), UNNAMED)):
                pages = ranker.terms(RunbookQuestion(text=alert_text(asked), alert=asked.name), VIEW)
                found.pages += _pages(pages, str(row["runbook"]), weight)
                if row.get("section"):
                    found.sections += _sections(pages, str(row["runbook"]), anchor(str(row["section"])), weight)
    print(directory.name, len(found.pages), len(found.sections), file=sys.stderr)
    return found


def _pages(pages: Pages, right: str, weight: float) -> Iterator[Question]:
    names = sorted(pages.rows)
    if len(names) < 2:
        # where there is but one page, nothing is to be told apart
        return
    rest = [name for name in names if name != right]
    if right in names:
        yield Question(_table([pages.rows[name] for name in names], FEATURES), np.ones(1), names.index(right), weight)
    yield Question(_table([pages.rows[name] for name in rest], FEATURES), np.ones(1), -1, weight * MISSING)


def _sections(pages: Pages, page: str, mark: str, weight: float) -> Iterator[Question]:
    names = sorted(pages.sections)
    if (page, mark) in names:
        rows = _table([pages.sections[name] for name in names], SECTION_FEATURES)
        yield Question(rows, np.zeros(1), names.index((page, mark)), weight)


def _table(
    rows: Sequence[Mapping[str, float]], features: Sequence[str]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([[row.get(name, 0.0) for name in features] for row in rows]).reshape(len(rows), len(features))


def learn(groups: Sequence[Group]) -> dict[str, object]:
    """
    Both tables of weights.
    """
    pages = even([group.pages for group in groups])
    sections = even([group.sections for group in groups])
    ranked = [one for one in pages if one.right >= 0]
    found = fit(ranked, FEATURES, ["none"], WEIGHTS, prior=PRIOR, positive=POSITIVE)
    weights = np.array([found[name] for name in FEATURES])
    scores = [replace(one, rows=(one.rows @ weights)[:, None]) for one in pages]
    start = {"score": 1.0, "none": WEIGHTS["none"]}
    level = fit(scores, ["score"], ["none"], start, prior=LEVELS, positive=["score"])
    inside = fit(sections, SECTION_FEATURES, ["none"], SECTION_WEIGHTS, prior=PRIOR / 10, positive=SECTION_FEATURES)
    return {
        "weights": {name: round(found[name] * level["score"], 4) for name in FEATURES} | {"none": level["none"]},
        "sections": {name: inside[name] for name in SECTION_FEATURES},
    }


def main(arguments: Sequence[str]) -> int:
    """
    Writes models/weights/runbooks.json.
    """
    folders = [Path(one) for one in arguments]
    groups = {folder.name: gather(folder) for folder in folders}
    leave_out = {name: learn([group for other, group in groups.items() if other != name]) for name in groups}
    lessons = [
        Lesson(
            name=folder.name,
            licence=licence_of(folder),
            n=len(groups[folder.name].pages),
            digests=tuple(digests(folder)),
        )
        for folder in folders
    ]
    learned = learn(list(groups.values()))
    cases = {name: {"pages": len(one.pages), "sections": len(one.sections)} for name, one in groups.items()}
    print(save("runbooks", learned, lessons, leave_out, {"cases": cases}), learned)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
