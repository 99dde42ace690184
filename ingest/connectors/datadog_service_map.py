"""
Datadog's APM service dependencies, of all services or of one. The answer is of one environment, which only the question
names: the option `environment` says which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graph.values import Trust
from ingest.connectors._catalogue import documents_of
from ingest.connectors._topology import Graph, objects, service, transform
from ingest.contract import Body, Connector, Headers, Piece
from ingest.errors import BadRecord
from ingest.fields import list_at, named

_ONE = {"name", "calls", "called_by"}


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    The edges and nodes of one answer.
    """
    path = meta.get("path") or "the dependencies"
    graph = Graph()
    for value in documents_of(raw, path):
        if isinstance(value, Piece):
            yield value
            continue
        for body in objects(value, path):
            if not recognises(body, {}):
                raise BadRecord(f"{path} is no answer of Datadog's service dependencies: every service has `calls`")
            _take(graph, body, meta.get("environment"))
    yield from graph.pieces()


def _take(graph: Graph, body: Body, environment: str | None) -> None:
    many = {str(body["name"]): body} if _single(body) else dict(body)
    for name, one in many.items():
        own = service(name)
        called = [(own, service(other)) for other in list_at(one, "calls")]
        called += [(service(other), own) for other in list_at(one, "called_by")]
        graph.node(own, name=name)
        graph.place(own, environment)
        for client, server in called:
            graph.edge(client, server, environment=environment)


def _single(body: Body) -> bool:
    return "name" in body and bool(named(body["name"])) and set(body) <= _ONE


def recognises(body: Body, headers: Headers) -> bool:
    """
    One service with what it calls and is called by, or an object of services with nothing but what each calls.
    """
    if _single(body):
        return isinstance(body.get("calls"), list) or isinstance(body.get("called_by"), list)
    return bool(body) and all(
        isinstance(one, dict) and set(one) <= _ONE and isinstance(one.get("calls"), list) for one in body.values()
    )


CONNECTOR = Connector(
    name="datadog_service_map",
    summary="Datadog's APM service dependencies: observed calls",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("datadog_service_map/*.json", "*datadog*dependencies*.json"),
    recognises=recognises,
)
