"""
The named queries of `queries.cypher`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from graph.named import read_queries


@cache
def queries() -> Mapping[str, str]:
    """
    Name to text. Every query has a line of purpose below its name.
    """
    return read_queries(Path(__file__).with_name("queries.cypher"), "//")


@cache
def cypher(name: str) -> str:
    """
    The text of one query.
    """
    return queries()[name]
