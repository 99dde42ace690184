"""
Rollbacks and reverts that were seen, to be laid beside the incidents that they ended.

Followed from the feed's newest part, as `service.activity` reads it; of long ago nothing is known.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable
from datetime import timedelta
from threading import Lock
from typing import cast

from graph.contract import Event
from graph.values import Change, ChangeKind, EntityId, Incident, Statement, View

AFTER = timedelta(minutes=15)
"""Tools say that it is over before they say that the rollback is done."""
OPEN = timedelta(hours=6)
"""How long an incident may have lasted whose end nobody tells."""
_SHORT = 7
"""Characters of a commit's id that name it."""


class Takebacks:
    """
    Safe to share between threads.
    """

    def __init__(self) -> None:
        self._seen: dict[int, Statement[Change]] = {}
        self._by_service: dict[EntityId, list[tuple[float, int]]] = {}
        self._by_change: dict[str, set[int]] = {}
        self._lock = Lock()

    def take(self, events: Iterable[Event]) -> None:
        """
        Follow these lines of the feed.
        """
        with self._lock:
            for event in events:
                self._forget(event.statement_seq)
                statement = event.statement
                if event.op != "erased" and statement is not None and isinstance(statement.item, Change):
                    self._hold(cast("Statement[Change]", statement))

    def _hold(self, statement: Statement[Change]) -> None:
        item = statement.item
        if item.merge or not (item.reverts or item.kind is ChangeKind.ROLLBACK):
            return
        self._seen[statement.seq] = statement
        for service in set(item.services):
            insort(self._by_service.setdefault(service, []), (item.at.timestamp(), statement.seq))
        if item.reverts:
            self._by_change.setdefault(item.reverts[:_SHORT], set()).add(statement.seq)

    def _forget(self, seq: int) -> None:
        held = self._seen.pop(seq, None)
        if held is None:
            return
        for service in set(held.item.services):
            places = self._by_service[service]
            del places[bisect_left(places, (held.item.at.timestamp(), seq))]
        if held.item.reverts:
            self._by_change[held.item.reverts[:_SHORT]].discard(seq)

    def of(self, view: View, incident: Incident, services: Collection[EntityId]) -> Statement[Change] | None:
        """
        What took a change back during an incident: of those that took back what its document names as cause, else of
        those on its services, the last.
        """
        if incident.at is None or incident.day_only:
            return None
        end = (incident.resolved_at + AFTER) if incident.resolved_at else incident.at + OPEN
        with self._lock:
            named = [self._seen[seq] for cause in incident.caused_by for seq in self._by_change.get(cause[:_SHORT], ())]
            first, last = (incident.at.timestamp(), -1), (end.timestamp(), 1 << 62)
            placed = []
            for service in services:
                places = self._by_service.get(service, [])
                found = places[bisect_left(places, first) : bisect_right(places, last)]
                placed += [self._seen[seq] for _, seq in found]
        for among in (named, placed):
            seen = [one for one in among if view.sees(one) and incident.at <= one.item.at <= end]
            if seen:
                return max(seen, key=lambda one: (one.item.at, one.seq))
        return None
