"""
Reads: places of statements by name and view, then the statements, from a bounded memory of those decoded before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import apsw

from graph.contract import Event
from graph.decoded import Decoded, Place, statement_of
from graph.encoding import micros
from graph.keys import BEGINNING, OPEN
from graph.sqlite.queries import Row, Value, json_text, labels_of, select
from graph.values import Item, ItemKind, Statement, View


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
    return statement_of(seq, kind, body, record, source, trust, known_from, known_to, labels_of(labels))


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
