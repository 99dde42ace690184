"""
Any JSON, JSON lines, YAML or CSV by a mapping file, so that no organisation needs a program.

The mapping (TOML) says where the rows are and what each row states; docs/reference/mapping.md explains it:

    rows = "policies"            # path to the list in a JSON or YAML document; empty: the document, or each line
    part = "{team}"              # names a row for good; default: its digest
    [[items]]
    kind = "escalates_to"        # a kind of fact, or change, incident, runbook, alert_rule
    subject = "team:{team}"
    object = "team:{escalates_to}"
    when = "escalates_to"        # only where this field is there
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache

import orjson

from graph.values import EntityKind, Fact, FactKind, Item, Record, Span, Trust, entity_id
from ingest.connectors.changes import change_of
from ingest.connectors.postmortems import incident_of_json
from ingest.connectors.prometheus_rules import rule_of
from ingest.contract import Connector, Piece
from ingest.errors import BadRecord
from ingest.parsing import (
    csv_rows,
    json_lines,
    load_json,
    load_yaml_documents,
    mapping_of,
    parse_end,
    parse_time,
    text_of,
    unpack,
)

_FACTS = {kind.value for kind in FactKind if kind is not FactKind.POLICY}
"""What rows may state; rules about actions are reviewed files of their own."""
_KINDS = _FACTS | {"change", "incident", "alert_rule"}
_HOLE = re.compile(r"\{([^{}|]+)(?:\|([^{}]*))?\}")
_TOP = {"rows", "part", "items", "published", "occurred", "timezone", "format"}


@lru_cache(maxsize=64)
def read_mapping(text: str) -> dict[str, object]:
    """
    A checked mapping. Raises BadRecord that names the key.
    """
    try:
        mapping = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRecord(f"the mapping is not TOML: {error}") from error
    unknown = sorted(set(mapping) - _TOP)
    if unknown:
        raise BadRecord(f"the mapping has an unknown key `{unknown[0]}`; known: {', '.join(sorted(_TOP))}")
    items = mapping.get("items")
    if not isinstance(items, list) or not items:
        raise BadRecord("the mapping needs at least one [[items]]")
    for number, item in enumerate(items, 1):
        if item.get("kind") not in _KINDS:
            raise BadRecord(
                f"item {number} of the mapping: kind {item.get('kind')!r}; known: {', '.join(sorted(_KINDS))}"
            )
    return mapping


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece a row.
    """
    path = meta.get("path", "the file")
    mapping = read_mapping(meta.get("mapping", ""))
    for number, row in _rows(unpack(raw, path), path, mapping):
        body = orjson.dumps(row).decode() if not isinstance(row, str) else row
        if not isinstance(row, dict):
            yield Piece(part=f"{path}#{number}", body=body, problem=f"row {number} of {path} is not an object")
            continue
        named = str(mapping["part"]) if "part" in mapping else ""
        part = filled(named, row) if named else hashlib.sha256(body.encode()).hexdigest()[:16]
        yield Piece(
            part=f"{path}#{part}",
            body=body,
            published_at=_moment(mapping, "published", row, meta),
            occurred_at=_moment(mapping, "occurred", row, meta),
            meta={"row": str(number)},
        )


def _rows(body: bytes, path: str, mapping: Mapping[str, object]) -> Iterator[tuple[int, object]]:
    name = path.removesuffix(".gz")
    form = mapping.get("format") or name.rpartition(".")[2]
    if form == "csv":
        yield from (
            (number, row if row is not None else f"row {number}") for number, row in csv_rows(text_of(body, path), path)
        )
    elif form in ("jsonl", "ndjson"):
        for number, line in json_lines(body):
            try:
                yield number, load_json(line, f"line {number} of {path}")
            except BadRecord:
                yield number, line.decode("utf-8", "replace")
    else:
        yaml = form in ("yaml", "yml")
        documents = load_yaml_documents(text_of(body, path), path) if yaml else [load_json(text_of(body, path), path)]
        number = 0
        for document in documents:
            for row in _list_at(document, str(mapping.get("rows", "")), path):
                number += 1
                yield number, row


def _list_at(document: object, rows: str, path: str) -> list[object]:
    for step in filter(None, rows.split(".")):
        document = document.get(step) if isinstance(document, dict) else None
    if document is None:
        raise BadRecord(f"{path} has nothing at `{rows}`; mend `rows` in the mapping")
    return document if isinstance(document, list) else [document]


def _moment(
    mapping: Mapping[str, object], key: str, row: Mapping[str, object], meta: Mapping[str, str]
) -> datetime | None:
    named = mapping.get(key)
    value = value_at(row, str(named)) if named else None
    try:
        return parse_time(value, str(mapping.get("timezone") or meta.get("timezone", "UTC"))) if value else None
    except BadRecord:
        # the transform says what is wrong with it
        return None


