"""
Taking a record back: closing what it stated, or removing it with all its bytes.

What another record of the same source states as well goes on, with that record as its evidence.
"""

from __future__ import annotations

from dataclasses import replace

from graph.contract import Retraction
from graph.errors import NotFound
from graph.sqlite.keys import OPEN
from graph.sqlite.rows import Rows
from graph.values import RecordState


class Retracting:
    """
    The rules of `Store.retract` and `Store.erase`; the caller commits.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def retract(self, record: str, at: int, reason: str) -> Retraction:
        """
        Close what rests on the record alone.
        """
        place, state = self._place(record)
        resting = self._rows.numbers("statements_of_record", record=place)
        if state != RecordState.RETRACTED:
            self._rows.run("record_settle", seq=place, state=RecordState.RETRACTED.value, reason=reason)
            for seq in resting:
                self._withdraw(seq, place, at)
        return Retraction(record=record, statements=tuple(resting), kept=self._kept(place))

    def erase(self, record: str) -> Retraction:
        """
        Remove the record, its statements and what is kept of it; the log still has the bytes.
        """
        place, _ = self._place(record)
        resting = self._rows.numbers("statements_of_record", record=place)
        kept = self._kept(place)
        # Settled first, so that it is nobody's evidence any more.
        self._rows.run("record_settle", seq=place, state=RecordState.RETRACTED.value, reason="")
        for seq in resting:
            self._withdraw(seq, place, None)
            if self._rows.get(seq).record == place:
                self._rows.erase(seq)
        for shelf, key in kept:
            self._rows.run("kept_delete", shelf=shelf, key=key)
            self._rows.run("keep_links_drop", shelf=shelf, key=key)
        self._rows.run("names_orphaned")
        self._rows.run("record_delete", seq=place)
        self._rows.run("sources_orphaned")
        self._rows.run("labels_orphaned")
        return Retraction(record=record, statements=tuple(resting), kept=kept)

    def _withdraw(self, seq: int, record: int, at: int | None) -> None:
        """
        The record does not state this any more, from `at` on or (None: the record's own rows go) never did.
        """
        parts = [support.part for support in self._rows.supports(seq) if support.record == record]
        self._rows.run("support_drop_record", statement=seq, record=record)
        row = self._rows.get(seq)
        if row.known_to != OPEN:
            return
        self._fall_back(seq, row.source, parts)
        others = self._rows.supports(seq)
        if row.record != record and others:
            return
        if others:
            since = others[0].known_at if at is None else max(at, row.known_from)
            copy = self._rows.copy(seq, replace(row, record=others[0].record, known_from=since))
            self._rows.run("supports_move", statement=seq, target=copy)
        if row.record != record or at is not None:
            self._rows.close(seq, row.known_from if at is None else at)

    def _fall_back(self, seq: int, source: int, parts: list[str]) -> None:
        """
        The statement's own record, where it is an older one of the part, states it still.
        """
        part, state, own = self._rows.one("evidence_part", statement=seq)
        if state == RecordState.APPLIED:
            for name in parts:
                if name in ("", f"={part}"):
                    self._rows.run("support_add", statement=seq, source=source, part=name, record=own)

    def _kept(self, place: int) -> tuple[tuple[str, str], ...]:
        return tuple((shelf, key) for shelf, key in self._rows.run("kept_of_record", record=place))

    def _place(self, record: str) -> tuple[int, str]:
        head = self._rows.head(record)
        if head is None:
            raise NotFound(record, "There is no such record in the store")
        return head[0], head[5]
