"""
Sentry's alerts, issues and errors.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from graph.opening import open_store
from graph.values import Alert, View
from ingest.contract import Source
from ingest.errors import BadRecord
from ingest.journal import admit
from ingest.pipeline import drain
from tests.unit.ingest.connectors.alerting import alerts, bare, brief, data, latest, recognised, sample, when
from tests.unit.ingest.connectors.reading import RECEIVED


def test_an_issue_alert_says_nothing_about_users() -> None:
    event = alerts("sentry", data("sentry")[0])[0]
    assert bare(event) == Alert(
        id="sentry:issue:501/event:e1",
        name="ValueError: no such basket",
        at=when("2026-04-04T12:00"),
        vendor="sentry",
        url="https://sentry.example/organizations/acme/issues/501/events/e1/",
    )
    assert event.labels == {
        "host": "web-3", "service": "basket", "project": "basket", "environment": "production", "release": "basket@1.4.0",
        "severity": "error", "platform": "python",
    }  # fmt: skip
    assert event.annotations == {
        "title": "ValueError: no such basket", "description": "no such basket", "culprit": "basket.views in load",
        "rule": "Many errors",
    }  # fmt: skip
    assert [recognised(body) for body in data("sentry")] == ["sentry"] * 3


def test_an_issue_ends_when_it_is_resolved() -> None:
    resolved = data("sentry")[1]
    issue = resolved["data"]
    assert isinstance(issue, dict)
    created = {
        **resolved,
        "action": "created",
        "timestamp": "2026-04-04T11:00:01Z",
        "data": {"issue": {**issue["issue"], "status": "unresolved"}},
    }
    for order in ([created, resolved], [resolved, created]):
        assert [brief(one)[1:] for one in latest("sentry", order)] == [
            ("resolved", when("2026-04-04T11:00"), when("2026-04-04T13:00"))
        ]
    late = {key: value for key, value in resolved.items() if key != "timestamp"}
    (one,) = alerts("sentry", late, sentry_hook_timestamp="1775311200", sentry_hook_resource="issue")
    assert one.ended_at == when("2026-04-04T14:00")


def test_a_metric_alert_keeps_its_beginning() -> None:
    firing = data("sentry")[2]
    body = firing["data"]
    assert isinstance(body, dict)
    closed = {**body["metric_alert"], "date_closed": "2026-04-04T15:00:00Z"}
    (one,) = latest("sentry", [{**firing, "action": "resolved", "data": {**body, "metric_alert": closed}}, firing])
    assert brief(one) == ("Failure rate", "resolved", when("2026-04-04T14:00"), when("2026-04-04T15:00"))
    (fired,) = alerts("sentry", firing)
    assert (fired.expr, fired.labels["service"], fired.labels["severity"]) == (
        "failure_rate() transaction:pay",
        "basket",
        "critical",
    )


def test_an_error_that_was_created_is_read_like_an_event() -> None:
    event = data("sentry")[0]["data"]
    assert isinstance(event, dict)
    body = {"action": "created", "installation": {"uuid": "u"}, "data": {"error": event["event"]}}
    assert [one.name for one in alerts("sentry", body, sentry_hook_resource="error")] == ["ValueError: no such basket"]


def test_the_old_plugins_project_is_the_service() -> None:
    body = {
        "project": "basket", "project_name": "Basket", "culprit": "views", "level": "error", "id": "7", "message": "no such basket",
        "event": {"event_id": "e", "timestamp": 1775300000.5, "tags": [["environment", "qa"]]}, "url": "https://sentry.example/7",
    }  # fmt: skip
    (one,) = alerts("sentry", body)
    assert brief(one) == ("no such basket", "firing", when("2026-04-04T10:53:20.5"), None)
    assert (one.labels["service"], one.labels["environment"], one.id) == ("basket", "qa", "sentry:issue:7/event:e")
    assert recognised(body) == "sentry"


def test_other_resources_state_nothing_or_are_told() -> None:
    installed = {"action": "created", "installation": {"uuid": "u"}, "data": {"installation": {"uuid": "u"}}}
    assert recognised(installed) == "sentry"
    assert alerts("sentry", installed, sentry_hook_resource="installation") == []
    with pytest.raises(BadRecord, match="Sentry's resource 'wish' is not read yet; the delivery is kept"):
        alerts("sentry", {"action": "made", "data": {}}, sentry_hook_resource="wish")


def test_real_deliveries(shared: Path) -> None:
    (event,) = sample(shared, "sentry", "issue_alert.triggered.json")
    assert brief(event) == ("ReferenceError: heck is not defined", "firing", when("2019-08-19T21:06:17.677"), None)
    assert (event.labels["service"], event.annotations["rule"]) == ("front-end", "Very Important Alert Rule!")
    (plugin,) = sample(shared, "sentry", "legacy-plugin.browser_timeout.keep.json")
    assert brief(plugin) == ("Failed to fetch user profile", "firing", when("2024-03-09T13:34:45.873"), None)
    assert (plugin.labels["service"], plugin.labels["environment"]) == ("frontend-app", "production")
    (issue,) = sample(shared, "sentry", "on_issue.superplane.json")
    assert brief(issue) == ("Error #1: This is a test error!", "firing", when("2022-04-04T18:17:18.320"), None)
    assert issue.labels["service"] == "ipe"
    for file in ("issue_alert.triggered.json", "legacy-plugin.browser_timeout.keep.json"):
        said = orjson.dumps([(dict(one.labels), dict(one.annotations)) for one in sample(shared, "sentry", file)])
        assert [part for part in (b"162.21", b"198.51.100.42", b"8675309", b"Mozilla") if part in said] == []


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_an_issue_that_came_back_and_was_resolved_again_is_resolved(tmp_path: Path, order: tuple[int, ...]) -> None:
    issue = {"id": "7", "title": "ValueError", "project": {"slug": "checkout"}, "firstSeen": "2026-03-02T14:00:00Z",
             "lastSeen": "2026-03-02T14:30:00Z", "culprit": "pay", "shortId": "C-7"}  # fmt: skip
    told = ("resolved", "unresolved", "resolved")
    store = open_store(f"sqlite:///{tmp_path}")
    for place, number in enumerate(order):
        body = {"action": told[number], "installation": {"uuid": "u"}, "data": {"issue": {**issue, "n": number}}}
        headers = {"sentry-hook-resource": "issue", "sentry-hook-timestamp": str(1772462400 + number), "path": "hook"}
        at = RECEIVED + timedelta(seconds=place)
        admit(store, Source(name="sentry", connector="sentry"), orjson.dumps(body), headers, at)
        drain(store)
    (alert,) = store.alerts(View.now())
    assert alert.item.status == "resolved"
    store.close()
