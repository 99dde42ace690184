"""
New Relic's issues and old incidents.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.values import Alert
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.alerting import alerts, bare, brief, data, latest, recognised, sample, when


def test_an_issue_is_one_alert_until_it_is_closed() -> None:
    firing, closed = alerts("newrelic", *data("newrelic"))
    assert bare(firing) == Alert(
        id="newrelic:issue:0f0f0f0f-1",
        name="Search latency",
        at=when("2026-04-04T10:53:20"),
        vendor="newrelic",
        url="https://issues.example/0f0f",
    )
    assert firing.labels == {
        "environment": "production", "team": "find", "service": "search-api", "severity": "HIGH", "policy": "Search",
        "condition": "Search latency", "entity": "search-api", "state": "CREATED",
    }  # fmt: skip
    assert firing.annotations["runbook_url"] == "https://books.example/search"
    assert brief(closed) == ("Search latency", "resolved", firing.at, when("2026-04-04T11:08:20"))
    assert (closed.labels["environment"], closed.labels["team"]) == ("production", "find")
    for order in (data("newrelic"), data("newrelic")[::-1]):
        assert [(one.id, one.status) for one in latest("newrelic", order)] == [(firing.id, "resolved")]
    assert {recognised(body) for body in data("newrelic")} == {"newrelic"}


def test_several_entities_name_no_service() -> None:
    (one,) = alerts("newrelic", {**data("newrelic")[0], "impactedEntities": ["a", "b"], "labels": None})
    assert {"service", "app"} & set(one.labels) == set()
    assert one.labels["entity"] == "a,b"


def test_a_closed_incident_of_the_old_channel_began_when_it_was_opened() -> None:
    body = {
        "account_id": 1, "incident_id": 77, "condition_name": "Apdex", "policy_name": "Shop", "current_state": "closed", "severity": "CRITICAL",
        "timestamp": 1775300600000, "duration": 600000, "targets": [{"name": "basket", "type": "Application", "labels": {"env": "prod"}}],
    }  # fmt: skip
    (one,) = alerts("newrelic", body)
    assert brief(one) == ("Apdex", "resolved", when("2026-04-04T10:53:20"), when("2026-04-04T11:03:20"))
    assert (one.labels["service"], one.labels["environment"]) == ("basket", "prod")
    (opened,) = alerts("newrelic", {**body, "current_state": "open", "timestamp": 1775300000000, "duration": 5})
    assert (opened.id, opened.at) == (one.id, one.at)
    assert recognised(body) == "newrelic"


def test_an_issue_without_an_id_says_what_to_do() -> None:
    with pytest.raises(BadRecord, match="keep it in the workflow's template"):
        alerts("newrelic", {"issueUrl": "u", "alertPolicyNames": ["p"], "title": "t"})


def test_real_notifications(shared: Path) -> None:
    (issue,) = sample(shared, "newrelic", "workflow.activated.json")
    assert brief(issue) == ("Zulip Server Low Storage", "firing", when("2024-04-22T03:05:31.352"), None)
    assert (issue.labels["app"], issue.labels["severity"]) == ("zulip_app", "CRITICAL")
    (old,) = sample(shared, "newrelic", "legacy-alerts.json")
    assert brief(old) == ("New Relic Alert - Test Condition", "firing", when("2020-09-25T11:23:27.849"), None)
    assert (old.id, old.annotations["runbook_url"]) == ("newrelic:incident:11111/0", "http://localhost/runbook/url")
