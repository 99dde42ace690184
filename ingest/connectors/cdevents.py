"""
CDEvents (0.1 to 0.6): what was deployed, merged, published or altered, and incidents.

A service's event is a change of it, an environment's one of the infrastructure; a merged change and a published
artifact are code on its way. Runs of pipelines and tasks count where their name says that they deploy. An event
stands for itself: the one that tells of an incident's end does not say when it began.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import unquote

from graph.values import Alert, Change, ChangeKind, Incident, Item, Record, SectionKind, Trust
from ingest.connectors._events import alert_of, attributes, deploys, ranked, sections, unread
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, moment_at, named, repository, service, text_at
from ingest.parsing import named_time

_TYPE = re.compile(r"dev\.cdevents\.([a-z]+)[.-]([a-z]+)", re.IGNORECASE)
_KINDS = {
    "service.deployed": ChangeKind.DEPLOY,
    "service.upgraded": ChangeKind.DEPLOY,
    "service.rolledback": ChangeKind.ROLLBACK,
    "service.published": ChangeKind.CONFIG,
    "service.removed": ChangeKind.INFRASTRUCTURE,
    "environment.created": ChangeKind.INFRASTRUCTURE,
    "environment.modified": ChangeKind.INFRASTRUCTURE,
    "environment.deleted": ChangeKind.INFRASTRUCTURE,
    "artifact.published": ChangeKind.CODE,
    "change.merged": ChangeKind.CODE,
}
_RUNS = {"queued": 0, "started": 1, "finished": 2}
_INCIDENTS = {"detected": 0, "reported": 1, "resolved": 2}
_TICKETS = {"created": 0, "updated": 1, "closed": 2}
_NO_CHANGE = frozenset({
    "repository", "branch", "change", "build", "testcaserun", "testsuiterun", "testcase", "testsuite", "testoutput",
    "artifact", "approval",
})  # fmt: skip


def event_of(body: Body) -> tuple[str, str]:
    """
    (subject, predicate) of an event, in lower case; empty texts where the type is none of CDEvents'.
    """
    found = _TYPE.match(text_at(body, "context", "type") or "")
    return (found[1].lower(), found[2].lower()) if found else ("", "")


def _part(body: Body, meta: Mapping[str, str]) -> str:
    subject, predicate = event_of(body)
    if subject in ("incident", "ticket", "pipelinerun", "taskrun"):
        return (
            f"{subject}:{text_at(body, 'subject', 'source') or ''}/{text_at(body, 'subject', 'id') or digest_of(body)}"
        )
    return f"{subject}.{predicate}:{_mark(body)}"


def _mark(body: Body) -> str:
    return text_at(body, "context", "id") or digest_of(body)


def _occurred(body: Body) -> datetime | None:
    subject, predicate = event_of(body)
    ranks = {"incident": _INCIDENTS, "ticket": _TICKETS}.get(subject, _RUNS)
    return ranked(moment_at(body, ("context", "timestamp")), ranks.get(predicate, 0))


def transform(record: Record) -> Iterator[Item]:
    """
    What an event says was changed or went wrong; steps on the way (builds, tests, reviews) state nothing.
    """
    body = body_of(record)
    subject, predicate = event_of(body)
    name = f"{subject}.{predicate}"
    if name in _KINDS:
        yield _change(body, subject, predicate)
    elif subject == "incident" and predicate in _INCIDENTS:
        yield _incident(body, predicate)
    elif subject == "ticket" and predicate in _TICKETS:
        yield from _ticket(body, predicate)
    elif subject in ("pipelinerun", "taskrun") and predicate in _RUNS:
        yield from _run(body, subject, predicate)
    elif not subject:
        raise BadRecord(f"{record.part} has no `context.type` of CDEvents (dev.cdevents.subject.predicate.version)")
    elif subject not in _NO_CHANGE:
        raise unread("CDEvents", name)


def _when(body: Body) -> datetime:
    return named_time(at(body, "context", "timestamp"), "`context.timestamp` of the event")


def _change(body: Body, subject: str, predicate: str) -> Change:
    name = text_at(body, "subject", "id")
    content = at(body, "subject", "content")
    artifact = text_at(content, "artifactId") or (name if subject == "artifact" else None)
    environment = text_at(content, "environment", "id") if subject == "service" else None
    if subject == "environment":
        environment = first(at(content, "name"), name)
    package, revision = _package(artifact)
    return Change(
        id=f"cdevents:{subject}.{predicate}:{_mark(body)}",
        kind=_KINDS[f"{subject}.{predicate}"],
        at=_when(body),
        ended_at=_when(body),
        title=f"{subject.capitalize()} {name or ''} {predicate}".replace("  ", " "),
        services=service(name) if subject == "service" else service(package) if subject == "artifact" else (),
        repository=repository(at(content, "repository", "id")) if subject == "change" else None,
        environment=environment.lower() if environment else None,
        revision=named(revision),
        actor=first(at(content, "user"), at(content, "creator")),
        merge=subject == "change",
        status=predicate,
        url=first(at(content, "uri"), at(content, "url")),
        attributes=_about(body, artifact),
    )


def _about(body: Body, artifact: str | None) -> dict[str, str]:
    return attributes(
        source=at(body, "context", "source"),
        chain=at(body, "context", "chainId"),
        artifact=artifact,
        change=at(body, "subject", "id") if event_of(body)[0] == "change" else None,
    )


def _package(artifact: str | None) -> tuple[str | None, str | None]:
    """
    (name, version) of a package URL such as `pkg:oci/shop@sha256%3Aab12?tag=v3`.
    """
    if not artifact or not artifact.startswith("pkg:"):
        return None, artifact
    path, _, version = artifact.partition("?")[0].partition("@")
    return unquote(path.rpartition("/")[2]) or None, unquote(version.partition("#")[0]) or None


def _run(body: Body, subject: str, predicate: str) -> Iterator[Change]:
    content = at(body, "subject", "content")
    name = first(at(content, "pipelineName"), at(content, "taskName"), at(body, "subject", "id"))
    if not deploys(name) or predicate == "queued":
        return
    yield Change(
        id=f"cdevents:{subject}:{text_at(body, 'subject', 'source') or ''}/{text_at(body, 'subject', 'id')}",
        kind=ChangeKind.DEPLOY,
        at=_when(body),
        ended_at=_when(body) if predicate == "finished" else None,
        title=f"{name} {predicate}",
        status=first(at(content, "outcome"), predicate),
        text=first(at(content, "errors")) or "",
        url=first(at(content, "uri"), at(content, "url")),
        attributes=_about(body, None) | attributes(pipeline=name),
    )


def _incident(body: Body, predicate: str) -> Incident:
    content = at(body, "subject", "content")
    moment = _when(body)
    name = text_at(body, "subject", "id") or _mark(body)
    description = text_at(content, "description")
    kind = SectionKind.RESOLUTION if predicate == "resolved" else SectionKind.SUMMARY
    environment = text_at(content, "environment", "id")
    return Incident(
        id=f"cdevents:incident:{text_at(body, 'subject', 'source') or ''}/{name}",
        title=description or f"Incident {name}",
        at=None if predicate == "resolved" else moment,
        detected_at=moment if predicate == "detected" else None,
        resolved_at=moment if predicate == "resolved" else None,
        services=service(at(content, "service", "id")),
        environment=environment.lower() if environment else None,
        sections=sections((kind, description)),
        url=first(at(content, "ticketURI"), at(content, "ticketUri")),
        attributes=_about(body, text_at(content, "artifactId")) | {"status": predicate},
    )


def _ticket(body: Body, predicate: str) -> Iterator[Incident]:
    content = at(body, "subject", "content")
    kind = text_at(content, "ticketType") or ""
    if kind.lower() not in ("incident", "outage", "major incident"):
        return
    moment = _when(body)
    title = first(at(content, "summary"), at(body, "subject", "id")) or "Incident"
    yield Incident(
        id=f"cdevents:ticket:{text_at(body, 'subject', 'source') or ''}/{text_at(body, 'subject', 'id')}",
        title=title,
        at=moment if predicate == "created" else None,
        detected_at=moment if predicate == "created" else None,
        resolved_at=moment if predicate == "closed" else None,
        severity=text_at(content, "priority"),
        sections=sections((SectionKind.RESOLUTION, at(content, "resolution"))),
        url=text_at(content, "uri"),
        attributes=_about(body, None) | {"status": predicate},
    )


def alerts(body: Body, received: datetime) -> Sequence[Alert]:
    """
    An incident as an alert.
    """
    subject, predicate = event_of(body)
    if subject != "incident" or predicate not in _INCIDENTS:
        return ()
    return [alert_of(_incident(body, predicate), _when(body), "cdevents", {"source": at(body, "context", "source")})]


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    A context with one of CDEvents' types.
    """
    return isinstance(payload.get("subject"), dict) and bool(event_of(payload)[0])


CONNECTOR = Connector(
    name="cdevents",
    summary="CDEvents: services, environments, artifacts, merged changes, deploying pipelines, incidents",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred),
    transform=transform,
    patterns=("cdevents/*.json*",),
    recognises=recognises,
    alerts=alerts,
)
