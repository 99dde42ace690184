"""
Identity: what is merged, unmerged, renamed and split, by whom and when.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from graph.identity import Identity
from graph.values import Fact, FactKind, Span, Statement, Trust
from tests.contract.making import day, fact


def _stated(*facts: Fact, trust: Trust = Trust.DECLARED, known: float = 0) -> list[Statement[Fact]]:
    return [
        Statement(seq=number, item=one, record="r", source="s", trust=trust, known=Span(day(known)))
        for number, one in enumerate(facts)
    ]


def _same(one: str, other: str, verdict: str = "") -> Fact:
    return fact(FactKind.SAME_AS, one, other, verdict=verdict)


def _renamed(one: str, other: str, at: float = 0) -> Fact:
    return fact(FactKind.RENAMED_TO, one, other, start=at)


def test_an_unknown_id_is_itself() -> None:
    names = Identity()
    assert names.canonical("a") == "a"
    assert names.members("a") == frozenset("a")


def test_a_chain_of_renames_leads_to_the_last_name() -> None:
    names = Identity(_stated(_renamed("a", "b"), _renamed("b", "c")))
    assert {names.canonical(one) for one in "abc"} == {"c"}
    assert names.members("a") == frozenset("abc")


def test_a_circle_of_renames_ends_at_the_latest() -> None:
    assert Identity(_stated(_renamed("a", "b", 1), _renamed("b", "a", 5))).canonical("b") == "a"


def test_a_reviewed_rejection_cuts_what_sources_declare() -> None:
    declared = _stated(_same("a", "b"), known=5)
    rejected = _stated(_same("b", "a", verdict="rejected"), trust=Trust.REVIEWED)
    assert Identity(declared).canonical("a") == "b"
    assert Identity(declared + rejected).canonical("a") == "a"


def test_a_declared_rejection_does_not_cut_what_was_reviewed() -> None:
    reviewed = _stated(_same("a", "b"), trust=Trust.REVIEWED)
    assert Identity(reviewed + _stated(_same("a", "b", verdict="rejected"), known=9)).canonical("a") == "b"


def test_of_equal_trust_the_later_knowledge_decides() -> None:
    merged, cut = _stated(_same("a", "b"), known=1), _stated(_same("a", "b", verdict="rejected"), known=2)
    assert Identity(merged + cut).canonical("a") == "a"


def test_a_rejected_pair_is_not_joined_through_a_third() -> None:
    reviewed = _stated(_same("a", "c", verdict="rejected"), _same("a", "b"), trust=Trust.REVIEWED)
    names = Identity(reviewed + _stated(_same("b", "c")))
    assert names.same("a") == frozenset("ab")
    assert names.same("c") == frozenset("c")


def test_free_text_joins_nothing() -> None:
    assert Identity(_stated(_same("a", "b"), trust=Trust.UNTRUSTED)).canonical("a") == "a"


def test_parts_inherit_the_past_of_what_was_split_and_are_not_one() -> None:
    split = [fact(FactKind.SPLIT_INTO, "old", part, start=3) for part in ("a", "b")]
    names = Identity(_stated(_renamed("older", "old"), *split))
    assert names.members("a") == {"a", "old", "older"}
    assert names.inherited("a") == {"old": day(3), "older": day(3)}
    assert names.canonical("a") == "a"
    assert names.same("a") == {"a"}
    assert names.members("old") == {"old", "older"}


def test_a_circle_of_splits_ends() -> None:
    split = [fact(FactKind.SPLIT_INTO, one, other) for one, other in ("ab", "bc", "ca")]
    assert Identity(_stated(*split)).members("a") == frozenset("abc")


_PAIRS = st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"))
_JOINS = st.lists(_PAIRS, max_size=6)


def _reach(joins: Sequence[tuple[str, str]], start: str) -> set[str]:
    found = {start}
    while more := {two for one, two in [*joins, *((b, a) for a, b in joins)] if one in found} - found:
        found |= more
    return found


@given(joins=_JOINS)
def test_without_rejections_all_that_is_joined_is_one(joins: list[tuple[str, str]]) -> None:
    names = Identity(_stated(*(_same(*pair) for pair in joins)))
    for one in "abcd":
        assert names.same(one) == _reach(joins, one)
        assert names.canonical(one) in names.same(one)


@given(joins=_JOINS, cuts=_JOINS, order=st.randoms(use_true_random=False))
def test_reviewed_rejections_hold_and_the_order_of_facts_does_not_matter(
    joins: list[tuple[str, str]], cuts: list[tuple[str, str]], order: random.Random
) -> None:
    rejected = _stated(*(_same(*pair, verdict="rejected") for pair in cuts), trust=Trust.REVIEWED)
    stated = _stated(*(_same(*pair) for pair in joins)) + rejected
    names = Identity(stated)
    order.shuffle(stated)
    again = Identity(stated)
    for one in "abcd":
        assert again.same(one) == names.same(one)
        assert again.canonical(one) == names.canonical(one)
        assert names.same(one) <= _reach(joins, one)
        assert all(names.same(other) == names.same(one) for other in names.same(one))
    assert not any(one != other and other in names.same(one) for one, other in cuts)


def test_a_reviewed_rejection_cuts_a_declared_split_and_not_the_other_way() -> None:
    split = _stated(fact(FactKind.SPLIT_INTO, "old", "part"), known=9)
    rejected = _stated(_same("part", "old", verdict="rejected"), trust=Trust.REVIEWED)
    assert Identity(split).parts("old") == {"part"}
    assert Identity(split + rejected).inherited("part") == {}
    reviewed = _stated(fact(FactKind.SPLIT_INTO, "old", "part"), trust=Trust.REVIEWED)
    assert Identity(reviewed + _stated(_same("part", "old", verdict="rejected"), known=9)).parts("old") == {"part"}


def test_what_was_undone_says_nothing_and_what_is_less_trusted_counts_again() -> None:
    undone = _stated(_same("a", "b", verdict="undone"), trust=Trust.REVIEWED, known=5)
    assert Identity(undone).canonical("a") == "a"
    assert Identity(undone + _stated(_same("a", "b"))).canonical("a") == "b"
