"""
Octopus Deploy: events of subscriptions, plain or as its webhook wraps them, and events and deployments of its REST API.

An event names its things by id; their names are taken from the message, by its references to documents or by its form,
else the ids stand for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Change, ChangeKind, Item, Record, Trust
from ingest.commits import ranked, rolls_back
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
    present,
    service,
    text,
)
from ingest.parsing import named_time
from ingest.signing import Shared

_STATES = {
    "deploymentqueued": "queued",
    "deploymentstarted": "started",
    "deploymentresumed": "started",
    "deploymentsucceeded": "succeeded",
    "deploymentfailed": "failed",
    "deploymentcanceled": "canceled",
    "deploymentcancelled": "canceled",
    "runbookrunstarted": "started",
    "runbookrunsucceeded": "succeeded",
    "runbookrunfailed": "failed",
}
_ORDER = (("queued",), ("started", "executing"), ("succeeded", "failed", "success"), ("canceled",))
_DONE = {"succeeded", "failed", "canceled", "success", "timedout"}
_QUIET = re.compile(
    r"^(?:created|modified|deleted|queued|login|user|machine|subscription|deploymentqueued|certificate|manualintervention"
    r"|guidedfailure|task|apikey|autocreate|lifecycle|release|worker|runbooksnapshot|loginfailed|gated|taskcanceled|package"
    r"|dynamicenvironment|retention)",
    re.IGNORECASE,
)
_MESSAGES = (
    re.compile(
        r"^Deploy (?!to )(?P<project>.+?) release (?P<release>\S+) to (?P<environment>.+?)(?: \(#\d+\))?(?: \w+)?$"
    ),
    re.compile(
        r"^Deploy to (?P<environment>.+?)(?: \(#\d+\))?(?: (?:succeeded|failed|started|queued|canceled))?"
        r"(?:\s+for (?P<project>.+?) release (?P<release>\S+).*)?$",
    ),
)


def _parts(body: Body) -> Iterator[Body]:
    """
    The events or deployments in a body: of a page of the API each, of the webhook's envelope the event.
    """
    for one in objects_at(body, "Items") or [body]:
        payload = at(one, "Payload") or at(one, "payload")
        event = at(payload, "Event") or at(payload, "event")
        yield {**event, "ServerUri": _get(payload, "ServerUri")} if isinstance(event, dict) else one


def _get(body: object, name: str) -> object | None:
    """
    A field by its name, which Octopus begins with a capital, and relays and older versions do not.
    """
    return at(body, name) if at(body, name) is not None else at(body, name[0].lower() + name[1:])


def _category(body: Body) -> str | None:
    return first(_get(body, "Category"), _get(body, "EventType"))


def _related(body: Body, kind: str) -> str | None:
    """
    The id of a related document (`Deployments-101`), from its own field or the list of all.
    """
    own = first(_get(body, f"{kind.removesuffix('s')}Id"))
    ids = [one for one in list_at(_get(body, "RelatedDocumentIds")) if isinstance(one, str)]
    return own or next((one for one in ids if one.startswith(f"{kind}-")), None)


def _deployment(body: Body) -> str | None:
    own = first(_get(body, "Id"))
    if own and own.startswith(("Deployments-", "RunbookRuns-")):
        return own
    return _related(body, "Deployments") or _related(body, "RunbookRuns")


def _state(body: Body) -> str | None:
    category = _category(body)
    if category:
        return _STATES.get(category.lower())
    told = first(_get(body, "State"), _get(body, "TaskState"))
    return told.lower() if told else "created" if _is_deployment(body) else None


def _is_deployment(body: Body) -> bool:
    return _category(body) is None and _deployment(body) is not None and _get(body, "ReleaseId") is not None


def _part(body: Body, meta: Mapping[str, str]) -> str:
    deployment = _deployment(body)
    if deployment and _state(body) not in (None, "queued"):
        return deployment
    return f"{_category(body) or 'unknown'}/{first(_get(body, 'Id')) or digest_of(body)}"


def _occurred(body: Body) -> datetime | None:
    return ranked(_told(body), _state(body), _ORDER)


def _told(body: Body) -> datetime | None:
    for name in ("CompletedTime", "Occurred", "OccurredAt", "StartTime", "Created", "QueueTime", "Timestamp"):
        if found := moment_at({"at": _get(body, name)}, ("at",)):
            return found
    return None


split = deliveries(_part, _occurred, _parts)


def transform(record: Record) -> Iterator[Item]:
    """
    A deployment that began or ended; other events state nothing.
    """
    body = body_of(record)
    state, category = _state(body), _category(body)
    if state in ("queued", None) or _deployment(body) is None:
        if category and (_QUIET.match(category) or category.lower() in _STATES):
            return
        raise BadRecord(
            f"Octopus' event {category or 'without a category'!r} is not read yet; the delivery is kept. "
            "Choose the event categories of deployments in the subscription"
        )
    yield _change(body, state)


def _change(body: Body, state: str | None) -> Change:
    deployment = _deployment(body)
    said = first(_get(body, "Message"), _get(body, "Name"), _get(body, "Description")) or ""
    project = first(_get(body, "ProjectName"), _named(body, said, "Projects"))
    release = first(_get(body, "ReleaseVersion"), _named(body, said, "Releases"))
    environment = first(_get(body, "EnvironmentName"), _named(body, said, "Environments"))
    told = _told(body)
    begun = moment_at({"at": _get(body, "StartTime") or _get(body, "Created")}, ("at",))
    server = first(_get(body, "ServerUri"))
    return Change(
        id=f"octopus:{deployment}",
        kind=ChangeKind.ROLLBACK if rolls_back(said, text(_get(body, "Comments"))) else ChangeKind.DEPLOY,
        at=begun or told or named_time(None, f"`Occurred` of {deployment}"),
        ended_at=told if state in _DONE else None,
        title=said or f"Deploy {project} to {environment}",
        services=service(project),
        environment=environment.lower() if environment else None,
        revision=release,
        actor=first(_get(body, "Username"), _get(body, "DeployedBy")),
        automated=first(_get(body, "Username")) == "system",
        status=state,
        text=text(_get(body, "Comments")) or "",
        url=f"{server.rstrip('/')}/app#/deployments/{deployment}" if server else None,
        attributes=present(
            project=_related(body, "Projects"),
            environment=_related(body, "Environments"),
            release=_related(body, "Releases"),
        ),
    )


def _named(body: Body, said: str, kind: str) -> str | None:
    """
    The name of the related document of a kind, as the message says it; else its id.
    """
    for one in objects_at(_get(body, "MessageReferences")):
        start, length = one.get("StartIndex"), one.get("Length")
        if (text(one.get("ReferencedDocumentId")) or "").startswith(f"{kind}-") and isinstance(start, int):
            name = said[start : start + length] if isinstance(length, int) else ""
            if name.strip():
                return name.strip()
    key = kind.lower().removesuffix("s")
    matches = (form.match(said) for form in _MESSAGES)
    found = (match[key] for match in matches if match and match[key])
    return next(found, None) or _related(body, kind)


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By the envelope of a subscription, or by an event's category beside ids of Octopus' kind.
    """
    if payload.get("EventType") == "SubscriptionPayload" or at(payload, "Payload", "Subscription") is not None:
        return True
    return _category(payload) is not None and (_deployment(payload) or "").startswith("Deployments-")


CONNECTOR = Connector(
    name="octopus",
    summary="Octopus Deploy subscriptions and REST: deployments from start to end",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("octopus/*.json", "octopus/*.jsonl"),
    recognises=recognises,
    signing=Shared(),
)
