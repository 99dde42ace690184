"""
That it happened before, how often, and what was meant to be done about it and is still open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from service.fence import label, label_id, quoted
from service.parts import Part

SURE = 0.5
"""From which probability on a precedent counts as the same kind of problem."""
MOST = 3
_ORDINALS = ("", "First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth")

NEAR = timedelta(hours=1)
"""Between an alert and the beginning of an incident that it belongs to."""

Told = Mapping[str, Any]


def alike(precedents: Sequence[Told]) -> list[Told]:
    """
    Those that are more likely than not the same kind of problem.
    """
    return [one for one in precedents if one["probability"] >= SURE]


def times(precedents: Sequence[Told], history: Told | None) -> int:
    """
    The how manieth time this is, as far as is known: by what is alike, and by the incidents of the same alert.
    """
    known = {one["id"] for one in alike(precedents)} | set((history or {}).get("incidents", ()))
    return len(known) + 1


def mattering(fired: Sequence[datetime], incidents: Mapping[str, datetime]) -> tuple[int, set[str]]:
    """
    How many of the firings had an incident near them, and which incidents those are.
    """
    near: set[str] = set()
    count = 0
    for at in fired:
        found = {name for name, began in incidents.items() if abs(began - at) <= NEAR}
        count += bool(found)
        near |= found
    return count, near


def follow_ups(precedents: Sequence[Told]) -> list[Part]:
    """
    The actions that the documents of what is alike say are still open.
    """
    found: dict[str, Part] = {}
    for one in alike(precedents):
        for each in one.get("follow_ups", ()):
            found.setdefault(each["says"].lower(), {**each, "incident": one["id"], "evidence": one["evidence"]})
    return list(found.values())[:MOST]


def sentence(times: int, still_open: Sequence[Told]) -> str:
    """
    "Fourth time; action 12 of INC-7 is still open (owner Team X)." Empty where there is nothing to say.
    """
    if times < 2:
        return ""
    nth = _ORDINALS[times] if times < len(_ORDINALS) else f"{times}th"
    if not still_open:
        return f"{nth} time."
    first = still_open[0]
    what = label_id(first["name"]) if first.get("name") else quoted(first["says"], 80)
    whose = f" (owner {label(first['owner'])})" if first.get("owner") else ""
    more = f", and {len(still_open) - 1} more" if len(still_open) > 1 else ""
    return f"{nth} time; action {what} of {label_id(first['incident'])} is still open{whose}{more}."
