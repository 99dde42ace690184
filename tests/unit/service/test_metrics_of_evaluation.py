"""
The measures agree with values worked out by hand.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.evaluation.metrics import auroc, brier, expected_calibration_error, rank_measures, rank_of


def test_the_first_right_answer_counts() -> None:
    assert rank_of(["a", "b", "c"], {"c", "b"}) == 2
    assert rank_of(["a"], {"z"}) is None


def test_rank_measures_by_hand() -> None:
    measures = rank_measures([1, 2, None, 11])
    assert measures["r1"] == 0.25
    assert measures["r5"] == measures["r10"] == 0.5
    assert measures["mrr"] == pytest.approx((1 + 1 / 2 + 0 + 1 / 11) / 4)
    assert measures["ndcg10"] == pytest.approx((1 + 1 / math.log2(3)) / 4)


def test_nothing_to_measure_is_none_not_zero() -> None:
    assert set(rank_measures([]).values()) == {None}
    assert expected_calibration_error([]) is None
    assert auroc([], [0.3]) is None
    assert brier([]) is None


def test_calibration_error_of_a_sure_and_wrong_model_is_one() -> None:
    assert expected_calibration_error([(1.0, False)] * 10) == 1.0
    assert expected_calibration_error([(0.5, True), (0.5, False)] * 50) == pytest.approx(0.0, abs=0.06)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_auroc_is_the_share_of_pairs_in_order(positives: list[float], negatives: list[float]) -> None:
    pairs = [(p > n) + (p == n) / 2 for p in positives for n in negatives]
    assert auroc(positives, negatives) == pytest.approx(sum(pairs) / len(pairs))
