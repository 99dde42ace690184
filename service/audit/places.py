"""
Where lines of the audit are kept. A data directory has one file and one chain, which every process on it appends to
under a lock. A server's store has a chain for each process that writes, so that replicas need not wait for one another.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import orjson

from graph.contract import Store
from graph.errors import StoreUnavailable
from service.audit.chain import Act, Link, linked

FILE = "audit.jsonl"
SHELF = "audit"
_TAIL = 1 << 16


class AuditUnavailable(StoreUnavailable):
    """What must be recorded cannot be: the audit cannot be written."""


class Place(Protocol):
    """
    A place of lines.
    """

    def append(self, acts: Sequence[Act]) -> None:
        """
        Durable when it returns, in one commit. Raises StoreUnavailable.
        """
        ...

    def chains(self) -> Iterable[tuple[str, Iterator[bytes]]]:
        """
        Every chain by its name, with its lines in order.
        """
        ...

    def close(self) -> None:
        """
        Let go.
        """
        ...


class FilePlace:
    """
    A file beside the embedded store. What a crash left half written was acknowledged to nobody; it is cut off, and an
    entry says so.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._link: Link | None = None
        self._size = -1

    def append(self, acts: Sequence[Act]) -> None:
        """
        One write and one flush to disk, under the file's lock.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise AuditUnavailable(f"{self._path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._write(descriptor, acts)
        except OSError as error:
            self._size = -1
            raise AuditUnavailable(f"{self._path}: {error.strerror}") from error
        finally:
            os.close(descriptor)

    def _write(self, descriptor: int, acts: Sequence[Act]) -> None:
        size = os.fstat(descriptor).st_size
        link, torn = (self._link, 0) if self._link and size == self._size else _end(descriptor, size)
        rows = list(acts)
        if torn:
            os.ftruncate(descriptor, size - torn)
            said = {"cut": torn, "says": "the last entry was half written"}
            rows.insert(0, Act(who="precedent", act="repair", at=datetime.now(UTC), what=said))
        lines = []
        for one in rows:
            link, line = linked(link, one)
            lines.append(line + b"\n")
        body = b"".join(lines)
        written = os.write(descriptor, body)
        while written < len(body):
            written += os.write(descriptor, body[written:])
        os.fsync(descriptor)
        if size == 0:
            _flush_folder(self._path.parent)
        self._link, self._size = link, size - torn + len(body)

    def chains(self) -> Iterable[tuple[str, Iterator[bytes]]]:
        """
        The one chain; none where nothing was recorded yet.
        """
        try:
            with self._path.open("rb") as stream:
                first = stream.readline()
        except FileNotFoundError:
            return
        except OSError as error:
            raise AuditUnavailable(f"{self._path}: {error.strerror}") from error
        yield _name(first), self._lines()

    def _lines(self) -> Iterator[bytes]:
        with self._path.open("rb") as stream:
            for line in stream:
                yield line.removesuffix(b"\n") if line.endswith(b"\n") else line + b" (not whole)"

    def close(self) -> None:
        """
        Nothing is held between two commits.
        """


def _name(line: bytes) -> str:
    """
    The chain that a line names; a line that is none has none.
    """
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return ""
    return str(found.get("chain", "")) if isinstance(found, dict) else ""


def _end(descriptor: int, size: int) -> tuple[Link, int]:
    """
    The end of the file's chain, and how many bytes behind it were left half written. A new file begins a chain.
    """
    whole, torn = size, 0
    tail = b""
    while whole > 0:
        first = max(0, whole - _TAIL)
        tail = os.pread(descriptor, whole - first, first) + tail
        whole = first
        if tail.count(b"\n") > 1:
            break
    torn = len(tail) - (tail.rfind(b"\n") + 1)
    rows = tail[: len(tail) - torn].splitlines()
    if not rows:
        return Link(secrets.token_hex(8)), torn
    try:
        last = orjson.loads(rows[-1])
        return Link(str(last["chain"]), int(last["seq"]), str(last["hash"])), torn
    except (ValueError, TypeError, KeyError) as error:
        raise AuditUnavailable("its last line is damaged; `precedent audit verify` says where") from error


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class StorePlace:
    """
    A shelf of the store, with a chain of this process's own. `opened` gives the store, once something is recorded.
    """

    def __init__(self, opened: Callable[[], Store], *, own: bool) -> None:
        self._opened = opened
        self._own = own
        self._store: Store | None = None
        self._link = Link(secrets.token_hex(8))

    @property
    def store(self) -> Store:
        """
        The store, opened by now.
        """
        if self._store is None:
            self._store = self._opened()
        return self._store

    def append(self, acts: Sequence[Act]) -> None:
        """
        One transaction.
        """
        link, rows = self._link, []
        for one in acts:
            link, line = linked(link, one)
            rows.append((f"{link.chain}.{link.seq:012}", line))
        self.store.keep(SHELF, rows)
        self._link = link

    def chains(self) -> Iterable[tuple[str, Iterator[bytes]]]:
        """
        Every process's chain.
        """
        kept = self.store.kept(SHELF)
        by_chain: dict[str, list[str]] = {}
        for key in sorted(kept):
            by_chain.setdefault(key.partition(".")[0], []).append(key)
        for chain, keys in sorted(by_chain.items()):
            yield chain, (kept[key] for key in keys)

    def close(self) -> None:
        """
        Close the store where it was opened for this alone.
        """
        if self._own and self._store is not None:
            self._store.close()
