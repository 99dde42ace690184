"""
GitLab's hooks, in any order, and its REST answers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.changing import changes, events, ids, moment, sampled, settled

DEPLOYED = Change(
    id="gitlab:job:901",
    kind=ChangeKind.DEPLOY,
    at=moment("2026-03-02 14:43:04"),
    ended_at=moment("2026-03-02 14:48:00"),
    title="Deploy checkout in Production: job deploy-production",
    services=("service:checkout",),
    repository="repository:shop/checkout",
    environment="production",
    revision="5c1d2e3f00112233445566778899aabbccddeeff",
    actor="cara",
    status="success",
    url="https://git.acme.example/shop/checkout/-/jobs/901",
    attributes={"ref": "main", "tier": "production"},
)


def test_a_deployment_and_its_job_are_one_change_in_any_order() -> None:
    running, job, _ = events("gitlab")
    created = {**running, "status": "created", "status_changed_at": "2026-03-02 15:43:05 +0100"}
    assert settled("gitlab", [created, running, job]) == [DEPLOYED]


def test_jobs_of_a_pipeline_that_deploy_and_ran_are_changes() -> None:
    pipeline = {
        "object_kind": "pipeline",
        "object_attributes": {"id": 55, "sha": "ab", "ref": "main", "status": "success", "created_at": "2026-03-02 14:40:00 UTC"},
        "project": {"path_with_namespace": "shop/checkout", "web_url": "https://git.acme.example/shop/checkout"},
        "builds": [
            {"id": 900, "stage": "test", "name": "unit", "status": "success", "created_at": "2026-03-02 14:40:00 UTC"},
            {"id": 901, "stage": "deploy", "name": "prod", "status": "failed", "started_at": "2026-03-02 14:43:05 UTC",
             "finished_at": "2026-03-02 14:44:00 UTC", "environment": {"name": "prod", "action": "start"}},
            {"id": 902, "stage": "deploy", "name": "later", "status": "skipped", "environment": {"name": "prod"}},
            {"id": 903, "stage": "deploy", "name": "never", "status": "canceled", "started_at": None,
             "created_at": "2026-03-02 14:40:00 UTC", "environment": {"name": "prod"}},
        ],
    }  # fmt: skip
    (found,) = changes("gitlab", orjson.dumps(pipeline))
    assert (found.id, found.status, found.revision, found.environment) == ("gitlab:job:901", "failed", "ab", "prod")


def test_a_merge_is_one_change_and_names_what_it_reverts() -> None:
    merged = events("gitlab")[2]
    opened = orjson.loads(orjson.dumps(merged))
    opened["object_attributes"] |= {"state": "opened", "action": "open", "updated_at": "2026-03-02 16:00:00 UTC"}
    updated = orjson.loads(orjson.dumps(merged))
    updated["object_attributes"] |= {"action": "update", "updated_at": "2026-03-05 00:00:00 UTC"}
    (found,) = settled("gitlab", [opened, merged, updated])
    assert (found.id, found.reverts) == ("gitlab:mr:shop/checkout!12", "gitlab:mr:shop/checkout!11")
    assert (found.at, found.merge, found.actor) == (moment("2026-03-02 16:05:00"), True, "dan")


def test_answers_of_the_rest_api_are_read_like_hooks() -> None:
    deployment = {
        "id": 61, "iid": 3, "ref": "main", "sha": "5c1d", "status": "success", "created_at": "2026-03-02T14:43:00Z",
        "updated_at": "2026-03-02T14:48:00Z", "user": {"username": "cara"}, "environment": {"id": 1, "name": "Production"},
        "deployable": {"id": 901, "started_at": "2026-03-02T14:43:04Z", "web_url": "https://git.acme.example/shop/checkout/-/jobs/901"},
    }  # fmt: skip
    merged = {"iid": 12, "title": "x", "state": "merged", "target_branch": "main", "merge_commit_sha": "6d", "sha": "7e",
              "merged_at": "2026-03-02T16:05:00Z", "merge_user": {"username": "dan"},
              "web_url": "https://git.acme.example/shop/checkout/-/merge_requests/12"}  # fmt: skip
    commit = {"id": "6d1d", "short_id": "6d1d", "title": "x", "message": "x\n\nThis reverts commit 5c1d2e3f0011.",
              "committed_date": "2026-03-02T16:05:00Z", "author_name": "Dan", "parent_ids": ["1", "2"],
              "web_url": "https://git.acme.example/shop/checkout/-/commit/6d1d"}  # fmt: skip
    flag = {
        "name": "fast",
        "active": False,
        "version": "new_version_flag",
        "strategies": [],
        "updated_at": "2026-03-02T17:00:00Z",
    }
    found = changes("gitlab", orjson.dumps([deployment, merged, commit, flag]))
    assert ids(found) == ["gitlab:job:901", "gitlab:mr:shop/checkout!12", "6d1d", "gitlab:flag:None:fast:off"]
    assert [one.repository for one in found[:3]] == ["repository:shop/checkout"] * 3
    assert (found[0].at, found[2].reverts, found[2].merge) == (moment("2026-03-02 14:43:04"), "5c1d2e3f0011", True)


def test_an_unknown_event_is_named_and_talk_is_nothing() -> None:
    with pytest.raises(BadRecord, match="GitLab's event 'pod_eviction' is not read yet; the delivery is kept"):
        changes("gitlab", b'{"object_kind": "pod_eviction", "project_id": 1}')
    assert changes("gitlab", b'{"object_kind": "note", "project_id": 1}') == []
    assert changes("gitlab", b'{"event_name": "user_create", "email": "x@acme.example"}') == []


def test_a_flag_without_a_time_is_dated_by_its_arrival() -> None:
    body = {"object_kind": "feature_flag", "project": {"path_with_namespace": "shop/checkout"},
            "user": {"username": "dan"}, "object_attributes": {"id": 6, "name": "fast", "active": True}}  # fmt: skip
    (found,) = changes("gitlab", orjson.dumps(body))
    assert (found.kind, found.title, found.at) == (
        ChangeKind.FLAG,
        "Flag fast turned on",
        moment("2026-05-01 00:00:00"),
    )


def test_a_flag_switched_again_is_another_change_and_a_delivery_sent_again_is_not() -> None:
    body = {"object_kind": "feature_flag", "project": {"path_with_namespace": "shop/checkout"},
            "object_attributes": {"id": 6, "name": "fast", "active": True}}  # fmt: skip
    raw = orjson.dumps(body)
    parts = [next(iter(connector("gitlab").split(raw, {"idempotency-key": key}))).part for key in ("k1", "k1", "k2")]
    assert parts == [f"shop/checkout/flag/fast/on/{key}" for key in ("k1", "k1", "k2")]
    names = [one.id for key in ("k1", "k2") for one in changes("gitlab", raw, idempotency_key=key)]
    assert names == ["gitlab:flag:shop/checkout:fast:on@k1", "gitlab:flag:shop/checkout:fast:on@k2"]


def test_both_ways_of_proving_a_delivery_are_taken() -> None:
    scheme = connector("gitlab").signing
    assert scheme is not None
    now, body = datetime(2026, 3, 2, tzinfo=UTC), b"{}"
    assert scheme.problem(body, {"x-gitlab-token": "s3cret"}, "s3cret", now) == ""
    assert scheme.problem(body, {"x-gitlab-token": "other"}, "s3cret", now) != ""
    key, stamp = b"k" * 32, str(int(now.timestamp()))
    mark = base64.b64encode(hmac.new(key, f"id.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()
    signed = {"webhook-id": "id", "webhook-timestamp": stamp, "webhook-signature": f"v1,{mark}"}
    assert scheme.problem(body, signed, "whsec_" + base64.b64encode(key).decode(), now) == ""
    assert scheme.problem(b"[]", signed, "whsec_" + base64.b64encode(key).decode(), now) != ""


def test_gitlabs_own_shape_is_recognised() -> None:
    assert [found.name for one in events("gitlab") if (found := recognise(one, {}))] == ["gitlab"] * 3


def test_real_hooks_state_what_they_hold(shared: Path) -> None:
    assert sampled(shared, "gitlab") == {
        "deployment.json": ["gitlab:job:796"],
        "feature_flag.json": ["gitlab:flag:gitlabhq/gitlab-test:test-feature-flag:on"],
        "job.json": ["gitlab:job:3580121225"],
        "merge_request.json": [],
        "pipeline.json": [],
        "push.json": ["b6568db1bc1dcd7f8b4d5a946b0b91f9dacd7327", "da1560886d4f094c3e6c9ef40349f7d38b5d27d7"],
        "release.json": ["gitlab:release:exm-namespace/example-project@1.0.0"],
        "tag_push.json": ["gitlab:tag:jsmith/example@v1.0.0"],
    }
    (found,) = changes("gitlab", (shared / "samples/gitlab/deployment.json").read_bytes())
    assert (found.at, found.environment, found.status) == (moment("2021-04-28 19:50:00"), "staging", "success")
    assert found.revision == "279484c09fbe69ededfced8c1bb6e6d24616b468"
