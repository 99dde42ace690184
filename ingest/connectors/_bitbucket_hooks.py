"""
What the hooks and the REST API of Bitbucket Cloud and Server have in common.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from graph.values import EntityId
from ingest.commits import is_commit
from ingest.contract import Body
from ingest.fields import at, first, objects_at, repository, text_at

_MAIL = re.compile(r"\s*<[^>]*>")


def parts(body: Body) -> Iterator[Body]:
    """
    The deliveries in a body: itself, each change of a push, or each thing of a page of the REST API.
    """
    if isinstance(body.get("values"), list):
        yield from (_hook(one) for one in objects_at(body, "values"))
        return
    for key in ("push", "changes"):
        changes = objects_at(body, "push", "changes") if key == "push" else objects_at(body, "changes")
        if key in body and changes:
            yield from ({**body, "push": {}, "changes": [], "change": one} for one in changes)
            return
    yield _hook(body)


def _hook(one: Body) -> Body:
    """
    A thing of the REST API beside its repository, as a hook holds it.
    """
    kind = text_at(one, "type")
    if kind == "pullrequest":
        return {"pullrequest": one, "repository": at(one, "destination", "repository")}
    if kind in ("pipeline", "deployment", "commit"):
        return {kind: one, "repository": one.get("repository")}
    return one


def pull_of(body: Body) -> Body:
    """
    The pull request of either product.
    """
    found = body.get("pullrequest") or body.get("pullRequest")
    return found if isinstance(found, dict) else {}


def is_merged(body: Body) -> bool:
    """
    Whether it tells a merge. The vendor's own examples name all states at once, so a merge's commit counts too.
    """
    pull = pull_of(body)
    state = text_at(pull, "state") or ""
    commit = at(pull, "merge_commit", "hash")
    return "comment" not in body and (
        state == "MERGED" or bool(commit and state not in ("OPEN", "DECLINED", "SUPERSEDED"))
    )


def state_of(body: Body) -> str | None:
    """
    The state of a status, pipeline or deployment, in lower case.
    """
    thing = body.get("deployment") or body.get("pipeline")
    names = ("result", "status") if isinstance(thing, dict) else ()
    found = first(
        *(at(thing, "state", key, "name") for key in names),
        at(thing, "state", "name"),
        at(body, "commit_status", "state"),
    )
    return found.lower() if found else None


def ref_of(body: Body) -> str:
    """
    The name of the branch or tag of a change.
    """
    change = at(body, "change")
    found = first(at(change, "new", "name"), at(change, "old", "name"), at(change, "ref", "displayId"))
    return found or ""


def head_of(body: Body) -> str | None:
    """
    The commit that it points to now; None where it was removed.
    """
    change = at(body, "change")
    found = first(at(change, "new", "target", "hash"), at(change, "toHash"))
    return found if is_commit(found) else None


def full_name(body: Body) -> str:
    """
    `workspace/repository`, on a server `PROJECT/repository`.
    """
    home = body.get("repository") or at(pull_of(body), "toRef", "repository")
    if found := text_at(home, "full_name"):
        return found
    parts = text_at(home, "project", "key"), first(at(home, "slug"), at(home, "name"))
    return "/".join(part for part in parts if part)


def name_of(body: Body) -> str:
    """
    The repository's own name.
    """
    return full_name(body).rpartition("/")[2]


def repository_of(body: Body) -> EntityId | None:
    """
    The repository as an entity.
    """
    return repository(full_name(body))


def person_of(person: object) -> str | None:
    """
    A person's display name, never the mail address.
    """
    user = at(person, "user") or person
    found = first(
        at(user, "display_name"), at(user, "displayName"), at(user, "nickname"), at(user, "name"), at(person, "raw")
    )
    return _MAIL.sub("", found).strip() or None if found else None
