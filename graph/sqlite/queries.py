"""
The named queries of `queries.sql`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import apsw
import orjson

from graph.errors import InvalidValue
from graph.named import read_queries
from graph.values import Labels

_SHOWN = 200

Value: TypeAlias = int | str | bytes | None
"""What a query takes."""
# The types of a row's columns are the schema's, whose tables are strict; Python cannot know them.
Row: TypeAlias = tuple[Any, ...]


@cache
def queries() -> Mapping[str, str]:
    """
    Name to text. Every query has a line of purpose below its name.
    """
    return read_queries(Path(__file__).with_name("queries.sql"), "--")


@cache
def sql(name: str) -> str:
    """
    The text of one query.
    """
    return queries()[name]


def select(connection: apsw.Connection, name: str, /, **values: Value) -> list[Row]:
    """
    All rows of a named query.
    """
    return connection.execute(sql(name), values).fetchall()


def select_one(connection: apsw.Connection, name: str, /, **values: Value) -> Row | None:
    """
    The one row of a named query, or None.
    """
    rows = select(connection, name, **values)
    return rows[0] if rows else None


def json_text(value: object) -> str:
    """
    A value as the JSON text that queries take lists in. InvalidValue where it holds what is no Unicode.
    """
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError as error:
        raise InvalidValue(repr(value)[:_SHOWN], f"The text is not valid Unicode ({error})") from error


@lru_cache(maxsize=1000)
def labels_of(text: str) -> Labels:
    """
    The set of labels of such a text.
    """
    return frozenset(orjson.loads(text))
