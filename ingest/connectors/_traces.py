"""
Spans of any tracing format, and the graph that they show.

An edge is a span whose parent belongs to another service. A CLIENT or PRODUCER span that nobody in the payload answers
shows whom it called by its own attributes: the peer's name, its address, the database. What a SERVER or CONSUMER span
says of its peer is about its caller and makes no edge. A queue is a resource on which both its sides depend. An edge
says nothing of how it was seen, since the next payload may show it another way, and each way would be a version.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from graph.values import EntityId
from ingest.connectors._topology import Graph, peer, resource, service, version

_HEX = re.compile(r"[0-9a-fA-F]{1,32}")
_CALLS = ("client", "producer")
_SYSTEM = ("db.system.name", "db.system", "db.type", "messaging.system")
_DATABASE_NAME = ("db.namespace", "db.name", "db.instance")
_ADDRESS = ("server.address", "net.peer.name", "peer.hostname", "peer.address", "url.full", "http.url", "http.host")
_QUEUE = ("messaging.destination.name", "messaging.destination", "message_bus.destination")
_ENVIRONMENT = ("deployment.environment.name", "deployment.environment", "environment", "env")

SpanId = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Span:
    """
    A span with its service, its (trace, span) ids, and its attributes as texts.
    """

    id: SpanId
    parents: tuple[SpanId, ...]
    service: EntityId | None
    kind: str = ""
    end: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)


def span_id(value: object) -> str:
    """
    An id in one form: hexadecimal without leading zeros, whether it came so or as base64 of its bytes.
    """
    text = str(value or "").strip()
    if text and not _HEX.fullmatch(text):
        try:
            text = base64.b64decode(text, validate=True).hex()
        except (binascii.Error, ValueError):
            return text
    return text.lower().lstrip("0")


def gather(graph: Graph, spans: Sequence[Span]) -> None:
    """
    Put the edges that spans show into the graph.
    """
    known = {span.id: span for span in spans}
    answered = set()
    for span in spans:
        for parent in (known[one] for one in span.parents if one in known):
            if parent.service and span.service and parent.service != span.service:
                graph.edge(parent.service, span.service, _later(parent, span))
                answered.add(parent.id)
    for span in spans:
        _queue(graph, span)
        if span.kind in _CALLS and span.id not in answered:
            _called(graph, span)


def _later(parent: Span, span: Span) -> datetime | None:
    return max((one for one in (parent.end, span.end) if one), default=None)


def _queue(graph: Graph, span: Span) -> None:
    if span.kind in ("producer", "consumer", "client") and (queue := resource(_first(span.tags, _QUEUE))):
        system = span.tags.get("messaging.system")
        graph.node(queue, span.end, type=system or "queue")
        graph.edge(span.service, queue, span.end)


def _called(graph: Graph, span: Span) -> None:
    tags = span.tags
    if _first(tags, _QUEUE) or not span.service:
        return
    if system := _first(tags, _SYSTEM):
        store = resource(tags.get("peer.service") or _host(tags) or _first(tags, _DATABASE_NAME) or system)
        graph.node(store, span.end, type=system)
        graph.edge(span.service, store, span.end)
    elif tags.get("peer.service"):
        graph.edge(span.service, service(tags["peer.service"]), span.end)
    else:
        graph.edge(span.service, next((found for key in _ADDRESS if (found := peer(tags.get(key)))), None), span.end)


def _host(tags: Mapping[str, str]) -> str | None:
    found = next((peer(tags[one]) for one in _ADDRESS[:4] if peer(tags.get(one))), None)
    return found.partition(":")[2] if found else None


def _first(tags: Mapping[str, str], keys: Iterable[str]) -> str | None:
    return next((tags[key] for key in keys if tags.get(key)), None)


def note_service(graph: Graph, name: EntityId | None, about: Mapping[str, str], last: datetime | None) -> None:
    """
    What a resource's (a process's) attributes say of its service: names, environment, version.
    """
    space = about.get("service.namespace")
    told = version(about.get("service.version"))
    environment = _first(about, _ENVIRONMENT)
    graph.node(
        name,
        last,
        name=about.get("service.name"),
        namespace=space or about.get("k8s.namespace.name"),
        language=about.get("telemetry.sdk.language"),
        criticality=about.get("service.criticality"),
        version=None if environment else told,
    )
    if space:
        graph.name(name, f"{space}/{about.get('service.name')}", "namespace")
    for key in ("k8s.deployment.name", "k8s.statefulset.name", "k8s.daemonset.name"):
        graph.name(name, about.get(key), "kubernetes")
    graph.place(name, environment, last, version=told, region=about.get("cloud.region"))
