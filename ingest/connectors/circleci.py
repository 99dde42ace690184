"""
CircleCI's webhooks `workflow-completed` and `job-completed`, and workflows and jobs of its API, where their name says
that they deploy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Change, ChangeKind, EntityId, Item, Record, Trust
from ingest.commits import deploys, headline, is_bot, rolls_back
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
from ingest.signing import Hmac

_WAITING = {"on_hold", "queued", "not_run", "blocked", "unauthorized", "not_running"}
_HOSTS = {"gh", "github", "bb", "bitbucket"}


def _parts(body: Body) -> Iterator[Body]:
    """
    The webhooks in a body: itself, or each workflow or job of a page of the API in a webhook's form.
    """
    for one in objects_at(body, "items") or [body]:
        if isinstance(one.get("workflow"), dict) or "project_slug" not in one:
            yield one
            continue
        kind = "workflow" if "pipeline_id" in one else "job"
        slug = text_at(one, "project_slug") or ""
        yield {
            "type": f"{kind}-completed",
            kind: one,
            "project": {"slug": slug, "name": slug.rpartition("/")[2]},
            "pipeline": {"id": one.get("pipeline_id"), "number": one.get("pipeline_number")},
        }


def _thing(body: Body) -> tuple[str, object]:
    kind = "job" if text_at(body, "type") == "job-completed" else "workflow"
    return kind, at(body, kind)


def _part(body: Body, meta: Mapping[str, str]) -> str:
    _, thing = _thing(body)
    return f"{text_at(body, 'type') or 'unknown'}/{text_at(thing, 'id') or text_at(body, 'id') or digest_of(body)}"


def _occurred(body: Body) -> datetime | None:
    kind, _ = _thing(body)
    return moment_at(body, (kind, "stopped_at"), ("happened_at",), (kind, "started_at"), (kind, "created_at"))


split = deliveries(_part, _occurred, _parts)


def transform(record: Record) -> Iterator[Item]:
    """
    A workflow or job that deploys; others, and test pings, state nothing.
    """
    body = body_of(record)
    event = text_at(body, "type") or "unknown"
    if event == "ping":
        return
    if event not in ("workflow-completed", "job-completed"):
        raise BadRecord(f"CircleCI's event {event!r} is not read yet; it is kept. Leave it out of the webhook")
    kind, thing = _thing(body)
    found = mapping_of(thing, kind)
    if deploys(text_at(found, "name")) and lower(found.get("status")) not in _WAITING:
        yield _change(body, kind, found)


def _change(body: Body, kind: str, found: Body) -> Change:
    pipeline, name, project = at(body, "pipeline"), text_at(found, "name"), text_at(body, "project", "name")
    commit = at(pipeline, "vcs", "commit")
    title, _ = headline(text_at(commit, "subject"))
    actor = first(at(commit, "author", "name"), at(pipeline, "trigger", "actor", "login"))
    return Change(
        id=f"circleci:{kind}:{first(found.get('id'), found.get('number'))}",
        kind=ChangeKind.ROLLBACK if rolls_back(name) else ChangeKind.DEPLOY,
        at=named_time(found.get("started_at") or found.get("created_at"), f"`created_at` of {kind} {name}"),
        ended_at=moment_at(found, ("stopped_at",)),
        title=f"{name} of {project}" + (f": {title}" if title else ""),
        services=service(project),
        repository=_repository(body),
        revision=first(at(pipeline, "vcs", "revision"), at(pipeline, "trigger_parameters", "git", "checkout_sha")),
        actor=actor,
        automated=is_bot(actor) or text_at(pipeline, "trigger", "type") == "schedule",
        status=lower(found.get("status")),
        text=text_at(commit, "body") or "",
        url=text_at(found, "url"),
        attributes=present(
            ref=first(at(pipeline, "vcs", "branch"), at(pipeline, "vcs", "tag")), pipeline=text_at(pipeline, "number")
        ),
    )


def _repository(body: Body) -> EntityId | None:
    """
    That of a slug like `gh/owner/name`; projects of CircleCI's own kind have ids there.
    """
    system, _, path = (text_at(body, "project", "slug") or "").partition("/")
    return repository(path) if system in _HOSTS and path.count("/") == 1 else None


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By CircleCI's own headers, else by an event's name beside its pipeline.
    """
    if "circleci-event-type" in headers or "circleci-signature" in headers:
        return True
    return payload.get("type") in ("workflow-completed", "job-completed") and "pipeline" in payload


CONNECTOR = Connector(
    name="circleci",
    summary="CircleCI webhooks and API: workflows and jobs that deploy",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("circleci/*.json", "circleci/*.jsonl"),
    recognises=recognises,
    headers=("circleci-event-type",),
    signing=Hmac(header="circleci-signature", prefix="v1="),
)
