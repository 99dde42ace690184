"""
Octopus Deploy's events and deployments.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.changing import changes, events, moment, sampled, settled

FAILED = Change(
    id="octopus:Deployments-77",
    kind=ChangeKind.DEPLOY,
    at=moment("2026-03-02 14:46:05"),
    ended_at=moment("2026-03-02 14:46:05"),
    title="Deploy to Production failed  for Tax Engine release 1.8.2 to Production",
    services=("service:tax engine",),
    environment="production",
    revision="1.8.2",
    actor="system",
    automated=True,
    status="failed",
    url="https://deploy.acme.example/app#/deployments/Deployments-77",
    attributes={"project": "Projects-4", "environment": "Environments-2", "release": "Releases-12"},
)


def test_a_deployment_is_one_change_from_start_to_end_and_waiting_none() -> None:
    started, failed = events("octopus")
    queued = orjson.loads(orjson.dumps(started))
    queued["Payload"]["Event"] |= {"Category": "DeploymentQueued", "Id": "Events-899"}
    assert settled("octopus", [queued, started, failed]) == [FAILED]
    (running,) = changes("octopus", orjson.dumps(started))
    assert (running.status, running.actor, running.ended_at) == ("started", "lee", None)


def test_a_deployment_of_the_rest_api_is_a_change() -> None:
    body = {"Items": [{"Id": "Deployments-77", "ReleaseId": "Releases-12", "EnvironmentId": "Environments-2", "ProjectId": "Projects-4",
            "Name": "Deploy to Production", "Created": "2026-03-02T14:43:00.000+00:00", "DeployedBy": "lee", "Comments": "again"}]}  # fmt: skip
    (found,) = changes("octopus", orjson.dumps(body))
    assert (found.id, found.at, found.status, found.actor) == (
        "octopus:Deployments-77",
        moment("2026-03-02 14:43:00"),
        "created",
        "lee",
    )
    assert (found.environment, found.services, found.text) == ("production", ("service:projects-4",), "again")


def test_other_categories_are_nothing_and_unknown_ones_told() -> None:
    assert changes("octopus", b'{"Category": "Modified", "Id": "Events-1", "Occurred": "2026-03-02T14:43:00Z"}') == []
    with pytest.raises(BadRecord, match="Octopus' event 'Exploded' is not read yet; the delivery is kept"):
        changes("octopus", b'{"Category": "Exploded", "Id": "Events-1"}')


def test_a_subscriptions_envelope_is_recognised() -> None:
    assert [found.name for one in events("octopus") if (found := recognise(one, {}))] == ["octopus"] * 2


def test_the_real_event_states_what_it_holds(shared: Path) -> None:
    assert sampled(shared, "octopus") == {"on_deployment_event.superplane.json": ["octopus:Deployments-1011"]}
    (found,) = changes("octopus", (shared / "samples/octopus/on_deployment_event.superplane.json").read_bytes())
    assert (found.at, found.ended_at) == (moment("2026-02-05 16:00:00"), moment("2026-02-05 16:00:00"))
    assert (found.services, found.environment, found.status) == (("service:projects-123",), "production", "succeeded")
    assert found.url == "https://my-company.octopus.app/app#/deployments/Deployments-1011"
