"""
Files and the areas of a code base that they lie in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

DEPTH = 3
_HARMLESS = re.compile(
    r"(^|/)(docs?|tests?|spec|__tests__|examples?|\.github|testdata|fixtures|adr|architecture-decision-record)/"
    r"|(^|/)(readme|changelog|contributing|license|codeowners)[^/]*$|\.(md|rst|adoc|txt|png|svg)$"
    r"|[_.-](test|spec)\.[a-z]+$|_test\.go$|(^|/)test_[^/]*\.py$",
    re.IGNORECASE,
)


@lru_cache(maxsize=200_000)
def area_of(path: str) -> str:
    """
    The first three components of a file's directory.
    """
    return "/".join(path.split("/")[:-1][:DEPTH])


def areas_of(paths: Iterable[str]) -> set[str]:
    """
    The areas of files.
    """
    return {area_of(path) for path in paths}


def parent(area: str) -> str:
    """
    The area one level up.
    """
    return area.rpartition("/")[0] or area


def nearness(path: str, place: str) -> float:
    """
    How near a file is to a file or folder: 1 for the same file or one within, 0.6 for one beside it, else 0.
    """
    if path == place or path.startswith(place + "/"):
        return 1.0
    folder = path.rpartition("/")[0]
    return 0.6 if folder and folder == place.rpartition("/")[0] else 0.0


@lru_cache(maxsize=200_000)
def harmless(path: str) -> bool:
    """
    Whether a file has no part in what runs: documents, tests, pictures.
    """
    return bool(_HARMLESS.search(path))
