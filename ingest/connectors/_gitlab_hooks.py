"""
Things of GitLab's REST API, and the deploying jobs of a pipeline, in the form of the hook that tells of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.contract import Body
from ingest.fields import at, first, list_at, objects_at, text_at

_PROJECT_URL = re.compile(r"^https?://[^/]+/(?P<path>.+?)(?:/-/|\.git$|$)")
_URLS = (
    ("project", "web_url"), ("repository", "homepage"), ("deployable_url",), ("web_url",), ("url",),
    ("object_attributes", "url"), ("_links", "self"), ("deployable", "web_url"),
    ("deployable", "pipeline", "web_url"),
)  # fmt: skip


def project_path(body: Body) -> str | None:
    """
    The full path of the project (`group/project`), from its own field or a page's address.
    """
    found = first(
        at(body, "project", "path_with_namespace"),
        at(body, "object_attributes", "target", "path_with_namespace"),
    )
    if found:
        return found
    pages = (_PROJECT_URL.match(text_at(body, *path) or "") for path in _URLS)
    return next((page["path"] for page in pages if page and not page["path"].startswith("api/")), None)


def project_name(body: Body) -> str | None:
    """
    The last name of the project's path.
    """
    return first((project_path(body) or "").rpartition("/")[2], at(body, "project", "name"))


def actor_of(body: Body) -> str | None:
    return first(
        at(body, "user", "username"), at(body, "user", "name"), body.get("user_username"), body.get("user_name")
    )


def hook_of(one: Body) -> Body:
    """
    A thing of the REST API as the hook that tells it; anything else as it is.
    """
    if "object_kind" in one or "event_name" in one:
        return one
    for needed, made in _SHAPES:
        if needed <= one.keys():
            return {**made(one), "project": {"path_with_namespace": project_path(one)}, "rest": True}
    return one


def _deployment(one: Body) -> Body:
    return {
        "object_kind": "deployment",
        "status": one.get("status"),
        "status_changed_at": one.get("updated_at") or one.get("created_at"),
        "started_at": at(one, "deployable", "started_at") or one.get("created_at"),
        "deployment_id": one.get("id"),
        "deployable_id": at(one, "deployable", "id"),
        "deployable_url": at(one, "deployable", "web_url"),
        "environment": at(one, "environment", "name"),
        "environment_tier": at(one, "environment", "tier"),
        "sha": one.get("sha"),
        "ref": one.get("ref"),
        "user": one.get("user"),
        "commit_title": at(one, "deployable", "commit", "title"),
    }


def _merge_request(one: Body) -> Body:
    user = one.get("merge_user") or one.get("merged_by") or one.get("author")
    return {"object_kind": "merge_request", "user": user, "object_attributes": {**one, "url": one.get("web_url")}}


def _release(one: Body) -> Body:
    return {"object_kind": "release", **one, "tag": one.get("tag_name"), "url": at(one, "_links", "self")}


def _commit(one: Body) -> Body:
    commit = {
        "id": one.get("id"),
        "message": one.get("message") or one.get("title"),
        "timestamp": one.get("committed_date"),
        "url": one.get("web_url"),
        "author": {"name": one.get("author_name")},
        "merge": len(list_at(one, "parent_ids")) > 1,
    }
    return {"object_kind": "push", "after": one.get("id"), "commits": [commit]}


def _job(one: Body) -> Body:
    return {**_job_of(one, one), "sha": at(one, "commit", "id"), "url": one.get("web_url")}


def _job_of(job: Body, whole: Body) -> Body:
    return {
        "object_kind": "build",
        "ref": at(whole, "object_attributes", "ref") or job.get("ref"),
        "sha": at(whole, "object_attributes", "sha"),
        "build_id": job.get("id"),
        "build_name": job.get("name"),
        "build_stage": job.get("stage"),
        "build_status": job.get("status"),
        "build_created_at": job.get("created_at"),
        "build_started_at": job.get("started_at"),
        "build_finished_at": job.get("finished_at"),
        "environment": job.get("environment"),
        "user": job.get("user"),
        "project": whole.get("project"),
    }


def _pipeline(one: Body) -> Body:
    return {
        "object_kind": "pipeline",
        "object_attributes": {**one, "url": one.get("web_url"), "finished_at": one.get("finished_at")},
        "user": one.get("user"),
    }


def _flag(one: Body) -> Body:
    return {"object_kind": "feature_flag", "object_attributes": one}


_SHAPES = (
    (frozenset({"iid", "environment", "deployable"}), _deployment),
    (frozenset({"iid", "target_branch", "merge_commit_sha"}), _merge_request),
    (frozenset({"tag_name", "released_at"}), _release),
    (frozenset({"short_id", "committed_date"}), _commit),
    (frozenset({"stage", "pipeline", "status"}), _job),
    (frozenset({"sha", "ref", "status", "web_url"}), _pipeline),
    (frozenset({"strategies", "active", "name"}), _flag),
)


def parts(body: Body) -> Iterator[Body]:
    """
    The hooks in a body: itself, and each job of a pipeline as the hook of that job.
    """
    hook = hook_of(body)
    yield hook
    if hook.get("object_kind") == "pipeline":
        yield from (_job_of(job, hook) for job in objects_at(hook, "builds"))
