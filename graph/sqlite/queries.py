"""
The named queries of `queries.sql`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import apsw

from graph.named import read_queries

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
