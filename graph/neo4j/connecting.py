"""
The line to a server: one driver with short limits, managed transactions, and a way out of a line that says nothing.

The driver waits for an answer as long as the server tells it to, which may be minutes on a line that is cut without a
word. So a watch closes the driver under a call that is overdue, and the next call opens another. After a failure
nothing is tried for a short pause: callers learn at once that the store is away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit, urlunsplit

from neo4j import Driver, GraphDatabase, ManagedTransaction, NotificationMinimumSeverity, Query, unit_of_work
from neo4j.api import READ_ACCESS, WRITE_ACCESS

from graph.errors import InvalidValue, StoreUnavailable
from graph.neo4j.failures import translated
from graph.neo4j.queries import cypher

Transaction: TypeAlias = ManagedTransaction
# What a query returns is the query's matter; Python cannot know it.
Row: TypeAlias = list[Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    In seconds, but for `pool`, the most connections that are open at a time.
    """

    pool: int = 32
    connect: float = 1.0
    acquire: float = 2.0
    liveness: float = 30.0
    read: float = 5.0
    """A question that takes longer is given up."""
    write: float = 30.0
    retry_read: float = 0.5
    retry_write: float = 5.0
    """How long transient faults are tried again."""
    pause: float = 1.0
    """How long nothing is tried after a failure."""


DEFAULT_LIMITS = Limits()


SCHEMES = tuple(f"{kind}{safe}://" for kind in ("neo4j", "bolt") for safe in ("", "+s", "+ssc"))


def split(url: str) -> tuple[str, str | None]:
    """
    A server's URL without the database that its path may name, and that database. InvalidValue of another URL.
    """
    parts = urlsplit(url)
    if not url.startswith(SCHEMES) or not parts.hostname:
        raise InvalidValue(url, f"A server's URL begins with one of {', '.join(SCHEMES)} and a host")
    if "@" in parts.netloc:
        hidden = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        raise InvalidValue(hidden, "User and password are settings of their own, since URLs get logged")
    return urlunsplit(parts._replace(path="")), parts.path.strip("/") or None


class Line:
    """
    Thread-safe. Opening it touches no network. Raises StoreUnavailable, StoreRefused or InvalidValue.
    """

    def __init__(self, url: str, user: str = "", password: str = "", limits: Limits = DEFAULT_LIMITS) -> None:
        self.url, self._database = split(url)
        self._auth = (user, password) if user else None
        self._limits = limits
        self._bookmarks = GraphDatabase.bookmark_manager()
        self._lock = threading.Lock()
        self._driver: Driver | None = None
        self._away_until = 0.0
        self._ended = False
        self._watch = _Watch(self._drop)

    def read(self, work: Callable[[Transaction], T]) -> T:
        """
        The work's answer, out of one read transaction. It may run more than once.
        """
        return self._run(READ_ACCESS, work, self._limits.read, self._limits.retry_read)

    def write(self, work: Callable[[Transaction], T]) -> T:
        """
        The work's answer, out of one committed transaction. It may run more than once, and even after a commit whose
        word got lost: it has to bear that.
        """
        return self._run(WRITE_ACCESS, work, self._limits.write, self._limits.retry_write)

    def command(self, text: str, seconds: float | None = None) -> list[Row]:
        """
        One schema command or question in a transaction of its own, given up after so many seconds (None: as a write).
        """
        limit = self._limits.write if seconds is None else seconds
        with (
            self._call(limit) as driver,
            driver.session(database=self._database, bookmark_manager=self._bookmarks) as session,
        ):
            return session.run(Query(text, timeout=limit)).values()

    def close(self) -> None:
        """
        Close all connections. Whatever is asked later is refused.
        """
        self._ended = True
        self._watch.stop()
        self._drop()

    def _run(self, access: str, work: Callable[[Transaction], T], seconds: float, retry: float) -> T:
        bounded = unit_of_work(timeout=seconds)(work)
        with (
            self._call(seconds + retry) as driver,
            driver.session(
                database=self._database,
                default_access_mode=access,
                bookmark_manager=self._bookmarks,
                max_transaction_retry_time=retry,
            ) as session,
        ):
            return session.execute_read(bounded) if access == READ_ACCESS else session.execute_write(bounded)

    @contextmanager
    def _call(self, seconds: float) -> Iterator[Driver]:
        if self._ended:
            raise StoreUnavailable(self.url, "The store is closed")
        if time.monotonic() < self._away_until:
            raise StoreUnavailable(self.url, "The store could not be reached a moment ago")
        try:
            with translated(self.url), self._watch.over(seconds):
                yield self._open()
        except StoreUnavailable:
            self._away_until = time.monotonic() + self._limits.pause
            raise

    def _open(self) -> Driver:
        with self._lock:
            if self._driver is None:
                self._driver = GraphDatabase.driver(
                    self.url,
                    auth=self._auth,
                    user_agent="precedent",
                    telemetry_disabled=True,
                    max_connection_pool_size=self._limits.pool,
                    connection_timeout=self._limits.connect,
                    connection_acquisition_timeout=self._limits.acquire,
                    liveness_check_timeout=self._limits.liveness,
                    keep_alive=True,
                    notifications_min_severity=NotificationMinimumSeverity.OFF,
                )
            return self._driver

    def _drop(self) -> None:
        """
        Close the driver under whoever waits on it.
        """
        with self._lock:
            driver, self._driver = self._driver, None
        if driver is not None:
            # it is closed because the line is broken: what that still says is no news
            with suppress(Exception):
                driver.close()


_TURN = 0.25
"""Seconds between two looks of the watch."""
_IDLE_TURNS = 40


class _Watch:
    """
    Ends what is overdue. Its thread lives while calls are made, and a little longer.
    """

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end
        self._changed = threading.Condition()
        self._deadlines: dict[int, float] = {}
        self._next = 0
        self._running = False
        self._stopped = False

    @contextmanager
    def over(self, seconds: float) -> Iterator[None]:
        """
        Within the block, after so many seconds, `end` is called.
        """
        with self._changed:
            self._next += 1
            ticket = self._next
            self._deadlines[ticket] = time.monotonic() + seconds
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="precedent-watch", daemon=True).start()
        try:
            yield
        finally:
            with self._changed:
                self._deadlines.pop(ticket, None)

    def stop(self) -> None:
        """
        Watch nothing any more.
        """
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _run(self) -> None:
        idle = 0
        while True:
            with self._changed:
                now = time.monotonic()
                overdue = [ticket for ticket, end in self._deadlines.items() if end <= now]
                for ticket in overdue:
                    del self._deadlines[ticket]
                idle = 0 if overdue or self._deadlines else idle + 1
                if self._stopped or idle > _IDLE_TURNS:
                    self._running = False
                    return
                if not overdue:
                    self._changed.wait(_TURN)
            if overdue:
                self._end()


def rows(transaction: Transaction, name: str, /, **values: object) -> list[Row]:
    """
    All rows of a named query.
    """
    return transaction.run(cypher(name), values).values()


def one(transaction: Transaction, name: str, /, **values: object) -> Row:
    """
    The row of a named query that always gives one.
    """
    return rows(transaction, name, **values)[0]
