"""
incident.io's webhooks and REST objects.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from graph.values import Alert, Fact, FactKind, FixAction, Incident, SectionKind, Span
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, RECEIVED, facts, read

RAW = (DATA / "incident_io.json").read_bytes()
BEGAN = datetime(2026, 3, 2, 14, 10, tzinfo=UTC)


def test_an_incident_by_its_own_times_fields_and_words() -> None:
    incident, alert, *rest = read("incident_io", RAW)
    assert isinstance(incident, Incident)
    assert (incident.id, incident.title, incident.severity) == ("incident_io:01HINC", "Checkout is down", "Major")
    assert (incident.at, incident.detected_at, incident.resolved_at) == (
        BEGAN,
        BEGAN.replace(minute=12),
        BEGAN.replace(minute=40),
    )
    assert (incident.services, incident.environment) == (("service:basket",), "production")
    assert incident.sections == {
        SectionKind.CAUSE: "Release 7 leaked connections.",
        SectionKind.RESOLUTION: "Rolled back basket to version 6.",
        SectionKind.TIMELINE: "Back to normal.",
    }
    assert [(fix.action, fix.worked) for fix in incident.fixes] == [(FixAction.ROLLBACK, True)]
    assert incident.attributes == {
        "status": "All good", "category": "closed", "number": "INC-31", "mode": "standard", "type": "Default", "roles": "Lead: Lena Orr",
    }  # fmt: skip
    assert isinstance(alert, Alert)
    assert (alert.id, alert.at, alert.labels) == (
        "incident_io:alert:01HALE",
        BEGAN,
        {"key": "basket-5xx", "service": "Basket"},
    )
    assert facts(rest) == {
        (FactKind.ENTITY, "team:shop rota", ""),
        (FactKind.ALIAS, "team:shop rota", "01HSCH"),
        (FactKind.SAME_AS, "team:01hsch", "team:shop rota"),
        (FactKind.ON_CALL_FOR, "person:lena orr", "team:shop rota"),
    }
    (turn,) = [one for one in rest if isinstance(one, Fact) and one.kind is FactKind.ON_CALL_FOR]
    assert turn.valid == Span(datetime(2026, 3, 2, 8, tzinfo=UTC), datetime(2026, 3, 9, 8, tzinfo=UTC))


def test_the_closed_state_comes_after_an_open_one_of_the_same_moment() -> None:
    body = orjson.loads(RAW)[0]["public_incident.incident_status_updated_v2"]["incident"]
    opened = {**body, "incident_status": {"name": "Fixing", "category": "active"}}
    one, two = (
        next(iter(connector("incident_io").split(orjson.dumps({"incident": incident}), {})))
        for incident in (opened, body)
    )
    assert one.part == two.part == "incident:01HINC"
    assert one.occurred_at is not None
    assert two.occurred_at is not None
    assert one.occurred_at < two.occurred_at


def test_one_may_ask_about_incidents_and_alerts() -> None:
    ask = connector("incident_io").alerts
    assert ask is not None
    closed, private, follow_up, alert, _ = orjson.loads(RAW)
    assert [(one.name, one.status, one.labels["service"]) for one in ask(closed, RECEIVED)] == [
        ("Checkout is down", "resolved", "basket")
    ]
    assert [one.name for one in ask(alert, RECEIVED)] == ["Basket answers 500"]
    assert [*ask(private, RECEIVED), *ask(follow_up, RECEIVED)] == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            {"event_type": "moon.landed_v1", "moon.landed_v1": {"id": "1"}},
            "incident.io's event 'moon.landed_v1' is not read",
        ),
        ({"colour": "red"}, "is no object of incident.io that is read"),
        (
            {"event_type": "public_alert.alert_created_v1", "public_alert.alert_created_v1": {"id": "1"}},
            "`created_at` of the alert is missing",
        ),
    ],
)
def test_what_cannot_be_read_says_why(body: object, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        read("incident_io", orjson.dumps(body))


@pytest.mark.parametrize(
    ("name", "title", "status"),
    [
        ("create_incident.superplane", "Database connectivity issues", None),
        ("on_incident.superplane", "Our database is sad", "Triage"),
    ],
)
def test_real_incidents(shared: Path, name: str, title: str, status: str | None) -> None:
    raw = (shared / f"samples/incident_io/{name}.json").read_bytes()
    (incident,) = read("incident_io", raw)
    assert isinstance(incident, Incident)
    assert (incident.id, incident.title, incident.severity) == (
        "incident_io:01FDAG4SAP5TYPT98WGR2N7W91",
        title,
        "Minor",
    )
    assert (incident.attributes.get("status"), incident.attributes["number"]) == (status, "INC-123")
    assert (incident.at, incident.resolved_at) == (datetime(2021, 8, 17, 13, 28, 57, 801578, UTC), None)
    found = recognise(orjson.loads(raw), {})
    assert (found.name if found else None) == ("incident_io" if status else None)
