"""
The stores that the contract suite runs on. A new backend is one line of `BACKENDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from graph.contract import Store
from graph.opening import open_store


@dataclass(frozen=True, slots=True)
class Backend:
    """
    A store and how an empty one is opened in a folder of its own.
    """

    name: str
    open: Callable[[Path], Store]


BACKENDS: tuple[Backend, ...] = (Backend("sqlite", lambda folder: open_store(f"sqlite:///{folder}")),)

OPT_OUTS: Mapping[tuple[str, str], str] = {}
"""(backend, test function) -> why this backend cannot do what the test asks for."""
