"""
Bytes kept beside the statements, and the records that they rest on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import apsw

from graph.errors import NotFound
from graph.sqlite.queries import json_text, select, select_one


def keep(
    connection: apsw.Connection, shelf: str, bodies: Iterable[tuple[str, bytes]], records: Collection[str]
) -> None:
    """
    Put bodies on the shelf, resting on all of the records. NotFound of a record that is not there.
    """
    wanted = json_text(sorted(set(records)))
    if records and (missing := select_one(connection, "records_missing", ids=wanted)):
        raise NotFound(missing[0], "There is no such record")
    for key, body in bodies:
        select(connection, "keep", shelf=shelf, key=key, body=body)
        select(connection, "keep_links_drop", shelf=shelf, key=key)
        if records:
            select(connection, "keep_links", shelf=shelf, key=key, ids=wanted)


def kept(connection: apsw.Connection, shelf: str, keys: Collection[str] | None) -> dict[str, bytes]:
    """
    What the shelf holds.
    """
    if keys is None:
        return dict(select(connection, "kept_all", shelf=shelf))
    return dict(select(connection, "kept_some", shelf=shelf, keys=json_text(sorted(keys))))
