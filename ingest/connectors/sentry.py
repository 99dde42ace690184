"""
Sentry's integration webhooks (issue alerts, metric alerts, issues, errors), its old plugin's webhook, and issues of the
API. What an event says about users (addresses, mails, requests) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from graph.values import Alert, Item, Record, Trust
from ingest.contract import Body, Connector, Headers, Piece
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, first, list_at, moment_at, text, text_at
from ingest.parsing import load_json, mapping_of
from ingest.signing import Hmac
from ingest.tags import labelled, noted

_RESOURCE = "sentry-hook-resource"
_SENT = "sentry-hook-timestamp"
_QUIET = frozenset({"installation", "comment", "seer", "preprod_artifact"})
_PRIVATE = re.compile(r"user|user\..*|ip|ip_address|e?mail|geo.*|url|sentry:user|client_ip|session.*", re.IGNORECASE)
_PROJECT = re.compile(r"/(?:projects|organizations)/[^/]+/(?P<slug>(?!issues\b)[^/]+)/events/")
_RANK = {
    "created": 0,
    "warning": 0,
    "assigned": 1,
    "critical": 1,
    "archived": 2,
    "ignored": 2,
    "resolved": 3,
    "unresolved": 4,
}
_ENDED = frozenset({"resolved", "archived", "ignored"})


def resource_of(body: Body) -> str:
    """
    What a delivery is about, as its header says; from its own shape where that is missing.
    """
    if text_at(body, "resource"):
        return str(body["resource"])
    names = {"event": "event_alert", "metric_alert": "metric_alert", "issue": "issue", "error": "error"}
    found = next((name for key, name in names.items() if isinstance(at(body, "data", key), dict)), None)
    if found:
        return found
    if text_at(body, "data", "comment_id") or text_at(body, "data", "comment"):
        return "comment"
    if "culprit" in body:
        return "issue_object" if "shortId" in body else "plugin"
    return "installation" if isinstance(at(body, "data", "installation"), dict) else "unknown"


def _part(body: Body, meta: Mapping[str, str]) -> str:
    resource = meta.get(_RESOURCE) or resource_of(body)
    if resource == "metric_alert":
        return f"metric_alert:{text_at(body, 'data', 'metric_alert', 'id')}"
    if resource in ("issue", "issue_object"):
        return f"issue:{text_at(_issue_of(body), 'id')}"
    event = _event_of(body)
    issue = first(event.get("issue_id"), event.get("groupID"), body.get("id"))
    return f"issue:{issue}/event:{first(event.get('event_id'), event.get('id'))}"


def _event_of(body: Body) -> Body:
    found = at(body, "data", "event") or at(body, "data", "error") or body.get("event")
    return found if isinstance(found, dict) else {}


def _issue_of(body: Body) -> Body:
    found = at(body, "data", "issue")
    return found if isinstance(found, dict) else body


def _occurred(body: Body) -> datetime | None:
    metric = at(body, "data", "metric_alert")
    if isinstance(metric, dict):
        moment = moment_at(metric, ("date_closed",), ("date_detected",), ("date_started",))
    elif _event_of(body):
        return _moment(_event_of(body))
    else:
        moment = moment_at(body, ("timestamp",), ("data", "issue", "lastSeen"), ("lastSeen",))
    state = first(body.get("action"), body.get("status")) or ""
    return moment and moment + timedelta(microseconds=_RANK.get(state, 0))


def _split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    An issue does not say when it was resolved or came back: its `lastSeen` stays. The delivery's header does.
    """
    sent = moment_at({"sent": meta.get(_SENT)}, ("sent",))
    for piece in deliveries(_part, _occurred)(raw, meta):
        if sent is None or not piece.part.startswith("issue:") or "/event:" in piece.part:
            yield piece
            continue
        state = first(*(at(load_json(piece.body, piece.part), key) for key in ("action", "status"))) or ""
        yield replace(piece, occurred_at=sent + timedelta(microseconds=_RANK.get(state, 0)))


def _moment(event: Body) -> datetime | None:
    return moment_at(event, ("datetime",), ("timestamp",), ("received",), ("dateCreated",))


def transform(record: Record) -> Iterator[Item]:
    """
    The alert that a delivery is about.
    """
    body = body_of(record)
    resource = record.meta.get(_RESOURCE) or resource_of(body)
    if resource == "metric_alert":
        yield _metric(mapping_of(at(body, "data", "metric_alert"), "data.metric_alert"), body, record)
    elif resource in ("issue", "issue_object"):
        yield _issue(_issue_of(body), body, record)
    elif resource in ("event_alert", "error", "plugin") and _event_of(body):
        yield _event(_event_of(body), body, record)
    elif resource not in _QUIET:
        raise BadRecord(f"Sentry's resource {resource!r} is not read yet; the delivery is kept")


