"""
Named queries: a file of texts, each below a comment with its name and a line of purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType


def read_queries(path: Path, comment: str) -> Mapping[str, str]:
    """
    Name to text, of a file whose comments begin so.
    """
    found: dict[str, str] = {}
    for block in path.read_text(encoding="utf-8").split(f"{comment} name: ")[1:]:
        name, _, body = block.partition("\n")
        found[name.strip()] = body.strip()
    return MappingProxyType(found)
