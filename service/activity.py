"""
Who committed lately to which repository, followed from the feed's newest part: a weak hint of who knows a service.

Bots and merges do not count, nor do deploys (who deploys need not know the code). A repository's newest commits of each
set of labels are kept, so of long ago nothing is known, and what somebody may not see pushes nothing out that he may.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from graph.contract import Event, Store
from graph.values import Change, ChangeKind, EntityId, EntityKind, ItemKind, Labels, View, entity_id
from service.takebacks import Takebacks

FEED = 5000
FAR_BACK = 100_000
"""So many lines of the feed before its end are read at the start."""
KEPT = 60
"""Commits of a repository."""
RECENT = timedelta(days=180)
_OF_CODE = (ChangeKind.CODE, ChangeKind.CONFIG, ChangeKind.SCHEMA, ChangeKind.INFRASTRUCTURE, ChangeKind.MODEL)


@dataclass(frozen=True, slots=True)
class Commit:
    """
    Whose, when, and the record that says so.
    """

    at: datetime
    person: EntityId
    record: str
    source: str
    known: datetime | None
    visibility: Labels


class Activity:
    """
    Safe to share between threads. `takebacks` follow the same lines.
    """

    def __init__(self) -> None:
        self.takebacks = Takebacks()
        self._commits: dict[EntityId, dict[Labels, dict[int, Commit]]] = {}
        self._places: dict[int, tuple[EntityId, Labels]] = {}
        self._last: dict[EntityId, dict[Labels, datetime]] = {}
        self._at: int | None = None
        self._lock = Lock()

    def follow(self, store: Store) -> None:
        """
        Catch up with the feed.
        """
        end = store.watermark()
        at = max(0, end - FAR_BACK) if self._at is None else self._at
        while at < end and (events := store.changes_since(at, FEED, (ItemKind.CHANGE,))):
            self.take(events)
            at = events[-1].seq
        self._at = max(at, end)

    def take(self, events: Iterable[Event]) -> None:
        """
        Follow these lines.
        """
        events = tuple(events)
        self.takebacks.take(events)
        with self._lock:
            for event in events:
                self._take(event)

    def _take(self, event: Event) -> None:
        statement, seq = event.statement, event.statement_seq
        place = self._places.pop(seq, None)
        if place:
            self._commits[place[0]][place[1]].pop(seq, None)
        if event.op == "erased" or statement is None or statement.known.end is not None:
            return
        item = statement.item
        if not isinstance(item, Change) or not item.repository or not item.actor or item.automated or item.merge:
            return
        if item.kind not in _OF_CODE:
            return
        person = entity_id(EntityKind.PERSON, item.actor.removeprefix("@"))
        labels = statement.visibility
        kept = self._commits.setdefault(item.repository, {}).setdefault(labels, {})
        kept[seq] = Commit(item.at, person, statement.record, statement.source, statement.known.start, labels)
        self._places[seq] = item.repository, labels
        last = self._last.setdefault(person, {})
        last[labels] = max(item.at, last.get(labels, item.at))
        if len(kept) > KEPT:
            oldest = min(kept, key=lambda one: kept[one].at)
            del kept[oldest], self._places[oldest]

    def committers(self, view: View, repositories: Iterable[EntityId]) -> Mapping[EntityId, Sequence[Commit]]:
        """
        The commits of each person in the half year before the view's moment, newest first, the latest person first.
        """
        with self._lock:
            kept = [found for name in repositories for found in self._commits.get(name, {}).items()]
            commits = [one for labels, found in kept if labels <= view.visibility for one in found.values()]
        seen = [
            one
            for one in commits
            if view.as_of - RECENT <= one.at <= view.as_of
            and (one.known is None or one.known <= view.known_at)
            and one.record not in view.hidden
        ]
        found: dict[EntityId, list[Commit]] = {}
        for one in sorted(seen, key=lambda commit: commit.at, reverse=True):
            found.setdefault(one.person, []).append(one)
        return found

    def last(self, person: EntityId, visibility: Labels) -> datetime | None:
        """
        When somebody committed last, as far as is known to a reader.
        """
        with self._lock:
            found = [at for labels, at in self._last.get(person, {}).items() if labels <= visibility]
        return max(found, default=None)
