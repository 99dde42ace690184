"""
Connections to the file: what every one of them must have set before it is used.

The host's SQLite is never used; the driver brings its own, and versions with the WAL-reset bug (a race of two
connections that damages the file, mended in 3.51.3) are refused. Pages carry checksums, so that a flipped bit is an
error and not an answer. Only the writer checkpoints.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue

import apsw
import apsw.sqlite_extra

from graph.errors import StoreTooNew, StoreUnavailable

_OLDEST = (3, 51, 3)
_CHECKSUM_BYTES = 8
_PATIENCE_MS = 5000
_CHECKPOINT_PAGES = 1000
_IDLE_READERS = 8


def require_version(version: str) -> None:
    """
    StoreUnavailable for a SQLite that can damage the file.
    """
    if tuple(int(part) for part in version.split(".")[:3]) < _OLDEST:
        raise StoreUnavailable(version, "This SQLite can damage a database in WAL mode; install apsw 3.51.3 or later")


def connect(path: Path, *, write: bool, vfs: str | None = None) -> apsw.Connection:
    """
    A connection with our settings. A writer makes the file where it is missing, with room for checksums.
    """
    require_version(apsw.sqlite_lib_version())
    if write:
        return _connected(str(path), apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE, vfs, write=True)
    if os.access(path.parent, os.W_OK):
        return _connected(str(path), apsw.SQLITE_OPEN_READONLY, vfs, write=False)
    return _connected_in_place(path, vfs)


def _connected_in_place(path: Path, vfs: str | None) -> apsw.Connection:
    """
    A reader where nothing can be written. Readers share an index of the log in a file beside the store; where it cannot
    be made, and the log holds nothing, the store's file is all there is, and nobody changes it.
    """
    try:
        # its settings read the file, so it is known here whether it can be
        return _connected(str(path), apsw.SQLITE_OPEN_READONLY, vfs, write=False)
    except (apsw.CantOpenError, apsw.ReadOnlyError) as error:
        log = path.with_name(path.name + "-wal")
        if log.is_file() and log.stat().st_size:
            message = "Nothing can be written here, and the log is not empty; open the store once where it can be"
            raise StoreUnavailable(str(path), message) from error
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    return _connected(f"{path.absolute().as_uri()}?immutable=1", flags, vfs, write=False)


def _connected(name: str, flags: int, vfs: str | None, *, write: bool) -> apsw.Connection:
    connection = apsw.Connection(name, flags=flags, vfs=vfs or _checksums())
    connection.set_busy_timeout(_PATIENCE_MS)
    try:
        _configure(connection, write=write)
    except BaseException:
        connection.close()
        raise
    return connection


def _configure(connection: apsw.Connection, *, write: bool) -> None:
    if write:
        # It counts only before the first page is written.
        connection.reserve_bytes(reserve=_CHECKSUM_BYTES)
        settings: tuple[str, ...] = (
            "journal_mode = wal",
            "synchronous = full",
            "secure_delete = on",
            f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
            "foreign_keys = on",
        )
    else:
        settings = ("query_only = on", "wal_autocheckpoint = 0")
    # One by one: the driver stops at the first that returns a row.
    for setting in (*settings, "temp_store = memory", "cache_size = -32768", "trusted_schema = off"):
        connection.execute(f"pragma {setting}").fetchall()


def _checksums() -> str:
    """
    The name of the file layer that checks pages, loaded once in a process and not made the default of others.
    """
    if "cksmvfs" not in apsw.vfs_names():
        default = apsw.vfs_names()[0]
        loader = apsw.Connection("")
        apsw.sqlite_extra.load(loader, "cksumvfs")
        loader.close()
        apsw.set_default_vfs(default)
    return "cksmvfs"


def migrate(connection: apsw.Connection) -> None:
    """
    Bring the schema to the present version, each step whole or not at all. StoreTooNew of a later one.
    """
    steps = sorted((Path(__file__).parent / "migrations").glob("[0-9]*.sql"))
    for step in steps[schema_version(connection, len(steps)) :]:
        match = re.match(r"\d+", step.name)
        version = int(match[0]) if match else 0
        connection.execute("begin immediate")
        try:
            connection.execute(step.read_text(encoding="utf-8"))
            connection.execute(f"pragma user_version = {version}")
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")


def schema_version(connection: apsw.Connection, newest: int | None = None) -> int:
    """
    The version of the schema in the file; with `newest`, StoreTooNew of a later one.
    """
    version = int(connection.pragma("user_version"))
    if newest is not None and version > newest:
        raise StoreTooNew(
            connection.filename,
            f"The store has schema {version}, this program knows {newest}; install the version that wrote it",
        )
    return version


def newest_schema() -> int:
    """
    The schema that this program writes.
    """
    return len(list((Path(__file__).parent / "migrations").glob("[0-9]*.sql")))


class Readers:
    """
    Read-only connections, each lent to one thread at a time; a few idle ones are kept.
    """

    def __init__(self, path: Path, vfs: str | None = None) -> None:
        self._path = path
        self._vfs = vfs
        self._idle: LifoQueue[apsw.Connection] = LifoQueue()
        self._closed = False

    @contextmanager
    def lend(self) -> Iterator[apsw.Connection]:
        """
        A connection for the length of the block.
        """
        if self._closed:
            raise StoreUnavailable(str(self._path), "The store is closed")
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = connect(self._path, write=False, vfs=self._vfs)
        try:
            yield connection
        finally:
            if self._closed or self._idle.qsize() >= _IDLE_READERS:
                connection.close()
            else:
                self._idle.put(connection)

    def close(self) -> None:
        """
        Close the idle ones; a lent one closes when it is given back.
        """
        self._closed = True
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return
