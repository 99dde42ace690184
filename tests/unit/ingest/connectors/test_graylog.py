"""
Graylog's notifications.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.values import Alert
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.alerting import alerts, bare, brief, data, recognised, sample, when


def test_an_event_is_an_alert_without_its_messages() -> None:
    event, old = alerts("graylog", *data("graylog"))
    assert bare(event) == Alert(
        id="graylog:event:01EV1",
        name="Login failures",
        at=when("2026-04-08T01:02:03"),
        expr="action:login AND result:fail",
        vendor="graylog",
    )
    assert event.labels == {"service": "gate", "count": "25", "host": "gate-1", "severity": "normal", "key": "gate"}
    assert event.annotations == {
        "title": "Login failures",
        "description": "Login failures: 25",
        "definition": "more than 20",
    }
    assert brief(old) == ("Too many errors", "firing", when("2026-04-08T02:00"), None)
    assert {recognised(body) for body in data("graylog")} == {"graylog"}


@pytest.mark.parametrize("change", [{"event_definition_id": "NotificationTestId"}, {"event": {"alert": False}}])
def test_a_test_and_an_event_that_is_no_alert_state_nothing(change: dict[str, object]) -> None:
    assert alerts("graylog", {**data("graylog")[0], **change}) == []


def test_a_body_without_an_event_says_what_was_expected() -> None:
    with pytest.raises(BadRecord, match="there is no `event`"):
        alerts("graylog", {"event_definition_id": "d"})


def test_a_real_event(shared: Path) -> None:
    (one,) = sample(shared, "graylog", "event.keep.json")
    assert brief(one) == ("Event - 1", "firing", when("2024-10-24T10:22:04.556"), None)
    assert (one.id, one.labels["severity"]) == ("graylog:event:01JAZZJAKS82TDZAE82E0WAENT", "high")
