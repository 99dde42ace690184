"""
Events of Kubernetes, of the core group and of `events.k8s.io/v1`: those that tell of a change.
"""

from __future__ import annotations

import re
from datetime import datetime

from graph.values import Change, ChangeKind
from ingest.connectors._kubernetes_objects import environment_of
from ingest.contract import Body
from ingest.fields import at, digest_of, first, moment_at, present, service, text_at
from ingest.parsing import named_time

_SCALED_UP = re.compile(
    r"Scaled up replica set (?P<set>\S+) (?:from (?P<before>\d+) )?to (?P<to>\d+)(?: from (?P<from>\d+))?"
)
_AUTOSCALED = re.compile(r"New size: (?P<size>\d+); reason: (?P<reason>.*)", re.DOTALL)


def is_event(body: Body) -> bool:
    """
    Whether an object is an Event, of either group.
    """
    return body.get("kind") == "Event" or (
        "reason" in body and ("involvedObject" in body or "regarding" in body) and "severity" not in body
    )


def event_part(body: Body) -> str:
    """
    What the event is about, where it tells of a rollout; else the event itself.
    """
    scaled = _scaled(body)
    if scaled:
        return f"rollout/{_home(body)}:{scaled['set']}"
    name = first(at(body, "metadata", "uid"), at(body, "metadata", "name")) or digest_of(body)
    return f"event/{text_at(body, 'metadata', 'namespace') or ''}/{name}"


def event_time(body: Body) -> datetime | None:
    """
    When it was last seen. One event may stand for several that lie days apart.
    """
    return moment_at(
        body,
        ("series", "lastObservedTime"),
        ("lastTimestamp",),
        ("deprecatedLastTimestamp",),
        ("eventTime",),
        ("firstTimestamp",),
        ("deprecatedFirstTimestamp",),
        ("metadata", "creationTimestamp"),
    )


def change_of(body: Body) -> Change | None:
    """
    The change that an event tells of; None for all others.
    """
    reason, kind = text_at(body, "reason"), text_at(_about(body), "kind")
    if _scaled(body):
        return _rollout(body)
    if reason == "SuccessfulRescale":
        return _rescale(body)
    if reason == "DeploymentRollback":
        return _plain(body, ChangeKind.ROLLBACK, "Roll back")
    if kind == "Certificate" and reason in ("Issued", "CertificateIssued", "Renewed"):
        return _plain(body, ChangeKind.CERTIFICATE, "Issue certificate")
    return None


def _rollout(body: Body) -> Change | None:
    scaled = _scaled(body)
    return scaled and _plain(
        body, ChangeKind.DEPLOY, "Roll out Deployment", identity=f"{_home(body)}:{scaled['set']}", replicas=scaled["to"]
    )


def _rescale(body: Body) -> Change:
    found = _AUTOSCALED.search(_message(body))
    return _plain(body, ChangeKind.SCALING, "Autoscale", replicas=found["size"] if found else None)


def _plain(
    body: Body, kind: ChangeKind, verb: str, *, identity: str | None = None, replicas: str | None = None
) -> Change:
    about = _about(body)
    name, space = text_at(about, "name"), text_at(about, "namespace")
    given = first(at(body, "metadata", "uid"), at(body, "metadata", "name")) or digest_of(body)
    return Change(
        id=f"kubernetes:{identity or f'event:{given}'}",
        kind=kind,
        at=event_time(body) or named_time(None, f"`lastTimestamp` of the event about {name}"),
        title=f"{verb} {name}" + (f" to {replicas}" if replicas and not identity else ""),
        services=service(name),
        environment=environment_of({"metadata": {"namespace": space}}),
        automated=kind is not ChangeKind.DEPLOY,
        status="progressing" if identity else None,
        text=_message(body),
        attributes=present(
            namespace=space, count=first(body.get("count"), at(body, "series", "count")), replicas=replicas
        ),
    )


def _scaled(body: Body) -> re.Match[str] | None:
    """
    That a Deployment's ReplicaSet was scaled up from nothing, or by an older cluster that does not say from what.
    """
    if text_at(body, "reason") != "ScalingReplicaSet" or text_at(_about(body), "kind") != "Deployment":
        return None
    found = _SCALED_UP.search(_message(body))
    return found if found and (found["from"] or found["before"] or "0") == "0" else None


def _about(body: Body) -> object:
    return body.get("involvedObject") or body.get("regarding")


def _message(body: Body) -> str:
    return first(body.get("message"), body.get("note")) or ""


def _home(body: Body) -> str:
    about = _about(body)
    return first(at(about, "uid")) or f"{text_at(about, 'namespace')}/{text_at(about, 'name')}"
