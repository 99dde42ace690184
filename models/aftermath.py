"""
What came after an incident: whether it happened again within a month, by the incidents that are known.

In memory, in step with the feed. An incident happens again where a later one lists one of its alerts, or hurts one of
its services under much the same title; not where both are known to have causes of different kinds.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from graph.values import EntityId, Incident, Item, Statement, View
from models.following import Following, Moments

WINDOW = timedelta(days=30)
"""How long nothing like it may happen for a fix to have held."""
SAME_TITLE = 0.5
"""Share of the words of two titles that both have."""
_WORD = re.compile(r"[a-z][a-z0-9_-]{2,}")
_SAID_OFTEN = frozenset(
    ["the", "and", "for", "with", "from", "not", "are", "was", "were", "has", "had", "its", "due", "incident", "outage",
     "report", "postmortem", "issue", "issues", "problem"]
)  # fmt: skip
_ANY = "any"
"""The key of all incidents."""


@dataclass(frozen=True, slots=True)
class _Seen:
    statement: Statement[Item]
    id: str
    at: datetime
    words: frozenset[str]
    cause: str | None


class Aftermath(Following):
    """
    Safe to share between threads.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[int, _Seen] = {}
        self._keys: dict[int, tuple[str, ...]] = {}
        self._moments = Moments()

    def _hold(self, statement: Statement[Item]) -> None:
        incident = statement.item
        if not isinstance(incident, Incident) or incident.at is None:
            return
        if statement.seq not in self._seen:
            services = (f"service {one}" for one in set(incident.services))
            alerts = (f"alert {one}" for one in set(incident.alerts))
            self._keys[statement.seq] = (_ANY, *services, *alerts)
            for key in self._keys[statement.seq]:
                self._moments.put(key, incident.at, statement.seq)
        self._seen[statement.seq] = _Seen(
            _bare(statement), incident.id, incident.at, _words(incident.title), incident.cause_kind
        )

    def _forget(self, seq: int) -> None:
        held = self._seen.pop(seq, None)
        if held is None:
            return
        for key in self._keys.pop(seq):
            self._moments.drop(key, held.at, seq)

    def near(
        self, view: View, services: Collection[EntityId], start: datetime, end: datetime
    ) -> list[tuple[str, datetime]]:
        """
        (id, beginning) of the incidents on any of these services that began within `start <= at <= end`.
        """
        with self._lock:
            found = list(self._between((f"service {one}" for one in services), start, end))
        return sorted({(one.id, one.at) for one in found if view.sees(one.statement)}, key=lambda row: row[1])

    def _between(self, keys: Iterable[str], start: datetime, end: datetime) -> Iterator[_Seen]:
        return (self._seen[seq] for key in keys for seq in self._moments.between(key, start, end))

    def held(self, view: View, incident: Incident) -> tuple[bool | None, tuple[str, ...]]:
        """
        Whether nothing like the incident happened within the window after it, and the ids of what did. None where that
        cannot be known: no time, no alert or service, the window is not over, or no later incident is known at all.
        """
        since = incident.resolved_at or incident.at
        if since is None or not (incident.alerts or incident.services):
            return None, ()
        end = min(since + WINDOW, view.as_of)
        words = _words(incident.title)
        with self._lock:
            alike = {one.id: one for one in self._between((f"alert {one}" for one in incident.alerts), since, end)}
            for one in self._between((f"service {one}" for one in incident.services), since, end):
                if _alike(words, one.words):
                    alike[one.id] = one
            heard = self._moments.any_after(_ANY, since)
        again = [
            one
            for one in alike.values()
            if one.id != incident.id
            and one.at > since
            and not (one.cause and incident.cause_kind and one.cause != incident.cause_kind)
            and view.sees(one.statement)
        ]
        if again:
            return False, tuple(one.id for one in sorted(again, key=lambda one: one.at))[:5]
        return (True if heard and view.as_of >= since + WINDOW else None), ()


def _bare(statement: Statement[Item]) -> Statement[Item]:
    """
    What tells who may see it and when, without the texts.
    """
    item = statement.item
    assert isinstance(item, Incident)  # noqa: S101 - narrows the type
    return Statement(
        seq=statement.seq, item=Incident(id=item.id, title=""), record=statement.record, source=statement.source,
        trust=statement.trust, known=statement.known, visibility=statement.visibility,
    )  # fmt: skip


def _words(title: str) -> frozenset[str]:
    return frozenset(_WORD.findall(title.lower())) - _SAID_OFTEN


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    shared = len(one & other)
    return shared >= min(2, len(one)) and shared > 0 and shared >= SAME_TITLE * min(len(one), len(other))
