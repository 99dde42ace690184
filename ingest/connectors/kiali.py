"""
Kiali's graph of a mesh (Istio): calls that were seen between its nodes, whatever the type of the graph.

Several workloads and versions of one app are one service. Boxes, the unknown, and the clusters for what leaves the mesh
are none; neither is a waypoint, whose traffic is shown a second time without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from graph.values import EntityId, Trust
from ingest.connectors._catalogue import documents_of
from ingest.connectors._topology import PSEUDO, Graph, objects, peer, resource, service, transform, version
from ingest.contract import Body, Connector, Headers, Piece
from ingest.errors import BadRecord
from ingest.fields import at, moment_at, named, objects_at, text_at

_SAYS_MORE = {"service": 1, "app": 2, "workload": 3, "versionedApp": 4}
_NO_NODES = frozenset({"box", "unknown", "aggregate"})


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    The edges and nodes of one answer.
    """
    path = meta.get("path") or "the graph"
    graph, found = Graph(), False
    for value in documents_of(raw, path):
        if isinstance(value, Piece):
            yield value
            continue
        for body in objects(value, path):
            if isinstance(body.get("elements"), dict):
                found = True
                _take(graph, body)
    if not found:
        raise BadRecord(f"{path} has no `elements` with nodes and edges; expected an answer of Kiali's graph API")
    yield from graph.pieces()


def _take(graph: Graph, body: Body) -> None:
    moment = moment_at(body, ["timestamp"])
    if moment:
        # of two types of graph of one moment the one that says more counts
        moment += timedelta(microseconds=_SAYS_MORE.get(str(body.get("graphType")), 0))
    ids: dict[str, EntityId] = {}
    for node in (_data(one) for one in objects_at(body, "elements", "nodes")):
        entity = _entity(node)
        if entity:
            ids[str(node.get("id"))] = entity
            _describe(graph, entity, node, moment)
    for one in (_data(one) for one in objects_at(body, "elements", "edges")):
        traffic = one.get("traffic")
        if "waypoint" not in one and _flows(traffic):
            client, server = ids.get(str(one.get("source"))), ids.get(str(one.get("target")))
            graph.edge(client, server, moment)


def _data(one: Body) -> Body:
    inner = one.get("data")
    return inner if isinstance(inner, dict) else one


def _entity(node: Body) -> EntityId | None:
    kind = str(node.get("nodeType", "")).lower()
    if kind in _NO_NODES or node.get("isBox") or _waypoint(node):
        return None
    if kind == "serviceentry" or node.get("isServiceEntry"):
        host = text_at(node, "service") or text_at(node, "isServiceEntry", "hosts", 0)
        return None if (host or "").lower() in PSEUDO else peer(host) or resource(host)
    names = ("service", "app", "workload") if kind == "service" else ("app", "workload", "service")
    return next((found for name in names if (found := service(text_at(node, name)))), None)


def _waypoint(node: Body) -> bool:
    return bool(node.get("isWaypoint")) or (text_at(node, "workload") == "waypoint" and not text_at(node, "app"))


def _describe(graph: Graph, entity: EntityId, node: Body, moment: datetime | None) -> None:
    own = entity.partition(":")[2]
    space = named(node.get("namespace"))
    name = next(
        (one for key in ("app", "service", "workload") if (one := text_at(node, key)) and one.lower() == own), own
    )
    told = version(node.get("version"))
    graph.node(entity, moment, name=name, namespace=space, cluster=node.get("cluster"), version=told)
    graph.name(entity, text_at(node, "workload"), "workload")
    if space and entity.startswith("service:"):
        graph.name(entity, f"{space}/{name}", "namespace")
    for target in objects_at(node, "destServices"):
        graph.name(entity, text_at(target, "name"), "kubernetes service")


def _flows(traffic: object) -> bool:
    """
    Whether anything was counted; an edge without traffic is one that nobody saw.
    """
    for one in traffic if isinstance(traffic, list) else [traffic]:
        rates = at(one, "rates")
        for rate in rates.values() if isinstance(rates, dict) else ():
            try:
                if float(str(rate)) > 0:
                    return True
            except ValueError:
                continue
    return False


def recognises(body: Body, headers: Headers) -> bool:
    """
    A type of graph beside elements with nodes.
    """
    return "graphType" in body and isinstance(at(body, "elements", "nodes"), list)


CONNECTOR = Connector(
    name="kiali",
    summary="Kiali's graph of a service mesh: observed calls",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("kiali/*.json", "*kiali*.json"),
    recognises=recognises,
)
