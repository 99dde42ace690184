"""
Azure Monitor's schemas.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.values import Alert
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.alerting import alerts, bare, brief, data, latest, recognised, sample, when


def test_fired_and_resolved_are_one_alert() -> None:
    fired, resolved = alerts("azure_monitor", *data("azure_monitor"))
    assert bare(fired) == Alert(
        id="azure:s1_shop_web-5xx_42@2026-04-06T10:00:00.1234567Z",
        name="web-5xx",
        at=when("2026-04-06T10:00:00.123456"),
        expr="Total(Http5xx) > 10",
        vendor="azure_monitor",
        url="https://portal.azure.com/#blade/Microsoft_Azure_Monitoring/AlertDetailsTemplateBlade/alertId/"
        "%2Fsubscriptions%2FS1%2Fproviders%2FMicrosoft.AlertsManagement%2Falerts%2F0a",
    )
    assert fired.labels == {
        "service": "checkout", "environment": "prod", "Instance": "i1", "subscription": "s1", "resource_group": "shop",
        "resource_type": "microsoft.web/sites", "app": "checkout-web", "resource": "checkout-web", "severity": "Sev1",
        "signal": "Metric", "monitoring_service": "Platform", "metric": "Http5xx",
    }  # fmt: skip
    assert brief(resolved) == ("web-5xx", "resolved", fired.at, when("2026-04-06T10:08"))
    for order in (data("azure_monitor"), data("azure_monitor")[::-1]):
        assert [(one.id, one.status) for one in latest("azure_monitor", order)] == [(fired.id, "resolved")]
    assert {recognised(body) for body in data("azure_monitor")} == {"azure_monitor"}


def common(signal: str, **context: object) -> dict[str, object]:
    """
    A fired alert of some signal.
    """
    essentials = {
        "alertId": "/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/1", "alertRule": "r", "signalType": signal,
        "monitorCondition": "Fired", "alertTargetIDs": [], "firedDateTime": "2026-04-06T10:00:00Z", "severity": "Sev4",
    }  # fmt: skip
    return {"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": essentials, "alertContext": context}}


def test_a_log_alert_has_its_query_and_an_activity_its_operation() -> None:
    criteria = [{"searchQuery": "requests | where success == false", "operator": "GreaterThan", "threshold": "5", "timeAggregation": "Count", "dimensions": [{"name": "cloud_RoleName", "value": "pay"}]}]  # fmt: skip
    (log,) = alerts("azure_monitor", common("Log", condition={"allOf": criteria}))
    assert log.expr == "requests | where success == false, Count(rows) > 5"
    assert log.labels["cloud_RoleName"] == "pay"
    context = {
        "operationName": "Microsoft.Web/sites/restart/action",
        "caller": "ann@example.org",
        "status": "Succeeded",
    }
    (activity,) = alerts("azure_monitor", common("Activity Log", **context))
    assert activity.annotations == {
        "title": "r",
        "operation": "Microsoft.Web/sites/restart/action",
        "status": "Succeeded",
    }


def test_a_rule_of_prometheus_brings_its_labels_and_expression() -> None:
    context = {
        "interval": "PT1M", "expression": "up == 0", "labels": {"alertname": "Down", "service": "pay", "namespace": "shop"},
        "annotations": {"description": "no target", "runbook_url": "https://books.example/down"},
    }  # fmt: skip
    (one,) = alerts("azure_monitor", common("Metric", **context))
    assert (one.expr, one.labels["service"], one.labels["namespace"]) == ("up == 0", "pay", "shop")
    assert one.annotations == {"title": "r", "description": "no target", "runbook_url": "https://books.example/down"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"schemaId": "AzureMonitorMetricAlert", "data": {"version": "2.0", "status": "Deactivated", "context": {"timestamp": "2026-04-06T10:00:00Z", "id": "/subscriptions/S/x", "name": "cpu", "conditionType": "SingleResourceMultipleMetricCriteria", "severity": "3", "condition": {"allOf": []}, "resourceName": "vm-1", "resourceId": "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/vm-1"}}},
         ("cpu", "resolved", when("2026-04-06T10:00"), when("2026-04-06T10:00"))),
        ({"status": "Activated", "context": {"timestamp": "2026-04-06T10:00:00Z", "id": "/subscriptions/S/y", "name": "cpu", "conditionType": "Metric", "condition": {"metricName": "CPU", "operator": "GreaterThan", "threshold": "1"}, "resourceName": "vm-1", "resourceId": "/subscriptions/S/x"}, "properties": {}},
         ("cpu", "firing", when("2026-04-06T10:00"), None)),
        ({"schemaId": "Microsoft.Insights/LogAlert", "data": {"SubscriptionId": "S", "AlertRuleName": "errors", "SearchQuery": "q", "SearchIntervalStartTimeUtc": "4/6/2026 9:55:00 AM", "SearchIntervalEndtimeUtc": "4/6/2026 10:00:00 AM", "Severity": "2"}},
         ("errors", "firing", when("2026-04-06T10:00"), None)),
        ({"schemaId": "Microsoft.Insights/activityLogs", "data": {"status": "Activated", "context": {"activityLog": {"eventTimestamp": "2026-04-06T10:00:00+00:00", "operationName": "restart", "level": "Informational", "caller": "ann@example.org", "resourceId": "/subscriptions/S/resourceGroups/G/providers/Microsoft.Web/sites/shop"}}, "properties": {}}},
         ("restart", "firing", when("2026-04-06T10:00"), None)),
    ],
)  # fmt: skip
def test_the_older_schemas_are_read(body: dict[str, object], expected: object) -> None:
    (one,) = alerts("azure_monitor", body)
    assert brief(one) == expected
    assert recognised(body) == "azure_monitor"
    assert "ann@example.org" not in str(one)


def test_another_schema_says_what_to_enable() -> None:
    with pytest.raises(BadRecord, match="enable the common alert schema"):
        alerts("azure_monitor", {"schemaId": "wish", "data": {}})


def test_a_real_resolution(shared: Path) -> None:
    (one,) = sample(shared, "azure_monitor", "metric.resolved.json")
    assert brief(one) == (
        "WCUS-R2-Gen2",
        "resolved",
        when("2019-03-22T13:58:24.371321"),
        when("2019-03-22T14:03:16.224631"),
    )
    assert (one.labels["host"], one.labels["resource_group"]) == ("wcus-r2-gen2", "pipelinealertrg")
    assert one.expr == "Average(Percentage CPU) > 25"
