"""
Sentry's releases and deploys: bodies of the REST API, lists of them, and webhooks with a `release` or a `deploy`.

A release is code that a deploy will carry, a deploy is a change of its projects. A deploy without its release names no
project: it has no service then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Change, ChangeKind, EntityId, EntityKind, Item, Record, Trust, entity_id
from ingest.connectors._events import attributes, ranked, through_relay
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, list_at, moment_at, named, objects_at, text_at
from ingest.parsing import named_time
from ingest.signing import Hmac


def _parts(body: Body) -> Iterator[Body]:
    """
    A delivery's release or deploy, and the last deploy that a release tells of, with what it needs of the release.
    """
    data = body.get("data")
    inner = data if isinstance(data, dict) else body
    release, deploy = inner.get("release"), inner.get("deploy")
    if isinstance(deploy, dict):
        given = release if isinstance(release, dict) else {"version": release}
        yield {
            **deploy,
            "releaseVersion": given.get("version"),
            "projects": deploy.get("projects") or given.get("projects"),
        }
        return
    one = release if isinstance(release, dict) else inner
    yield one
    last = one.get("lastDeploy")
    if isinstance(last, dict):
        yield {**last, "releaseVersion": one.get("version"), "projects": one.get("projects")}


def _is_deploy(body: Body) -> bool:
    return "environment" in body and "dateReleased" not in body


def _version(body: Body) -> str | None:
    return named(
        first(at(body, "releaseVersion"), at(body, "version"), at(body, "release", "version"), at(body, "release"))
    )


def _part(body: Body, meta: Mapping[str, str]) -> str:
    if _is_deploy(body):
        return f"deploy:{text_at(body, 'id') or digest_of(body)}"
    return f"release:{_version(body) or digest_of(body)}:{','.join(sorted(_projects(body)))}"


def _occurred(body: Body) -> datetime | None:
    if _is_deploy(body):
        finished = moment_at(body, ("dateFinished",))
        return ranked(finished, 1) or moment_at(body, ("dateStarted",), ("dateCreated",))
    released = moment_at(body, ("dateReleased",))
    return ranked(released, 1) or moment_at(body, ("dateCreated",))


def transform(record: Record) -> Iterator[Item]:
    """
    The release or the deploy.
    """
    body = body_of(record)
    if _is_deploy(body):
        yield _deploy(record, body)
    elif _version(body):
        yield _release(body)
    elif text_at(body, "action") or text_at(body, "installation"):
        return
    else:
        raise BadRecord(
            f"{record.part} is neither a release (with `version`) nor a deploy (with `environment`) of Sentry"
        )


def _projects(body: Body) -> list[str]:
    found = [text_at(one, "slug") or text_at(one, "name") for one in objects_at(body, "projects")]
    found += [one for one in list_at(body, "projects") if isinstance(one, str)]
    return [name for name in dict.fromkeys(found) if name]


def _services(body: Body) -> tuple[EntityId, ...]:
    return tuple(entity_id(EntityKind.SERVICE, name) for name in _projects(body))


def _deploy(record: Record, body: Body) -> Change:
    environment, version = text_at(body, "environment"), _version(body)
    began = first(at(body, "dateStarted"), at(body, "dateFinished"), at(body, "dateCreated"))
    finished = moment_at(body, ("dateFinished",))
    return Change(
        id=f"sentry:deploy:{text_at(body, 'id') or digest_of(body)}",
        kind=ChangeKind.DEPLOY,
        at=named_time(began, "`dateStarted` of the deploy") if began else record.received_at,
        ended_at=finished,
        title=first(at(body, "name"))
        or f"Deploy {version or ''} to {environment or 'an environment'}".replace("  ", " "),
        services=_services(body),
        environment=environment.lower() if environment else None,
        revision=version,
        status="finished" if finished else "started",
        url=text_at(body, "url"),
    )


def _release(body: Body) -> Change:
    version = _version(body) or ""
    when = first(at(body, "dateReleased"), at(body, "dateCreated"), at(body, "dateStarted"))
    package, _, build = version.partition("@")
    names = " ".join(_projects(body))
    commits = [text_at(body, "lastCommit", "id"), text_at(body, "ref")]
    commits += [text_at(one, "id") for one in objects_at(body, "commits")]
    return Change(
        id=f"sentry:release:{version}:{','.join(sorted(_projects(body)))}",
        kind=ChangeKind.CODE,
        at=named_time(when, "`dateReleased` of the release"),
        title=f"Release {version} of {names}" if names else f"Release {version}",
        services=_services(body),
        revision=version,
        actor=first(*(at(body, key, "name") for key in ("owner", "author")), at(body, "lastCommit", "author", "name")),
        status="released" if text_at(body, "dateReleased") else "created",
        carries=tuple(dict.fromkeys(commit for commit in commits if commit)),
        url=text_at(body, "url"),
        attributes=attributes(
            package=package if build else None,
            build=at(body, "versionInfo", "buildHash"),
            commits=at(body, "commitCount"),
        ),
    )


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By Sentry's header, else by the keys of a release or a deploy.
    """
    if headers.get("sentry-hook-resource") in ("release", "deploy"):
        return True
    keys = set(payload)
    return {"version", "dateCreated", "projects"} <= keys or {"environment", "dateStarted", "dateFinished"} <= keys


CONNECTOR = Connector(
    name="sentry_release",
    summary="Sentry's releases and deploys",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("sentry_release/*.json*",),
    recognises=through_relay(recognises),
    headers=("sentry-hook-resource", "request-id"),
    delivery=("request-id",),
    signing=Hmac(header="sentry-hook-signature"),
)
