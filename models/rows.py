"""
The rows of an index with what a search filters by: kind, facet, times, visibility, record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import orjson
from numpy.typing import NDArray

from graph.searching import Hit, Row, Scope
from graph.values import ItemKind, Labels

Mask = NDArray[np.bool_]
SETTLED = 64
"""Kinds of readers and questions for which is kept what they see at present."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST, _GREATEST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


def micros(moment: datetime) -> int:
    """
    Microseconds since 1970.
    """
    delta = moment - _EPOCH
    return (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds


@dataclass(frozen=True, slots=True)
class Entry:
    """
    What a hit needs to know of a row.
    """

    statement: int
    document: str
    kind: ItemKind
    facet: str
    record: str


class Rows:
    """
    Columns that grow; a row keeps its number for good. Removed rows are dead and never found.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.by_statement: dict[int, list[int]] = defaultdict(list)
        self._columns = {name: np.zeros(64, dtype=np.int64) for name in ("from", "to", "at", "kind", "facet", "labels")}
        self._alive = np.zeros(64, dtype=np.bool_)
        self._kinds: dict[str, int] = {}
        self._facets: dict[str, int] = {}
        self._labels: dict[Labels, int] = {}
        self._records: dict[str, list[int]] = defaultdict(list)
        self._latest = _LEAST
        self._settled: dict[tuple[object, ...], Mask] = {}

    def __len__(self) -> int:
        return len(self.entries)

    def add(self, rows: Sequence[Row]) -> list[int]:
        """
        Append rows; their numbers.
        """
        first = len(self.entries)
        self._grow(first + len(rows))
        self._settled.clear()
        for number, row in enumerate(rows, first):
            self.entries.append(Entry(row.statement, row.document, row.kind, row.facet, row.record))
            self.by_statement[row.statement].append(number)
            self._records[row.record].append(number)
            values = self._columns
            values["from"][number] = _LEAST if row.known_from is None else micros(row.known_from)
            values["to"][number] = _GREATEST if row.known_to is None else micros(row.known_to)
            # what has no moment is never too late
            values["at"][number] = _LEAST if row.at is None else micros(row.at)
            values["kind"][number] = self._kinds.setdefault(row.kind.value, len(self._kinds))
            values["facet"][number] = self._facets.setdefault(row.facet, len(self._facets))
            values["labels"][number] = self._labels.setdefault(row.visibility, len(self._labels))
            self._alive[number] = True
        self._note_latest(first)
        return list(range(first, len(self.entries)))

    def _grow(self, size: int) -> None:
        room = len(self._alive)
        if size > room:
            more = max(size, room * 2)
            self._columns = {
                name: np.concatenate([old, np.zeros(more - room, np.int64)]) for name, old in self._columns.items()
            }
            self._alive = np.concatenate([self._alive, np.zeros(more - room, np.bool_)])

    def _note_latest(self, first: int = 0) -> None:
        """
        After the latest moment at which a row begins or ends to be known every reader of a kind sees the same rows.
        """
        for name in ("from", "to"):
            moments = self._columns[name][first : len(self.entries)]
            self._latest = max(self._latest, int(moments[moments != _GREATEST].max(initial=_LEAST)))

    def close(self, statement: int, known_to: datetime) -> None:
        """
        The statement's rows are known no longer from then on.
        """
        self._columns["to"][self.by_statement.get(statement, [])] = micros(known_to)
        self._latest = max(self._latest, micros(known_to))
        self._settled.clear()

    def remove(self, statement: int) -> list[int]:
        """
        Kill a statement's rows; their numbers.
        """
        numbers = self.by_statement.pop(statement, [])
        self._alive[numbers] = False
        self._settled.clear()
        return numbers

    def state(self) -> bytes:
        """
        The living rows, for `restored`.
        """
        labels = {number: sorted(found) for found, number in self._labels.items()}
        columns = self._columns
        rows = [
            (
                one.statement, one.document, one.kind.value, one.facet, one.record,
                labels[int(columns["labels"][number])],
                int(columns["from"][number]), int(columns["to"][number]), int(columns["at"][number]),
            )
            for number, one in enumerate(self.entries)
            if self._alive[number]
        ]  # fmt: skip
        return orjson.dumps(rows)

    @classmethod
    def restored(cls, state: bytes) -> Rows:
        """
        Rows as they were saved, numbered anew from 0.
        """
        found = cls()
        rows = orjson.loads(state)
        found._grow(len(rows))
        kinds = {kind.value: kind for kind in ItemKind}
        columns = found._columns
        for number, (statement, document, kind, facet, record, labels, known_from, known_to, at) in enumerate(rows):
            found.entries.append(Entry(statement, document, kinds[kind], facet, record))
            found.by_statement[statement].append(number)
            found._records[record].append(number)
            columns["from"][number], columns["to"][number], columns["at"][number] = known_from, known_to, at
            columns["kind"][number] = found._kinds.setdefault(kind, len(found._kinds))
            columns["facet"][number] = found._facets.setdefault(facet, len(found._facets))
            columns["labels"][number] = found._labels.setdefault(frozenset(labels), len(found._labels))
        found._alive[: len(rows)] = True
        found._note_latest()
        return found

    def hit(self, number: int, score: float) -> Hit:
        """
        A row as a search finds it.
        """
        entry = self.entries[number]
        return Hit(entry.statement, entry.document, entry.kind, entry.facet, score)

    def labels_of(self, number: int) -> Labels:
        """
        A row's visibility labels.
        """
        return self._named_labels[int(self._columns["labels"][number])]

    def labelled(self, labels: Labels) -> Mask:
        """
        The rows with exactly these labels.
        """
        found: Mask = self._columns["labels"][: len(self.entries)] == self._labels.get(labels, -1)
        return found

    @property
    def _named_labels(self) -> list[Labels]:
        return list(self._labels)

    def mask(self, scope: Scope) -> Mask:
        """
        Which rows a search may return.
        """
        known = micros(scope.view.known_at)
        mark = (frozenset(scope.kinds), frozenset(scope.facets), scope.view.visibility)
        settled = self._settled.get(mark) if known >= self._latest else None
        if settled is None:
            settled = self._seen(scope, known)
            if known >= self._latest and len(self._settled) < SETTLED:
                self._settled[mark] = settled
        mask = settled
        if scope.before is not None:
            mask = mask & (self._columns["at"][: len(self.entries)] < micros(scope.before))
        if scope.view.hidden:
            mask = mask.copy()
            for record in scope.view.hidden:
                mask[self._records.get(record, [])] = False
        return mask

    def _seen(self, scope: Scope, known: int) -> Mask:
        """
        Those of the kinds and facets that the labels show and that were known then.
        """
        size = len(self.entries)
        columns = {name: column[:size] for name, column in self._columns.items()}
        mask: Mask = self._alive[:size] & (columns["from"] <= known) & (columns["to"] > known)
        if scope.kinds:
            mask &= _among(columns["kind"], self._kinds, lambda name: name in {kind.value for kind in scope.kinds})
        if scope.facets:
            mask &= _among(
                columns["facet"], self._facets, lambda name: name in scope.facets or name.split(":")[0] in scope.facets
            )
        if len(self._labels) > 1 or frozenset() not in self._labels:
            seen = [number for labels, number in self._labels.items() if labels <= scope.view.visibility]
            mask &= np.isin(columns["labels"], seen)
        return mask

    @property
    def alive(self) -> Mask:
        """
        Rows that are not removed.
        """
        return self._alive[: len(self.entries)]


def _among(column: NDArray[np.int64], names: dict[str, int], wanted: Callable[[str], bool]) -> Mask:
    numbers = [number for name, number in names.items() if wanted(name)]
    found: Mask = column == numbers[0] if len(numbers) == 1 else np.isin(column, numbers)
    return found
