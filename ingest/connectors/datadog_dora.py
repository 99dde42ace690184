"""
Datadog's DORA metrics (deployments, failures, patches of a deployment) and its change events.

A deployment is a change, a failure an incident. A patch that says how a bad deployment was mended is the change that
mended it; one that only marks a deployment as bad states nothing. Of events, those of the category `change` count, and
older ones whose tags or title say that something was deployed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Change, ChangeKind, EntityId, EntityKind, Incident, Item, Record, Trust, entity_id
from ingest.connectors._events import attributes, deploys, person, ranked
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, list_at, moment_at, named, objects_at, text_at
from ingest.parsing import named_time, texts_of

_TYPES = {"feature_flag": ChangeKind.FLAG, "configuration": ChangeKind.CONFIG, "deployment": ChangeKind.DEPLOY}


def _parts(body: Body) -> Iterator[Body]:
    """
    Each as {id, type, attributes}.
    """
    given = body.get("data")
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, dict) and isinstance(one.get("attributes"), dict):
            yield one
    if not isinstance(given, dict | list):
        old = "date_happened" in body or "tags" in body
        yield {"id": body.get("id"), "type": "old_event" if old else body.get("type"), "attributes": dict(body)}


def _kind(body: Body) -> str:
    """
    deployment, failure, patch, change or event.
    """
    name, fields = (text_at(body, "type") or "").lower(), at(body, "attributes")
    keys = set(fields) if isinstance(fields, dict) else set()
    if "patch" in name or (keys & {"change_failure", "remediation"} and not keys & {"started_at", "finished_at"}):
        return "patch"
    if name == "old_event":
        return "event"
    if name == "event" or "category" in keys or "message" in keys:
        return "change"
    if name in ("dora_failure", "dora_incident") or ("started_at" in keys and keys & {"severity", "name", "services"}):
        return "failure"
    return "deployment" if "started_at" in keys or "finished_at" in keys else ""


def _identity(body: Body) -> str:
    return first(at(body, "id"), at(body, "attributes", "id")) or digest_of(_lasting(at(body, "attributes")))


def _lasting(fields: object) -> object:
    """
    What stays the same when a failure ends.
    """
    keys = (
        "service",
        "services",
        "name",
        "version",
        "started_at",
        "team",
        "env",
        "title",
        "text",
        "timestamp",
        "remediation",
    )
    return {key: fields[key] for key in keys if key in fields} if isinstance(fields, dict) else fields


def _part(body: Body, meta: Mapping[str, str]) -> str:
    return f"{_kind(body) or 'unknown'}:{_identity(body)}"


def _occurred(body: Body) -> datetime | None:
    fields = at(body, "attributes")
    finished = moment_at(fields, ("finished_at",))
    return ranked(finished, 1) or moment_at(fields, ("started_at",), ("timestamp",), ("date_happened",))


def transform(record: Record) -> Iterator[Item]:
    """
    The change or incident.
    """
    body = body_of(record)
    kind, fields = _kind(body), at(body, "attributes")
    if kind == "deployment":
        yield _deployment(body, fields)
    elif kind == "failure":
        yield _failure(body, fields)
    elif kind == "patch":
        yield from _patch(record, body, fields)
    elif kind == "change":
        yield from _changed(record, body, fields)
    elif kind == "event":
        yield from _event(record, body, fields)
    else:
        raise BadRecord(
            f"{record.part} is none of Datadog's deployments, failures, patches or change events; it is kept"
        )


def _services(fields: object) -> tuple[EntityId, ...]:
    names = [at(fields, "service"), *list_at(fields, "services")]
    return tuple(entity_id(EntityKind.SERVICE, name) for one in names if (name := named(one)))


def _environment(fields: object) -> str | None:
    found = first(at(fields, "env"), at(fields, "environment"))
    return found.lower() if found else None


def _repository(fields: object) -> EntityId | None:
    url = first(at(fields, "git", "repository_url"), at(fields, "git", "repository_id"), at(fields, "repository_url"))
    path = (url or "").removesuffix(".git").partition("://")[2] or (url or "").removesuffix(".git")
    name = path.replace(":", "/").partition("/")[2]
    return entity_id(EntityKind.REPOSITORY, name or path) if path else None


def _deployment(body: Body, fields: object) -> Change:
    services, version = _services(fields), named(at(fields, "version"))
    commit = text_at(fields, "git", "commit_sha")
    name = services[0].partition(":")[2] if services else "a service"
    return Change(
        id=f"datadog:deployment:{_identity(body)}",
        kind=ChangeKind.DEPLOY,
        at=named_time(first(at(fields, "started_at"), at(fields, "finished_at")), "`started_at` of the deployment"),
        ended_at=moment_at(fields, ("finished_at",)),
        title=f"Deploy {name} {version or commit or ''}".strip(),
        services=services,
        repository=_repository(fields),
        environment=_environment(fields),
        revision=version or commit,
        carries=(commit,) if commit else (),
        status="failure"
        if at(fields, "change_failure") is True
        else "finished"
        if at(fields, "finished_at")
        else "started",
        attributes=attributes(team=at(fields, "team"), remediation=at(fields, "remediation", "type")),
    )


def _failure(body: Body, fields: object) -> Incident:
    started = named_time(at(fields, "started_at"), "`started_at` of the failure")
    services = _services(fields)
    version = named(at(fields, "version"))
    return Incident(
        id=f"datadog:failure:{_identity(body)}",
        title=first(at(fields, "name")) or f"Failure of {', '.join(one.partition(':')[2] for one in services)}",
        at=started,
        detected_at=started,
        resolved_at=moment_at(fields, ("finished_at",)),
        severity=text_at(fields, "severity"),
        services=services,
        environment=_environment(fields),
        attributes=attributes(team=at(fields, "team"), version=version, commit=at(fields, "git", "commit_sha")),
    )


def _patch(record: Record, body: Body, fields: object) -> Iterator[Change]:
    remedy = text_at(fields, "remediation", "type")
    if remedy is None:
        return
    version, to = named(at(fields, "version")), named(at(fields, "remediation", "version"))
    back = remedy.lower() == "rollback"
    what = first(at(fields, "service"), version, at(body, "id")) or "a deployment"
    identity = first(at(body, "id"), at(fields, "remediation", "id")) or digest_of(_lasting(fields))
    yield Change(
        id=f"datadog:remediation:{identity}",
        kind=ChangeKind.ROLLBACK if back else ChangeKind.DEPLOY,
        at=record.received_at,
        title=f"{'Roll back' if back else 'Roll forward'} {what}" + (f" to {to}" if to else ""),
        services=_services(fields),
        environment=_environment(fields),
        revision=to,
        previous=version,
        reverts=first(version, at(body, "id")) if back else None,
        status=remedy,
    )


def _changed(record: Record, body: Body, fields: object) -> Iterator[Change]:
    inner = at(fields, "attributes")
    category = first(at(fields, "category"), at(inner, "evt", "category"), at(inner, "category"))
    if category and category != "change":
        raise BadRecord(
            f"Datadog's event of the category {category!r} is no change; it is kept: send alerts to datadog_alerts"
        )
    resource = text_at(inner, "changed_resource", "name")
    kind = _TYPES.get(text_at(inner, "changed_resource", "type") or "")
    title = first(at(fields, "title"), at(inner, "title"), at(fields, "message")) or f"{resource} changed"
    tags = _tags(fields)
    if kind is None and not (resource or _told(title, tags)):
        return
    impacted = [
        text_at(one, "name") for one in objects_at(inner, "impacted_resources") if text_at(one, "type") == "service"
    ]
    names = [*impacted, text_at(inner, "service"), tags.get("service")]
    environment = tags.get("env") or text_at(inner, "env")
    yield Change(
        id=f"datadog:event:{_identity(body)}",
        kind=kind or ChangeKind.DEPLOY,
        at=moment_at(fields, ("timestamp",), ("date_happened",)) or record.received_at,
        title=title,
        services=tuple(entity_id(EntityKind.SERVICE, name) for name in dict.fromkeys(n for n in names if n)),
        environment=environment.lower() if environment else None,
        revision=_value(at(inner, "new_value")) or tags.get("version"),
        previous=_value(at(inner, "prev_value")),
        actor=text_at(inner, "author", "name"),
        automated=text_at(inner, "author", "type") in ("system", "api", "automation"),
        text=text_at(fields, "message") or "",
        attributes=attributes(
            flag=resource if kind is ChangeKind.FLAG else None, resource=resource, team=tags.get("team")
        ),
    )


def _event(record: Record, body: Body, fields: object) -> Iterator[Change]:
    title, tags = text_at(fields, "title") or "", _tags(fields)
    if not _told(title, tags):
        raise BadRecord(f"Datadog's event {title[:60]!r} does not say that something was deployed; it is kept")
    environment = tags.get("env") or tags.get("environment")
    yield Change(
        id=f"datadog:event:{_identity(body)}",
        kind=ChangeKind.ROLLBACK if "rollback" in title.lower() else ChangeKind.DEPLOY,
        at=moment_at(fields, ("date_happened",), ("timestamp",)) or record.received_at,
        title=title,
        services=tuple(entity_id(EntityKind.SERVICE, name) for name in [tags.get("service")] if name),
        environment=environment.lower() if environment else None,
        revision=tags.get("version"),
        actor=(person(tags.get("user")) or "").partition(":")[2] or None,
        status=text_at(fields, "alert_type"),
        text=text_at(fields, "text") or "",
        url=text_at(fields, "url"),
    )


def _tags(fields: object) -> dict[str, str]:
    """
    `{"env": "prod"}` of `["env:prod"]`; a tag without a value by itself.
    """
    return {tag.partition(":")[0].lower(): tag.partition(":")[2] for tag in texts_of(at(fields, "tags"))}


def _told(title: str, tags: Mapping[str, str]) -> bool:
    return deploys(title) or any(
        deploys(f"{key} {value}") for key, value in tags.items() if key in ("event", "type", "deploy", "deployment")
    )


def _value(value: object) -> str | None:
    """
    The only field of a changed value, where it has no more than one.
    """
    if isinstance(value, dict) and len(value) == 1:
        return first(*value.values())
    return first(value)


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    A body of the DORA API, or an event of the category change.
    """
    one = at(payload, "data", 0) or payload.get("data")
    fields = at(one, "attributes")
    if not isinstance(fields, dict):
        return False
    dora = isinstance(fields.get("started_at"), int) and ("service" in fields or "severity" in fields)
    named = str(at(one, "type")).startswith("dora_")
    return named or dora or fields.get("category") == "change"


CONNECTOR = Connector(
    name="datadog_dora",
    summary="Datadog's DORA deployments, failures and patches, and its change events",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("datadog_dora/*.json*",),
    recognises=recognises,
)
