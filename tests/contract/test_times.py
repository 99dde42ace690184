"""
Both times: what held when, and what was known of it when.
"""

from __future__ import annotations

from dataclasses import replace

from graph.contract import Store
from graph.values import Fact, FactKind, Span, Trust
from tests.contract.making import day, deploy, owned, owners, record, state, view


def _snapshot(store: Store, name: str, at: float, *facts: Fact, source: str = "catalog", part: str = "a.yaml") -> None:
    state(store, record(name, at, source=source, part=part), *facts, snapshot=True)


def test_a_new_owner_ends_the_old_one_and_the_past_keeps_both(store: Store) -> None:
    _snapshot(store, "r", 1, owned("x", "a"))
    _snapshot(store, "s", 5, owned("x", "b"))
    assert owners(store, view(3)) == ["a"]
    assert owners(store, view(6)) == ["b"]
    assert owners(store, view(3, known=6)) == ["a"]
    assert owners(store, view(6, known=3)) == ["a"]


def test_the_first_snapshot_says_nothing_of_a_beginning(store: Store) -> None:
    _snapshot(store, "r", 1, owned("x", "a"))
    assert owners(store, view(-100, known=1)) == ["a"]


def test_a_part_that_appears_after_a_whole_snapshot_begins_then(store: Store) -> None:
    _snapshot(store, "r", 1, owned("x", "a"))
    _snapshot(store, "s", 2, owned("y", "a"), part="b.yaml")
    store.sweep("catalog", ["a.yaml", "b.yaml"], day(3))
    _snapshot(store, "t", 5, owned("z", "a"), part="c.yaml")
    assert len(owners(store, view(4, known=9))) == 2
    assert len(owners(store, view(6, known=9))) == 3


def test_a_sweep_ends_what_unseen_parts_stated(store: Store) -> None:
    _snapshot(store, "r", 1, owned("x", "a"))
    _snapshot(store, "s", 1, owned("y", "b"), part="b.yaml")
    assert store.sweep("catalog", ["a.yaml"], day(4)).closed == 1
    assert owners(store, view(5)) == ["a"]
    assert owners(store, view(3, known=5)) == ["a", "b"]
    assert store.sweep("catalog", ["a.yaml"], day(6)).closed == 0


def test_a_fact_falls_only_when_no_source_states_it(store: Store) -> None:
    _snapshot(store, "r", 1, owned("x", "a"))
    _snapshot(store, "s", 1, owned("x", "a"), source="paging")
    _snapshot(store, "t", 3, source="catalog")
    assert owners(store, view(4)) == ["a"]
    _snapshot(store, "u", 5, source="paging")
    assert owners(store, view(6)) == []


def test_a_fact_moved_to_another_part_goes_on_without_a_gap(store: Store) -> None:
    _snapshot(store, "r", 1, owned("x", "a"))
    _snapshot(store, "s", 2, owned("x", "a"), part="moved.yaml")
    store.sweep("catalog", ["moved.yaml"], day(3))
    (only,) = store.facts(view(4))
    assert only.item.valid == Span() and only.known == Span(day(1))  # noqa: PT018 - one statement, whole


def test_equal_content_again_is_unchanged(store: Store) -> None:
    _snapshot(store, "r", 1, owned("x", "a"))
    assert state(store, record("s", 2), owned("x", "a"), snapshot=True).unchanged == 1
    assert [one.op for one in store.changes_since(0)] == ["opened"]


def test_other_attributes_are_a_correction_not_an_end(store: Store) -> None:
    _snapshot(store, "r", 1, owned("x", "a", note="old"))
    _snapshot(store, "s", 4, owned("x", "a", note="new"))
    assert [one.item.attributes["note"] for one in store.facts(view(2, known=5))] == ["new"]
    assert [one.item.attributes["note"] for one in store.facts(view(2, known=3))] == ["old"]


def test_a_fact_stated_again_later_held_twice(store: Store) -> None:
    for name, at, facts in (("r", 1, [owned("x", "a")]), ("s", 3, []), ("t", 6, [owned("x", "a")])):
        _snapshot(store, name, at, *facts)
    assert [owners(store, view(at, known=9)) for at in (2, 4, 7)] == [["a"], [], ["a"]]


def test_stated_validity_is_kept(store: Store) -> None:
    state(store, record("r", 9), owned("x", "a", start=1, end=3), owned("x", "b", start=3))
    assert [owners(store, view(at, known=9)) for at in (0, 2, 3)] == [[], ["a"], ["b"]]
    assert len(store.facts(view(0, known=9), valid=False)) == 2


def test_a_snapshot_that_comes_late_does_not_win(store: Store) -> None:
    _snapshot(store, "r", 1, owned("x", "a"))
    _snapshot(store, "t", 5, owned("x", "c"))
    _snapshot(store, "s", 3, owned("x", "b"))
    assert owners(store, view(6)) == ["c"]
    assert "b" in owners(store, view(4))
    assert "b" not in owners(store, view(6))


def test_an_older_version_of_a_change_never_wins(store: Store) -> None:
    state(store, record("r", 5, part="5"), deploy("1", 1, "x", title="done"))
    state(store, record("s", 2, part="2"), deploy("1", 1, "x", title="pending"))
    assert [one.item.title for one in store.changes(view(9))] == ["done"]
    assert [one.item.title for one in store.changes(view(3))] == ["pending"]
    assert [one.item.title for one in store.changes(view(1))] == []


def test_another_trust_is_another_version(store: Store) -> None:
    state(store, record("r", 1), owned("x", "a"), trust=Trust.OBSERVED)
    state(store, record("s", 2), owned("x", "a"), trust=Trust.REVIEWED)
    assert [one.trust for one in store.facts(view(3))] == [Trust.REVIEWED]


def test_an_alias_seen_in_two_places_by_one_record_is_kept_twice(store: Store) -> None:
    alias = Fact(kind=FactKind.ALIAS, subject="service:x", object="x-prod", attributes={"seen_in": "label"})
    other = replace(alias, attributes={"seen_in": "hostname"})
    _snapshot(store, "r", 1, alias, other)
    assert state(store, record("s", 2), alias, other, snapshot=True).unchanged == 2
    assert {one.item.attributes["seen_in"] for one in store.facts(view(3))} == {"label", "hostname"}
