"""
The measures of replays: how often the culprit came first, against the newest change at the same moments, how "none"
did, and how far probabilities can be believed.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from graph.values import entity_name
from service.backtest.replays import HITS, Replayed
from service.evaluation.metrics import brier, expected_calibration_error, mean

BINS = 5
RANKERS: dict[str, Callable[[Replayed], int | None]] = {
    "precedent": lambda one: one.rank,
    "latest": lambda one: one.latest,
    "latest_on_service": lambda one: one.latest_on_service,
}


def summary(replays: Sequence[Replayed], *, deep: bool = True) -> dict[str, object]:
    """
    All measures of replays whose truth is known; with `deep` also by service, kind of change, and way of asking.
    """
    blamed = [one for one in replays if one.case.truth != "none"]
    body: dict[str, object] = {
        "n": len(blamed),
        "none_n": len(replays) - len(blamed),
        "right": mean([float(one.right) for one in replays]),
        "rankers": {name: ranks([of(one) for one in blamed]) for name, of in RANKERS.items()},
    }
    if not deep:
        return body
    return body | {
        "against": {name: _against(blamed, RANKERS[name]) for name in ("latest", "latest_on_service")},
        "none": _none(replays),
        "calibration": calibration(replays),
        "reasons": dict(Counter(one.reason for one in replays if one.reason).most_common()),
        "by_service": _by(replays, lambda one: [entity_name(name) for name in one.case.services] or _area(one)),
        "by_kind": _by(replays, lambda one: [one.kind]),
        "by_asked": _by(replays, lambda one: [one.case.asked]),
    }


def _area(one: Replayed) -> list[str]:
    areas = one.case.revert.areas[:1] if one.case.revert else ()
    return [areas[0] or "/"] if areas else ["unknown"]


def ranks(found: Sequence[int | None]) -> dict[str, float | list[float] | None]:
    """
    hit@k with the 95 % interval (Wilson) of hit@1, and the mean reciprocal rank.
    """
    measures: dict[str, float | list[float] | None] = {
        f"hit{cut}": mean([float(rank is not None and rank <= cut) for rank in found]) for cut in HITS
    }
    measures["mrr"] = mean([1 / rank if rank else 0.0 for rank in found])
    measures["hit1_95"] = interval(sum(rank == 1 for rank in found), len(found))
    return measures


def interval(right: int, n: int, z: float = 1.96) -> list[float]:
    """
    Wilson's interval of a share; [0, 1] of nothing.
    """
    if not n:
        return [0.0, 1.0]
    share, square = right / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return [max(0.0, middle - half), min(1.0, middle + half)]


def _against(replays: Sequence[Replayed], other: Callable[[Replayed], int | None]) -> dict[str, float | int | None]:
    """
    In how many replays only one of both had the culprit first, and how likely a difference like that is by chance (the
    exact sign test).
    """
    better = sum(one.rank == 1 and other(one) != 1 for one in replays)
    worse = sum(one.rank != 1 and other(one) == 1 for one in replays)
    n = better + worse
    chance = min(1.0, 2 * sum(math.comb(n, k) for k in range(min(better, worse) + 1)) / 2**n) if n else None
    return {"better": better, "worse": worse, "by_chance": chance}


def _none(replays: Sequence[Replayed]) -> dict[str, float | int | None]:
    chosen = [one for one in replays if one.chose_none]
    true = [one for one in replays if one.case.truth == "none"]
    return {
        "answered": len(chosen),
        "abstention": mean([float(one.chose_none) for one in replays]),
        "precision": mean([float(one.case.truth == "none") for one in chosen]),
        "recall": mean([float(one.chose_none) for one in true]),
    }


def calibration(replays: Sequence[Replayed]) -> dict[str, object]:
    """
    The first suspect's probability against whether it was the culprit, in bins of equal mass.
    """
    pairs = sorted(((one.probability, one.rank == 1) for one in replays), key=lambda pair: pair[0])
    bins = []
    for number in range(BINS):
        part = pairs[number * len(pairs) // BINS : (number + 1) * len(pairs) // BINS]
        if part:
            right = sum(one for _, one in part)
            bins.append({
                "n": len(part), "from": part[0][0], "to": part[-1][0], "said": fmean(p for p, _ in part),
                "was": right / len(part), "was_95": interval(right, len(part)),
            })  # fmt: skip
    return {"n": len(pairs), "ece": expected_calibration_error(pairs, BINS), "brier": brier(pairs), "bins": bins}


def _by(replays: Iterable[Replayed], keys: Callable[[Replayed], list[str]]) -> list[dict[str, object]]:
    """
    The measures of each group, the largest first; a replay with several services counts for each.
    """
    groups: dict[str, list[Replayed]] = defaultdict(list)
    for one in replays:
        for key in dict.fromkeys(keys(one)):
            groups[key].append(one)
    ordered = sorted(groups, key=lambda key: (-len(groups[key]), key))
    return [{"name": key, **summary(groups[key], deep=False)} for key in ordered]