def transform(record: Record) -> Iterator[Item]:
    """
    What the mapping makes of a row.
    """
    mapping = read_mapping(record.meta.get("mapping", ""))
    where = f"row {record.meta.get('row', '?')} of {record.meta.get('path', record.source)}"
    row = mapping_of(load_json(record.body, where), where)
    meta = {**record.meta, **({"timezone": str(mapping["timezone"])} if "timezone" in mapping else {})}
    items = mapping["items"]
    for item in items if isinstance(items, list) else []:
        for each in _each(row, item):
            if _applies(each, item):
                yield _item(each, item, where, meta)


def _each(row: Mapping[str, object], item: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """
    The row, or for `each = "path"` the row once for every entry of that list, as `{it}`.
    """
    if "each" not in item:
        yield row
        return
    found = value_at(row, str(item["each"]))
    for entry in found if isinstance(found, list) else [] if found is None else [found]:
        yield {**row, "it": entry}


def _applies(row: Mapping[str, object], item: Mapping[str, object]) -> bool:
    named = str(item.get("when", ""))
    if not named:
        return True
    if "=" in named:
        key, _, wanted = named.partition("=")
        return (
            str(value_at(row, key.strip("! "))) == wanted
            if not key.endswith("!")
            else str(value_at(row, key.strip("! "))) != wanted
        )
    return value_at(row, named) not in (None, "", [], False)


def _item(row: Mapping[str, object], item: Mapping[str, object], where: str, meta: Mapping[str, str]) -> Item:
    kind = str(item["kind"])
    named = item.get("fields")
    given = {str(key): _filled_value(value, row) for key, value in named.items()} if isinstance(named, dict) else {}
    # an empty value takes a field away
    whole = {key: value for key, value in {**row, **given}.items() if value not in (None, "")}
    if kind == "change":
        return change_of(whole, where, meta)
    if kind == "incident":
        return incident_of_json(whole, str(whole.get("path") or where), meta)
    if kind == "alert_rule":
        rule = mapping_of(whole.get("rule") or whole, where)
        name = str(whole.get("name") or rule.get("alert") or "")
        if not name:
            raise BadRecord(f"{where}: an alert rule needs a name")
        return rule_of(
            rule, name, str(whole.get("id") or name), str(whole["group"]) if "group" in whole else None, None
        )
    return _fact(FactKind(kind), row, item, where, meta)


def _fact(
    kind: FactKind, row: Mapping[str, object], item: Mapping[str, object], where: str, meta: Mapping[str, str]
) -> Fact:
    subject = _entity(filled(str(item.get("subject", "")), row), where)
    target = filled(str(item.get("object", "")), row)
    named = item.get("attributes")
    attributes = {str(key): filled(str(value), row) for key, value in named.items()} if isinstance(named, dict) else {}
    zone = meta.get("timezone", "UTC")
    start, end = (value_at(row, str(item[key])) if key in item else None for key in ("valid_from", "valid_to"))
    return Fact(
        kind=kind,
        subject=subject,
        object=target if kind in (FactKind.ALIAS, FactKind.ENTITY) else _entity(target, where),
        valid=Span(parse_time(start, zone) if start else None, parse_end(end, zone)),
        attributes={key: value for key, value in attributes.items() if value},
    )


def _entity(text: str, where: str) -> str:
    kind, _, name = text.partition(":")
    try:
        if not name.strip():
            raise ValueError(name)
        return entity_id(EntityKind(kind), name)
    except ValueError:
        kinds = ", ".join(known.value for known in EntityKind)
        raise BadRecord(f"{where}: {text!r} is not an entity; write KIND:NAME with one of {kinds}") from None


def value_at(row: object, path: str) -> object:
    """
    The value at `a.b.0`; None where there is none.
    """
    for step in path.strip().split("."):
        if isinstance(row, dict):
            row = row.get(step)
        elif isinstance(row, list) and step.isdigit() and int(step) < len(row):
            row = row[int(step)]
        else:
            return None
    return row


def filled(template: str, row: Mapping[str, object]) -> str:
    """
    A text with its `{path}` holes filled, `{path|else}` where the field is empty.
    """

    def fill(hole: re.Match[str]) -> str:
        value = value_at(row, hole[1])
        return (hole[2] or "") if value in (None, "") else str(value)

    return _HOLE.sub(fill, template).strip()


def _filled_value(value: object, row: Mapping[str, object]) -> object:
    if isinstance(value, str):
        whole = _HOLE.fullmatch(value)
        return value_at(row, whole[1]) if whole and whole[2] is None else filled(value, row)
    return value


CONNECTOR = Connector(
    name="mapping",
    summary="any JSON, YAML or CSV, by a mapping file",
    trust=Trust.DECLARED,
    snapshot=True,
    split=split,
    transform=transform,
)
