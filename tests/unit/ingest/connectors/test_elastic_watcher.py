"""
Elastic's watches and Kibana's alerts.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.values import Alert, AlertRule
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.alerting import alerts, bare, brief, data, latest, recognised, sample, when
from tests.unit.ingest.connectors.reading import RECEIVED, read


def test_our_templates() -> None:
    watch, active, recovered = alerts("elastic_watcher", *data("elastic_watcher"))
    assert bare(watch) == Alert(
        id="elastic:watch:mail_errors@2026-04-07T05:00:00.000Z",
        name="Errors in mail",
        at=when("2026-04-07T05:00"),
        vendor="elastic",
    )
    assert watch.labels == {"service": "mailer", "environment": "prod", "severity": "high"}
    assert watch.annotations == {
        "title": "Errors in mail", "description": "31 errors", "hits": "31", "runbook_url": "https://books.example/mail",
    }  # fmt: skip
    assert brief(active) == ("CPU", "firing", when("2026-04-07T06:00"), None)
    assert active.labels["team"] == "web"
    assert brief(recovered) == ("CPU", "resolved", when("2026-04-07T06:30"), when("2026-04-07T06:30"))
    for order in (data("elastic_watcher"), data("elastic_watcher")[::-1]):
        assert {(one.id, one.status) for one in latest("elastic_watcher", order)} == {
            (watch.id, "firing"), ("elastic:alert:6f", "resolved"),
        }  # fmt: skip
    assert {recognised(body) for body in data("elastic_watcher")} == {"elastic_watcher"}


@pytest.mark.parametrize(
    "body",
    [
        {"@timestamp": "2026-04-07T07:10:00Z", "kibana.alert.uuid": "9", "kibana.alert.rule.name": "Errors", "kibana.alert.status": "recovered",
         "kibana.alert.start": "2026-04-07T07:00:00Z", "kibana.alert.end": "2026-04-07T07:10:00Z", "service.name": "pay"},
        {"@timestamp": "2026-04-07T07:10:00Z", "kibana": {"alert": {"uuid": "9", "rule": {"name": "Errors"}, "status": "recovered",
         "start": "2026-04-07T07:00:00Z", "end": "2026-04-07T07:10:00Z"}}, "service": {"name": "pay"}},
    ],
)  # fmt: skip
def test_kibanas_documents_come_dotted_or_nested(body: dict[str, object]) -> None:
    (one,) = alerts("elastic_watcher", body)
    assert brief(one) == ("Errors", "resolved", when("2026-04-07T07:00"), when("2026-04-07T07:10"))
    assert (one.id, one.labels["service"]) == ("elastic:alert:9", "pay")
    assert recognised(body) == "elastic_watcher"


def test_the_connectors_variables_may_keep_their_names() -> None:
    body = {
        "ruleId": "r",
        "ruleName": "Errors",
        "alertId": "web",
        "actionGroup": "recovered",
        "date": "2026-04-07T07:00:00Z",
    }
    (one,) = alerts("elastic_watcher", body)
    assert brief(one) == ("Errors", "resolved", when("2026-04-07T07:00"), when("2026-04-07T07:00"))
    assert recognised(body) == "elastic_watcher"


def test_real_files(shared: Path) -> None:
    (fired,) = sample(shared, "elastic_watcher", "kibana.on_alert.superplane.json")
    assert brief(fired) == ("High error rate detected", "firing", RECEIVED, None)
    assert (fired.labels["severity"], fired.labels["tags"]) == ("critical", "infrastructure,prod")
    for name in ("errors_in_logs", "monitoring_cluster_health"):
        path = shared / "samples/elastic_watcher" / f"{name}.watch.json"
        (rule,) = read("elastic_watcher", path.read_bytes(), path=path.name)
        assert isinstance(rule, AlertRule)
        assert (rule.name, rule.expr[:9]) == (name, '{"bool":{')
        with pytest.raises(BadRecord, match="this is no alert of Elastic"):
            sample(shared, "elastic_watcher", f"{name}.test1.json")
