"""
Argo CD Applications (as YAML or JSON, in lists, of a watch, or in the notification of
`docs/how-to/argo-cd-notifications.md`) and Argo Rollouts.

Each entry of an Application's history is a change, and so is an operation that is running or that failed; both are
named by their start, so that the end of a sync replaces its beginning. A sync back to a revision that the history held
before is a rollback. The name of the Application is taken for the service's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from graph.values import Change, ChangeKind, Item, Record, Trust
from ingest.commits import repository_path, rolls_back
from ingest.connectors._kubernetes_objects import (
    DELETED,
    condition,
    environment_in,
    environment_of,
    image_of,
    manifests,
    name_of,
    service_name,
    spec_written,
    version_of,
)
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import (
    at,
    body_of,
    digest_of,
    first,
    list_at,
    lower,
    moment_at,
    objects_at,
    present,
    repository,
    service,
    text_at,
)
from ingest.parsing import named_time
from ingest.signing import Shared

TEMPLATE = "precedent.argocd/1"
"""What our own notification template calls itself."""
_ENDED_PHASES = {"succeeded", "failed", "error"}
_QUIET = {"AppProject", "ApplicationSet", "ConfigMap", "AnalysisRun", "AnalysisTemplate", "Experiment"}
_ENDED = {
    "NewReplicaSetAvailable": "healthy",
    "RolloutCompleted": "healthy",
    "RolloutAborted": "aborted",
    "ProgressDeadlineExceeded": "failed",
}
_PAUSED = {"RolloutPaused", "CanaryPauseStep", "BlueGreenPause", "InconclusiveAnalysisRun"}


def _bodies(objects: Sequence[Body]) -> Iterator[Body]:
    """
    One body a sync of an Application; other objects as they are.
    """
    for one in objects:
        found = one.get("application") if one.get("template") == TEMPLATE else one
        app = found if isinstance(found, dict) else one
        if app.get("kind") == "Application":
            yield from _syncs(app, text_at(one, "argocdUrl"))
        else:
            yield app


def _syncs(app: Body, url: str | None) -> Iterator[Body]:
    """
    The Application's syncs, each beside what it is one of; one body without a sync where it has none.
    """
    about = {
        "kind": "Application",
        "metadata": {key: at(app, "metadata", key) for key in ("name", "namespace", "uid", "labels")},
        "spec": {key: at(app, "spec", key) for key in ("destination", "project", "source", "sources")},
        "url": url,
    }
    operation = at(app, "status", "operationState")
    latest = {"operation": operation, "images": at(app, "status", "summary", "images")}
    history = sorted(objects_at(app, "status", "history"), key=lambda entry: text_at(entry, "deployedAt") or "")
    recorded = [_is_of(entry, operation) for entry in history]
    for place, entry in enumerate(history):
        yield {
            **about,
            **(latest if recorded[place] else {}),
            "sync": entry,
            "before": [_revisions(one) for one in history[:place]],
            "predecessor": _start(history[place - 1]) if place else None,
        }
    if isinstance(operation, dict) and not any(recorded):
        yield {**about, **latest, "before": [_revisions(one) for one in history]}
    elif not history:
        yield about


def _is_of(entry: Body, operation: object) -> bool:
    """
    Whether an entry of the history is what an operation made. Older versions say only when it ended.
    """
    ended = text_at(operation, "finishedAt")
    return _start(entry) == _start(operation) or bool(ended and text_at(entry, "deployedAt") == ended)


def _start(sync: object) -> str | None:
    return first(at(sync, "deployStartedAt"), at(sync, "startedAt"), at(sync, "deployedAt"))


def _revisions(sync: object) -> list[str]:
    """
    The revisions of a history's entry or of an operation, one for each source.
    """
    places = (sync, at(sync, "syncResult"), at(sync, "operation", "sync"))
    for place in places:
        several = [one for one in list_at(place, "revisions") if isinstance(one, str) and one]
        one = text_at(place, "revision")
        if several or one:
            return several or [str(one)]
    return []


def _app_id(body: Body) -> str:
    return first(at(body, "metadata", "uid")) or f"{text_at(body, 'metadata', 'namespace') or ''}/{name_of(body)}"


def _part(body: Body, meta: Mapping[str, str]) -> str:
    kind, name = text_at(body, "kind") or "unknown", _app_id(body)
    if kind == "Application":
        return f"{kind}/{name}/{_start(body.get('sync') or body.get('operation')) or 'quiet'}"
    if kind == "Rollout" and not body.get(DELETED):
        return f"{kind}/{name}/{_rollout_revision(body)}"
    return f"{kind}/{name}/{digest_of(body)}"


def _occurred(body: Body) -> datetime | None:
    if body.get("kind") == "Rollout":
        return moment_at(condition(body, "Progressing"), ("lastUpdateTime",)) or moment_at(
            body, ("metadata", "creationTimestamp")
        )
    moment = moment_at(body, ("sync", "deployedAt"), ("operation", "finishedAt"), ("operation", "startedAt"))
    return moment + timedelta(microseconds=_knowledge(body)) if moment else None


def _knowledge(body: Body) -> int:
    """
    How much a reading knows of a sync: one with its operation knows who began it, one with more of the history what was
    there before. Of two readings of the same state the one that knows more counts.
    """
    ended = lower(at(body, "operation", "phase")) in _ENDED_PHASES
    return (1000 if ended else 0) + min(len(list_at(body, "before")), 900) + (1 if body.get("sync") else 0)


split = manifests(_part, _occurred, _bodies)


def transform(record: Record) -> Iterator[Item]:
    """
    What a sync or a rollout says was changed; objects without one state nothing.
    """
    body = body_of(record)
    kind = text_at(body, "kind")
    if kind == "Application":
        yield from _application(body)
    elif kind == "Rollout":
        yield from _rollout(body)
    elif kind not in _QUIET:
        raise BadRecord(
            f"{record.part}: expected an Argo CD Application, a Rollout or our notification, not "
            f"{'an object without `kind`' if kind is None else kind}; it is kept. Send the notification with the "
            "template of docs/how-to/argo-cd-notifications.md"
        )


def _application(body: Body) -> Iterator[Change]:
    sync, operation = body.get("sync"), body.get("operation")
    if not (sync or operation) or at(operation, "operation", "sync", "dryRun") is True:
        return
    revisions = _revisions(sync or operation)
    before = [one for one in list_at(body, "before") if isinstance(one, list)]
    previous = before[-1] if before else []
    back = bool(revisions) and revisions != previous and revisions in before[:-1]
    source = _source(body)
    by = at(operation, "operation", "initiatedBy") or at(sync, "initiatedBy")
    reason = " ".join(str(at(one, "value")) for one in objects_at(operation, "operation", "info"))
    name = name_of(body)
    status = "succeeded" if sync else lower(at(operation, "phase")) or "running"
    environment, destination = environment_of(body), at(body, "spec", "destination")
    predecessor = text_at(body, "predecessor")
    yield Change(
        id=f"argocd:{_app_id(body)}@{_start(sync or operation)}",
        kind=ChangeKind.ROLLBACK if back or rolls_back(reason) else ChangeKind.DEPLOY,
        at=named_time(_start(sync or operation), f"`startedAt` of the sync of {name}"),
        ended_at=moment_at(sync, ("deployedAt",)) or moment_at(operation, ("finishedAt",)),
        title=f"{'Roll back' if back else 'Sync'} {name} to {', '.join(revisions)}".removesuffix(" to "),
        services=service(name),
        repository=repository(repository_path(text_at(source, "repoURL"))) if not at(source, "chart") else None,
        environment=environment
        or _place(text_at(destination, "namespace"))
        or environment_in(
            text_at(destination, "namespace"),
            name,
            text_at(destination, "name"),
            text_at(source, "path"),
            text_at(body, "spec", "project"),
        ),
        revision=revisions[0] if revisions else None,
        previous=previous[0] if previous else None,
        actor=text_at(by, "username"),
        automated=at(by, "automated") is True,
        status=status,
        text=(text_at(operation, "message") or "") if operation else "",
        reverts=f"argocd:{_app_id(body)}@{predecessor}" if back and predecessor else None,
        url=f"{url.rstrip('/')}/applications/{name}" if (url := text_at(body, "url")) else None,
        attributes=present(
            project=text_at(body, "spec", "project"),
            cluster=first(at(destination, "name"), at(destination, "server")),
            namespace=text_at(destination, "namespace"),
            chart=text_at(source, "chart"),
            path=text_at(source, "path"),
            revisions=",".join(str(one) for one in revisions[1:]),
            images=",".join(str(one) for one in list_at(body, "images")),
        ),
    )


def _source(body: Body) -> object:
    """
    Where the sync came from: of several sources the first.
    """
    sync, operation = at(body, "sync"), at(body, "operation")
    places = (sync, at(operation, "syncResult"), at(operation, "operation", "sync"), at(body, "spec"))
    return next((one for place in places if (one := at(place, "source") or at(place, "sources", 0))), None)


def _place(namespace: str | None) -> str | None:
    return environment_of({"metadata": {"namespace": namespace}}) if namespace else None


def _rollout_revision(body: Body) -> str:
    annotation = at(body, "metadata", "annotations", "rollout.argoproj.io/revision")
    return first(annotation, at(body, "status", "currentPodHash")) or "quiet"


def _rollout(body: Body) -> Iterator[Change]:
    progress = condition(body, "Progressing")
    if progress is None or body.get(DELETED):
        return
    reason = text_at(progress, "reason") or ""
    aborted = at(body, "status", "abort") is True
    status = "aborted" if aborted else "paused" if reason in _PAUSED else _ENDED.get(reason, "progressing")
    told = moment_at(body, ("status", "abortedAt")) or moment_at(progress, ("lastUpdateTime",), ("lastTransitionTime",))
    begun, manager = spec_written(body, told)
    image = image_of(at(body, "spec", "template"))
    made = at(body, "metadata", "creationTimestamp")
    yield Change(
        id=f"argocd:rollout:{_app_id(body)}:{_rollout_revision(body)}",
        kind=ChangeKind.DEPLOY,
        at=begun or told or named_time(made, "`lastUpdateTime` of the condition Progressing"),
        ended_at=told if status not in ("progressing", "paused") else None,
        title=f"Rollout {name_of(body)} revision {_rollout_revision(body)}" + (f" ({image})" if image else ""),
        services=service(service_name(body)),
        environment=environment_of(body),
        revision=version_of(image),
        actor=manager,
        status=status,
        text=text_at(progress, "message") or "",
        attributes=present(
            namespace=text_at(body, "metadata", "namespace"),
            image=image,
            instance=text_at(body, "metadata", "labels", "app.kubernetes.io/instance"),
        ),
    )


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    An object of Argo's, alone or of a watch, or our own notification.
    """
    found = payload.get("object") if "type" in payload and "object" in payload else payload
    if payload.get("template") == TEMPLATE:
        return True
    group = str(at(found, "apiVersion") or "").startswith("argoproj.io/")
    return group and at(found, "kind") in ("Application", "ApplicationList", "Rollout", "RolloutList")


CONNECTOR = Connector(
    name="argocd",
    summary="Argo CD Applications and our notification template, Argo Rollouts: syncs, rollbacks, rollouts",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("argocd/*.json*", "argocd/*.y*ml"),
    recognises=recognises,
    signing=Shared(),
)
