"""
The tallies of records, kept in the transaction that changes the records, so that nobody counts them by looking at each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from graph.contract import Tally
from graph.encoding import moment
from graph.values import Record, RecordState


@dataclass(slots=True)
class _Turnover:
    """
    By how much a source's records in each state became more, and the newest times among those that came.
    """

    connector: str = ""
    states: dict[RecordState, int] = field(default_factory=lambda: dict.fromkeys(RecordState, 0))
    last_received: int | None = None
    last_known: int | None = None
    last_applied: int | None = None

    def row(self, source: str) -> dict[str, object]:
        """
        As queries take it.
        """
        return {
            "source": source,
            "connector": self.connector,
            **{state.value: more for state, more in self.states.items()},
            "last_received": self.last_received,
            "last_known": self.last_known,
            "last_applied": self.last_applied,
        }


@dataclass(frozen=True, slots=True)
class Shrunk:
    """
    A source lost a record of these times, which may have been its newest: of those applied, or (`gone`) of all.
    """

    source: str
    received_at: int
    known_at: int
    gone: bool


@dataclass(slots=True)
class Counts:
    """
    What a transaction does to the tallies, until it writes that beside the records.
    """

    _turnovers: dict[str, _Turnover] = field(default_factory=dict)
    _shrunk: list[Shrunk] = field(default_factory=list)

    def came(self, record: Record, received_at: int, known_at: int) -> None:
        """
        A record that was not there.
        """
        found = self._of(record.source)
        found.connector = max(found.connector, record.connector)
        found.states[record.state] += 1
        found.last_received = _latest(found.last_received, received_at)
        found.last_known = _latest(found.last_known, known_at)
        if record.state is RecordState.APPLIED:
            found.last_applied = _latest(found.last_applied, received_at)

    def moved(self, source: str, before: RecordState, after: RecordState, received_at: int, by: int = 1) -> None:
        """
        Records went from one state into another.
        """
        if before is after:
            return
        found = self._of(source)
        found.states[before] -= by
        found.states[after] += by
        if after is RecordState.APPLIED:
            found.last_applied = _latest(found.last_applied, received_at)
        elif before is RecordState.APPLIED:
            self._shrunk.append(Shrunk(source, received_at, received_at, gone=False))

    def went(self, source: str, state: RecordState, received_at: int, known_at: int) -> None:
        """
        A record is gone.
        """
        self._of(source).states[state] -= 1
        self._shrunk.append(Shrunk(source, received_at, known_at, gone=True))

    def take(self) -> tuple[list[dict[str, object]], Sequence[Shrunk]]:
        """
        All that happened, by source, and what sources lost; nothing is left.
        """
        rows = [self._turnovers[source].row(source) for source in sorted(self._turnovers)]
        shrunk = self._shrunk
        self.clear()
        return rows, shrunk

    def clear(self) -> None:
        """
        It did not happen.
        """
        self._turnovers, self._shrunk = {}, []

    def _of(self, source: str) -> _Turnover:
        found = self._turnovers.get(source)
        if found is None:
            found = self._turnovers[source] = _Turnover()
        return found


def tally_of(source: str, connector: str, *numbers: int | None) -> Tally:
    """
    A tally of its columns: the counts in the order of the states, and its three times.
    """
    states = zip(RecordState, numbers, strict=False)
    received_at, known_at, applied_at = (None if one is None else moment(one) for one in numbers[len(RecordState) :])
    return Tally(
        source=source,
        connector=connector,
        states={state: count for state, count in states if count},
        last_received=received_at,
        last_known=known_at,
        last_applied=applied_at,
    )


def _latest(one: int | None, other: int) -> int:
    return other if one is None else max(one, other)
