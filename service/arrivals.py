"""
How many records came lately: each source's count is noted once an hour, and two counts make a rate.

A note is an absolute count, so it does not matter which process makes it, nor whether one is made twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from graph.contract import Store, Tally
from graph.values import RecordState

SHELF = "arrivals"
KEPT = 168
"""Hours; then a note is written over."""
SPAN = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """
    What came of one source lately: records, those of them in quarantine, and in how many hours.
    """

    records: int
    quarantined: int
    hours: float

    @property
    def per_hour(self) -> float:
        """
        Records an hour; what came within the first one counts as its own.
        """
        return round(self.records / max(1.0, self.hours), 2)


def note(store: Store, last: str = "", now: datetime | None = None) -> str:
    """
    Note the counts of this hour, where nobody did yet. Returns the hour; for `last`, the hour noted before, it is free.
    """
    hour = (now or datetime.now(UTC)).replace(minute=0, second=0, microsecond=0)
    stamp = hour.isoformat()
    if stamp == last:
        return stamp
    key = str(int(hour.timestamp()) // 3600 % KEPT)
    kept = store.kept(SHELF, [key]).get(key)
    if kept is None or orjson.loads(kept)["hour"] != stamp:
        counts = {one.source: _counts(one) for one in store.tally()}
        at = (now or datetime.now(UTC)).isoformat()
        store.keep(SHELF, [(key, orjson.dumps({"hour": stamp, "at": at, "counts": counts}))])
    return stamp


def recent(store: Store, tallies: Iterable[Tally], now: datetime) -> Mapping[str, Arrivals]:
    """
    By source, what came since the last note that is a day old, else since the first there is; empty where none is.
    """
    notes = sorted((orjson.loads(body) for body in store.kept(SHELF).values()), key=lambda one: str(one["at"]))
    if not notes:
        return {}
    old = [one for one in notes if datetime.fromisoformat(one["at"]) <= now - SPAN]
    base = old[-1] if old else notes[0]
    hours = (now - datetime.fromisoformat(base["at"])).total_seconds() / 3600
    return {one.source: _since(one, base["counts"].get(one.source, [0, 0]), hours) for one in tallies}


def _since(tally: Tally, before: list[int], hours: float) -> Arrivals:
    records, quarantined = (max(0, now - then) for now, then in zip(_counts(tally), before, strict=True))
    return Arrivals(records=records, quarantined=quarantined, hours=hours)


def _counts(tally: Tally) -> list[int]:
    return [sum(tally.states.values()), tally.states.get(RecordState.QUARANTINED, 0)]
