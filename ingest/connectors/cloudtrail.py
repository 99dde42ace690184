"""
AWS CloudTrail: calls that altered something, from log files (`Records`), EventBridge, and the look-up of events.

Reads, calls that failed, data events and sign-ins state nothing. Of a call the parameters are not carried (they hold
secrets), only the names of what it was about. An Insight is an alert about the rate of a call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from graph.values import Alert, Change, ChangeKind, EntityId, Item, Record, Trust
from ingest.connectors._events import attributes
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, moment_at, objects_at, service, text, text_at
from ingest.parsing import load_json, mapping_of, named_time

_READS = re.compile(
    r"(?:Get|List|Describe|Head|Lookup|Search|Query|Scan|Select|BatchGet|Check|Preview|Validate|Simulate|Estimate|View"
    r"|Test|Assume|ConsoleLogin|Decrypt|Encrypt|GenerateDataKey|Sign|Verify|Download|Discover|Filter|StartQuery|Poll|Receive)"
)
_NAMES = (
    "functionName", "service", "serviceName", "applicationName", "autoScalingGroupName", "dBInstanceIdentifier",
    "dBClusterIdentifier", "clusterName", "cluster", "stackName", "tableName", "bucketName", "name", "secretId",
    "roleName", "userName", "groupName", "policyName", "policyArn", "instanceId", "groupId", "repositoryName",
    "loadBalancerName", "loadBalancerArn", "hostedZoneId", "certificateArn", "endpointName", "modelName", "queueUrl",
    "topicArn", "keyId", "replicationGroupId", "cacheClusterId", "environmentName", "resourceId", "pipelineName",
)  # fmt: skip
_SERVICES = {
    "lambda": ("functionName",), "ecs": ("service", "serviceName"), "codedeploy": ("applicationName",),
    "elasticbeanstalk": ("applicationName", "environmentName"), "apprunner": ("serviceName", "serviceArn"),
    "autoscaling": ("autoScalingGroupName",), "codepipeline": ("name",), "sagemaker": ("endpointName", "modelName"),
}  # fmt: skip
_RULES: tuple[tuple[ChangeKind, str], ...] = (
    (
        ChangeKind.CONFIG,
        r"lambda:UpdateFunctionConfig|ssm:(?:Put|Delete)Parameter|secretsmanager:|appconfig:|:Put\w*Config",
    ),
    (ChangeKind.DEPLOY, r"lambda:(?:UpdateFunctionCode|CreateFunction|PublishVersion|(?:Create|Update)Alias)"),
    (ChangeKind.DEPLOY, r"ecs:(?:Create|Update)Service|ecs:RegisterTaskDefinition|codedeploy:CreateDeployment"),
    (
        ChangeKind.DEPLOY,
        r"elasticbeanstalk:UpdateEnvironment|apprunner:StartDeployment|codepipeline:StartPipelineExecution",
    ),
    (ChangeKind.SCALING, r"autoscaling:(?:SetDesired|UpdateAutoScalingGroup|\w*Instances|PutScaling|ExecutePolicy)"),
    (ChangeKind.SCALING, r"application-autoscaling:|eks:UpdateNodegroupConfig"),
    (ChangeKind.CERTIFICATE, r"acm(?:-pca)?:|iam:\w*ServerCertificate"),
    (ChangeKind.MODEL, r"sagemaker:(?:Create|Update)(?:Endpoint|Model)|bedrock:(?:Create|Update)"),
)
_KINDS = tuple((kind, re.compile(rule)) for kind, rule in _RULES)


def _parts(body: Body) -> Iterator[Body]:
    """
    The entries of a log file, of a look-up, or of an event of EventBridge.
    """
    detail = body.get("detail")
    if isinstance(detail, dict) and "detail-type" in body:
        yield {
            "awsRegion": body.get("region"),
            "recipientAccountId": body.get("account"),
            "eventTime": body.get("time"),
        } | detail
        return
    if isinstance(body.get("Records"), list):
        yield from objects_at(body, "Records")
    elif isinstance(body.get("Events"), list):
        yield from (_looked_up(one) for one in objects_at(body, "Events"))
    else:
        yield _looked_up(body)


def _looked_up(body: Body) -> Body:
    """
    The entry within an answer of LookupEvents, which holds it as a text.
    """
    whole = body.get("CloudTrailEvent")
    return mapping_of(load_json(whole, "`CloudTrailEvent`"), "`CloudTrailEvent`") if isinstance(whole, str) else body


def _part(body: Body, meta: Mapping[str, str]) -> str:
    if body.get("insightDetails"):
        return f"insight:{text_at(body, 'sharedEventID') or _mark(body)}"
    return f"event:{_mark(body)}"


def _mark(body: Body) -> str:
    return text_at(body, "eventID") or digest_of(body)


def _occurred(body: Body) -> datetime | None:
    return moment_at(body, ("eventTime",))


def transform(record: Record) -> Iterator[Item]:
    """
    The change that a call made, or the alert of an Insight.
    """
    yield from _entry(body_of(record))


def items_of(body: Body) -> Iterator[Item]:
    """
    The same of an event of EventBridge.
    """
    for entry in _parts(body):
        yield from _entry(entry)


def _entry(body: Body) -> Iterator[Item]:
    if isinstance(body.get("insightDetails"), dict):
        yield _insight(body)
        return
    if not text_at(body, "eventName") or not text_at(body, "eventSource"):
        raise BadRecord("this has no `eventName` and `eventSource`; expected an entry of CloudTrail")
    if alters(body):
        yield change_of(body)


def alters(body: Body) -> bool:
    """
    Whether an entry tells of a call that altered something and did not fail.
    """
    name, read_only = text_at(body, "eventName") or "", str(body.get("readOnly")).lower()
    if text_at(body, "errorCode") or text_at(body, "eventCategory") == "Data" or body.get("managementEvent") is False:
        return False
    if text_at(body, "eventType") in ("AwsConsoleSignIn", "AwsConsoleAction") and name.startswith(
        ("ConsoleLogin", "Switch")
    ):
        return False
    return read_only == "false" or (read_only != "true" and not _READS.match(name))


def change_of(body: Body) -> Change:
    """
    The change of an entry. Raises BadRecord without a time.
    """
    source = (text_at(body, "eventSource") or "").partition(".")[0]
    name = re.sub(r"(?:_?v)?\d{4}[-_]?\d{2}[-_]?\d{2}(?:v\d)?$", "", text_at(body, "eventName") or "")
    about = _names(body)
    moment = named_time(at(body, "eventTime"), f"`eventTime` of {name}")
    return Change(
        id=f"cloudtrail:{_mark(body)}",
        kind=_kind(source, name, body),
        at=moment,
        ended_at=moment,
        title=f"{name} on {source}" + (f" ({', '.join(about[:3])})" if about else ""),
        services=_services(source, body),
        region=text_at(body, "awsRegion"),
        actor=_actor(body),
        automated=text_at(body, "userIdentity", "type") == "AWSService"
        or bool(text_at(body, "userIdentity", "invokedBy")),
        status="done",
        attributes=attributes(
            account=first(at(body, "recipientAccountId"), at(body, "userIdentity", "accountId")),
            source=at(body, "eventSource"),
            event=at(body, "eventName"),
            resources=", ".join(about[:20]),
        ),
    )


def _kind(source: str, name: str, body: Body) -> ChangeKind:
    called = f"{source}:{name}"
    asked = at(body, "requestParameters")
    if (
        called == "ecs:UpdateService"
        and isinstance(asked, dict)
        and "desiredCount" in asked
        and not asked.get("taskDefinition")
    ):
        return ChangeKind.SCALING
    return next((kind for kind, rule in _KINDS if rule.match(called)), ChangeKind.INFRASTRUCTURE)


def _names(body: Body) -> list[str]:
    """
    What a call was about, by the names in its parameters and its resources.
    """
    asked = at(body, "requestParameters")
    found = [text_at(asked, name) for name in _NAMES]
    found += [text_at(one, "instanceId") for one in objects_at(asked, "instancesSet", "items")]
    found += [first(at(one, "ARN"), at(one, "arn")) for one in objects_at(body, "resources")]
    return list(dict.fromkeys(_short(name) for name in found if name))


def _short(name: str) -> str:
    """
    The last name of an ARN.
    """
    return re.split(r"[:/]", name.rstrip("/"))[-1] if name.startswith("arn:") else name


def _services(source: str, body: Body) -> tuple[EntityId, ...]:
    found = first(*(at(body, "requestParameters", name) for name in _SERVICES.get(source, ())))
    return service(_function(found)) if found else ()


def _function(name: str) -> str:
    """
    The function of `arn:aws:lambda:…:function:name:alias`, else the last name of an ARN.
    """
    mark = re.search(r":function:([^:]+)", name)
    return mark[1] if mark else _short(name)


def _actor(body: Body) -> str | None:
    who = at(body, "userIdentity")
    arn = text_at(who, "arn") or ""
    role = text_at(who, "sessionContext", "sessionIssuer", "userName")
    session = arn.rpartition("/")[2] if ":assumed-role/" in arn else None
    by_role = f"{role}/{session}" if role and session else session or role
    return first(at(who, "userName"), by_role, at(who, "invokedBy"), arn.rpartition(":")[2], at(who, "principalId"))


def _insight(body: Body) -> Alert:
    details = at(body, "insightDetails")
    moment = named_time(at(body, "eventTime"), "`eventTime` of the Insight")
    ended = text_at(details, "state") == "End"
    minutes = at(details, "insightContext", "statistics", "insightDuration")
    length = timedelta(minutes=minutes) if isinstance(minutes, int) and ended else timedelta()
    called = f"{text_at(details, 'eventSource') or ''}:{text_at(details, 'eventName') or ''}"
    statistics = at(details, "insightContext", "statistics")
    usual, seen = (text(at(statistics, key, "average")) for key in ("baseline", "insight"))
    return Alert(
        id=f"cloudtrail:insight:{text_at(body, 'sharedEventID') or _mark(body)}",
        name=f"{text_at(details, 'insightType') or 'Insight'} {called}",
        at=moment - length,
        ended_at=moment if ended else None,
        status="resolved" if ended else "firing",
        labels=attributes(
            account=at(body, "recipientAccountId"),
            region=at(body, "awsRegion"),
            event=at(details, "eventName"),
            source=at(details, "eventSource"),
            error=at(details, "errorCode"),
        ),
        annotations={"summary": f"{called} is called {seen or '?'} times a minute, {usual or '?'} as a rule"},
        vendor="cloudtrail",
    )


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    Entries of CloudTrail, in a log file or in an event of EventBridge.
    """
    if str(payload.get("detail-type", "")).endswith("via CloudTrail"):
        return True
    one: object = at(payload, "Records", 0) or payload
    if isinstance(at(payload, "Events", 0, "CloudTrailEvent"), str):
        return True
    # notifications of S3 look alike but for their source
    return (
        isinstance(one, dict)
        and not str(one.get("eventSource")).startswith("aws:")
        and "eventVersion" in one
        and "eventTime" in one
        and ("awsRegion" in one or "insightDetails" in one)
    )


CONNECTOR = Connector(
    name="cloudtrail",
    summary="AWS CloudTrail: calls that altered something; Insights as alerts",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("cloudtrail/*.json*", "*_CloudTrail_*.json*"),
    recognises=recognises,
)
