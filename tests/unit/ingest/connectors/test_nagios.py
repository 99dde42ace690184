"""
Nagios's notifications and status.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.values import Alert
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.alerting import alerts, bare, brief, data, latest, recognised, sample, when


def test_our_template_pairs_problem_and_recovery_by_the_problems_number() -> None:
    firing, fine = alerts("nagios", *data("nagios"))
    assert bare(firing) == Alert(
        id="nagios:lift-2!door sensor#310", name="door sensor", at=when("2026-04-06T18:26:40"), vendor="nagios"
    )
    assert firing.labels == {
        "host": "lift-2", "check": "door sensor", "host_groups": "lifts", "environment": "production", "service": "lift-control",
        "state": "CRITICAL", "severity": "critical",
    }  # fmt: skip
    assert firing.annotations == {"description": "CRITICAL - no answer", "runbook_url": "https://books.example/door"}
    assert (fine.id, fine.status, fine.ended_at) == (firing.id, "resolved", when("2026-04-06T18:43:25"))
    for order in (data("nagios"), data("nagios")[::-1]):
        assert [one.status for one in latest("nagios", order)] == ["resolved"]
    assert {recognised(body) for body in data("nagios")} == {"nagios"}


@pytest.mark.parametrize(
    "change",
    [{"notification_type": "FLAPPINGSTART"}, {"notification_type": "DOWNTIMEEND"}, {"state_type": "SOFT"}],
)
def test_what_is_no_problem_states_nothing(change: dict[str, str]) -> None:
    assert alerts("nagios", {**data("nagios")[0], **change}) == []


def status(**fields: object) -> dict[str, object]:
    """
    The CGI's answer about one service.
    """
    service = {
        "host_name": "db-1", "description": "load", "plugin_output": "CRITICAL - 40", "status": 16, "state_type": 1,
        "last_hard_state_change": 1775500000000,
    }  # fmt: skip
    return {
        "format_version": 0,
        "result": {"cgi": "statusjson.cgi", "query": "service"},
        "data": {"service": service | fields},
    }


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "CRITICAL"), ({"status": 4}, "WARNING"), ({"status": 8}, "UNKNOWN"), ({"status": 2}, None), ({"status": 1}, None),
        ({"state_type": 0}, None), ({"status": "critical", "state_type": "hard"}, "CRITICAL"), ({"state_type": "soft"}, None),
    ],
)  # fmt: skip
def test_the_bits_of_the_status_count_where_it_is_hard(fields: dict[str, object], state: str | None) -> None:
    found = alerts("nagios", status(**fields))
    assert [one.labels["state"] for one in found] == ([state] if state else [])
    assert {brief(one)[2] for one in found} <= {when("2026-04-06T18:26:40")}


def test_lists_are_read_one_by_one() -> None:
    one = {"status": 16, "state_type": 1, "last_hard_state_change": 1775500000000}
    body = {
        "result": {"cgi": "statusjson.cgi"},
        "data": {
            "servicelist": {"a": {"disk": {**one, "host_name": "a", "description": "disk"}}},
            "hostlist": {"b": {**one, "name": "b", "status": 4}, "c": {**one, "name": "c", "status": 2}},
        },
    }
    assert [(found.name, found.labels["state"]) for found in alerts("nagios", body)] == [
        ("disk", "CRITICAL"),
        ("b", "DOWN"),
    ]


def test_what_cannot_be_read_says_why() -> None:
    with pytest.raises(BadRecord, match="the status 3 of db-1 is none"):
        alerts("nagios", status(status=3))
    with pytest.raises(BadRecord, match="neither the host nor its state is filled"):
        alerts("nagios", {"template": "precedent/nagios/1", "host": "$HOSTNAME$"})


def test_a_real_status_is_soft_and_states_nothing(shared: Path) -> None:
    assert sample(shared, "nagios", "statusjson.service.json") == []
