"""
Deployments of Azure DevOps' classic releases.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from graph.values import Change, ChangeKind
from ingest.commits import rolls_back
from ingest.contract import Body
from ingest.fields import at, first, lower, moment_at, objects_at, present, service, text_at
from ingest.parsing import named_time

STARTED, COMPLETED = "ms.vss-release.deployment-started-event", "ms.vss-release.deployment-completed-event"
WAITING = {"notstarted", "queued", "waiting", "pending", "postponed", "skipped", "notdeployed"}
"""States of what has changed nothing yet."""
RUNNING = {"inprogress", "running", "active", "canceling", "cancelling"}


def release(body: Body, resource: Body) -> Iterator[Change]:
    """
    The deployment of a release to one environment, from its start to its end.
    """
    deployment, environment = at(resource, "deployment"), _environment(resource)
    made = _made(resource)
    definition = first(
        at(deployment, "releaseDefinition", "name"),
        at(environment, "releaseDefinition", "name"),
        at(made, "releaseDefinition", "name"),
    )
    ended = body.get("eventType") == COMPLETED
    state = lower(first(at(deployment, "deploymentStatus"), at(environment, "status"))) or "inprogress"
    if ended and state in WAITING:
        return
    name, stage = text_at(made, "name"), text_at(environment, "name")
    begun = moment_at(deployment, ("startedOn",), ("queuedOn",)) or moment_at(
        environment, ("deploySteps", -1, "queuedOn")
    )
    back = rolls_back(name, text_at(resource, "comment"), text_at(deployment, "reason"))
    yield Change(
        id=f"azure_devops:release:{deployment_id(resource)}",
        kind=ChangeKind.ROLLBACK if back else ChangeKind.DEPLOY,
        at=begun or named_time(body.get("createdDate"), "`createdDate` of the deployment"),
        ended_at=(moment_at(deployment, ("completedOn",)) or told(body)) if state not in RUNNING else None,
        title=f"Deploy {definition or ''} {name or ''} to {stage}".replace("  ", " "),
        services=service(definition),
        environment=stage.lower() if stage else None,
        revision=_artifact(made),
        actor=first(
            at(deployment, "requestedFor", "displayName"),
            at(environment, "owner", "displayName"),
            at(made, "createdBy", "displayName"),
        ),
        automated=text_at(deployment, "reason") in ("automated", "scheduled"),
        status=state,
        url=first(at(made, "_links", "web", "href"), at(environment, "release", "_links", "web", "href")),
        attributes=present(release=name, project=text_at(resource, "project", "name")),
    )


def _made(resource: object) -> object:
    """
    The release: where it is told with its artifacts, else where it is told at all.
    """
    places = at(resource, "release"), at(resource, "deployment", "release"), at(_environment(resource), "release")
    told = [one for one in places if isinstance(one, dict)]
    return next((one for one in told if objects_at(one, "artifacts")), told[0] if told else None)


def _environment(resource: object) -> object:
    return at(resource, "environment") or at(resource, "deployment", "releaseEnvironment")


def deployment_id(resource: object) -> str:
    """
    What a deployment is known by in all its events: release, environment, and the attempt after the first.
    """
    environment = _environment(resource)
    release = first(
        at(environment, "releaseId"), at(environment, "release", "id"), at(resource, "release", "id"),
        at(resource, "deployment", "release", "id"),
    )  # fmt: skip
    attempt = (
        first(
            at(resource, "deployment", "attempt"),
            at(resource, "attemptId"),
            at(environment, "deploySteps", -1, "attempt"),
        )
        or "1"
    )
    return f"{release}:{text_at(environment, 'id')}" + (f".{attempt}" if attempt != "1" else "")


def _artifact(release: object) -> str | None:
    """
    The version of the release's main artifact.
    """
    artifacts = objects_at(release, "artifacts")
    chosen = next((one for one in artifacts if one.get("isPrimary") is True), artifacts[0] if artifacts else None)
    reference = at(chosen, "definitionReference")
    return first(at(reference, "sourceVersion", "id"), at(reference, "version", "name"), at(reference, "version", "id"))


def told(body: Body) -> datetime | None:
    """
    When the event itself was made.
    """
    return moment_at(body, ("createdDate",))
