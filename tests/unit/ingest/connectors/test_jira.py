"""
Jira's issues, requests and alerts.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from graph.opening import open_store
from graph.values import Alert, Change, ChangeKind, FixAction, Incident, SectionKind, View
from ingest.connectors import connector, recognise
from ingest.contract import Source
from ingest.errors import BadRecord
from ingest.journal import admit
from ingest.pipeline import drain
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
        found = read("jira", (folder / name).read_bytes())
        # the one bug among them, which was done
        assert [item.id for item in found if isinstance(item, Incident)] == (
            ["jira:TES-4"] if name == "webhook-server-issue-updated-resolved.json" else []
        ), name
        assert len(found) < 2
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


def _issue(event: str, at: str, kind: str, state: str, **fields: object) -> bytes:
    told = {
        "issuetype": {"name": kind}, "summary": "Checkout fails", "created": "2026-03-02T09:00:00.000+0000",
        "status": {"name": state, "statusCategory": {"key": state}}, **fields,
    }  # fmt: skip
    moment = int(datetime.fromisoformat(at).timestamp() * 1000)
    issue = {"id": "7", "key": "OPS-7", "fields": told}
    return orjson.dumps({"webhookEvent": f"jira:issue_{event}", "timestamp": moment, "issue": issue})


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_deleted_issue_is_taken_back_in_whatever_order_it_is_told(tmp_path: Path, order: tuple[int, ...]) -> None:
    told = [
        _issue("created", "2026-03-02T09:00:00+00:00", "Incident", "new"),
        _issue("updated", "2026-03-02T09:05:00+00:00", "Incident", "indeterminate"),
        _issue("deleted", "2026-03-02T09:10:00+00:00", "Incident", "indeterminate"),
    ]
    store = open_store(f"sqlite:///{tmp_path}")
    for place, number in enumerate(order):
        at = RECEIVED + timedelta(seconds=place)
        admit(store, Source(name="jira", connector="jira"), told[number], {"path": "hook"}, at)
        drain(store)
    assert store.incidents(View.now()) == ()
    if order == (0, 1, 2):
        before = RECEIVED + timedelta(seconds=1)
        assert len(store.incidents(View(as_of=before, known_at=before))) == 1
    store.close()


def test_an_issue_that_is_no_incident_any_more_is_taken_back(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}")
    for nth, kind in enumerate(("Incident", "Task")):
        body = _issue("updated", f"2026-03-02T09:0{nth}:00+00:00", kind, "new")
        admit(store, Source(name="jira", connector="jira"), body, {"path": "hook"}, RECEIVED + timedelta(seconds=nth))
    drain(store)
    assert store.incidents(View.now()) == ()
    store.close()


def test_a_change_began_when_its_work_did_and_a_plan_states_nothing() -> None:
    began, over = "2026-03-04T10:00:00.000+0000", "2026-03-04T10:20:00.000+0000"
    assert read("jira", _issue("created", "2026-03-02T09:00:00+00:00", "Change", "new")) == []
    (running,) = read(
        "jira",
        _issue("updated", "2026-03-04T10:00:00+00:00", "Change", "indeterminate", statuscategorychangedate=began),
    )
    (done,) = read("jira", _issue("updated", "2026-03-04T10:20:00+00:00", "Change", "done", resolutiondate=over))
    assert isinstance(running, Change)
    assert isinstance(done, Change)
    assert (running.at, running.ended_at) == (datetime(2026, 3, 4, 10, tzinfo=UTC), None)
    assert done.at == done.ended_at == datetime(2026, 3, 4, 10, 20, tzinfo=UTC)
    planned = _issue("updated", "2026-03-04T09:00:00+00:00", "Change", "new", customfield_9=began)
    (told,) = read("jira", planned, start="customfield_9")
    assert isinstance(told, Change)
    assert told.at == running.at


@pytest.mark.parametrize(
    ("kind", "fields", "count"),
    [
        ("Bug", {"priority": {"name": "Highest"}}, 1),
        ("Bug", {"priority": {"name": "Medium"}, "resolution": {"name": "Fixed"}}, 1),
        ("Bug", {"priority": {"name": "Low"}}, 0),
        ("Bug", {"priority": {"name": "Low"}, "resolution": {"name": "Won't Do"}}, 0),
        ("Story", {"priority": {"name": "Highest"}}, 0),
    ],
)
def test_a_bug_that_is_urgent_or_was_fixed_is_an_incident(kind: str, fields: dict[str, object], count: int) -> None:
    found = read("jira", _issue("updated", "2026-03-02T09:00:00+00:00", kind, "indeterminate", **fields))
    assert [type(item) for item in found] == [Incident] * count
