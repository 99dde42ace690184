"""
Rootly's webhooks, edge deliveries and JSON:API objects.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from graph.values import Alert, Change, ChangeKind, FactKind, FixAction, Incident, SectionKind
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, RECEIVED, facts, read

RAW = (DATA / "rootly.json").read_bytes()
BEGAN = datetime(2026, 3, 2, 14, 10, tzinfo=UTC)


def test_incidents_pulses_and_postmortems() -> None:
    incident, pulse, document, *_ = read("rootly", RAW)
    assert isinstance(incident, Incident)
    assert (incident.id, incident.severity, incident.services) == ("rootly:ri-1", "SEV1", ("service:basket",))
    assert (incident.at, incident.detected_at) == (BEGAN, BEGAN.replace(minute=11))
    assert (incident.resolved_at, incident.environment) == (BEGAN.replace(minute=40), "production")
    assert incident.sections == {
        SectionKind.SUMMARY: "Customers cannot pay.",
        SectionKind.RESOLUTION: "Restarted the basket pods.",
    }
    assert [fix.action for fix in incident.fixes] == [FixAction.RESTART]
    assert incident.attributes["teams"] == "shop"
    assert isinstance(pulse, Change)
    assert (pulse.id, pulse.kind, pulse.revision, pulse.actor) == (
        "rootly:pulse:rp-1",
        ChangeKind.DEPLOY,
        "ab12cd",
        "lena",
    )
    assert isinstance(document, Incident)
    assert (document.id, document.attributes["incident"]) == ("rootly:postmortem:pm-1", "ri-1")
    assert document.sections[SectionKind.CAUSE] == "Release 7 leaked connections."
    assert document.sections[SectionKind.RESOLUTION] == "Restarted the basket pods."


def test_owners_and_shifts_and_what_states_nothing() -> None:
    items = read("rootly", RAW)
    assert facts(items) == {
        (FactKind.ENTITY, "service:basket", ""),
        (FactKind.ALIAS, "service:basket", "rs-1"),
        (FactKind.SAME_AS, "service:rs-1", "service:basket"),
        (FactKind.ALIAS, "service:basket", "Basket API"),
        (FactKind.OWNED_BY, "service:basket", "team:rg-1"),
        (FactKind.ON_CALL_FOR, "person:lena orr", "team:rsch-1"),
    }
    assert [item.title for item in items if isinstance(item, Incident)] == ["Checkout is down", "Checkout is down"]


def test_a_later_state_of_one_moment_counts() -> None:
    body = orjson.loads(RAW)[0]
    started = {**body, "data": {**body["data"], "status": "started"}}
    one, two = (next(iter(connector("rootly").split(orjson.dumps(state), {}))) for state in (started, body))
    assert one.part == two.part == "incident:ri-1"
    assert one.occurred_at is not None
    assert two.occurred_at == one.occurred_at + timedelta(microseconds=3)


def test_a_signature_holds_the_time_and_the_body() -> None:
    body, stamp = b'{"a": 1}', str(int(RECEIVED.timestamp()))
    digest = hmac.new(b"hush", stamp.encode() + body, hashlib.sha256).hexdigest()
    signing = connector("rootly").signing
    assert signing is not None
    headers = {"x-rootly-signature": f"t={stamp},v1={digest}"}
    assert signing.problem(body, headers, "hush", RECEIVED) == ""
    assert "not that of the body" in signing.problem(body, headers, "other", RECEIVED)
    assert "is missing" in signing.problem(body, {}, "hush", RECEIVED)
    assert "is not within" in signing.problem(body, headers, "hush", RECEIVED + timedelta(seconds=301))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            {"event": {"type": "moon.landed", "issued_at": "x"}, "data": {"id": "1"}},
            "Rootly's event 'moon.landed' is not read",
        ),
        ({"colour": "red"}, "is no object of Rootly that is read"),
        ({"event": {"type": "alert.created"}, "data": {"id": "1"}}, "`started_at` of the alert 1 is missing"),
    ],
)
def test_what_cannot_be_read_says_why(body: object, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        read("rootly", orjson.dumps(body))


def test_real_deliveries(shared: Path) -> None:
    folder = shared / "samples/rootly"
    raw = (folder / "deliveries.alert_and_incident.json").read_bytes()
    alert, incident = read("rootly", raw)
    assert isinstance(alert, Alert)
    assert (alert.name, alert.at) == ("High database latency", datetime(2025, 10, 26, 21, 29, 45, tzinfo=UTC))
    assert alert.labels == {
        "service": "db-production",
        "environment": "production",
        "source": "datadog",
        "severity": "critical",
        "component": "database",
    }
    assert isinstance(incident, Incident)
    assert (incident.title, incident.severity, incident.services) == (
        "Production API Gateway Outage",
        "SEV1",
        ("service:api-gateway",),
    )
    assert (incident.at, incident.detected_at) == (
        datetime(2025, 10, 26, 21, 34, tzinfo=UTC),
        datetime(2025, 10, 26, 21, 33, tzinfo=UTC),
    )
    ask = connector("rootly").alerts
    assert ask is not None
    assert [(one.name, one.labels["service"]) for one in ask(orjson.loads(raw), RECEIVED)] == [
        ("High database latency", "db-production"),
        ("Production API Gateway Outage", "api-gateway"),
    ]
    (relayed,) = read("rootly", (folder / "on_incident.superplane.json").read_bytes())
    assert isinstance(relayed, Incident)
    assert (relayed.id, relayed.severity, relayed.at) == (
        "rootly:abc123-def456",
        "sev2",
        datetime(2026, 1, 19, 12, tzinfo=UTC),
    )
    assert read("rootly", (folder / "deliveries.action_triggered.json").read_bytes()) == []
    for path in folder.glob("*.json"):
        found = recognise(orjson.loads(path.read_bytes()), {})
        assert found is not None, path.name
        assert found.name == "rootly"


def test_an_incident_without_its_wrapper_is_an_incident() -> None:
    body = {
        "type": "rootly.incident",
        "data": {"id": "ri-9", "title": "Down", "status": "mitigated", "started_at": "2026-03-02T14:10:00Z"},
        "timestamp": "2026-03-02T14:11:00Z",
    }
    (incident,) = read("rootly", orjson.dumps(body))
    assert isinstance(incident, Incident)
    assert (incident.id, incident.at, incident.attributes["status"]) == ("rootly:ri-9", BEGAN, "mitigated")
