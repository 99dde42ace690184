"""
Jaeger: traces as its query API and its storage write them, `/api/dependencies`, and the OTLP of `/api/v3`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import Trust
from ingest.connectors._catalogue import documents_of
from ingest.connectors._otlp_json import gather_otlp, resource_spans
from ingest.connectors._topology import Graph, service, transform
from ingest.connectors._traces import Span, gather, note_service, span_id
from ingest.contract import Body, Connector, Headers, Piece
from ingest.errors import BadRecord
from ingest.fields import at, first, list_at, moment_at, objects_at, text_at

_TAG_VALUES = ("value", "vStr", "vBool", "vInt64", "vFloat64", "stringValue")


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    The edges and nodes of a payload, of all lines of a file together.
    """
    path = meta.get("path") or "the traces"
    graph, spans, found = Graph(), list[Span](), False
    for value in documents_of(raw, path):
        if isinstance(value, Piece):
            yield value
            continue
        for body in _bodies(value):
            found = _take(graph, spans, body) or found
    if not found:
        raise BadRecord(f"{path} holds neither traces nor dependencies of Jaeger (`data`, `spans` or `resourceSpans`)")
    gather(graph, spans)
    yield from graph.pieces(published=path.removesuffix(".gz").endswith((".jsonl", ".ndjson")))


def _bodies(value: object) -> Iterator[Body]:
    """
    What is inside of lists and of the wrappers of the query API and of a search in its storage.
    """
    if isinstance(value, list):
        for one in value:
            yield from _bodies(one)
    elif isinstance(value, dict):
        for wrapped in (value.get("data"), value.get("result"), at(value, "hits", "hits"), value.get("_source")):
            if isinstance(wrapped, list | dict):
                yield from _bodies(wrapped)
                if wrapped in ([], {}):
                    yield {"spans": []}
                return
        yield value


def _take(graph: Graph, spans: list[Span], body: Body) -> bool:
    if resources := resource_spans(body):
        gather_otlp(graph, resources)
    elif "parent" in body and "child" in body:
        _dependency(graph, body, None)
    elif isinstance(body.get("dependencies"), list):
        moment = moment_at(body, ["timestamp"])
        for one in objects_at(body, "dependencies"):
            _dependency(graph, one, moment)
    elif isinstance(body.get("spans"), list):
        processes = body.get("processes")
        for span in objects_at(body, "spans"):
            # of a batch, as clients send it, one process is that of all spans
            spans.append(_span(graph, {"process": body.get("process"), **span}, processes))
    elif "process" in body and ("spanID" in body or "spanId" in body):
        spans.append(_span(graph, body, None))
    else:
        return False
    return True


def _dependency(graph: Graph, one: Body, moment: datetime | None) -> None:
    client, server = service(one.get("parent")), service(one.get("child"))
    count = text_at(one, "callCount") or ""
    calls = float(count) if count.isdecimal() else 0.0
    graph.node(client, moment, name=one.get("parent"))
    graph.node(server, moment, name=one.get("child"))
    graph.edge(client, server, moment, calls)


def _span(graph: Graph, span: Body, processes: object) -> Span:
    process = span.get("process") or at(processes, text_at(span, "processID") or text_at(span, "processId") or "")
    name = service(text_at(process, "serviceName"))
    tags = _tags(at(span, "tags"))
    moment = moment_at(span, ["startTime"], ["startTimeMillis"])
    about = _tags(at(process, "tags"))
    note_service(graph, name, {**about, "service.name": text_at(process, "serviceName") or ""}, moment)
    halves = (span.get("traceIdHigh"), span.get("traceIdLow"))
    trace = span_id(first(span.get("traceID"), span.get("traceId")) or "".join(str(half) for half in halves if half))
    return Span(
        id=(trace, span_id(span.get("spanID") or span.get("spanId"))),
        parents=tuple(_parents(span, trace)),
        service=name,
        kind=tags.get("span.kind", "").lower(),
        end=moment,
        tags=tags,
    )


def _parents(span: Body, trace: str) -> Iterator[tuple[str, str]]:
    for one in objects_at(span, "references"):
        yield (
            span_id(one.get("traceID") or one.get("traceId")) or trace,
            span_id(one.get("spanID") or one.get("spanId")),
        )
    if parent := span_id(span.get("parentSpanID") or span.get("parentSpanId")):
        yield trace, parent


def _tags(value: object) -> dict[str, str]:
    """
    Tags as the query API, the storage (`vType`), or a search index (an object) writes them.
    """
    if isinstance(value, dict):
        return {str(key).replace("@", "."): str(one) for key, one in value.items() if not isinstance(one, dict | list)}
    found = {}
    for tag in value if isinstance(value, list) else []:
        key = text_at(tag, "key")
        said = next((tag[one] for one in _TAG_VALUES if one in tag), None) if isinstance(tag, dict) else None
        if key and said is not None:
            found[key] = str(said)
    return found


def recognises(body: Body, headers: Headers) -> bool:
    """
    Traces with their spans and processes, or dependencies with their number of calls.
    """
    one = at(body, "data", 0)
    traces = isinstance(at(one, "processes"), dict) and bool(list_at(one, "spans"))
    return traces or (isinstance(one, dict) and {"parent", "child", "callCount"} <= set(one))


CONNECTOR = Connector(
    name="jaeger",
    summary="Jaeger's traces and dependencies: observed calls between services",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("jaeger/*.json*", "*jaeger*.json*"),
    recognises=recognises,
)
