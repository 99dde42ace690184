"""
Two entries of one reading that name the same thing and differ: the first counts, the second is told, never lost.

What a later reading says still replaces what an earlier one said; only within one reading nobody can know which of
the two is meant.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from graph.contract import Store
from graph.encoding import encode
from graph.values import Change, Incident, Item, Record, RecordState, Statement, View

MANY = 1_000_000
_FIRST = re.compile(r"\(the first is record (\S+)\)$")
_ENTRY = {"backstage": "entity"}
"""What an entry of a file is called, where it is no row."""


def place_of(record: Record) -> str:
    """
    Where a record came from, as a person finds it.
    """
    path = record.meta.get("path", record.source)
    if "row" not in record.meta:
        return record.part
    return f"{_ENTRY.get(record.connector, 'row')} {record.meta['row']} of {path}"


def first_of(reason: str) -> str:
    """
    The record that a refused one differs from; empty where the reason is another.
    """
    found = _FIRST.search(reason)
    return found[1] if found else ""


def live_parts(store: Store, source: str) -> dict[str, str]:
    """
    The parts of a snapshot source that count at present, each with its record.
    """
    applied = store.records(source=source, state=RecordState.APPLIED, limit=MANY)
    lapsed = store.lapsed([record.id for record in applied])
    return {record.part: record.id for record in applied if record.id not in lapsed}


def settle(store: Store, source: str, run: Collection[str]) -> int:
    """
    Release what was refused for an entry that this reading does not hold any more; how many.
    """
    refused = store.records(source=source, state=RecordState.QUARANTINED, limit=MANY)
    free = [one.id for one in refused if one.id in run and first_of(one.reason) and first_of(one.reason) not in run]
    return store.release(records=free) if free else 0


class Rivals:
    """
    What was stated first of everything that a reading names. `run` are the records of the reading; `live`, of a
    snapshot, the records of the parts that were known before it; `again`: some of the reading was known before.
    """

    def __init__(self, store: Store, run: Collection[str], live: dict[str, str] | None, *, again: bool) -> None:
        self._store = store
        self._run = frozenset(run)
        self._parts = None if live is None else {part: one for part, one in live.items() if one in self._run}
        self._things: dict[tuple[str, str], tuple[str, bytes]] = {}
        self._again = again

    def refuse(self, record: Record, items: Sequence[Item]) -> str:
        """
        Why a record may not count; empty for the first that names its things.
        """
        if record.id not in self._run:
            return ""
        for item in items:
            if isinstance(item, Change | Incident) and (first := self._first(record, item)) != record.id:
                return self._reason(record, first, f"{type(item).__name__.lower()} `{item.id}`")
        first = record.id if self._parts is None else self._parts.setdefault(record.part, record.id)
        return self._reason(record, first, f"`{record.part}`") if first != record.id else ""

    def _first(self, record: Record, item: Change | Incident) -> str:
        key, mark = (type(item).__name__, item.id), _mark(item)
        if self._again and key not in self._things:
            for one in self._stated(record, item):
                if one.source == record.source and one.item.id == item.id and one.record in self._run:
                    self._things[key] = (one.record, _mark(one.item))
        first, held = self._things.setdefault(key, (record.id, mark))
        return record.id if held == mark else first

    def _stated(self, record: Record, item: Change | Incident) -> Sequence[Statement[Change] | Statement[Incident]]:
        view = View.now(record.visibility)
        if isinstance(item, Change):
            return self._store.changes(view, ids=[item.id])
        return self._store.incidents(view, [item.id])

    def _reason(self, record: Record, first: str, what: str) -> str:
        found = self._store.records([first])
        other = place_of(found[0]) if found else "an earlier entry"
        return (
            f"{place_of(record)} and {other} both state {what} and differ; keep one of them, or give one another id "
            f"(the first is record {first})"
        )


def _mark(item: Change | Incident) -> bytes:
    """
    What is said of a thing, wherever it is said.
    """
    if "path" in item.attributes:
        item = replace(item, attributes={key: value for key, value in item.attributes.items() if key != "path"})
    return hashlib.sha256(encode(item)).digest()
