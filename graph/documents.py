"""
One statement of each document, of those that several sources made of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from graph.values import Incident, Statement


def best_of_each(statements: Iterable[Statement[Incident]]) -> tuple[Statement[Incident], ...]:
    """
    Of each incident's statements the most trusted, of equals the one known last; in commit order.
    """
    best: dict[str, Statement[Incident]] = {}
    for one in statements:
        held = best.get(one.item.id)
        if held is None or _rank(one) >= _rank(held):
            best[one.item.id] = one
    return tuple(sorted(best.values(), key=lambda one: one.seq))


def _rank(statement: Statement[Incident]) -> tuple[int, datetime]:
    start = statement.known.start
    assert start is not None  # noqa: S101 - every stored statement became known at a time
    return statement.trust, start
