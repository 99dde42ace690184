"""
Which past incidents tell of one event: a ticket filed twice, or the many tickets of one outage.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from graph.values import Incident
from models.names import tokens

OUTAGE = timedelta(hours=6)
"""Incidents of one service or alert that begin within this of each other are one outage's."""


def leaders(incidents: Sequence[Incident]) -> list[int]:
    """
    For each incident the place of the first that tells of the same event; its own where there is none before it.
    Events are compared with their first incident alone, so that a chain of outages stays apart.
    """
    found: list[int] = []
    for place, one in enumerate(incidents):
        earlier = (other for other in dict.fromkeys(found) if same_event(incidents[other], one))
        found.append(next(earlier, place))
    return found


def same_event(one: Incident, other: Incident) -> bool:
    """
    Whether they began within a few hours of each other (days of the same date where no hour is known) and hurt the same
    service, had the same alert, or have one title.
    """
    if one.at is None or other.at is None or abs(one.at - other.at) > OUTAGE:
        return False
    return bool(
        set(one.services) & set(other.services)
        or set(one.alerts) & set(other.alerts)
        or (tokens(one.title) and tokens(one.title) == tokens(other.title))
    )
