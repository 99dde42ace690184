"""
CircleCI's webhooks and API.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.changing import changes, data, moment, sampled


def test_a_job_that_deploys_is_a_change() -> None:
    assert changes("circleci", data("circleci")) == [
        Change(
            id="circleci:job:j-1",
            kind=ChangeKind.DEPLOY,
            at=moment("2026-03-02 14:43:05"),
            ended_at=moment("2026-03-02 14:46:00"),
            title="deploy-prod of stock: Count returns",
            services=("service:stock",),
            repository="repository:acme/stock",
            revision="cd00000000000000000000000000000000000013",
            actor="Mo",
            status="failed",
            text="They were lost.",
            attributes={"ref": "main", "pipeline": "41"},
        )
    ]


def test_a_job_that_only_tests_or_waits_is_nothing() -> None:
    body = orjson.loads(data("circleci"))
    body["job"]["name"] = "ci/cd lint"
    assert changes("circleci", orjson.dumps(body)) == []
    body["job"] |= {"name": "deploy-prod", "status": "on_hold"}
    assert changes("circleci", orjson.dumps(body)) == []


def test_workflows_of_the_api_are_read_like_webhooks() -> None:
    page = {"next_page_token": None, "items": [{"id": "wf-9", "name": "rollback", "status": "success", "pipeline_id": "p", "pipeline_number": 5,
            "project_slug": "gh/acme/stock", "created_at": "2026-03-02T14:43:05Z", "stopped_at": "2026-03-02T14:46:00Z"}]}  # fmt: skip
    (found,) = changes("circleci", orjson.dumps(page))
    assert (found.id, found.kind, found.repository) == (
        "circleci:workflow:wf-9",
        ChangeKind.ROLLBACK,
        "repository:acme/stock",
    )


def test_an_unknown_event_is_named_and_a_ping_is_nothing() -> None:
    with pytest.raises(BadRecord, match="CircleCI's event 'job-dreamt' is not read yet; it is kept"):
        changes("circleci", b'{"type": "job-dreamt"}')
    assert changes("circleci", b'{"type": "ping"}') == []


def test_its_header_or_event_is_recognised() -> None:
    for found in (recognise(orjson.loads(data("circleci")), {}), recognise({}, {"circleci-event-type": "ping"})):
        assert found is not None
        assert found.name == "circleci"


def test_the_real_event_states_what_it_holds(shared: Path) -> None:
    assert sampled(shared, "circleci") == {
        "on_workflow_completed.superplane.json": ["circleci:workflow:fda08377-fe7e-46b1-8992-3a7aaecac9c3"]
    }
    (found,) = changes("circleci", (shared / "samples/circleci/on_workflow_completed.superplane.json").read_bytes())
    assert (found.at, found.ended_at) == (moment("2021-09-01 22:49:03.616"), moment("2021-09-01 22:49:34.170"))
    assert (found.services, found.status, found.repository) == (
        ("service:repo",),
        "success",
        "repository:username/repo",
    )
