"""
Taking a record back: closing what it stated, or removing it with all its bytes.

What another record of the same source states as well goes on, with that record as its evidence.
"""

from __future__ import annotations

from graph.contract import Retraction
from graph.errors import NotFound
from graph.sqlite.keys import OPEN
from graph.sqlite.rows import Rows
from graph.values import RecordState


class Retracting:
    """
    The rules of `Store.retract` and `Store.erase`.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def retract(self, record: str, at: int, reason: str) -> Retraction:
        """
        Close what rests on the record alone; the caller commits.
        """
        place, state = self._place(record)
        resting = self._rows.numbers("statements_of_record", record=place)
        if state != RecordState.RETRACTED.value:
            self._rows.run("record_settle", seq=place, state=RecordState.RETRACTED.value, reason=reason)
            for seq in resting:
                self._withdraw(seq, place, at)
        return Retraction(record=record, statements=tuple(resting), kept=self._kept(place))

    def erase(self, record: str) -> Retraction:
        """
        Remove the record, its statements and what is kept of it; the caller commits and clears the log.
        """
        place, _ = self._place(record)
        resting = self._rows.numbers("statements_of_record", record=place)
        kept = self._kept(place)
        # Settled first, so that it is nobody's evidence any more.
        self._rows.run("record_settle", seq=place, state=RecordState.RETRACTED.value, reason="")
        for seq in resting:
            self._withdraw(seq, place, None)
            if self._rows.get(seq)["record"] == place:
                self._rows.erase(seq)
        for shelf, key in kept:
            self._rows.run("kept_delete", shelf=shelf, key=key)
            self._rows.run("keep_links_drop", shelf=shelf, key=key)
        self._rows.run("names_orphaned")
        self._rows.run("record_delete", seq=place)
        return Retraction(record=record, statements=tuple(resting), kept=kept)

    def _withdraw(self, seq: int, record: int, at: int | None) -> None:
        """
        The record does not state this any more, from `at` on or (None) never did.
        """
        parts = [str(part) for part, own, _ in self._rows.run("supports_of", statement=seq) if own == record]
        self._rows.run("support_drop_record", statement=seq, record=record)
        row = self._rows.get(seq)
        if row["known_to"] != OPEN:
            return
        self._fall_back(seq, parts)
        others = self._rows.run("supports_of", statement=seq)
        if row["record"] == record and others:
            _, heir, known = others[0]
            since = known if at is None else max(at, _int(row["known_from"]))
            copy = self._rows.copy(seq, record=heir, known_from=since)
            self._rows.run("supports_move", statement=seq, target=copy)
        if row["record"] == record or not others:
            self._rows.close(seq, _int(row["known_from"]) if at is None else at)

    def _fall_back(self, seq: int, parts: list[str]) -> None:
        """
        The statement's own record, where it is an older one of the part, states it still.
        """
        part, state, own = self._rows.run("evidence_part", statement=seq)[0]
        if state != RecordState.APPLIED.value:
            return
        for name in parts:
            if name in ("", f"={part}"):
                source = _int(self._rows.get(seq)["source"])
                self._rows.run("support_add", statement=seq, source=source, part=name, record=own)

    def _kept(self, place: int) -> tuple[tuple[str, str], ...]:
        rows = self._rows.run("kept_of_record", record=place)
        return tuple((str(shelf), str(key)) for shelf, key in rows)

    def _place(self, record: str) -> tuple[int, str]:
        found = self._rows.run("record_head", id=record)
        if not found:
            raise NotFound(record, "There is no such record in the store")
        return _int(found[0][0]), str(found[0][5])


def _int(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 - the table is strict
    return value
