"""
Where and when past incidents were, without their texts: what a question asks of each of some sixty candidates.

In memory, in step with the feed, so that ranking does not wait for the store.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Protocol, cast

from graph.documents import best_of_each
from graph.values import EntityId, Incident, Item, Statement, View
from models.following import Following


class Past(Protocol):
    """
    What can tell incidents by their ids: a store, or `Incidents`.
    """

    def incidents(self, view: View, ids: Collection[str] | None = None) -> tuple[Statement[Incident], ...]:
        """
        What the view sees of them (None: of all), one of each id, in commit order.
        """
        ...


class Incidents(Following):
    """
    A `Past` of what the feed has told so far, without sections, fixes and attributes. Safe to share between threads.
    """

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[int, Statement[Incident]] = {}
        self._by_id: dict[str, list[int]] = {}
        self._by_alert: dict[str, list[int]] = {}
        self._by_service: dict[str, list[int]] = {}
        self._by_record: dict[str, list[int]] = {}

    def _hold(self, statement: Statement[Item]) -> None:
        if not isinstance(statement.item, Incident):
            return
        bare = replace(statement.item, sections={}, fixes=(), attributes={})
        if statement.seq not in self._held:
            insort(self._by_id.setdefault(bare.id, []), statement.seq)
            insort(self._by_record.setdefault(statement.record, []), statement.seq)
            for name in set(bare.alerts):
                insort(self._by_alert.setdefault(name, []), statement.seq)
            for service in set(bare.services):
                insort(self._by_service.setdefault(service, []), statement.seq)
        self._held[statement.seq] = replace(cast("Statement[Incident]", statement), item=bare)

    def _forget(self, seq: int) -> None:
        held = self._held.pop(seq, None)
        if held is None:
            return
        _drop(self._by_id, held.item.id, seq)
        _drop(self._by_record, held.record, seq)
        for name in set(held.item.alerts):
            _drop(self._by_alert, name, seq)
        for service in set(held.item.services):
            _drop(self._by_service, service, seq)

    def incidents(self, view: View, ids: Collection[str] | None = None) -> tuple[Statement[Incident], ...]:
        """
        As of Past.
        """
        with self._lock:
            if ids is None:
                seqs: Iterable[int] = self._held
            else:
                seqs = (seq for one in ids for seq in self._by_id.get(one, ()))
            found = [self._held[seq] for seq in sorted(seqs)]
        return best_of_each(one for one in found if view.sees(one))

    def records(self, among: Collection[str]) -> frozenset[str]:
        """
        Those of the records that state an incident.
        """
        with self._lock:
            return frozenset(record for record in among if record in self._by_record)

    def of_alert(self, name: str, view: View) -> list[Statement[Incident]]:
        """
        Incidents in which an alert of this name fired, in commit order, one of each id.
        """
        with self._lock:
            found = [self._held[seq] for seq in self._by_alert.get(name, ())]
        return list({one.item.id: one for one in found if view.sees(one)}.values())

    def of_services(self, services: Collection[EntityId], view: View) -> list[Statement[Incident]]:
        """
        Incidents that hurt one of these ids, in commit order, one of each id.
        """
        with self._lock:
            ids = {self._held[seq].item.id for one in services for seq in self._by_service.get(one, ())}
        wanted = set(services)
        # of several statements of an id the best counts, and it alone says whom it hurt
        return [one for one in self.incidents(view, ids) if not wanted.isdisjoint(one.item.services)]


def _drop(places: dict[str, list[int]], key: str, seq: int) -> None:
    seqs = places[key]
    del seqs[bisect_left(seqs, seq)]
    if not seqs:
        del places[key]
