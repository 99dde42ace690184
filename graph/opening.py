"""
From a URL to a store. The only place that knows which backends there are.
"""

from __future__ import annotations

from pathlib import Path

from graph.contract import Store
from graph.errors import InvalidValue

_SQLITE = "sqlite:///"


def open_store(url: str, *, read_only: bool = False) -> Store:
    """
    The store at `url`: `sqlite:///DIR` is a data directory (`sqlite:////srv/precedent` an absolute one), made where it
    is missing.

    There is one writer at a time, else StoreLocked; `read_only` takes no lock and needs a store that is there.
    Raises InvalidValue for an unknown scheme and StoreUnavailable, or one of its kinds, where it cannot be opened.
    """
    if url.startswith(_SQLITE) and len(url) > len(_SQLITE):
        from graph.sqlite.store import SqliteStore

        return SqliteStore(Path(url[len(_SQLITE) :]).expanduser(), read_only=read_only)
    raise InvalidValue(url, f"A store's URL begins with {_SQLITE} and a directory")
