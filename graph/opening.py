"""
From a URL to a store. The only place that knows which backends there are.
"""

from __future__ import annotations

from pathlib import Path

from graph.contract import Store
from graph.errors import InvalidValue, NotFound, NotSupported
from graph.moving import Movable

_SQLITE = "sqlite:///"


def open_store(url: str, *, read_only: bool = False, user: str = "", password: str = "") -> Store:
    """
    The store at `url`: `sqlite:///DIR` is a data directory (`sqlite:////srv/precedent` an absolute one), made where it
    is missing; `neo4j://HOST`, `bolt://HOST` and their secure kinds are a server, with the name of a database as path
    where it is not the server's default.

    A data directory has one writer at a time, else StoreLocked; `read_only` takes no lock and needs a store that is
    there. A server is reached by the first question, not here.
    Raises InvalidValue for an unknown scheme and StoreUnavailable, or one of its kinds, where it cannot be opened.
    """
    if _is_server(url):
        from graph.neo4j.store import Neo4jStore

        return Neo4jStore(url, user=user, password=password, read_only=read_only)
    from graph.sqlite.store import SqliteStore

    return SqliteStore(_directory(url), read_only=read_only)


def require_store(url: str, *, user: str = "", password: str = "") -> None:
    """
    NotFound where there is no store at `url`: for those who would make an empty one by a slip of the pen. A server that
    cannot be asked is StoreUnavailable.
    """
    if _is_server(url):
        store = open_store(url, read_only=True, user=user, password=password)
        try:
            store.watermark()
        finally:
            store.close()
        return
    from graph.sqlite.copying import FILE_NAME
    from graph.sqlite.store import require_file

    require_file(_directory(url) / FILE_NAME)


def open_movable(url: str, *, target: bool, user: str = "", password: str = "") -> Movable:
    """
    The store at `url` to be migrated: out of, or as `target` into. An embedded one is held by the writer's lock; a
    server is only read, unless it is the target. NotFound where there is nothing to migrate out of.
    """
    if _is_server(url):
        from graph.neo4j.moving import Neo4jMoving

        return Neo4jMoving(url, user=user, password=password, read_only=not target)
    from graph.sqlite.copying import FILE_NAME
    from graph.sqlite.moving import SqliteMoving
    from graph.sqlite.store import require_file

    if not target:
        require_file(_directory(url) / FILE_NAME)
    return SqliteMoving(_directory(url))


def restore_store(url: str, backup: Path) -> None:
    """
    Make the store at `url`, where there is none yet, out of a file that `Store.backup` wrote. The copy is checked.
    """
    from graph.sqlite.copying import restore
    from graph.sqlite.failures import translated

    if _is_server(url):
        raise NotSupported(url, "A server is restored by its own tools; `precedent migrate` copies a store into it")
    if not backup.is_file():
        raise NotFound(str(backup), "There is no such backup")
    with translated(str(backup)):
        restore(backup, _directory(url))


def folder_of(url: str) -> Path | None:
    """
    The data directory of an embedded store; None of a server.
    """
    return None if _is_server(url) else _directory(url)


def _is_server(url: str) -> bool:
    return url.startswith(("neo4j", "bolt")) and "://" in url


def _directory(url: str) -> Path:
    if not url.startswith(_SQLITE) or len(url) == len(_SQLITE):
        raise InvalidValue(
            url, f"A store's URL begins with {_SQLITE} and a directory, or with neo4j:// or bolt:// and a host"
        )
    return Path(url[len(_SQLITE) :]).expanduser()
