"""
The tallies of records, kept in the transaction that changes the records, so that nobody counts them by looking at each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from graph.contract import Tally
from graph.encoding import moment
from graph.values import Record, RecordState


@dataclass(slots=True, kw_only=True)
class Turnover:
    """
    By how much a source's records in each state became more, and the newest times among those that came.
    """

    source: str
    connector: str = ""
    pending: int = 0
    applied: int = 0
    quarantined: int = 0
    retracted: int = 0
    last_received: int | None = None
    last_known: int | None = None
    last_applied: int | None = None

    def more(self, state: RecordState, by: int) -> None:
        """
        So many more in a state.
        """
        setattr(self, state.value, getattr(self, state.value) + by)


_COLUMNS = tuple(each.name for each in fields(Turnover))


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

    _turnovers: dict[str, Turnover] = field(default_factory=dict)
    _shrunk: list[Shrunk] = field(default_factory=list)

    def came(self, record: Record, received_at: int, known_at: int) -> None:
        """
        A record that was not there.
        """
        found = self._of(record.source)
        found.connector = max(found.connector, record.connector)
        found.more(record.state, 1)
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
        found.more(before, -by)
        found.more(after, by)
        if after is RecordState.APPLIED:
            found.last_applied = _latest(found.last_applied, received_at)
        elif before is RecordState.APPLIED:
            self._shrunk.append(Shrunk(source, received_at, received_at, gone=False))

    def went(self, source: str, state: RecordState, received_at: int, known_at: int) -> None:
        """
        A record is gone.
        """
        self._of(source).more(state, -1)
        self._shrunk.append(Shrunk(source, received_at, known_at, gone=True))

    def take(self) -> tuple[list[dict[str, object]], Sequence[Shrunk]]:
        """
        All that happened, by source, and what sources lost; nothing is left.
        """
        rows = [
            {name: getattr(self._turnovers[source], name) for name in _COLUMNS} for source in sorted(self._turnovers)
        ]
        shrunk = self._shrunk
        self.clear()
        return rows, shrunk

    def clear(self) -> None:
        """
        It did not happen.
        """
        self._turnovers, self._shrunk = {}, []

    def _of(self, source: str) -> Turnover:
        found = self._turnovers.get(source)
        if found is None:
            found = self._turnovers[source] = Turnover(source=source)
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
