"""
An end that does not say when it began: what it borrows, from when on, and what happens when that is taken back.
"""

from __future__ import annotations

import itertools
import random
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.contract import Store
from graph.values import Alert, Incident, Item, View
from tests.contract.backends import BACKENDS, Backend
from tests.contract.histories import RUNS
from tests.contract.making import day, deploy, record, state, view

START, END = deploy("1", 1, "x", title="started"), deploy("1", 4, "x", title="ended", end=4)


def _event(store: Store, name: str, at: float, item: Item, occurred: float | None = None) -> None:
    labels = frozenset({"secret"}) if name.startswith("secret") else frozenset[str]()
    state(store, record(name, at, source="deploys", part=name, occurred=occurred, labels=labels), item)


def _begins(store: Store, seen: View) -> list[tuple[str, float]]:
    return [(one.item.title, (one.item.at - day(0)).total_seconds() / 86400) for one in store.changes(seen)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
def test_an_end_keeps_the_begin_in_whatever_order_they_come(store: Store, order: tuple[int, ...]) -> None:
    told = [("start", 10, START, 1), ("end", 11, END, 4)]
    for place in order:
        name, at, item, occurred = told[place]
        _event(store, name, at, item, occurred)
    assert _begins(store, view(12)) == [("ended", 1)]
    assert _begins(store, view(10.5)) == [("started", 1)]
    within = store.changes(view(12), start=day(0), end=day(2))
    assert [one.item.ended_at for one in within] == [day(4)]


def test_as_known_before_the_start_was_heard_of_it_is_what_was_known(store: Store) -> None:
    _event(store, "end", 10, END, 4)
    _event(store, "start", 11, START, 1)
    assert _begins(store, view(10.5)) == [("ended", 4)]
    assert _begins(store, view(11)) == [("ended", 1)]


def test_what_was_taken_back_is_given_back(store: Store) -> None:
    _event(store, "start", 10, START, 1)
    _event(store, "end", 11, END, 4)
    store.retract("start", day(12), "wrong")
    assert _begins(store, view(11.5)) == [("ended", 1)]
    assert _begins(store, view(13)) == [("ended", 4)]
    _event(store, "again", 14, replace(START, at=day(2)), 2)
    assert _begins(store, view(15)) == [("ended", 2)]


def test_what_was_erased_was_never_borrowed(store: Store) -> None:
    _event(store, "start", 10, START, 1)
    _event(store, "end", 11, END, 4)
    store.erase("start")
    assert _begins(store, view(11.5)) == _begins(store, view(13)) == [("ended", 4)]
    kept = [one.statement.item for one in store.changes_since(0) if one.statement is not None]
    assert {one.at for one in kept if not isinstance(one, Incident) and hasattr(one, "at")} == {day(4)}


def test_what_goes_with_a_record_does_not_go_again_for_what_it_borrowed(store: Store) -> None:
    _event(store, "first", 0, deploy("1", 1, "x", end=1))
    _event(store, "second", 1, deploy("1", 1, "x", end=1))
    _event(store, "begun", 2, deploy("1", 0, "x"), 0)
    store.retract("begun", day(23), "wrong")
    store.erase("first")
    assert _begins(store, view(30)) == [("", 1)]


def test_a_thing_that_comes_back_begins_anew(store: Store) -> None:
    for nth, at in enumerate((1, 20)):
        _event(store, f"start{nth}", at, replace(START, at=day(at)))
        _event(store, f"end{nth}", at + 3, replace(END, at=day(at + 3), ended_at=day(at + 3)))
    assert [at for _, at in _begins(store, view(22))] == [20]
    assert [at for _, at in _begins(store, view(30))] == [20]


def test_what_says_its_begin_may_correct_it(store: Store) -> None:
    _event(store, "planned", 1, deploy("1", 3, "x"), 1)
    _event(store, "put off", 2, deploy("1", 9, "x"), 2)
    _event(store, "over", 12, deploy("1", 9.5, "x", end=11), 12)
    assert [[at for _, at in _begins(store, view(known))] for known in (1.5, 2.5, 13)] == [[3], [9], [9.5]]


def test_nobody_borrows_what_he_may_not_see(store: Store) -> None:
    _event(store, "secret", 10, START, 1)
    _event(store, "end", 11, END, 4)
    assert _begins(store, view(12)) == [("ended", 4)]


def test_alerts_and_incidents_keep_their_onset(store: Store) -> None:
    firing = Alert(id="a", name="Slow", at=day(1))
    _event(store, "firing", 10, firing)
    _event(store, "well", 11, replace(firing, at=day(3), ended_at=day(3), status="resolved"))
    _event(store, "seen", 10, Incident(id="i", title="Down", at=day(1)))
    _event(store, "over", 11, Incident(id="i", title="Up", resolved_at=day(3)))
    (alert,) = store.alerts(view(12))
    (incident,) = store.incidents(view(12))
    assert (alert.item.at, alert.item.ended_at, alert.item.status) == (day(1), day(3), "resolved")
    assert (incident.item.at, incident.item.resolved_at, incident.item.title) == (day(1), day(3), "Up")


@given(
    runs=st.lists(st.tuples(RUNS, st.integers(0, 9) | st.none()), min_size=2, max_size=6),
    gone=st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=4),
    draw=st.randoms(use_true_random=False),
)
@settings(max_examples=80, deadline=None)
@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_told_and_taken_back_in_any_order_it_is_as_had_the_others_never_been_told(
    backend: Backend, runs: list[tuple[Item, int | None]], gone: list[tuple[int, bool]], draw: random.Random
) -> None:
    deeds: list[tuple[str, int]] = [("tell", nth) for nth in range(len(runs))]
    draw.shuffle(deeds)
    left = set(range(len(runs)))
    for number, erased in gone:
        if number in left:
            first = deeds.index(("tell", number))
            deeds.insert(draw.randint(first + 1, len(deeds)), ("erase" if erased else "retract", number))
            left.discard(number)

    def told(deeds: list[tuple[str, int]]) -> list[tuple[str, float]]:
        with tempfile.TemporaryDirectory() as folder, closing(backend.open(Path(folder))) as store:
            for step, (what, number) in enumerate(deeds):
                item, occurred = runs[number]
                if what == "tell":
                    _event(store, f"r{number}", number, item, occurred)
                elif what == "erase":
                    store.erase(f"r{number}")
                else:
                    store.retract(f"r{number}", day(20 + step), "wrong")
            return _begins(store, view(99))

    assert told(deeds) == told([("tell", nth) for nth in sorted(left)])
