"""
Jenkins' builds and stages.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.changing import changes, events, ids, moment, sampled, settled


def test_a_deploying_build_is_one_change_through_its_phases() -> None:
    started, completed = events("jenkins")
    queued = orjson.loads(orjson.dumps(started))
    queued["build"]["phase"] = "QUEUED"
    finalized = orjson.loads(orjson.dumps(completed))
    finalized["build"]["phase"] = "FINALIZED"
    assert settled("jenkins", [queued, started, completed, finalized]) == [
        Change(
            id="jenkins:shop/deploy-invoice/main#18",
            kind=ChangeKind.DEPLOY,
            at=moment("2026-03-02 14:43:05"),
            ended_at=moment("2026-03-02 14:44:40"),
            title="shop/deploy-invoice/main #18",
            services=("service:invoice",),
            repository="repository:shop/invoice",
            environment="production",
            revision="4.4.0",
            actor="jo",
            status="success",
            carries=("ab00000000000000000000000000000000000012",),
            url="https://ci.acme.example/job/shop/job/deploy-invoice/job/main/18/",
            attributes={"ref": "origin/main"},
        )
    ]


def test_a_build_without_a_time_is_dated_by_its_arrival_and_a_running_one_has_no_result() -> None:
    body = {"name": "deploy-asgard", "url": "job/deploy-asgard/",
            "build": {"full_url": "http://ci.acme.example/job/deploy-asgard/18/", "number": 18, "phase": "STARTED",
                      "status": "FAILURE", "url": "job/deploy-asgard/18/"}}  # fmt: skip
    (found,) = changes("jenkins", orjson.dumps(body))
    assert (found.at, found.status, found.services) == (
        moment("2026-05-01 00:00:00"), "running", ("service:deploy-asgard",),
    )  # fmt: skip


def test_a_build_of_the_rest_api_is_the_same_build() -> None:
    build = {
        "_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun", "number": 18, "building": False, "result": "FAILURE",
        "timestamp": 1772462585000, "duration": 95000, "url": "https://ci.acme.example/job/shop/job/deploy-invoice/job/main/18/",
        "actions": [
            {"causes": [{"shortDescription": "Started by user Jo", "userId": "jo"}]},
            {"parameters": [{"name": "ENVIRONMENT", "value": "Production"}, {"name": "DRY", "value": False}]},
            {}, {"lastBuiltRevision": {"SHA1": "ab12", "branch": [{"name": "main"}]}, "remoteUrls": ["git@git.acme.example:shop/invoice.git"]},
        ],
    }  # fmt: skip
    (found,) = changes("jenkins", orjson.dumps(build))
    assert (found.id, found.status, found.actor) == ("jenkins:shop/deploy-invoice/main#18", "failure", "jo")
    assert (found.revision, found.environment, found.services) == ("ab12", "production", ("service:invoice",))
    page = {
        "fullName": "deploy-invoice",
        "builds": [{**build, "url": None}, {**build, "number": 17, "building": True, "result": None}],
    }
    listed = changes("jenkins", orjson.dumps(page))
    assert [(one.id, one.status) for one in listed] == [
        ("jenkins:deploy-invoice#18", "failure"),
        ("jenkins:deploy-invoice#17", "running"),
    ]


def test_runs_of_the_generic_event_plugin_and_builds_of_many_jobs_are_read() -> None:
    run = {"type": "run.finalized", "dataType": "org.jenkinsci.plugins.workflow.job.WorkflowRun", "source": "job/deploy-quote/",
           "data": {"number": 3, "result": "ABORTED", "building": False, "timestamp": 1772462585000, "duration": 1000,
                    "url": "job/deploy-quote/3/", "actions": []}}  # fmt: skip
    jobs = {"jobs": [{"fullName": "shop/deploy-tax", "builds": [{"id": "8", "result": "SUCCESS", "timestamp": 1772462585000}]},
                     {"fullName": "shop/tax", "builds": [{"id": "9", "result": "SUCCESS", "timestamp": 1772462585000}]}]}  # fmt: skip
    assert ids(changes("jenkins", orjson.dumps([run, jobs]))) == ["jenkins:deploy-quote#3", "jenkins:shop/deploy-tax#8"]


def test_a_stage_that_deploys_is_a_change_of_its_run() -> None:
    run = {
        "_links": {"self": {"href": "/job/shop/job/quote/227/wfapi/describe"}}, "id": "227", "name": "#227", "status": "SUCCESS",
        "startTimeMillis": 1772462500000, "durationMillis": 100000,
        "stages": [
            {"id": "5", "name": "Test", "status": "SUCCESS", "startTimeMillis": 1772462500000, "durationMillis": 1},
            {"id": "9", "name": "Deploy to prod", "status": "FAILED", "startTimeMillis": 1772462585000, "durationMillis": 5000},
            {"id": "12", "name": "Rollback", "status": "NOT_EXECUTED", "startTimeMillis": 0, "durationMillis": 0},
        ],
    }  # fmt: skip
    (found,) = changes("jenkins", orjson.dumps(run))
    assert (found.id, found.status, found.title) == (
        "jenkins:shop/quote#227/9",
        "failed",
        "shop/quote #227: Deploy to prod",
    )
    assert (found.at, found.ended_at) == (moment("2026-03-02 14:43:05"), moment("2026-03-02 14:43:10"))


def test_a_build_that_only_builds_is_nothing_and_other_things_are_told() -> None:
    built = orjson.loads(orjson.dumps(events("jenkins")[1]))
    built["url"] = built["build"]["full_url"] = built["build"]["url"] = "job/shop/job/invoice/"
    assert changes("jenkins", orjson.dumps(built)) == []
    with pytest.raises(BadRecord, match=r"neither a build nor a stage of Jenkins \(it has agent, idle\); it is kept"):
        changes("jenkins", b'{"idle": true, "agent": "a"}')


def test_a_build_with_its_phase_is_recognised() -> None:
    assert [found.name for one in events("jenkins") if (found := recognise(one, {}))] == ["jenkins"] * 2


def test_real_builds_deploy_nothing(shared: Path) -> None:
    assert sampled(shared, "jenkins") == {"igor.builds.json": [], "stage.response.json": []}
    raw = (shared / "samples/jenkins/igor.builds.json").read_bytes().replace(b"CPF-nomograms", b"Deploy-nomograms")
    (found,) = changes("jenkins", raw)
    assert (found.id, found.status, found.at) == (
        "jenkins:Deploy-nomograms#59", "success", moment("2015-03-24 22:55:22.249000"),
    )  # fmt: skip
