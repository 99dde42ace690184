"""
Jira: webhooks of Cloud and Server, issues of the REST API (v2 text, v3 trees), requests and alerts of Jira Service
Management.

Most issues are work, not harm: one is an incident where its type, a label, its request type or its project says so, or
where it is a bug that is urgent or was fixed; and a change where its type says so. The options `incidents`, `changes`
and `projects` of a source (separated by commas) replace those words. Anything else states nothing; neither do comments,
which come without the issue. What was deleted, or is no such issue any more, is taken back.

A change began when its own start says: the field of the option `start`, or a custom field whose name says so; else when
its work did. Until then it is a plan that states nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from graph.values import (
    Alert,
    Change,
    ChangeKind,
    EntityId,
    EntityKind,
    Incident,
    Item,
    Record,
    SectionKind,
    Trust,
    entity_id,
)
from ingest.connectors import opsgenie
from ingest.connectors._events import (
    alert_of,
    attributes,
    ranked,
    sections,
    sections_of,
    through_relay,
    unread,
    with_fixes,
)
from ingest.connectors._generic import kind_of
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import (
    at,
    body_of,
    deliveries,
    digest_of,
    first,
    list_at,
    moment_at,
    objects_at,
    text,
    text_at,
    unwrapped,
)
from ingest.markup import adf_text, wiki_text
from ingest.parsing import mapping_of, named_time, texts_of
from ingest.prose import section_kind
from ingest.signing import Hmac

_INCIDENT = re.compile(r"\b(?:incident|outage|post-?mortem|pir|service interruption|sev-?[0-5])\b", re.IGNORECASE)
_CHANGE = re.compile(r"\b(?:change|change request|deployment|release|rfc)\b", re.IGNORECASE)
_BUG = re.compile(r"\b(?:bug|defect|fault|problem)\b", re.IGNORECASE)
_URGENT = re.compile(r"\b(?:highest|high|critical|blocker|urgent|major|p[0-2]|sev-?[0-2])\b", re.IGNORECASE)
_FIXED = re.compile(r"\b(?:fixed|done|resolved)\b", re.IGNORECASE)
_STARTS = (
    re.compile(r"^actual (?:start|begin)", re.IGNORECASE),
    re.compile(r"^(?:change|implementation|deployment|work|maintenance) (?:start|begin)", re.IGNORECASE),
    re.compile(r"^(?:planned|scheduled|proposed) (?:start|begin)", re.IGNORECASE),
)
"""What the custom field is called that tells when a change began, the surest first."""
_PROJECT = re.compile(r"\b(?:incidents?|outages?|post-?mortems?)\b", re.IGNORECASE)
_ISSUE = ("jira:issue_created", "jira:issue_updated", "issue_created", "issue_updated", "jira:issue_deleted")
_PASSED_OVER = re.compile(
    r"comment|worklog|issuelink|attachment|sprint|board|project|user|option|jira:(?:version|worklog|expression)|issue_property"
    r"|issue_type|filter|form|approval|sla|dashboard|jira:issue_deleted"
)
_ALERTED = {"create", "created", "acknowledge", "close", "closed", "acknowledged", "updated", "resolved"}


def _parts(body: Body) -> Iterator[Body]:
    """
    Issues, requests and alerts, each with its kind and an event's name, their documents as texts: what a document cuts
    into runs, redaction has to see in one piece.
    """
    for one in _cut(body):
        yield mapping_of(_flat(one), "the issue")


def _flat(value: object) -> object:
    if isinstance(value, list):
        return [_flat(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "doc" and isinstance(value.get("content"), list):
        return {"markdown": adf_text(value)}
    return {key: _flat(one) for key, one in value.items()}


def markdown(value: object) -> str | None:
    """
    A document's text, or wiki markup, as Markdown; None where there is none.
    """
    document = text_at(value, "markdown")
    return document or wiki_text(text(value) or "").strip() or None


def _cut(body: Body) -> Iterator[Body]:
    event = text_at(body, "webhookEvent") or ""
    if isinstance(body.get("alert"), dict) and "action" in body:
        yield {"kind": "alert", "action": body["action"], "data": body["alert"]}
    elif event == "jira:version_released":
        yield {"kind": "version", "event": event, "timestamp": body.get("timestamp"), "data": body.get("version")}
    elif isinstance(body.get("issue"), dict) and (not event or event in _ISSUE):
        yield {"kind": "issue", "event": event, "timestamp": body.get("timestamp"), "data": body["issue"]}
    elif event:
        yield {"kind": "other", "event": event, "timestamp": body.get("timestamp"), "data": {"id": _identity(body)}}
    elif isinstance(body.get("issues"), list):
        yield from ({"kind": "issue", "data": one, "names": body.get("names")} for one in objects_at(body, "issues"))
    elif isinstance(body.get("values"), list):
        yield from ({"kind": "request", "data": one} for one in objects_at(body, "values"))
    else:
        kind = "request" if "issueKey" in body else "issue" if isinstance(body.get("fields"), dict) else ""
        yield {"kind": kind, "data": body, "names": body.get("names")}


def _identity(body: Body) -> str:
    return first(
        *(at(body, key, "id") for key in ("comment", "worklog", "issueLink", "sprint", "version"))
    ) or digest_of(body)


def _part(body: Body, meta: Mapping[str, str]) -> str:
    kind, data = text_at(body, "kind") or "unknown", body.get("data")
    identity = first(at(data, "id"), at(data, "issueId"), at(data, "alertId"), at(data, "key")) or digest_of(data)
    return f"{text_at(body, 'event') if kind == 'other' else 'issue' if kind == 'request' else kind}:{identity}"


def _occurred(body: Body) -> datetime | None:
    data = body.get("data")
    moment = moment_at(
        data, ("fields", "updated"), ("currentStatus", "statusDate", "iso8601"), ("updatedAt",), ("createdAt",)
    )
    category = text_at(data, "fields", "status", "statusCategory", "key")
    return ranked(moment_at(body, ("timestamp",)) or moment, {"indeterminate": 1, "done": 2}.get(category or "", 0))


def transform(record: Record) -> Iterator[Item]:
    """
    The incident, change or alert, where it is one.
    """
    body = body_of(record)
    kind, event, data = text_at(body, "kind") or "", text_at(body, "event") or "", body.get("data")
    if kind == "other" or event == "jira:issue_deleted":
        if not _PASSED_OVER.match(event):
            raise unread("Jira", event)
        return
    if not isinstance(data, dict):
        raise BadRecord(f"{record.part} has no object; expected an issue of Jira")
    if kind == "issue":
        yield from _issue(data, body, record.meta)
    elif kind == "request":
        yield from _request(data)
    elif kind == "alert":
        yield opsgenie.alert_of(body, "jira", record.received_at)
    elif kind == "version":
        yield _version(data, body, record)
    else:
        raise BadRecord(f"{record.part} is neither an issue, a request nor an alert of Jira; it is kept")


def told_as(data: Body, meta: Mapping[str, str]) -> str:
    """
    `incident`, `change`, or nothing.
    """
    fields = data.get("fields")
    kind = text_at(fields, "issuetype", "name") or ""
    projects = texts_of(meta.get("projects"))
    if meta.get("incidents") or projects:
        if kind in texts_of(meta.get("incidents")) or text_at(fields, "project", "key") in projects:
            return "incident"
    elif (
        _INCIDENT.search(kind)
        or any(_INCIDENT.search(text(one) or "") for one in list_at(fields, "labels"))
        or (_PROJECT.search(text_at(fields, "project", "name") or "") and not _CHANGE.search(kind))
        or (_BUG.search(kind) and _hurts(fields))
    ):
        return "incident"
    changes = texts_of(meta.get("changes"))
    return "change" if (kind in changes if changes else _CHANGE.search(kind)) else ""


def _hurts(fields: object) -> bool:
    """
    Whether a bug is urgent, or tells how it ended.
    """
    urgent, ended = text_at(fields, "priority", "name") or "", text_at(fields, "resolution", "name") or ""
    return bool(_URGENT.search(urgent) or _FIXED.search(ended))


def _issue(data: Body, body: Body, meta: Mapping[str, str]) -> Iterator[Item]:
    told = told_as(data, meta)
    if told == "incident":
        yield incident_of(data, body)
    elif told == "change":
        yield from _change(data, body, meta)


def gone(record: Record) -> tuple[str, ...]:
    """
    The issue that was deleted, or that is neither an incident nor a change any more.
    """
    body = body_of(record)
    data = body.get("data")
    if text_at(body, "kind") != "issue" or not isinstance(data, dict):
        return ()
    deleted = text_at(body, "event") == "jira:issue_deleted"
    return (f"jira:{_key(data)}",) if deleted or not told_as(data, record.meta) else ()


def _key(data: Body) -> str:
    return text_at(data, "key") or text_at(data, "id") or "issue"


def _services(fields: object) -> tuple[EntityId, ...]:
    names = [text_at(one, "name") for one in objects_at(fields, "components")]
    for label in list_at(fields, "labels"):
        kind, _, name = (text(label) or "").partition(":")
        names += [name] if kind.lower() in ("service", "svc") else []
    return tuple(dict.fromkeys(entity_id(EntityKind.SERVICE, name) for name in names if name))


def _url(data: Body) -> str | None:
    """
    The page of an issue, from the address of its API object.
    """
    base, found, _ = (text_at(data, "self") or "").partition("/rest/")
    key = text_at(data, "key")
    return f"{base}/browse/{key}" if found and key and "api.atlassian.com" not in base else None


def _done(fields: object, body: Body) -> datetime | None:
    if text_at(fields, "status", "statusCategory", "key") != "done" and not text_at(fields, "resolutiondate"):
        return None
    return moment_at(fields, ("resolutiondate",), ("statuscategorychangedate",), ("updated",)) or moment_at(
        body, ("timestamp",)
    )


def _written(fields: object, names: object) -> Iterator[tuple[SectionKind, str]]:
    """
    Custom fields whose names announce a section (`Root cause`), where the API tells the names.
    """
    for key, name in names.items() if isinstance(names, dict) else ():
        kind = section_kind(str(name)) if str(key).startswith("customfield_") else SectionKind.OTHER
        body = markdown(at(fields, str(key)))
        if kind is not SectionKind.OTHER and body:
            yield kind, body


def incident_of(data: Body, body: Body) -> Incident:
    """
    An issue as an incident.
    """
    fields, names = data.get("fields"), body.get("names")
    key = _key(data)
    created = moment_at(fields, ("created",)) or moment_at(body, ("timestamp",))
    environment = markdown(at(fields, "environment"))
    return with_fixes(
        Incident(
            id=f"jira:{key}",
            title=text_at(fields, "summary") or key,
            at=created,
            detected_at=created,
            resolved_at=_done(fields, body),
            severity=text_at(fields, "priority", "name"),
            services=_services(fields),
            environment=environment.lower()
            if environment and "\n" not in environment and len(environment) < 40
            else None,
            sections=sections(*sections_of(markdown(at(fields, "description"))), *_written(fields, names)),
            url=_url(data),
            attributes=_about(data, fields),
        )
    )


def _about(data: Body, fields: object) -> dict[str, str]:
    return attributes(
        key=at(data, "key"),
        project=at(fields, "project", "key"),
        type=at(fields, "issuetype", "name"),
        status=at(fields, "status", "name"),
        category=at(fields, "status", "statusCategory", "key"),
        outcome=at(fields, "resolution", "name"),
        assignee=at(fields, "assignee", "displayName"),
        labels=", ".join(found for one in list_at(fields, "labels") if (found := text(one))),
    )


def _began(fields: object, names: object, meta: Mapping[str, str]) -> datetime | None:
    """
    When a change began by its own fields, or is planned to; None where no field says.
    """
    told = [(str(key), str(name)) for key, name in names.items()] if isinstance(names, dict) else []
    own = [(key,) for form in _STARTS for key, name in told if form.search(name)]
    return moment_at(fields, *([(start,)] if (start := meta.get("start")) else []), *own)


def _change(data: Body, body: Body, meta: Mapping[str, str]) -> Iterator[Change]:
    fields, ended = data.get("fields"), _done(data.get("fields"), body)
    began, state = _began(fields, body.get("names"), meta), text_at(fields, "status", "statusCategory", "key")
    if began is None and ended is None and state == "new":
        return
    worked = moment_at(fields, ("statuscategorychangedate",)) if state == "indeterminate" else ended
    key = _key(data)
    title = text_at(fields, "summary") or key
    versions = [name for one in objects_at(fields, "fixVersions") if (name := text_at(one, "name"))]
    made = first(at(fields, "created"), at(body, "timestamp"))
    yield Change(
        id=f"jira:{key}",
        kind=kind_of(title) or kind_of(text_at(fields, "issuetype", "name") or "") or ChangeKind.INFRASTRUCTURE,
        at=began or worked or named_time(made, f"`created` of {key}"),
        ended_at=ended,
        title=f"{key}: {title}",
        services=_services(fields),
        revision=versions[0] if len(versions) == 1 else None,
        actor=first(at(fields, "assignee", "displayName"), at(fields, "reporter", "displayName")),
        status=text_at(fields, "status", "name"),
        text=markdown(at(fields, "description")) or "",
        url=_url(data),
        attributes=_about(data, fields),
    )


def _version(data: Body, body: Body, record: Record) -> Change:
    name = text_at(data, "name") or text_at(data, "id") or ""
    return Change(
        id=f"jira:version:{text_at(data, 'id') or name}",
        kind=ChangeKind.CODE,
        at=moment_at(body, ("timestamp",)) or record.received_at,
        title=f"Version {name} released",
        revision=name or None,
        status="released",
        text=text_at(data, "description") or "",
        attributes=attributes(project=at(data, "projectId")),
    )


def _request(data: Body) -> Iterator[Incident]:
    kind = first(at(data, "requestType", "name"), at(data, "requestType", "issueTypeName")) or ""
    if not _INCIDENT.search(kind):
        return
    values = {text_at(one, "fieldId"): at(one, "value") for one in objects_at(data, "requestFieldValues")}
    key = text_at(data, "issueKey") or text_at(data, "issueId") or "request"
    done = (text_at(data, "currentStatus", "statusCategory") or "").upper() == "DONE"
    created = moment_at(data, ("createdDate", "iso8601"), ("createdDate", "epochMillis"))
    yield with_fixes(
        Incident(
            id=f"jira:{key}",
            title=first(values.get("summary"), at(data, "summary")) or key,
            at=created,
            detected_at=created,
            resolved_at=moment_at(data, ("currentStatus", "statusDate", "iso8601")) if done else None,
            severity=first(at(values.get("priority"), "name")),
            services=_services({"components": values.get("components"), "labels": values.get("labels")}),
            sections=sections(*sections_of(markdown(values.get("description")))),
            url=first(at(data, "_links", "agent"), at(data, "_links", "web")),
            attributes=attributes(key=key, type=kind, status=at(data, "currentStatus", "status")),
        )
    )


def alerts(body: Body, received: datetime) -> Sequence[Alert]:
    """
    The incident or the alert of a webhook, as an alert.
    """
    found: list[Alert] = []
    for one in _parts(unwrapped(body)):
        data = one.get("data")
        if one.get("kind") == "alert" and isinstance(data, dict):
            found.append(opsgenie.alert_of(one, "jira", received))
        elif one.get("kind") == "issue" and isinstance(data, dict) and told_as(data, {}) == "incident":
            labels = {"project": at(data, "fields", "project", "key"), "key": at(data, "key")}
            found.append(alert_of(incident_of(data, one), received, "jira", labels))
    return found


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By Atlassian's header, else by a webhook's event, or an alert of Jira Service Management.
    """
    if "x-atlassian-webhook-identifier" in headers and ("webhookEvent" in payload or "issue" in payload):
        return True
    if isinstance(payload.get("webhookEvent"), str) and "timestamp" in payload:
        return True
    one = at(payload, "issues", 0) or payload
    if isinstance(at(one, "fields"), dict) and "/rest/api/" in str(at(one, "self")):
        return True
    if {"issueKey", "requestTypeId", "currentStatus"} <= set(payload):
        return True
    asked = str(payload.get("action", "")).lower() in _ALERTED
    mine = isinstance(at(payload, "alert", "alertId"), str)
    return asked and mine and not {"integrationName", "integrationId", "integrationType", "escalationId"} & set(payload)


CONNECTOR = Connector(
    name="jira",
    summary="Jira's issues, requests and alerts that are incidents or changes",
    trust=Trust.UNTRUSTED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    gone=gone,
    patterns=("jira/*.json*",),
    recognises=through_relay(recognises),
    alerts=alerts,
    headers=("x-atlassian-webhook-identifier",),
    delivery=("x-atlassian-webhook-identifier",),
    signing=Hmac(header="x-hub-signature", prefix="sha256="),
)
