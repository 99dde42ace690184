"""
A power cut at any moment: the files are rebuilt as the disk may have them, with unsynced writes lost or torn.

A file layer in the place of the checking one logs every write, truncation, deletion and sync. From a prefix of the
log the files are made again: what was synced is there; of the rest each write is dropped, kept or torn at random.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw
import pytest

from graph.errors import StoreUnavailable
from graph.opening import open_store
from graph.sqlite.copying import FILE_NAME
from graph.sqlite.store import SqliteStore
from graph.values import Record
from tests.contract.making import deploy, record, state, view

CUTS = 120
RECORDS = 60
SECTOR = 512


@dataclass(frozen=True)
class Write:
    """
    One operation on a file: bytes at an offset, a truncation, a deletion, or a sync.
    """

    what: str
    file: str
    offset: int = 0
    data: bytes = b""


class _File(apsw.VFSFile):
    def __init__(self, base: str, name: str | apsw.URIFilename | None, flags: list[int], log: list[Write]) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name = Path(path or "temporary").name
        self._log = log
        super().__init__(base, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._log.append(Write("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        self._log.append(Write("truncate", self._name, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._log.append(Write("sync", self._name))


class _Recorder(apsw.VFS):
    def __init__(self, name: str, log: list[Write]) -> None:
        self._log = log
        super().__init__(name, "unix")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _File:
        return _File("unix", name, flags, self._log)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self._log.append(Write("delete", Path(filename).name))
        super().xDelete(filename, syncdir)


@contextmanager
def _recording(name: str) -> Iterator[list[Write]]:
    log: list[Write] = []
    recorder = _Recorder(name, log)
    yield log
    recorder.unregister()


def _remains(log: list[Write], cut: int, draw: random.Random) -> dict[str, bytearray]:
    """
    The files as a power cut after `cut` operations may leave them.
    """
    synced = {one.file: place for place, one in enumerate(log[:cut]) if one.what == "sync"}
    files: dict[str, bytearray] = {}
    for place, one in enumerate(log[:cut]):
        durable = one.what == "delete" or place < synced.get(one.file, -1)
        if one.what == "sync" or (not durable and draw.random() < 0.5):
            continue
        held = files.setdefault(one.file, bytearray())
        if one.what == "write":
            whole = durable or draw.random() > 0.3
            data = one.data if whole else one.data[: SECTOR * draw.randrange(len(one.data) // SECTOR + 1)]
            held.extend(bytes(max(0, one.offset + len(data) - len(held))))
            held[one.offset : one.offset + len(data)] = data
        elif one.what == "truncate":
            del held[one.offset :]
        else:
            files.pop(one.file)
    return files


def _write_records(folder: Path, vfs: str, log: list[Write]) -> list[tuple[int, Record]]:
    """
    Each acknowledged record with the length of the log at its acknowledgement.
    """
    store = SqliteStore(folder, vfs=vfs)
    acknowledged = []
    for number in range(RECORDS):
        made = record(f"r{number}", number, part="p" * 3000 + str(number))
        state(store, made, deploy(str(number), number, "x", title="t" * 2000))
        acknowledged.append((len(log), made))
        if number % 20 == 19 and store._writer is not None:
            store._writer.execute("pragma wal_checkpoint").fetchall()  # so that cuts fall into checkpoints too
    store.close()
    return acknowledged


def test_no_power_cut_loses_what_was_acknowledged(tmp_path: Path) -> None:
    with _recording("precedent-power") as log:
        acknowledged = _write_records(tmp_path / "store", "precedent-power", log)
        draw = random.Random(3)
        for number in range(CUTS):
            cut = draw.randrange(acknowledged[0][0], len(log))
            folder = tmp_path / f"cut{number}"
            folder.mkdir()
            for name, data in _remains(log, cut, draw).items():
                if not name.endswith("-shm"):
                    (folder / name).write_bytes(data)
            expected = [made.id for place, made in acknowledged if place <= cut]
            store = SqliteStore(folder, vfs="unix")
            assert [one.id for one in store.records(limit=RECORDS)][: len(expected)] == expected
            assert {f"r{one.item.id}" for one in store.changes(view(RECORDS))} >= set(expected)
            assert store._writer is not None
            assert store._writer.pragma("integrity_check") == "ok"
            store.close()


def test_files_rebuilt_from_the_whole_log_are_the_store(tmp_path: Path) -> None:
    with _recording("precedent-whole") as log:
        _write_records(tmp_path / "store", "precedent-whole", log)
        files = _remains([*log, Write("sync", FILE_NAME)], len(log) + 1, random.Random(1))
    assert bytes(files[FILE_NAME]) == (tmp_path / "store" / FILE_NAME).read_bytes()


@pytest.mark.parametrize("spoil", ["truncated", "overwritten", "stray log"])
def test_a_spoilt_file_is_an_error_and_a_stray_log_is_none(tmp_path: Path, spoil: str) -> None:
    folder = tmp_path / "store"
    store = open_store(f"sqlite:///{folder}")
    state(store, record("r"), *(deploy(str(number), 1, "x", title="t" * 300) for number in range(50)))
    whole = store.changes(view(9))
    store.close()
    path = folder / FILE_NAME
    if spoil == "truncated":
        path.write_bytes(path.read_bytes()[: 4096 * 5])
    elif spoil == "overwritten":
        path.write_bytes(b"no database at all, but long enough to look at" * 200)
    else:
        (folder / (FILE_NAME + "-wal")).write_bytes(b"\0" * 4096)
    if spoil == "stray log":
        opened = open_store(f"sqlite:///{folder}")
        assert opened.changes(view(9)) == whole
        opened.close()
        return
    with pytest.raises(StoreUnavailable, match=FILE_NAME):
        open_store(f"sqlite:///{folder}").changes(view(9))
