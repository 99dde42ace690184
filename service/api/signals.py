"""
`signals` of a question: what the caller saw beside the alert, checked, so that a slip is told and not passed over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from graph.values import Alert
from ingest.parsing import asked_time, texts_of
from models.signals import Delta, Edge, Firing, Signals
from service.api.problems import Problem

Row = Mapping[str, object]
Made = TypeVar("Made")

MOST = 100
"""Entries of each list that are looked at; more are left out."""
LONGEST = 2000
"""Characters of a text that are looked at."""
LISTS = ("patterns", "failing", "notes", "edges", "metrics", "alerts")


def signals_of(value: object, others: Sequence[Alert], *, plain: bool) -> Signals:
    """
    The signals of a body, with the alerts that fire beside the first. Raises Problem (422), which names the place. In a
    vendor's payload (not `plain`) a `signals` that is no object is the vendor's own, and is passed over.
    """
    if value is None or not (plain or isinstance(value, dict)):
        value = {}
    if not isinstance(value, dict):
        raise Problem(422, f"`signals` is {_kind(value)}; write an object with {', '.join(LISTS)} or began")
    beside = tuple(
        Firing(name=other.name, service=other.labels.get("service", ""), at=other.at) for other in others[:20]
    )
    return Signals(
        patterns=_each(value, "patterns", _pattern),
        failing=_texts(value, "failing"),
        notes=_texts(value, "notes"),
        edges=_each(value, "edges", _edge),
        metrics=_each(value, "metrics", _metric),
        alerts=(*_each(value, "alerts", _alert), *beside),
        began=_time(value, "began", "signals"),
    )


def _each(value: Row, name: str, make: Callable[[Row, str], Made]) -> tuple[Made, ...]:
    rows = value.get(name)
    if rows is None:
        return ()
    if not isinstance(rows, list):
        raise Problem(422, f"`signals.{name}` is {_kind(rows)}; write a list of objects")
    made = []
    for place, row in enumerate(rows[:MOST]):
        where = f"signals.{name}[{place}]"
        if not isinstance(row, dict):
            raise Problem(422, f"`{where}` is {_kind(row)}; write an object")
        made.append(make(row, where))
    return tuple(made)


def _texts(value: Row, name: str) -> tuple[str, ...]:
    found = value.get(name)
    if found is not None and not isinstance(found, str | list):
        raise Problem(422, f"`signals.{name}` is {_kind(found)}; write a list of texts")
    return tuple(text[:LONGEST] for text in texts_of(found)[:MOST])


def _pattern(row: Row, where: str) -> tuple[str, str, float]:
    return _text(row, "service"), _text(row, "pattern"), _number(row, "growth", where, 0.0)


def _edge(row: Row, where: str) -> Edge:
    callee = _text(row, "to")
    if not callee:
        raise Problem(422, f"`{where}.to` is missing; write the service that is called, and who calls it as `from`")
    return Edge(
        caller=_text(row, "from"),
        callee=callee,
        failed=round(_number(row, "failed", where, 0.0)),
        text=_text(row, "text"),
        since=_time(row, "since", where),
    )


def _metric(row: Row, where: str) -> Delta:
    return Delta(
        service=_text(row, "service"),
        metric=_text(row, "metric"),
        before=_number(row, "before", where),
        after=_number(row, "after", where),
        since=_time(row, "since", where),
    )


def _alert(row: Row, where: str) -> Firing:
    return Firing(name=_text(row, "name"), service=_text(row, "service"), at=_time(row, "at", where))


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value)[:LONGEST]


def _time(row: Row, name: str, where: str) -> datetime | None:
    value = row.get(name)
    return None if value in (None, "") else asked_time(value, f"{where}.{name}")


def _number(row: Row, name: str, where: str, default: float | None = None) -> float:
    value = row.get(name, default)
    if value is None and default is not None:
        return default
    try:
        found = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        said = "missing" if value is None else repr(str(value)[:40])
        raise Problem(422, f"`{where}.{name}` is {said}; write a number, like 3.5")
    return found


def _kind(value: object) -> str:
    names = {
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        dict: "an object",
    }
    return names.get(type(value), "empty")
