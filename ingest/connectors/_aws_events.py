"""
What single events of AWS say was changed: a reader for each `detail-type`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from graph.values import Change, ChangeKind
from ingest.connectors._aws_event import Event
from ingest.connectors._events import deploys
from ingest.errors import BadRecord
from ingest.fields import at, first, list_at, moment_at, named, text_at


def _codedeploy(event: Event) -> Iterator[Change]:
    name, group = event.told("application"), event.told("deploymentGroup")
    yield event.change(
        f"codedeploy:{event.told('deploymentId')}",
        ChangeKind.DEPLOY,
        f"CodeDeploy of {name} to {group}",
        name,
        event.told("state"),
        environment=group,
        group=group,
    )


def _codepipeline(event: Event) -> Iterator[Change]:
    name = event.told("pipeline")
    trigger = event.told("execution-trigger", "trigger-detail")
    yield event.change(
        f"codepipeline:{event.told('execution-id')}",
        ChangeKind.DEPLOY,
        f"Pipeline {name} {event.told('state')}",
        name,
        event.told("state"),
        began=moment_at(event.detail, ("start-time",)),
        actor=re.split(r"[:/]", trigger)[-1] if trigger and trigger.startswith("arn:") else None,
        execution=event.told("execution-id"),
    )


def _codebuild(event: Event) -> Iterator[Change]:
    name, state = event.told("project-name"), event.told("build-status")
    if not deploys(name) and state != "SUCCEEDED":
        return
    more = at(event.detail, "additional-information")
    initiator = text_at(more, "initiator")
    yield event.change(
        f"codebuild:{(event.told('build-id') or '').rpartition('/')[2]}",
        ChangeKind.DEPLOY if deploys(name) else ChangeKind.CODE,
        f"Build of {name} {state}",
        name,
        state,
        began=_american(text_at(more, "build-start-time")),
        revision=text_at(more, "source-version"),
        actor=initiator,
        url=text_at(more, "logs", "deep-link"),
    )


def _american(value: str | None) -> datetime | None:
    """
    CodeBuild's own form of a time: `Sep 1, 2017 4:12:29 PM`, in UTC.
    """
    try:
        return datetime.strptime(value or "", "%b %d, %Y %I:%M:%S %p").replace(tzinfo=UTC)
    except ValueError:
        return None


def _ecr(event: Event) -> Iterator[Change]:
    name, action, result = event.told("repository-name"), event.told("action-type"), event.told("result")
    if result != "SUCCESS" or action not in ("PUSH", "DELETE"):
        return
    tag, digest = named(event.told("image-tag")), event.told("image-digest")
    version = tag if tag and tag != "latest" else digest
    yield event.change(
        f"ecr:{name}:{action}:{digest or tag}",
        ChangeKind.CODE if action == "PUSH" else ChangeKind.INFRASTRUCTURE,
        f"Image {name}:{tag or digest} {'pushed' if action == 'PUSH' else 'deleted'}",
        (name or "").rpartition("/")[2],
        result,
        revision=version,
        digest=digest,
        repository=name,
        tag=tag,
    )


def _autoscaling(event: Event) -> Iterator[Change]:
    group, name = event.told("AutoScalingGroupName"), str(event.body.get("detail-type"))
    refresh = "Instance Refresh" in name
    yield event.change(
        f"autoscaling:{first(event.told('InstanceRefreshId'), event.told('ActivityId'), event.body.get('id'))}",
        ChangeKind.INFRASTRUCTURE if refresh else ChangeKind.SCALING,
        f"{name} in {group}",
        group,
        name.rpartition(" ")[2].upper(),
        began=moment_at(event.detail, ("StartTime",)),
        text=event.told("Cause"),
        group=group,
        instance=event.told("EC2InstanceId"),
        description=event.told("Description"),
    )


def _ecs(event: Event) -> Iterator[Change]:
    state = event.told("eventName") or ""
    arn = event.arn(":service/") or event.told("serviceArn") or ""
    name, reason = arn.rpartition("/")[2], event.told("reason")
    cluster = first(event.told("clusterArn"), arn.rpartition("/")[0])
    if state == "SERVICE_DESIRED_COUNT_UPDATED":
        kind = ChangeKind.SCALING
    elif "DEPLOYMENT" in state:
        kind = (
            ChangeKind.ROLLBACK if re.search(r"roll(?:ing|ed)? ?back", f"{state} {reason}", re.I) else ChangeKind.DEPLOY
        )
    else:
        return
    deployment = first(event.told("deploymentId"), event.told("serviceDeploymentArn"), event.body.get("id"))
    yield event.change(
        f"ecs:{name}:{deployment}",
        kind,
        f"{name}: {reason or state}",
        name,
        state,
        text=reason,
        cluster=(cluster or "").rpartition("/")[2],
        revision=event.told("taskDefinitionArn"),
    )


def _cloudformation(event: Event) -> Iterator[Change]:
    stack = (event.told("stack-id") or "").split("/")
    name, state = stack[1] if len(stack) > 1 else None, event.told("status-details", "status")
    kind = ChangeKind.ROLLBACK if "ROLLBACK" in (state or "") else ChangeKind.INFRASTRUCTURE
    mark = first(event.told("client-request-token"), event.body.get("id"))
    yield event.change(
        f"cloudformation:{name}:{mark}",
        kind,
        f"Stack {name} {state}",
        None,
        state,
        text=event.told("status-details", "status-reason"),
        stack=name,
    )


def _parameter(event: Event) -> Iterator[Change]:
    name, operation = event.told("name"), event.told("operation")
    yield event.change(
        f"ssm:{event.body.get('id')}",
        ChangeKind.CONFIG,
        f"Parameter {name} {operation}",
        None,
        operation,
        parameter=name,
    )


def _appconfig(event: Event) -> Iterator[Change]:
    name = first(event.told("Application", "Name"), event.told("Application", "Id"))
    environment = first(event.told("Environment", "Name"), event.told("Environment", "Id"))
    rolled = "rolled" in str(event.body.get("detail-type")).lower()
    yield event.change(
        f"appconfig:{name}:{environment}:{first(event.told('DeploymentNumber'), event.body.get('id'))}",
        ChangeKind.ROLLBACK if rolled else ChangeKind.CONFIG,
        f"AppConfig of {name}: {event.body.get('detail-type')}",
        name,
        event.told("DeploymentState"),
        environment=environment,
        revision=event.told("ConfigurationVersion"),
        profile=event.told("ConfigurationProfile", "Name"),
    )


def _rds(event: Event) -> Iterator[Change]:
    told = {str(one).lower() for one in list_at(event.detail, "EventCategories")}
    if not told & {"configuration change", "maintenance", "failover", "deletion", "creation", "restoration"}:
        return
    name = event.told("SourceIdentifier")
    yield event.change(
        f"rds:{event.body.get('id')}",
        ChangeKind.INFRASTRUCTURE,
        f"{name}: {event.told('Message') or ', '.join(sorted(told))}",
        None,
        ", ".join(sorted(told)),
        database=name,
    )


def _sagemaker(event: Event) -> Iterator[Change]:
    name = first(event.told("EndpointName"), event.told("ModelPackageGroupName"), event.told("ModelName"))
    state = first(event.told("ModelApprovalStatus"), event.told("EndpointStatus"), event.told("ModelPackageStatus"))
    if state in ("PendingManualApproval", "Rejected"):
        return
    endpoint = f"{event.told('EndpointArn')}:{event.told('EndpointConfigName')}" if event.told("EndpointArn") else None
    arn = first(event.told("ModelPackageArn"), endpoint, event.body.get("id"))
    yield event.change(
        f"sagemaker:{arn}",
        ChangeKind.MODEL,
        f"{event.body.get('detail-type')}: {name} {state or ''}".strip(),
        name,
        state,
        revision=first(event.told("ModelPackageVersion"), event.told("EndpointConfigName")),
    )


def _certificate(event: Event) -> Iterator[Change]:
    yield event.change(
        f"acm:{event.body.get('id')}",
        ChangeKind.CERTIFICATE,
        f"{event.body.get('detail-type')}: {event.told('CommonName') or event.told('DomainName')}",
        None,
        event.told("Action"),
        domain=first(event.told("CommonName"), event.told("DomainName")),
    )


def _apprunner(event: Event) -> Iterator[Change]:
    state, name = event.told("operationStatus"), event.told("serviceName")
    if not state or not re.match(r"(?:Create|Update|Deploy|Delete|Pause|Resume)", state):
        return
    done = re.search(r"(Successfully|Failed)$", state)
    yield event.change(
        f"apprunner:{name}:{event.body.get('id')}",
        ChangeKind.DEPLOY,
        f"{name}: {state}",
        name,
        "SUCCEEDED" if done and done[1] == "Successfully" else "FAILED" if done else state,
    )


READERS: Mapping[str, Callable[[Event], Iterator[Change]]] = {
    "CodeDeploy Deployment State-change Notification": _codedeploy,
    "CodePipeline Pipeline Execution State Change": _codepipeline,
    "CodeBuild Build State Change": _codebuild,
    "ECR Image Action": _ecr,
    "EC2 Instance Launch Successful": _autoscaling,
    "EC2 Instance Terminate Successful": _autoscaling,
    "EC2 Auto Scaling Instance Refresh Started": _autoscaling,
    "EC2 Auto Scaling Instance Refresh Succeeded": _autoscaling,
    "EC2 Auto Scaling Instance Refresh Failed": _autoscaling,
    "EC2 Auto Scaling Instance Refresh Cancelled": _autoscaling,
    "ECS Deployment State Change": _ecs,
    "ECS Service Deployment State Change": _ecs,
    "ECS Service Action": _ecs,
    "CloudFormation Stack Status Change": _cloudformation,
    "AppRunner Service Operation Status Change": _apprunner,
    "Parameter Store Change": _parameter,
    "On Deployment Start": _appconfig,
    "On Deployment Complete": _appconfig,
    "On Deployment Rolled Back": _appconfig,
    "RDS DB Instance Event": _rds,
    "RDS DB Cluster Event": _rds,
    "SageMaker Model Package State Change": _sagemaker,
    "SageMaker Endpoint State Change": _sagemaker,
    "ACM Certificate Available": _certificate,
}
_NO_CHANGE = re.compile(
    r"CodeDeploy Instance State-change|CodePipeline (?:Stage|Action) Execution|CodeBuild Build Phase Change"
    r"|ECR (?:Image Scan|Replication|Pull Through|Referrer)"
    r"|EC2 Instance(?: State-change|-launch|-terminate| Launch| Terminate| Rebalance)"
    r"|EC2 Spot|ECS (?:Task|Container Instance) State Change|EC2 Auto Scaling Instance Refresh Checkpoint"
    r"|CloudFormation (?:Resource|Drift|StackSet)|Lambda Function Invocation|ACM Certificate (?:Approaching|Expired)"
    r"|Scheduled Event|CodeCommit|SageMaker (?:Training|Transform|Processing|HyperParameter)",
)


def read(event: Event) -> Iterator[Change]:
    """
    What an event of AWS says was changed; what merely goes along with a change states nothing. BadRecord: not known.
    """
    name = str(event.body.get("detail-type") or "")
    reader = READERS.get(name)
    if reader:
        yield from reader(event)
    elif not _NO_CHANGE.match(name):
        raise BadRecord(
            f"AWS's event {name!r} of {event.body.get('source')} is not read; the delivery is kept: leave it out of "
            "the rule of EventBridge, or retry the record once a version reads it"
        )
