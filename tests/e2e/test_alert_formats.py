"""
An alert of any tool is asked about as the tool sent it, and the answer says as what it was recognised.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ingest.connectors import NAMES

NOW = "now"
"""Of what carries no time."""
ALERTS = {
    "alertmanager/webhook.v3.alerta.json": ("alertmanager", "failedConnect", "firing", "2016-08-01T10:27:08.008000Z"),
    "alertmanager/webhook.v4.alerta.json": ("alertmanager", "thing_dead", "firing", "2017-08-03T19:17:37.804000Z"),
    "alertmanager/webhook.v4.oncall.json": ("alertmanager", "InstanceDown", "firing", "2023-06-12T08:24:38.326000Z"),
    "grafana_alerts/unified.oncall.json": ("alertmanager", "InstanceDown", "firing", "2023-06-12T08:24:38.326000Z"),
    "grafana_alerts/legacy.alerting.json": ("grafana_alerts", "Zeta CPU alert", "firing", NOW),
    "grafana_alerts/legacy.ok.json": ("grafana_alerts", "Zeta CPU alert", "resolved", NOW),
    "datadog_alerts/event.api-response.json": ("datadog_alerts", "Test-Post_an_event_returns_OK_response-1641430251", "firing", "2022-01-06T00:50:51Z"),
    "datadog_alerts/mock.high_cpu_usage.json": ("datadog_alerts", "High CPU Usage", "firing", NOW),
    "cloudwatch/cloudWatchAlarmEventSingleMetric.json": ("cloudwatch", "Test alert", "firing", "2024-02-17T11:53:08.431000Z"),
    "cloudwatch/cloudwatch-alarm-sns-payload-single-metric.json": ("cloudwatch", "EXAMPLE", "firing", "2015-06-03T17:43:27.123000Z"),
    "cloudwatch/sns.http.notification.json": ("cloudwatch", "bucketbytesAlarm", "firing", "2019-02-15T23:53:45.093000Z"),
    "newrelic/legacy-alerts.json": ("newrelic", "New Relic Alert - Test Condition", "firing", "2020-09-25T11:23:27.849000Z"),
    "newrelic/workflow.activated.json": ("newrelic", "Zulip Server Low Storage", "firing", "2024-04-22T03:05:31.352000Z"),
    "sentry/issue_alert.triggered.json": ("sentry", "ReferenceError: heck is not defined", "firing", "2019-08-19T21:06:17.677000Z"),
    "sentry/legacy-plugin.browser_timeout.keep.json": ("sentry", "Failed to fetch user profile", "firing", "2024-03-09T13:34:45.873000Z"),
    "sentry/on_issue.superplane.json": ("sentry", "Error #1: This is a test error!", "firing", "2022-04-04T18:17:18.320000Z"),
    "dynatrace/problemsv2.get.json": ("dynatrace", "Mobile app slow user actions", "firing", "2021-11-30T11:22:00Z"),
    "zabbix/alert.oncall.json": ("zabbix", "TestAlert: The whole system is down", "firing", NOW),
    "zabbix/alert.zulip.json": ("zabbix", "Zabbix agent on www.example.com is unreachable for 5 minutes", "firing", NOW),
    "icinga/services.query.0.json": ("icinga", "10807-service", "firing", NOW),
    "checkmk/notification.keep.json": ("checkmk", "server1", "resolved", "2024-10-26T23:20:39Z"),
    "azure_monitor/metric.resolved.json": ("azure_monitor", "WCUS-R2-Gen2", "resolved", "2019-03-22T13:58:24.371321Z"),
    "gcp_monitoring/incident.5xx.keep.json": ("gcp_monitoring", "5XX Error Rate > 5%", "firing", NOW),
    "gcp_monitoring/incident.open.alerta.json": ("gcp_monitoring", "Webserver Health", "firing", "2017-07-06T19:10:14Z"),
    "elastic_watcher/kibana.on_alert.superplane.json": ("elastic_watcher", "High error rate detected", "firing", NOW),
    "pingdom/down.json": ("pingdom", "Alerta API on OpenShift", "firing", "2017-06-30T22:25:43Z"),
    "graylog/event.keep.json": ("graylog", "Event - 1", "firing", "2024-10-24T10:22:04.556000Z"),
    "keep_other/checkly.json": ("keep_other", "API Check #1", "resolved", "2025-01-26T11:19:40.544000Z"),
    "keep_other/coralogix.json": ("keep_other", "Keep", "firing", "2024-08-14T21:28:56.254000Z"),
    "keep_other/dash0.json": ("keep_other", "New Check Rule", "resolved", "2025-02-03T07:17:17.474101Z"),
    "keep_other/libre_nms.json": ("keep_other", "Devices up/down", "resolved", "2025-03-04T10:58:34Z"),
}  # fmt: skip
NONE = {
    "cloudwatch/sns.http.subscription_confirmation.json": "this is cloudwatch's format: SNS's SubscriptionConfirmation",
    "datadog_alerts/webhook.template.keep.json": "this is datadog_alerts's format: the variables of the template are not filled",
    "elastic_watcher/errors_in_logs.watch.json": "this is elastic_watcher's format",
    "elastic_watcher/monitoring_cluster_health.watch.json": "this is elastic_watcher's format",
    "github/push.payload.json": "this is github's format",
    "nagios/statusjson.service.json": "this is nagios's format",
}


@pytest.mark.parametrize("file", ALERTS)
def test_an_alert_as_it_was_sent_is_answered(client: TestClient, shared: Path, file: str) -> None:
    asked = datetime.now(UTC)
    answer = client.post("/v1/context", content=(shared / "samples" / file).read_bytes())
    assert answer.status_code == 200, answer.text
    alert = answer.json()["alert"]
    form, name, status, at = ALERTS[file]
    assert (alert["format"], alert["name"], alert["status"]) == (form, name, status)
    if at == NOW:
        assert abs(datetime.fromisoformat(alert["at"]) - asked) < timedelta(minutes=1)
    else:
        assert alert["at"] == at
    assert (alert["ended_at"] is not None) == (status == "resolved")


@pytest.mark.parametrize("file", NONE)
def test_what_holds_no_alert_is_refused_by_the_name_of_its_format(client: TestClient, shared: Path, file: str) -> None:
    answer = client.post("/v1/context", content=(shared / "samples" / file).read_bytes())
    assert answer.status_code == 422
    assert NONE[file] in answer.json()["detail"]


@pytest.mark.skipif("cloudevents" not in NAMES, reason="envelopes of CloudEvents are read by their own connector")
def test_a_problem_in_a_cloudevent_is_answered(client: TestClient, shared: Path) -> None:
    raw = (shared / "samples/dynatrace/problem.closed.cloudevent.json").read_bytes()
    alert = client.post("/v1/context", content=raw).json()["alert"]
    assert (alert["format"], alert["vendor"], alert["name"]) == (
        "cloudevents",
        "dynatrace",
        "Browser monitor global outage",
    )
    assert (alert["status"], alert["at"]) == ("resolved", "2022-01-03T15:24:51.837000Z")


def test_the_first_firing_alert_of_several_is_answered_and_the_others_beside_it(client: TestClient) -> None:
    fields = {"orgId": 1, "status": "firing"}
    made = [
        ("Old", "resolved", "2026-01-01T00:00:00Z"),
        ("One", "firing", "2026-01-02T00:00:00Z"),
        ("Two", "firing", "2026-01-03T00:00:00Z"),
    ]
    alerts = [
        {
            "labels": {"alertname": name},
            "status": status,
            "startsAt": at,
            "endsAt": "2026-01-01T01:00:00Z",
            "silenceURL": "s",
        }
        for name, status, at in made
    ]
    alert = client.post("/v1/context", json={**fields, "alerts": alerts}).json()["alert"]
    assert (alert["format"], alert["name"], alert["ended_at"]) == ("grafana_alerts", "One", None)
    assert [one["name"] for one in alert["firing_with"]] == ["Two"]


def test_a_tag_of_the_vendor_names_the_service(client: TestClient) -> None:
    event = {
        "alert_transition": "Triggered",
        "monitor_id": "1",
        "id": "2",
        "title": "[Triggered] Slow",
        "tags": "service:checkout,env:prod",
    }
    answer = client.post("/v1/context", json=event).json()
    assert answer["service"]["candidates"][0]["id"] == "service:checkout"
    assert answer["alert"]["labels"] == {
        "service": "checkout", "environment": "prod", "transition": "Triggered", "monitor_id": "1",
    }  # fmt: skip
    plain = client.post("/v1/context", json={"title": "Slow"}).json()["alert"]
    assert plain["format"] == "plain"


def test_a_recovery_that_does_not_say_when_it_began_is_no_firing(client: TestClient) -> None:
    body = {
        "check_id": 99,
        "check_name": "Front of the shop",
        "previous_state": "UP",
        "current_state": "DOWN",
        "state_changed_timestamp": 1775900000,
    }
    fine = {**body, "previous_state": "DOWN", "current_state": "UP", "state_changed_timestamp": 1775900300}
    for one in (body, fine, body):
        assert client.post("/v1/ingest/pingdom?source=front", json=one).status_code == 202
    again = {**body, "state_changed_timestamp": 1775990000}
    for _ in range(200):
        history = client.post("/v1/context", json=again).json()["history"]
        if history["fired_30d"]:
            break
    assert history["fired_30d"] == 1
