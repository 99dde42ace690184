"""
Reads: filters, order, visibility, shelves and the feed.
"""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from graph.contract import Store
from graph.errors import InvalidValue
from graph.values import UNPLACED, Alert, AlertRule, FactKind, Incident, ItemKind, Runbook, Trust
from tests.contract.making import day, deploy, fact, owned, record, state, view

NOW = view(100)


def test_facts_are_filtered_by_kind_subject_and_object(store: Store) -> None:
    needs = fact(FactKind.DEPENDS_ON, "service:x", "service:y")
    state(store, record("r"), owned("x", "a"), owned("y", "a"), owned("y", "b"), needs)
    assert len(store.facts(NOW)) == 4
    assert [one.item for one in store.facts(NOW, kinds=[FactKind.DEPENDS_ON])] == [needs]
    assert len(store.facts(NOW, subjects=["service:y"])) == 2
    assert len(store.facts(NOW, objects=["team:a", "service:y"])) == 3
    assert [one.item for one in store.facts(NOW, subjects=["service:y"], objects=["team:b"])] == [owned("y", "b")]
    assert [one.item for one in store.facts(NOW, subjects=["service:x"], kinds=[FactKind.DEPENDS_ON])] == [needs]


def test_changes_are_newest_first_within_a_half_open_time(store: Store) -> None:
    state(store, record("r"), *(deploy(str(at), at, "x" if at % 2 else "y", "z") for at in range(1, 7)))
    assert [one.item.id for one in store.changes(NOW)] == list("654321")
    assert [one.item.id for one in store.changes(NOW, start=day(2), end=day(5))] == list("432")
    assert [one.item.id for one in store.changes(NOW, services=["service:x"])] == list("531")
    assert [one.item.id for one in store.changes(NOW, services=["service:x", "service:z"], limit=2)] == list("65")
    assert store.changes(NOW, services=[]) == ()


def test_changes_that_name_no_service_are_found_as_such(store: Store) -> None:
    state(store, record("r"), deploy("1", 1), deploy("2", 2, "x"), deploy("3", 3))
    assert [one.item.id for one in store.changes(NOW, services=[UNPLACED])] == ["3", "1"]
    assert [one.item.id for one in store.changes(NOW, services=[UNPLACED, "service:x"])] == ["3", "2", "1"]
    assert [one.item.id for one in store.changes(NOW, ids=["2", "3"], services=[UNPLACED])] == ["3"]


def test_changes_are_found_by_id_and_by_revision(store: Store) -> None:
    state(store, record("r"), deploy("1", 1, "x", revision="abc"), deploy("2", 2, "y", revision="abc"))
    assert [one.item.id for one in store.changes(NOW, ids=["abc"])] == ["2", "1"]
    assert [one.item.id for one in store.changes(NOW, ids=["1", "none"])] == ["1"]
    assert [one.item.id for one in store.changes(NOW, ids=["abc"], services=["service:x"])] == ["1"]


def test_documents_are_found_by_name_and_all_together(store: Store) -> None:
    rule = AlertRule(id="g/Down", name="Down")
    state(
        store,
        record("r"),
        Incident(id="1", title="a"),
        Incident(id="2", title="b"),
        Runbook(id="p.md", title="p"),
        rule,
    )
    assert [one.item.id for one in store.incidents(NOW)] == ["1", "2"]
    assert [one.item.title for one in store.incidents(NOW, ["2"])] == ["b"]
    assert [one.item.id for one in store.runbooks(NOW, ["p.md", "q.md"])] == ["p.md"]
    assert [one.item for one in store.alert_rules(NOW, ["Down"])] == [rule]
    assert len(store.alert_rules(NOW)) == len(store.runbooks(NOW)) == 1
    assert (store.incidents(NOW, []), store.runbooks(NOW, []), store.alert_rules(NOW, [])) == ((), (), ())


def test_of_two_sources_incident_the_more_trusted_is_told(store: Store) -> None:
    state(store, record("r", source="tickets"), Incident(id="1", title="reviewed"), trust=Trust.REVIEWED)
    state(store, record("s", 2, source="chat"), Incident(id="1", title="rumour"), trust=Trust.UNTRUSTED)
    assert [one.item.title for one in store.incidents(NOW)] == ["reviewed"]


def test_alerts_are_newest_first(store: Store) -> None:
    alerts = [Alert(id=str(at), name="Down" if at % 2 else "Slow", at=day(at)) for at in range(1, 5)]
    state(store, record("r"), *alerts)
    assert [one.item.id for one in store.alerts(NOW)] == list("4321")
    assert [one.item.id for one in store.alerts(NOW, names=["Down"], start=day(2))] == ["3"]
    assert [one.item.id for one in store.alerts(NOW, limit=1)] == ["4"]


