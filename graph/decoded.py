"""
A bounded memory of statements that were decoded before.

A statement never changes but for the end of its known time, which every query gives, so what was decoded stays true.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from sys import intern
from typing import TypeAlias

from graph.encoding import decode, moment
from graph.keys import OPEN
from graph.values import Item, ItemKind, Labels, Span, Statement, Trust

Place: TypeAlias = tuple[int, int]
"""A statement's seq and the end of its known time."""
_MEMORY_BYTES = 64 * 1024 * 1024
_OVERHEAD_BYTES = 600
_COMMON = 1000


class Decoded:
    """
    Statements by seq, the least used forgotten first; at most so many bytes of encoded items.
    """

    def __init__(self, capacity: int = _MEMORY_BYTES) -> None:
        self._capacity = capacity
        self._size = 0
        self._held: OrderedDict[int, tuple[Statement[Item], int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, places: Iterable[Place]) -> dict[int, Statement[Item]]:
        """
        Those remembered, with the ends given.
        """
        found: dict[int, Statement[Item]] = {}
        with self._lock:
            for seq, known_to in places:
                held = self._held.get(seq)
                if held is not None:
                    self._held.move_to_end(seq)
                    found[seq] = held[0] if held[1] == known_to else _ending(held[0], known_to)
        return found

    def put(self, statement: Statement[Item], known_to: int, size: int) -> None:
        """
        Remember one whose encoded item has `size` bytes.
        """
        size += _OVERHEAD_BYTES
        with self._lock:
            old = self._held.pop(statement.seq, None)
            self._size += size - (old[2] if old else 0)
            self._held[statement.seq] = (statement, known_to, size)
            while self._size > self._capacity and self._held:
                _, (_, _, freed) = self._held.popitem(last=False)
                self._size -= freed

    def forget(self) -> None:
        """
        Forget all: something was erased.
        """
        with self._lock:
            self._held.clear()
            self._size = 0


@lru_cache(maxsize=_COMMON)
def _known_span(start: int, end: int) -> Span:
    """
    A known time of two columns; one object for all that became known together.
    """
    return Span(moment(start), None if end == OPEN else moment(end))


def statement_of(
    seq: int,
    kind: str,
    body: str | bytes,
    record: str,
    source: str,
    trust: int,
    known_from: int,
    known_to: int,
    labels: Labels,
) -> Statement[Item]:
    """
    The statement of a backend's columns. What many have in common is one object for all of them.
    """
    return Statement(
        seq=seq,
        item=decode(ItemKind(kind), body),
        # the interpreter forgets an interned text with its last user, so what is erased does not stay
        record=intern(record),
        source=intern(source),
        trust=Trust(trust),
        known=_known_span(known_from, known_to),
        visibility=labels,
    )


def _ending(statement: Statement[Item], known_to: int) -> Statement[Item]:
    end = None if known_to == OPEN else moment(known_to)
    return replace(statement, known=Span(statement.known.start, end))
