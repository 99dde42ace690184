"""
Records: durable once, handed out once, settled once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graph.contract import Store, Yield
from graph.errors import InvalidValue, NotFound
from graph.values import RecordState, Trust
from tests.contract.backends import BACKENDS, Backend
from tests.contract.histories import Act, History
from tests.contract.histories import acts as drawn
from tests.contract.making import day, owned, owners, record, state, tallied, view


def test_a_record_appended_twice_is_a_duplicate_and_is_claimed_once(store: Store) -> None:
    first, second = store.append([record("r"), record("r")])
    assert (first.duplicate, second.duplicate) == (False, True)
    assert store.append([record("r")])[0].duplicate
    assert [one.id for one in store.claim(10)] == ["r"]


def test_a_record_comes_back_as_it_was(store: Store) -> None:
    made = record("r", 3, labels=frozenset(("a", "b")), occurred=2)
    store.append([made])
    assert store.records(["r"]) == (made,)


def test_records_are_claimed_in_the_order_of_arrival_and_by_one(store: Store) -> None:
    store.append([record("late", 9), record("other", 1, source="x"), record("early", 1)])
    assert [one.id for one in store.claim(1)] == ["late"]
    assert [one.id for one in store.claim(10, source="catalog")] == ["early"]
    assert [one.id for one in store.claim(10)] == ["other"]
    assert store.claim(10) == ()


def test_a_lapsed_claim_is_handed_out_again(store: Store) -> None:
    store.append([record("r")])
    store.claim(1, lease=timedelta(seconds=-1))
    assert [one.id for one in store.claim(1)] == ["r"]


def test_an_applied_record_is_not_claimed_nor_applied_again(store: Store) -> None:
    state(store, record("r"), owned("x", "a"))
    assert store.claim(10) == ()
    again = store.apply([Yield(record="r", items=(owned("x", "b"),), trust=Trust.DECLARED)])
    assert (again.stated, again.closed) == (0, 0)
    assert owners(store, view(1)) == ["a"]


def test_quarantine_sets_aside_with_a_reason_until_it_is_released(store: Store) -> None:
    store.append([record("r"), record("s", source="x")])
    for name in ("r", "s"):
        store.quarantine(name, "line 3 is no YAML")
    assert [one.reason for one in store.records(state=RecordState.QUARANTINED)] == ["line 3 is no YAML"] * 2
    assert store.claim(10) == ()
    assert store.release(source="x") == 1
    assert store.release(records=["r"]) == 1
    assert store.release() == 0
    assert {one.id for one in store.claim(10)} == {"r", "s"}


def test_quarantine_leaves_an_applied_record_and_what_it_stated(store: Store) -> None:
    state(store, record("r"), owned("x", "a"))
    store.quarantine("r", "too late")
    assert store.records(["r"])[0].state is RecordState.APPLIED
    assert owners(store, view(1)) == ["a"]


def test_a_tally_counts_every_source_by_state(store: Store) -> None:
    store.append([record("r", 1), record("s", 2), record("t", source="x")])
    store.quarantine("s", "bad")
    catalog, other = store.tally()
    assert (catalog.source, catalog.connector) == ("catalog", "test")
    assert catalog.states == {RecordState.PENDING: 1, RecordState.QUARANTINED: 1}
    assert (catalog.last_received, catalog.last_known) == (day(2), day(2))
    assert other.states == {RecordState.PENDING: 1}
    assert other.last_applied is None


def test_a_tally_tells_the_newest_record_and_the_newest_that_is_applied(store: Store) -> None:
    for number in range(1, 4):
        state(store, record(f"r{number}", number), owned("x", str(number)))
    store.append([record("r4", 4), replace(record("r5", 5), published_at=day(9))])
    assert _newest(store) == (day(5), day(9), day(3))
    store.retract("r2", day(6), "wrong")
    assert _newest(store) == (day(5), day(9), day(3))
    store.retract("r3", day(6), "wrong")
    assert _newest(store) == (day(5), day(9), day(1))
    store.erase("r5")
    assert _newest(store) == (day(4), day(4), day(1))
    for name in ("r1", "r2", "r3"):
        store.erase(name)
    assert _newest(store) == (day(4), day(4), None)
    assert store.tally() == tallied(store.records())
    store.erase("r4")
    assert store.tally() == ()


def _newest(store: Store) -> tuple[datetime | None, ...]:
    (only,) = store.tally()
    return only.last_received, only.last_known, only.last_applied


@given(
    acts=st.lists(
        drawn(("event", "event", "snapshot", "retract", "erase", "quarantine", "release", "restrict")), max_size=15
    )
)
@settings(max_examples=25, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_tallies_are_what_counting_each_record_gives(backend: Backend, acts: list[Act]) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(backend.open(Path(folder))) as store:
        History().do([store], acts)
        assert store.tally() == tallied(store.records())


def test_a_reader_sees_records_whose_labels_he_holds(store: Store) -> None:
    store.append([record("open"), record("closed", labels=frozenset(("hr", "legal")))])
    assert [one.id for one in store.records(visibility=frozenset(("hr",)))] == ["open"]
    assert [one.id for one in store.records(["closed"], visibility=frozenset(("hr", "legal", "x")))] == ["closed"]
    assert len(store.records()) == 2


@pytest.mark.parametrize("deed", ["apply", "quarantine", "retract", "erase", "keep"])
def test_an_unknown_record_is_an_error_that_names_it(store: Store, deed: str) -> None:
    deeds: dict[str, Callable[[], object]] = {
        "apply": lambda: store.apply([Yield(record="no-such", items=(), trust=Trust.DECLARED)]),
        "quarantine": lambda: store.quarantine("no-such", "x"),
        "retract": lambda: store.retract("no-such", day(1), "x"),
        "erase": lambda: store.erase("no-such"),
        "keep": lambda: store.keep("answers", [("k", b"v")], ["no-such"]),
    }
    with pytest.raises(NotFound, match="no-such"):
        deeds[deed]()


def test_a_batch_with_text_that_is_no_unicode_is_refused_whole(store: Store) -> None:
    with pytest.raises(InvalidValue):
        store.append([record("good"), record("bad\ud800")])
    assert store.records() == ()


def test_yields_are_applied_all_or_nothing(store: Store) -> None:
    store.append([record("r")])
    with pytest.raises(NotFound):
        store.apply(
            [
                Yield(record="r", items=(owned("x", "a"),), trust=Trust.DECLARED),
                Yield(record="missing", items=(), trust=Trust.DECLARED),
            ]
        )
    assert owners(store, view(1)) == []
    assert [one.id for one in store.claim(1)] == ["r"]


def test_a_snapshot_lapses_by_a_newer_one_of_its_part_and_by_a_sweep(store: Store) -> None:
    state(store, record("a1", 1, part="a"), owned("x", "a"), snapshot=True)
    state(store, record("b1", 1, part="b"), owned("y", "a"), snapshot=True)
    state(store, record("event", 1, part="a", source="other"), owned("z", "a"))
    everything = ["a1", "a2", "a3", "b1", "late", "event", "unknown"]
    assert store.lapsed(everything) == frozenset()
    state(store, record("a2", 3, part="a"), owned("x", "b"), snapshot=True)
    state(store, record("late", 2, part="a"), owned("x", "c"), snapshot=True)
    assert store.lapsed(everything) == {"a1", "late"}
    store.sweep("catalog", ["a"], day(4))
    assert store.lapsed(everything) == {"a1", "late", "b1"}
    state(store, record("b2", 5, part="b"), owned("y", "a"), snapshot=True)
    assert store.lapsed(["b1", "b2"]) == {"b1"}
    assert owners(store, view(6)) == ["a", "a", "b"]


def test_for_a_part_stands_what_was_known_last_and_counts(store: Store) -> None:
    state(store, record("a2", 2, part="a"), owned("x", "b"))
    state(store, record("a1", 1, part="a"), owned("x", "a"))
    store.append([record("a3", 3, part="a"), record("b1", 1, part="b", source="other")])
    store.quarantine("a3", "bad")
    (found,) = store.standing("catalog", ["a", "b", "c"])
    assert (found.record, found.part, found.known_at, found.lapsed) == ("a2", "a", day(2), False)
    store.append([record("a4", 2, part="a", labels=frozenset({"hr"}))])
    (found,) = store.standing("catalog", ["a"])
    assert (found.record, found.visibility) == ("a4", frozenset({"hr"}))


def test_labels_are_added_to_a_record_and_told_of_its_source(store: Store) -> None:
    store.append([record("r"), record("s", labels=frozenset({"hr"})), record("t", source="other")])
    store.restrict(["r", "s"], frozenset({"legal"}))
    assert store.labelled("catalog") == {frozenset({"legal"}), frozenset({"hr", "legal"})}
    assert store.labelled("other") == {frozenset()}
    assert [one.id for one in store.records(visibility=frozenset({"legal"}))] == ["r", "t"]


def test_a_citation_shows_where_a_record_came_from_and_how_it_begins_to_those_who_may_see_it(store: Store) -> None:
    open_one, closed_one = record("open", 1), record("closed", 2, labels=frozenset(("a", "b")))
    store.append([closed_one, open_one])
    (shown,) = store.excerpts(["open", "closed", "open", "unknown"], visibility=frozenset("a"), length=3)
    assert (shown.id, shown.source, shown.connector) == (open_one.id, open_one.source, open_one.connector)
    assert (shown.part, shown.digest, shown.known_at) == (open_one.part, open_one.digest, open_one.known_at)
    assert shown.text == open_one.body[:3]
    both = store.excerpts(["open", "closed"], visibility=frozenset(("a", "b", "c")), length=0)
    assert [(one.id, one.text) for one in both] == [("closed", ""), ("open", "")]
    assert store.excerpts([], visibility=frozenset(), length=3) == ()
