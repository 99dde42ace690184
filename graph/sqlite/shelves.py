"""
Bytes kept beside the statements, and the records that they rest on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import apsw

from graph.errors import NotFound
from graph.sqlite.journal import json_text
from graph.sqlite.queries import select, select_one


def keep(
    connection: apsw.Connection, shelf: str, bodies: Iterable[tuple[str, bytes]], records: Collection[str]
) -> None:
    """
    Put bodies on the shelf, resting on all of the records. NotFound of a record that is not there.
    """
    places = [_place(connection, record) for record in sorted(set(records))]
    for key, body in bodies:
        select(connection, "keep", shelf=shelf, key=key, body=body)
        select(connection, "keep_links_drop", shelf=shelf, key=key)
        for place in places:
            select(connection, "keep_link", shelf=shelf, key=key, record=place)


def kept(connection: apsw.Connection, shelf: str, keys: Collection[str] | None) -> dict[str, bytes]:
    """
    What the shelf holds.
    """
    if keys is None:
        return dict(select(connection, "kept_all", shelf=shelf))
    return dict(select(connection, "kept_some", shelf=shelf, keys=json_text(sorted(keys))))


def _place(connection: apsw.Connection, record: str) -> int:
    row = select_one(connection, "record_head", id=record)
    if row is None:
        raise NotFound(record, "There is no such record in the store for a kept thing to rest on")
    return int(row[0])
