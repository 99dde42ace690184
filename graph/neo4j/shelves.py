"""
Bytes kept beside the statements, and the records that they rest on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from graph.errors import NotFound
from graph.neo4j.connecting import Transaction, rows


def keep(transaction: Transaction, shelf: str, bodies: Iterable[tuple[str, bytes]], records: Collection[str]) -> None:
    """
    Put bodies on the shelf, resting on all of the records. NotFound of a record that is not there.
    """
    wanted = sorted(set(records))
    if wanted and (missing := rows(transaction, "records_missing", ids=wanted)):
        raise NotFound(missing[0][0], "There is no such record")
    rows(transaction, "keep", shelf=shelf, rows=[{"key": key, "body": body} for key, body in bodies], records=wanted)


def kept(transaction: Transaction, shelf: str, keys: Collection[str] | None) -> dict[str, bytes]:
    """
    What the shelf holds.
    """
    if keys is None:
        return {key: bytes(body) for key, body in rows(transaction, "kept_all", shelf=shelf)}
    found = rows(transaction, "kept_some", shelf=shelf, keys=sorted(keys))
    return {key: bytes(body) for key, body in found}
