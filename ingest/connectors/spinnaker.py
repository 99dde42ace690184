"""
Spinnaker: events of echo about pipelines, stages and ad-hoc operations of orca, and executions as its API lists them.

An execution is one change from its start to its end, where one of its stages deploys, rolls back or resizes. Builds and
other triggers that echo relays are no changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Change, ChangeKind, Item, Record, Trust
from ingest.commits import deploys, ranked, rolls_back
from ingest.connectors._kubernetes_objects import version_of
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import (
    at,
    body_of,
    deliveries,
    digest_of,
    first,
    lower,
    moment_at,
    named,
    objects_at,
    present,
    service,
    text_at,
)
from ingest.parsing import named_time

_DEPLOYING = {
    "deploy", "deploymanifest", "createservergroup", "cloneservergroup", "deploycloudformation", "deployservice",
    "patchmanifest", "deletemanifest", "enableservergroup", "disableservergroup", "destroyservergroup",
    "shrinkcluster", "scaledowncluster", "enablemanifest", "disablemanifest", "rollingrestartmanifest",
    "upsertloadbalancer", "upsertloadbalancers", "destroyservice", "runjob", "runjobmanifest", "terminateinstances",
    "deploycloudrunmanifest", "awslambdadeploymentstage", "bakeandeploy",
}  # fmt: skip
_BACK = {"rollbackservergroup", "rollbackcluster", "undorolloutmanifest"}
_SCALING = {"resizeservergroup", "scalemanifest"}
_IDLE = {"not_started", "skipped", "buffered", "paused"}
_DONE = {"succeeded", "terminal", "canceled", "stopped", "failed_continue"}
_ORDER = (("starting",), ("stage",), ("complete", "failed"))


def _parts(body: Body) -> Iterator[Body]:
    """
    An event slimmed to what is read; an execution of the API in an event's form.
    """
    execution = at(body, "content", "execution")
    given = execution if isinstance(execution, dict) else body if "details" not in body and "status" in body else None
    yield {
        "event": text_at(body, "details", "type") or ("execution" if given is body else "unknown"),
        "created": at(body, "details", "created"),
        "application": text_at(body, "details", "application"),
        "definition": given is None and "stages" in body,
        "execution": _execution(given) if given else None,
        **({} if given else {"given": body}),
    }


def _execution(one: Body) -> Body:
    kept = ("id", "application", "name", "description", "status", "startTime", "endTime", "buildTime")
    return {
        **{key: one.get(key) for key in kept},
        "user": first(at(one, "authentication", "user"), at(one, "trigger", "user")),
        "trigger": text_at(one, "trigger", "type"),
        "revision": _revision(at(one, "trigger")),
        "stages": [_stage(stage) for stage in objects_at(one, "stages")],
    }


def _stage(stage: Body) -> Body:
    context = at(stage, "context")
    cluster = at(context, "clusters", 0)
    zones = at(cluster, "availabilityZones")
    return {
        "type": text_at(stage, "type"),
        "name": text_at(stage, "name"),
        "status": lower(stage.get("status")),
        "account": first(at(context, "account"), at(context, "credentials"), at(cluster, "account")),
        "region": first(
            at(context, "region"),
            at(context, "regions", 0),
            at(cluster, "region"),
            *(zones if isinstance(zones, dict) else ()),
        ),
        "app": first(at(context, "moniker", "app"), at(cluster, "moniker", "app"), at(cluster, "application")),
    }


def _revision(trigger: object) -> str | None:
    """
    The version that a trigger brings: of an image or other artifact, of a build, of a commit.
    """
    artifacts = [*objects_at(trigger, "artifacts"), *objects_at(trigger, "resolvedExpectedArtifacts")]
    bound = [one for artifact in artifacts if isinstance(one := at(artifact, "boundArtifact") or artifact, dict)]
    versions = (first(one.get("version"), version_of(text_at(one, "reference"))) for one in bound)
    return first(
        next((one for one in versions if one), None),
        at(trigger, "tag"),
        at(trigger, "buildInfo", "scm", 0, "sha1"),
        at(trigger, "hash"),
        at(trigger, "buildInfo", "number"),
        at(trigger, "buildNumber"),
    )


def _part(body: Body, meta: Mapping[str, str]) -> str:
    identity = text_at(body, "execution", "id")
    return f"execution/{identity}" if identity and _kind(body) else f"{body.get('event')}/{digest_of(body)}"


def _phase(body: Body) -> str:
    event = text_at(body, "event") or ""
    return event.rpartition(":")[2] if event.startswith(("orca:pipeline:", "orca:orchestration:")) else "stage"


def _occurred(body: Body) -> datetime | None:
    moment = moment_at(body, ("created",), ("execution", "endTime"), ("execution", "startTime"))
    ended = lower(at(body, "execution", "status")) in _DONE
    return ranked(moment, "complete" if ended else _phase(body), _ORDER)


split = deliveries(_part, _occurred, _parts)


def transform(record: Record) -> Iterator[Item]:
    """
    An execution that deploys; events of others state nothing.
    """
    body = body_of(record)
    if body.get("definition"):
        raise BadRecord(
            f"{record.part}: a pipeline's definition, not an execution, so nothing happened; it is kept. Send echo's "
            "events, or the executions of /applications/APP/pipelines"
        )
    execution = body.get("execution")
    if not isinstance(execution, dict):
        event = text_at(body, "event") or "unknown"
        if event == "unknown" or event.startswith("orca:"):
            raise BadRecord(f"Spinnaker's event {event!r} holds no execution; it is kept")
        return
    kind = _kind(body)
    if kind:
        yield _change(body, execution, kind)


def _change(body: Body, execution: Body, kind: ChangeKind) -> Change:
    working = [one for one in objects_at(execution, "stages") if _type(one) in _DEPLOYING | _BACK | _SCALING]
    working = [one for one in working if one.get("status") not in _IDLE] or working
    application = first(body.get("application"), execution.get("application"))
    account = first(*(one.get("account") for one in working))
    status = lower(execution.get("status"))
    begun = moment_at(execution, ("startTime",), ("buildTime",)) or moment_at(body, ("created",))
    identity = text_at(execution, "id")
    user = named(execution.get("user"))
    return Change(
        id=f"spinnaker:{identity}",
        kind=kind,
        at=begun or named_time(None, f"`startTime` of execution {identity}"),
        ended_at=moment_at(execution, ("endTime",)) if status in _DONE else None,
        title=first(execution.get("name"), execution.get("description")) or f"Execution {identity}",
        services=service(first(*(one.get("app") for one in working), application)),
        environment=account.lower() if account else None,
        region=first(*(one.get("region") for one in working)),
        revision=text_at(execution, "revision"),
        actor=user,
        automated=execution.get("trigger") not in (None, "manual") or user in ("anonymous", "[anonymous]"),
        status=status,
        attributes=present(
            application=application,
            trigger=text_at(execution, "trigger"),
            stages=",".join(name for one in working if (name := text_at(one, "name"))),
        ),
    )


def _kind(body: Body) -> ChangeKind | None:
    """
    What an execution changes; None for one without a stage that changes anything, and for events of single tasks.
    """
    execution, event = at(body, "execution"), text_at(body, "event") or ""
    if not text_at(execution, "id") or event.startswith("orca:task:"):
        return None
    if not moment_at(execution, ("startTime",)) and lower(at(execution, "status")) in ("not_started", "buffered"):
        return None
    types = {_type(one) for one in objects_at(execution, "stages")}
    told = text_at(execution, "name"), text_at(execution, "description")
    if (types & _BACK and not types & _DEPLOYING) or rolls_back(*told):
        return ChangeKind.ROLLBACK
    if types & _DEPLOYING or deploys(*told):
        return ChangeKind.DEPLOY
    return ChangeKind.SCALING if types & _SCALING else None


def _type(stage: object) -> str:
    return (text_at(stage, "type") or "").lower()


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By an event's details beside its content.
    """
    details = payload.get("details")
    return isinstance(details, dict) and {"source", "type"} <= details.keys() and "content" in payload


CONNECTOR = Connector(
    name="spinnaker",
    summary="Spinnaker's echo events and executions: deploys, rollbacks, resizes",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("spinnaker/*.json", "spinnaker/*.jsonl"),
    recognises=recognises,
)
