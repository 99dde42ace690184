"""
Taking fields out of foreign JSON, and cutting deliveries into pieces. All of it is tolerant: what is missing is None.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import orjson

from graph.values import EntityId, EntityKind, Record, entity_id
from ingest.contract import Body, Piece, Split
from ingest.errors import BadRecord
from ingest.parsing import is_unset, json_lines, load_json, mapping_of, parse_time, text_of, unpack

NOTHING = frozenset({"", "unknown", "none", "null", "n/a", "undefined"})
"""Texts that name neither a service nor a version."""


def at(body: object, *path: str | int) -> object | None:
    """
    What lies at a path of keys and places; None where there is nothing.
    """
    for step in path:
        if isinstance(step, int):
            body = body[step] if isinstance(body, list) and -len(body) <= step < len(body) else None
        else:
            body = body.get(step) if isinstance(body, dict) else None
    return body


def text_at(body: object, *path: str | int) -> str | None:
    """
    The text or number there, trimmed; None for an empty one and for what is no text.
    """
    return text(at(body, *path))


def text(value: object) -> str | None:
    """
    A text or number as text, trimmed; None for an empty one and for what is neither.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def named(value: object) -> str | None:
    """
    The same, and None also for what names nothing (`unknown`, `null`).
    """
    found = text(value)
    return None if found is None or found.lower() in NOTHING else found


def first(*values: object) -> str | None:
    """
    The first text that is one.
    """
    return next((found for value in values if (found := text(value))), None)


def list_at(body: object, *path: str | int) -> Sequence[object]:
    """
    The list there; empty where there is none.
    """
    found = at(body, *path)
    return found if isinstance(found, list) else ()


def objects_at(body: object, *path: str | int) -> Sequence[Body]:
    """
    The objects of the list there.
    """
    return [one for one in list_at(body, *path) if isinstance(one, dict)]


def texts(value: object) -> dict[str, str]:
    """
    An object's fields as texts: what is no text as JSON, what is null left out.
    """
    if not isinstance(value, dict):
        return {}
    return {
        str(key): item if isinstance(item, str) else orjson.dumps(item).decode()
        for key, item in value.items()
        if item is not None
    }


def service(value: object) -> tuple[EntityId, ...]:
    """
    The service of a name, as a change's `services`; empty where the name names nothing.
    """
    found = named(value)
    return (entity_id(EntityKind.SERVICE, found),) if found else ()


def repository(value: object) -> EntityId | None:
    """
    The repository of a full name (`owner/name`); None where it names nothing.
    """
    found = named(value)
    return entity_id(EntityKind.REPOSITORY, found) if found else None


def digest_of(value: object) -> str:
    """
    A short mark of any JSON value, whatever the order of its keys.
    """
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def body_of(record: Record) -> Body:
    """
    A record's JSON object.
    """
    return mapping_of(load_json(record.body, record.part), record.part)


def moment_at(body: object, *paths: Sequence[str | int]) -> datetime | None:
    """
    The first time of several places; None where there is none that is set and can be read (the transform says what is
    wrong).
    """
    for path in paths:
        found = at(body, *path)
        if is_unset(found):
            continue
        try:
            return parse_time(found)
        except BadRecord:
            continue
    return None


def unwrapped(body: Body) -> Body:
    """
    The vendor's body, out of the envelope of a relay that puts it under `data` beside `type` and `timestamp`.
    """
    inner = body.get("data")
    return inner if isinstance(inner, dict) and set(body) == {"type", "data", "timestamp"} else body


def deliveries(
    part: Callable[[Body, Mapping[str, str]], str],
    occurred: Callable[[Body], datetime | None],
    parts: Callable[[Body], Iterator[Body]] | None = None,
    *,
    relayed: bool = True,
) -> Split:
    """
    A split of webhooks: one body, a list of bodies, or a file of them, one a line (`.jsonl`, packed or not).

    `part` names the thing that a body is about, so that its later state replaces the earlier; `occurred` is when it
    became so by the source's clock; `parts` cuts a body that holds several. In a file of old deliveries they were known
    when they occurred. What is no object is a piece with its problem, and leaves the others alone. `relayed`: the body
    may lie in the envelope of a relay, which is not the vendor's.
    """

    def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
        path = meta.get("path", "the delivery")
        lined = path.removesuffix(".gz").endswith((".jsonl", ".ndjson"))
        body = unpack(raw, path)
        for number, given in enumerate((line for _, line in json_lines(body)) if lined else [body], 1):
            where = f"line {number} of {path}" if lined else path
            try:
                value = load_json(text_of(given, where), where)
                whole = value if isinstance(value, list) else [value]
                bodies = [one for each in whole for one in _inner(mapping_of(each, where))]
            except BadRecord as error:
                if not lined:
                    raise
                yield Piece(part=f"{path}#{number}", body=given.decode("utf-8", "replace"), problem=str(error))
                continue
            for one in bodies:
                moment = occurred(one)
                yield Piece(
                    part=part(one, meta),
                    body=orjson.dumps(one).decode(),
                    published_at=moment if lined else None,
                    occurred_at=moment,
                )

    def _inner(body: Body) -> Iterator[Body]:
        vendor = unwrapped(body) if relayed else body
        yield from parts(vendor) if parts else [vendor]

    return split


def present(**given: str | None) -> dict[str, str]:
    """
    Those of the attributes that are given.
    """
    return {key: value for key, value in given.items() if value}


def lower(value: object) -> str | None:
    """
    A text in lower case (a state, an environment); None where there is none.
    """
    found = text(value)
    return found.lower() if found else None
