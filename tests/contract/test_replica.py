"""
The replica beside the store that it follows: the same answers to the same questions, whatever happened before.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.contract import Facts, Store
from graph.replica import Replica
from graph.values import Fact, FactKind, ItemKind, Labels, Record, Statement, View
from tests.contract.backends import BACKENDS, Backend
from tests.contract.making import day, deploy, fact, owned, record, state, view

SECRET = frozenset({"secret"})
KINDS = (FactKind.ENTITY, FactKind.OWNED_BY, FactKind.DEPENDS_ON, FactKind.SAME_AS, FactKind.ON_CALL_FOR)
NAMES = ("service:x", "service:y", "team:a", "team:b")


@dataclass(frozen=True)
class Act:
    """
    What is done next, and how much of the feed is read at once after it (0: nothing yet).
    """

    what: str
    source: str
    part: str
    labels: Labels
    facts: tuple[Fact, ...]
    pick: int
    limit: int


@dataclass(frozen=True)
class Asked:
    """
    The filters of one question.
    """

    view: View
    kinds: tuple[FactKind, ...]
    subjects: tuple[str, ...]
    objects: tuple[str, ...]
    valid: bool


_DAYS = st.sampled_from((None, None, 3, 8, 15))
_FACTS = st.builds(
    fact, st.sampled_from(KINDS), st.sampled_from(NAMES), st.sampled_from(("", *NAMES)), start=_DAYS, end=_DAYS
)
_ACTS = st.builds(
    Act,
    what=st.sampled_from(("snapshot", "snapshot", "event", "event", "sweep", "retract", "erase")),
    source=st.sampled_from(("catalog", "paging")),
    part=st.sampled_from(("p", "q")),
    labels=st.sampled_from((frozenset(), frozenset(), SECRET)),
    facts=st.lists(_FACTS, max_size=4).map(tuple),
    pick=st.integers(0, 20),
    limit=st.sampled_from((0, 0, 2, 100)),
)
_ASKED = st.builds(
    Asked,
    view=st.builds(
        view,
        st.integers(-1, 30),
        st.integers(-1, 30),
        labels=st.sampled_from((frozenset(), SECRET)),
        hidden=st.lists(st.sampled_from(("r0", "r1", "r2")), max_size=2),
    ),
    kinds=st.lists(st.sampled_from(KINDS), max_size=3).map(tuple),
    subjects=st.lists(st.sampled_from(NAMES), max_size=2).map(tuple),
    objects=st.lists(st.sampled_from(("", *NAMES)), max_size=2).map(tuple),
    valid=st.booleans(),
)


class Following:
    """
    A replica with its place in the store's feed.
    """

    def __init__(self, store: Store) -> None:
        self.replica = Replica()
        self._store = store
        self._at = 0

    def catch_up(self, limit: int = 1000) -> None:
        while events := self._store.changes_since(self._at, limit, (ItemKind.FACT, ItemKind.INCIDENT)):
            self.replica.take(events)
            self._at = events[-1].seq


def _do(store: Store, act: Act, at: int, records: list[Record]) -> None:
    if act.what == "sweep":
        store.sweep(act.source, (act.part,), day(at))
    elif act.what in ("snapshot", "event"):
        made = record(f"r{at}", at, source=act.source, part=act.part, labels=act.labels)
        state(store, made, *act.facts, deploy(f"c{at}", at, "x"), snapshot=act.what == "snapshot")
        records.append(made)
    elif records and act.what == "retract":
        store.retract(records[act.pick % len(records)].id, day(at), "wrong")
    elif records:
        store.erase(records.pop(act.pick % len(records)).id)


def _answer(facts: Facts, one: Asked) -> tuple[Statement[Fact], ...]:
    return facts.facts(one.view, kinds=one.kinds, subjects=one.subjects, objects=one.objects, valid=one.valid)


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
@given(acts=st.lists(_ACTS, min_size=1, max_size=10), questions=st.lists(_ASKED, min_size=12, max_size=12))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_replica_answers_as_its_store_does(backend: Backend, acts: list[Act], questions: list[Asked]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = backend.open(Path(folder))
        try:
            following = Following(store)
            records: list[Record] = []
            for at, act in enumerate(acts):
                _do(store, act, at, records)
                if act.limit:
                    following.catch_up(act.limit)
            following.catch_up()
            for one in questions:
                assert _answer(following.replica, one) == _answer(store, one)
        finally:
            store.close()


def test_erasing_a_record_leaves_nothing_of_its_facts(store: Store) -> None:
    following = Following(store)
    state(store, record("r"), owned("x", "hidden-name"), owned("y", "a"))
    state(store, record("s", source="paging"), owned("y", "b"))
    following.catch_up()
    assert len(following.replica) == 3
    store.erase("r")
    following.catch_up()
    assert [one.item.object for one in following.replica.facts(view(50), valid=False)] == ["team:b"]
    assert "hidden-name" not in repr(vars(following.replica))


def test_what_is_closed_still_answers_for_the_time_before(store: Store) -> None:
    following = Following(store)
    state(store, record("r", 1), owned("x", "a"))
    following.catch_up()
    store.retract("r", day(5), "wrong")
    assert following.replica.take(store.changes_since(0)) == {FactKind.OWNED_BY}
    assert following.replica.facts(view(6)) == ()
    assert [one.known.end for one in following.replica.facts(view(4))] == [day(5)]
