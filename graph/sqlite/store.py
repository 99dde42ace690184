"""
The embedded store: the contract over one SQLite file, `precedent.db` in the data directory.

Writes are serialised on one connection and each is one commit, durable when the call returns. Reads run beside it on
read-only connections, one per thread at a time.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import apsw

from graph.appending import Appending
from graph.contract import Applied, Event, Excerpt, Receipt, Retraction, Standing, Tally, Yield
from graph.decoded import Decoded, Place
from graph.documents import best_of_each
from graph.encoding import micros
from graph.errors import NotFound, StoreNotWritable, StoreUnavailable, StoreUnfinished
from graph.moving import MIGRATION
from graph.recoveries import recovered
from graph.retracting import Retracting
from graph.sqlite import connecting, copying, journal, reading, shelves
from graph.sqlite.failures import translated
from graph.sqlite.hands import SqliteHands
from graph.sqlite.lock import WriterLock
from graph.sqlite.queries import select
from graph.stating import Stating
from graph.values import (
    UNPLACED,
    Alert,
    AlertRule,
    Change,
    EntityId,
    Fact,
    FactKind,
    Incident,
    Item,
    ItemKind,
    ItemT,
    Labels,
    Record,
    RecordState,
    Runbook,
    Statement,
    View,
)

_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


def require_file(path: Path) -> None:
    """
    NotFound where there is no store's file, StoreUnavailable where this user may not read it.
    """
    try:
        there = path.is_file()
    except PermissionError as error:
        raise StoreUnavailable(str(path.parent), "This user may not look into the data directory") from error
    if not there:
        advice = "`precedent ingest PATH --data DIR` makes one; or check the directory that was named"
        raise NotFound(str(path.parent), f"There is no store in this directory; {advice}")
    if not os.access(path, os.R_OK):
        raise StoreUnavailable(str(path), "This user may not read the store's file; give it the right to")


class SqliteStore:
    """
    A `graph.contract.Store`. Thread-safe; one writer process per directory, any number of read-only ones.
    """

    def __init__(self, directory: Path, *, read_only: bool = False, vfs: str | None = None) -> None:
        self._path = directory / copying.FILE_NAME
        self._lock: WriterLock | None = None
        self._writer: apsw.Connection | None = None
        self._turn = threading.RLock()
        self._decoded = Decoded()
        self._appending = Appending(self._append)
        self._vfs = vfs
        self._old_pages = False
        self._readers = connecting.Readers(self._path, vfs)
        with translated(str(self._path)):
            if read_only:
                self._require_file()
            else:
                self._open_writer(directory)
        try:
            self._require_whole()
        except BaseException:
            self.close()
            raise

    def _require_whole(self) -> None:
        if self.kept(MIGRATION):
            raise StoreUnfinished(str(self._path))

    def _require_file(self) -> None:
        require_file(self._path)
        connection = connecting.connect(self._path, write=False, vfs=self._vfs)
        try:
            newest = connecting.newest_schema()
            version = connecting.schema_version(connection, newest)
        finally:
            connection.close()
        if version < newest:
            raise StoreUnavailable(str(self._path), "The store is of an older version; let its writer open it once")

    def _open_writer(self, directory: Path) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            if not os.access(directory, os.W_OK):
                raise PermissionError(errno.EACCES, "not writable by this user")
            self._lock = WriterLock(directory)
        except OSError as error:
            kind = StoreNotWritable if error.errno in _FORBIDDEN else StoreUnavailable
            advice = "give this user the right to write there, or name another directory"
            raise kind(str(directory), f"The data directory cannot be used ({error.strerror}); {advice}") from error
        try:
            self._writer = connecting.connect(self._path, write=True, vfs=self._vfs)
            connecting.migrate(self._writer)
        except BaseException:
            self.close()
            raise
        self._hands = SqliteHands(self._writer)

    @contextmanager
    def _writing(self) -> Iterator[apsw.Connection]:
        with self._turn, translated(str(self._path)):
            if self._writer is None:
                raise StoreUnavailable(str(self._path), "The store is closed, or was opened to read only")
            self._writer.execute("begin immediate")
            try:
                yield self._writer
                self._hands.flush()
                self._writer.execute("commit")
                if self._old_pages:
                    self._clear_log()
            except BaseException:
                self._hands.forget_all()
                if not self._writer.get_autocommit():
                    self._writer.execute("rollback")
                raise

    @contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        with translated(str(self._path)), self._readers.lend() as connection:
            yield connection

    def append(self, records: Sequence[Record]) -> tuple[Receipt, ...]:
        return self._appending.append(records) if records else ()

    def _append(self, records: Sequence[Record]) -> set[int]:
        with self._writing() as connection:
            return journal.append(connection, self._hands, records)

    def claim(
        self, limit: int, *, source: str | None = None, lease: timedelta = timedelta(minutes=5)
    ) -> tuple[Record, ...]:
        with self._writing() as connection:
            return journal.claim(connection, self._hands, limit, source, lease)

    def quarantine(self, record: str, reason: str) -> None:
        with self._writing():
            journal.quarantine(self._hands, record, reason)

    def release(self, *, source: str | None = None, records: Collection[str] = ()) -> int:
        with self._writing() as connection:
            return journal.release(connection, self._hands.counts, source, records)

    def records(
        self,
        ids: Collection[str] = (),
        *,
        source: str | None = None,
        state: RecordState | None = None,
        visibility: Labels | None = None,
        limit: int = 1000,
    ) -> tuple[Record, ...]:
        with self._reading() as connection:
            return journal.find(connection, ids, source, state, visibility, limit)

    def excerpts(self, ids: Collection[str], *, visibility: Labels, length: int) -> tuple[Excerpt, ...]:
        with self._reading() as connection:
            return journal.excerpts(connection, ids, visibility, length)

    def lapsed(self, ids: Collection[str]) -> frozenset[str]:
        with self._reading() as connection:
            return journal.lapsed(connection, ids)

    def standing(self, source: str, parts: Collection[str]) -> tuple[Standing, ...]:
        with self._reading() as connection:
            return journal.standing(connection, source, parts)

    def labelled(self, source: str) -> frozenset[Labels]:
        with self._reading() as connection:
            return journal.labelled(connection, source)

    def restrict(self, records: Collection[str], labels: Labels) -> None:
        with self._writing() as connection:
            journal.restrict(connection, self._hands, records, labels)

    def tally(self) -> tuple[Tally, ...]:
        with self._reading() as connection:
            return journal.tally(connection)

    def apply(self, yields: Sequence[Yield]) -> Applied:
        with self._writing():
            return Stating(self._hands).apply(yields)

    def sweep(self, source: str, seen: Collection[str], at: datetime) -> Applied:
        with self._writing():
            return Stating(self._hands).sweep(source, seen, micros(at))

    def resting(self, record: str) -> Retraction:
        with self._writing():
            return Retracting(self._hands).resting(record)

    def retract(self, record: str, at: datetime, reason: str) -> Retraction:
        with self._writing():
            return Retracting(self._hands).retract(record, micros(at), reason)

    def erase(self, record: str) -> Retraction:
        with self._turn:
            with self._writing():
                retraction = Retracting(self._hands).erase(record)
            self._hands.forget_all()
            self._decoded.forget()
            with translated(str(self._path)):
                self._clear_log()
            if self._old_pages:
                raise StoreUnavailable(
                    str(self._path),
                    "Erased, but a long read keeps the old pages in the log until the next write after it",
                )
        return retraction

    def _clear_log(self) -> None:
        """
        Empty the write-ahead log, which still holds the old pages; a long read may put that off.
        """
        assert self._writer is not None  # noqa: S101 - only writers erase
        self._old_pages = bool(self._writer.execute("pragma wal_checkpoint(truncate)").fetchall()[0][0])

    def facts(
        self,
        view: View,
        *,
        kinds: Collection[FactKind] = (),
        subjects: Collection[EntityId] = (),
        objects: Collection[str] = (),
        valid: bool = True,
    ) -> tuple[Statement[Fact], ...]:
        among = tuple(dict.fromkeys(kinds)) or tuple(FactKind)
        if subjects:
            fields, texts = [f"fact.{kind.value}.subject" for kind in among], subjects
        elif objects:
            fields, texts = [f"fact.{kind.value}.object" for kind in among], objects
        else:
            fields, texts = ["fact"], [kind.value for kind in among]
        found = self._read(lambda connection: reading.named(connection, view, fields, texts, valid=valid), Fact)
        if subjects and objects:
            return tuple(one for one in found if one.item.object in objects)
        return found

    def changes(
        self,
        view: View,
        *,
        services: Collection[EntityId] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        ids: Collection[str] = (),
        limit: int = 1000,
    ) -> tuple[Statement[Change], ...]:
        if services is not None and not services:
            return ()
        field, texts = ("change.id", ids) if ids else ("kind", ("change",))
        if services is not None and not ids:
            field, texts = "change.service", services
        wanted = -1 if ids else limit
        found = self._read(
            lambda connection: reading.newest(connection, view, field, texts, start, end, wanted), Change
        )
        if ids and services is not None:
            found = tuple(one for one in found if not frozenset(services).isdisjoint(one.item.services or (UNPLACED,)))
        return found[:limit]

    def incidents(self, view: View, ids: Collection[str] | None = None) -> tuple[Statement[Incident], ...]:
        return best_of_each(self._documents(view, ids, Incident, "incident"))

    def runbooks(self, view: View, ids: Collection[str] | None = None) -> tuple[Statement[Runbook], ...]:
        return self._documents(view, ids, Runbook, "runbook")

    def alert_rules(self, view: View, names: Collection[str] | None = None) -> tuple[Statement[AlertRule], ...]:
        return self._documents(view, names, AlertRule, "alert_rule")

    def _documents(
        self, view: View, names: Collection[str] | None, _: type[ItemT], kind: str
    ) -> tuple[Statement[ItemT], ...]:
        fields, texts = (["kind"], (kind,)) if names is None else ([f"{kind}.name"], names)
        return self._read(lambda connection: reading.named(connection, view, fields, texts), _)

    def alerts(
        self, view: View, *, names: Collection[str] = (), start: datetime | None = None, limit: int = 1000
    ) -> tuple[Statement[Alert], ...]:
        field, texts = ("alert.name", names) if names else ("kind", ("alert",))
        return recovered(
            self._read(lambda connection: reading.newest(connection, view, field, texts, start, None, limit), Alert)
        )

    def statements(self, seqs: Collection[int], view: View | None = None) -> tuple[Statement[Item], ...]:
        with self._reading() as connection:
            found = reading.load(connection, reading.by_seq(connection, seqs), self._decoded)
        return tuple(one for one in found if view is None or view.sees(one))

    def _read(
        self, places: Callable[[apsw.Connection], Sequence[Place]], _: type[ItemT]
    ) -> tuple[Statement[ItemT], ...]:
        with self._reading() as connection:
            found = reading.load(connection, places(connection), self._decoded)
        # The names that were asked for are those of one kind of item.
        return cast("tuple[Statement[ItemT], ...]", found)

    def services_changed(self, view: View | None = None) -> frozenset[EntityId]:
        with self._reading() as connection:
            rows = (
                select(connection, "texts_of", field="change.service")
                if view is None
                else select(connection, "texts_seen", field="change.service", **reading.eyes(view))
            )
        return frozenset(row[0] for row in rows) - {UNPLACED}

    def changes_since(self, watermark: int, limit: int = 1000, kinds: Collection[ItemKind] = ()) -> tuple[Event, ...]:
        with self._reading() as connection:
            return reading.feed(connection, watermark, limit, kinds, self._decoded)

    def watermark(self) -> int:
        with self._reading() as connection:
            return int(select(connection, "feed_end")[0][0])

    def keep(self, shelf: str, bodies: Iterable[tuple[str, bytes]], records: Collection[str] = ()) -> None:
        with self._writing() as connection:
            shelves.keep(connection, shelf, bodies, records)

    def kept(self, shelf: str, keys: Collection[str] | None = None) -> dict[str, bytes]:
        with self._reading() as connection:
            return shelves.kept(connection, shelf, keys)

    def backup(self, target: Path) -> None:
        with self._reading() as connection:
            copying.copy(connection, target, self._vfs)

    def close(self) -> None:
        with self._turn, translated(str(self._path)):
            self._readers.close()
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            if self._lock is not None:
                self._lock.release()
