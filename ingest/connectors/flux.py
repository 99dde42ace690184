"""
Flux: events of its notification controller (the `generic` and `generic-hmac` providers), and the objects HelmRelease,
Kustomization and ImageUpdateAutomation.

A reconciliation of a Kustomization or HelmRelease to a revision is one change, from its progress to its end; its name
is taken for the service's. Fetching a source and choosing an image are no changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from graph.values import Change, ChangeKind, Item, Record, Trust
from ingest.commits import ranked
from ingest.connectors._kubernetes_objects import environment_of, manifests, name_of
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, digest_of, first, lower, moment_at, objects_at, present, service, text_at
from ingest.parsing import named_time
from ingest.signing import NamedHmac

_STATES = (("progressing",), ("failed",), ("succeeded",))
_REVISION = re.compile(r"^(?:(?P<ref>.*?)[@/])?(?:sha\d+:)?(?P<sha>[0-9a-f]{40,64})$")
_PUSHED = re.compile(r"(?:pushed|commit(?:ted)?)\b.*?\b([0-9a-f]{7,40})\b", re.IGNORECASE | re.DOTALL)
_QUIET = {
    "GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket", "ExternalArtifact", "ImagePolicy",
    "ImageRepository", "Alert", "Provider", "Receiver", "ArtifactGenerator", "FluxInstance", "ResourceSet",
    "FluxReport", "ResourceSetInputProvider",
}  # fmt: skip
_NOTHING_DONE = re.compile(
    r"DependencyNotReady|ArtifactFailed|SourceNotReady|Suspended|^Test|^HealthCheckSucceeded$|^DriftDetected$"
    r"|^PruneDisabled|AccessDenied|^InvalidCELExpression$",
    re.IGNORECASE,
)


def _bodies(objects: Sequence[Body]) -> Iterator[Body]:
    """
    One body an event, and one an entry of an object's history.
    """
    for one in objects:
        history = objects_at(one, "status", "history")
        if "involvedObject" in one or not history:
            yield one
        about = {"kind": one.get("kind"), "metadata": one.get("metadata"), "interval": at(one, "spec", "interval")}
        for place, entry in enumerate(history if "involvedObject" not in one else ()):
            yield {**about, "entry": entry, "previous": history[place + 1] if place + 1 < len(history) else None}


def _object(body: Body) -> str:
    """
    `Kustomization/apps/webapp`.
    """
    about = body.get("involvedObject") or {"kind": body.get("kind"), **(_metadata(body))}
    return "/".join(text_at(about, key) or "" for key in ("kind", "namespace", "name"))


def _metadata(body: Body) -> Body:
    found = body.get("metadata")
    return found if isinstance(found, dict) else {}


def _deed(reason: str) -> str:
    """
    What a reason beside the usual reconciliation does, as the end of the change's id.
    """
    return next((f":{deed}" for deed in ("rollback", "uninstall", "drift") if deed in reason.lower()), "")


def _identity(body: Body) -> str:
    entry = body.get("entry")
    if isinstance(entry, dict):
        revision = text_at(entry, "version")
        return (
            f"{_object(body)}{'#' + revision if revision else '@' + str(_revision(at(entry, 'metadata', 'revision')))}"
        )
    if body.get("kind") == "ImageUpdateAutomation":
        return f"{_object(body)}@{text_at(body, 'status', 'lastPushCommit')}"
    reason, revision = text_at(body, "reason") or "", _revision(_told(body, "revision"))
    mark = _deed(reason)
    return f"{_object(body)}@{revision or body.get('timestamp')}{mark}"


def _part(body: Body, meta: Mapping[str, str]) -> str:
    states = isinstance(body.get("entry"), dict) or body.get("kind") == "ImageUpdateAutomation"
    if states or ("involvedObject" in body and _is_done(body)):
        return _identity(body)
    return f"{_object(body)}/quiet/{digest_of(body)}"


def _occurred(body: Body) -> datetime | None:
    paths = (
        ("timestamp",), ("entry", "lastDeployed"), ("entry", "firstDeployed"), ("entry", "lastReconciled"),
        ("status", "lastPushTime"),
    )  # fmt: skip
    return ranked(moment_at(body, *paths), _status(body), _STATES)


split = manifests(_part, _occurred, _bodies)


def transform(record: Record) -> Iterator[Item]:
    """
    What an event or an object says was changed; others state nothing.
    """
    body = body_of(record)
    kind = text_at(body, "involvedObject", "kind") or text_at(body, "kind")
    reader = _READERS.get(kind or "")
    if reader:
        yield from reader(body)
    elif kind not in _QUIET:
        raise BadRecord(
            f"{record.part}: expected an event of Flux (with `involvedObject`) or one of its objects, not "
            f"{kind or 'one without `kind`'}; it is kept. "
            "Leave it out of the Alert's eventSources if it changes nothing"
        )


def _reconciled(body: Body) -> Iterator[Change]:
    if "involvedObject" not in body:
        yield from _entry(body)
        return
    if not _is_done(body):
        return
    reason, kind = text_at(body, "reason") or "", text_at(body, "involvedObject", "kind")
    revision, name = _told(body, "revision"), text_at(body, "involvedObject", "name")
    moment = named_time(body.get("timestamp"), f"`timestamp` of the event of {_object(body)}")
    found = _REVISION.match(revision or "")
    origin = _revision(_told(body, "originRevision"))
    environment = first(_told(body, "env"), _told(body, "environment"))
    yield Change(
        id=f"flux:{_identity(body)}",
        kind=ChangeKind.ROLLBACK if _deed(reason) == ":rollback" else ChangeKind.DEPLOY,
        at=moment,
        ended_at=None if _status(body) == "progressing" else moment,
        title=f"{kind} {name}: {reason}" + (f" ({revision})" if revision else ""),
        services=service(name),
        environment=lower(environment) or environment_of({"metadata": {"namespace": _told_namespace(body)}}),
        region=_told(body, "region"),
        revision=_revision(revision),
        automated=True,
        status=_status(body),
        text=text_at(body, "message") or "",
        carries=(origin,) if origin else (),
        attributes=present(
            namespace=_told_namespace(body),
            cluster=_told(body, "cluster"),
            ref=found["ref"] if found else None,
            app_version=_told(body, "app-version"),
            summary=_told(body, "summary"),
        ),
    )


def _entry(body: Body) -> Iterator[Change]:
    """
    An entry of the history of a HelmRelease or Kustomization.
    """
    entry = body.get("entry")
    if not isinstance(entry, dict):
        return
    name, before = name_of(body), body.get("previous")
    begun = moment_at(entry, ("lastDeployed",), ("firstDeployed",), ("firstReconciled",), ("lastReconciled",))
    revision = first(entry.get("chartVersion"), _revision(at(entry, "metadata", "revision")))
    status = lower(first(entry.get("status"), entry.get("lastReconciledStatus")))
    yield Change(
        id=f"flux:{_identity(body)}",
        kind=ChangeKind.DEPLOY,
        at=begun or named_time(None, f"`lastDeployed` in the history of {_object(body)}"),
        title=f"{body.get('kind')} {name}: {text_at(entry, 'chartName') or ''} {revision or ''}".rstrip(" :"),
        services=service(name),
        environment=environment_of({"metadata": _metadata(body)}),
        revision=revision,
        previous=first(at(before, "chartVersion"), _revision(at(before, "metadata", "revision"))),
        automated=True,
        status=status,
        attributes=present(
            namespace=text_at(body, "metadata", "namespace"),
            app_version=text_at(entry, "appVersion"),
            helm_revision=text_at(entry, "version"),
        ),
    )


def _images(body: Body) -> Iterator[Change]:
    """
    A commit that writes new image tags.
    """
    message = text_at(body, "message") or ""
    pushed = _PUSHED.search(message)
    sha = first(at(body, "status", "lastPushCommit"), pushed[1] if pushed else None)
    if not sha or text_at(body, "severity") == "error":
        return
    name = text_at(body, "involvedObject", "name") or name_of(body)
    moment = moment_at(body, ("status", "lastPushTime"), ("timestamp",))
    yield Change(
        id=sha,
        kind=ChangeKind.CODE,
        at=moment or named_time(None, f"`lastPushTime` of {name}"),
        title=f"Image update {name}",
        revision=sha,
        automated=True,
        text=message,
    )


_READERS: dict[str, Callable[[Body], Iterator[Change]]] = {
    "Kustomization": _reconciled,
    "HelmRelease": _reconciled,
    "Terraform": _reconciled,
    "ImageUpdateAutomation": _images,
}


def _is_done(body: Body) -> bool:
    """
    Whether something was changed or tried, not only waited for or looked at.
    """
    kind, reason = text_at(body, "involvedObject", "kind"), text_at(body, "reason") or ""
    return kind in _READERS and not _NOTHING_DONE.search(reason)


def _told(body: Body, key: str) -> str | None:
    """
    A field of the event's metadata, with or without its controller's prefix.
    """
    found = _metadata(body)
    named = (found[name] for name in found if name == key or str(name).endswith(f".toolkit.fluxcd.io/{key}"))
    return first(*named)


def _told_namespace(body: Body) -> str | None:
    return text_at(body, "involvedObject", "namespace")


def _revision(told: object) -> str | None:
    """
    The commit of `main/<sha>` and `main@sha1:<sha>`; of a chart its version.
    """
    text = first(told)
    found = _REVISION.match(text or "")
    return found["sha"] if found else text


def _status(body: Body) -> str | None:
    if body.get("severity") == "error" or (text_at(body, "reason") or "").endswith("Failed"):
        return "failed"
    started = (text_at(body, "message") or "").lower().endswith("has started")
    return "progressing" if started or text_at(body, "reason") == "Progressing" else "succeeded"


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By the controller's header, else by an event's own fields, else by an object of Flux'.
    """
    if "gotk-component" in headers or {"involvedObject", "severity", "reportingController"} <= payload.keys():
        return True
    return ".toolkit.fluxcd.io/" in str(payload.get("apiVersion") or "")


CONNECTOR = Connector(
    name="flux",
    summary="Flux notification events, HelmRelease, Kustomization and ImageUpdateAutomation objects",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("flux/*.json*", "flux/*.y*ml"),
    recognises=recognises,
    headers=("gotk-component",),
    signing=NamedHmac(header="x-signature"),
)
