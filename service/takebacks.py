"""
Rollbacks and reverts that were seen, to be laid beside the incidents that they ended.

Followed from the feed's newest part, as `service.activity` reads it; of long ago nothing is known.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import cast

from graph.values import Change, ChangeKind, EntityId, Incident, Item, Statement, View
from models.following import Following, Moments

AFTER = timedelta(minutes=15)
"""Tools say that it is over before they say that the rollback is done."""
OPEN = timedelta(hours=6)
"""How long an incident may have lasted whose end nobody tells."""
_SHORT = 7
"""Characters of a commit's id that name it."""


class Takebacks(Following):
    """
    Safe to share between threads.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[int, Statement[Change]] = {}
        self._by_service = Moments()
        self._by_change: dict[str, set[int]] = {}

    def _hold(self, statement: Statement[Item]) -> None:
        self._forget(statement.seq)
        item = statement.item
        if not isinstance(item, Change) or item.merge or not (item.reverts or item.kind is ChangeKind.ROLLBACK):
            return
        self._seen[statement.seq] = cast("Statement[Change]", statement)
        for service in set(item.services):
            self._by_service.put(service, item.at, statement.seq)
        if item.reverts:
            self._by_change.setdefault(item.reverts[:_SHORT], set()).add(statement.seq)

    def _forget(self, seq: int) -> None:
        held = self._seen.pop(seq, None)
        if held is None:
            return
        for service in set(held.item.services):
            self._by_service.drop(service, held.item.at, seq)
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
            placed = [
                self._seen[seq] for service in services for seq in self._by_service.between(service, incident.at, end)
            ]
        for among in (named, placed):
            seen = [one for one in among if view.sees(one) and incident.at <= one.item.at <= end]
            if seen:
                return max(seen, key=lambda one: (one.item.at, one.seq))
        return None
