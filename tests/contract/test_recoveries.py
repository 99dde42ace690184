"""
A recovery that does not say what it ends: it ends what fires of its series, whatever came first.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import orjson
import pytest

from graph.contract import Store
from graph.values import Alert, View
from ingest.contract import Source
from ingest.journal import admit
from ingest.pipeline import drain
from tests.contract.making import day, record, state, view


def _alert(at: float, *, over: bool = False, series: str = "s", name: str = "Slow") -> Alert:
    end = day(at) if over else None
    return Alert(id=f"{series}@{at}", name=name, at=day(at), ended_at=end, series=series)


def _shown(store: Store, seen: View) -> list[tuple[str, float | None]]:
    return [
        (one.item.id, None if one.item.ended_at is None else (one.item.ended_at - day(0)).days)
        for one in store.alerts(seen)
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_each_firing_ends_with_the_first_recovery_after_it(store: Store, order: tuple[int, ...]) -> None:
    told = [_alert(1), _alert(3, over=True), _alert(5), _alert(7, over=True)]
    for place, number in enumerate(order):
        state(store, record(f"r{number}", 10 + place, part=f"r{number}"), told[number])
    assert _shown(store, view(20)) == [("s@5", 7), ("s@1", 3)]


def test_as_known_before_the_recovery_it_fires_and_does_again_when_that_is_taken_back(store: Store) -> None:
    state(store, record("r", 1, part="r"), _alert(1))
    state(store, record("s", 3, part="s"), _alert(3, over=True))
    store.retract("s", day(5), "wrong")
    assert [_shown(store, view(at)) for at in (2, 4, 6)] == [[("s@1", None)], [("s@1", 3)], [("s@1", None)]]


def test_a_recovery_ends_nothing_of_another_series_or_source(store: Store) -> None:
    state(store, record("r", 1, part="r"), _alert(1))
    state(store, record("s", 3, part="s"), _alert(3, over=True, series="t"))
    state(store, record("u", 3, part="u", source="other"), _alert(3, over=True))
    assert ("s@1", None) in _shown(store, view(9))
    assert len(_shown(store, view(9))) == 3


def _sns(state: str, at: str) -> bytes:
    message = {"AlarmName": "p99", "AlarmArn": "arn:aws:cloudwatch:eu-west-1:1:alarm:p99", "NewStateValue": state,
               "StateChangeTime": at, "Region": "EU (Ireland)", "AWSAccountId": "1"}  # fmt: skip
    told = {"Type": "Notification", "MessageId": at, "TopicArn": "arn:aws:sns:eu-west-1:1:alarms", "Timestamp": at,
            "Message": orjson.dumps(message).decode()}  # fmt: skip
    return orjson.dumps(told)


def _component(status: str, at: str) -> bytes:
    was = {"operational": "major_outage", "major_outage": "operational"}[status]
    update = {"id": f"u-{at}", "old_status": was, "new_status": status, "created_at": at}
    told = {"page": {"id": "p", "status_indicator": "none"}, "component_update": update,
            "component": {"id": "c", "name": "Checkout", "status": status}}  # fmt: skip
    return orjson.dumps(told)


@pytest.mark.parametrize(
    ("connector", "made", "states"),
    [("cloudwatch", _sns, ("ALARM", "OK")), ("statuspage", _component, ("major_outage", "operational"))],
)
@pytest.mark.parametrize("late", [False, True])
def test_a_vendors_recovery_ends_its_alarm(
    store: Store, connector: str, made: Callable[[str, str], bytes], states: tuple[str, str], late: bool
) -> None:
    times = [f"2026-02-0{number}T09:00:00.000Z" for number in (1, 2, 3, 4)]
    told = [made(word, at) for word, at in zip(states * 2, times, strict=True)]
    for nth, payload in enumerate(told[::-1] if late else told):
        admit(store, Source(name="hook", connector=connector), payload, {"path": "hook"}, day(100 + nth))
        drain(store)
    found = [one.item for one in store.alerts(view(200))]
    assert [(one.at.day, one.ended_at and one.ended_at.day, one.status) for one in found] == [
        (3, 4, "resolved"),
        (1, 2, "resolved"),
    ]
