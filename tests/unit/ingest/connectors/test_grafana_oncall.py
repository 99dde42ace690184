"""
Grafana OnCall's webhooks and REST objects.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from graph.values import Alert, Fact, FactKind, Incident, Span
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, RECEIVED, facts, read

RAW = (DATA / "grafana_oncall.json").read_bytes()
BEGAN = datetime(2026, 3, 2, 14, 10, tzinfo=UTC)


def test_an_alert_group_is_an_incident_and_its_payload_an_alert_of_its_own_tool() -> None:
    incident, alert = read("grafana_oncall", RAW)[:2]
    assert incident == Incident(
        id="grafana_oncall:IGRP1",
        title="Basket answers 500",
        at=BEGAN,
        detected_at=BEGAN,
        severity="critical",
        services=("service:basket",),
        environment="production",
        alerts=("Basket5xx",),
        url="https://grafana.example/a/IGRP1",
        attributes={"status": "firing", "team": "Shop", "integration": "Shop alerts", "event": "alert group created"},
    )
    assert isinstance(alert, Alert)
    assert (alert.id, alert.vendor, alert.at) == ("fp1@2026-03-02T14:09:00Z", "alertmanager", BEGAN.replace(minute=9))
    assert (alert.labels["service"], alert.annotations["summary"]) == ("basket", "20 percent")


def test_whom_an_integration_reaches_step_by_step() -> None:
    items = read("grafana_oncall", RAW)
    steps = [
        (one.kind, one.subject, one.object)
        for one in items
        if isinstance(one, Fact) and one.kind not in (FactKind.ENTITY, FactKind.ALIAS)
    ]
    assert set(steps) == {
        (FactKind.SAME_AS, "service:cint1", "service:shop alerts"),
        (FactKind.OWNED_BY, "service:shop alerts", "team:ttea1"),
        (FactKind.ESCALATES_TO, "service:shop alerts", "team:fcha1"),
        (FactKind.SAME_AS, "team:fcha1", "team:shop ladder"),
        (FactKind.ESCALATES_TO, "team:ttea1", "team:shop ladder"),
        (FactKind.SAME_AS, "team:ttea1", "team:shop"),
        (FactKind.ESCALATES_TO, "team:fcha1", "team:ssch1"),
        (FactKind.ESCALATES_TO, "team:fcha1", "person:uusr1"),
        (FactKind.SAME_AS, "team:ssch1", "team:shop rota"),
        (FactKind.ESCALATES_TO, "team:ttea1", "team:shop rota"),
        (FactKind.ON_CALL_FOR, "person:uusr1", "team:shop rota"),
        (FactKind.SAME_AS, "person:uusr1", "person:lena"),
    }
    (turn,) = [one for one in items if isinstance(one, Fact) and one.kind is FactKind.ON_CALL_FOR]
    assert turn.valid == Span(RECEIVED, RECEIVED + timedelta(days=1))


def test_one_may_ask_about_a_webhook_by_its_payload_or_by_the_group() -> None:
    ask = connector("grafana_oncall").alerts
    assert ask is not None
    body = orjson.loads(RAW)[0]
    assert [one.name for one in ask(body, RECEIVED)] == ["Basket5xx"]
    assert [(one.name, one.labels["service"]) for one in ask({**body, "alert_payload": {}}, RECEIVED)] == [
        ("Basket answers 500", "basket")
    ]


def test_a_payload_that_nobody_can_read_leaves_the_group() -> None:
    body = {**orjson.loads(RAW)[0], "alert_payload": {"alerts": [{"labels": {"alertname": "A"}, "startsAt": "soon"}]}}
    (incident,) = read("grafana_oncall", orjson.dumps(body))
    assert isinstance(incident, Incident)
    assert incident.alerts == ()


def test_what_cannot_be_read_says_why() -> None:
    with pytest.raises(BadRecord, match="is no object of Grafana OnCall that is read"):
        read("grafana_oncall", b'{"colour": "red"}')


def test_real_payloads(shared: Path) -> None:
    raw = {path.stem: path.read_bytes() for path in (shared / "samples/grafana_oncall").glob("*.json")}
    incident, alert = read("grafana_oncall", raw["outgoing_webhook.resolve"])
    assert isinstance(incident, Incident)
    assert (incident.id, incident.alerts, incident.services) == (
        "grafana_oncall:I6HNZGUFG4K11",
        ("TestAlert",),
        ("service:main integration - webhook",),
    )
    assert (incident.at, incident.resolved_at) == (
        datetime(2023, 4, 19, 21, 53, 48, 231148, UTC),
        datetime(2023, 4, 19, 21, 59, 21, 714058, UTC),
    )
    assert isinstance(alert, Alert)
    assert (alert.name, alert.vendor, alert.labels["region"]) == ("TestAlert", "alertmanager", "eu-1")
    # the payloads are Grafana's test notification, which its own connector passes over
    (group,) = read("grafana_oncall", raw["rest.alert_groups"])
    assert isinstance(group, Incident)
    assert (group.title, group.alerts) == ("Memory above 90% threshold", ())
    assert group.resolved_at == datetime(2020, 5, 19, 13, 37, 1, 429805, UTC)
    assert read("grafana_oncall", raw["rest.alerts"]) == []
    assert (FactKind.SAME_AS, "team:f5ju6kjet33fe", "team:default") in facts(
        read("grafana_oncall", raw["rest.escalation_chains"])
    )
    assert (FactKind.ESCALATES_TO, "service:grafana :blush:", "team:f5ju6kjet33fe") in facts(
        read("grafana_oncall", raw["rest.integrations"])
    )
    assert (FactKind.SAME_AS, "team:ti73tdu19w48j", "team:my test team") in facts(
        read("grafana_oncall", raw["rest.teams"])
    )
    known = recognise(orjson.loads(raw["outgoing_webhook.resolve"]), {})
    assert known is not None
    assert known.name == "grafana_oncall"


def test_alerts_of_the_api_are_read_by_their_tools_connector() -> None:
    payload = orjson.loads(RAW)[0]["alert_payload"]
    body = {
        "results": [{"id": "A1", "alert_group_id": "IGRP1", "created_at": "2026-03-02T14:10:00Z", "payload": payload}]
    }
    (alert,) = read("grafana_oncall", orjson.dumps(body))
    assert isinstance(alert, Alert)
    assert (alert.name, alert.vendor) == ("Basket5xx", "alertmanager")
