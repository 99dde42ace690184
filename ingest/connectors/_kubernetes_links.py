"""
What Kubernetes objects point at: the workloads of a selector, the services of addresses in variables, the backends of
Ingresses and routes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from graph.values import EntityId, EntityKind, entity_id
from ingest.connectors._kubernetes_objects import DELETED, name_of, service_id
from ingest.contract import Body
from ingest.fields import at, list_at, objects_at, text_at

_ADDRESS = re.compile(
    r"(?:^|_)(?:ADDR(?:ESS(?:ES)?)?|URLS?|URI|HOSTS?|ENDPOINTS?|(?P<loose>SERVERS?|DSN|BROKERS?|UPSTREAM|SVC|CONNECTION"
    r"|CONNECTION_STRING|SERVICE))$",
    re.IGNORECASE,
)
"""Names of variables that hold an address; those of the loose kind only where it is written with a scheme or port."""
_OWN = re.compile(r"^(?:LISTEN|BIND|POD|NODE|SELF|MY)_", re.IGNORECASE)
_HOST = re.compile(
    r"^(?:[a-z][a-z\d+.:-]*://)?(?:[^@/\s]*@)?(?P<host>[a-z][a-z\d-]*)(?P<domain>(?:\.[a-z\d-]+)*)\.?"
    r"(?P<port>:\d+)?(?:[/?].*)?$",
    re.IGNORECASE,
)
_IN_CLUSTER = re.compile(r"^(?:|\.[a-z\d-]+|\.[a-z\d-]+\.svc(?:\.[a-z\d.-]+)?)$", re.IGNORECASE)
_NOT_A_SERVICE = {"localhost", "true", "false", "none", "null", "kubernetes"}
_SELECTING = ("app.kubernetes.io/name", "app", "k8s-app", "name", "app.kubernetes.io/component", "component", "service")
_LAST_PARTS = re.compile(r"^\.(?:com|net|org|io|dev|app|cloud|local|internal|co|ai|eu|de|uk)$", re.IGNORECASE)


class Links:
    """
    The workloads and Services of one payload, to follow selectors and names in.
    """

    def __init__(self, workloads: Sequence[Body], objects: Sequence[Body]) -> None:
        living = [one for one in workloads if not one.get(DELETED)]
        self._pods: dict[tuple[str, str], list[tuple[str, Mapping[str, str], EntityId]]] = {}
        for one in living:
            labels, service = _pod_labels(one), service_id(one)
            for label in labels.items() if service else ():
                self._pods.setdefault(label, []).append((_space(one), labels, str(service)))
        services = [one for one in objects if one.get("kind") == "Service" and not one.get(DELETED)]
        self._names = {str(name_of(one)): found for one in services if (found := self._only(one))}
        self._declared = {
            (service_id(one), target) for one in living for target in addressed(template_of(one), self._names)
        }

    def of(self, found: Body) -> Body:
        """
        What an object points at, as further fields of its record: `targets` of its selector, `permits` of a policy
        (caller and called, without what is declared anyway), and `services`, those that workloads call otherwise.
        """
        kind = found.get("kind")
        if kind == "Service":
            return {"targets": self._selected(found, at(found, "spec", "selector"))}
        if kind == "NetworkPolicy":
            return {"permits": [list(pair) for pair in self._permitted(found)]}
        mentioned = {name: target for name in _mentioned(found) if (target := self._names.get(name))}
        used = {name: target for name, target in mentioned.items() if target != entity_id(EntityKind.SERVICE, name)}
        return {"services": used} if used else {}

    def _permitted(self, policy: Body) -> list[tuple[EntityId, EntityId]]:
        own = self._selected(policy, at(policy, "spec", "podSelector", "matchLabels"))
        incoming = [(peer, one) for one in own for peer in self._peers(policy, "ingress", "from")]
        outgoing = [(one, peer) for one in own for peer in self._peers(policy, "egress", "to")]
        pairs = dict.fromkeys([*incoming, *outgoing])
        return [pair for pair in pairs if pair[0] != pair[1] and pair not in self._declared]

    def _peers(self, policy: Body, way: str, key: str) -> list[EntityId]:
        peers = [peer for rule in objects_at(policy, "spec", way) for peer in objects_at(rule, key)]
        found = (
            one
            for peer in peers
            for one in self._selected(
                policy, at(peer, "podSelector", "matchLabels"), anywhere=isinstance(peer.get("namespaceSelector"), dict)
            )
        )
        return list(dict.fromkeys(found))

    def _selected(self, found: Body, selector: object, *, anywhere: bool = False) -> list[EntityId]:
        """
        The workloads that a selector selects; where none is here, the one that its label names.
        """
        if not isinstance(selector, dict) or not selector:
            return []
        wanted = {str(key): str(value) for key, value in selector.items()}
        candidates = min((self._pods.get(label, []) for label in wanted.items()), key=len)
        here = [
            service
            for space, labels, service in candidates
            if (anywhere or space == _space(found)) and wanted.items() <= labels.items()
        ]
        if here:
            return list(dict.fromkeys(here))
        named = next((wanted[key] for key in _SELECTING if wanted.get(key)), None)
        return [entity_id(EntityKind.SERVICE, named)] if named else []

    def _only(self, service: Body) -> EntityId | None:
        found = self._selected(service, at(service, "spec", "selector"))
        return found[0] if len(found) == 1 else None


def template_of(workload: Body) -> object:
    """
    A workload's template of pods.
    """
    return at(workload, "spec", "jobTemplate", "spec", "template") or at(workload, "spec", "template")


def addressed(template: object, renamed: object) -> dict[EntityId, str]:
    """
    The services in the cluster that variables of a pod's containers point at, each with the variable's name.
    """
    found: dict[EntityId, str] = {}
    for name, value in _variables(template):
        for host in _hosts(name, value):
            found.setdefault(_resolved(host, renamed), name)
    return found


def backends(found: Body, renamed: object) -> list[tuple[str, EntityId]]:
    """
    (host name, service) of each backend of an Ingress of any version, or of a route of the Gateway API.
    """
    return [(host, _resolved(name, renamed)) for host, name in _backends(found)]


def _backends(found: Body) -> Iterator[tuple[str, str]]:
    spec = at(found, "spec")
    hosts = [one for one in list_at(spec, "hostnames") if isinstance(one, str)]
    for rule in objects_at(spec, "rules"):
        for path in objects_at(rule, "http", "paths"):
            if name := _backend(path.get("backend")):
                yield text_at(rule, "host") or "", name
        for reference in objects_at(rule, "backendRefs"):
            if text_at(reference, "kind") in (None, "Service") and (name := text_at(reference, "name")):
                yield from ((host, name) for host in hosts or [""])
    if name := _backend(at(spec, "defaultBackend") or at(spec, "backend")):
        yield "", name


def _backend(backend: object) -> str | None:
    return text_at(backend, "service", "name") or text_at(backend, "serviceName")


def _mentioned(found: Body) -> set[str]:
    hosts = {host for name, value in _variables(template_of(found)) for host in _hosts(name, value)}
    return hosts | {name for _, name in _backends(found)}


def _variables(template: object) -> Iterator[tuple[str, str]]:
    for containers in ("initContainers", "containers"):
        for container in objects_at(template, "spec", containers):
            for one in objects_at(container, "env"):
                name, value = text_at(one, "name"), text_at(one, "value")
                if name and value:
                    yield name, value


def _hosts(name: str, value: str) -> Iterator[str]:
    """
    The hosts in the cluster that a variable's value names, where its name is that of an address.
    """
    address = _ADDRESS.search(name)
    if not address or _OWN.match(name):
        return
    for one in value.split(","):
        found = _HOST.match(one.strip())
        if found is None or found["host"].lower() in _NOT_A_SERVICE:
            continue
        if address["loose"] and not (found["port"] or "://" in one or ".svc" in found["domain"]):
            continue
        if _IN_CLUSTER.match(found["domain"]) and not _LAST_PARTS.match(found["domain"]):
            yield found["host"].lower()


def _resolved(name: str, renamed: object) -> EntityId:
    given = renamed.get(name) if isinstance(renamed, dict) else None
    return given if isinstance(given, str) else entity_id(EntityKind.SERVICE, name)


def _space(found: Body) -> str:
    return text_at(found, "metadata", "namespace") or "default"


def _pod_labels(workload: Body) -> Mapping[str, str]:
    labels = at(template_of(workload), "metadata", "labels")
    return {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}
