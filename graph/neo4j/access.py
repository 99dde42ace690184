"""
The way to a server whose schema is of this version: brought up by the first call that reaches it, not by opening.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from graph.errors import StoreUnavailable
from graph.neo4j import schema
from graph.neo4j.connecting import Line, Row, Transaction

T = TypeVar("T")


class Access:
    """
    Thread-safe. Without `writes`, all that would change something is refused with StoreUnavailable.
    """

    def __init__(self, line: Line, *, writes: bool) -> None:
        self._line = line
        self._writes = writes
        self._ready = False
        self._turn = threading.Lock()

    def read(self, work: Callable[[Transaction], T]) -> T:
        """
        `Line.read`.
        """
        self._require_schema()
        return self._line.read(work)

    def write(self, work: Callable[[Transaction], T]) -> T:
        """
        `Line.write`.
        """
        self._require_writes()
        self._require_schema()
        return self._line.write(work)

    def command(self, text: str, seconds: float | None = None) -> list[Row]:
        """
        `Line.command`.
        """
        self._require_writes()
        self._require_schema()
        return self._line.command(text, seconds)

    def _require_writes(self) -> None:
        if not self._writes:
            raise StoreUnavailable(self._line.url, "The store was opened to read only")

    def _require_schema(self) -> None:
        if self._ready:
            return
        with self._turn:
            if not self._ready:
                schema.require(self._line, write=self._writes)
                self._ready = True
