"""
The named queries of `queries.cypher`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

_MARK = "// name: "


@cache
def queries() -> Mapping[str, str]:
    """
    Name to text. Every query has a line of purpose below its name.
    """
    found: dict[str, str] = {}
    text = Path(__file__).with_name("queries.cypher").read_text(encoding="utf-8")
    for block in text.split(_MARK)[1:]:
        name, _, body = block.partition("\n")
        found[name.strip()] = body.strip()
    return MappingProxyType(found)


@cache
def cypher(name: str) -> str:
    """
    The text of one query.
    """
    return queries()[name]
