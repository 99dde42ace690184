"""
Which rows a search may return, against a reading of each row by itself, while rows come, close and go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from graph.searching import Row, Scope
from graph.values import ItemKind, View
from models.rows import Rows

_DAY = datetime(2026, 5, 1, tzinfo=UTC)
_HOURS = st.integers(0, 5)
_LABELS = st.sampled_from([frozenset[str](), frozenset("a"), frozenset("ab")])
_KINDS = st.sampled_from([ItemKind.INCIDENT, ItemKind.RUNBOOK])


def _moment(hour: int) -> datetime:
    return _DAY + timedelta(hours=hour)


@dataclass(frozen=True)
class _Close:
    statement: int
    hour: int


@dataclass(frozen=True)
class _Remove:
    statement: int


_ROW = st.builds(
    lambda number, kind, facet, labels, known, at: Row(
        statement=number, kind=kind, document=f"d{number}", facet=facet, text="", record=f"r{number % 3}",
        visibility=labels, known_from=None if known == 0 else _moment(known), known_to=None,
        at=None if at == 0 else _moment(at),
    ),
    st.integers(0, 6), _KINDS, st.sampled_from(["title", "section:a"]), _LABELS, _HOURS, _HOURS,
)  # fmt: skip
_SCOPE = st.builds(
    lambda known, labels, hidden, kinds, facets, before: Scope(
        view=View(as_of=_DAY, known_at=_moment(known), visibility=labels, hidden=hidden), kinds=kinds, facets=facets,
        before=None if before == 0 else _moment(before),
    ),
    _HOURS, _LABELS, st.frozensets(st.sampled_from(["r0", "r1"]), max_size=1), st.frozensets(_KINDS, max_size=2),
    st.sampled_from([(), ("title",), ("section",)]), _HOURS,
)  # fmt: skip
_STEP = st.one_of(_ROW, st.builds(_Close, st.integers(0, 6), _HOURS), st.builds(_Remove, st.integers(0, 6)), _SCOPE)


def _may(row: Row, scope: Scope) -> bool:
    view = scope.view
    return (
        (row.known_from is None or row.known_from <= view.known_at)
        and (row.known_to is None or view.known_at < row.known_to)
        and row.visibility <= view.visibility
        and row.record not in view.hidden
        and (not scope.kinds or row.kind in scope.kinds)
        and (not scope.facets or row.facet.split(":")[0] in scope.facets)
        and (scope.before is None or row.at is None or row.at < scope.before)
    )


@given(st.lists(_STEP, max_size=30), st.booleans())
def test_a_mask_is_what_each_row_says_by_itself(steps: Sequence[Row | _Close | _Remove | Scope], saved: bool) -> None:
    rows, held = Rows(), dict[int, Row]()
    for step in steps:
        if isinstance(step, Row):
            held[rows.add([step])[0]] = step
        elif isinstance(step, _Close):
            rows.close(step.statement, _moment(step.hour))
            held = {
                number: replace(one, known_to=_moment(step.hour)) if one.statement == step.statement else one
                for number, one in held.items()
            }
        elif isinstance(step, _Remove):
            rows.remove(step.statement)
            held = {number: one for number, one in held.items() if one.statement != step.statement}
        else:
            mask = rows.mask(step)
            assert len(mask) == len(rows)
            assert {number for number, may in enumerate(mask) if may} == {
                number for number, one in held.items() if _may(one, step)
            }
            if saved:
                held = dict(enumerate(one for _, one in sorted(held.items())))
                rows = Rows.restored(rows.state())
