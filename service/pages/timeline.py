"""
The drawing of suspects before an alert's onset: time runs to the right, slower near the onset, one line for each.

Distances are drawn by their logarithm, since minutes matter near the onset and days far from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.pages.moments import moment, span

LEFT, RIGHT, TOP, STEP = 14, 40, 14, 24
TICKS = (
    (5, "5 min"),
    (30, "30 min"),
    (120, "2 h"),
    (720, "12 h"),
    (2880, "2 days"),
    (10080, "7 days"),
    (43200, "30 days"),
)
"""Minutes before the onset that are marked."""
APART = 52
"""Between the words of two marks at least."""


@dataclass(frozen=True, slots=True)
class Mark:
    """
    A suspect on the drawing. `y` is the line's, `r` grows with the probability.
    """

    number: int
    x: float
    y: float
    r: float
    after: bool
    """Whether it came after the onset, as far as the clocks say."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """
    Marks and ticks within `width` by `height`; `says` is the whole in words.
    """

    width: int
    height: int
    onset: float
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, str], ...]
    says: str


def drawing(onset: object, suspects: Sequence[Mapping[str, Any]], width: int) -> Drawing | None:
    """
    The drawing of these suspects, in their order; None without any, or where the onset is not known.
    """
    start = moment(onset)
    dated = [(number, one, at) for number, one in enumerate(suspects, 1) if (at := moment(one.get("at")))]
    if start is None or not dated:
        return None
    longest = max(60.0, *(_minutes(start, at) for _, _, at in dated))
    right = width - RIGHT

    def place(minutes: float) -> float:
        return round(right - (right - LEFT) * math.log1p(max(0.0, minutes)) / math.log1p(longest * 1.15), 1)

    marks = tuple(
        Mark(number, place(_minutes(start, at)), TOP + STEP * line, _radius(one), at > start)
        for line, (number, one, at) in enumerate(dated)
    )
    bottom = TOP + STEP * len(dated)
    return Drawing(width, bottom + 20, right, marks, _ticks(place, longest, right), _says(start, dated))


def _minutes(start: datetime, at: datetime) -> float:
    return (start - at).total_seconds() / 60


def _radius(one: Mapping[str, Any]) -> float:
    return round(3 + 7 * math.sqrt(float(one.get("probability") or 0)), 1)


def _ticks(place: Any, longest: float, right: float) -> tuple[tuple[float, str], ...]:
    found: list[tuple[float, str]] = []
    last = right
    for minutes, text in TICKS:
        at = place(minutes)
        if minutes <= longest * 1.15 and last - at >= APART and at >= LEFT + 20:
            found.append((at, text))
            last = at
    return tuple(found)


def _says(start: datetime, dated: Sequence[tuple[int, Mapping[str, Any], datetime]]) -> str:
    return "; ".join(f"{number}: {one.get('kind')} {one.get('id')}, {lag(start, at)}" for number, one, at in dated)


def lag(onset: datetime, at: datetime) -> str:
    """
    How far from the onset something was, in words.
    """
    return f"{span(onset - at)} {'after' if at > onset else 'before'} the onset"
