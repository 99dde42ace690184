"""
What is said again: a duplicate, or news.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from graph.contract import Store
from graph.opening import open_store
from graph.values import View
from ingest.contract import Source
from ingest.journal import Admission, admit
from ingest.pipeline import drain

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
CHANGES = Source(name="changes", connector="changes")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = open_store(f"sqlite:///{tmp_path}")
    yield found
    found.close()


def row(title: str, hours: int = 0) -> bytes:
    return json.dumps(
        {"id": "c-1", "at": (START + timedelta(hours=hours)).isoformat(), "service": "pay", "title": title}
    ).encode()


def say(store: Store, *rows: bytes, path: str = "changes.jsonl") -> Admission:
    found = admit(store, CHANGES, b"\n".join(rows), {"path": path})
    drain(store)
    return found


def titles(store: Store) -> list[str]:
    return [one.item.title for one in store.changes(View.now())]


def test_an_event_that_returns_to_what_it_said_first_takes_effect_again(store: Store) -> None:
    for title in ("a", "b", "a", "b", "a"):
        found = say(store, row(title))
        assert (found.new, found.duplicates) == (1, 0)
        assert titles(store) == [title]
        again = say(store, row(title))
        assert (again.new, again.duplicates) == (0, 1)
        assert again.records == found.records
    assert titles(store) == ["a"]


def test_a_file_that_says_both_says_the_last(store: Store) -> None:
    assert say(store, row("a"), row("b")).new == 2
    assert say(store, row("a"), row("b")).duplicates == 2
    assert titles(store) == ["b"]
    assert say(store, row("b"), row("a")).new == 1
    assert titles(store) == ["a"]
    assert say(store, row("b"), row("a")).duplicates == 2


def test_an_older_event_that_comes_again_changes_nothing(store: Store) -> None:
    say(store, row("started"))
    say(store, row("done", hours=1))
    found = say(store, row("started"))
    assert (found.new, found.duplicates) == (0, 1)
    assert titles(store) == ["done"]


def test_the_same_delivery_again_is_a_duplicate(store: Store) -> None:
    github = Source(name="github", connector="github")

    def deliver(state: str, delivery: str) -> Admission:
        body = {
            "deployment_status": {"id": 2, "state": state, "created_at": START.isoformat()},
            "deployment": {"id": 1, "sha": "abc", "environment": "production", "created_at": START.isoformat()},
            "repository": {"full_name": "a/pay", "name": "pay"},
        }
        meta = {"path": "github.json", "x-github-event": "deployment_status", "x-github-delivery": delivery}
        return admit(store, github, json.dumps(body).encode(), meta)

    assert [deliver(*one).new for one in (("pending", "1"), ("success", "2"), ("pending", "1"))] == [1, 1, 0]
    assert deliver("pending", "3").new == 1


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_and_doubled_events_tell_the_same(store: Store, seed: int) -> None:
    rows: Sequence[bytes] = [row(f"version {n}", hours=n) for n in range(6)] * 2
    for one in random.Random(seed).sample(rows, len(rows)):
        say(store, one)
    assert titles(store) == ["version 5"]
    assert len(store.records()) == 6


def test_an_event_that_says_when_it_occurred_stays_where_it_was(store: Store) -> None:
    """
    Without a mark of the delivery too: an older one that comes again is no news, whenever it comes.
    """
    alerts = Source(name="alerts", connector="alertmanager")

    def send(status: str, minute: int, end: str) -> Admission:
        alert = {"labels": {"alertname": "Down"}, "startsAt": START.isoformat(), "status": status, "endsAt": end}
        found = admit(store, alerts, json.dumps({"alerts": [alert]}).encode(), {}, START + timedelta(minutes=minute))
        drain(store)
        return found

    over = (START + timedelta(minutes=5)).isoformat()
    assert [send(*one).new for one in (("resolved", 6, over), ("firing", 7, ""), ("firing", 8, ""))] == [1, 1, 0]
    assert [one.item.status for one in store.alerts(View.now())] == ["resolved"]
    (record, _) = store.records()
    assert (record.occurred_at, record.received_at) == (START + timedelta(minutes=5), START + timedelta(minutes=6))
