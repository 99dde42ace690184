"""
Kubernetes manifests as topology: workloads and who owns them, what their environment points at, the names that Services
and Ingresses give them, and the calls that NetworkPolicies permit. Changes are read by `kubernetes`.

A selector is followed to the workloads of the same payload; where they are elsewhere, its own label names the workload.
Edges are declared or permitted, never observed: `source_kind` says which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from graph.values import EntityId, EntityKind, Fact, FactKind, Item, Record, Trust, entity_id
from ingest.commits import repository_path
from ingest.connectors._kubernetes_links import Links, addressed, backends, template_of
from ingest.connectors._kubernetes_objects import (
    DELETED,
    environment_of,
    image_of,
    labels_of,
    manifests,
    name_of,
    service_id,
    version_of,
)
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, digest_of, first, list_at, objects_at, present, text_at

_WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "Rollout", "CronJob", "DeploymentConfig"}
_OWNER_KEYS = re.compile(r"^(?:.*[/.])?(?:team|owner|owned-by|owning-team|squad)$", re.IGNORECASE)
_REPOSITORY_KEYS = (
    "github.com/project-slug", "gitlab.com/project-slug", "app.openshift.io/vcs-uri", "a8r.io/repository",
    "org.opencontainers.image.source",
)  # fmt: skip
_RUNBOOK_KEYS = ("a8r.io/runbook", "runbook", "runbook-url", "runbook_url")
_CHAT_KEYS = ("a8r.io/chat", "slack", "slack-channel")


def _bodies(objects: Sequence[Body]) -> Iterator[Body]:
    """
    Each object beside what it points at among the others.
    """
    links = Links([one for one in objects if one.get("kind") in _WORKLOADS], objects)
    for one in objects:
        yield {"object": one, **links.of(one)}


def _part(body: Body, meta: Mapping[str, str]) -> str:
    found = at(body, "object")
    name = "/".join(first(at(found, "metadata", key)) or "" for key in ("namespace", "name")).lstrip("/")
    kind = text_at(found, "kind") or "unknown"
    return f"{meta.get('path', 'manifests')}#{kind}/{name or digest_of(body)}"


def _never(body: Body) -> datetime | None:
    """
    Manifests are a state, not events.
    """
    return None


split = manifests(_part, _never, _bodies)


def transform(record: Record) -> Iterator[Item]:
    """
    What one object declares; kinds without topology, and what is gone, state nothing.
    """
    body = body_of(record)
    found = body.get("object")
    if not isinstance(found, dict) or not text_at(found, "kind") or not text_at(found, "apiVersion"):
        raise BadRecord(f"{record.part}: an object of Kubernetes has `apiVersion` and `kind`; it is kept")
    if found.get(DELETED):
        return
    if not name_of(found):
        raise BadRecord(f"{record.part}: `metadata.name` is missing; a template with generateName is no service")
    reader = _READERS.get(str(found["kind"]))
    if reader:
        yield from reader(found, body)


def _workload(found: Body, body: Body) -> Iterator[Fact]:
    subject = service_id(found)
    if subject is None or objects_at(found, "metadata", "ownerReferences"):
        return
    labels, template = labels_of(found), template_of(found)
    image = image_of(template)
    yield Fact(
        kind=FactKind.ENTITY,
        subject=subject,
        attributes=present(
            kind=str(found.get("kind")).lower(),
            name=name_of(found),
            namespace=text_at(found, "metadata", "namespace"),
            image=image,
            version=first(labels.get("app.kubernetes.io/version"), version_of(image)),
            component=labels.get("app.kubernetes.io/component"),
            instance=labels.get("app.kubernetes.io/instance"),
            description=labels.get("a8r.io/description"),
            slack=first(*(labels.get(key) for key in _CHAT_KEYS)),
            runbooks=first(*(labels.get(key) for key in _RUNBOOK_KEYS)),
        ),
    )
    yield from _about(subject, found, template)
    edges = addressed(template, body.get("services"))
    for target, variable in sorted(edges.items()):
        if target != subject:
            yield _edge(subject, target, "declared", env=variable)


def _about(subject: EntityId, found: Body, template: object) -> Iterator[Fact]:
    """
    Names, owner, whole, environment and repository of a workload, by its labels and annotations or those of its pods.
    """
    labels = {**labels_of(template), **labels_of(found)}
    name = str(name_of(found))
    if entity_id(EntityKind.SERVICE, name) != subject:
        yield _alias(subject, name, "kubernetes workload")
    owner = next((value for key, value in labels.items() if _OWNER_KEYS.match(key) and "@" not in value), None)
    if owner:
        team = entity_id(EntityKind.TEAM, owner.removeprefix("team:").removeprefix("group:"))
        yield Fact(kind=FactKind.OWNED_BY, subject=subject, object=team, attributes={"stated_as": "label"})
    if whole := labels.get("app.kubernetes.io/part-of"):
        yield Fact(kind=FactKind.PART_OF, subject=subject, object=entity_id(EntityKind.RESOURCE, whole))
    if environment := environment_of(found):
        yield Fact(kind=FactKind.RUNS_IN, subject=subject, object=entity_id(EntityKind.ENVIRONMENT, environment))
    given = first(*(labels.get(key) for key in _REPOSITORY_KEYS))
    path = given if given and re.fullmatch(r"[\w.-]+(/[\w.-]+)+", given) else repository_path(given)
    if path:
        yield Fact(kind=FactKind.BUILT_FROM, subject=subject, object=entity_id(EntityKind.REPOSITORY, path))


def _service(found: Body, body: Body) -> Iterator[Fact]:
    """
    The name that a Service gives to the one workload that it selects.
    """
    targets = _targets(body)
    name = str(name_of(found))
    if len(targets) == 1 and targets[0] != entity_id(EntityKind.SERVICE, name):
        yield _alias(targets[0], name, "kubernetes service")


def _ingress(found: Body, body: Body) -> Iterator[Fact]:
    """
    The services behind an Ingress or a route, and the host names that lead to one service alone.
    """
    entry = entity_id(EntityKind.RESOURCE, str(name_of(found)))
    reached = backends(found, body.get("services"))
    if not reached:
        return
    hosts = {host for host, _ in reached if host}
    yield Fact(
        kind=FactKind.ENTITY,
        subject=entry,
        attributes=present(
            kind=str(found.get("kind")).lower(),
            namespace=text_at(found, "metadata", "namespace"),
            hosts=" ".join(sorted(hosts)),
        ),
    )
    for target in sorted({target for _, target in reached}):
        yield _edge(entry, target, "declared")
    for host in sorted(hosts):
        behind = {target for named, target in reached if named == host}
        if len(behind) == 1 and "*" not in host:
            yield _alias(behind.pop(), host, "hostname")


def _policy(found: Body, body: Body) -> Iterator[Fact]:
    """
    The calls that a NetworkPolicy permits between workloads that its selectors name.
    """
    for pair in list_at(body, "permits"):
        caller, called = text_at(pair, 0), text_at(pair, 1)
        if caller and called:
            yield _edge(caller, called, "permitted")


def _targets(body: Body) -> list[EntityId]:
    return [str(one) for one in list_at(body, "targets")]


def _alias(subject: EntityId, name: str, seen_in: str) -> Fact:
    return Fact(kind=FactKind.ALIAS, subject=subject, object=name, attributes={"seen_in": seen_in})


def _edge(subject: EntityId, target: EntityId, source_kind: str, *, env: str | None = None) -> Fact:
    stated = {"declared": "env" if env else "ingress", "permitted": "networkpolicy"}[source_kind]
    return Fact(
        kind=FactKind.DEPENDS_ON,
        subject=subject,
        object=target,
        attributes=present(stated_as=stated, source_kind=source_kind, env=env),
    )


_READERS: dict[str, Callable[[Body, Body], Iterator[Fact]]] = {
    **dict.fromkeys(_WORKLOADS, _workload),
    "Service": _service,
    "Ingress": _ingress,
    "HTTPRoute": _ingress,
    "GRPCRoute": _ingress,
    "NetworkPolicy": _policy,
}


CONNECTOR = Connector(
    name="kubernetes_manifests",
    summary="Kubernetes manifests: workloads, owners, Services, Ingresses, addresses in variables, NetworkPolicies",
    trust=Trust.DECLARED,
    snapshot=True,
    split=split,
    transform=transform,
    patterns=("kubernetes_manifests/*.y*ml", "kubernetes_manifests/*.json", "manifests/*.y*ml", "k8s/*.y*ml"),
)
