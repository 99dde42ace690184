"""
Icinga's objects and events.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import Alert
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.alerting import alerts, bare, brief, data, recognised, sample, when
from tests.unit.ingest.connectors.reading import RECEIVED, read


def test_hard_problems_of_services_and_hosts() -> None:
    service, host = alerts("icinga", *data("icinga"))
    assert bare(service) == Alert(
        id="icinga:mail-1!smtp@2026-04-07T22:13:20.250000+00:00",
        name="smtp",
        at=when("2026-04-07T22:13:20.25"),
        vendor="icinga",
    )
    assert service.labels == {
        "host": "mail-1", "check": "smtp", "environment": "production", "team": "post", "groups": "mail", "state": "CRITICAL",
        "severity": "critical",
    }  # fmt: skip
    assert service.annotations == {
        "title": "SMTP answers", "description": "connection refused", "runbook_url": "https://books.example/smtp",
    }  # fmt: skip
    assert (brief(host), host.labels["state"]) == (("mail-2", "firing", when("2026-04-07T22:15"), None), "DOWN")
    assert [recognised(body) for body in data("icinga")] == ["icinga"]


CHANGE = {"type": "StateChange", "timestamp": 1775600000.5, "host": "web-1", "service": "http", "state": 2.0, "state_type": 1.0, "check_result": {"output": "no answer"}}  # fmt: skip


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (CHANGE, ["firing"]),
        ({**CHANGE, "state": 0.0}, ["resolved"]),
        ({**CHANGE, "state_type": 0.0}, []),
        ({**CHANGE, "type": "Notification", "notification_type": "PROBLEM", "state": None, "check_result": {"state": 2.0}}, ["firing"]),
        ({**CHANGE, "type": "Notification", "notification_type": "FLAPPINGSTART"}, []),
        ({**CHANGE, "type": "CheckResult", "check_result": {"state": 2.0, "vars_before": {"state": 0, "state_type": 1}, "vars_after": {"state": 2, "state_type": 1}}}, ["firing"]),
        ({**CHANGE, "type": "CheckResult", "check_result": {"state": 2.0, "vars_before": {"state": 2, "state_type": 1}, "vars_after": {"state": 2, "state_type": 1}}}, []),
        ({**CHANGE, "type": "CheckResult", "state": None, "state_type": None, "check_result": {"state": 2.0, "vars_before": {"state": 0, "state_type": 1}, "vars_after": {"state": 2, "state_type": 0}}}, []),
        ({"type": "CommentAdded", "timestamp": 1775600000.5, "comment": {}}, []),
    ],
)  # fmt: skip
def test_events_count_where_a_hard_state_changed(event: dict[str, object], status: list[str]) -> None:
    assert [one.status for one in alerts("icinga", event)] == status


def test_the_stream_is_read_line_by_line() -> None:
    lines = b"\n".join(orjson.dumps(one) for one in (CHANGE, {**CHANGE, "timestamp": 1775600100.5, "state": 0}))
    found = read("icinga", lines, path="events.jsonl")
    assert [brief(one)[1:3] for one in found if isinstance(one, Alert)] == [
        ("firing", when("2026-04-07T22:13:20.5")),
        ("resolved", when("2026-04-07T22:15:00.5")),
    ]


def test_what_cannot_be_read_says_why() -> None:
    with pytest.raises(BadRecord, match="the state '7' of web-1!http is none of 0 to 3"):
        alerts("icinga", {**CHANGE, "state": 7})
    with pytest.raises(BadRecord, match="Icinga's event 'Wish' is not read yet"):
        alerts("icinga", {"type": "Wish"})


def test_real_answers(shared: Path) -> None:
    (one,) = sample(shared, "icinga", "services.query.0.json")
    assert brief(one) == ("10807-service", "firing", RECEIVED, None)
    assert (one.labels["host"], one.labels["state"]) == ("10807-host", "UNKNOWN")
    with pytest.raises(BadRecord, match="is not JSON"):
        read("icinga", (shared / "samples/icinga/event-stream.CheckResult.txt").read_bytes(), path="stream.txt")
