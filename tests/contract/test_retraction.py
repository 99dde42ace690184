"""
Taking a record back: retraction leaves the past as it was known, erasure leaves nothing.
"""

from __future__ import annotations

from graph.contract import Store, Yield
from graph.values import RecordState, Trust
from tests.contract.making import day, deploy, owned, owners, record, state, view


def test_retraction_closes_what_the_record_stated_and_the_past_still_knew_it(store: Store) -> None:
    state(store, record("r", 1), owned("x", "a"), deploy("1", 1, "x"))
    store.keep("answers", [("k", b"v")], ["r"])
    retraction = store.retract("r", day(5), "never true")
    assert retraction.statements == (1, 2)
    assert retraction.kept == (("answers", "k"),)
    assert owners(store, view(6)) == [] and store.changes(view(6)) == ()  # noqa: PT018 - the record as a whole
    assert owners(store, view(4)) == ["a"]
    assert store.records(["r"])[0].state is RecordState.RETRACTED
    assert store.records(["r"])[0].reason == "never true"


def test_retracting_twice_is_retracting_once(store: Store) -> None:
    state(store, record("r", 1), owned("x", "a"))
    first = store.retract("r", day(5), "wrong")
    end = store.watermark()
    assert store.retract("r", day(9), "again") == first
    assert store.watermark() == end


def test_a_retracted_record_is_never_applied(store: Store) -> None:
    store.append([record("r")])
    store.retract("r", day(1), "wrong")
    store.apply([Yield(record="r", items=(owned("x", "a"),), trust=Trust.DECLARED)])
    assert owners(store, view(2)) == []
    assert store.append([record("r")])[0].duplicate


def test_what_another_part_states_too_goes_on_with_that_evidence(store: Store) -> None:
    state(store, record("r", 1), owned("x", "a"), snapshot=True)
    state(store, record("s", 2, part="b.yaml"), owned("x", "a"), snapshot=True)
    store.retract("r", day(5), "wrong")
    assert [one.record for one in store.facts(view(6))] == ["s"]
    assert [one.record for one in store.facts(view(4))] == ["r"]


def test_what_the_parts_older_record_states_goes_on(store: Store) -> None:
    state(store, record("r", 1), owned("x", "a"), snapshot=True)
    state(store, record("s", 2), owned("x", "a"), snapshot=True)
    store.retract("s", day(5), "wrong")
    assert [one.record for one in store.facts(view(6))] == ["r"]


def test_an_ended_fact_goes_with_its_record(store: Store) -> None:
    state(store, record("r", 1), owned("x", "a"), snapshot=True)
    state(store, record("s", 3), snapshot=True)
    store.retract("r", day(5), "wrong")
    assert owners(store, view(2, known=6)) == []


def test_erasure_leaves_an_erased_line_and_nothing_else(store: Store) -> None:
    state(store, record("r", 1), owned("x", "a"), snapshot=True)
    state(store, record("s", 2), owned("x", "b"), snapshot=True)
    store.keep("answers", [("k", b"v")], ["r", "s"])
    assert store.erase("r").kept == (("answers", "k"),)
    assert store.records(["r"]) == ()
    assert store.kept("answers") == {}
    assert [one.item.object for one in store.facts(view(9), valid=False)] == ["team:b"]
    assert owners(store, view(1)) == []
    gone = {one.statement_seq for one in store.changes_since(0) if one.statement is None}
    assert {one.op for one in store.changes_since(0) if one.statement_seq in gone} == {"erased"}
    assert store.changes_since(0)[-1].op == "erased"


def test_erasing_one_of_two_parts_leaves_what_the_other_states(store: Store) -> None:
    state(store, record("r", 1), owned("x", "a"), snapshot=True)
    state(store, record("s", 2, part="b.yaml"), owned("x", "a"), snapshot=True)
    store.erase("r")
    (only,) = store.facts(view(6))
    assert (only.record, only.known.start) == ("s", day(2))


def test_an_erased_seq_is_never_given_again(store: Store) -> None:
    state(store, record("r", 1), owned("x", "a"))
    store.erase("r")
    state(store, record("s", 2), owned("x", "a"))
    assert [one.seq for one in store.facts(view(3))] == [2]


def test_erasing_leaves_what_was_seen_of_another_source(store: Store) -> None:
    store.sweep("paging", [], day(1))
    state(store, record("r", 2), owned("x", "a"))
    store.erase("r")
    state(store, record("s", 5, source="paging"), owned("y", "b"), snapshot=True)
    assert owners(store, view(4, known=9)) == []
    assert owners(store, view(6)) == ["b"]
