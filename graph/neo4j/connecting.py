"""
The line to a server: one driver with short limits, transactions tried again for a short while, and a watch.

A read is one round trip: each of its questions is a transaction of its own. A write is one managed transaction.
The driver waits for an answer as long as the server tells it to, which may be minutes on a line that is cut without a
word. So the watch closes the driver under calls that nobody will answer, and the next call opens another.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from neo4j import Driver, GraphDatabase, NotificationMinimumSeverity, Query, Result, Session, unit_of_work
from neo4j.api import READ_ACCESS, WRITE_ACCESS
from neo4j.exceptions import DriverError

from graph.errors import StoreRefused, StoreUnavailable
from graph.neo4j.addresses import split
from graph.neo4j.failures import translated
from graph.neo4j.queries import cypher
from graph.neo4j.watching import SIGN, Watch

# What a query returns is the query's matter; Python cannot know it.
Row: TypeAlias = list[Any]
T = TypeVar("T")


class Transaction(Protocol):
    """
    What can be asked.
    """

    def run(self, query: str, parameters: dict[str, object], /) -> Result:
        """
        The result of a query.
        """
        ...


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
    """How long after its beginning a call that failed is tried again."""


DEFAULT_LIMITS = Limits()


class Line:
    """
    Thread-safe. Opening it touches no network. Raises StoreUnavailable, StoreRefused or InvalidValue; at once, where
    the server is known to be away.
    """

    def __init__(self, url: str, user: str = "", password: str = "", limits: Limits = DEFAULT_LIMITS) -> None:
        self.url, self._database = split(url)
        self._auth = (user, password) if user else None
        self._limits = limits
        self._bookmarks = GraphDatabase.bookmark_manager()
        self._lock = threading.Lock()
        self._driver: Driver | None = None
        self._ended = False
        # what fails is raised and told by us; the driver would print a line for each try
        logging.getLogger("neo4j").setLevel(logging.CRITICAL)
        self._watch = Watch(self._sign_of_life, self._drop)

    def read(self, work: Callable[[Transaction], T]) -> T:
        """
        The work's answer. It may run more than once.
        """
        seconds = self._limits.read
        return self._tried(
            READ_ACCESS, lambda session: work(_Reading(session, seconds)), seconds, self._limits.retry_read
        )

    def write(self, work: Callable[[Transaction], T]) -> T:
        """
        The work's answer, out of one committed transaction. It may run more than once, and even after a commit whose
        word got lost: it has to bear that.
        """
        seconds = self._limits.write
        managed = unit_of_work(timeout=seconds)(work)
        return self._tried(
            WRITE_ACCESS, lambda session: session.execute_write(managed), seconds, self._limits.retry_write
        )

    def command(self, text: str, seconds: float | None = None) -> list[Row]:
        """
        One schema command or question in a transaction of its own, given up after so many seconds (None: as a write).
        """
        limit = self._limits.write if seconds is None else seconds
        return self._called(WRITE_ACCESS, lambda session: _Reading(session, limit).run(text, {}).values(), limit)

    def close(self) -> None:
        """
        Close all connections. Whatever is asked later is refused.
        """
        self._ended = True
        self._watch.stop()
        self._drop()

    def _tried(self, access: str, work: Callable[[Session], T], seconds: float, retry: float) -> T:
        """
        Again and again where the fault may pass, for a short while and only while the server is not known to be away.
        """
        end = time.monotonic() + retry
        pause = 0.02
        while True:
            try:
                return self._called(access, work, seconds)
            except StoreUnavailable as error:
                if isinstance(error, StoreRefused) or self._refusal() or time.monotonic() + pause > end:
                    raise
            time.sleep(pause)
            pause *= 2

    def _called(self, access: str, work: Callable[[Session], T], seconds: float) -> T:
        refusal = self._refusal()
        if refusal is not None:
            raise refusal
        with (
            self._watch.over(seconds),
            translated(self.url),
            self._session(access) as session,
        ):
            return work(session)

    def _refusal(self) -> StoreUnavailable | None:
        if self._ended:
            return StoreUnavailable(self.url, "The store is closed")
        away = self._watch.away
        return type(away)(away.subject) if away else None

    @contextmanager
    def _session(self, access: str) -> Iterator[Session]:
        driver = self._open()
        try:
            with driver.session(
                database=self._database,
                default_access_mode=access,
                bookmark_manager=self._bookmarks,
                # we try again ourselves: the driver would wait a second first, does not know that the server is away,
                # and gives up where the word of a commit got lost
                max_transaction_retry_time=0,
                fetch_size=-1,
            ) as session:
                yield session
        except DriverError as error:
            if driver is self._driver:
                raise
            # closed by the watch meanwhile; what the driver makes of that is its own matter
            raise StoreUnavailable(f"{self.url} (no answer)") from error

    def _open(self) -> Driver:
        with self._lock:
            if self._driver is None:
                self._driver = self._made(self._limits.acquire)
            return self._driver

    def _made(self, acquire: float) -> Driver:
        return GraphDatabase.driver(
            self.url,
            auth=self._auth,
            user_agent="precedent",
            telemetry_disabled=True,
            max_connection_pool_size=self._limits.pool,
            connection_timeout=self._limits.connect,
            connection_acquisition_timeout=acquire,
            liveness_check_timeout=self._limits.liveness,
            keep_alive=True,
            notifications_min_severity=NotificationMinimumSeverity.OFF,
        )

    def _sign_of_life(self) -> None:
        """
        On a connection of its own, since those in use may be what is broken.
        """
        with translated(self.url), self._made(SIGN) as driver:
            driver.verify_connectivity()

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


class _Reading:
    """
    A session whose every question is a transaction of its own.
    """

    def __init__(self, session: Session, seconds: float) -> None:
        self._session, self._seconds = session, seconds

    def run(self, query: str, parameters: dict[str, object], /) -> Result:
        return self._session.run(Query(query, timeout=self._seconds), parameters)


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
