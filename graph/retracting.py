"""
Taking a record back: closing what it stated, or removing it with all its bytes.

What another record of the same source states as well goes on, with that record as its evidence; an event gives way to
the one that counts most of those that it replaced or kept from counting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from graph.contract import Retraction
from graph.hands import Hands, Stored, Support, head_of, part_name
from graph.keys import OPEN
from graph.onset import Onset
from graph.values import ItemKind, RecordState


class Retracting:
    """
    The rules of `Store.retract` and `Store.erase`; the caller commits.
    """

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._onset = Onset(hands)

    def resting(self, record: str) -> Retraction:
        """
        What rests on the record; nothing is done.
        """
        head = head_of(self._hands, record)
        resting = self._hands.resting_on(head.place)
        return Retraction(record=record, statements=tuple(resting), kept=self._hands.kept_of(head.place))

    def retract(self, record: str, at: int, reason: str) -> Retraction:
        """
        Close what rests on the record alone.
        """
        head = head_of(self._hands, record)
        resting = self._hands.resting_on(head.place)
        if head.state is not RecordState.RETRACTED:
            self._hands.settle(head, RecordState.RETRACTED, reason)
            things = self._things(resting)
            for seq in resting:
                self._withdraw(seq, head.place, at)
            for source, key in things:
                self._onset.settle(source, key, at)
        return Retraction(record=record, statements=tuple(resting), kept=self._hands.kept_of(head.place))

    def erase(self, record: str) -> Retraction:
        """
        Remove the record, its statements and what is kept of it; the log still has the bytes.
        """
        head = head_of(self._hands, record)
        resting = self._hands.resting_on(head.place)
        kept = self._hands.kept_of(head.place)
        # Settled first, so that it is nobody's evidence any more.
        self._hands.settle(head, RecordState.RETRACTED)
        things = self._things(resting)
        for seq in resting:
            self._withdraw(seq, head.place, None)
            if self._hands.get(seq).record == head.place:
                self._hand_down(seq)
                self._hands.erase(seq)
        for source, thing in things:
            self._onset.cleanse(source, thing)
        for shelf, key in kept:
            self._hands.unkeep(shelf, key)
        self._hands.forget(head)
        return Retraction(record=record, statements=tuple(resting), kept=kept)

    def _things(self, seqs: Iterable[int]) -> list[tuple[str, bytes]]:
        """
        The things that these are versions of, but for facts.
        """
        rows = [self._hands.get(seq) for seq in seqs]
        return list(dict.fromkeys((row.source, row.key) for row in rows if row.key and row.kind != ItemKind.FACT))

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
        if "" in parts and not any(support.part for support in others):
            self._give_way(seq, record, at)
            return
        if row.record != record and others:
            return
        if others:
            since = others[0].known_at if at is None else max(at, row.known_from)
            copy = self._hands.copy(seq, replace(row, record=others[0].record, known_from=since))
            self._hands.move_supports(seq, copy)
        if row.record != record or at is not None:
            self._hands.close(seq, row.known_from if at is None else at)

    def _give_way(self, seq: int, record: int, at: int | None) -> None:
        """
        Of the thing's other events, the one that counts most stands now.
        """
        row = self._hands.get(seq)
        since = row.known_from if at is None else max(at, row.known_from)
        best = max(self._events(row, record), key=lambda one: (one[1].rank, one[0], one[1].record), default=None)
        said = self._hands.get(best[0]) if best else None
        if best and said and said.digest == row.digest and row.record != record:
            self._hands.support(seq, "", best[1].record)
            return
        known = max(since, best[1].known_at) if best else since
        if at is not None or row.record != record:
            self._hands.close(seq, known if at is None else since)
        if best and said:
            again = replace(said, known_from=known, known_to=OPEN, record=best[1].record)
            copy = self._hands.copy(best[0], again)
            if said.digest == row.digest:
                self._hands.move_supports(seq, copy)
            self._hands.support(copy, "", best[1].record)

    def _hand_down(self, seq: int) -> None:
        """
        What other events said too, of a version that does not stand and is about to be erased, stays known.
        """
        others = self._hands.supports(seq)
        if others:
            row = self._hands.get(seq)
            until = row.known_from if row.known_to == OPEN else row.known_to
            since = min(max(row.known_from, others[0].known_at), until)
            copy = self._hands.copy(seq, replace(row, known_from=since, known_to=until, record=others[0].record))
            self._hands.move_supports(seq, copy)

    def _events(self, row: Stored, record: int) -> Iterator[tuple[int, Support]]:
        """
        All that events but those of this record said of a thing, each with the version that says it.
        """
        for version in self._hands.versions(row.source, row.key):
            own = self._hands.evidence(version.seq)
            if own.state is RecordState.APPLIED and own.place != record:
                yield version.seq, Support("", own.place, own.known_at, own.rank)
            for support in self._hands.supports(version.seq):
                if not support.part and support.record != record:
                    yield version.seq, support

    def _fall_back(self, seq: int, parts: list[str]) -> None:
        """
        The statement's own record, where it is an older one of the part, states it still.
        """
        own = self._hands.evidence(seq)
        if own.state is RecordState.APPLIED and part_name(own.part) in parts:
            self._hands.support(seq, part_name(own.part), own.place)
