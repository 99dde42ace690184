"""
Objectives for Prometheus: Sloth's specifications (plain, and PrometheusServiceLevel), Pyrra's ServiceLevelObjective,
and the recording rules that both make of them, in files of rules or PrometheusRule objects.

Each is an attribute of its service. Alerts of the same files are for `prometheus_rules`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from graph.values import EntityId, EntityKind, Fact, FactKind, Item, Record, Trust, entity_id
from ingest.connectors._catalogue import documents_of, edge, entries, ident, piece
from ingest.connectors._objectives import objective, percent, spent, window
from ingest.contract import Body, Connector, Piece
from ingest.errors import BadRecord
from ingest.fields import at, body_of, first, named, objects_at, text, text_at, texts

_NUMBER = re.compile(r"\s*(?:vector\()?\s*([\d.eE+-]+)\s*\)?\s*")
_SERVICE_LABELS = ("sloth_service", "service", "app", "job")
_OWNERS = ("owner", "team", "squad")
_RULES = ("slo:objective:ratio", "sloth_slo_info", "pyrra_objective")


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece an objective, whatever it is written in.
    """
    path = meta.get("path") or "sloth.yaml"
    number, found = 0, False
    for value in documents_of(raw, path):
        if isinstance(value, Piece):
            yield value
            continue
        for document in entries(value):
            for one in _each(document):
                found, number = True, number + 1
                yield piece(one, path, number, _name)
    if not found:
        raise BadRecord(
            f"{path} has no objectives: neither `slos` of Sloth, nor Pyrra's objects, nor their recording rules"
        )


def _each(document: object) -> Iterator[Body]:
    """
    The objectives of a document, each with its service, in one shape.
    """
    if text_at(document, "kind") in ("List", "PrometheusRuleList"):
        for one in objects_at(document, "items"):
            yield from _each(one)
    elif text_at(document, "kind") == "ServiceLevelObjective":
        yield _of_pyrra(document)
    elif slos := objects_at(document, "slos") or objects_at(document, "spec", "slos"):
        spec = document if at(document, "slos") else at(document, "spec")
        for slo in slos:
            yield _of_sloth(spec, slo)
    else:
        yield from _of_rules(objects_at(document, "groups") or objects_at(document, "spec", "groups"))


def _of_sloth(spec: object, slo: Body) -> Body:
    labels = {**texts(at(spec, "labels")), **texts(slo.get("labels"))}
    period = first(at(spec, "sloPeriod"), at(spec, "timeWindow"))
    return {
        "service": text_at(spec, "service"),
        "name": text_at(slo, "name"),
        "target": percent(slo.get("objective"), ratio=False),
        "window": window(period) or "30d",
        "about": text_at(slo, "description"),
        "measures": _indicator(slo.get("sli")),
        "owner": first(*(labels.get(key) for key in _OWNERS)),
    }


def _indicator(sli: object) -> str | None:
    events = at(sli, "events")
    errors = first(at(events, "error_query"), at(events, "errorQuery"))
    total = first(at(events, "total_query"), at(events, "totalQuery"))
    if errors and total:
        return f"errors {errors} of {total}"
    plugin = first(at(sli, "plugin", "id"), at(sli, "plugin", "ID"))
    raw = first(at(sli, "raw", "error_ratio_query"), at(sli, "raw", "errorRatioQuery"))
    return raw or (f"plugin {plugin}" if plugin else None)


def _of_pyrra(document: object) -> Body:
    labels = {key.removeprefix("pyrra.dev/"): value for key, value in texts(at(document, "metadata", "labels")).items()}
    name = text_at(document, "metadata", "name")
    return {
        "service": first(*(labels.get(key) for key in _SERVICE_LABELS))
        or _job(at(document, "spec", "indicator"))
        or name,
        "name": name,
        "target": percent(at(document, "spec", "target"), ratio=False),
        "window": window(at(document, "spec", "window")),
        "about": text_at(document, "spec", "description"),
        "measures": _pyrra_indicator(at(document, "spec", "indicator")),
        "owner": first(*(labels.get(key) for key in _OWNERS)),
    }


