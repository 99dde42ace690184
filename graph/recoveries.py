"""
Recoveries that do not say what they end.

Some tools number no occurrences: CloudWatch over SNS tells that an alarm is well again, and neither when it fired nor
under which mark. Such alerts name their `series`, and a recovery ends all of its series that still fire then. That is
decided when alerts are read, so it is true for each view, whatever came first and whatever was taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from graph.values import Alert, Statement


def recovered(newest: Sequence[Statement[Alert]]) -> tuple[Statement[Alert], ...]:
    """
    Alerts, newest first, with the ends that recoveries of their series tell. The recoveries themselves are left out
    where what they end is among them.
    """
    if not any(one.item.series for one in newest):
        return tuple(newest)
    ends: dict[tuple[str, str], tuple[int, datetime]] = {}
    used: set[int] = set()
    shown = [_ended(one, ends, used) for one in newest]
    return tuple(_left(shown, used))


def _ended(
    one: Statement[Alert], ends: dict[tuple[str, str], tuple[int, datetime]], used: set[int]
) -> Statement[Alert]:
    alert = one.item
    if not alert.series:
        return one
    series = (one.source, alert.series)
    if is_recovery(alert):
        ends[series] = (one.seq, alert.at)
    elif alert.ended_at is None and series in ends:
        seq, at = ends[series]
        used.add(seq)
        return replace(one, item=replace(alert, ended_at=at, status="resolved"))
    return one


def _left(shown: Sequence[Statement[Alert]], used: set[int]) -> Iterator[Statement[Alert]]:
    return (one for one in shown if one.seq not in used)


def is_recovery(alert: Alert) -> bool:
    """
    Whether it tells only that something ended: no firing.
    """
    return alert.ended_at == alert.at
