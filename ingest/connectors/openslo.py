"""
OpenSLO (v1alpha, v1, v2alpha) and Nobl9's dialect of it: the objectives of services, as attributes of the service.

An indicator that an SLO only names is taken from the same file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graph.values import EntityKind, Fact, FactKind, Item, Record, Trust, entity_id
from ingest.connectors._catalogue import alias, described, documents_of, edge, entries, ident, piece
from ingest.connectors._objectives import objective, percent, spelled, window
from ingest.contract import Body, Connector, Piece
from ingest.errors import BadRecord
from ingest.fields import at, body_of, first, named, objects_at, text_at

_KINDS = frozenset({"service", "slo"})
_ASIDE = frozenset(
    ("sli", "datasource", "alertpolicy", "alertcondition", "alertnotificationtarget", "budgetadjustment", "project",
     "agent", "direct", "alertmethod", "annotation", "report", "rolebinding", "usergroup", "dataexport")
)  # fmt: skip
_OPERATORS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece a document, an SLO with the indicator that it names.
    """
    path = meta.get("path") or "openslo.yaml"
    found: list[object] = []
    for value in documents_of(raw, path):
        if isinstance(value, Piece):
            yield value
        else:
            found += entries(value)
    indicators = {str(at(one, "metadata", "name")): one for one in found if _kind(one) == "sli"}
    for number, one in enumerate(found, 1):
        named_one = indicators.get(str(at(one, "spec", "indicatorRef") or at(one, "spec", "sliRef")))
        whole = {**one, "indicator": named_one} if isinstance(one, dict) and named_one else one
        yield piece(whole, path, number, _name)


def _kind(body: object) -> str:
    return (text_at(body, "kind") or "").lower()


def _name(body: Body) -> str:
    return f"{_kind(body)}/{text_at(body, 'metadata', 'name') or '?'}"


def transform(record: Record) -> Iterator[Item]:
    """
    What one document states.
    """
    body = body_of(record)
    version = text_at(body, "apiVersion") or ""
    if not version.lower().startswith(("openslo", "n9/")):
        raise BadRecord(
            f"{record.part} is no document of OpenSLO; expected `apiVersion: openslo/v1` with kind SLO or Service"
        )
    kind = _kind(body)
    if kind in _ASIDE:
        return
    if kind not in _KINDS:
        raise BadRecord(
            f"{record.part}: OpenSLO's kind {text_at(body, 'kind')!r} is not read yet; the document is kept"
        )
    name = named(at(body, "metadata", "name"))
    if not name:
        raise BadRecord(f"{record.part}: metadata.name is missing")
    yield from _service(name, body) if kind == "service" else _objectives(name, body, record.part)


def _service(name: str, body: Body) -> Iterator[Fact]:
    own = entity_id(EntityKind.SERVICE, name)
    title = first(at(body, "metadata", "displayName"))
    yield described(own, name=name, title=title, description=at(body, "spec", "description"))
    yield from alias(own, title, "title")
    yield from _owner(own, body)


def _owner(own: str, body: Body) -> Iterator[Fact]:
    for key in ("owner", "team"):
        for place in ("labels", "annotations"):
            given = at(body, "metadata", place, key)
            for value in entries(given):
                yield from edge(FactKind.OWNED_BY, own, ident(EntityKind.TEAM, value), f"{place}.{key}")


def _objectives(name: str, body: Body, part: str) -> Iterator[Fact]:
    service = named(at(body, "spec", "service"))
    if not service:
        raise BadRecord(f"{part}: spec.service is missing; name the service whose objective it is")
    own = entity_id(EntityKind.SERVICE, service)
    found = objects_at(body, "spec", "objectives")
    own_indicator = at(body, "spec", "indicator") or at(body, "spec", "sli") or body.get("indicator")
    indicator = _indicator(at(own_indicator, "spec") or own_indicator)
    about = first(at(body, "spec", "description"), at(body, "metadata", "displayName"))
    attributes: dict[str, str] = {}
    for number, one in enumerate(found, 1):
        label = name if len(found) == 1 else f"{name}.{_slug(first(one.get('name'), one.get('displayName'))) or number}"
        measures = "; ".join(said for said in (about, _limit(one), first(indicator, _indicator(one))) if said)
        target = percent(one.get("target"), ratio=True) or percent(one.get("targetPercent"), ratio=False)
        method = text_at(body, "spec", "budgetingMethod")
        attributes |= objective(label, target, _window(body), measures, method)
    if not attributes:
        raise BadRecord(f"{part} has no objective with a target; write `target: 0.99` below spec.objectives")
    yield Fact(kind=FactKind.ENTITY, subject=own, attributes=attributes)


def _slug(value: str | None) -> str:
    return "-".join((value or "").lower().split())


def _window(body: Body) -> str | None:
    for one in (*objects_at(body, "spec", "timeWindow"), *objects_at(body, "spec", "timeWindows")):
        if told := window(one.get("duration")):
            return told
        if one.get("unit") and one.get("count"):
            return spelled(one["count"], one["unit"])
    return None


def _limit(one: Body) -> str | None:
    """
    What a value is compared with, of an indicator that is no ratio.
    """
    sign, value = _OPERATORS.get(str(one.get("op")).lower()), first(one.get("value"))
    return f"{sign} {value}" if sign and value else None


def _indicator(spec: object) -> str | None:
    """
    What is measured: a ratio of good (or bad) to total, or a value.
    """
    ratio = at(spec, "ratioMetric") or at(spec, "ratioMetrics") or at(spec, "countMetrics")
    if ratio is not None:
        good, bad, total = (_query(at(ratio, key)) for key in ("good", "bad", "total"))
        told = [f"{said} {query}" for said, query in (("good", good), ("bad", bad), ("of", total)) if query]
        return " ".join(told) or _query(at(ratio, "raw"))
    return _query(at(spec, "thresholdMetric") or at(spec, "rawMetric"))


def _query(metric: object) -> str | None:
    """
    The text of a query, wherever a data source puts it.
    """
    known = ("query", "promql", "expr", "queryContent", "metric", "q", "nrql")
    for place in (at(metric, "metricSource", "spec"), at(metric, "source"), at(metric, "query"), metric):
        if said := first(*(at(place, key) for key in known)):
            return said
        for inner in place.values() if isinstance(place, dict) else ():
            if said := first(*(at(inner, key) for key in known)):
                return said
    return None


CONNECTOR = Connector(
    name="openslo",
    summary="OpenSLO documents: objectives of services",
    trust=Trust.DECLARED,
    snapshot=True,
    split=split,
    transform=transform,
    patterns=("openslo/*.y*ml", "openslo/*.json", "*openslo*.y*ml", "*.slo.y*ml"),
)
