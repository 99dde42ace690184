"""
Alertmanager's webhook, and the alerts of the APIs.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import Alert
from ingest.connectors import connector
from tests.unit.ingest.connectors.alerting import alerts, brief, data, latest, recognised, sample, when


def test_each_alert_is_one_with_what_is_common_to_all() -> None:
    first, second = alerts("alertmanager", *data("alertmanager"))
    assert first == Alert(
        id="a1b2c3d4e5f60718@2026-04-01T08:00:00Z",
        name="LedgerLag",
        at=when("2026-04-01T08:00"),
        labels={"alertname": "LedgerLag", "team": "ledger", "service": "ledger", "severity": "page"},
        annotations={
            "runbook_url": "https://books.example/ledger-lag",
            "summary": "writes lag 40 s",
            "truncated_alerts": "2",
        },
        expr="ledger_lag_seconds > 30",
        vendor="alertmanager",
        url="https://prom.example/graph?g0.expr=ledger_lag_seconds+%3E+30&g0.tab=1",
    )
    assert first.labels["service"] == "ledger"
    assert brief(second) == ("LedgerLag", "resolved", when("2026-04-01T07:00"), when("2026-04-01T07:30"))
    assert [recognised(body) for body in data("alertmanager")] == ["alertmanager"]


def test_the_end_counts_in_whatever_order_it_arrives() -> None:
    alert = {"labels": {"alertname": "A"}, "startsAt": "2026-01-01T00:00:00Z", "fingerprint": "f"}
    firing = {"alerts": [{**alert, "status": "firing", "endsAt": "0001-01-01T00:00:00Z"}]}
    resolved = {"alerts": [{**alert, "status": "resolved", "endsAt": "2026-01-01T00:05:00Z"}]}
    for order in ([firing, resolved], [resolved, firing], [resolved, firing, resolved, firing]):
        assert [brief(one)[1:] for one in latest("alertmanager", order)] == [
            ("resolved", when("2026-01-01"), when("2026-01-01T00:05"))
        ]


@pytest.mark.parametrize(
    ("body", "status", "ended"),
    [
        # version 2 of the API foretells an end, which is none while the alert is active
        ([{"labels": {"alertname": "A"}, "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-01T00:05:00Z", "fingerprint": "f", "status": {"state": "active"}}], "firing", None),
        ({"status": "success", "data": {"alerts": [{"labels": {"alertname": "A"}, "activeAt": "2026-01-01T00:00:00Z", "state": "firing", "value": "1"}]}}, "firing", None),
        ({"status": "success", "data": {"alerts": [{"labels": {"alertname": "A"}, "activeAt": "2026-01-01T00:00:00Z", "state": "pending"}]}}, "pending", None),
        ({"labels": {"alertname": "A"}, "startsAt": "2026-01-01T00:00:00Z"}, "firing", None),
    ],
)  # fmt: skip
def test_alerts_of_the_apis_are_read(body: object, status: str, ended: None) -> None:
    (found,) = alerts("alertmanager", body)
    assert brief(found) == ("A", status, when("2026-01-01"), ended)
    assert recognised(body[0] if isinstance(body, list) else dict(body)) == "alertmanager"  # type: ignore[call-overload]


def test_one_alert_that_is_none_is_its_own_problem() -> None:
    raw = orjson.dumps({"alerts": ["word", {"labels": {"alertname": "A"}, "startsAt": "2026-01-01T00:00:00Z"}]})
    assert len({piece.part for piece in connector("alertmanager").split(raw, {"path": "a.json"})}) == 2


def test_real_webhooks_of_both_versions(shared: Path) -> None:
    (old,) = sample(shared, "alertmanager", "webhook.v3.alerta.json")
    assert brief(old) == ("failedConnect", "firing", when("2016-08-01T10:27:08.008"), None)
    assert (old.labels["service"], old.labels["environment"]) == ("System", "Production")
    (one,) = sample(shared, "alertmanager", "webhook.v4.alerta.json")
    assert brief(one) == ("thing_dead", "firing", when("2017-08-03T19:17:37.804"), None)
    assert one.expr == "sum(irate(messages_received_total[5m])) == 0"
    found = sample(shared, "alertmanager", "webhook.v4.oncall.json")
    assert [(one.labels["instance"], one.id) for one in found] == [
        ("localhost:8081", "f404ecabc8dd5cd7@2023-06-12T08:24:38.326Z"),
        ("localhost:8082", "f8f08d4e32c61a9d@2023-06-12T08:24:38.326Z"),
    ]
