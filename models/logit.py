"""
A conditional logit: one of several alternatives is right, or none; the weights of their features are learned.

The loss is the negative log-likelihood with a Gaussian prior around starting weights, minimised by Adam over all
questions at once. Features that cannot hurt may be bounded (`positive`, `negative`) so that a weight keeps its meaning
where an organisation has few examples. Method: McFadden, Conditional logit analysis of qualitative choice behavior.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Question:
    """
    Features of each alternative (rows), of "none", which is right (-1: none), and how much the question counts.
    """

    rows: Numbers
    none: Numbers
    right: int
    weight: float = 1.0


def scored(row: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """
    The weighted sum of named features; what has no weight does not count.
    """
    return sum(weights.get(name, 0.0) * value for name, value in row.items())


def even(groups: Sequence[Sequence[Question]]) -> list[Question]:
    """
    The questions of several organisations, each of which counts by the root of how many it has.
    """
    return [replace(one, weight=one.weight / len(group) ** 0.5) for group in groups for one in group]


def fit(
    questions: Sequence[Question],
    features: Sequence[str],
    none_features: Sequence[str],
    start: Mapping[str, float],
    *,
    prior: float = 0.02,
    positive: Collection[str] = (),
    negative: Collection[str] = (),
    steps: int = 1500,
    rate: float = 0.05,
) -> dict[str, float]:
    """
    Weights by feature, those of none among them. `prior` is the inverse variance around `start`, for a question.
    """
    names = [*features, *none_features]
    rows, real, right, weight = _stacked(questions, len(features), len(none_features))
    centre = np.array([start.get(name, 0.0) for name in names])
    low = np.array([0.0 if name in positive else -np.inf for name in names])
    high = np.array([0.0 if name in negative else np.inf for name in names])
    weights, first, second = centre.copy(), np.zeros(len(names)), np.zeros(len(names))
    for step in range(1, steps + 1):
        slope = _slope(rows, real, right, weight, weights) + prior * (weights - centre)
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        weights = weights - rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        weights = np.clip(weights, low, high)
    return {name: round(float(value), 4) for name, value in zip(names, weights, strict=True)}


def _stacked(
    questions: Sequence[Question], wide: int, none_wide: int
) -> tuple[Numbers, NDArray[np.bool_], NDArray[np.int64], Numbers]:
    """
    All questions in one array; alternative 0 is none, whose features stand behind the others'.
    """
    most = max(len(question.rows) for question in questions) + 1
    rows = np.zeros((len(questions), most, wide + none_wide))
    real = np.zeros((len(questions), most), dtype=np.bool_)
    for at, question in enumerate(questions):
        count = len(question.rows)
        rows[at, 0, wide:] = question.none
        if count:
            rows[at, 1 : count + 1, :wide] = question.rows
        real[at, : count + 1] = True
    right = np.array([question.right + 1 for question in questions])
    weight = np.array([question.weight for question in questions])
    return rows, real, right, weight / weight.sum()


def _slope(
    rows: Numbers, real: NDArray[np.bool_], right: NDArray[np.int64], weight: Numbers, weights: Numbers
) -> Numbers:
    scores = np.where(real, rows @ weights, -np.inf)
    scores -= scores.max(axis=1, keepdims=True)
    shares = np.exp(scores)
    shares /= shares.sum(axis=1, keepdims=True)
    shares[np.arange(len(rows)), right] -= 1.0
    slope: Numbers = np.einsum("qa,qaf->f", shares * weight[:, None], rows)
    return slope
