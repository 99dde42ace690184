"""
Jira's issues, requests and alerts.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from graph.values import Alert, Change, ChangeKind, FixAction, Incident, SectionKind
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, RECEIVED, read

RAW = (DATA / "jira.json").read_bytes()
BEGAN = datetime(2026, 3, 2, 14, 10, tzinfo=UTC)


def test_incidents_and_changes_by_type_and_released_versions() -> None:
    incident, change, version = read("jira", RAW)
    assert isinstance(incident, Incident)
    assert (incident.id, incident.title, incident.severity) == ("jira:OPS-31", "Checkout is down", "Highest")
    assert (incident.at, incident.resolved_at) == (BEGAN, BEGAN.replace(minute=40))
    assert (incident.services, incident.environment) == (("service:basket", "service:pay"), "production")
    assert incident.sections == {
        SectionKind.CAUSE: "Release 7 leaked connections.",
        SectionKind.RESOLUTION: "We rolled back basket to version 6.",
    }
    assert [fix.action for fix in incident.fixes] == [FixAction.ROLLBACK]
    assert incident.url == "https://acme.atlassian.net/browse/OPS-31"
    assert isinstance(change, Change)
    assert (change.id, change.kind, change.title) == ("jira:OPS-32", ChangeKind.DEPLOY, "OPS-32: Deploy basket 7")
    assert (change.services, change.revision, change.actor, change.ended_at) == (
        ("service:basket",),
        "7.0",
        "Max Ill",
        None,
    )
    assert isinstance(version, Change)
    assert (version.id, version.kind, version.revision) == ("jira:version:10000", ChangeKind.CODE, "7.0")


def test_options_say_which_issues_are_incidents_and_changes() -> None:
    found = read("jira", RAW, incidents="Task", changes="[System] Incident")
    assert [(type(item).__name__, item.title) for item in found if isinstance(item, Change | Incident)] == [
        ("Change", "OPS-31: Checkout is down"),
        ("Incident", "Write a page"),
        ("Change", "Version 7.0 released"),
    ]
    every = read("jira", RAW, projects="OPS")
    assert [item.id for item in every if isinstance(item, Incident)] == ["jira:OPS-31", "jira:OPS-32", "jira:OPS-33"]


def test_a_documents_runs_are_one_text_before_anything_is_kept() -> None:
    runs = [{"type": "text", "text": "token ghp_"}, {"type": "text", "text": "abc", "marks": [{"type": "strong"}]}]
    body = {
        "id": "1",
        "fields": {"description": {"type": "doc", "content": [{"type": "paragraph", "content": runs}]}},
    }
    (piece,) = connector("jira").split(orjson.dumps(body), {"path": "issue.json"})
    assert "ghp_**abc**" in piece.body


def test_issues_of_the_api_with_named_custom_fields() -> None:
    fields = {
        "summary": "Checkout is down",
        "issuetype": {"name": "Bug"},
        "labels": ["incident"],
        "created": "2026-03-02T14:10:00.000+0000",
        "customfield_1": {
            "type": "doc",
            "content": [{"type": "paragraph", "content": [{"type": "text", "text": "A leak."}]}],
        },
    }
    body = {"issues": [{"id": "1", "key": "SHOP-1", "fields": fields}], "names": {"customfield_1": "Root cause"}}
    (incident,) = read("jira", orjson.dumps(body))
    assert isinstance(incident, Incident)
    assert (incident.id, incident.sections) == ("jira:SHOP-1", {SectionKind.CAUSE: "A leak."})


def test_one_may_ask_about_an_incident_and_not_about_a_task() -> None:
    ask = connector("jira").alerts
    assert ask is not None
    asked = [[(one.name, one.labels["service"]) for one in ask(body, RECEIVED)] for body in orjson.loads(RAW)]
    assert asked == [[("Checkout is down", "basket")], [], [], [], []]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"webhookEvent": "moon_landed", "timestamp": 1}, "Jira's event 'moon_landed' is not read"),
        ({"colour": "red"}, "neither an issue, a request nor an alert of Jira"),
        (
            {"issue": {"id": "1", "key": "A-1", "fields": {"issuetype": {"name": "Change"}}}},
            "`created` of A-1 is missing",
        ),
    ],
)
def test_what_cannot_be_read_says_why(body: object, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        read("jira", orjson.dumps(body))


def test_real_issues_are_work_and_state_nothing_until_told(shared: Path) -> None:
    folder = shared / "samples/jira"
    names = sorted(path.name for path in folder.glob("webhook*.json"))
    assert len(names) == 8
    for name in (*names, "rest.issue.v3.json", "jsm.customer_request.json"):
        assert read("jira", (folder / name).read_bytes()) == [], name
    (bug,) = read("jira", (folder / "webhook-server-issue-updated-resolved.json").read_bytes(), incidents="Bug")
    assert isinstance(bug, Incident)
    assert (bug.id, bug.title, bug.at) == (
        "jira:TES-4",
        "Unit test summary 1",
        datetime(2019, 8, 12, 22, 14, 23, 580000, UTC),
    )
    assert bug.resolved_at == datetime(2019, 8, 12, 23, 23, 1, 890000, UTC)
    (story,) = read("jira", (folder / "webhook-issue-updated-resolved.json").read_bytes(), incidents="Story")
    assert isinstance(story, Incident)
    assert (story.services, story.attributes["category"]) == (("service:comp-1",), "done")
    assert story.resolved_at == datetime(2019, 2, 16, 3, 15, 40, 470000, UTC)
    (task,) = read("jira", (folder / "rest.issue.v3.json").read_bytes(), projects="SEC")
    assert isinstance(task, Incident)
    assert (task.id, task.resolved_at, task.url) == ("jira:SEC-108", None, None)
    assert "overly permissive policy" in task.sections[SectionKind.OTHER] + task.sections.get(SectionKind.SUMMARY, "")


def test_real_alerts_and_who_is_recognised(shared: Path) -> None:
    folder = shared / "samples/jira"
    (alert,) = read("jira", (folder / "jsm.alert.superplane.json").read_bytes())
    assert isinstance(alert, Alert)
    assert (alert.id, alert.name) == (
        "jira:9e1c6a9e-1234-4a1a-8f1a-0a1b2c3d4e5f",
        "CPU usage above 90% on payments-api",
    )
    assert (alert.labels, alert.at) == ({"priority": "P2", "tags": "production,payments"}, RECEIVED)
    for path in folder.glob("*.json"):
        found = recognise(orjson.loads(path.read_bytes()), {})
        assert found is not None, path.name
        assert found.name == "jira", path.name


def test_requests_that_are_incidents() -> None:
    body = {
        "issueId": "7",
        "issueKey": "HELP-7",
        "requestType": {"name": "Report an incident"},
        "createdDate": {"iso8601": "2026-03-02T14:10:00+0000"},
        "requestFieldValues": [
            {"fieldId": "summary", "value": "Checkout is down"},
            {"fieldId": "description", "value": "Nobody can pay."},
        ],
        "currentStatus": {
            "status": "Done",
            "statusCategory": "DONE",
            "statusDate": {"iso8601": "2026-03-02T14:40:00+0000"},
        },
        "_links": {"web": "https://acme.example/7"},
    }
    (incident,) = read("jira", orjson.dumps(body))
    assert isinstance(incident, Incident)
    assert (incident.id, incident.title, incident.at) == ("jira:HELP-7", "Checkout is down", BEGAN)
    assert (incident.resolved_at, incident.sections) == (
        BEGAN.replace(minute=40),
        {SectionKind.SUMMARY: "Nobody can pay."},
    )
