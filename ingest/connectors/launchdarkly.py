"""
LaunchDarkly: entries of the audit log, as a webhook, as an integration's context, or by its REST API.

Flags, segments and experiments are changes of kind flag, environments and projects of config, AI configs of model. What
alters no behaviour of software (members, tokens, roles) states nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Change, ChangeKind, EntityId, EntityKind, Item, Record, Trust, entity_id
from ingest.connectors._events import attributes, through_relay, unread
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, list_at, moment_at, objects_at, text, text_at
from ingest.markdown import plain
from ingest.parsing import named_time
from ingest.signing import Hmac

_KINDS = {
    "flag": ChangeKind.FLAG, "segment": ChangeKind.FLAG, "experiment": ChangeKind.FLAG, "metric": ChangeKind.FLAG,
    "holdout": ChangeKind.FLAG, "layer": ChangeKind.FLAG, "release": ChangeKind.FLAG, "environment": ChangeKind.CONFIG,
    "project": ChangeKind.CONFIG, "context-kind": ChangeKind.CONFIG, "aiconfig": ChangeKind.MODEL,
    "ai-config": ChangeKind.MODEL, "ai-model-config": ChangeKind.MODEL, "ai-tool": ChangeKind.MODEL,
}  # fmt: skip
_NO_CHANGE = frozenset({
    "member", "token", "role", "team", "account", "webhook", "integration", "user", "service-token", "code-reference",
    "code-reference-repository", "destination", "relay-proxy-config", "application", "application-version", "goal",
    "template", "release-pipeline", "pending-request", "approval", "approval-request", "domain-verification",
    "metric-group", "view", "announcement", "session", "audit-log", "insight-group", "policy",
})  # fmt: skip
_RESOURCE = re.compile(r"(?:^|:)(proj|env|[a-z][a-z-]*)/([^:;]+)")


def _parts(body: Body) -> Iterator[Body]:
    items = objects_at(body, "items")
    yield from items if items and "kind" not in body else [body]


def _part(body: Body, meta: Mapping[str, str]) -> str:
    return f"entry:{text_at(body, '_id') or digest_of(body)}"


def _occurred(body: Body) -> datetime | None:
    return moment_at(body, ("date",), ("timestamp", "milliseconds"), ("timestamp", "rfc3339"), ("timestamp",))


def transform(record: Record) -> Iterator[Item]:
    """
    The change that an entry of the audit log tells of.
    """
    body = body_of(record)
    kind = (text_at(body, "kind") or "").lower()
    if kind in _NO_CHANGE:
        return
    if not kind:
        raise BadRecord(f"{record.part} has no `kind`; expected an entry of LaunchDarkly's audit log")
    if kind not in _KINDS:
        raise unread("LaunchDarkly", kind)
    yield _change(record, body, kind)


def _change(record: Record, body: Body, kind: str) -> Change:
    resource = _resource(body)
    key = first(at(body, "key"), resource.get(kind), at(body, "target", "key"), at(body, "name"))
    environment = first(at(body, "project", "environment", "key"), resource.get("env"))
    title = first(at(body, "title", "plainText"), at(body, "title"))
    return Change(
        id=f"launchdarkly:{text_at(body, '_id') or record.part}",
        kind=_KINDS[kind],
        at=_occurred(body) or named_time(None, "`date` of the entry"),
        title=plain(title) if title else f"{text_at(body, 'titleVerb') or 'changed'} {kind} {key}",
        services=tuple(_services(body)),
        environment=environment.lower() if environment and environment.strip("*~") else None,
        revision=_version(body, "currentVersion", key),
        previous=_version(body, "previousVersion", key),
        actor=_actor(body),
        automated=not isinstance(body.get("member"), dict),
        status=text_at(body, "titleVerb"),
        text="\n\n".join(_told(body)),
        url=_url(body),
        attributes=attributes(
            flag=key if kind == "flag" else None,
            segment=key if kind == "segment" else None,
            name=at(body, "name"),
            project=first(at(body, "project", "key"), resource.get("proj")),
            action=first(at(body, "verbKind"), at(body, "accesses", 0, "action")),
            resource=kind,
        ),
    )


def _resource(body: Body) -> dict[str, str]:
    """
    `{"proj": "shop", "env": "production", "flag": "fast-pay"}` of `proj/shop:env/production:flag/fast-pay`.
    """
    places = [one.get("resource") for one in objects_at(body, "accesses")]
    places += list(list_at(body, "target", "resources"))
    found = next((place for place in places if isinstance(place, str)), "")
    return {mark[1]: mark[2] for mark in _RESOURCE.finditer(found)}


def _services(body: Body) -> Iterator[EntityId]:
    """
    Those that a tag (`service:checkout`) or a custom property (`service`) of the flag names.
    """
    tags = [text(tag) or "" for tag in list_at(body, "tags")]
    named = [tag.partition(":")[2] for tag in tags if re.match(r"service:\s*\S", tag)]
    properties = at(body, "customProperties")
    for key in ("service", "services"):
        named += [text(value) or "" for value in list_at(properties, key, "values")]
    for name in dict.fromkeys(one.strip().lower() for one in named if one.strip()):
        yield entity_id(EntityKind.SERVICE, name)


def _version(body: Body, which: str, key: str | None) -> str | None:
    version = at(body, which)
    return first(at(version, "_version"), at(version, "version")) if isinstance(version, dict) and key else None


def _actor(body: Body) -> str | None:
    member = body.get("member")
    names = " ".join(name for key in ("firstName", "lastName") if (name := text_at(member, key)))
    token = first(at(body, "token", "name"), at(body, "app", "name"), at(body, "integration", "name"))
    return first(at(member, "displayName"), names, at(member, "email"), token)


def _told(body: Body) -> Iterator[str]:
    for found in (
        text_at(body, "comment"),
        first(at(body, "details", "plainText"), at(body, "description"), at(body, "shortDescription")),
    ):
        if found:
            yield found


def _url(body: Body) -> str | None:
    href = text_at(body, "_links", "site", "href")
    base = text_at(body, "baseURL") or "https://app.launchdarkly.com"
    return f"{base.rstrip('/')}{href}" if href and href.startswith("/") else href


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By LaunchDarkly's header, else by an entry's own keys.
    """
    if "x-ld-signature" in headers:
        return True
    one = at(payload, "items", 0) or payload
    return isinstance(one, dict) and {"titleVerb", "kind"} <= set(one) and bool({"accesses", "_accountId"} & set(one))


CONNECTOR = Connector(
    name="launchdarkly",
    summary="LaunchDarkly's webhook, integration context and audit log: flags, segments, environments",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("launchdarkly/*.json*",),
    recognises=through_relay(recognises),
    signing=Hmac(header="x-ld-signature"),
)
