"""
AWS: events of EventBridge about deployments, pipelines, builds, images and scaling, also within a message of SNS, and
the objects of CodeDeploy's and CodePipeline's APIs.

An event says only its own time: a deployment that ended has the end as its time too. Events of one's own applications
count where their `detail-type` says what was changed, with data as the connector `cloudevents` reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Change, ChangeKind, Item, Record, Trust
from ingest.connectors import cloudtrail
from ingest.connectors._aws_event import Event
from ingest.connectors._aws_events import READERS, read
from ingest.connectors._events import attributes, ranked
from ingest.connectors._generic import generic_change, kind_of
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, moment_at, objects_at, repository, service, text_at
from ingest.parsing import load_json, named_time

_EARLY = ("START", "STARTED", "PENDING", "IN_PROGRESS", "INPROGRESS", "RESUMED", "READY")
_LISTS = ("deploymentsInfo", "pipelineExecutionSummaries")


def _parts(body: Body) -> Iterator[Body]:
    """
    Events, and objects of the APIs with their keys in lower camel case.
    """
    message = body.get("Message")
    if body.get("Type") == "Notification" and isinstance(message, str):
        inner = load_json(message, "the message of SNS")
        yield from _parts(inner) if isinstance(inner, dict) else [body]
        return
    if "detail-type" in body:
        yield body
        return
    properties = body.get("Properties")
    given = properties if isinstance(properties, dict) else body
    extra = body.get("__ExtraContext")
    found = {key[:1].lower() + key[1:]: value for key, value in given.items()}
    for name in ("deploymentInfo", "pipelineExecution"):
        inner = found.get(name)
        if isinstance(inner, dict):
            found = dict(inner)
    listed = [one for name in _LISTS for one in objects_at(found, name)]
    shared = {
        "region": text_at(extra, "Region"),
        "account": text_at(extra, "AccountId"),
        "pipelineName": found.get("pipelineName"),
    }
    for one in listed or [found]:
        yield {key: value for key, value in shared.items() if value} | dict(one)


def _part(body: Body, meta: Mapping[str, str]) -> str:
    for key in ("deploymentId", "pipelineExecutionId"):
        if text_at(body, key):
            return f"{key}:{text_at(body, key)}"
    detail = body.get("detail")
    if text_at(body, "detail-type") not in READERS:
        # what goes along with a change (a stage, a phase) takes nothing from it
        return f"event:{text_at(body, 'id') or digest_of(body)}"
    if text_at(detail, "stack-id"):
        return f"stack:{text_at(detail, 'stack-id')}:{text_at(detail, 'client-request-token') or text_at(body, 'id')}"
    if text_at(detail, "EndpointArn"):
        return f"endpoint:{text_at(detail, 'EndpointArn')}:{text_at(detail, 'EndpointConfigName')}"
    for key in ("deploymentId", "execution-id", "build-id", "ActivityId", "InstanceRefreshId", "ModelPackageArn"):
        if text_at(detail, key):
            return f"{key}:{text_at(detail, key)}"
    return f"event:{text_at(body, 'id') or digest_of(body)}"


def _occurred(body: Body) -> datetime | None:
    state = first(
        at(body, "detail", "state"),
        at(body, "detail", "build-status"),
        at(body, "status"),
        at(body, "detail", "eventName"),
    )
    moment = moment_at(body, ("time",), ("lastUpdateTime",), ("completeTime",), ("startTime",), ("createTime",))
    return ranked(moment, 0 if (state or "").upper() in _EARLY or "PROGRESS" in (state or "").upper() else 1)


def transform(record: Record) -> Iterator[Item]:
    """
    The change that an event or an object tells of.
    """
    body = body_of(record)
    name, source = text_at(body, "detail-type") or "", text_at(body, "source") or ""
    if name.endswith("via CloudTrail"):
        yield from cloudtrail.items_of(body)
    elif name and source.startswith("aws."):
        yield from read(Event(body))
    elif name:
        yield _own(record, body, name, source)
    elif text_at(body, "deploymentId"):
        yield _deployment(body)
    elif text_at(body, "pipelineExecutionId"):
        yield _execution(body)
    elif text_at(body, "Type") == "SubscriptionConfirmation":
        return
    else:
        raise BadRecord(
            f"{record.part} is neither an event of EventBridge (with `detail-type`) nor a deployment; it is kept"
        )


def _own(record: Record, body: Body, name: str, source: str) -> Change:
    kind, detail = kind_of(name), body.get("detail")
    if kind is None or not isinstance(detail, dict):
        raise BadRecord(
            f"the event {name!r} of {source} is kept, and states nothing: its type does not say what was changed; give "
            "it a `detail-type` such as Checkout Deployed with a detail {service, environment, revision}"
        )
    identity = f"eventbridge:{source}:{text_at(body, 'id') or digest_of(body)}"
    moment = moment_at(body, ("time",)) or record.received_at
    return generic_change(identity, name, kind, {"region": body.get("region")} | detail, moment, f"the event {name}")


def _deployment(body: Body) -> Change:
    name, group, status = (
        text_at(body, "applicationName"),
        text_at(body, "deploymentGroupName"),
        text_at(body, "status"),
    )
    back = at(body, "rollbackInfo")
    reverted = text_at(back, "rollbackTriggeringDeploymentId")
    revision = at(body, "revision")
    place = at(revision, "s3Location")
    return Change(
        id=f"aws:codedeploy:{text_at(body, 'deploymentId')}",
        kind=ChangeKind.ROLLBACK if reverted else ChangeKind.DEPLOY,
        at=named_time(first(at(body, "startTime"), at(body, "createTime")), "`createTime` of the deployment"),
        ended_at=moment_at(body, ("completeTime",)),
        title=f"CodeDeploy of {name} to {group}",
        services=service(name),
        repository=repository(at(revision, "gitHubLocation", "repository")),
        environment=group.lower() if group else None,
        region=text_at(body, "region"),
        revision=first(
            at(revision, "gitHubLocation", "commitId"), at(place, "version"), at(place, "eTag"), at(place, "key")
        ),
        actor=text_at(body, "creator"),
        automated=text_at(body, "creator") in ("autoscaling", "codeDeployRollback", "CodeDeploy"),
        status=status,
        text=first(at(body, "description"), at(body, "errorInformation", "message")) or "",
        reverts=f"aws:codedeploy:{reverted}" if reverted else None,
        attributes=attributes(account=at(body, "account"), group=group),
    )


def _execution(body: Body) -> Change:
    name, status = text_at(body, "pipelineName"), text_at(body, "status")
    done = status not in ("InProgress", "Stopping", None)
    commits = [
        first(at(one, "revisionId"))
        for key in ("sourceRevisions", "artifactRevisions")
        for one in objects_at(body, key)
    ]
    found = [commit for commit in commits if commit]
    who = text_at(body, "trigger", "triggerDetail")
    return Change(
        id=f"aws:codepipeline:{text_at(body, 'pipelineExecutionId')}",
        kind=ChangeKind.ROLLBACK if text_at(body, "executionType") == "ROLLBACK" else ChangeKind.DEPLOY,
        at=named_time(first(at(body, "startTime"), at(body, "lastUpdateTime")), "`startTime` of the execution"),
        ended_at=moment_at(body, ("lastUpdateTime",)) if done else None,
        title=f"Pipeline {name} {status}",
        services=service(name),
        region=text_at(body, "region"),
        revision=found[0] if found else None,
        actor=re.split(r"[:/]", who)[-1].partition("@")[0] if who and who.startswith("arn:") else None,
        automated=not (who and who.startswith("arn:")),
        status=status,
        carries=tuple(dict.fromkeys(found)),
        attributes=attributes(account=at(body, "account"), trigger=at(body, "trigger", "triggerType")),
    )


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    An event of EventBridge, but of alarms and of CloudTrail; an object of CodeDeploy or CodePipeline.
    """
    if payload.get("Type") in ("AWS::CodeDeploy::Deployment", "AWS::CodePipeline::PipelineExecution"):
        return True
    name, source = payload.get("detail-type"), payload.get("source")
    if not isinstance(name, str) or not isinstance(source, str) or "detail" not in payload:
        return False
    return not name.endswith("via CloudTrail") and source not in ("aws.cloudwatch", "aws.health", "aws.synthetics")


CONNECTOR = Connector(
    name="aws_changes",
    summary="AWS's events of EventBridge: CodeDeploy, CodePipeline, CodeBuild, ECR, Auto Scaling, ECS and more",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("aws_changes/*.json*", "eventbridge/*.json*"),
    recognises=recognises,
)
