"""
Spinnaker's events and executions.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.changing import changes, events, moment, sampled, settled

SHIPPED = Change(
    id="spinnaker:01EXAMPLE",
    kind=ChangeKind.DEPLOY,
    at=moment("2026-03-02 14:43:05"),
    ended_at=moment("2026-03-02 14:44:59"),
    title="Ship to prod",
    services=("service:ads-server",),
    environment="k8s-prod",
    region="eu-west-1",
    revision="v31",
    actor="kim",
    automated=True,
    status="succeeded",
    attributes={"application": "ads", "trigger": "docker", "stages": "Deploy (prod)"},
)


def test_an_execution_is_one_change_from_start_to_end() -> None:
    starting, complete = events("spinnaker")
    stage = orjson.loads(orjson.dumps(starting))
    stage["details"] |= {"type": "orca:stage:complete", "created": "1772462699500"}
    assert settled("spinnaker", [starting, stage, complete]) == [SHIPPED]


def test_an_execution_of_the_api_is_the_same_change() -> None:
    execution = events("spinnaker")[1]["content"]
    assert isinstance(execution, dict)
    assert changes("spinnaker", orjson.dumps([execution["execution"]])) == [SHIPPED]


@pytest.mark.parametrize(
    ("stages", "kind"),
    [
        (["undoRolloutManifest"], ChangeKind.ROLLBACK),
        (["rollbackServerGroup", "wait"], ChangeKind.ROLLBACK),
        (["resizeServerGroup"], ChangeKind.SCALING),
        (["bake", "deploy"], ChangeKind.DEPLOY),
        (["bake", "wait"], None),
    ],
)
def test_the_stages_say_what_was_done(stages: list[str], kind: ChangeKind | None) -> None:
    execution = {"id": "1", "name": "nightly", "application": "ads", "status": "TERMINAL", "startTime": 1772462585000,
                 "endTime": 1772462699000, "stages": [{"type": one, "status": "SUCCEEDED"} for one in stages]}  # fmt: skip
    body = {
        "details": {"source": "orca", "type": "orca:pipeline:failed", "created": "1772462700000"},
        "content": {"execution": execution},
    }
    assert [one.kind for one in changes("spinnaker", orjson.dumps(body))] == ([kind] if kind else [])


def test_an_ad_hoc_rollback_is_a_rollback() -> None:
    execution = {"id": "2", "type": "ORCHESTRATION", "description": "Rollback Server Group: ads-v030", "application": "ads",
                 "status": "SUCCEEDED", "startTime": 1772462585000, "endTime": 1772462699000, "stages": []}  # fmt: skip
    body = {"details": {"source": "orca", "type": "orca:orchestration:complete", "created": "1772462700000"},
            "content": {"execution": execution}}  # fmt: skip
    (found,) = changes("spinnaker", orjson.dumps(body))
    assert (found.kind, found.title, found.services) == (
        ChangeKind.ROLLBACK,
        "Rollback Server Group: ads-v030",
        ("service:ads",),
    )


def test_an_event_of_orca_without_an_execution_is_told() -> None:
    with pytest.raises(BadRecord, match="'orca:pipeline:complete' holds no execution; it is kept"):
        changes("spinnaker", b'{"details": {"source": "orca", "type": "orca:pipeline:complete"}, "content": {}}')


def test_details_beside_content_are_recognised() -> None:
    assert [found.name for one in events("spinnaker") if (found := recognise(one, {}))] == ["spinnaker"] * 2


def test_real_events_hold_no_execution(shared: Path) -> None:
    found = sampled(shared, "spinnaker")
    assert found["event.igor-build.json"] == []
    assert (
        "a pipeline's definition, not an execution, so nothing happened; it is kept" in found["pipelines.front50.json"]
    )
    assert len(found) == 2
