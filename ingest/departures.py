"""
Things that a source deleted, or calls something else now: what its older events stated of them is retracted.

The event that says so stands for its part like any other, so an older one that comes later states nothing.
"""

from __future__ import annotations

from graph.contract import Store
from graph.values import Change, Incident, Record, Statement, View
from ingest.connectors import connector


def departed(store: Store, record: Record) -> str:
    """
    The record by which what this one tells of is no more; empty where it is.
    """
    if connector(record.connector).gone is None:
        return ""
    standing = store.standing(record.source, [record.part])
    if not standing or standing[0].record == record.id:
        return ""
    return next((one.id for one in store.records([standing[0].record]) if gone(one)), "")


def gone(record: Record) -> tuple[str, ...]:
    """
    The ids of what is no more by this record.
    """
    tell = connector(record.connector).gone
    return tell(record) if tell else ()


def withdraw(store: Store, record: Record) -> int:
    """
    Retract what events of the record's source stated of things that are no more by it; how many records.
    """
    ids = gone(record)
    view = View(as_of=record.known_at, known_at=View.now().known_at, visibility=record.visibility)
    count = 0
    # where one is taken back, the one before it stands again
    while ids and (said := _said(store, view, record.source, ids)):
        for one in said:
            store.retract(one, record.known_at, f"gone at its source, by record {record.id}")
            count += 1
        view = View(as_of=view.as_of, known_at=View.now().known_at, visibility=view.visibility)
    return count


def _said(store: Store, view: View, source: str, ids: tuple[str, ...]) -> list[str]:
    found: list[Statement[Incident | Change]] = [*store.incidents(view, ids), *store.changes(view, ids=ids)]
    return sorted({one.record for one in found if one.source == source and one.item.id in ids})
