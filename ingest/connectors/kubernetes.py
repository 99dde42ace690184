"""
Kubernetes: rollouts of Deployments, StatefulSets and DaemonSets as their objects tell them, and Events (`v1` and
`events.k8s.io/v1`), as changes. What manifests declare is read by `kubernetes_manifests`.

A rollout is a new ReplicaSet (or ControllerRevision) of one owner, and is named by both, so that the workload, the
ReplicaSet and the events tell one change. A ReplicaSet that served an older revision before (`kubectl rollout undo`) is
a rollback. Objects that no cluster has seen (without `uid`) and all other kinds state nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from graph.values import Change, ChangeKind, Item, Record, Trust
from ingest.commits import ranked
from ingest.connectors._kubernetes_events import change_of, event_part, event_time, is_event
from ingest.connectors._kubernetes_objects import (
    DELETED,
    condition,
    environment_of,
    image_of,
    labels_of,
    manifests,
    name_of,
    service_name,
    spec_written,
    version_of,
)
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, digest_of, first, moment_at, objects_at, present, service, text_at
from ingest.parsing import named_time

_REVISION = "deployment.kubernetes.io/revision"
_HISTORY = "deployment.kubernetes.io/revision-history"
_REPLICA_SET = re.compile(r'ReplicaSet "([^"]+)"')
_STATES = (("created",), ("progressing",), ("failed",), ("complete",), ("undone",))
_FAILED = {"ProgressDeadlineExceeded", "ReplicaSetCreateError", "FailedCreate"}
_MACHINE = re.compile(r"controller|argocd|flux|operator", re.IGNORECASE)
"""Managers of fields that nobody drives by hand."""
_AGAIN = "precedent/again"
"""The key by which a ReplicaSet's second body tells that it came back."""


def _bodies(objects: Sequence[Body]) -> Iterator[Body]:
    """
    Each object; a ReplicaSet that came back twice: when it was made, and as the rollback that it is now.
    """
    for one in objects:
        yield one
        if one.get("kind") == "ReplicaSet" and _HISTORY in labels_of(one) and at(one, "spec", "replicas"):
            yield {**one, _AGAIN: True}


def _owner(body: Body) -> Body:
    """
    The workload that an object belongs to; itself where it is one.
    """
    owners = objects_at(body, "metadata", "ownerReferences")
    found = next((one for one in owners if one.get("controller") is True), owners[0] if owners else None)
    if found:
        return found
    return {"kind": body.get("kind"), "name": name_of(body), "uid": text_at(body, "metadata", "uid")}


def _rollout_id(body: Body) -> str:
    owner = _owner(body)
    home = first(owner.get("uid")) or f"{text_at(body, 'metadata', 'namespace')}/{owner.get('name')}"
    return f"{home}:{_named(body)}" + (f":{labels_of(body).get(_REVISION)}" if body.get(_AGAIN) else "")


def _named(body: Body) -> str:
    """
    What names a rollout beside its owner: a DaemonSet's generation, the ReplicaSet or ControllerRevision, else the
    revision.
    """
    generation = labels_of(body).get("deprecated.daemonset.template.generation")
    if generation:
        return generation
    if body.get("kind") in ("ReplicaSet", "ControllerRevision"):
        return str(name_of(body))
    found = _REPLICA_SET.search(text_at(condition(body, "Progressing"), "message") or "")
    revision = first(at(body, "status", "updateRevision"), labels_of(body).get(_REVISION))
    return found[1] if found else revision or "1"


def _part(body: Body, meta: Mapping[str, str]) -> str:
    if is_event(body):
        return event_part(body)
    kind = text_at(body, "kind") or "unknown"
    if _tells_rollout(body):
        return f"rollout/{_rollout_id(body)}"
    space = text_at(body, "metadata", "namespace") or ""
    return f"{kind}/{space}/{name_of(body) or digest_of(body)}/quiet"


def _occurred(body: Body) -> datetime | None:
    if is_event(body):
        return event_time(body)
    if body.get(_AGAIN):
        return ranked(_last_written(body), "undone", _STATES)
    if body.get("kind") == "ReplicaSet":
        return ranked(moment_at(body, ("metadata", "creationTimestamp")), "created", _STATES)
    return ranked(_told_at(body), _status(body), _STATES)


split = manifests(_part, _occurred, _bodies)


def transform(record: Record) -> Iterator[Item]:
    """
    What an object or an event says was changed.
    """
    body = body_of(record)
    if is_event(body):
        found = change_of(body)
        if found:
            yield found
        return
    if not text_at(body, "kind") or not text_at(body, "apiVersion"):
        raise BadRecord(
            f"{record.part}: an object of Kubernetes has `apiVersion` and `kind`; export it with kubectl get -o yaml"
        )
    if _tells_rollout(body):
        yield _READERS[str(body.get("kind"))](body)


def _tells_rollout(body: Body) -> bool:
    """
    Whether an object is a workload that a cluster runs, or a revision of one.
    """
    kind, living = text_at(body, "kind"), bool(text_at(body, "metadata", "uid")) and not body.get(DELETED)
    if kind == "Deployment":
        return living and condition(body, "Progressing") is not None
    if kind in ("StatefulSet", "DaemonSet"):
        return living and isinstance(body.get("status"), dict)
    owned = _owner(body).get("kind") in ("Deployment", "StatefulSet", "DaemonSet")
    return living and owned and kind in ("ReplicaSet", "ControllerRevision")


