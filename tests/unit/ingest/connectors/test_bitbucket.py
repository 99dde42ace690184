"""
Bitbucket's hooks, of Cloud and of a server.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.changing import changes, data, events, ids, moment, sampled, settled


def test_a_push_a_servers_merge_and_a_deployment() -> None:
    assert changes("bitbucket", data("bitbucket")) == [
        Change(
            id="aa11bb22cc33dd44ee55ff6600112233445566aa",
            kind=ChangeKind.CODE,
            at=moment("2026-03-02 14:43:05"),
            title="Close idle connections",
            text="They piled up at night.",
            repository="repository:acme/ledger",
            revision="aa11bb22cc33dd44ee55ff6600112233445566aa",
            actor="Eve Moss",
            url="https://bitbucket.org/acme/ledger/commits/aa11bb22",
            attributes={"ref": "main"},
        ),
        Change(
            id="bitbucket:pr:FIN/ledger#9",
            kind=ChangeKind.CODE,
            at=moment("2026-03-02 15:01:02"),
            title="Raise the timeout",
            text="Needed by the batch.",
            merge=True,
            repository="repository:fin/ledger",
            revision="cc11bb22cc33dd44ee55ff6600112233445566aa",
            actor="Finn Hale",
            carries=("bb11bb22cc33dd44ee55ff6600112233445566aa",),
            url="https://bitbucket.acme.example/projects/FIN/repos/ledger/pull-requests/9",
        ),
        Change(
            id="bitbucket:deployment:{d1}",
            kind=ChangeKind.DEPLOY,
            at=moment("2026-03-02 16:00:00"),
            ended_at=moment("2026-03-02 16:04:00"),
            title="Deploy ledger #41",
            services=("service:ledger",),
            repository="repository:acme/ledger",
            environment="staging",
            revision="aa11bb22cc33dd44ee55ff6600112233445566aa",
            status="successful",
            url="https://bitbucket.org/acme/ledger/addon/pipelines/home#!/results/41",
        ),
    ]


def test_a_push_to_another_branch_than_the_main_one_is_no_change() -> None:
    push = orjson.loads(orjson.dumps(events("bitbucket")[0]))
    push["push"]["changes"][0]["new"]["name"] = "try"
    assert changes("bitbucket", orjson.dumps(push)) == []
    push["push"]["changes"][0] |= {"new": None, "commits": []}
    assert changes("bitbucket", orjson.dumps(push)) == []


def test_a_servers_push_without_commits_is_the_commit_it_ends_at() -> None:
    body = {
        "eventKey": "repo:refs_changed", "date": "2026-03-02T15:43:05+0100", "actor": {"name": "finn", "displayName": "Finn Hale"},
        "repository": {"slug": "ledger", "project": {"key": "FIN"}},
        "changes": [{"ref": {"id": "refs/heads/master", "displayId": "master", "type": "BRANCH"}, "refId": "refs/heads/master",
                     "fromHash": "0" * 39 + "1", "toHash": "dd11bb22cc33dd44ee55ff6600112233445566aa", "type": "UPDATE"},
                    {"ref": {"id": "refs/heads/old", "displayId": "old", "type": "BRANCH"}, "fromHash": "0" * 39 + "1",
                     "toHash": "0" * 40, "type": "DELETE"}],
    }  # fmt: skip
    (found,) = changes("bitbucket", orjson.dumps(body))
    assert (found.id, found.at, found.actor) == (
        "dd11bb22cc33dd44ee55ff6600112233445566aa", moment("2026-03-02 14:43:05"), "Finn Hale",
    )  # fmt: skip


def test_a_status_is_a_change_only_where_it_deploys_and_its_end_counts() -> None:
    def status(name: str, state: str, at: str) -> dict[str, object]:
        return {
            "actor": {"display_name": "Eve Moss"}, "repository": {"full_name": "acme/ledger", "name": "ledger"},
            "commit_status": {"key": "k1", "name": name, "state": state, "commit": {"hash": "aa"}, "refname": "main",
                              "created_on": "2026-03-02T14:43:05+00:00", "updated_on": at, "url": "https://ci.example/1"},
        }  # fmt: skip

    (found,) = settled("bitbucket", [
        status("Deploy to prod", "INPROGRESS", "2026-03-02T14:43:05+00:00"),
        status("Deploy to prod", "FAILED", "2026-03-02T14:45:00+00:00"),
    ])  # fmt: skip
    assert (found.status, found.ended_at, found.services) == (
        "failed",
        moment("2026-03-02 14:45:00"),
        ("service:ledger",),
    )
    assert changes("bitbucket", orjson.dumps(status("Unit tests", "FAILED", "2026-03-02T14:45:00+00:00"))) == []


def test_a_comment_on_a_merged_request_does_not_undo_the_merge() -> None:
    pull = {"id": 3, "title": "x", "state": "MERGED", "merge_commit": {"hash": "ab"}, "updated_on": "2026-03-02T14:43:05Z",
            "destination": {"branch": {"name": "main"}}}  # fmt: skip
    home = {"repository": {"full_name": "acme/ledger"}, "actor": {"display_name": "Eve Moss"}}
    said = {"pullrequest": {**pull, "updated_on": "2026-03-03T00:00:00Z"}, "comment": {"id": 1}, **home}
    opened = {
        "pullrequest": {**pull, "state": "OPEN", "merge_commit": None, "updated_on": "2026-03-02T14:00:00Z"},
        **home,
    }
    assert ids(settled("bitbucket", [opened, {"pullrequest": pull, **home}, said])) == ["bitbucket:pr:acme/ledger#3"]


def test_an_unknown_event_is_named_and_a_test_is_nothing() -> None:
    with pytest.raises(BadRecord, match="Bitbucket's event 'repo:burnt' is not read yet; the delivery is kept"):
        changes("bitbucket", b'{"eventKey": "repo:burnt"}')
    assert changes("bitbucket", b'{"test": true}', x_event_key="diagnostics:ping") == []


def test_bitbuckets_own_shapes_are_recognised() -> None:
    assert [found.name for one in events("bitbucket")[:2] if (found := recognise(one, {}))] == ["bitbucket"] * 2
    assert recognise(events("bitbucket")[0], {"x-event-key": "repo:push"}) is not None


def test_real_hooks_state_what_they_hold(shared: Path) -> None:
    assert sampled(shared, "bitbucket") == {
        "pipeline_hook_update.json": [],
        "pull-request-merged.json": ["bitbucket:pr:team_name/repo_name#1"],
        "repo-push.json": ["709d658dc5b6d6afcd46049c2f332ee3f515a67d", "03f4a7270240708834de475bcf21532d6134777e"],
    }
    (found,) = changes("bitbucket", (shared / "samples/bitbucket/pull-request-merged.json").read_bytes())
    assert (found.revision, found.actor, found.carries) == ("764413d85e29", "Emma", ("d3022fc0ca3d",))
