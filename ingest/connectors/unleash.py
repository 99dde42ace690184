"""
Unleash: events as its webhook sends them (bare, or as `json` beside a Markdown text) and as its REST API lists them.

What alters how a flag is served is a change of kind flag, what alters an environment or a context field one of config.
Users, tokens, groups, tags and requests that are not applied yet state nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Change, ChangeKind, Item, Record, Trust
from ingest.connectors._events import attributes, unread
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, moment_at, objects_at, text_at, texts
from ingest.markdown import plain
from ingest.parsing import named_time

_SYSTEM = "-1337"
_NO_CHANGE_OF_FLAG = (
    "feature-tagged", "feature-untagged", "features-exported", "feature-favorited", "feature-unfavorited",
    "feature-potentially-stale-on", "feature-metadata-updated", "feature-link", "feature-lifecycle",
)  # fmt: skip
_FLAG = (
    "feature-",
    "features-",
    "segment-",
    "strategy-",
    "change-request-applied",
    "release-plan-",
    "drop-",
    "milestone-",
)
_CONFIG = ("environment-", "context-field-", "project-environment-", "default-strategy", "dependency-")
_NO_CHANGE = (
    "change-request-", "scheduled-change-request", "change-added", "change-discarded", "change-edited", "addon-",
    "integration-", "api-token-", "user-", "users-", "group-", "role-", "pat-", "setting-", "client-", "banner-",
    "service-account-", "incoming-webhook-", "public-signup-", "project-", "tag-", "application-", "signal-",
    "actions-", "frontend-", "cors-", "scim-", "maintenance-", "unknown-flag",
)  # fmt: skip


def _parts(body: Body) -> Iterator[Body]:
    events = objects_at(body, "events")
    if events and "type" not in body:
        yield from events
        return
    inner = body.get("json")
    told = {"markdown": body["markdown"]} if isinstance(body.get("markdown"), str) else {}
    yield {**inner, **told} if isinstance(inner, dict) else body


def _part(body: Body, meta: Mapping[str, str]) -> str:
    return f"event:{text_at(body, 'id') or digest_of(body)}"


def _occurred(body: Body) -> datetime | None:
    return moment_at(body, ("createdAt",))


def kind_of(event: str) -> ChangeKind | None:
    """
    What an event alters; None where it alters nothing. Raises BadRecord for one that is not known.
    """
    if event.startswith(_NO_CHANGE_OF_FLAG):
        return None
    for prefixes, kind in ((_FLAG, ChangeKind.FLAG), (_CONFIG, ChangeKind.CONFIG), (_NO_CHANGE, None)):
        if event.startswith(prefixes):
            return kind
    raise unread("Unleash", event)


def transform(record: Record) -> Iterator[Item]:
    """
    The change that an event tells of.
    """
    body = body_of(record)
    event = text_at(body, "type")
    if not event:
        raise BadRecord(f"{record.part} has no `type`; let Unleash's webhook send {{{{eventJson}}}}")
    kind = kind_of(event)
    if kind is None:
        return
    name = first(at(body, "featureName"), at(body, "data", "name"), at(body, "preData", "name"))
    environment = text_at(body, "environment")
    actor = first(at(body, "createdBy"))
    told = first(at(body, "markdown"), at(body, "summary"))
    yield Change(
        id=f"unleash:{text_at(body, 'id') or record.part}",
        kind=kind,
        at=named_time(at(body, "createdAt"), "`createdAt` of the event"),
        title=plain(told) if told else " ".join(word for word in (event, name, environment) if word),
        environment=environment.lower() if environment else None,
        actor=actor,
        automated=text_at(body, "createdByUserId") == _SYSTEM or (actor or "").startswith("unleash_system"),
        status=event,
        text="\n".join(_differences(body)),
        attributes=attributes(
            flag=name if event.startswith(("feature", "strategy", "drop")) else None,
            segment=name if event.startswith("segment") else None,
            project=at(body, "project"),
            label=at(body, "label"),
        ),
    )


def _differences(body: Body) -> Iterator[str]:
    before, after = texts(at(body, "preData")), texts(at(body, "data"))
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key) and key not in ("createdAt", "lastSeenAt"):
            yield f"{key}: {before.get(key, '-')[:300]} to {after.get(key, '-')[:300]}"


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    An event with its own keys, bare or under `json`.
    """
    inner = payload.get("json") or at(payload, "events", 0)
    body = inner if isinstance(inner, dict) else payload
    return (
        isinstance(body.get("type"), str)
        and {"createdAt", "createdBy", "id"} <= set(body)
        and ("featureName" in body or "createdByUserId" in body)
    )


CONNECTOR = Connector(
    name="unleash",
    summary="Unleash's webhook and events: flags, strategies, segments, environments",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("unleash/*.json*",),
    recognises=recognises,
)
