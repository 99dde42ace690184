"""
Statuspage's webhooks and pages.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from graph.values import Alert, Change, ChangeKind, FactKind, FixAction, Incident, SectionKind
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, RECEIVED, facts, read

RAW = (DATA / "statuspage.json").read_bytes()


def test_an_incident_with_its_updates_and_its_postmortem() -> None:
    incident = read("statuspage", RAW)[0]
    assert isinstance(incident, Incident)
    assert (incident.id, incident.severity, incident.services) == ("statuspage:si-1", "major", ("service:checkout",))
    assert (incident.at, incident.resolved_at) == (
        datetime(2026, 3, 2, 14, 12, tzinfo=UTC),
        datetime(2026, 3, 2, 14, 40, tzinfo=UTC),
    )
    assert incident.sections == {
        SectionKind.SUMMARY: "Payments fail.",
        SectionKind.RESOLUTION: "Payments work again.\n\nWe rolled back basket to version 6.",
        SectionKind.TIMELINE: "- 2026-03-02T14:12:00Z investigating: Payments fail.\n- 2026-03-02T14:40:00Z resolved: Payments work again.",
        SectionKind.CAUSE: "Release 7 leaked connections.",
    }
    assert [(fix.action, fix.worked) for fix in incident.fixes] == [(FixAction.ROLLBACK, True)]


def test_maintenance_is_a_change_and_a_component_that_is_down_an_alert() -> None:
    _, change, _, alert = read("statuspage", RAW)
    assert change == Change(
        id="statuspage:maintenance:si-2",
        kind=ChangeKind.INFRASTRUCTURE,
        at=datetime(2026, 3, 4, 2, tzinfo=UTC),
        title="Move the database",
        services=("service:database",),
        status="in_progress",
        text="We move it.",
        attributes={"until": "2026-03-04T04:00:00Z", "impact": "maintenance"},
    )
    assert isinstance(alert, Alert)
    assert (alert.id, alert.name, alert.status) == ("statuspage:component:cu-1", "Checkout is major outage", "firing")
    assert alert.labels == {"service": "Checkout", "status": "major_outage", "before": "operational"}


def test_a_pages_lists_are_cut_into_their_things() -> None:
    bodies = orjson.loads(RAW)
    page = {
        "page": {"id": "pg1"},
        "incidents": [bodies[0]["incident"]],
        "scheduled_maintenances": [bodies[1]["incident"]],
        "components": [bodies[2]["component"]],
    }
    pieces = list(connector("statuspage").split(orjson.dumps(page), {}))
    assert [piece.part for piece in pieces] == ["incident:si-1", "incident:si-2", "component:c1"]
    assert facts(read("statuspage", orjson.dumps(page))) == {(FactKind.ENTITY, "service:checkout", "")}


def test_one_may_ask_about_incidents_and_outages_and_not_about_maintenance() -> None:
    ask = connector("statuspage").alerts
    assert ask is not None
    asked = [[one.name for one in ask(body, RECEIVED)] for body in orjson.loads(RAW)]
    assert asked == [["Checkout is down"], [], ["Checkout is major outage"]]


def test_what_cannot_be_read_says_why() -> None:
    with pytest.raises(BadRecord, match="neither an incident nor a component of Statuspage"):
        read("statuspage", b'{"colour": "red"}')
    with pytest.raises(BadRecord, match="`scheduled_for` of the maintenance is missing"):
        read("statuspage", b'{"incident": {"id": "1", "impact": "maintenance"}}')


def test_real_webhooks(shared: Path) -> None:
    folder = shared / "samples/statuspage"
    (incident,) = read("statuspage", (folder / "webhook.incident_update.json").read_bytes())
    assert isinstance(incident, Incident)
    assert (incident.id, incident.title, incident.severity) == (
        "statuspage:z3lct0r596n4",
        "Database query delays",
        "none",
    )
    assert incident.services == ("service:management portal (example)",)
    assert incident.resolved_at == datetime(2017, 12, 26, 7, 37, 20, 785000, UTC)
    assert incident.sections[SectionKind.RESOLUTION] == "The database issue is resolved."
    assert facts(read("statuspage", (folder / "webhook.component_update.json").read_bytes())) == {
        (FactKind.ENTITY, "service:database component", "")
    }
    for path in folder.glob("*.json"):
        found = recognise(orjson.loads(path.read_bytes()), {})
        assert found is not None, path.name
        assert found.name == "statuspage"
