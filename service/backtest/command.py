"""
What `precedent backtest` does.
"""

from __future__ import annotations

from typing import cast

from graph.errors import GraphError
from graph.values import View
from service.backtest.cases import Progress, history
from service.backtest.kept import keep, last
from service.backtest.run import Plan, Report, backtest, labels_part
from service.wiring import Memory


def replayed(memory: Memory, plan: Plan, progress: Progress) -> Report:
    """
    A report, kept for pages and the API; where this process may not write, it says so in its notes.
    """
    made = backtest(memory, plan, progress)
    try:
        keep(memory.store, made, plan.visibility)
    except GraphError as error:
        return made.report | {"notes": [*cast("list[str]", made.report["notes"]), f"this report is not kept: {error}"]}
    return made.report


def labels(memory: Memory, progress: Progress) -> dict[str, object]:
    """
    The culprits that history names, without replaying anything.
    """
    known = history(memory.store, View.now(), progress)
    return labels_part(known.culprits, known.weighed)


def shown_last(memory: Memory) -> Report | None:
    """
    The report that was kept last.
    """
    return last(memory.store, View.now().visibility)
