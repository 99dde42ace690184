"""
GitHub's deliveries, in any order, and its REST answers.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.changing import changes, data, events, ids, moment, sampled, settled

FAILED = Change(
    id="deployment:9001",
    kind=ChangeKind.ROLLBACK,
    at=moment("2026-03-02 14:43:05"),
    ended_at=moment("2026-03-02 14:46:30"),
    title="Rollback to build 41",
    services=("service:orders-api",),
    repository="repository:acme/orders",
    environment="production",
    revision="1f0c3a5e7b9d2f4a6c8e0b1d3f5a7c9e1b3d5f70",
    actor="deployer[bot]",
    automated=True,
    status="failure",
    text="Health check failed",
    url="https://deploys.acme.example/9001",
    attributes={"ref": "main"},
)


def test_a_deployment_is_one_change_whose_last_status_counts_in_any_order() -> None:
    made, failed, _ = events("github")
    waiting = {**failed, "deployment_status": {"id": 1, "state": "pending", "environment": "Production",
               "created_at": "2026-03-02T14:43:05Z"}}  # fmt: skip
    later = {**failed, "deployment_status": {"id": 2, "state": "inactive", "created_at": "2026-03-03T00:00:00Z"}}
    assert settled("github", [made, waiting, failed, later]) == [FAILED]


def test_a_merged_revert_names_what_it_takes_back() -> None:
    pull = changes("github", data("github"))[2]
    assert (pull.id, pull.reverts, pull.actor) == ("pr:77@acme/orders", "pr:76@acme/orders", "bea")
    assert pull.carries == ("3b0c3a5e7b9d2f4a6c8e0b1d3f5a7c9e1b3d5f72",)


def test_what_follows_a_merge_does_not_undo_it() -> None:
    merged = events("github")[2]
    opened = orjson.loads(orjson.dumps(merged))
    opened["action"] = "opened"
    opened["pull_request"] |= {
        "merged": False,
        "merged_at": None,
        "state": "open",
        "updated_at": "2026-03-02T15:00:00Z",
    }
    labelled = orjson.loads(orjson.dumps(merged))
    labelled["action"] = "labeled"
    labelled["pull_request"]["updated_at"] = "2026-03-04T00:00:00Z"
    (found,) = settled("github", [opened, merged, labelled])
    assert (found.id, found.at) == ("pr:77@acme/orders", moment("2026-03-02 15:10:00"))


def test_a_deploying_workflow_is_a_change_once_it_runs_and_each_attempt_its_own() -> None:
    run = {"id": 5, "name": "Deploy", "path": ".github/workflows/cd.yml", "head_sha": "ab", "run_attempt": 1,
           "status": "queued", "conclusion": None, "run_started_at": "2026-03-02T14:43:05Z",
           "updated_at": "2026-03-02T14:43:05Z", "actor": {"login": "ann", "type": "User"}}  # fmt: skip
    home = {"repository": {"name": "orders", "full_name": "acme/orders"}, "sender": {}}
    done = {**run, "status": "completed", "conclusion": "success", "updated_at": "2026-03-02T14:50:00Z"}
    again = {**done, "run_attempt": 2, "conclusion": "failure"}
    found = settled("github", [{"workflow_run": one, **home} for one in (run, done, again)])
    assert [(one.id, one.status) for one in found] == [("workflow_run:5", "success"), ("workflow_run:5.2", "failure")]
    assert changes("github", orjson.dumps({"workflow_run": run, **home})) == []


def test_answers_of_the_rest_api_are_read_like_webhooks() -> None:
    deployment = events("github")[0]["deployment"]
    (listed,) = changes("github", orjson.dumps([deployment]))
    assert (listed.id, listed.repository) == ("deployment:9001", "repository:acme/orders")
    commit = {
        "sha": "ab12", "url": "https://api.github.com/repos/acme/orders/commits/ab12", "html_url": "https://x.example/ab12",
        "commit": {"message": "Revert \"x\"\n\nThis reverts commit 0123456789ab.", "author": {"name": "Ann"},
                   "committer": {"date": "2026-03-02T14:43:05Z"}},
        "author": {"login": "ann"}, "parents": [{"sha": "1"}], "files": [{"filename": "db/migrations/1.sql"}],
    }  # fmt: skip
    (found,) = changes("github", orjson.dumps([commit]))
    assert (found.id, found.kind, found.reverts) == ("ab12", ChangeKind.SCHEMA, "0123456789ab")
    page = {"total_count": 1, "workflow_runs": [{"id": 1, "workflow_id": 2, "name": "deploy", "head_sha": "a",
            "status": "in_progress", "created_at": "2026-03-02T14:43:05Z",
            "repository": {"name": "orders", "full_name": "acme/orders"}}]}  # fmt: skip
    assert ids(changes("github", orjson.dumps(page))) == ["workflow_run:1"]


def test_an_unknown_event_is_named_and_a_ping_is_nothing() -> None:
    with pytest.raises(BadRecord, match="'secret_scanning_alert' is not read yet; the delivery is kept"):
        changes("github", b'{"action": "created", "alert": {}}', x_github_event="secret_scanning_alert")
    assert changes("github", b'{"zen": "Keep it simple.", "hook_id": 1}', x_github_event="ping") == []


@pytest.mark.parametrize(
    "event", ["organization", "membership", "team", "repository", "installation", "projects_v2_item"]
)
def test_events_of_an_organisation_change_nothing(event: str) -> None:
    body = {"action": "edited", event: {"id": 1}, "organization": {"login": "acme"}, "sender": {"login": "ivy"}}
    assert changes("github", orjson.dumps(body), x_github_event=event) == []


@pytest.mark.parametrize("key", ["workflow_job", "check_suite", "ref_type", "issue", "forkee"])
def test_known_events_that_change_nothing_are_nothing_without_their_header_too(key: str) -> None:
    assert changes("github", orjson.dumps({"action": "x", key: {"id": 1}, "repository": {}, "sender": {}})) == []


def test_only_the_header_or_githubs_own_shape_is_recognised() -> None:
    assert connector("github").recognises is not None
    for one in events("github"):
        found = recognise(one, {})
        assert found is not None
        assert found.name == "github"
    assert not connector("github").recognises({"repository": {}, "sender": {}}, {})  # type: ignore[misc]


def test_real_deliveries_state_what_they_hold(shared: Path) -> None:
    assert sampled(shared, "github") == {
        "check_run.completed.payload.json": [],
        "deployment.payload.json": ["deployment:145988746"],
        "deployment_status.payload.json": ["deployment:145988746"],
        "goplayground.workflow_run.json": [],
        "pull_request.closed.payload.json": [],
        "push.payload.json": [],
        "push.with-new-branch.payload.json": ["6113728f27ae82c7b1a177c8d03f9e96e0adf246"],
        "release.published.payload.json": ["release:17372790"],
        "rest.team.json": (
            "GitHub's event 'unknown' is not read yet; the delivery is kept. "
            "If it changes nothing, leave it out of the webhook's events"
        ),
        "rest.workflow-run.json": [],
        "workflow_run.completed.payload.json": [],
    }
    status = (shared / "samples/github/deployment_status.payload.json").read_bytes()
    (found,) = changes("github", status)
    assert (found.at, found.ended_at) == (moment("2019-05-15 15:20:53"), moment("2019-05-15 15:20:55"))
    assert (found.services, found.environment, found.status) == (("service:hello-world",), "production", "success")
