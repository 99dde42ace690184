"""
Google Cloud Monitoring's incidents.
"""

from __future__ import annotations

import base64
from pathlib import Path

import orjson
import pytest

from graph.values import Alert
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.alerting import alerts, bare, brief, data, latest, recognised, sample, when
from tests.unit.ingest.connectors.reading import RECEIVED


def test_an_incident_is_one_alert_until_it_is_closed() -> None:
    firing, closed = alerts("gcp_monitoring", *data("gcp_monitoring"))
    assert bare(firing) == Alert(
        id="gcp:incident:0.mabc",
        name="Orders errors",
        at=when("2026-04-10T05:46:40"),
        expr='metric.type="run.googleapis.com/request_count" > 5',
        vendor="gcp_monitoring",
        url="https://console.example/incidents/0.mabc",
    )
    assert firing.labels == {
        "team": "orders", "environment": "prod", "service": "orders", "region": "europe-west4", "project_id": "shop-prod",
        "response_code_class": "5xx", "severity": "Critical", "resource": "orders", "resource_type": "cloud_run_revision",
        "project": "shop-prod", "metric": "run.googleapis.com/request_count", "condition": "5xx above 5/s",
    }  # fmt: skip
    assert firing.annotations == {
        "title": "Orders fail", "summary": "Errors of orders are high", "description": "See the book", "value": "7.5",
        "runbook_url": "https://books.example/orders",
    }  # fmt: skip
    assert brief(closed) == ("Orders errors", "resolved", firing.at, when("2026-04-10T05:56:40"))
    for order in (data("gcp_monitoring"), data("gcp_monitoring")[::-1]):
        assert [(one.id, one.status) for one in latest("gcp_monitoring", order)] == [(firing.id, "resolved")]
    assert {recognised(body) for body in data("gcp_monitoring")} == {"gcp_monitoring"}


def test_a_message_of_pubsub_is_unpacked() -> None:
    packed = base64.b64encode(orjson.dumps(data("gcp_monitoring")[0])).decode()
    assert [one.name for one in alerts("gcp_monitoring", {"message": {"data": packed}})] == ["Orders errors"]
    with pytest.raises(BadRecord, match="is not base64"):
        alerts("gcp_monitoring", {"message": {"data": "%"}})


@pytest.mark.parametrize(
    "body",
    [
        {"version": "test", "incident": {"incident_id": "1", "policy_name": "p", "state": "OPEN", "started_at": 0}},
        {"version": "1.2", "incident": {"incident_id": "test", "policy_name": "p", "state": "open"}},
        {"version": "1.2", "incident": {"incident_id": "1", "policy_name": "p", "state": "open", "documentation": {"content": "TEST ALERT\n\nNote"}}},
    ],
)  # fmt: skip
def test_a_test_of_the_channel_states_nothing(body: dict[str, object]) -> None:
    assert alerts("gcp_monitoring", body) == []
    assert recognised(body) == "gcp_monitoring"


def test_without_an_incident_there_is_no_alert() -> None:
    with pytest.raises(BadRecord, match="there is no `incident`"):
        alerts("gcp_monitoring", {"version": "1.2"})


def test_real_incidents(shared: Path) -> None:
    (old,) = sample(shared, "gcp_monitoring", "incident.open.alerta.json")
    assert brief(old) == ("Webserver Health", "firing", when("2017-07-06T19:10:14"), None)
    assert (old.labels["resource"], old.labels["condition"]) == ("webserver-85", "CPU usage")
    (mock,) = sample(shared, "gcp_monitoring", "incident.5xx.keep.json")
    assert brief(mock) == ("5XX Error Rate > 5%", "firing", RECEIVED, None)
    assert (mock.labels["team"], mock.labels["environment"], mock.labels["severity"]) == (
        "platform",
        "production",
        "critical",
    )