def test_a_reader_sees_only_what_all_its_labels_allow(store: Store) -> None:
    labels = frozenset(("hr", "legal"))
    state(store, record("r", labels=labels), owned("x", "a"), deploy("1", 1, "x"), Incident(id="1", title="t"))
    for held in (frozenset[str](), frozenset(("hr",))):
        seen = view(9, labels=held)
        assert (store.facts(seen), store.changes(seen), store.incidents(seen)) == ((), (), ())
        assert store.changes(seen, services=["service:x"]) == ()
        assert store.statements([1, 2, 3], seen) == ()
    seen = view(9, labels=labels | {"x"})
    assert len(store.facts(seen)) == len(store.changes(seen)) == len(store.incidents(seen)) == 1
    assert len(store.statements([1, 2, 3], seen)) == 3


def test_hidden_records_are_left_out(store: Store) -> None:
    state(store, record("r"), deploy("1", 1, "x"), Incident(id="1", title="t"))
    seen = view(9, hidden=["r", "unknown"])
    assert (store.changes(seen), store.changes(seen, services=["service:x"]), store.incidents(seen)) == ((), (), ())


def test_statements_by_seq_need_no_view(store: Store) -> None:
    state(store, record("r"), owned("x", "a"))
    (only,) = store.statements([1, 1, 99])
    assert (only.seq, only.item, only.record, only.source) == (1, owned("x", "a"), "r", "catalog")


def test_the_feed_has_every_line_once_in_commit_order(store: Store) -> None:
    state(store, record("r", 1), owned("x", "a"), snapshot=True)
    state(store, record("s", 2), owned("x", "b"), snapshot=True)
    events = store.changes_since(0)
    assert [one.seq for one in events] == [1, 2, 3, 4] == list(range(1, store.watermark() + 1))
    assert [one.op for one in events] == ["opened", "opened", "closed", "opened"]
    assert store.changes_since(2, limit=1) == events[2:3]
    assert store.changes_since(store.watermark()) == ()
    closed = events[2].statement
    assert closed is not None and closed.known.end == day(2)  # noqa: PT018 - there is one, closed


def test_the_feed_can_be_of_some_kinds_alone(store: Store) -> None:
    state(store, record("r", 1), owned("x", "a"), deploy("1", 1, "x"), snapshot=True)
    state(store, record("s", 2, source="other"), owned("y", "b"), deploy("2", 2, "y"), deploy("3", 3))
    found = store.changes_since(0, kinds=[ItemKind.CHANGE])
    assert [one.statement.item.id for one in found if one.statement] == ["1", "2", "3"]  # type: ignore[union-attr]  # changes alone
    assert store.changes_since(found[0].seq, limit=1, kinds=[ItemKind.CHANGE]) == found[1:2]
    store.erase("s")
    assert [one.op for one in store.changes_since(found[-1].seq, kinds=[ItemKind.RUNBOOK])] == ["erased"] * 3


def test_the_services_that_changes_name_are_told(store: Store) -> None:
    state(store, record("r"), owned("x", "a"), deploy("1", 1, "y", "z"), deploy("2", 2))
    assert store.services_changed() == {"service:y", "service:z"}
    state(store, record("s", source="secret", labels=frozenset({"secret"})), deploy("3", 3, "y", "hidden"))
    assert store.services_changed() == {"service:y", "service:z", "service:hidden"}
    assert store.services_changed(NOW) == {"service:y", "service:z"}
    assert store.services_changed(view(100, hidden=["r"])) == frozenset()
    assert "service:hidden" in store.services_changed(view(100, labels=frozenset({"secret"})))


def test_a_follower_beside_many_writers_misses_nothing(store: Store) -> None:
    def write(name: str) -> None:
        for number in range(10):
            state(store, record(f"{name}{number}", source=name), owned(f"{name}{number}", "a"))

    writers = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for writer in writers:
        writer.start()
    seen: list[int] = []
    while len(seen) < 30:
        seen += [one.seq for one in store.changes_since(seen[-1] if seen else 0, limit=7)]
    for writer in writers:
        writer.join()
    assert seen == list(range(1, 31))


def test_a_shelf_keeps_the_last_bytes_by_key(store: Store) -> None:
    store.append([record("r")])
    store.keep("answers", [("a", b"1"), ("b", b"2")], ["r"])
    store.keep("answers", [("a", b"3")])
    assert store.kept("answers") == {"a": b"3", "b": b"2"}
    assert store.kept("answers", ["b", "c"]) == {"b": b"2"}
    assert store.kept("vectors:m") == {}
    assert store.retract("r", day(1), "x").kept == (("answers", "b"),)


def test_a_backup_opens_and_has_what_was_there(store: Store, tmp_path: Path) -> None:
    state(store, record("r"), owned("x", "a"))
    store.backup(tmp_path / "copies" / "copy")
    assert (tmp_path / "copies" / "copy").exists()
    with pytest.raises(InvalidValue, match="never overwrites"):
        store.backup(tmp_path / "copies" / "copy")
