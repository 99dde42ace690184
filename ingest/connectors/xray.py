"""
AWS X-Ray: the service graph (GetServiceGraph, GetTraceGraph) and traces (BatchGetTraces).

Ids are local to an answer. A client is nobody; what is only seen from its caller (`remote`) is no service but something
outside; tables, queues and buckets are resources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from graph.values import EntityId, Trust
from ingest.connectors._catalogue import documents_of
from ingest.connectors._topology import Graph, host_of, objects, resource, service, transform
from ingest.contract import Body, Connector, Headers, Piece
from ingest.errors import BadRecord
from ingest.fields import at, list_at, moment_at, named, objects_at, text_at
from ingest.parsing import load_json

_RESOURCES = frozenset(
    ("dynamodb", "sqs", "sns", "rds", "s3", "elasticache", "kinesis", "database", "docdb", "neptune", "redshift",
     "events")
)  # fmt: skip


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    The edges and nodes of one answer.
    """
    path = meta.get("path") or "the graph"
    graph, found, segments = Graph(), False, list[Body]()
    for value in documents_of(raw, path):
        if isinstance(value, Piece):
            yield value
            continue
        for body in objects(value, path):
            known = [key for key in ("Services", "Traces", "Segments", "TraceSegmentDocuments") if list_at(body, key)]
            found = found or bool(known) or "trace_id" in body or isinstance(body.get("Services"), list)
            if "Services" in known:
                _services(graph, body)
            for one in _documents(body, path):
                if isinstance(one, Piece):
                    yield one
                else:
                    segments.append(one)
    if not found:
        raise BadRecord(f"{path} has neither `Services` nor `Traces`; expected an answer of X-Ray")
    _segments(graph, segments)
    yield from graph.pieces()


def _services(graph: Graph, body: Body) -> None:
    ids: dict[str, EntityId] = {}
    for one in objects_at(body, "Services"):
        name, kind = named(one.get("Name")), str(one.get("Type") or "")
        entity = _entity(name, kind)
        if entity is None:
            continue
        ids[str(one.get("ReferenceId"))] = entity
        moment = moment_at(one, ["EndTime"], ["StartTime"])
        graph.node(entity, moment, name=name, type=kind, account=text_at(one, "AccountId"))
        for other in list_at(one, "Names"):
            graph.name(entity, other, "xray")
    for one in objects_at(body, "Services"):
        client = ids.get(str(one.get("ReferenceId")))
        for edge in objects_at(one, "Edges"):
            moment = moment_at(edge, ["EndTime"], ["StartTime"], ["LastAggregationTime"])
            calls = at(edge, "SummaryStatistics", "TotalCount")
            server = ids.get(str(edge.get("ReferenceId")))
            graph.edge(client, server, moment, calls if isinstance(calls, int | float) else 0)


def _entity(name: str | None, kind: str) -> EntityId | None:
    lowered = kind.lower()
    if name is None or lowered == "client":
        return None
    if lowered == "remote":
        return resource(name)
    stored = not _RESOURCES.isdisjoint(lowered.split("::"))
    return resource(name) if stored else service(name)


def _segments(graph: Graph, found: list[Body]) -> None:
    owner: dict[str, EntityId | None] = {}
    for segment in found:
        entity = _entity(named(segment.get("name")), str(segment.get("origin") or ""))
        graph.node(
            entity,
            moment_at(segment, ["end_time"], ["start_time"]),
            name=segment.get("name"),
            type=segment.get("origin"),
        )
        for inner in _within(segment):
            owner[str(inner.get("id"))] = entity
    parents = {str(segment.get("parent_id")) for segment in found if segment.get("parent_id")}
    for segment in found:
        moment = moment_at(segment, ["end_time"], ["start_time"])
        own = owner.get(str(segment.get("id")))
        graph.edge(owner.get(str(segment.get("parent_id"))), own, moment)
        for inner in _within(segment):
            if str(inner.get("id")) not in parents:
                _called(graph, own, inner, moment)


def _documents(body: Body, path: str) -> Iterator[Body | Piece]:
    """
    The segments, which the API takes and gives as texts of JSON; a Piece with its problem for a text that is none.
    """
    if "trace_id" in body and "name" in body:
        yield body
        return
    given = [one for trace in (*objects_at(body, "Traces"), body) for one in objects_at(trace, "Segments")]
    texts = [(text_at(one, "Id"), one.get("Document")) for one in given]
    texts += [(str(number), one) for number, one in enumerate(list_at(body, "TraceSegmentDocuments"), 1)]
    for name, document in texts:
        try:
            found = load_json(document, f"segment {name} of {path}") if isinstance(document, str) else document
        except BadRecord as error:
            yield Piece(part=f"{path}#segment-{name}", body=str(document), problem=str(error))
            continue
        if isinstance(found, dict):
            yield found


def _within(segment: Body) -> Iterator[Body]:
    waiting: list[Body] = [segment]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += objects_at(one, "subsegments")


def _called(graph: Graph, own: EntityId | None, inner: Body, moment: datetime | None) -> None:
    """
    What a subsegment says it called, where the called one tells nothing itself.
    """
    space, name = inner.get("namespace"), named(inner.get("name"))
    if isinstance(inner.get("sql"), dict):
        target = resource(host_of((name or "").rpartition("@")[2]) or name)
        kind = text_at(inner, "sql", "database_type") or "database"
    elif space == "aws":
        told = (text_at(inner, "aws", key) for key in ("table_name", "queue_url", "bucket_name", "topic_arn"))
        target = resource(next((_last(one) for one in told if one), name))
        kind = f"AWS::{name}"
    elif space == "remote":
        target, kind = resource(host_of(name)), "remote"
    else:
        return
    graph.node(target, moment, type=kind)
    graph.edge(own, target, moment)


def _last(address: str) -> str:
    return address.rstrip("/").rpartition("/")[2].rpartition(":")[2]


def recognises(body: Body, headers: Headers) -> bool:
    """
    Services that refer to each other by number, or traces with segments.
    """
    return at(body, "Services", 0, "ReferenceId") is not None or bool(list_at(body, "Traces", 0, "Segments"))


CONNECTOR = Connector(
    name="xray",
    summary="AWS X-Ray's service graph and traces: observed calls",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("xray/*.json", "*xray*.json", "*service-graph.json"),
    recognises=recognises,
)
