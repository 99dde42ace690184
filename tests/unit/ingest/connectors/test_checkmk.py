"""
Checkmk's notifications.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.values import Alert
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.alerting import alerts, bare, brief, data, latest, recognised, sample, when


def test_the_context_pairs_problem_and_recovery_by_the_problems_number() -> None:
    firing, fine = alerts("checkmk", *data("checkmk"))
    assert bare(firing) == Alert(
        id="checkmk:north/till-7!Filesystem /#55", name="Filesystem /", at=when("2026-04-09T01:59:50"), vendor="checkmk",
        url="/check_mk/x",
    )  # fmt: skip
    assert firing.labels == {
        "host": "till-7", "check": "Filesystem /", "site": "north", "environment": "production", "state": "CRITICAL", "severity": "critical",
    }  # fmt: skip
    assert firing.annotations == {"description": "98% used"}
    assert (fine.id, fine.status, fine.ended_at) == (firing.id, "resolved", when("2026-04-09T02:15"))
    for order in (data("checkmk"), data("checkmk")[::-1]):
        assert [one.status for one in latest("checkmk", order)] == ["resolved"]
    assert {recognised(body) for body in data("checkmk")} == {"checkmk"}


@pytest.mark.parametrize("kind", ["FLAPPINGSTART", "DOWNTIMESTART", "CUSTOM"])
def test_what_is_no_problem_states_nothing(kind: str) -> None:
    assert alerts("checkmk", {**data("checkmk")[0], "NOTIFY_NOTIFICATIONTYPE": kind}) == []


def test_a_context_without_a_host_says_what_to_send() -> None:
    with pytest.raises(BadRecord, match="send the notification's context as JSON"):
        alerts("checkmk", {"what": "HOST", "notificationtype": "PROBLEM"})


def test_a_real_recovery_of_a_host(shared: Path) -> None:
    (one,) = sample(shared, "checkmk", "notification.keep.json")
    moment = when("2024-10-26T23:20:39")
    assert brief(one) == ("server1", "resolved", moment, moment)
    assert (one.id, one.labels) == ("checkmk:cmk/server1#18", {"host": "server1", "site": "cmk", "state": "UP"})
