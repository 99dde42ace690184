"""
Rules about actions: the most restrictive wins, and neither another rule nor knowing less ever allows more.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.freezing import Hours, stretch
from graph.policies import LEVELS, Limits, Mode, Rule, Situation, Verdict, When, judge

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
NAMES = ("restart", "rollback", "drain_the_pool")
PERIODS = st.sampled_from(
    (
        stretch(AT - timedelta(hours=1), AT + timedelta(hours=1), "UTC"),
        stretch(AT + timedelta(hours=1), AT + timedelta(hours=2), "UTC"),
        Hours(frozenset({2}), 0, 86400, "Europe/Berlin"),
    )
)


def some(*words: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(words), max_size=2, unique=True).map(tuple)


WHEN = st.builds(
    When,
    actions=some(*NAMES, "*"),
    services=some("cart", "media/*", "*"),
    teams=some("shop", "pay*"),
    environments=some("production", "staging"),
    criticality=some(*LEVELS),
    who=some("bot", "person:*"),
    reversible=st.sampled_from((None, True, False)),
    during=st.lists(PERIODS, max_size=1).map(tuple),
    outside=st.lists(PERIODS, max_size=1).map(tuple),
)
LIMITS = st.builds(
    Limits, dependents=st.none() | st.integers(0, 4), criticality=st.none() | st.sampled_from(LEVELS)
)  # fmt: skip
RULES = st.builds(
    Rule,
    name=st.sampled_from(("a", "b", "c", "d")),
    when=WHEN | st.just(When()),
    verdict=st.none() | st.sampled_from(Verdict),
    mode=st.none() | st.sampled_from(Mode),
    limits=st.none() | LIMITS,
    over=st.sampled_from((Verdict.NEEDS_APPROVAL, Verdict.REFUSE)),
    approvers=some("owner", "on_call", "team:sre"),
    approvals=st.integers(1, 3),
)
SITUATIONS = st.builds(
    Situation,
    action=st.sampled_from(NAMES),
    at=st.just(AT),
    services=st.none() | st.sampled_from((frozenset({"cart"}), frozenset({"media/tv", "tv"}))),
    teams=st.none() | st.sampled_from((frozenset({"shop"}), frozenset({"payments"}))),
    environment=st.none() | st.sampled_from(("production", "staging")),
    criticality=st.none() | st.sampled_from(LEVELS),
    who=st.none() | st.sampled_from(("bot", "person:ada")),
    reversible=st.sampled_from((None, True, False)),
    reach=st.none() | st.dictionaries(st.sampled_from((*LEVELS, "unknown")), st.integers(0, 3)),
    known_action=st.booleans(),
)
SETS = st.lists(RULES, max_size=6)
ALLOWS = Rule(name="allows", verdict=Verdict.ALLOW, mode=Mode.ACT)
WHOLE = Situation(
    action="restart", at=AT, services=frozenset({"cart"}), teams=frozenset({"shop"}), environment="production",
    criticality="low", who="bot", reversible=True, reach={},
)  # fmt: skip


@given(SETS, RULES, SITUATIONS)
def test_one_more_rule_that_refuses_never_makes_an_answer_weaker(
    rules: list[Rule], more: Rule, situation: Situation
) -> None:
    refusing = replace(more, verdict=Verdict.REFUSE)
    assert judge([*rules, refusing], situation).verdict >= judge(rules, situation).verdict


@given(SETS, RULES, SITUATIONS)
def test_a_rule_that_grants_nothing_never_makes_an_answer_weaker(
    rules: list[Rule], more: Rule, situation: Situation
) -> None:
    restricting = replace(more, mode=None, verdict=max(more.verdict or Verdict.REFUSE, Verdict.NEEDS_APPROVAL))
    assert judge([*rules, restricting], situation).verdict >= judge(rules, situation).verdict


@given(SETS, SITUATIONS)
def test_observe_and_assist_never_allow(rules: list[Rule], situation: Situation) -> None:
    found = judge(rules, situation)
    assert found.mode is Mode.ACT or found.verdict is not Verdict.ALLOW
    without = judge([replace(one, mode=None) for one in rules], situation)
    assert (without.mode, without.verdict is Verdict.ALLOW) == (Mode.OBSERVE, False)


@given(SETS, SITUATIONS)
def test_the_order_of_rules_changes_no_verdict(rules: list[Rule], situation: Situation) -> None:
    named = [replace(one, name=f"r{place}") for place, one in enumerate(rules)]
    assert judge(named, situation) == judge(sorted(named, key=lambda one: one.name, reverse=True), situation)


@given(
    SETS, SITUATIONS, st.sampled_from(("services", "teams", "environment", "criticality", "who", "reach", "reversible"))
)
def test_knowing_less_never_allows_more(rules: list[Rule], situation: Situation, forgotten: str) -> None:
    known = judge([*rules, ALLOWS], situation)
    less = judge([*rules, ALLOWS], replace(situation, **{forgotten: None}))  # type: ignore[arg-type]
    assert less.verdict >= known.verdict
    assert less.mode <= known.mode


@given(SETS, SITUATIONS)
def test_nothing_is_allowed_that_no_rule_surely_allows(rules: list[Rule], situation: Situation) -> None:
    found = judge(rules, situation)
    allowing = [one for one in found.effects if one.verdict is Verdict.ALLOW and one.sure]
    assert found.verdict is not Verdict.ALLOW or allowing


def test_what_is_allowed_is_allowed() -> None:
    assert judge([ALLOWS], WHOLE).verdict is Verdict.ALLOW
    assert judge([], WHOLE).mode is Mode.OBSERVE


def test_an_action_without_a_word_of_ours_is_allowed_by_name_alone() -> None:
    odd = replace(WHOLE, action="drain_the_pool", known_action=False)
    wild = replace(ALLOWS, when=When(actions=("*",)))
    assert judge([ALLOWS, wild], odd).verdict is Verdict.NEEDS_APPROVAL
    named = replace(ALLOWS, when=When(actions=("drain_the_pool",)))
    assert judge([named], odd).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    ("reach", "verdict"),
    [
        ({}, Verdict.ALLOW),
        ({"low": 3}, Verdict.ALLOW),
        ({"low": 4}, Verdict.REFUSE),
        ({"high": 1}, Verdict.REFUSE),
        ({"unknown": 1}, Verdict.REFUSE),
        (None, Verdict.REFUSE),
    ],
)
def test_a_limit_is_passed_by_what_reaches_far_or_nobody_knows_how_far(
    reach: dict[str, int] | None, verdict: Verdict
) -> None:
    rule = replace(ALLOWS, limits=Limits(dependents=3, criticality="normal"), over=Verdict.REFUSE)
    assert judge([rule], replace(WHOLE, reach=reach)).verdict is verdict


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        ("2026-11-27T14:59:59+00:00", False),
        ("2026-11-27T15:00:00+00:00", True),
        ("2026-11-28T04:59:59+00:00", True),
        ("2026-11-28T05:00:00+00:00", False),
        ("2026-11-26T16:00:00+00:00", False),
        ("2026-07-03T13:59:59+00:00", False),
        ("2026-07-03T14:00:00+00:00", True),
    ],
)
def test_hours_are_read_off_the_wall_of_their_place_over_midnight_and_summer_time(at: str, inside: bool) -> None:
    friday = Hours(frozenset({4}), 16 * 3600, 30 * 3600, "Europe/Berlin")
    assert friday.holds(datetime.fromisoformat(at)) is inside


def test_of_a_time_that_comes_twice_the_whole_is_inside() -> None:
    found = stretch(datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 2, 45), "Europe/Berlin")  # noqa: DTZ001
    assert found.holds(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    assert found.holds(datetime(2026, 10, 25, 1, 44, tzinfo=UTC))
    assert not found.holds(datetime(2026, 10, 25, 1, 45, tzinfo=UTC))
