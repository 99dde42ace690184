"""
Taking a record back: closing what it stated, or removing it with all its bytes.

What another record of the same source states as well goes on, with that record as its evidence.
"""

from __future__ import annotations

from dataclasses import replace

from graph.contract import Retraction
from graph.errors import NotFound
from graph.hands import Hands, part_name
from graph.keys import OPEN
from graph.values import RecordState


class Retracting:
    """
    The rules of `Store.retract` and `Store.erase`; the caller commits.
    """

    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    def retract(self, record: str, at: int, reason: str) -> Retraction:
        """
        Close what rests on the record alone.
        """
        place, state = self._place(record)
        resting = self._hands.resting_on(place)
        if state is not RecordState.RETRACTED:
            self._hands.settle(place, RecordState.RETRACTED, reason)
            for seq in resting:
                self._withdraw(seq, place, at)
        return Retraction(record=record, statements=tuple(resting), kept=self._hands.kept_of(place))

    def erase(self, record: str) -> Retraction:
        """
        Remove the record, its statements and what is kept of it; the log still has the bytes.
        """
        place, _ = self._place(record)
        resting = self._hands.resting_on(place)
        kept = self._hands.kept_of(place)
        # Settled first, so that it is nobody's evidence any more.
        self._hands.settle(place, RecordState.RETRACTED)
        for seq in resting:
            self._withdraw(seq, place, None)
            if self._hands.get(seq).record == place:
                self._hands.erase(seq)
        for shelf, key in kept:
            self._hands.unkeep(shelf, key)
        self._hands.forget(place)
        return Retraction(record=record, statements=tuple(resting), kept=kept)

    def _withdraw(self, seq: int, record: int, at: int | None) -> None:
        """
        The record does not state this any more, from `at` on or (None: the record's own rows go) never did.
        """
        parts = [support.part for support in self._hands.supports(seq) if support.record == record]
        self._hands.unsupport_record(seq, record)
        row = self._hands.get(seq)
        if row.known_to != OPEN:
            return
        self._fall_back(seq, parts)
        others = self._hands.supports(seq)
        if row.record != record and others:
            return
        if others:
            since = others[0].known_at if at is None else max(at, row.known_from)
            copy = self._hands.copy(seq, replace(row, record=others[0].record, known_from=since))
            self._hands.move_supports(seq, copy)
        if row.record != record or at is not None:
            self._hands.close(seq, row.known_from if at is None else at)

    def _fall_back(self, seq: int, parts: list[str]) -> None:
        """
        The statement's own record, where it is an older one of the part, states it still.
        """
        own, part, state = self._hands.evidence(seq)
        if state is RecordState.APPLIED:
            for name in parts:
                if name in ("", part_name(part)):
                    self._hands.support(seq, name, own)

    def _place(self, record: str) -> tuple[int, RecordState]:
        head = self._hands.head(record)
        if head is None:
            raise NotFound(record, "There is no such record in the store")
        return head.place, head.state
