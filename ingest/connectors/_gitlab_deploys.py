"""
GitLab's deployments and the jobs that make them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from graph.values import Change, ChangeKind, Record
from ingest.commits import deploys, is_bot, rolls_back
from ingest.connectors._gitlab_hooks import actor_of, project_name, project_path
from ingest.contract import Body
from ingest.fields import at, first, moment_at, objects_at, present, repository, service, text_at
from ingest.parsing import mapping_of, named_end, named_time

STATES = (
    ("created", "pending", "waiting_for_resource", "preparing", "manual", "scheduled", "blocked"),
    ("running",),
    ("success", "failed", "canceling"),
    ("canceled", "skipped"),
)
"""A deployment's and a job's, in their order."""
_BEGUN = {"running", "success", "failed", "canceled", "canceling"}
_DONE = {"success", "failed", "canceled"}
_SHA = re.compile(r"/commit/([0-9a-f]{40,64})")


def deployed(body: Body) -> str:
    """
    What a deployment is known by: the job that makes it, else its own id.
    """
    job = text_at(body, "deployable_id")
    return f"job/{job}" if job else f"deployment/{text_at(body, 'deployment_id')}"


def deployment(body: Body, record: Record) -> Iterator[Change]:
    """
    A deployment that began; one that waits has changed nothing.
    """
    state = text_at(body, "status")
    if state not in _BEGUN:
        return
    # older versions do not say when
    moment = moment_at(body, ("status_changed_at",)) or record.received_at
    environment = text_at(body, "environment")
    title = text_at(body, "commit_title")
    yield Change(
        id=f"gitlab:{deployed(body).replace('/', ':')}",
        kind=ChangeKind.DEPLOY,
        at=moment_at(body, ("started_at",)) or moment,
        ended_at=moment if state in _DONE else None,
        title=f"Deploy {project_name(body)} to {environment}" + (f": {title}" if title else ""),
        services=service(project_name(body)),
        repository=repository(project_path(body)),
        environment=environment.lower() if environment else None,
        revision=_revision(body),
        actor=actor_of(body),
        automated=is_bot(actor_of(body)),
        status=state,
        url=text_at(body, "deployable_url"),
        attributes=present(
            ref=text_at(body, "ref"), tier=text_at(body, "environment_tier"), deployment=text_at(body, "deployment_id")
        ),
    )


def build(body: Body, record: Record) -> Iterator[Change]:
    """
    A job that began, where it has an environment or its name says that it deploys.
    """
    state, name = text_at(body, "build_status"), text_at(body, "build_name")
    environment = first(at(body, "environment", "name"))
    action = text_at(body, "environment", "action") or "start"
    if state not in _BEGUN or action not in ("start", "stop") or _was_canceled_early(body):
        return
    if not environment and not deploys(name, text_at(body, "build_stage")):
        return
    begun = body.get("build_started_at") or body.get("build_created_at")
    verb = "Stop" if action == "stop" else "Roll back" if rolls_back(name) else "Deploy"
    yield Change(
        id=f"gitlab:job:{body.get('build_id')}",
        kind=ChangeKind.ROLLBACK if rolls_back(name) else ChangeKind.DEPLOY,
        at=named_time(begun, f"`build_started_at` of job {body.get('build_id')}"),
        ended_at=named_end(body.get("build_finished_at"), "`build_finished_at`") if state in _DONE else None,
        title=f"{verb} {project_name(body)}" + (f" in {environment}" if environment else "") + f": job {name}",
        services=service(project_name(body)),
        repository=repository(project_path(body)),
        environment=environment.lower() if environment else None,
        revision=text_at(body, "sha"),
        actor=actor_of(body),
        automated=is_bot(actor_of(body)),
        status=state,
        url=first(body.get("url"), _page(body, f"jobs/{body.get('build_id')}")),
        attributes=present(ref=text_at(body, "ref"), tier=text_at(body, "environment", "deployment_tier")),
    )


def _was_canceled_early(body: Body) -> bool:
    return text_at(body, "build_status") == "canceled" and not body.get("build_started_at")


def pipeline(body: Body, record: Record) -> Iterator[Change]:
    """
    Its jobs are read one by one; only a pipeline that is named a deploy and lists no jobs is a change itself.
    """
    pipeline = mapping_of(body.get("object_attributes"), "object_attributes")
    state = text_at(pipeline, "status")
    if objects_at(body, "builds") or state not in _BEGUN or not deploys(text_at(pipeline, "name")):
        return
    yield Change(
        id=f"gitlab:pipeline:{pipeline.get('id')}",
        kind=ChangeKind.ROLLBACK if rolls_back(text_at(pipeline, "name")) else ChangeKind.DEPLOY,
        at=named_time(pipeline.get("started_at") or pipeline.get("created_at"), "`created_at` of the pipeline"),
        ended_at=moment_at(pipeline, ("finished_at",), ("updated_at",)) if state in _DONE else None,
        title=f"{pipeline.get('name')} of {project_name(body)}",
        services=service(project_name(body)),
        repository=repository(project_path(body)),
        revision=text_at(pipeline, "sha"),
        actor=actor_of(body),
        automated=pipeline.get("source") == "schedule" or is_bot(actor_of(body)),
        status=state,
        url=text_at(pipeline, "url"),
        attributes=present(ref=text_at(pipeline, "ref")),
    )


def _revision(body: Body) -> str | None:
    found = _SHA.search(text_at(body, "commit_url") or "")
    return found[1] if found else first(body.get("sha"), body.get("short_sha"))


def _page(body: Body, path: str) -> str | None:
    home = first(at(body, "project", "web_url"), at(body, "repository", "homepage"))
    return f"{home}/-/{path}" if home else None
