"""
Datadog's DORA bodies and change events.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind, Incident
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, RECEIVED, read

RAW = (DATA / "datadog_dora.json").read_bytes()
BEGAN = datetime(2026, 3, 2, 14, tzinfo=UTC)


def test_deployments_failures_and_change_events() -> None:
    deployment, failure, flag, old = read("datadog_dora", RAW)
    assert isinstance(deployment, Change)
    assert (deployment.kind, deployment.at, deployment.ended_at) == (ChangeKind.DEPLOY, BEGAN, BEGAN.replace(minute=2))
    assert (deployment.services, deployment.environment, deployment.revision) == (("service:basket",), "prod", "v7")
    assert (deployment.repository, deployment.carries) == ("repository:acme/basket", ("ab12cd",))
    assert deployment.attributes == {"team": "shop"}
    assert isinstance(failure, Incident)
    assert (failure.title, failure.severity, failure.services) == (
        "Checkout fails",
        "SEV-1",
        ("service:basket", "service:pay"),
    )
    assert (failure.at, failure.resolved_at) == (BEGAN.replace(minute=5), None)
    assert isinstance(flag, Change)
    assert (flag.kind, flag.services, flag.previous, flag.revision) == (
        ChangeKind.FLAG,
        ("service:basket",),
        "off",
        "on",
    )
    assert (flag.actor, flag.environment, flag.attributes["flag"]) == ("lena", "prod", "fast-pay")
    assert isinstance(old, Change)
    assert (old.title, old.services, old.revision) == ("Deployed basket v8", ("service:basket",), "v8")


def test_a_failure_that_ended_is_the_same_failure() -> None:
    begun = orjson.loads(RAW)[1]
    ended = orjson.loads(orjson.dumps(begun))
    ended["data"]["attributes"]["finished_at"] = 1772463600000000000
    one, two = (next(iter(connector("datadog_dora").split(orjson.dumps(body), {}))) for body in (begun, ended))
    assert one.part == two.part
    assert one.occurred_at is not None
    assert two.occurred_at is not None
    assert one.occurred_at < two.occurred_at


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"data": {"attributes": {"colour": "red"}}}, "none of Datadog's deployments"),
        ({"data": {"attributes": {"finished_at": "soon", "service": "a"}}}, "`started_at` of the deployment: 'soon'"),
        (
            {"data": {"type": "event", "attributes": {"category": "alert", "title": "x"}}},
            "category 'alert' is no change",
        ),
        ({"title": "Disk is full", "tags": []}, "'Disk is full' does not say that something was deployed"),
    ],
)
def test_what_cannot_be_read_says_why(body: object, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        read("datadog_dora", orjson.dumps(body))


def test_real_bodies(shared: Path) -> None:
    folder = shared / "samples/datadog_dora"
    (deployment,) = read("datadog_dora", (folder / "send-a-deployment-event-returns-ok-response.json").read_bytes())
    assert isinstance(deployment, Change)
    assert (deployment.services, deployment.revision) == (("service:shopist",), "v1.12.07")
    assert (deployment.at, deployment.ended_at) == (
        datetime(2023, 8, 31, 14, 26, 14, tzinfo=UTC),
        datetime(2023, 8, 31, 14, 26, 24, tzinfo=UTC),
    )
    (failure,) = read("datadog_dora", (folder / "send-a-failure-event-returns-ok-response.json").read_bytes())
    assert isinstance(failure, Incident)
    assert (failure.severity, failure.attributes["team"], failure.title) == (
        "High",
        "backend",
        "Webserver is down failing all requests",
    )
    (patch,) = read(
        "datadog_dora", (folder / "patch-a-deployment-event-by-version-returns-accepted-respons.json").read_bytes()
    )
    assert isinstance(patch, Change)
    assert (patch.kind, patch.at, patch.revision, patch.reverts) == (ChangeKind.ROLLBACK, RECEIVED, "v1.2.2", "v1.2.3")
    for path in folder.glob("*.json"):
        found = recognise(orjson.loads(path.read_bytes()), {})
        assert found is not None, path.name
        assert found.name == "datadog_dora"


def test_a_patch_by_id_names_the_deployment_that_it_takes_back() -> None:
    body = {
        "data": {
            "id": "dep-1",
            "type": "dora_deployment_patch_request",
            "attributes": {"change_failure": True, "remediation": {"id": "dep-0", "type": "rollback"}},
        }
    }
    (change,) = read("datadog_dora", orjson.dumps(body))
    assert isinstance(change, Change)
    assert (change.title, change.reverts) == ("Roll back dep-1", "dep-1")
