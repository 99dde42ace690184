"""
GitLab's project and system hooks, and its REST answers: deployments, deploying jobs (alone or within a pipeline),
pushes, tags, merged merge requests, releases, feature flags.

A deployment and the job that made it are one change, named by the job. A project is not a service, but its last name
is taken for the service's where something is deployed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from graph.values import Change, ChangeKind, Item, Record, Trust
from ingest.commits import headline, is_bot, is_commit, is_merge, ranked, reverted, touched
from ingest.connectors._gitlab_deploys import STATES, build, deployed, deployment, pipeline
from ingest.connectors._gitlab_hooks import actor_of, parts, project_name, project_path
from ingest.connectors.changes import kind_of_files
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import (
    at,
    body_of,
    deliveries,
    digest_of,
    first,
    moment_at,
    objects_at,
    present,
    repository,
    service,
    text_at,
)
from ingest.parsing import mapping_of, named_time
from ingest.signing import AnyOf, Shared, StandardWebhooks

_REVERTED_REQUEST = re.compile(r"reverts merge request (?P<project>[\w./-]*)!(?P<number>\d+)", re.IGNORECASE)
_NO_CHANGE = frozenset({
    "note", "issue", "wiki_page", "emoji", "access_token", "resource_access_token", "member", "subgroup", "project",
    "milestone", "work_item", "confidential_issue", "confidential_note", "vulnerability", "repository_update",
    "resource_deploy_token",
})  # fmt: skip
_DELIVERY = ("idempotency-key", "webhook-id", "x-gitlab-event-uuid")
_SYSTEM = re.compile(r"^(user|project|group|key|member)_")
"""Of system hooks: people, projects and keys, whose names begin so."""


def _kind(body: Body) -> str:
    found = first(body.get("object_kind"), body.get("event_name")) or "unknown"
    return "build" if found == "job" else found


def _part(body: Body, meta: Mapping[str, str]) -> str:
    kind = _kind(body)
    name = f"{project_path(body) or text_at(body, 'project_id') or ''}/{_NAMES.get(kind, _named)(body)}"
    return f"{name}/{delivered}" if kind == "feature_flag" and (delivered := _delivery(meta)) else name


def _delivery(meta: Mapping[str, str]) -> str | None:
    """
    The id of a delivery. The hook of a flag carries no time, so only this tells one switching from the next.
    """
    return first(*(meta.get(name) for name in _DELIVERY))


def _named(body: Body) -> str:
    return f"{_kind(body)}/{text_at(body, 'object_attributes', 'id') or digest_of(body)}"


def _pushed(body: Body) -> str:
    after = text_at(body, "after")
    return f"{_kind(body)}/{body.get('ref') or ''}/{after if is_commit(after) else 'gone'}"


def _requested(body: Body) -> str:
    quiet = "" if _is_merged(body) else "/quiet"
    return f"merge_request/{text_at(body, 'object_attributes', 'iid')}{quiet}"


def _released(body: Body) -> str:
    return f"release/{text_at(body, 'tag')}" + ("/quiet" if body.get("action") == "delete" else "")


_NAMES: dict[str, Callable[[Body], str]] = {
    "deployment": deployed,
    "build": lambda body: f"job/{text_at(body, 'build_id')}",
    "push": _pushed,
    "tag_push": _pushed,
    "merge_request": _requested,
    "release": _released,
    "feature_flag": lambda body: f"flag/{text_at(body, 'object_attributes', 'name')}/{_switched(body)}",
}


def _occurred(body: Body) -> datetime | None:
    kind = _kind(body)
    state = first(body.get("status"), body.get("build_status"), at(body, "object_attributes", "status"))
    if kind in ("push", "tag_push"):
        return moment_at(body, ("commits", -1, "timestamp"))
    if kind == "release":
        moment = moment_at(body, ("released_at",), ("created_at",))
        return ranked(moment, text_at(body, "action"), (("create",), ("update",), ("delete",)))
    paths = {
        "deployment": (("status_changed_at",),),
        "build": (("build_finished_at",), ("build_started_at",), ("build_created_at",)),
        "pipeline": (("object_attributes", "finished_at"), ("object_attributes", "created_at")),
    }.get(kind, (("object_attributes", "updated_at"), ("object_attributes", "created_at")))
    return ranked(moment_at(body, *paths), state, STATES)


split = deliveries(_part, _occurred, parts)


def transform(record: Record) -> Iterator[Item]:
    """
    What a hook says was changed; what changes nothing states nothing.
    """
    body = body_of(record)
    kind = _kind(body)
    reader = _READERS.get(kind)
    if reader:
        yield from reader(body, record)
    elif kind not in _NO_CHANGE and not _SYSTEM.match(kind):
        raise BadRecord(
            f"GitLab's event {kind!r} is not read yet; the delivery is kept. "
            "If it changes nothing, switch it off in the webhook's triggers"
        )


def _push(body: Body, record: Record) -> Iterator[Change]:
    default = text_at(body, "project", "default_branch")
    if default and "ref" in body and body.get("ref") != f"refs/heads/{default}":
        return
    for commit in objects_at(body, "commits"):
        title, rest = headline(text_at(commit, "message"))
        files = touched(commit)
        author = text_at(commit, "author", "name")
        yield Change(
            id=str(commit.get("id")),
            kind=kind_of_files(files),
            at=named_time(commit.get("timestamp"), f"`timestamp` of commit {commit.get('id')}"),
            title=title,
            text=rest,
            repository=repository(project_path(body)),
            revision=text_at(commit, "id"),
            actor=author,
            automated=is_bot(author),
            merge=is_merge(title) or commit.get("merge") is True,
            files=files,
            reverts=reverted(rest),
            url=text_at(commit, "url"),
        )


def _tag_push(body: Body, record: Record) -> Iterator[Change]:
    tag = (text_at(body, "ref") or "").removeprefix("refs/tags/")
    if not tag or not is_commit(text_at(body, "after")):
        return
    sha = first(body.get("checkout_sha"), body.get("after"))
    yield Change(
        id=f"gitlab:tag:{project_path(body)}@{tag}",
        kind=ChangeKind.CODE,
        at=moment_at(body, ("commits", -1, "timestamp")) or record.received_at,
        title=f"Tag {tag} of {project_name(body)}",
        text=text_at(body, "message") or "",
        services=service(project_name(body)),
        repository=repository(project_path(body)),
        revision=tag,
        actor=actor_of(body),
        automated=is_bot(actor_of(body)),
        carries=(sha,) if sha else (),
    )


def _merge_request(body: Body, record: Record) -> Iterator[Change]:
    request = mapping_of(body.get("object_attributes"), "object_attributes")
    if not _is_merged(body):
        return
    text = text_at(request, "description") or ""
    head = first(at(request, "last_commit", "id"), request.get("sha"))
    yield Change(
        id=f"gitlab:mr:{project_path(body)}!{request.get('iid')}",
        kind=ChangeKind.CODE,
        at=named_time(request.get("merged_at") or request.get("updated_at"), "`updated_at` of the merge request"),
        title=text_at(request, "title") or "",
        text=text,
        merge=True,
        repository=repository(project_path(body)),
        revision=first(request.get("merge_commit_sha"), request.get("squash_commit_sha"), head),
        actor=actor_of(body),
        automated=is_bot(actor_of(body)),
        reverts=_taken_back(text, project_path(body)),
        carries=(head,) if head else (),
        url=text_at(request, "url"),
        attributes=present(target=text_at(request, "target_branch")),
    )


def _taken_back(text: str, project: str | None) -> str | None:
    found = _REVERTED_REQUEST.search(text)
    return f"gitlab:mr:{found['project'] or project}!{found['number']}" if found else reverted(text)


def _release(body: Body, record: Record) -> Iterator[Change]:
    if body.get("action") == "delete":
        return
    tag = text_at(body, "tag")
    sha = text_at(body, "commit", "id")
    yield Change(
        id=f"gitlab:release:{project_path(body)}@{tag}",
        kind=ChangeKind.CODE,
        at=named_time(body.get("released_at") or body.get("created_at"), "`released_at` of the release"),
        title=f"Release {text_at(body, 'name') or tag} of {project_name(body)}",
        text=text_at(body, "description") or "",
        services=service(project_name(body)),
        repository=repository(project_path(body)),
        revision=tag,
        actor=first(at(body, "author", "username")),
        carries=(sha,) if sha else (),
        url=text_at(body, "url"),
    )


def _flag(body: Body, record: Record) -> Iterator[Change]:
    name, state = text_at(body, "object_attributes", "name"), _switched(body)
    if not name:
        raise BadRecord("`name` of the feature flag is missing; the delivery is kept")
    delivered = _delivery(record.meta)
    yield Change(
        id=f"gitlab:flag:{project_path(body)}:{name}:{state}" + (f"@{delivered}" if delivered else ""),
        kind=ChangeKind.FLAG,
        at=moment_at(body, ("object_attributes", "updated_at")) or record.received_at,
        title=f"Flag {name} turned {state}",
        text=text_at(body, "object_attributes", "description") or "",
        services=service(project_name(body)),
        repository=repository(project_path(body)),
        actor=actor_of(body),
        status=state,
        attributes={"flag": name},
    )


_READERS: dict[str, Callable[[Body, Record], Iterator[Change]]] = {
    "deployment": deployment,
    "build": build,
    "pipeline": pipeline,
    "push": _push,
    "tag_push": _tag_push,
    "merge_request": _merge_request,
    "release": _release,
    "feature_flag": _flag,
}


def _is_merged(body: Body) -> bool:
    request = at(body, "object_attributes")
    return text_at(request, "state") == "merged" and text_at(request, "action") in (None, "merge")


def _switched(body: Body) -> str:
    return "on" if at(body, "object_attributes", "active") is True else "off"


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By GitLab's header, else by `object_kind` beside a project of GitLab's.
    """
    if "x-gitlab-event" in headers:
        return True
    return "object_kind" in payload and ("project" in payload or "project_id" in payload)


CONNECTOR = Connector(
    name="gitlab",
    summary="GitLab hooks and REST: deployments, deploying jobs, pushes, tags, merges, releases, flags",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("gitlab/*.json", "gitlab/*.jsonl"),
    recognises=recognises,
    headers=("x-gitlab-event", *_DELIVERY),
    delivery=_DELIVERY,
    signing=AnyOf(schemes=(Shared(header="x-gitlab-token"), StandardWebhooks())),
)
