"""
An alert between a change's start and its end suspects the change, whatever of the two the end's event tells.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.api.app import create_app
from service.settings import Settings
from service.wiring import open_memory
from tests.faults.waiting import until

BEGUN, OVER, BETWEEN = "2026-11-03T10:00:00Z", "2026-11-03T10:20:00Z", "2026-11-03T10:10:00Z"
Body = Mapping[str, Any]


def _codedeploy(at: str, over: bool) -> Body:
    detail = {"application": "checkout", "deploymentGroup": "production", "deploymentId": "d-1",
              "state": "SUCCESS" if over else "START"}  # fmt: skip
    return {"id": at, "detail-type": "CodeDeploy Deployment State-change Notification", "source": "aws.codedeploy",
            "account": "1", "time": at, "region": "eu-west-1", "detail": detail}  # fmt: skip


def _ecs(at: str, over: bool) -> Body:
    name = "SERVICE_DEPLOYMENT_COMPLETED" if over else "SERVICE_DEPLOYMENT_IN_PROGRESS"
    return {"id": at, "detail-type": "ECS Deployment State Change", "source": "aws.ecs", "account": "1", "time": at,
            "region": "eu-west-1", "resources": ["arn:aws:ecs:eu-west-1:1:service/main/checkout"],
            "detail": {"eventType": "INFO", "eventName": name, "deploymentId": "ecs-svc/1", "reason": name}}  # fmt: skip


def _terraform(at: str, over: bool) -> Body:
    told = {"trigger": "run:completed" if over else "run:applying", "run_status": "applied" if over else "applying",
            "run_updated_at": at, "message": "Run"}  # fmt: skip
    return {"payload_version": 1, "notification_configuration_id": "nc-1", "run_id": "run-1", "run_message": "Grow",
            "workspace_name": "checkout", "organization_name": "acme", "notifications": [told]}  # fmt: skip


def _gitlab(at: str, over: bool) -> Body:
    return {"object_kind": "deployment", "status": "success" if over else "running", "status_changed_at": at,
            "deployment_id": 15, "deployable_id": 796, "environment": "production",
            "project": {"path_with_namespace": "acme/checkout"}}  # fmt: skip


def _octopus(at: str, over: bool) -> Body:
    event = {"Id": f"Events-{at}", "Category": "DeploymentSucceeded" if over else "DeploymentStarted", "Occurred": at,
             "RelatedDocumentIds": ["Deployments-1", "Projects-1"],
             "Message": "Deploy checkout release 1.2 to Production"}  # fmt: skip
    return {"Timestamp": at, "EventType": "SubscriptionPayload", "Payload": {"Event": event}}


def _cdevents(at: str, over: bool) -> Body:
    kind = f"dev.cdevents.pipelinerun.{'finished' if over else 'started'}.0.2.0"
    return {"context": {"version": "0.4.1", "id": at, "source": "/ci", "type": kind, "timestamp": at},
            "subject": {"id": "run-1", "source": "/ci", "type": "pipelineRun",
                        "content": {"pipelineName": "deploy-checkout"}}}  # fmt: skip


SENDERS = {
    "aws_changes": _codedeploy, "aws_changes?source=ecs": _ecs, "terraform": _terraform, "gitlab": _gitlab,
    "octopus": _octopus, "cdevents": _cdevents,
}  # fmt: skip


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    memory = open_memory(Settings.model_validate({"data": tmp_path, "embedder": "none"}))
    with TestClient(create_app(memory), base_url="http://127.0.0.1:8080") as found:
        yield found


def _send(client: TestClient, to: str, bodies: Sequence[Body]) -> None:
    for body in bodies:
        sent = client.post(f"/v1/ingest/{to}", content=json.dumps(body))
        assert sent.status_code == 202, sent.text
    until(lambda: [one["pending"] for one in client.get("/v1/sources").json()["sources"]] == [0], 10)


@pytest.mark.parametrize("late", [False, True], ids=["in order", "the start comes late"])
@pytest.mark.parametrize("to", SENDERS)
def test_a_change_began_when_its_start_said(client: TestClient, to: str, late: bool) -> None:
    made = SENDERS[to]
    told = [made(BEGUN, False), made(OVER, True)]
    _send(client, to, told[::-1] if late else told)
    (change,) = client.get("/v1/changes").json()["changes"]
    assert change["at"].startswith("2026-11-03T10:00:00")


def test_an_alert_in_between_suspects_the_change(client: TestClient) -> None:
    _send(client, "aws_changes", [_codedeploy(BEGUN, False), _codedeploy(OVER, True)])
    alert = {"name": "CheckoutErrors", "labels": {"service": "checkout"}, "at": BETWEEN}
    (suspect,) = client.post("/v1/context", json=alert).json()["changes"]["suspects"]
    assert suspect["id"] == "aws:codedeploy:d-1"
