"""
Azure DevOps' service hooks and REST answers.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.changing import changes, events, moment, sampled, settled


def test_a_releases_deployment_is_one_change_from_start_to_end() -> None:
    started, completed, _ = events("azure_devops")
    (running,) = changes("azure_devops", orjson.dumps(started))
    assert running.revision == "dd11bb22cc33dd44ee55ff6600112233445566aa"
    assert (running.status, running.ended_at) == ("inprogress", None)
    assert settled("azure_devops", [started, completed]) == [
        Change(
            id="azure_devops:release:31:52",
            kind=ChangeKind.DEPLOY,
            at=moment("2026-03-02 14:43:04"),
            ended_at=moment("2026-03-02 14:50:00"),
            title="Deploy billing Release-31 to Production",
            services=("service:billing",),
            environment="production",
            actor="Gil Ford",
            status="succeeded",
            url="https://dev.azure.com/acme/shop/_release?releaseId=31",
            attributes={"release": "Release-31", "project": "shop"},
        )
    ]


def test_a_later_attempt_is_a_change_of_its_own_with_the_artifact_of_its_deployment() -> None:
    completed = orjson.loads(orjson.dumps(events("azure_devops")[1]))
    completed["resource"]["deployment"] = {
        "id": 9, "attempt": 2, "deploymentStatus": "failed", "startedOn": "2026-03-02T15:00:00Z", "completedOn": "2026-03-02T15:01:00Z",
        "reason": "manual", "requestedFor": {"displayName": "Ida Berg"}, "releaseDefinition": {"name": "billing"},
        "release": {"id": 31, "name": "Release-31", "artifacts": [{"definitionReference": {"version": {"name": "20260302.4"}}}]},
    }  # fmt: skip
    (found,) = changes("azure_devops", orjson.dumps(completed))
    assert (found.id, found.status, found.revision, found.actor) == (
        "azure_devops:release:31:52.2", "failed", "20260302.4", "Ida Berg",
    )  # fmt: skip
    assert (found.at, found.ended_at) == (moment("2026-03-02 15:00:00"), moment("2026-03-02 15:01:00"))


def test_a_completed_pull_request_is_a_merge_and_an_open_one_nothing() -> None:
    merged = events("azure_devops")[2]
    opened = orjson.loads(orjson.dumps(merged))
    opened["eventType"] = "git.pullrequest.created"
    opened["resource"] |= {"status": "active", "closedDate": None}
    (found,) = settled("azure_devops", [opened, merged])
    assert (found.id, found.at, found.merge) == ("azure_devops:pr:shop/billing!8", moment("2026-03-02 13:30:00"), True)
    assert (found.revision, found.carries) == (
        "ff11bb22cc33dd44ee55ff6600112233445566aa", ("ee11bb22cc33dd44ee55ff6600112233445566aa",),
    )  # fmt: skip


def test_a_run_is_a_change_where_its_pipeline_or_stage_deploys() -> None:
    run = {"id": 40, "name": "20260302.1", "state": "completed", "result": "succeeded", "createdDate": "2026-03-02T14:43:05Z",
           "finishedDate": "2026-03-02T14:50:00Z", "pipeline": {"id": 6, "name": "billing-deploy"},
           "_links": {"web": {"href": "https://dev.azure.com/acme/r/40"}},
           "resources": {"repositories": {"self": {"refName": "refs/heads/main", "version": "ab12", "repository": {"type": "x"}}}}}  # fmt: skip
    event = {"id": "1", "publisherId": "pipelines", "eventType": "ms.vss-pipelines.run-state-changed-event",
             "resource": {"run": run, "pipeline": run["pipeline"]}, "createdDate": "2026-03-02T14:50:01Z"}  # fmt: skip
    (found,) = changes("azure_devops", orjson.dumps(event))
    assert (found.id, found.at, found.ended_at, found.revision) == (
        "azure_devops:build:40", moment("2026-03-02 14:43:05"), moment("2026-03-02 14:50:00"), "ab12",
    )  # fmt: skip
    build = {"id": 40, "buildNumber": "20260302.1", "status": "completed", "result": "failed", "definition": {"name": "billing-deploy"},
             "startTime": "2026-03-02T14:43:05Z", "finishTime": "2026-03-02T14:50:00Z", "sourceVersion": "ab12cd34",
             "repository": {"name": "billing"}, "requestedFor": {"displayName": "Gil Ford"}}  # fmt: skip
    (listed,) = changes("azure_devops", orjson.dumps({"count": 1, "value": [build]}))
    assert (listed.id, listed.status, listed.services, listed.revision) == (
        "azure_devops:build:40", "failed", ("service:billing",), "ab12cd34",
    )  # fmt: skip
    stage = {**event, "eventType": "ms.vss-pipelines.stage-state-changed-event",
             "resource": {"stage": {"id": "s", "name": "DeployProd", "state": "running"}, "run": run, "pipeline": {"name": "billing"}}}  # fmt: skip
    (shown,) = changes("azure_devops", orjson.dumps(stage))
    assert (shown.id, shown.status, shown.ended_at) == ("azure_devops:stage:40:s", "running", None)


def test_an_unknown_event_is_named_and_work_items_are_nothing() -> None:
    with pytest.raises(BadRecord, match=r"Azure DevOps' event 'coffee\.ready' is not read yet; the delivery is kept"):
        changes("azure_devops", b'{"eventType": "coffee.ready", "resource": {}}')
    assert changes("azure_devops", b'{"eventType": "workitem.updated", "resource": {"id": 1}}') == []


def test_a_hooks_own_fields_are_recognised() -> None:
    assert [found.name for one in events("azure_devops") if (found := recognise(one, {}))] == ["azure_devops"] * 3


def test_real_hooks_state_what_they_hold(shared: Path) -> None:
    assert sampled(shared, "azure_devops") == {
        "build.complete.json": [],
        "git.push.json": ["33b55f7cb7e7e245323987634f960cf4a6e6bc74"],
    }
    (found,) = changes("azure_devops", (shared / "samples/azure_devops/git.push.json").read_bytes())
    assert (found.title, found.at) == ("Fixed bug in web.config file", moment("2015-02-25 19:01:00"))
    assert (found.repository, found.actor) == ("repository:fabrikam-fiber-git/fabrikam-fiber-git", "Jamal Hartnett")
