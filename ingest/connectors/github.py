"""
GitHub's webhooks: deployments and their statuses, pushes, releases, workflow runs and merged pull requests.

A repository is not a service: the service is `deployment.payload.service` (or app) where given, else the repository's
name, and the repository is kept beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from graph.values import Change, ChangeKind, EntityKind, Item, Record, Trust, entity_id
from ingest.connectors.changes import kind_of_files
from ingest.contract import Connector, Piece
from ingest.errors import BadRecord
from ingest.fields import moment_at
from ingest.parsing import load_json, mapping_of, named_time, text_of
from ingest.signing import Hmac

Body = Mapping[str, object]
_NOT_PRODUCTION = {"github-pages"}
_STATES = ("queued", "pending", "in_progress", "success", "failure", "error", "inactive")
"""Of a deployment, in the order in which one follows another."""


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    One delivery. The part is the object, so that a later status replaces the earlier one.
    """
    text = text_of(raw, "the delivery")
    body = mapping_of(load_json(text, "the delivery"), "the delivery")
    event = meta.get("x-github-event") or event_of(body)
    repository = _at(body, "repository", "full_name") or ""
    yield Piece(
        part=f"{repository}/{event}/{_identity(event, body)}",
        body=text,
        occurred_at=_occurred(event, body),
        meta={"event": event},
    )


def _occurred(event: str, body: Body) -> datetime | None:
    """
    When the object became so: a deployment's status has no other time than its own, and two of them may share a second.
    """
    if event == "deployment_status":
        moment = moment_at(body, (event, "updated_at"), (event, "created_at"))
        state = _at(body, event, "state")
        return moment and moment + timedelta(microseconds=_STATES.index(state) + 1 if state in _STATES else 0)
    return moment_at(body, (event, "updated_at"), (event, "published_at"), (event, "created_at"))


def event_of(body: Body) -> str:
    """
    The event's name where the header is missing, from the body's own shape.
    """
    for name in ("deployment_status", "deployment", "workflow_run", "check_run", "release", "pull_request"):
        if name in body:
            return name
    return "push" if "pusher" in body else "unknown"


def _identity(event: str, body: Body) -> str:
    if event == "push":
        return str(body.get("after", ""))
    keys = {"deployment_status": "deployment"}
    found = _at(body, keys.get(event, event), "id")
    attempt = _at(body, "workflow_run", "run_attempt") if event == "workflow_run" else None
    return f"{found}.{attempt}" if attempt else str(found)


def transform(record: Record) -> Iterator[Item]:
    """
    What a delivery says was changed; events that change nothing state nothing.
    """
    body = mapping_of(load_json(record.body, record.part), record.part)
    event = record.meta.get("event") or event_of(body)
    reader = _READERS.get(event)
    if reader is None:
        if event in ("ping", "check_run", "check_suite", "status", "create", "delete"):
            return
        raise BadRecord(f"GitHub's event {event!r} is not read yet; the delivery is kept")
    yield from reader(body)


def _deployment(body: Body) -> Iterator[Change]:
    deployment = mapping_of(body.get("deployment"), "deployment")
    status = mapping_of(body.get("deployment_status") or {}, "deployment_status")
    environment = status.get("environment") or deployment.get("environment")
    if str(environment).lower() in _NOT_PRODUCTION or status.get("state") == "inactive":
        return
    payload = deployment.get("payload")
    details = payload if isinstance(payload, dict) else {}
    named = (details.get("service"), details.get("app"), _at(body, "repository", "name"))
    service = next((name for name in named if str(name or "").strip()), None)
    state = str(status.get("state") or "pending")
    done = state in ("success", "failure", "error")
    yield Change(
        id=f"deployment:{deployment.get('id')}",
        kind=ChangeKind.ROLLBACK if "rollback" in str(deployment.get("task", "")).lower() else ChangeKind.DEPLOY,
        at=named_time(deployment.get("created_at"), "`created_at` of the deployment"),
        ended_at=named_time(status.get("created_at"), "`created_at` of the deployment's status") if done else None,
        title=str(deployment.get("description") or f"Deploy {service} {deployment.get('ref', '')}").strip(),
        services=(entity_id(EntityKind.SERVICE, str(service)),) if service else (),
        repository=_repository(body),
        environment=str(environment).lower() if environment else None,
        revision=_text(deployment.get("sha")),
        actor=_text(_at(deployment, "creator", "login")),
        automated=_at(deployment, "creator", "type") == "Bot",
        status=state,
        url=_text(status.get("target_url") or status.get("log_url") or deployment.get("url")),
        attributes={"ref": str(deployment.get("ref", ""))},
    )


