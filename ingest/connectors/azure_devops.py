"""
Azure DevOps: service hooks (builds and pipeline runs that deploy, pushes, completed pull requests, deployments of
releases) and the same things as the REST API lists them.

A build or run is a change only where its pipeline or stage says that it deploys. A release's deployment to one
environment is one change from its start to its end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from graph.values import Change, ChangeKind, Item, Record, Trust
from ingest.commits import deploys, headline, is_bot, is_commit, is_merge, ranked, reverted, rolls_back
from ingest.connectors._azure_releases import COMPLETED, RUNNING, STARTED, WAITING, deployment_id, release, told
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
    objects_at,
    present,
    repository,
    service,
    text_at,
)
from ingest.parsing import mapping_of, named_time
from ingest.signing import Shared

_RUN, _STAGE = "ms.vss-pipelines.run-state-changed-event", "ms.vss-pipelines.stage-state-changed-event"
_STATES = (
    ("notstarted", "queued", "waiting"),
    ("inprogress", "running", "active"),
    ("succeeded", "completed", "rejected"),
)
_REVERTED_REQUEST = re.compile(r"\breverts? !(\d+)", re.IGNORECASE)
_SOURCE = re.compile(r"(?:^|:)([0-9a-f]{7,64})$")
_NO_CHANGE = re.compile(
    r"^(workitem\.|tfvc\.|message\.posted|git\.repo\.|git\.pullrequest\.|git\.branch\.|build\.|ms\.vss-code\."
    r"|ms\.vss-release\.|ms\.vss-pipelinechecks|ms\.vss-pipelines\.|ms\.advancedsecurity\.|elasticagentpool)"
)


def _parts(body: Body) -> Iterator[Body]:
    """
    The hooks in a body: itself, or each thing of a page of the REST API as the hook that tells it.
    """
    page = objects_at(body, "value") if "eventType" not in body else ()
    yield from (_hook(one) for one in page or [body])


def _hook(one: Body) -> Body:
    if "eventType" in one:
        return one
    if "buildNumber" in one:
        return {"eventType": "build.complete", "resource": one}
    if "releaseEnvironment" in one:
        return {"eventType": COMPLETED, "resource": {"deployment": one, "project": one.get("projectReference")}}
    if "pullRequestId" in one:
        return {"eventType": "git.pullrequest.merged", "resource": one}
    if "pushId" in one and "repository" in one:
        return {"eventType": "git.push", "resource": one}
    if "pipeline" in one and "state" in one:
        return {"eventType": _RUN, "resource": {"run": one}}
    return one


def _event(body: Body) -> str:
    return text_at(body, "eventType") or "unknown"


def _part(body: Body, meta: Mapping[str, str]) -> str:
    event, resource = _event(body), at(body, "resource")
    if event.startswith("git.pullrequest."):
        name = f"pullrequest/{_full_name(resource)}/{text_at(resource, 'pullRequestId')}"
        return name if _is_merged(body) else f"{name}/quiet"
    if event == "git.push":
        return f"push/{_full_name(resource)}/{text_at(resource, 'pushId')}"
    if event in (STARTED, COMPLETED):
        return f"release/{deployment_id(resource)}"
    if event == _STAGE:
        return f"stage/{text_at(resource, 'run', 'id')}/{text_at(resource, 'stage', 'id')}"
    if event in (_RUN, "build.complete"):
        return f"build/{first(at(resource, 'run', 'id'), at(resource, 'id'))}"
    return f"{event}/{first(at(resource, 'id'), body.get('id')) or digest_of(body)}"


def _occurred(body: Body) -> datetime | None:
    moment = moment_at(
        body,
        ("resource", "closedDate"),
        ("resource", "finishTime"),
        ("resource", "run", "finishedDate"),
        ("resource", "deployment", "completedOn"),
        ("createdDate",),
        ("resource", "deployment", "startedOn"),
        ("resource", "run", "createdDate"),
        ("resource", "date"),
        ("resource", "startTime"),
    )
    if _event(body) == STARTED:
        return moment
    resource = at(body, "resource")
    state = first(at(resource, "stage", "state"), at(resource, "run", "state"), at(resource, "status"))
    return ranked(moment, "completed" if _event(body) == COMPLETED else state, _STATES)


split = deliveries(_part, _occurred, _parts)


def transform(record: Record) -> Iterator[Item]:
    """
    What a hook says was changed; what changes nothing states nothing.
    """
    body = body_of(record)
    event = _event(body)
    reader = _READERS.get(event)
    if reader:
        yield from reader(body, mapping_of(body.get("resource"), "resource"))
    elif event.startswith("git.pullrequest."):
        yield from _pullrequest(body, mapping_of(body.get("resource"), "resource"))
    elif not _NO_CHANGE.match(event):
        raise BadRecord(
            f"Azure DevOps' event {event!r} is not read yet; the delivery is kept. "
            "If it changes nothing, remove its subscription"
        )


def _push(body: Body, push: Body) -> Iterator[Change]:
    default = text_at(push, "repository", "defaultBranch")
    heads = [one for one in objects_at(push, "refUpdates") if not default or one.get("name") == default]
    heads = [one for one in heads if is_commit(text_at(one, "newObjectId"))]
    if not heads:
        return
    commits = objects_at(push, "commits")
    for commit in commits or [{"commitId": one.get("newObjectId")} for one in heads]:
        sha = text_at(commit, "commitId")
        title, rest = headline(text_at(commit, "comment"))
        moment = moment_at(commit, ("committer", "date"), ("author", "date"))
        author = first(at(commit, "author", "name"), at(push, "pushedBy", "displayName"))
        yield Change(
            id=str(sha),
            kind=ChangeKind.CODE,
            at=moment or named_time(push.get("date"), f"`date` of push {push.get('pushId')}"),
            title=title or f"Push of {(sha or '')[:12]}",
            text=rest,
            repository=repository(_full_name(push)),
            revision=sha,
            actor=author,
            automated=is_bot(author),
            merge=is_merge(title),
            reverts=reverted(rest),
            url=text_at(commit, "url"),
        )


def _pullrequest(body: Body, pull: Body) -> Iterator[Change]:
    if not _is_merged(body):
        return
    text = text_at(pull, "description") or ""
    head = text_at(pull, "lastMergeSourceCommit", "commitId")
    back = _REVERTED_REQUEST.search(text)
    actor = first(at(pull, "closedBy", "displayName"), at(pull, "createdBy", "displayName"))
    name = _full_name(pull)
    yield Change(
        id=f"azure_devops:pr:{name}!{pull.get('pullRequestId')}",
        kind=ChangeKind.CODE,
        at=named_time(pull.get("closedDate") or body.get("createdDate"), "`closedDate` of the pull request"),
        title=text_at(pull, "title") or "",
        text=text,
        merge=True,
        repository=repository(name),
        revision=text_at(pull, "lastMergeCommit", "commitId"),
        actor=actor,
        automated=is_bot(text_at(pull, "createdBy", "displayName")),
        reverts=f"azure_devops:pr:{name}!{back[1]}" if back else reverted(text),
        carries=(head,) if head else (),
        url=first(at(pull, "_links", "web", "href"), at(pull, "url")),
        attributes=present(target=(text_at(pull, "targetRefName") or "").removeprefix("refs/heads/")),
    )


def _build(body: Body, build: Body) -> Iterator[Change]:
    definition = text_at(build, "definition", "name")
    state = lower(first(build.get("result"), build.get("status")))
    if not deploys(definition) or state in WAITING:
        return
    source = _SOURCE.search(first(build.get("sourceVersion"), build.get("sourceGetVersion")) or "")
    home = build.get("repository")
    yield Change(
        id=f"azure_devops:build:{build.get('id')}",
        kind=ChangeKind.ROLLBACK if rolls_back(definition) else ChangeKind.DEPLOY,
        at=named_time(build.get("startTime") or build.get("queueTime"), f"`startTime` of build {build.get('id')}"),
        ended_at=moment_at(build, ("finishTime",)),
        title=f"{definition} {text_at(build, 'buildNumber') or ''}".strip(),
        services=service(first(at(home, "name"), definition)),
        repository=repository(first(at(home, "name"))),
        revision=source[1] if source else None,
        actor=_requester(build),
        automated=text_at(build, "reason") == "schedule",
        status=state,
        url=first(at(build, "_links", "web", "href"), build.get("url")),
        attributes=present(ref=text_at(build, "sourceBranch")),
    )


def _run(body: Body, resource: Body) -> Iterator[Change]:
    run = mapping_of(resource.get("run"), "run")
    pipeline = first(at(run, "pipeline", "name"), at(resource, "pipeline", "name"))
    state = lower(first(run.get("result"), run.get("state")))
    if deploys(pipeline) and state not in WAITING:
        yield _run_of(body, resource, f"azure_devops:build:{run.get('id')}", pipeline, None, state)


def _stage(body: Body, resource: Body) -> Iterator[Change]:
    stage = mapping_of(resource.get("stage"), "stage")
    name = first(stage.get("displayName"), stage.get("name"))
    state = lower(first(stage.get("result"), stage.get("state")))
    if deploys(name, text_at(stage, "name")) and state not in WAITING:
        identity = f"azure_devops:stage:{text_at(resource, 'run', 'id')}:{first(stage.get('id'), stage.get('name'))}"
        yield _run_of(body, resource, identity, first(at(resource, "pipeline", "name")), name, state)


def _run_of(
    body: Body, resource: Body, identity: str, pipeline: str | None, stage: str | None, state: str | None
) -> Change:
    begun = moment_at(resource, ("stage", "startTime"), ("run", "createdDate")) or moment_at(body, ("createdDate",))
    change = at(resource, "repositories", 0, "change")
    home = at(resource, "run", "resources", "repositories", "self")
    return Change(
        id=identity,
        kind=ChangeKind.ROLLBACK if rolls_back(pipeline, stage) else ChangeKind.DEPLOY,
        at=begun or named_time(None, "`createdDate` of the run"),
        ended_at=None if state in RUNNING else moment_at(resource, ("run", "finishedDate")) or told(body),
        title=" ".join(part for part in (pipeline, text_at(resource, "run", "name"), stage) if part),
        services=service(first(at(home, "repository", "name"), pipeline)),
        repository=repository(at(home, "repository", "fullName")),
        revision=first(at(change, "version"), at(home, "version")),
        actor=first(at(resource, "run", "createdBy", "displayName"), at(change, "author", "name")),
        status=state,
        url=first(at(resource, "run", "_links", "web", "href"), at(resource, "run", "_links", "pipeline.web", "href")),
        attributes=present(stage=stage, ref=text_at(home, "refName")),
    )


_READERS: dict[str, Callable[[Body, Body], Iterator[Change]]] = {
    "build.complete": _build,
    "git.push": _push,
    _RUN: _run,
    _STAGE: _stage,
    STARTED: release,
    COMPLETED: release,
}


def _is_merged(body: Body) -> bool:
    return text_at(body, "resource", "status") == "completed"


def _full_name(thing: object) -> str:
    home = at(thing, "repository")
    return "/".join(part for part in (text_at(home, "project", "name"), text_at(home, "name")) if part)


def _requester(build: Body) -> str | None:
    return first(
        at(build, "requestedFor", "displayName"),
        at(build, "requests", 0, "requestedFor", "displayName"),
        at(build, "lastChangedBy", "displayName"),
    )


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By a service hook's own fields.
    """
    return "eventType" in payload and "publisherId" in payload and "resource" in payload


CONNECTOR = Connector(
    name="azure_devops",
    summary="Azure DevOps service hooks and REST: releases, deploying runs, pushes, completed pull requests",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("azure_devops/*.json", "azure_devops/*.jsonl"),
    recognises=recognises,
    signing=Shared(),
)
