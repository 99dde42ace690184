"""
FireHydrant's webhooks and REST objects.
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

RAW = (DATA / "firehydrant.json").read_bytes()
BEGAN = datetime(2026, 3, 2, 14, 10, tzinfo=UTC)


def test_an_incident_by_its_milestones() -> None:
    incident, change, *rest = read("firehydrant", RAW)
    assert isinstance(incident, Incident)
    assert (incident.id, incident.severity, incident.environment) == ("firehydrant:fi-1", "SEV1", "production")
    assert (incident.at, incident.detected_at, incident.resolved_at) == (
        BEGAN,
        BEGAN.replace(minute=11),
        BEGAN.replace(minute=40),
    )
    assert incident.services == ("service:basket", "service:pay")
    assert incident.sections == {
        SectionKind.SUMMARY: "Customers cannot pay.",
        SectionKind.IMPACT: "No sales.",
        SectionKind.ACTION_ITEMS: "- Limit connections (open)",
    }
    assert (incident.attributes["teams"], incident.attributes["mitigated_at"]) == ("Shop", "2026-03-02T14:30:00+00:00")
    assert change == Change(
        id="firehydrant:change:fc-1",
        kind=ChangeKind.DEPLOY,
        at=datetime(2026, 3, 2, 14, tzinfo=UTC),
        ended_at=datetime(2026, 3, 2, 14, 2, tzinfo=UTC),
        title="Deployed basket 7",
        services=("service:basket",),
        environment="production",
        revision="ab12cd",
        actor="lena",
    )
    assert facts(rest) == {
        (FactKind.ENTITY, "service:basket", ""),
        (FactKind.ALIAS, "service:basket", "fs-1"),
        (FactKind.ALIAS, "service:basket", "basket-api"),
        (FactKind.SAME_AS, "service:fs-1", "service:basket"),
        (FactKind.OWNED_BY, "service:basket", "team:shop"),
    }


def test_a_retrospective_tells_its_incident_with_cause_and_fix() -> None:
    report = read("firehydrant", RAW)[-1]
    assert isinstance(report, Incident)
    assert (report.id, report.title, report.services) == (
        "firehydrant:fi-2",
        "Checkout is down again",
        ("service:basket",),
    )
    assert report.sections[SectionKind.CAUSE] == "- No limit on connections"
    assert report.sections[SectionKind.RESOLUTION] == "We rolled back basket to version 6."
    assert [fix.action for fix in report.fixes] == [FixAction.ROLLBACK]


def test_one_may_ask_about_an_incident() -> None:
    ask = connector("firehydrant").alerts
    assert ask is not None
    (alert,) = ask(orjson.loads(RAW)[0], RECEIVED)
    assert (alert.name, alert.at, alert.status, alert.labels["service"]) == (
        "Checkout is down",
        BEGAN,
        "resolved",
        "basket",
    )
    assert [*ask(orjson.loads(RAW)[1], RECEIVED)] == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            {"resource_type": "moon", "operation": "LANDED", "data": {"id": "1"}},
            "FireHydrant's event 'moon' is not read",
        ),
        ({"colour": "red"}, "is no object of FireHydrant that is read"),
        ({"id": "1", "service_tier": 1}, "a service of FireHydrant has no `name`"),
    ],
)
def test_what_cannot_be_read_says_why(body: object, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        read("firehydrant", orjson.dumps(body))


def test_a_real_delivery(shared: Path) -> None:
    raw = (shared / "samples/firehydrant/on_incident.superplane.json").read_bytes()
    (incident,) = read("firehydrant", raw)
    assert isinstance(incident, Incident)
    assert (incident.id, incident.title) == (
        "firehydrant:21fe20b5-8012-4a51-a34c-623b1389af66",
        "Production Database Accidentally Deleted",
    )
    assert (incident.severity, incident.attributes["status"], incident.attributes["priority"]) == (
        "SEV1",
        "started",
        "P1",
    )
    assert (incident.at, incident.resolved_at) == (datetime(2026, 3, 2, 14, 43, 5, tzinfo=UTC), None)
    assert incident.attributes["teams"] == "Operations, Engineering"
    assert incident.sections[SectionKind.ACTION_ITEMS] == "- Implement database deletion safeguards (pending)"
    found = recognise(orjson.loads(raw), {})
    assert found is not None
    assert found.name == "firehydrant"


def test_an_alert_of_its_signals_is_an_alert() -> None:
    alert = {
        "id": "fa-1",
        "summary": "Basket answers 500",
        "status": "RESOLVED",
        "starts_at": "2026-03-02T14:10:00Z",
        "ends_at": "2026-03-02T14:40:00Z",
        "services": [{"name": "Basket"}],
        "priority": "HIGH",
    }
    body = {"resource_type": "alert", "operation": "UPDATED", "data": {"alert": alert}}
    (found,) = read("firehydrant", orjson.dumps(body))
    assert isinstance(found, Alert)
    assert (found.id, found.at, found.status) == ("firehydrant:alert:fa-1", BEGAN, "resolved")
    assert (found.ended_at, found.labels) == (BEGAN.replace(minute=40), {"service": "Basket", "priority": "HIGH"})
