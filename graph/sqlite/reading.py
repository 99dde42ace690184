"""
Reads: places of statements by name and view, then the statements, from a bounded memory of those decoded before.

A statement never changes but for the end of its known time, which every query gives, so what was decoded stays true.
What many statements have in common (their record's id, source, labels, known time) is one object for all of them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from sys import intern
from typing import TypeAlias

import apsw
import orjson

from graph.contract import Event
from graph.encoding import decode, micros, moment
from graph.sqlite.journal import json_text
from graph.sqlite.keys import BEGINNING, OPEN
from graph.sqlite.queries import Row, Value, select
from graph.values import Item, ItemKind, Labels, Span, Statement, Trust, View

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


def load(connection: apsw.Connection, places: Sequence[Place], decoded: Decoded) -> tuple[Statement[Item], ...]:
    """
    The statements of these places, in their order; those erased meanwhile are left out.
    """
    found = decoded.get(places)
    missing = {seq: known_to for seq, known_to in places if seq not in found}
    if missing:
        rows = select(connection, "statements_by_seq", seqs=json_text(list(missing)))
        for row in rows:
            statement = _statement(row, missing[row[0]])
            decoded.put(statement, missing[row[0]], len(row[2]))
            found[row[0]] = statement
    return tuple(found[seq] for seq, _ in places if seq in found)


def _statement(row: Row, known_to: int) -> Statement[Item]:
    seq, kind, body, record, source, trust, known_from, _, labels = row
    return Statement(
        seq=seq,
        item=decode(ItemKind(kind), body),
        # the interpreter forgets an interned text with its last user, so what is erased does not stay
        record=intern(record),
        source=intern(source),
        trust=Trust(trust),
        known=_known(known_from, known_to),
        visibility=_labels(labels),
    )


@lru_cache(maxsize=_COMMON)
def _known(start: int, end: int) -> Span:
    return Span(moment(start), None if end == OPEN else moment(end))


@lru_cache(maxsize=_COMMON)
def _labels(body: str) -> Labels:
    return frozenset(orjson.loads(body))


def _ending(statement: Statement[Item], known_to: int) -> Statement[Item]:
    end = None if known_to == OPEN else moment(known_to)
    return replace(statement, known=Span(statement.known.start, end))


def eyes(view: View) -> dict[str, Value]:
    """
    A view as the values that queries take.
    """
    return {
        "known_at": micros(view.known_at),
        "labels": json_text(sorted(view.visibility)),
        "hidden": json_text(sorted(view.hidden)),
    }


def named(
    connection: apsw.Connection, view: View, fields: Sequence[str], texts: Collection[str], *, valid: bool = False
) -> list[Place]:
    """
    Places of the statements that any of the fields names so, in commit order; `valid` keeps what holds as of the view.
    """
    values = eyes(view) | {"any_time": not valid, "as_of": micros(view.as_of)}
    values |= {"fields": json_text(list(fields)), "texts": json_text(sorted(set(texts)))}
    return _places(select(connection, "named", **values))


def newest(
    connection: apsw.Connection,
    view: View,
    field: str,
    texts: Collection[str],
    start: datetime | None,
    end: datetime | None,
    limit: int,
) -> list[Place]:
    """
    Places of the statements that the field names so with `start <= at < end`, newest first.
    """
    values = eyes(view) | {
        "start": BEGINNING if start is None else micros(start),
        "end": OPEN if end is None else micros(end),
        "limit": limit,
    }
    if len(texts) == 1:
        values |= {"field": field, "text": next(iter(texts))}
        return _places(select(connection, "newest", **values))
    values |= {"fields": json_text([field]), "texts": json_text(sorted(set(texts)))}
    return _places(select(connection, "named_newest", **values))


def by_seq(connection: apsw.Connection, seqs: Collection[int]) -> list[Place]:
    """
    The places of those seqs that are there.
    """
    return _places(select(connection, "statements_end", seqs=json_text(sorted(set(seqs)))))


def feed(
    connection: apsw.Connection, watermark: int, limit: int, kinds: Collection[ItemKind], decoded: Decoded
) -> tuple[Event, ...]:
    """
    Lines of the feed with their statements as they are now.
    """
    if kinds:
        wanted = json_text(sorted(kind.value for kind in kinds))
        rows = select(connection, "feed_of_kinds_after", watermark=watermark, limit=limit, kinds=wanted)
    else:
        rows = select(connection, "feed_after", watermark=watermark, limit=limit)
    places = {seq: known_to for _, _, seq, known_to in rows if known_to is not None}
    found = {one.seq: one for one in load(connection, list(places.items()), decoded)}
    return tuple(
        Event(seq=seq, op=op, statement_seq=statement, statement=found.get(statement)) for seq, op, statement, _ in rows
    )


def _places(rows: list[Row]) -> list[Place]:
    return [(seq, known_to) for seq, known_to in rows]
