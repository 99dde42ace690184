"""
The stores that the contract suite runs on. A new backend is one line of `BACKENDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from graph.contract import Store
from graph.opening import open_store
from tests import server


@dataclass(frozen=True, slots=True)
class Backend:
    """
    A store, how an empty one is opened in a folder of its own, and how it is opened again.
    """

    name: str
    open: Callable[[Path], Store]
    again: Callable[[Path], Store]


def _embedded(folder: Path) -> Store:
    return open_store(f"sqlite:///{folder}")


BACKENDS: tuple[Backend, ...] = (
    Backend("sqlite", _embedded, _embedded),
    Backend("neo4j", lambda _: server.emptied(), lambda _: server.opened()),
)

OPT_OUTS: Mapping[tuple[str, str], str] = {
    ("neo4j", "test_a_backup_opens_and_has_what_was_there"): "a server is backed up by its own tools",
}
"""(backend, test function) -> why this backend cannot do what the test asks for."""
