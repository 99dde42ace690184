"""
Stores against the model, on random histories and from random views.
"""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.contract import Store, Yield
from graph.values import UNPLACED, Change, Fact, Record, Statement, Trust, View
from tests.contract.backends import BACKENDS, Backend
from tests.contract.histories import RUNS, Act
from tests.contract.histories import acts as drawn
from tests.contract.making import day, owned, record, state, view
from tests.contract.model import Answer, Deed, Model

SECRET = frozenset({"secret"})
SERVICES = ("service:x", "service:y", UNPLACED)
_VIEWS = st.builds(
    view,
    st.integers(-1, 30),
    st.integers(-1, 30),
    labels=st.sampled_from((frozenset(), SECRET)),
)


def _do(store: Store, model: Model, acts: list[Act], timely: bool = False) -> None:
    """
    `timely`: what comes after a retraction is not known before it.
    """
    clock, records, retracted = 0, list[Record](), False
    for act in acts:
        clock += act.wait
        if act.what == "sweep":
            seen = frozenset((act.part,))
            store.sweep(act.source, seen, day(clock))
            model.do(Deed(day(clock), sweep=(act.source, seen)))
        elif act.what == "retract" and records:
            chosen = records[act.pick % len(records)].id
            retracted = True
            store.retract(chosen, day(clock), "wrong")
            model.do(Deed(day(clock), retract=chosen))
        elif act.what in ("snapshot", "event"):
            snapshot = act.what == "snapshot"
            at = clock if snapshot or (timely and retracted) else clock - act.late + len(records) / 1000
            source = act.source if snapshot else "deploys"
            labels = SECRET if act.secret else frozenset[str]()
            occurred = None if snapshot else act.occurred
            made = record(f"r{len(records)}", at, source=source, part=act.part, labels=labels, occurred=occurred)
            yielded = Yield(record=made.id, items=act.items, trust=act.trust, snapshot=snapshot)
            records.append(made)
            for _ in range(1 + act.pick % 2):
                store.append([made])
                store.apply([yielded])
            model.do(Deed(made.known_at, record=made, given=yielded))


def _agree(shown: Sequence[Statement[Fact | Change]], expected: Mapping[Answer, set[str]]) -> None:
    answers = [Answer(one.source, one.item, one.trust, one.visibility) for one in shown]
    assert len(answers) == len(set(answers))
    assert set(answers) == expected.keys()
    assert all(one.record in expected[answer] for one, answer in zip(shown, answers, strict=True))


def _compare(store: Store, model: Model, seen: View) -> None:
    facts = store.facts(seen)
    _agree(facts, model.facts(seen))
    _agree(
        store.changes(seen, services=SERVICES, start=day(1), end=day(7)), model.changes(seen, SERVICES, day(1), day(7))
    )
    hiding = replace(seen, hidden=frozenset(("r0", "r2")))
    assert store.facts(hiding) == tuple(one for one in facts if one.record not in hiding.hidden)


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
@given(
    acts=st.lists(drawn(("snapshot", "snapshot", "event", "event", "sweep", "retract")), min_size=1, max_size=9),
    views=st.lists(_VIEWS, min_size=6, max_size=6),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_store_answers_as_the_model_does(backend: Backend, acts: list[Act], views: list[View]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = backend.open(Path(folder))
        try:
            model = Model()
            _do(store, model, acts)
            for seen in views:
                _compare(store, model, seen)
        finally:
            store.close()


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
@given(
    acts=st.lists(drawn(("event", "event", "event", "retract"), RUNS), min_size=2, max_size=9),
    views=st.lists(_VIEWS, min_size=6, max_size=6),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_end_without_a_begin_borrows_as_in_the_model(backend: Backend, acts: list[Act], views: list[View]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = backend.open(Path(folder))
        try:
            model = Model()
            _do(store, model, acts, timely=True)
            for seen in views:
                _compare(store, model, seen)
        finally:
            store.close()


def _told(store: Store, seen: View) -> set[Answer]:
    found: list[Statement[Fact | Change]] = [*store.facts(seen), *store.changes(seen)]
    return {Answer(one.source, one.item, one.trust, one.visibility) for one in found}


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
@given(
    acts=st.lists(drawn(("event",)), min_size=2, max_size=6)
    | st.lists(drawn(("event",), RUNS), min_size=2, max_size=6),
    views=st.lists(_VIEWS, min_size=4, max_size=4),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_events_tell_the_same_in_whatever_order_they_come(
    backend: Backend, acts: list[Act], views: list[View], order: random.Random
) -> None:
    given_order = list(enumerate(acts))
    shuffled = order.sample(given_order, len(given_order))
    told = []
    for arrivals in (given_order, shuffled):
        with tempfile.TemporaryDirectory() as folder:
            store = backend.open(Path(folder))
            for number, act in arrivals:
                made = record(f"r{number}", number, source="deploys", part=act.part, occurred=act.occurred)
                state(store, made, *act.items, trust=act.trust)
            told.append([_told(store, seen) for seen in views])
            store.close()
    assert told[0] == told[1]


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
@given(acts=st.lists(drawn(("snapshot",)), min_size=2, max_size=5), order=st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_newest_snapshot_of_a_part_holds_in_whatever_order_they_come(
    backend: Backend, acts: list[Act], order: random.Random
) -> None:
    shuffled = order.sample(list(enumerate(acts)), len(acts))
    with tempfile.TemporaryDirectory() as folder:
        store = backend.open(Path(folder))
        for number, act in shuffled:
            state(store, record(f"r{number}", number), *act.items, snapshot=True, trust=act.trust)
        stated = {item.object for item in acts[-1].items if isinstance(item, Fact) and item.valid.holds(day(50))}
        assert {one.item.object for one in store.facts(view(50))} == stated
        changed = {item.id for item in acts[-1].items if isinstance(item, Change)}
        assert {one.item.id for one in store.changes(view(50))} == changed
        store.close()


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_what_was_said_again_is_not_passed_over(backend: Backend, order: tuple[int, ...]) -> None:
    """
    Observed, declared, observed, declared: the second of each confirms nothing that lies between.
    """
    trusts = (Trust.OBSERVED, Trust.DECLARED) * 2
    with tempfile.TemporaryDirectory() as folder:
        store = backend.open(Path(folder))
        for number in order:
            state(store, record(f"r{number}", number, source="deploys"), owned("x", "a"), trust=trusts[number])
        assert tuple(one.trust for number in range(4) for one in store.facts(view(number + 0.5))) == trusts
        store.close()
