"""
Prometheus alert rules: plain rule files, PrometheusRule objects, and Grafana's provisioned rules. Recording rules are
passed over; templates in labels and annotations stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import orjson

from graph.values import AlertRule, EntityKind, Item, Record, Trust, entity_id
from ingest.contract import Connector, Piece
from ingest.errors import BadRecord
from ingest.fields import texts
from ingest.parsing import load_yaml_documents, mapping_of, text_of, unpack

_SERVICE_LABELS = ("service", "app", "application", "component")
_RUNBOOK = ("runbook_url", "runbook", "runbook_uri", "playbook")


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    One piece a file: a rule's place in its file is part of what it is. A rule that is none is a piece of its own, which
    is set aside and leaves the others alone.
    """
    path = meta.get("path", "rules")
    text = text_of(unpack(raw, path), path)
    yield Piece(part=path, body=text)
    try:
        bad = [found for found in _rules(load_yaml_documents(text, path), path) if not isinstance(found[2], dict)]
    except BadRecord:
        # the transform says what is wrong with the whole
        return
    for group, number, rule in bad:
        problem = f"rule {number} of group `{group}` in {path} should be an object, not {rule!r:.60}; mend or remove it"
        yield Piece(part=f"{path}#{group}/{number}", body=orjson.dumps(rule).decode(), problem=problem)


def transform(record: Record) -> Iterator[Item]:
    """
    Each alerting rule as an AlertRule; its id is `path#group/name`, and a number where a group has the name twice.
    """
    path = record.meta.get("path", record.part)
    seen: dict[str, int] = {}
    found = False
    for group, _, rule in _rules(load_yaml_documents(record.body, path), path):
        found = True
        if not isinstance(rule, dict):
            continue
        name = rule.get("alert") or (rule.get("title") if "data" in rule else None)
        if not name:
            continue
        identity = f"{path}#{group}/{name}"
        seen[identity] = seen.get(identity, 0) + 1
        number = "" if seen[identity] == 1 else f"~{seen[identity]}"
        yield rule_of(rule, str(name), identity + number, group, path)
    if not found:
        raise BadRecord(f"{path} has no rule groups; expected `groups:` with `rules:`, or a PrometheusRule")


def rule_of(rule: Mapping[str, object], name: str, identity: str, group: str | None, path: str | None) -> AlertRule:
    """
    A rule's own fields as an AlertRule.
    """
    labels, annotations = texts(rule.get("labels")), texts(rule.get("annotations"))
    services = {labels[key] for key in _SERVICE_LABELS if labels.get(key, "").strip() and "{{" not in labels[key]}
    return AlertRule(
        id=identity,
        name=name,
        expr=_expression(rule),
        labels=labels,
        annotations=annotations,
        group=group,
        path=path,
        runbook_url=next((annotations[key] for key in _RUNBOOK if annotations.get(key)), None),
        services=tuple(sorted(entity_id(EntityKind.SERVICE, service) for service in services)),
    )


def _expression(rule: Mapping[str, object]) -> str:
    if rule.get("expr"):
        return str(rule["expr"])
    queries = rule.get("data")
    models = [query.get("model") for query in queries if isinstance(query, dict)] if isinstance(queries, list) else []
    return "\n".join(str(model["expr"]) for model in models if isinstance(model, dict) and model.get("expr"))


def _rules(documents: list[object], path: str) -> Iterator[tuple[str, int, object]]:
    """
    (group, number within it, rule), whatever a rule is.
    """
    for document in documents:
        top = mapping_of(document, path)
        items = top.get("items")
        if top.get("kind") in ("List", "PrometheusRuleList") and isinstance(items, list):
            yield from _rules(items, path)
            continue
        spec = top.get("spec")
        groups = spec.get("groups") if isinstance(spec, dict) else top.get("groups")
        for group in groups if isinstance(groups, list) else []:
            rules = group.get("rules") if isinstance(group, dict) else None
            for number, rule in enumerate(rules if isinstance(rules, list) else [], 1):
                yield str(group.get("name", "")), number, rule


CONNECTOR = Connector(
    name="prometheus_rules",
    summary="Prometheus alert rules: rule files, PrometheusRule objects, Grafana's provisioned rules",
    trust=Trust.DECLARED,
    snapshot=True,
    split=split,
    transform=transform,
    patterns=("*rules*/*.y*ml", "*rules*.y*ml", "*prometheusRule*.y*ml", "*alert*.y*ml"),
)
