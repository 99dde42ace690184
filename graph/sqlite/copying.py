"""
A consistent copy of the file while others read and write, checked before it is called one.
"""

from __future__ import annotations

import os
from pathlib import Path

import apsw

from graph.errors import InvalidValue, StoreDamaged
from graph.sqlite.connecting import connect, newest_schema, schema_version

FILE_NAME = "precedent.db"
"""The store's file in its data directory."""
_PAGES_A_STEP = 4096


def copy(source: apsw.Connection, target: Path, vfs: str | None = None) -> None:
    """
    Copy to `target`, a new file. InvalidValue where one is there; StoreDamaged where the copy does not check.
    """
    if target.is_dir():
        target /= FILE_NAME
    if target.exists():
        raise InvalidValue(str(target), "A backup never overwrites; name a file that is not there")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(target.name + ".part")
    unfinished.unlink(missing_ok=True)
    connection = connect(unfinished, write=True, vfs=vfs)
    try:
        with connection.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(_PAGES_A_STEP)
        connection.execute("pragma journal_mode = delete").fetchall()
        checked = connection.execute("pragma quick_check").fetchall()
    finally:
        connection.close()
    if checked != [("ok",)]:
        unfinished.unlink()
        raise StoreDamaged(
            str(target), f"The copy does not check, so the store is damaged ({str(checked[0][0])[:200]})"
        )
    _make_durable(unfinished)
    unfinished.rename(target)
    _make_durable(target.parent)


def restore(backup: Path, directory: Path) -> None:
    """
    Make a data directory of a backup's file. InvalidValue where a store is there already, or the backup is not; the
    backup's errors where it is damaged or of a newer version.
    """
    target = directory / FILE_NAME
    if target.exists():
        raise InvalidValue(str(directory), "There is a store in this directory; restore into an empty one")
    source = connect(backup, write=False)
    try:
        schema_version(source, newest_schema())
        copy(source, target)
    finally:
        source.close()


def _make_durable(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
