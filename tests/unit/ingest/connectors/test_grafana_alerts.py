"""
Grafana's unified and legacy alerts.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.values import Alert
from tests.unit.ingest.connectors.alerting import alerts, bare, brief, data, latest, recognised, sample, when
from tests.unit.ingest.connectors.reading import RECEIVED


def test_unified_alerts_without_grafanas_own_marks() -> None:
    found = alerts("grafana_alerts", *data("grafana_alerts"))
    assert bare(found[0]) == Alert(
        id="1111222233334444@2026-04-02T10:00:00Z",
        name="Queue is long",
        at=when("2026-04-02T10:00"),
        vendor="grafana",
        url="https://graphs.example/alerting/grafana/u1/view",
    )
    assert found[0].labels == {
        "alertname": "Queue is long",
        "service": "mailer",
        "env": "prod",
        "grafana_folder": "Shop",
    }
    assert found[0].annotations == {
        "summary": "12000 waiting",
        "dashboard_url": "https://graphs.example/d/d1",
        "panel_url": "https://graphs.example/d/d1?viewPanel=2",
        "values": "[ var='A' value=12000 ]",
    }
    assert [recognised(body) for body in data("grafana_alerts")] == ["grafana_alerts"]


def test_no_data_and_errors_are_alerts_that_name_their_rule() -> None:
    _, nothing, error = alerts("grafana_alerts", *data("grafana_alerts"))
    assert (brief(nothing)[:2], nothing.labels["rulename"]) == (("DatasourceNoData", "firing"), "Orders a minute")
    assert brief(error) == ("DatasourceError", "resolved", when("2026-04-02T09:00"), when("2026-04-02T09:10"))


LEGACY = {
    "dashboardId": 1, "evalMatches": [], "message": "m", "orgId": 2, "panelId": 3, "ruleId": 11, "ruleName": "Stock",
    "ruleUrl": "https://graphs.example/r", "state": "alerting", "tags": {"service": "stock"}, "title": "[Alerting] Stock",
}  # fmt: skip


def test_a_legacy_rule_keeps_its_last_state_as_it_carries_no_time() -> None:
    firing, fine = LEGACY, {**LEGACY, "state": "ok"}
    assert [brief(one)[:2] for one in latest("grafana_alerts", [firing, fine])] == [("Stock", "resolved")]
    (one,) = alerts("grafana_alerts", firing)
    assert (one.id, one.at, one.labels) == ("org:2/rule:11", RECEIVED, {"service": "stock", "state": "alerting"})


@pytest.mark.parametrize(
    "body",
    [
        {**LEGACY, "state": "pending"},
        {**LEGACY, "ruleId": 0, "ruleName": "Test notification"},
        {"orgId": 1, "alerts": [{"labels": {"alertname": "TestAlert", "instance": "Grafana"}, "status": "firing", "startsAt": "2026-01-01T00:00:00Z"}]},
    ],
)  # fmt: skip
def test_a_test_of_the_contact_point_states_nothing(body: dict[str, object]) -> None:
    assert alerts("grafana_alerts", body) == []
    assert recognised(body) == "grafana_alerts"


def test_an_alert_by_itself_is_grafanas_by_its_links() -> None:
    body = {
        "labels": {"alertname": "Queue"}, "startsAt": "2026-04-02T10:00:00Z", "status": "firing", "silenceURL": "https://graphs.example/s",
        "panelURL": "https://graphs.example/p",
    }  # fmt: skip
    (one,) = alerts("grafana_alerts", body)
    assert (one.vendor, one.url, recognised(body)) == ("grafana", "https://graphs.example/p", "grafana_alerts")


def test_series_that_disagree_give_no_label() -> None:
    matches = [
        {"metric": "cpu", "tags": {"job": "web", "host": "a"}, "value": 1},
        {"metric": "cpu", "tags": {"job": "web", "host": "b"}, "value": 2},
    ]
    (one,) = alerts("grafana_alerts", {**LEGACY, "evalMatches": matches, "tags": {}})
    assert one.labels == {"metric": "cpu", "job": "web", "state": "alerting"}


def test_real_notifications(shared: Path) -> None:
    (firing,) = sample(shared, "grafana_alerts", "legacy.alerting.json")
    assert brief(firing) == ("Zeta CPU alert", "firing", RECEIVED, None)
    assert (firing.labels["instance"], firing.annotations["values"]) == ("zeta.domain", "user=97.007606")
    (fine,) = sample(shared, "grafana_alerts", "legacy.ok.json")
    assert (brief(fine), fine.id) == (("Zeta CPU alert", "resolved", RECEIVED, RECEIVED), firing.id)
    found = sample(shared, "grafana_alerts", "unified.oncall.json")
    assert [(brief(one)[:3], one.labels["instance"]) for one in found] == [
        (("InstanceDown", "firing", when("2023-06-12T08:24:38.326")), f"localhost:808{number}") for number in (1, 2, 3)
    ]
