"""
When a rule counts: a period of time once, or hours of the week on the wall clock of a place. Pure.

Hours are read off the wall: an hour that a change of the clock repeats lies inside both times, one that it leaves out
never comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

DAY = 86400


class Period(Protocol):
    """
    Something that a moment lies in or not.
    """

    def holds(self, at: datetime) -> bool:
        """
        Whether the moment lies inside.
        """
        ...


@dataclass(frozen=True, slots=True)
class Stretch:
    """
    `start <= t < end`, both aware.
    """

    start: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        """
        Whether the moment lies inside.
        """
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Hours:
    """
    On each of `days` (Monday is 0) from second `first` to second `last` of the day; `last` beyond a day's end reaches
    into the next day.
    """

    days: frozenset[int]
    first: int
    last: int
    zone: str

    def holds(self, at: datetime) -> bool:
        """
        Whether the wall clock of the place shows such an hour.
        """
        wall = at.astimezone(ZoneInfo(self.zone))
        second = wall.hour * 3600 + wall.minute * 60 + wall.second
        yesterday = (wall - timedelta(days=1)).weekday() if second + DAY < self.last else None
        today = wall.weekday() in self.days and self.first <= second < self.last
        return today or (yesterday is not None and yesterday in self.days)


def stretch(start: datetime, end: datetime, zone: str) -> Stretch:
    """
    A stretch of which times without a zone are on the wall of a place. Of a time that comes twice the earlier one
    begins and the later one ends, so that nothing of it is left out.
    """
    place = ZoneInfo(zone)
    first = start if start.tzinfo else start.replace(tzinfo=place, fold=0)
    last = end if end.tzinfo else end.replace(tzinfo=place, fold=1)
    return Stretch(first, last)