def _push(body: Body) -> Iterator[Change]:
    commits = body.get("commits")
    default = _at(body, "repository", "default_branch")
    if default and body.get("ref") != f"refs/heads/{default}":
        return
    for commit in commits if isinstance(commits, list) else []:
        lists = [commit.get(key) for key in ("added", "removed", "modified")]
        files = tuple(str(path) for found in lists if isinstance(found, list) for path in found)
        message = str(commit.get("message", ""))
        yield Change(
            id=str(commit.get("id")),
            kind=kind_of_files(files),
            at=named_time(commit.get("timestamp"), f"`timestamp` of commit {commit.get('id')}"),
            title=message.split("\n")[0],
            text="\n".join(message.split("\n")[1:]).strip(),
            repository=_repository(body),
            revision=_text(commit.get("id")),
            actor=_text(_at(commit, "author", "username") or _at(commit, "author", "name")),
            files=files,
            url=_text(commit.get("url")),
        )


def _release(body: Body) -> Iterator[Change]:
    if body.get("action") not in ("published", "released"):
        return
    release = mapping_of(body.get("release"), "release")
    yield Change(
        id=f"release:{release.get('id')}",
        kind=ChangeKind.CODE,
        at=named_time(release.get("published_at") or release.get("created_at"), "`published_at` of the release"),
        title=f"Release {release.get('tag_name')} of {_at(body, 'repository', 'name')}",
        text=str(release.get("body") or ""),
        services=(entity_id(EntityKind.SERVICE, str(_at(body, "repository", "name"))),),
        repository=_repository(body),
        revision=_text(release.get("tag_name")),
        actor=_text(_at(release, "author", "login")),
        url=_text(release.get("html_url")),
    )


def _workflow_run(body: Body) -> Iterator[Change]:
    run = mapping_of(body.get("workflow_run"), "workflow_run")
    if "deploy" not in f"{run.get('name')} {run.get('path')}".lower():
        return
    done = run.get("status") == "completed"
    yield Change(
        id=f"workflow_run:{run.get('id')}",
        kind=ChangeKind.DEPLOY,
        at=named_time(run.get("run_started_at") or run.get("created_at"), "`run_started_at` of the run"),
        ended_at=named_time(run.get("updated_at"), "`updated_at` of the run") if done else None,
        title=str(run.get("display_title") or run.get("name")),
        services=(entity_id(EntityKind.SERVICE, str(_at(body, "repository", "name"))),),
        repository=_repository(body),
        revision=_text(run.get("head_sha")),
        actor=_text(_at(run, "actor", "login")),
        status=_text(run.get("conclusion") or run.get("status")),
        url=_text(run.get("html_url")),
    )


def _pull_request(body: Body) -> Iterator[Change]:
    pull = mapping_of(body.get("pull_request"), "pull_request")
    if body.get("action") != "closed" or pull.get("merged") is not True:
        return
    yield Change(
        id=f"pr:{pull.get('number')}@{_at(body, 'repository', 'full_name')}",
        kind=ChangeKind.CODE,
        at=named_time(pull.get("merged_at"), "`merged_at` of the pull request"),
        title=str(pull.get("title")),
        text=str(pull.get("body") or ""),
        merge=True,
        repository=_repository(body),
        revision=_text(pull.get("merge_commit_sha")),
        actor=_text(_at(pull, "merged_by", "login") or _at(pull, "user", "login")),
        automated=_at(pull, "user", "type") == "Bot",
        carries=tuple(str(sha) for sha in (_at(pull, "head", "sha"),) if sha),
        url=_text(pull.get("html_url")),
    )


_READERS: dict[str, Callable[[Body], Iterator[Change]]] = {
    "deployment": _deployment,
    "deployment_status": _deployment,
    "push": _push,
    "release": _release,
    "workflow_run": _workflow_run,
    "pull_request": _pull_request,
}


def _at(body: object, *path: str) -> object | None:
    for key in path:
        body = body.get(key) if isinstance(body, dict) else None
    return body


def _text(value: object) -> str | None:
    return str(value) if value not in (None, "") else None


def _repository(body: Body) -> str | None:
    name = _at(body, "repository", "full_name")
    return entity_id(EntityKind.REPOSITORY, str(name)) if name else None


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By GitHub's header, else by a repository beside one of the events.
    """
    if "x-github-event" in headers:
        return True
    return isinstance(payload.get("repository"), dict) and "sender" in payload and event_of(payload) != "unknown"


CONNECTOR = Connector(
    name="github",
    summary="GitHub webhooks: deployments, pushes, releases, workflow runs, merged pull requests",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("github/*.json",),
    recognises=recognises,
    headers=("x-github-event", "x-github-delivery"),
    delivery=("x-github-delivery",),
    signing=Hmac(header="x-hub-signature-256", prefix="sha256="),
)
