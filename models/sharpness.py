"""
How sharply an organisation's own alerts tell its services apart, by one number for all evidence.

Learned weights are those of an average organisation. Where the known alerts, asked about with their own names hidden,
are nearly always told right, the same evidence deserves more trust; where they are not, less. The number multiplies all
log-odds, so it changes how sure an answer is and not which is first. It is the most likely one for the trials, around 1
(temperature scaling: Guo et al., On calibration of modern neural networks, 2017, with a prior).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.known import Trial

SPREAD = 0.4
"""The standard deviation of its logarithm, before any trial."""
LOWEST, HIGHEST, STEPS = 0.75, 2.5, 18
_COLUMNS = ("known", "near", "family", "values", "siblings")


def sharpness(trials: Sequence[Trial], weights: Mapping[str, float]) -> float:
    """
    1 without trials. `weights` are those of an alert's evidence and of "none".
    """
    if not trials:
        return 1.0
    columns = np.array([weights.get(name, 0.0) for name in _COLUMNS])
    none = weights.get("none", 0.0) + weights.get("taught", 0.0)
    scores = [
        np.append(trial.rows @ columns, none + weights.get("new", 0.0) * (1.0 - trial.nearest)) for trial in trials
    ]
    rights = [trial.right for trial in trials]
    steps = np.exp(np.linspace(math.log(LOWEST), math.log(HIGHEST), STEPS))
    return float(max(steps, key=lambda step: _likelihood(scores, rights, float(step))))


def _likelihood(scores: Sequence[NDArray[np.float64]], rights: Sequence[int], step: float) -> float:
    pairs = zip(scores, rights, strict=True)
    told = sum(float(step * one[right] - np.logaddexp.reduce(step * one)) for one, right in pairs)
    return told - (math.log(step) / SPREAD) ** 2 / 2
