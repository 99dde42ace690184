"""
Measures of rankings and of probabilities. Ranks count from 1; None means that there was nothing to measure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean


def mean(values: Sequence[float]) -> float | None:
    """
    The mean, or None of nothing.
    """
    return fmean(values) if values else None


def rank_of(ranked: Sequence[str], answers: set[str]) -> int | None:
    """
    The rank of the first right id, or None when no right one is listed.
    """
    return next((place for place, found in enumerate(ranked, 1) if found in answers), None)


def rank_measures(
    ranks: Sequence[int | None], cuts: Sequence[int] = (1, 5, 10), prefix: str = "r"
) -> dict[str, float | None]:
    """
    Recall of any answer at the cuts, mean reciprocal rank, and nDCG@10 of the first right answer.
    """
    measures: dict[str, float | None] = {
        f"{prefix}{cut}": mean([float(rank is not None and rank <= cut) for rank in ranks]) for cut in cuts
    }
    measures["mrr"] = mean([1 / rank if rank else 0.0 for rank in ranks])
    measures["ndcg10"] = mean([1 / math.log2(rank + 1) if rank and rank <= 10 else 0.0 for rank in ranks])
    return measures


def expected_calibration_error(pairs: Sequence[tuple[float, bool]], bins: int = 5) -> float | None:
    """
    ECE over bins of equal mass: `pairs` are (the top answer's probability, whether it was right).
    """
    if not pairs:
        return None
    # by probability alone: among equal ones, sorting by the outcome too would split right from wrong
    ordered = sorted(pairs, key=lambda pair: pair[0])
    total = 0.0
    for number in range(bins):
        part = ordered[number * len(ordered) // bins : (number + 1) * len(ordered) // bins]
        if part:
            gap = fmean(p for p, _ in part) - fmean(float(right) for _, right in part)
            total += abs(gap) * len(part) / len(ordered)
    return total


def brier(pairs: Sequence[tuple[float, bool]]) -> float | None:
    """
    The mean squared error of the probabilities.
    """
    return mean([(p - right) ** 2 for p, right in pairs])


def auroc(positives: Sequence[float], negatives: Sequence[float]) -> float | None:
    """
    The chance that a positive scores above a negative, ties counting half (the Mann-Whitney statistic).
    """
    if not positives or not negatives:
        return None
    ordered = sorted([(score, True) for score in positives] + [(score, False) for score in negatives])
    ranks, start = 0.0, 0
    while start < len(ordered):
        stop = start
        while stop < len(ordered) and ordered[stop][0] == ordered[start][0]:
            stop += 1
        middle = (start + stop + 1) / 2
        ranks += middle * sum(positive for _, positive in ordered[start:stop])
        start = stop
    n = len(positives)
    return (ranks - n * (n + 1) / 2) / (n * len(negatives))
