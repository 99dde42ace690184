"""
Records on the server: append, claim by lease, settle, list.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import count as numbers
from uuid import uuid4

from graph.contract import Excerpt, Standing, Tally
from graph.counting import Counts, tally_of
from graph.encoding import micros, moment
from graph.errors import NotFound, StoreUnavailable
from graph.neo4j.connecting import Row, Transaction, rows
from graph.neo4j.properties import record_of, record_row, stand_of
from graph.values import Labels, Record, RecordState


def append(transaction: Transaction, records: Sequence[Record]) -> set[int]:
    """
    Insert what is not there, and count it; the places of what is.
    """
    known = {place for (place,) in rows(transaction, "records_append", rows=[record_row(record) for record in records])}
    counts = Counts()
    for place, record in enumerate(records):
        if place not in known:
            counts.came(record, micros(record.received_at), micros(record.known_at))
    count(transaction, counts, by="journal")
    return known


def count(transaction: Transaction, counts: Counts, *, by: str) -> None:
    """
    Write what a transaction did to the tallies. `by` says which lock it holds, so that nobody waits for another.
    """
    given, shrunk = counts.take()
    if given:
        rows(transaction, "tallies_add", rows=given, by=by)
    for one in shrunk:
        times = rows(transaction, "tally_newest", source=one.source)[0]
        newest = zip((one.received_at, one.known_at, one.received_at), times, (one.gone, one.gone, True), strict=True)
        if any(asked and last is not None and lost >= last for lost, last, asked in newest):
            rows(transaction, "tally_renew", source=one.source)


class Claims:
    """
    What one worker claims. Where a claim or its settlement fails for want of the store, nobody works on what was
    claimed so far: it is free to the same worker at once, instead of when its lease lapses. Handing out a record twice
    is no harm, since it is applied once.
    """

    def __init__(self) -> None:
        self._worker = uuid4().hex
        self._turns = numbers(1)
        self._turn = self._lost = 0

    def claim(
        self,
        write: Callable[[Callable[[Transaction], list[Row]]], list[Row]],
        limit: int,
        source: str | None,
        lease: timedelta,
    ) -> tuple[Record, ...]:
        """
        Lease the oldest pending records.
        """
        turn = self._turn = next(self._turns)
        values = {"limit": limit, "source": source, "lease": lease // timedelta(milliseconds=1)}
        with self.settling():
            return _records(
                write(
                    lambda transaction: rows(
                        transaction, "records_claim", **values, worker=self._worker, turn=turn, lost=self._lost
                    )
                )
            )

    @contextmanager
    def settling(self) -> Iterator[None]:
        """
        Within the block, losing the store means that the claims so far are nobody's.
        """
        try:
            yield
        except StoreUnavailable:
            self._lost = self._turn
            raise


def quarantine(transaction: Transaction, record: str, reason: str) -> None:
    """
    Set a record aside. What was applied or retracted stays so.
    """
    rows(transaction, "states_turn")
    found = rows(transaction, "record_quarantine", id=record, reason=reason)
    if not found:
        raise NotFound(record, "There is no such record in the store")
    source, before = found[0]
    if before == RecordState.PENDING:
        counts = Counts()
        counts.moved(source, RecordState.PENDING, RecordState.QUARANTINED, 0)
        count(transaction, counts, by="claims")


def release(transaction: Transaction, source: str | None, records: Collection[str]) -> int:
    """
    Make quarantined records pending; their number.
    """
    rows(transaction, "states_turn")
    released = rows(transaction, "records_release", source=source, any_id=not records, ids=sorted(records))
    counts = Counts()
    for name, number in released:
        counts.moved(name, RecordState.QUARANTINED, RecordState.PENDING, 0, number)
    count(transaction, counts, by="claims")
    return sum(number for _, number in released)


def find(
    transaction: Transaction,
    ids: Collection[str],
    source: str | None,
    state: RecordState | None,
    visibility: Labels | None,
    limit: int,
) -> tuple[Record, ...]:
    """
    Records oldest first.
    """
    some = "records_of_state" if state else "records_of_source" if source else "records_any"
    query = "records_by_id" if ids else some
    return _records(
        rows(
            transaction,
            query,
            ids=sorted(set(ids)),
            source=source,
            state=state.value if state else None,
            all_labels=visibility is None,
            labels=sorted(visibility or ()),
            limit=limit,
        )
    )


def excerpts(transaction: Transaction, ids: Collection[str], visibility: Labels, length: int) -> tuple[Excerpt, ...]:
    """
    How records begin, oldest first.
    """
    found = rows(transaction, "excerpts", ids=sorted(set(ids)), labels=sorted(visibility), length=length)
    return tuple(
        Excerpt(identity, source, connector, part, digest, moment(known), text)
        for identity, source, connector, part, digest, known, text in found
    )


def lapsed(transaction: Transaction, ids: Collection[str]) -> frozenset[str]:
    """
    Those of the records that do not count any more.
    """
    return frozenset(name for (name,) in rows(transaction, "records_lapsed", ids=sorted(ids)))


def standing(transaction: Transaction, source: str, parts: Collection[str]) -> tuple[Standing, ...]:
    """
    The record that stands for each of the parts.
    """
    stands = [stand_of(source, part) for part in sorted(set(parts))]
    nodes = [node for (node,) in rows(transaction, "records_standing", stands=stands)]
    return tuple(
        Standing(
            record=record.id,
            part=record.part,
            digest=record.digest,
            received_at=record.received_at,
            known_at=record.known_at,
            visibility=record.visibility,
            path=record.meta.get("path", ""),
            lapsed=node["lapsed"],
        )
        for node in nodes
        for record in (record_of(node),)
    )


def labelled(transaction: Transaction, source: str) -> frozenset[Labels]:
    """
    The sets of labels of a source's records.
    """
    return frozenset(frozenset(labels) for (labels,) in rows(transaction, "source_labels", source=source))


def restrict(transaction: Transaction, ids: Collection[str], labels: Labels) -> None:
    """
    Add labels to records.
    """
    rows(transaction, "records_restrict", ids=sorted(ids), labels=sorted(labels))


def tally(transaction: Transaction) -> tuple[Tally, ...]:
    """
    Every source with its counts.
    """
    return tuple(tally_of(*row) for row in rows(transaction, "tallies"))


def _records(found: Sequence[Row]) -> tuple[Record, ...]:
    return tuple(record_of(node) for (node,) in found)
