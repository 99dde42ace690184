"""
Things of GitHub's REST API in the form of the webhook that tells of them.
"""

from __future__ import annotations

import re

from ingest.contract import Body
from ingest.fields import at, list_at, objects_at, text_at

BODIES = ("deployment_status", "deployment", "workflow_run", "check_run", "release", "pull_request")
"""The keys by which a webhook's body names what it is about."""
_REPOSITORY_URL = re.compile(r"/repos/([^/]+/[^/]+)/")


def delivery_of(one: Body) -> Body:
    """
    A thing of the REST API as the webhook that tells it.
    """
    if "sender" in one or "pusher" in one or any(isinstance(one.get(name), dict) for name in BODIES):
        return one
    if "head_sha" in one and "workflow_id" in one:
        return {"workflow_run": one, **_home(one, at(one, "repository"))}
    if "sha" in one and ("task" in one or "statuses_url" in one):
        return {"deployment": one, **_home(one)}
    if "merge_commit_sha" in one and "base" in one:
        return {"pull_request": one, **_home(one, at(one, "base", "repo"))}
    if "tag_name" in one:
        return {"release": one, **_home(one)}
    if "sha" in one and isinstance(one.get("commit"), dict):
        return {"pusher": {}, "after": one.get("sha"), "commits": [_pushed(one)], **_home(one)}
    return one


def _home(one: Body, given: object = None) -> Body:
    found = _REPOSITORY_URL.search(text_at(one, "url") or "")
    if isinstance(given, dict) or not found:
        return {"repository": given}
    return {"repository": {"full_name": found[1], "name": found[1].partition("/")[2]}}


def _pushed(one: Body) -> Body:
    files = objects_at(one, "files")
    return {
        "id": one.get("sha"),
        "message": at(one, "commit", "message"),
        "timestamp": at(one, "commit", "committer", "date"),
        "url": one.get("html_url"),
        "author": {"username": at(one, "author", "login"), "name": at(one, "commit", "author", "name")},
        "modified": [name for file in files if (name := text_at(file, "filename"))],
        "merge": len(list_at(one, "parents")) > 1,
    }
