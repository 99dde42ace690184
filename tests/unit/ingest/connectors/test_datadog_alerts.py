"""
Datadog's webhooks, events, monitors and incidents.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import Alert, AlertRule, Incident
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.alerting import alerts, bare, brief, data, latest, recognised, sample, when
from tests.unit.ingest.connectors.reading import RECEIVED, read


def test_our_template_pairs_alert_and_recovery_by_the_cycle() -> None:
    firing, fine = alerts("datadog_alerts", *data("datadog_alerts"))
    assert bare(firing) == Alert(
        id="datadog:monitor:424242/cycle:9911",
        name="Basket latency is high",
        at=when("2026-04-03T07:06:40"),
        expr="avg(last_5m):p99:basket.latency{env:prod} > 2",
        vendor="datadog",
        url="https://app.example/event/71",
    )
    assert firing.labels == {
        "environment": "prod", "service": "basket", "team": "shop", "tags": "vip", "host": "web-9", "severity": "P2",
        "transition": "Triggered", "metric": "basket.latency", "monitor_id": "424242", "type": "metric alert",
    }  # fmt: skip
    assert firing.annotations["description"] == "p99 above 2 s"
    assert brief(fine) == (firing.name, "resolved", when("2026-04-03T07:16:40"), when("2026-04-03T07:16:40"))
    for order in (data("datadog_alerts"), data("datadog_alerts")[::-1]):
        assert [(one.id, one.status) for one in latest("datadog_alerts", order)] == [(firing.id, "resolved")]


COMMON = {
    "body": "text", "last_updated": "1775200000000", "event_type": "metric_alert_monitor", "title": "[Warn] Queue grows",
    "severity": "P3", "alert_type": "warning", "alert_query": "avg:queue{*} > 5", "alert_transition": "Warn",
    "date": "1775200000000", "scopes": "queue:mail", "url": "https://app.example", "tags": "env:test,service:mail",
    "id": "900", "monitor_id": "7",
}  # fmt: skip


@pytest.mark.parametrize(
    ("transition", "status"),
    [("Triggered", "firing"), ("Re-Triggered", "firing"), ("Warn", "firing"), ("No Data", "firing"),
     ("Renotify", "firing"), ("Recovered", "resolved"), ("Warn Recovered", "resolved")],
)  # fmt: skip
def test_the_common_template_is_read_in_every_transition(transition: str, status: str) -> None:
    body = {**COMMON, "alert_transition": transition}
    (one,) = alerts("datadog_alerts", body)
    assert brief(one)[:3] == ("Queue grows", status, when("2026-04-03T07:06:40"))
    assert (one.labels["queue"], one.expr, one.id) == ("mail", "avg:queue{*} > 5", "datadog:event:900")
    assert recognised(body) == "datadog_alerts"


@pytest.mark.parametrize(
    ("title", "status", "transition"),
    [("[Triggered on {service:mail,env:test}] Queue grows", "firing", "Triggered"),
     ("[P2] [Recovered on {service:mail,env:test}] Queue grows", "resolved", "P2 Recovered")],
)  # fmt: skip
def test_the_payload_that_nobody_wrote_tells_state_and_scope_in_its_title(
    title: str, status: str, transition: str
) -> None:
    body = {
        "body": "Too many", "last_updated": "1775200000000", "date": "1775200000000", "id": "900", "title": title,
        "event_type": "query_alert_monitor", "org": {"id": "1", "name": "shop"},
    }  # fmt: skip
    (one,) = alerts("datadog_alerts", body)
    assert brief(one)[:3] == ("Queue grows", status, when("2026-04-03T07:06:40"))
    assert one.labels == {"service": "mail", "environment": "test", "transition": transition}
    assert recognised(body) == "datadog_alerts"


def test_a_monitor_is_a_rule_and_an_alert_while_it_fires() -> None:
    monitor = {
        "id": 5, "name": "Stock is low", "type": "query alert", "query": "min(last_5m):stock{*} < 3", "message": "order more",
        "tags": ["service:stock", "env:prod"], "options": {}, "overall_state": "Alert", "overall_state_modified": "2026-04-03T01:00:00+00:00",
        "modified": "2026-01-01T00:00:00+00:00", "priority": 2,
    }  # fmt: skip
    rule, alert = read("datadog_alerts", orjson.dumps([monitor]))
    labels = {"service": "stock", "environment": "prod", "severity": "2", "type": "query alert"}
    assert rule == AlertRule(
        id="datadog:monitor:5",
        name="Stock is low",
        expr="min(last_5m):stock{*} < 3",
        labels=labels,
        annotations={"title": "Stock is low", "description": "order more"},
        services=("service:stock",),
    )
    assert isinstance(alert, Alert)
    assert brief(alert) == ("Stock is low", "firing", when("2026-04-03T01:00"), None)
    assert len(read("datadog_alerts", orjson.dumps({**monitor, "overall_state": "OK"}))) == 1
    assert recognised(monitor) == "datadog_alerts"


def test_events_that_tell_of_no_alert_state_nothing() -> None:
    event = {"id": 1, "title": "Deployed", "text": "", "date_happened": 1775200000, "tags": [], "alert_type": "info"}
    assert alerts("datadog_alerts", {"events": [event]}) == []
    (one,) = alerts("datadog_alerts", {"event": {**event, "alert_type": "error", "title": "[Triggered] Disk"}})
    assert brief(one)[:2] == ("Disk", "firing")


def test_an_incident_is_one() -> None:
    body = {
        "data": {
            "type": "incidents", "id": "i-1",
            "attributes": {
                "public_id": 12, "title": "Checkout fails", "severity": "SEV-2", "state": "resolved", "customer_impact_scope": "",
                "detected": "2026-04-03T02:00:00Z", "created": "2026-04-03T02:05:00Z", "resolved": "2026-04-03T03:00:00Z",
                "fields": {"services": {"type": "autocomplete", "value": ["checkout"]}},
            },
        }
    }  # fmt: skip
    (found,) = read("datadog_alerts", orjson.dumps(body))
    assert found == Incident(
        id="datadog:incidents:i-1", title="Checkout fails", at=when("2026-04-03T02:00"), detected_at=when("2026-04-03T02:00"),
        resolved_at=when("2026-04-03T03:00"), severity="SEV-2", services=("service:checkout",), attributes={"state": "resolved"},
    )  # fmt: skip
    assert recognised(body) == "datadog_alerts"


def test_an_unknown_version_of_our_template_is_refused() -> None:
    with pytest.raises(BadRecord, match="'precedent/datadog/9' is not known"):
        alerts("datadog_alerts", {**data("datadog_alerts")[0], "template": "precedent/datadog/9"})


def test_real_payloads(shared: Path) -> None:
    (event,) = sample(shared, "datadog_alerts", "event.api-response.json")
    assert event.id == "datadog:event:6327818702635911562"
    assert event.at == when("2022-01-06T00:50:51")
    (mock,) = sample(shared, "datadog_alerts", "mock.high_cpu_usage.json")
    assert brief(mock) == ("High CPU Usage", "firing", RECEIVED, None)
    assert (mock.labels["environment"], mock.labels["team"]) == ("production", "backend")
    with pytest.raises(BadRecord, match="variables of the template are not filled"):
        sample(shared, "datadog_alerts", "webhook.template.keep.json")
    for name, kind in (("incident", "users"), ("monitor", "roles")):
        with pytest.raises(BadRecord, match=f"object of type '{kind}' is no monitor, event or incident"):
            sample(shared, "datadog_alerts", f"{name}.api-response.json")
