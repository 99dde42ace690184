"""
Flagsmith: its feature webhook (before and after) and its audit log (webhook or REST).

A change of a flag for one identity names an end user: only that there was one is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Change, ChangeKind, Item, Record, Trust
from ingest.connectors._events import attributes, unread
from ingest.contract import Body, Connector
from ingest.fields import at, body_of, deliveries, digest_of, first, moment_at, objects_at, text, text_at
from ingest.parsing import named_time
from ingest.signing import Hmac

_RELATED: Mapping[str, ChangeKind | None] = {
    "FEATURE": ChangeKind.FLAG, "FEATURE_STATE": ChangeKind.FLAG, "SEGMENT": ChangeKind.FLAG,
    "EF_VERSION": ChangeKind.FLAG, "CHANGE_REQUEST": ChangeKind.FLAG, "EDGE_IDENTITY": ChangeKind.FLAG,
    "IMPORT_REQUEST": ChangeKind.FLAG, "RELEASE_PIPELINE": ChangeKind.FLAG, "ENVIRONMENT": ChangeKind.CONFIG,
    "PROJECT": ChangeKind.CONFIG, "FEATURE_HEALTH": None, "GRANT": None, "USER": None, "ORGANISATION": None,
}  # fmt: skip


def _parts(body: Body) -> Iterator[Body]:
    results = objects_at(body, "results")
    if results and "related_object_type" in results[0]:
        yield from results
        return
    inner = body.get("data")
    audited = text_at(body, "event_type") == "AUDIT_LOG_CREATED" and isinstance(inner, dict)
    yield inner if audited and isinstance(inner, dict) else body


def _part(body: Body, meta: Mapping[str, str]) -> str:
    return f"{'log' if 'related_object_type' in body else 'flag'}:{_mark(body)}"


def _mark(body: Body) -> str:
    return text_at(body, "id") or digest_of(body)


def _occurred(body: Body) -> datetime | None:
    return moment_at(body, ("created_date",), ("data", "timestamp"))


def transform(record: Record) -> Iterator[Item]:
    """
    The change that a delivery tells of.
    """
    body = body_of(record)
    event = text_at(body, "event_type")
    if event in ("FLAG_UPDATED", "FLAG_DELETED"):
        yield _flag(body, event)
    elif event == "NEW_VERSION_PUBLISHED":
        yield _version(body)
    elif "related_object_type" in body:
        yield from _logged(body)
    elif at(body, "data", "new_state") is None and text(at(body, "message")):
        return
    else:
        raise unread("Flagsmith", event)


def _flag(body: Body, event: str) -> Change:
    data = at(body, "data")
    new, old = at(data, "new_state"), at(data, "previous_state")
    state = new if isinstance(new, dict) else old
    feature = text_at(state, "feature", "name")
    environment = text_at(state, "environment", "name")
    one = any(at(state, key) is not None for key in ("identity", "identity_identifier"))
    segment = text_at(state, "feature_segment", "segment", "name")
    enabled = at(new, "enabled")
    status = "deleted" if event == "FLAG_DELETED" else "enabled" if enabled is True else "disabled"
    where = [f"in {environment}" if environment else "", f"for segment {segment}" if segment else ""]
    where += ["for one identity" if one else ""]
    return Change(
        id=f"flagsmith:{_mark(body)}",
        kind=ChangeKind.FLAG,
        at=named_time(at(data, "timestamp"), "`data.timestamp` of the delivery"),
        title=" ".join(word for word in (feature or "flag", status, *where) if word),
        environment=environment.lower() if environment else None,
        revision=_shown(new),
        previous=_shown(old),
        actor=text_at(data, "changed_by"),
        status=event,
        attributes=attributes(
            flag=feature,
            project=at(state, "feature", "project", "name"),
            segment=segment,
            scope="identity" if one else None,
        ),
    )


def _shown(state: object) -> str | None:
    """
    `on` or `off`, with the start of the flag's value where it has one.
    """
    if not isinstance(state, dict):
        return None
    mode = "on" if state.get("enabled") is True else "off"
    value = text(state.get("feature_state_value"))
    return f"{mode}: {' '.join(value.split())[:120]}" if value else mode


def _version(body: Body) -> Change:
    data = at(body, "data")
    feature = first(at(data, "feature", "name"), at(data, "feature"))
    environment = text_at(data, "environment", "name")
    return Change(
        id=f"flagsmith:version:{text_at(data, 'uuid') or digest_of(body)}",
        kind=ChangeKind.FLAG,
        at=named_time(first(at(data, "live_from"), at(data, "published_at"), at(data, "created_at")), "`live_from`"),
        title=" ".join(
            word for word in ("New version of", feature, f"in {environment}" if environment else "") if word
        ),
        environment=environment.lower() if environment else None,
        revision=text_at(data, "uuid"),
        actor=first(at(data, "published_by", "email"), at(data, "published_by")),
        status="NEW_VERSION_PUBLISHED",
        attributes=attributes(flag=feature),
    )


def _logged(body: Body) -> Iterator[Change]:
    related = (text_at(body, "related_object_type") or "").upper()
    if related not in _RELATED:
        raise unread("Flagsmith", related)
    kind = _RELATED[related]
    if kind is None:
        return
    log = text_at(body, "log") or ""
    environment = text_at(body, "environment", "name")
    names = " ".join(name for key in ("first_name", "last_name") if (name := text_at(body, "author", key)))
    yield Change(
        id=f"flagsmith:log:{_mark(body)}",
        kind=kind,
        at=named_time(at(body, "created_date"), "`created_date` of the entry"),
        title="Flag of one identity updated" if related == "EDGE_IDENTITY" else log or f"{related} changed",
        environment=environment.lower() if environment else None,
        actor=first(names, at(body, "author", "email")),
        automated=not isinstance(body.get("author"), dict),
        status=related,
        attributes=attributes(
            project=at(body, "project", "name"),
            flag=log.rpartition(": ")[2] if related == "FEATURE" and ": " in log else None,
            object=first(at(body, "related_object_uuid"), at(body, "related_object_id")),
        ),
    )


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By Flagsmith's header, else by its names of events or of related objects.
    """
    if "x-flagsmith-signature" in headers:
        return True
    events = ("FLAG_UPDATED", "FLAG_DELETED", "AUDIT_LOG_CREATED", "NEW_VERSION_PUBLISHED")
    one = at(payload, "results", 0) or payload
    logged = isinstance(one, dict) and {"related_object_type", "log", "created_date"} <= set(one)
    return payload.get("event_type") in events or logged


CONNECTOR = Connector(
    name="flagsmith",
    summary="Flagsmith's feature webhook and audit log",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("flagsmith/*.json*",),
    recognises=recognises,
    signing=Hmac(header="x-flagsmith-signature"),
)
