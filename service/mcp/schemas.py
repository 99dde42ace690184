"""
The schemas of what tools take and give: whole, and as the list of tools carries them, where every token is paid for by
each agent in each conversation. The listed one says less, and nothing else: what fits the whole one fits it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from pydantic import BaseModel

Schema: TypeAlias = dict[str, Any]
_BOUNDS = ("enum", "maximum", "description")
_STRUCTURED = {"object", "array"}


def whole(model: type[BaseModel]) -> Schema:
    """
    The whole JSON Schema of a model's values as they are sent.
    """
    return model.model_json_schema(mode="serialization")


def listed_input(model: type[BaseModel]) -> Schema:
    """
    What a caller has to know: names, types, choices.
    """
    full = model.model_json_schema()
    properties = {name: _argument(one) for name, one in full["properties"].items()}
    return _object(properties, full.get("required", ()))


def _argument(schema: Schema) -> Schema:
    kinds = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    types = [one["type"] for one in kinds]
    kept = {key: one[key] for one in (*kinds, schema) for key in _BOUNDS if key in one}
    return {"type": types[0] if len(types) == 1 else types, **kept}


def listed_output(model: type[BaseModel], deep: bool) -> Schema:
    """
    The names of what is always there; of parts and lists also their types, and where `deep` the names within.
    """
    full = whole(model)
    shapes = full.get("$defs", {})
    required = full["required"]
    parts = {name: _part(one, shapes, deep) for name, one in full["properties"].items() if name in required}
    return _object({name: one for name, one in parts.items() if _STRUCTURED & {*_types(one)}}, required)


def _types(schema: Schema) -> list[str]:
    found = schema["type"]
    return found if isinstance(found, list) else [found]


def _part(schema: Schema, shapes: Mapping[str, Schema], deep: bool) -> Schema:
    kinds = [_deref(one, shapes) for one in schema.get("anyOf", [schema])]
    types = [one["type"] for one in kinds]
    found: Schema = {"type": types[0] if len(types) == 1 else types}
    for one in kinds if deep else ():
        rows = _deref(one["items"], shapes) if one["type"] == "array" else one
        if rows.get("required"):
            known: Schema = {"required": rows["required"]}
            found |= {"items": known} if one["type"] == "array" else known
    return found


def _deref(schema: Schema, shapes: Mapping[str, Schema]) -> Schema:
    return shapes[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _object(properties: Schema, required: Any) -> Schema:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}
