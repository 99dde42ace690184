"""
The metrics of a service graph (OpenTelemetry's connector, Tempo): `traces_service_graph_request_total` with the labels
`client` and `server`, as Prometheus' text, its query API's JSON, or OTLP metrics.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from math import isfinite

from graph.values import EntityId, Trust
from ingest.connectors._catalogue import documents_of
from ingest.connectors._otlp_json import attributes
from ingest.connectors._topology import Graph, objects, peer, resource, service, transform
from ingest.contract import Body, Connector, Headers, Piece
from ingest.errors import BadRecord
from ingest.fields import at, list_at, moment_at, objects_at, text, texts
from ingest.parsing import parse_time, text_of, unpack

_REQUESTS = re.compile(
    r"service_graph_request(?:_failed)?_total$|service_graph_request_(?:server|client)_seconds_count$"
)
_COUNTED = "service_graph_request_total"
_ANYONE = "user"
"""The client of which nothing is known but that it called."""
_LINE = re.compile(r"^([a-zA-Z_:][\w:]*)\s*\{(.*)\}\s+(\S+)(?:\s+(-?[\d.]+))?")
_LABEL = re.compile(r'([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    The edges and nodes of one reading.
    """
    path = meta.get("path") or "the metrics"
    graph, found = Graph(), 0
    body = text_of(unpack(raw, path), path)
    if "service_graph_request" in body and not body.lstrip().startswith(("{", "[")) and _exposed(body):
        for line in body.splitlines():
            found += _line(graph, line)
    else:
        for value in documents_of(raw, path):
            if isinstance(value, Piece):
                yield value
                continue
            for one in objects(value, path) if isinstance(value, dict | list) else ():
                found += _answer(graph, one)
    if not found:
        raise BadRecord(f"{path} has no series of traces_service_graph_request_total with `client` and `server`")
    yield from graph.pieces()


def _exposed(body: str) -> bool:
    return any(_LINE.match(line) for line in body.splitlines() if "service_graph_request" in line)


def _line(graph: Graph, line: str) -> int:
    # what follows is an exemplar
    found = _LINE.match(line.strip().partition(" # {")[0])
    if not found or not _REQUESTS.search(found[1]):
        return 0
    labels = {
        key: _ESCAPE.sub(lambda one: "\n" if one[1] == "n" else one[1], said) for key, said in _LABEL.findall(found[2])
    }
    return _series(graph, {"__name__": found[1], **labels}, found[3], _time(found[4]))


def _time(value: object) -> datetime | None:
    try:
        return parse_time(float(str(value))) if value else None
    except (BadRecord, ValueError):
        return None


def _answer(graph: Graph, body: Body) -> int:
    """
    An answer of the query API, or OTLP metrics.
    """
    found = 0
    data = body.get("data", body)
    for one in objects_at(data, "result"):
        last = at(one, "value") or at(one, "values", -1)
        found += _series(graph, texts(at(one, "metric")), at(last, 1), _time(at(last, 0)))
    for series in list_at(body, "data"):
        found += _series(graph, texts(series), None, None)
    for metric in _metrics(body):
        if _REQUESTS.search(str(metric.get("name", ""))):
            for point in objects_at(metric, "sum", "dataPoints"):
                value = text(point.get("asInt")) or text(point.get("asDouble"))
                given = attributes(point.get("attributes"))
                labels = {
                    "__name__": str(metric["name"]),
                    **{key.replace(".", "_"): said for key, said in given.items()},
                }
                found += _series(graph, labels, value, moment_at(point, ["timeUnixNano"]))
    return found


def _metrics(body: Body) -> Iterator[Body]:
    for resources in objects_at(body, "resourceMetrics"):
        for scope in (*objects_at(resources, "scopeMetrics"), *objects_at(resources, "instrumentationLibraryMetrics")):
            yield from objects_at(scope, "metrics")


def _series(graph: Graph, labels: Mapping[str, str], value: object, moment: datetime | None) -> int:
    """
    Note one series; 1 where it is one of a service graph, whatever it says. Tempo may add what it knows of either end.
    """
    if "client" not in labels or "server" not in labels:
        return 0
    name = labels.get("__name__", "")
    if name and not _REQUESTS.search(name):
        return 0
    count = _number(value)
    if value is not None and not count:
        # a counter that stands at nothing, or a rate of nothing: no call was seen
        return 1
    client, server = _ends(labels)
    for end, own in ((client, "client"), (server, "server")):
        space = labels.get(f"{own}_service_namespace") or labels.get(f"{own}_k8s_namespace_name")
        graph.node(end, moment, name=labels[own], type=_type(labels, own), namespace=space)
        environment = labels.get(f"{own}_deployment_environment_name") or labels.get(f"{own}_deployment_environment")
        graph.place(end, environment, moment)
    # the other metrics count the same calls again, and a rate is no count
    counted = count if name.endswith(_COUNTED) else 0
    graph.edge(client, server, moment, counted, connection_type=labels.get("connection_type"))
    return 1


def _number(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        return 0.0
    return number if isfinite(number) and number > 0 else 0.0


def _ends(labels: Mapping[str, str]) -> tuple[EntityId | None, EntityId | None]:
    kind = labels.get("connection_type", "")
    virtual = labels.get("virtual_node", "")
    client = service(labels["client"]) if labels["client"].lower() != _ANYONE else None
    server = service(labels["server"])
    if kind == "database":
        return client, resource(labels["server"])
    if kind == "virtual_node" and (virtual == "client" or client is None):
        return client and peer(labels["client"]), server
    if kind == "virtual_node":
        return client, peer(labels["server"])
    return client, server


def _type(labels: Mapping[str, str], end: str) -> str | None:
    if labels.get("connection_type") == "database" and end == "server":
        return labels.get("server_db_system") or labels.get("db_system") or "database"
    return None


def recognises(body: Body, headers: Headers) -> bool:
    """
    OTLP metrics of a service graph, or a query's answer whose series have a client and a server.
    """
    if isinstance(body.get("resourceMetrics"), list):
        return any("service_graph_request" in str(metric.get("name")) for metric in _metrics(body))
    metric = at(body, "data", "result", 0, "metric")
    return isinstance(metric, dict) and {"client", "server"} <= set(metric)


CONNECTOR = Connector(
    name="service_graph_metrics",
    summary="metrics of a service graph (OpenTelemetry, Tempo): observed calls between services",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("service_graph_metrics/*.*", "*service_graph*.json", "*service_graph*.prom", "*service-graph*.prom"),
    recognises=recognises,
)