def _pyrra_indicator(indicator: object) -> str | None:
    def metric(*path: str) -> str | None:
        return text_at(indicator, *path, "metric")

    pairs = (
        ("errors", metric("ratio", "errors"), metric("ratio", "total")),
        ("fast enough", metric("latency", "success"), metric("latency", "total")),
        (f"within {text_at(indicator, 'latencyNative', 'latency')}", metric("latencyNative", "total"), None),
        ("true", metric("bool_gauge") or metric("boolGauge"), None),
    )
    for said, part, total in pairs:
        if part:
            return f"{said} {part}" + (f" of {total}" if total else "")
    return None


def _job(indicator: object) -> str | None:
    """
    The job that all of an indicator's metrics select.
    """
    found = set(re.findall(r'\bjob="([^"]+)"', str(indicator)))
    return found.pop() if len(found) == 1 else None


def _of_rules(groups: Iterable[Body]) -> Iterator[Body]:
    """
    The objectives of which recording rules were made, from what those say of them.
    """
    rules = [rule for group in groups for rule in objects_at(group, "rules") if rule.get("record")]
    told: dict[str, dict[str, str]] = defaultdict(dict)
    labels: dict[str, dict[str, str]] = {}
    for rule in rules:
        about = texts(rule.get("labels"))
        key = about.get("sloth_id") or about.get("slo")
        if not key:
            continue
        record = str(rule["record"])
        told[key].setdefault(record, str(rule.get("expr") or ""))
        if record in _RULES or record == "pyrra_window":
            labels[key] = {**about, **labels.get(key, {})}
        elif "sli_error:ratio_rate" in record or ":increase" in record:
            told[key].setdefault("measures", str(rule.get("expr") or ""))
    for key, about in labels.items():
        yield _of_labels(key, about, told[key])


def _of_labels(key: str, about: Mapping[str, str], told: Mapping[str, str]) -> Body:
    objective_ratio = told.get("slo:objective:ratio") or told.get("pyrra_objective")
    days, seconds = _number(told.get("slo:time_period:days")), _number(told.get("pyrra_window"))
    target = percent(_number(objective_ratio), ratio=True) or percent(about.get("sloth_objective"), ratio=False)
    return {
        "service": first(*(about.get(label) for label in _SERVICE_LABELS)) or key,
        "name": about.get("sloth_slo") or key,
        "target": target,
        "window": spent(float(days) * 86400) if days else spent(float(seconds)) if seconds else None,
        "about": None,
        "measures": told.get("measures"),
        "owner": first(*(about.get(label) for label in _OWNERS)),
    }


def _number(expression: str | None) -> str | None:
    """
    The number that a rule records.
    """
    found = _NUMBER.fullmatch(expression or "")
    return found[1] if found else None


def _name(body: Body) -> str:
    return f"slo:{body.get('service')}/{body.get('name')}"


def transform(record: Record) -> Iterator[Item]:
    """
    What one objective states of its service.
    """
    body = body_of(record)
    service, name = named(body.get("service")), named(body.get("name"))
    if not service or not name:
        raise BadRecord(f"{record.part}: an objective needs a service and a name")
    if not named(body.get("target")):
        raise BadRecord(f"{record.part}: the objective is no percentage above 0 and up to 100; write it like 99.9")
    own: EntityId = entity_id(EntityKind.SERVICE, service)
    measures = "; ".join(said for key in ("about", "measures") if (said := text(body.get(key))))
    attributes = objective(name, text_at(body, "target"), text_at(body, "window"), measures)
    yield Fact(kind=FactKind.ENTITY, subject=own, attributes=attributes)
    yield from _owned(own, body)


def _owned(own: EntityId, body: Body) -> Iterator[Fact]:
    yield from edge(FactKind.OWNED_BY, own, ident(EntityKind.TEAM, body.get("owner")), "labels")


CONNECTOR = Connector(
    name="sloth",
    summary="objectives for Prometheus: Sloth, Pyrra and the recording rules of both",
    trust=Trust.DECLARED,
    snapshot=True,
    split=split,
    transform=transform,
    patterns=("sloth/*.y*ml", "*sloth*.y*ml", "*pyrra*.y*ml", "slos/*.y*ml"),
)
