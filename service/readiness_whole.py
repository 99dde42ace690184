"""
Readiness of all services for pages, with the trend, which changes slowly and costs as much again for each moment.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graph.values import Labels, View
from service.kept import Kept
from service.readiness import readiness
from service.wiring import Memory

TREND = (7, 30)
"""Days ago that the trend looks at."""
LASTING = 6 * 3600.0
"""Seconds for which a trend is new enough."""


@dataclass(frozen=True, slots=True)
class Whole:
    """
    Readiness as a body, and its services by name.
    """

    body: Mapping[str, Any]
    rows: Mapping[str, Mapping[str, Any]]


def kept_readiness(memory: Memory) -> Kept[Whole]:
    """
    Readiness for whoever holds some labels.
    """
    trends: dict[Labels, tuple[float, object]] = {}

    def make(labels: Labels) -> Whole:
        held = trends.get(labels)
        old = held is None or time.monotonic() - held[0] > LASTING
        body: dict[str, Any] = readiness(memory, View.now(labels), TREND if old else ())
        if old:
            trends[labels] = (time.monotonic(), body["trend"])
        elif held:
            body["trend"] = held[1]
        return Whole(body, {str(one["service"]): one for one in body["services"]})

    return Kept(make, memory.pool)
