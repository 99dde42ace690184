"""
PagerDuty's Events API v2 and its old webhooks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from graph.values import Alert, Incident
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, RECEIVED, read

RAW = (DATA / "pagerduty_alert_v2.json").read_bytes()
BEGAN = datetime(2026, 3, 2, 14, 10, tzinfo=UTC)


def test_a_trigger_is_an_alert_and_a_message_an_incident() -> None:
    alert, incident = read("pagerduty_alert_v2", RAW)
    assert alert == Alert(
        id="pagerduty:event:basket-5xx",
        name="Basket answers 500",
        at=BEGAN,
        labels={
            "service": "basket", "environment": "production", "severity": "critical", "source": "eu1", "component": "api",
            "group": "shop", "class": "http",
        },
        annotations={
            "summary": "Basket answers 500", "client": "Watch", "service": "basket", "environment": "production", "rate": "0.2",
        },
        vendor="pagerduty",
        url="https://watch.example/1",
    )  # fmt: skip
    assert isinstance(incident, Incident)
    assert (incident.id, incident.at, incident.resolved_at) == ("pagerduty:QINC1", BEGAN, BEGAN.replace(minute=40))


def test_no_piece_holds_the_key_and_silent_events_have_parts_of_their_own() -> None:
    pieces = list(connector("pagerduty_alert_v2").split(RAW, {}))
    assert [piece.part for piece in pieces] == [
        "alert:basket-5xx",
        "acknowledge:basket-5xx",
        "resolve:basket-5xx",
        "incident:QINC1",
    ]
    assert [piece.part for piece in pieces if "R0UT1NGKEY" in piece.body] == []


def test_a_resolve_that_repeats_the_payload_ends_the_alert() -> None:
    body = {**orjson.loads(RAW)[0], "event_action": "resolve"}
    (alert,) = read("pagerduty_alert_v2", orjson.dumps(body))
    assert isinstance(alert, Alert)
    assert (alert.id, alert.status, alert.ended_at) == ("pagerduty:event:basket-5xx", "resolved", BEGAN)


def test_one_may_ask_about_an_event_and_about_messages() -> None:
    ask = connector("pagerduty_alert_v2").alerts
    assert ask is not None
    trigger, acknowledge, _, messages = orjson.loads(RAW)
    assert [one.labels["service"] for one in ask(trigger, RECEIVED)] == ["basket"]
    assert [*ask(acknowledge, RECEIVED)] == []
    assert [(one.status, one.labels["team"]) for one in ask(messages, RECEIVED)] == [("resolved", "Shop")]
    for body in (trigger, acknowledge, messages):
        found = recognise(body, {})
        assert found is not None
        assert found.name == "pagerduty_alert_v2"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"event_action": "dance", "dedup_key": "k"}, "PagerDuty's event 'dance' is not read"),
        ({"colour": "red"}, "neither `event_action` nor `messages`"),
    ],
)
def test_what_cannot_be_read_says_why(body: object, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        read("pagerduty_alert_v2", orjson.dumps(body))


def test_real_messages_are_states_of_one_incident(shared: Path) -> None:
    raw = (shared / "samples/pagerduty_alert_v2/webhook.v1-or-v2.alerta.json").read_bytes()
    pieces = list(connector("pagerduty_alert_v2").split(raw, {}))
    assert [(piece.part, piece.occurred_at) for piece in pieces] == [
        ("incident:PIJ90N7", datetime(2013, 7, 9, 20, 25, 44, tzinfo=UTC)),
        ("incident:PIJ90N7", datetime(2013, 7, 9, 20, 25, 45, 2, UTC)),
    ]
    begun, ended = read("pagerduty_alert_v2", raw)
    assert isinstance(begun, Incident)
    assert isinstance(ended, Incident)
    assert (begun.title, begun.services, begun.resolved_at) == ("45645", ("service:service",), None)
    assert ended.resolved_at == datetime(2013, 7, 9, 20, 25, 45, tzinfo=UTC)
