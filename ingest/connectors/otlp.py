"""
OpenTelemetry's traces as OTLP in JSON (or YAML): who calls whom, and of each service its environment, version, names.

Nothing of a span is kept but the edge that it shows: no URL, no statement, no address of a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graph.values import Trust
from ingest.connectors._catalogue import documents_of
from ingest.connectors._otlp_json import NAMES, gather_otlp, resource_spans
from ingest.connectors._topology import Graph, objects, transform
from ingest.contract import Body, Connector, Headers, Piece
from ingest.errors import BadRecord
from ingest.fields import at


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    The edges and nodes of a payload, of all lines of a file together, since a trace's spans come in several.
    """
    path = meta.get("path") or "the traces"
    graph, found = Graph(), False
    resources: list[Body] = []
    for value in documents_of(raw, path):
        if isinstance(value, Piece):
            yield value
            continue
        for body in objects(value, path):
            found = found or not body or any(name in body for name in (*NAMES, "trace"))
            resources += resource_spans(body)
    if not found:
        raise BadRecord(f"{path} has no `resourceSpans`; expected OTLP traces in JSON (not metrics, logs or protobuf)")
    gather_otlp(graph, resources)
    yield from graph.pieces(published=path.removesuffix(".gz").endswith((".jsonl", ".ndjson")))


def recognises(body: Body, headers: Headers) -> bool:
    """
    A list of resources with spans; those of Tempo by a resource's own field.
    """
    batch = at(body, "batches", 0) or at(body, "trace", "batches", 0) or at(body, "trace", "resourceSpans", 0)
    return isinstance(body.get("resourceSpans"), list) or isinstance(at(batch, "resource"), dict)


CONNECTOR = Connector(
    name="otlp",
    summary="OpenTelemetry traces (OTLP in JSON): observed calls, environments and versions of services",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("otlp/*.json*", "otlp/*.y*ml", "*otlp*.json*"),
    recognises=recognises,
)