def _event(event: Body, body: Body, record: Record) -> Alert:
    moment = _moment(event) or record.received_at
    links = " ".join(text(event.get(key)) or "" for key in ("url", "web_url", "issue_url"))
    found = _PROJECT.search(links)
    project = first(body.get("project_slug"), found["slug"] if found else None, body.get("project"))
    told = (at(event, "metadata", name) for name in ("title", "value", "type"))
    title = first(event.get("title"), body.get("message"), event.get("message"), *told) or "error"
    return Alert(
        id=f"sentry:{record.part}",
        name=title,
        at=moment,
        labels=labelled(
            _tags(event),
            {
                "service": project,
                "project": first(project, event.get("project"), body.get("project")),
                "environment": event.get("environment"),
                "release": event.get("release"),
                "severity": first(event.get("level"), body.get("level")),
                "platform": event.get("platform"),
            },
        ),
        annotations=noted(
            title=title,
            description=first(
                at(event, "logentry", "formatted"),
                event.get("message"),
                at(event, "metadata", "value"),
                body.get("message"),
            ),
            culprit=first(event.get("culprit"), body.get("culprit")),
            rule=first(at(body, "data", "triggered_rule"), at(body, "data", "issue_alert", "title")),
        ),
        vendor="sentry",
        url=first(event.get("web_url"), body.get("url"), event.get("url")),
    )  # fmt: skip


def _tags(event: Body) -> list[object]:
    """
    Tags, without those about users: pairs, or objects with key and value.
    """
    found = list_at(event, "tags")
    names = [(text_at(one, 0) or text_at(one, "key") or "") for one in found]
    return [one for one, name in zip(found, names, strict=True) if name and not _PRIVATE.fullmatch(name)]


def _issue(issue: Body, body: Body, record: Record) -> Alert:
    action = first(body.get("action"), issue.get("status")) or "created"
    ended = action in _ENDED or (action != "unresolved" and text_at(issue, "status") == "resolved")
    sent = moment_at(body, ("timestamp",)) or moment_at({"sent": record.meta.get(_SENT)}, ("sent",))
    title = text_at(issue, "title") or "issue"
    slug = text_at(issue, "project", "slug")
    seen = moment_at(issue, ("firstSeen",), ("lastSeen",)) or sent or record.received_at
    return Alert(
        id=f"sentry:{record.part}",
        name=title,
        at=seen,
        ended_at=(sent or moment_at(issue, ("lastSeen",)) or record.received_at) if ended else None,
        status="resolved" if ended else "firing",
        labels=labelled(
            {
                "service": slug,
                "project": slug,
                "severity": issue.get("level"),
                "platform": first(issue.get("platform"), at(issue, "project", "platform")),
                "short_id": issue.get("shortId"),
                "team": at(issue, "assignedTo", "name") if at(issue, "assignedTo", "type") == "team" else None,
            }
        ),
        annotations=noted(title=title, culprit=issue.get("culprit"), description=at(issue, "metadata", "value")),
        vendor="sentry",
        url=first(issue.get("web_url"), issue.get("permalink")),
    )


def _metric(alert: Body, body: Body, record: Record) -> Alert:
    ended = text_at(body, "action") == "resolved"
    began = moment_at(alert, ("date_started",), ("date_detected",), ("date_created",)) or record.received_at
    name = (
        first(at(alert, "alert_rule", "name"), alert.get("title"), at(body, "data", "description_title"))
        or "metric alert"
    )
    projects = [one for one in list_at(alert, "projects") if text(one)]
    query = " ".join(part for key in ("aggregate", "query") if (part := text_at(alert, "alert_rule", key)))
    return Alert(
        id=f"sentry:{record.part}",
        name=name,
        at=began,
        ended_at=(moment_at(alert, ("date_closed",), ("date_detected",)) or record.received_at) if ended else None,
        status="resolved" if ended else "firing",
        labels=labelled(
            {
                "service": projects[0] if len(projects) == 1 else None,
                "project": projects,
                "environment": at(alert, "alert_rule", "environment"),
                "severity": body.get("action") if not ended else None,
                "dataset": at(alert, "alert_rule", "dataset"),
            }
        ),
        annotations=noted(
            title=first(at(body, "data", "description_title"), alert.get("title")),
            description=at(body, "data", "description_text"),
        ),
        expr=query,
        vendor="sentry",
        url=text_at(body, "data", "web_url"),
    )


def recognises(payload: Body, headers: Headers) -> bool:
    """
    Sentry's header, an action of an installation about one of its resources, or an issue with its culprit.
    """
    if _RESOURCE in headers:
        return headers[_RESOURCE] not in ("release", "deploy")
    if {"action", "installation", "data"} <= set(payload):
        return resource_of(payload) not in ("unknown", "issue_object", "plugin")
    if {"culprit", "project", "project_name", "event"} <= set(payload):
        return True
    return {"culprit", "shortId", "permalink"} <= set(payload)


CONNECTOR = Connector(
    name="sentry",
    summary="Sentry's webhooks: issue alerts, metric alerts, issues, errors",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=_split,
    transform=transform,
    patterns=("sentry/*.json*",),
    recognises=recognises,
    headers=(_RESOURCE, _SENT, "request-id"),
    delivery=("request-id",),
    signing=Hmac(header="sentry-hook-signature"),
)
