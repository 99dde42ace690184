"""
Taking a record back: retraction leaves the past as it was known, erasure leaves nothing.
"""

from __future__ import annotations

import itertools
import random
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.contract import Store, Yield
from graph.values import RecordState, Trust, View
from tests.contract.backends import BACKENDS, Backend
from tests.contract.making import day, deploy, owned, owners, record, state, view


def test_retraction_closes_what_the_record_stated_and_the_past_still_knew_it(store: Store) -> None:
    state(store, record("r", 1), owned("x", "a"), deploy("1", 1, "x"))
    store.keep("answers", [("k", b"v")], ["r"])
    resting = store.resting("r")
    assert len(owners(store, view(6))) == 1
    retraction = store.retract("r", day(5), "never true")
    assert resting == retraction
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


def _title(store: Store, seen: View) -> list[str]:
    return [one.item.title for one in store.changes(seen)]


def _told(store: Store, name: str, at: float, occurred: float | None, title: str) -> None:
    state(store, record(name, at, source="deploys", part=name, occurred=occurred), deploy("1", 0, "x", title=title))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("timed", [True, False])
def test_what_an_event_replaced_stands_again_when_it_is_taken_back(
    store: Store, order: tuple[int, ...], timed: bool
) -> None:
    for place, number in enumerate(order):
        _told(store, f"r{number}", place if timed else number, number if timed else None, f"t{number}")
    store.retract("r2", day(5), "wrong")
    assert (_title(store, view(4)), _title(store, view(6))) == (["t2"], ["t1"])
    store.retract("r1", day(7), "wrong")
    assert (_title(store, view(6)), _title(store, view(8))) == (["t1"], ["t0"])
    _told(store, "r3", 9, 3 if timed else None, "t3")
    assert _title(store, view(9)) == ["t3"]
    store.retract("r3", day(10), "wrong")
    assert _title(store, view(11)) == ["t0"]
    store.retract("r0", day(12), "wrong")
    assert _title(store, view(13)) == []


@given(
    drawn=st.lists(st.tuples(st.integers(0, 3) | st.none(), st.sampled_from("ab")), min_size=1, max_size=6),
    gone=st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=5),
    draw=st.randoms(use_true_random=False),
)
@settings(max_examples=60)
@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_what_stands_is_the_last_event_that_was_not_taken_back(
    backend: Backend,
    drawn: list[tuple[int | None, str]],
    gone: list[tuple[int, bool]],
    draw: random.Random,
) -> None:
    """
    Told and taken back in any order: what stands at the end is what would, had the others never been told.
    """
    told = [
        (f"r{nth}", nth if occurred is None else occurred, occurred, said) for nth, (occurred, said) in enumerate(drawn)
    ]
    left = {name: (moment, occurred is not None, name) for name, moment, occurred, _ in told}
    deeds: list[tuple[str, int]] = [("tell", nth) for nth in range(len(told))]
    draw.shuffle(deeds)
    for number, erased in gone:
        if number < len(told):
            first = deeds.index(("tell", number))
            deeds.insert(draw.randint(first + 1, len(deeds)), ("erase" if erased else "retract", number))
            left.pop(f"r{number}", None)
    with tempfile.TemporaryDirectory() as folder, closing(backend.open(Path(folder))) as store:
        for step, (what, number) in enumerate(deeds):
            name, _, occurred, said = told[number]
            if what == "tell":
                _told(store, name, number, occurred, said)
            elif store.records([name]):
                store.erase(name) if what == "erase" else store.retract(name, day(20 + step), "wrong")
        best = max(left.items(), key=lambda one: (one[1][0], one[1][2] if one[1][1] else ""), default=None)
        said_last = [] if best is None else [said for name, _, _, said in told if name == best[0]]
        assert _title(store, view(99)) == said_last
