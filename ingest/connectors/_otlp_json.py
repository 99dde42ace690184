"""
OTLP in JSON (traces): ids in hexadecimal or base64, numbers as texts, kinds as numbers or names, and the library spans
of old versions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from graph.values import EntityId
from ingest.connectors._topology import Graph, service
from ingest.connectors._traces import Span, gather, note_service, span_id
from ingest.contract import Body
from ingest.fields import at, moment_at, objects_at

_KINDS = {"1": "internal", "2": "server", "3": "client", "4": "producer", "5": "consumer"}
NAMES = ("resourceSpans", "resource_spans", "batches")
_SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans")
_VALUES = ("stringValue", "intValue", "boolValue", "doubleValue", "string_value", "int_value", "bool_value")


def resource_spans(body: Body) -> list[Body]:
    """
    The resources of a payload, by any way to write their name; Tempo calls them batches, and wraps them in a trace.
    """
    places = [(*outer, key) for outer in ((), ("trace",)) for key in NAMES]
    return [one for place in places for one in objects_at(body, *place)]


def gather_otlp(graph: Graph, resources: list[Body]) -> None:
    """
    Put all that the spans of these resources show into the graph.
    """
    spans: list[Span] = []
    for one in resources:
        about = attributes(at(one, "resource", "attributes"))
        name = service(about.get("service.name"))
        own = list(_spans(one, name))
        spans += own
        note_service(graph, name, about, max((span.end for span in own if span.end), default=None))
    gather(graph, spans)


def attributes(value: object) -> dict[str, str]:
    """
    A list of keys and typed values as texts.
    """
    found = {}
    for pair in value if isinstance(value, list) else []:
        if not isinstance(pair, dict):
            continue
        key, inner = pair.get("key"), pair.get("value")
        said = next((inner[one] for one in _VALUES if one in inner), None) if isinstance(inner, dict) else inner
        if isinstance(key, str) and said is not None and not isinstance(said, dict | list):
            found[key] = str(said).lower() if isinstance(said, bool) else str(said).strip()
    return found


def _spans(one: Body, name: EntityId | None) -> Iterator[Span]:
    for scope in (found for key in _SCOPES for found in objects_at(one, key)):
        for span in objects_at(scope, "spans"):
            yield _span(span, name)


def _span(span: Body, name: EntityId | None) -> Span:
    trace = span_id(span.get("traceId") or span.get("trace_id"))
    kind = str(span.get("kind", "")).upper().removeprefix("SPAN_KIND_").lower()
    kind = _KINDS.get(kind, kind)
    parent = span_id(span.get("parentSpanId") or span.get("parent_span_id"))
    parents = [(trace, parent)] if parent else []
    if kind == "consumer":
        # what a consumer takes from a queue it links to, and is no child of
        parents += [(span_id(link.get("traceId")), span_id(link.get("spanId"))) for link in objects_at(span, "links")]
    return Span(
        id=(trace, span_id(span.get("spanId") or span.get("span_id"))),
        parents=tuple(parents),
        service=name,
        kind=kind,
        end=_end(span),
        tags=attributes(span.get("attributes")),
    )


def _end(span: Body) -> datetime | None:
    return moment_at(span, ["endTimeUnixNano"], ["startTimeUnixNano"], ["end_time_unix_nano"], ["start_time_unix_nano"])
