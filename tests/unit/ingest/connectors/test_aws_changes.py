"""
AWS's events about changes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, read

RAW = (DATA / "aws_changes.json").read_bytes()


def event(detail_type: str, source: str = "aws.x", **detail: object) -> bytes:
    body = {"id": "1", "detail-type": detail_type, "source": source, "time": "2026-03-02T14:00:00Z", "detail": detail}
    return orjson.dumps(body)


def test_pipelines_deployments_parameters_stacks_and_own_events() -> None:
    pipeline, rolled, parameter, flag, stack = read("aws_changes", RAW)
    assert pipeline == Change(
        id="aws:codepipeline:ex-1",
        kind=ChangeKind.DEPLOY,
        at=datetime(2026, 3, 2, 14, tzinfo=UTC),
        ended_at=datetime(2026, 3, 2, 14, 10, tzinfo=UTC),
        title="Pipeline basket-pipe SUCCEEDED",
        services=("service:basket-pipe",),
        region="eu-west-1",
        actor="lena",
        status="SUCCEEDED",
        attributes={
            "account": "111122223333",
            "event": "CodePipeline Pipeline Execution State Change",
            "execution": "ex-1",
        },
    )
    assert isinstance(rolled, Change)
    assert (rolled.id, rolled.kind, rolled.services) == (
        "aws:ecs:basket:ecs-svc/9",
        ChangeKind.ROLLBACK,
        ("service:basket",),
    )
    assert rolled.ended_at == rolled.at
    assert isinstance(parameter, Change)
    assert (parameter.kind, parameter.attributes["parameter"]) == (ChangeKind.CONFIG, "/basket/timeout")
    assert isinstance(flag, Change)
    assert (flag.id, flag.kind, flag.environment, flag.region) == (
        "eventbridge:acme.flags:a5",
        ChangeKind.FLAG,
        "production",
        "eu-west-1",
    )
    assert isinstance(stack, Change)
    assert (stack.id, stack.kind, stack.status) == (
        "aws:cloudformation:net:t1",
        ChangeKind.INFRASTRUCTURE,
        "UPDATE_COMPLETE",
    )


def test_the_end_of_a_deployment_shares_its_part_and_comes_later() -> None:
    pieces = [
        next(
            iter(
                connector("aws_changes").split(
                    event("CodeDeploy Deployment State-change Notification", deploymentId="d-1", state=state), {}
                )
            )
        )
        for state in ("START", "SUCCESS")
    ]
    assert {piece.part for piece in pieces} == {"deploymentId:d-1"}
    assert pieces[0].occurred_at is not None
    assert pieces[1].occurred_at == pieces[0].occurred_at + timedelta(microseconds=1)


def test_a_call_that_cloudtrail_tells_of_is_read_as_such() -> None:
    call = {
        "eventVersion": "1.09",
        "eventID": "c1",
        "eventSource": "lambda.amazonaws.com",
        "eventName": "UpdateFunctionCode20150331v2",
        "readOnly": False,
        "requestParameters": {"functionName": "pay"},
    }
    (change,) = read("aws_changes", event("AWS API Call via CloudTrail", "aws.lambda", **call))
    assert isinstance(change, Change)
    assert (change.id, change.kind, change.services) == ("cloudtrail:c1", ChangeKind.DEPLOY, ("service:pay",))


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (event("Moon Landed"), "AWS's event 'Moon Landed' of aws.x is not read; the delivery is kept"),
        (event("Order Placed", "acme.shop"), "the event 'Order Placed' of acme.shop is kept, and states nothing"),
        (b'{"colour": "red"}', "neither an event of EventBridge"),
        (
            b'{"detail-type": "Parameter Store Change", "source": "aws.ssm", "detail": {}}',
            "`time` of the event is missing",
        ),
        (b'{"Type": "Notification", "Message": "no json"}', "the message of SNS is not JSON"),
    ],
)
def test_what_cannot_be_read_says_why(raw: bytes, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        read("aws_changes", raw)


@pytest.mark.parametrize(
    ("name", "identity", "kind", "services", "revision", "status"),
    [
        (
            "autoscaling-event-terminate-successful",
            "aws:autoscaling:87654321-4321-4321-4321-210987654321",
            ChangeKind.SCALING,
            "my-auto-scaling-group",
            None,
            "SUCCESSFUL",
        ),
        (
            "codebuild-state-change",
            "aws:codebuild:my-sample-project:8745a7a9-c340-456a-9166-edf953571bEX",
            ChangeKind.CODE,
            "my-sample-project",
            "my-source-version",
            "SUCCEEDED",
        ),
        (
            "codedeploy-deployment-event",
            "aws:codedeploy:d-123456789",
            ChangeKind.DEPLOY,
            "myapplication",
            None,
            "SUCCESS",
        ),
        (
            "codepipeline-execution-state-change-event",
            "aws:codepipeline:01234567-0123-0123-0123-012345678901",
            ChangeKind.DEPLOY,
            "mypipeline",
            None,
            "STARTED",
        ),
        (
            "ecr-image-push-event",
            "aws:ecr:my-repository-name:PUSH:sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd1234",
            ChangeKind.CODE,
            "my-repository-name",
            "sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd1234",
            "SUCCESS",
        ),
        (
            "rest.codedeploy-deployment",
            "aws:codedeploy:d-F7ZFJNVSJ",
            ChangeKind.DEPLOY,
            "mypythoncodedeployapp",
            "bundle.zip",
            "InProgress",
        ),
        (
            "rest.codepipeline-pipeline-execution",
            "aws:codepipeline:43858f3d-2987-40c7-9332-f82611de1449",
            ChangeKind.DEPLOY,
            "my-pipeline",
            None,
            "Failed",
        ),
    ],
)
def test_real_events(
    shared: Path, name: str, identity: str, kind: ChangeKind, services: str, revision: str | None, status: str
) -> None:
    raw = (shared / f"samples/aws_changes/{name}.json").read_bytes()
    (change,) = read("aws_changes", raw)
    assert isinstance(change, Change)
    assert (change.id, change.kind, change.services) == (identity, kind, (f"service:{services}",))
    assert (change.revision, change.status) == (revision, status)
    assert "TEST" not in repr(change)
    found = recognise(orjson.loads(raw), {})
    assert found is not None
    assert found.name == "aws_changes"


def test_builds_begin_when_they_say(shared: Path) -> None:
    (build,) = read("aws_changes", (shared / "samples/aws_changes/codebuild-state-change.json").read_bytes())
    assert isinstance(build, Change)
    assert (build.at, build.ended_at) == (
        datetime(2017, 9, 1, 16, 12, 29, tzinfo=UTC),
        datetime(2017, 9, 1, 16, 14, 28, tzinfo=UTC),
    )


def test_what_goes_along_with_a_change_states_nothing() -> None:
    for name in (
        "CodeDeploy Instance State-change Notification",
        "CodePipeline Stage Execution State Change",
        "ECS Task State Change",
        "EC2 Instance-terminate Lifecycle Action",
        "ECR Image Scan",
        "CodeBuild Build Phase Change",
    ):
        assert read("aws_changes", event(name)) == [], name


def test_a_service_of_app_runner_is_deployed() -> None:
    raw = event(
        "AppRunner Service Operation Status Change",
        "aws.apprunner",
        operationStatus="UpdateServiceCompletedSuccessfully",
        serviceName="basket",
    )
    (change,) = read("aws_changes", raw)
    assert isinstance(change, Change)
    assert (change.kind, change.services, change.status) == (ChangeKind.DEPLOY, ("service:basket",), "SUCCEEDED")


def test_what_goes_along_with_a_change_has_a_part_of_its_own() -> None:
    names = ("CodePipeline Pipeline Execution State Change", "CodePipeline Stage Execution State Change")
    told = {"execution-id": "ex-1", "state": "SUCCEEDED"}
    parts = [
        next(iter(connector("aws_changes").split(event(name, "aws.codepipeline", **told), {}))).part for name in names
    ]
    assert parts == ["execution-id:ex-1", "event:1"]


def test_a_trigger_of_codedeploy_is_read_with_its_own_way_of_writing_times() -> None:
    told = {
        "region": "eu-west-1", "accountId": "1", "applicationName": "cart", "deploymentId": "d-7", "status": "SUCCEEDED",
        "deploymentGroupName": "Production", "createTime": "Mon Mar 02 14:00:00 UTC 2026",
        "completeTime": "Mon Mar 02 14:05:00 UTC 2026",
    }  # fmt: skip
    body = {"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": orjson.dumps(told).decode()}
    (one,) = read("aws_changes", orjson.dumps(body))
    assert isinstance(one, Change)
    assert (one.id, one.at, one.ended_at, one.environment) == (
        "aws:codedeploy:d-7",
        datetime(2026, 3, 2, 14, tzinfo=UTC),
        datetime(2026, 3, 2, 14, 5, tzinfo=UTC),
        "production",
    )
