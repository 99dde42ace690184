"""
Whatever the order in which events arrive, how often, and where a session ends between them: the same graph.

`sequences/NAME.json` are deliveries to the connector NAME, `{"headers", "body"}`, in the order in which they occurred.
A new connector is covered by adding its file.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import count
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graph.contract import Store
from graph.encoding import encode
from graph.values import Alert, Change, Item, RecordState, Statement, View
from ingest.connectors import connector
from ingest.contract import Source
from ingest.journal import DELIVERY, admit
from ingest.pipeline import drain
from tests.contract.backends import BACKENDS, Backend
from tests.contract.making import day

SEQUENCES = sorted(Path(__file__).with_name("sequences").glob("*.json"))
EXAMPLES = {"sqlite": 40, "neo4j": 5}
RECEIVED = day(300)


@dataclass(frozen=True)
class Delivery:
    """
    What is sent, with its headers.
    """

    connector: str
    headers: Mapping[str, str]
    body: bytes

    def unmarked(self) -> Delivery:
        """
        The same sent anew, by a sender that marks no delivery.
        """
        marks = DELIVERY.union(connector(self.connector).delivery)
        return replace(self, headers={name: value for name, value in self.headers.items() if name not in marks})


def deliveries(path: Path) -> list[Delivery]:
    return [
        Delivery(path.stem, {"path": "webhook", **one.get("headers", {})}, orjson.dumps(one["body"]))
        for one in orjson.loads(path.read_bytes())
    ]


def receive(store: Store, given: Delivery, at: datetime) -> None:
    admit(store, Source(name=given.connector, connector=given.connector), given.body, given.headers, at)


def present(store: Store) -> dict[str, str]:
    """
    A digest of each kind of what is stated now: no known times, no ids of records.
    """
    now = View.now()
    found: Mapping[str, Sequence[Statement[Item]]] = {
        "facts": store.facts(now, valid=False),
        "changes": store.changes(now, limit=100_000),
        "incidents": store.incidents(now),
        "runbooks": store.runbooks(now),
        "alert rules": store.alert_rules(now),
        "alerts": store.alerts(now, limit=100_000),
    }
    return {kind: _digest(stated) for kind, stated in found.items() if stated}


def _digest(stated: Sequence[Statement[Item]]) -> str:
    said = sorted(
        b"\n".join([one.source.encode(), bytes([one.trust]), repr(sorted(one.visibility)).encode(), encode(one.item)])
        for one in stated
    )
    return f"{len(said)} {blake2b(b''.join(said), digest_size=8).hexdigest()}"


def told_in_order(path: Path) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        store = BACKENDS[0].open(Path(folder))
        for nth, one in enumerate(deliveries(path)):
            receive(store, one, RECEIVED + timedelta(seconds=nth))
            drain(store)
        assert store.records(state=RecordState.QUARANTINED) == ()
        found = present(store)
        store.close()
    return found


def told(backend: Backend, arrivals: Sequence[Delivery], ends: set[int], waiting: set[int]) -> dict[str, str]:
    """
    Deliveries in this order. After some a session ends, with records that wait, as after a crash.
    """
    clock = count()
    with tempfile.TemporaryDirectory() as folder:
        store = backend.open(Path(folder))
        try:
            for nth, one in enumerate(arrivals):
                receive(store, one, RECEIVED + timedelta(seconds=next(clock)))
                if nth not in waiting:
                    drain(store)
                if nth in ends:
                    store.close()
                    store = backend.again(Path(folder))
            drain(store)
            return present(store)
        finally:
            store.close()


@pytest.mark.parametrize("path", SEQUENCES, ids=lambda path: path.stem)
@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_each_event_set_shuffled_doubled_and_split_over_restarts_gives_the_same_graph(
    backend: Backend, path: Path
) -> None:
    events, expected = deliveries(path), told_in_order(path)
    assert expected
    places = st.sets(st.integers(0, 2 * len(events)), max_size=4)
    phases = list(Phase) if backend.name == "sqlite" else [Phase.generate]

    @given(
        doubled=st.lists(st.tuples(st.sampled_from(events), st.booleans()), max_size=len(events)),
        draw=st.randoms(use_true_random=False),
        ends=places,
        waiting=places,
    )
    @settings(max_examples=EXAMPLES[backend.name], phases=phases, suppress_health_check=[HealthCheck.too_slow])
    def holds(doubled: list[tuple[Delivery, bool]], draw: random.Random, ends: set[int], waiting: set[int]) -> None:
        arrivals = [*events, *(one if marked else one.unmarked() for one, marked in doubled)]
        draw.shuffle(arrivals)
        assert told(backend, arrivals, ends, waiting) == expected

    holds()


def test_the_last_state_of_each_thing_is_what_stands() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = BACKENDS[0].open(Path(folder))
        for path in SEQUENCES:
            for nth, one in enumerate(reversed(deliveries(path))):
                receive(store, one, RECEIVED + timedelta(seconds=nth))
            drain(store)
        now = View.now()
        changes = {one.item.id: one.item for one in store.changes(now) if one.source == "github"}
        alerts = {one.item.id: one.item.status for one in store.alerts(now) if one.source == "alertmanager"}
        store.close()
    assert {name: one.status for name, one in changes.items() if one.status} == {
        "deployment:11": "success",
        "deployment:12": "failure",
        "workflow_run:900": "success",
    }
    assert changes["pr:7@acme/ledger-sync"].title == "Retry on a conflict"
    assert alerts == {
        "aa01@2026-02-03T09:00:00Z": "resolved",
        "aa01@2026-02-03T11:00:00Z": "firing",
        "aa02@2026-02-03T09:01:00Z": "resolved",
    }


def test_each_change_and_alert_keeps_its_begin_though_the_end_came_first() -> None:
    found: dict[str, dict[str, tuple[str, str | None]]] = {}
    for path in SEQUENCES:
        with tempfile.TemporaryDirectory() as folder:
            store = BACKENDS[0].open(Path(folder))
            for nth, one in enumerate(reversed(deliveries(path))):
                receive(store, one, RECEIVED + timedelta(seconds=nth))
            drain(store)
            now = View.now()
            items: list[Change | Alert] = [one.item for one in store.changes(now)]
            items += [one.item for one in store.alerts(now)]
            found[path.stem] = {
                one.id: (f"{one.at:%H:%M}", f"{one.ended_at:%H:%M}" if one.ended_at else None) for one in items
            }
            store.close()
    assert found["aws_changes"] == {
        "aws:codedeploy:d-1": ("09:00", "09:10"),
        "aws:codedeploy:d-2": ("09:30", "09:30"),
        "aws:codepipeline:x-1": ("10:00", "10:20"),
        "aws:ecs:ledger:ecs-svc/1": ("10:05", "10:09"),
    }
    assert sorted(found["terraform"].values()) == [("09:05", "09:12"), ("10:00", "10:00")]
    assert found["octopus"]["octopus:Deployments-1"] == ("09:01", "09:08")
    assert [begin for begin, _ in found["gitlab"].values()].count("09:01") == 1
    assert ("09:00", "09:20") in found["datadog_alerts"].values()
    assert sorted(found["cloudwatch"].values(), key=str) == [
        ("09:00", "09:20"), ("10:00", "10:05"), ("11:00", None),
    ]  # fmt: skip
    assert ("09:01", "09:41") in found["statuspage"].values()
    assert found["jira"]["jira:OPS-3"] == ("10:00", "10:30")