def _workload(body: Body) -> Change:
    told, status = _told_at(body), _status(body)
    begun, manager = spec_written(body, told)
    stale = _is_stale(body)
    image = None if stale else image_of(at(body, "spec", "template"))
    first_one = labels_of(body).get(_REVISION) == "1" or at(body, "metadata", "generation") == 1
    begun = moment_at(body, ("metadata", "creationTimestamp")) if first_one else begun or told
    return _change(
        body,
        begun or named_time(None, f"the time of the rollout of {name_of(body)}"),
        image=image,
        ended=told if status in ("complete", "failed") else None,
        status=status,
        actor=manager,
    )


def _revision_made(body: Body) -> Change:
    """
    Of a ReplicaSet or ControllerRevision: when it was made; of a ReplicaSet that came back: that it did.
    """
    again = body.get(_AGAIN) is True
    made = moment_at(body, ("metadata", "creationTimestamp"))
    template = at(body, "spec", "template") or at(body, "data", "spec", "template")
    return _change(
        body,
        (_last_written(body) if again else made) or named_time(None, f"`creationTimestamp` of {name_of(body)}"),
        image=image_of(template),
        kind=ChangeKind.ROLLBACK if again else ChangeKind.DEPLOY,
    )


def _change(
    body: Body,
    moment: datetime,
    *,
    image: str | None,
    kind: ChangeKind = ChangeKind.DEPLOY,
    ended: datetime | None = None,
    status: str | None = None,
    actor: str | None = None,
) -> Change:
    labels, owner = labels_of(body), _owner(body)
    labelled = service_name(body)
    name = str(owner.get("name")) if labelled == name_of(body) else labelled
    earlier = (labels.get(_HISTORY) or "").partition(",")[0]
    again = kind is ChangeKind.ROLLBACK
    number = first(None if again else earlier, labels.get(_REVISION), body.get("revision"))
    verb = "Roll back" if again else "Roll out"
    return Change(
        id=f"kubernetes:{_rollout_id(body)}",
        kind=kind,
        at=moment,
        ended_at=ended,
        title=f"{verb} {owner.get('kind')} {owner.get('name')}" + (f" ({image})" if image else ""),
        services=service(name),
        environment=environment_of(body),
        revision=version_of(image),
        actor=actor,
        automated=bool(_MACHINE.search(actor or "")),
        status=status,
        text=text_at(condition(body, "Progressing"), "message") or "",
        attributes=present(
            namespace=text_at(body, "metadata", "namespace"),
            image=image,
            rollout_revision=number,
            instance=labels.get("app.kubernetes.io/instance"),
            part_of=labels.get("app.kubernetes.io/part-of"),
            version=labels.get("app.kubernetes.io/version"),
        ),
    )


_READERS: dict[str, Callable[[Body], Change]] = {
    "Deployment": _workload,
    "StatefulSet": _workload,
    "DaemonSet": _workload,
    "ReplicaSet": _revision_made,
    "ControllerRevision": _revision_made,
}


def _told_at(body: Body) -> datetime | None:
    """
    When the object last told of its rollout. StatefulSets and DaemonSets do not: when their template was written.
    """
    told = moment_at(condition(body, "Progressing"), ("lastUpdateTime",), ("lastTransitionTime",))
    return told or spec_written(body, None)[0] or moment_at(body, ("metadata", "creationTimestamp"))


def _last_written(body: Body) -> datetime | None:
    times = [moment_at(one, ("time",)) for one in objects_at(body, "metadata", "managedFields")]
    return max((one for one in times if one), default=None) or moment_at(body, ("metadata", "creationTimestamp"))


def _is_stale(body: Body) -> bool:
    """
    Whether the status is still that of the revision before: the image in the spec is not yet what it tells of.
    """
    generation, seen = at(body, "metadata", "generation"), at(body, "status", "observedGeneration")
    return isinstance(generation, int) and isinstance(seen, int) and seen < generation


def _status(body: Body) -> str:
    progress = condition(body, "Progressing")
    if progress is not None:
        reason = text_at(progress, "reason")
        if reason in _FAILED or text_at(progress, "status") == "False":
            return "failed"
        if reason == "DeploymentPaused":
            return "paused"
        return "complete" if reason == "NewReplicaSetAvailable" else "progressing"
    status = at(body, "status")
    if body.get("kind") == "DaemonSet":
        return _counted(at(status, "updatedNumberScheduled"), at(status, "desiredNumberScheduled"))
    if text_at(status, "currentRevision") == text_at(status, "updateRevision"):
        return "complete"
    return _counted(at(status, "updatedReplicas"), at(body, "spec", "replicas"))


def _counted(updated: object, wanted: object) -> str:
    return "complete" if updated is not None and updated == wanted else "progressing"


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    An event, a workload or a list of them, alone or of a watch.
    """
    found = payload.get("object") if "type" in payload and "object" in payload else payload
    version, kind = str(at(found, "apiVersion") or ""), str(at(found, "kind") or "").removesuffix("List")
    known = version in ("v1", "apps/v1", "events.k8s.io/v1", "events.k8s.io/v1beta1")
    return known and (kind in _READERS or kind == "Event" or at(found, "kind") == "List")


CONNECTOR = Connector(
    name="kubernetes",
    summary="Kubernetes events, and rollouts of Deployments, StatefulSets and DaemonSets",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("kubernetes/*.json*", "kubernetes/*.y*ml"),
    recognises=recognises,
)
