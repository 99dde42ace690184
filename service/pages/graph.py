"""
The drawing of a service's neighbours: who depends on it stands left of it, what it depends on right, nearest inside.

Boxes of one size in columns, so that two hundred names can be read; lines run behind them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, GAP, LANE, CENTRE = 156, 22, 5, 30, 190
FEWEST, MOST, COLUMNS = 16, 40, 5
"""Boxes of a column at least and at most, and columns of both sides that fit without scrolling."""
LETTERS = 20
DRAWN = 240
"""Boxes at most; what is beyond stands in the table alone."""
MARGIN = 10


@dataclass(frozen=True, slots=True)
class Box:
    """
    A neighbour: where it stands, what it is called, and what its edge is made of.
    """

    x: float
    y: float
    label: str
    name: str
    kind: str
    steps: int
    says: str
    look: str
    """`declared`, `observed` or `inferred`: the strongest kind of its edge."""
    level: str
    line: str
    """The path of the line to what it hangs on."""


@dataclass(frozen=True, slots=True)
class Graph:
    """
    All boxes within `width` by `height`, the service's own in the middle; `left` and `right` head the sides.
    """

    width: float
    height: float
    centre: tuple[float, float]
    name: str
    boxes: tuple[Box, ...]
    hidden: int
    crowded: bool
    says: str


def graph_view(name: str, radius: Mapping[str, Any]) -> Graph:
    """
    The drawing of a blast radius with its edges.
    """
    left, right = (_ordered(radius[side])[: DRAWN // 2] for side in ("dependents", "dependencies"))
    total = len(radius["dependents"]) + len(radius["dependencies"])
    rows = min(MOST, max(FEWEST, math.ceil((len(left) + len(right)) / COLUMNS)))
    # each step begins a column of its own
    sides = [_columns(side, rows) for side in (left, right)]
    height = 2 * MARGIN + max(1, *(len(column) for side in sides for column in (side or [[]]))) * (HEIGHT + GAP)
    middle = MARGIN + len(sides[0]) * (WIDTH + LANE)
    width = middle + CENTRE + len(sides[1]) * (WIDTH + LANE) + MARGIN
    centre = (middle, height / 2 - HEIGHT / 2)
    boxes: list[Box] = []
    for columns, outward in ((sides[0], -1), (sides[1], 1)):
        boxes += _placed(columns, outward, centre, height)
    says = (
        f"{len(radius['dependents'])} on the left, which depend on {name}; "
        f"{len(radius['dependencies'])} on the right, on which it depends. The table below says the same."
    )
    drawn = len(left) + len(right)
    return Graph(width, height, centre, short(name), tuple(boxes), total - drawn, drawn > 30, says)


def short(name: str) -> str:
    """
    A name that fits into a box.
    """
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"


def edge_says(one: Mapping[str, Any]) -> str:
    """
    Who says that there is this edge, and how old that is.
    """
    edge = one.get("edge") or {}
    told = []
    for source in edge.get("sources") or ():
        age = f", {source['age_days']} days old" if source.get("age_days") is not None else ""
        told.append(f"{source.get('kind')} by {source.get('source')}{age}")
    return "; ".join(dict.fromkeys(told)) or ", ".join(edge.get("kinds") or ())


def _ordered(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    levels = {"critical": 0, "high": 1, "normal": 2, "low": 3}
    return sorted(
        rows, key=lambda one: (one["steps"], one["kind"] != "service", levels.get(one["criticality"], 4), one["name"])
    )


def _columns(rows: Sequence[Mapping[str, Any]], most: int) -> list[list[Mapping[str, Any]]]:
    columns: list[list[Mapping[str, Any]]] = []
    for steps in sorted({one["steps"] for one in rows}):
        of_step = [one for one in rows if one["steps"] == steps]
        each = math.ceil(len(of_step) / math.ceil(len(of_step) / most))
        columns += [of_step[at : at + each] for at in range(0, len(of_step), each)]
    return columns


def _placed(
    columns: Sequence[Sequence[Mapping[str, Any]]], outward: int, centre: tuple[float, float], height: float
) -> list[Box]:
    found: list[Box] = []
    inner = (centre[0] if outward < 0 else centre[0] + CENTRE, centre[1] + HEIGHT / 2)
    ends: dict[str, tuple[float, float]] = {}
    for number, column in enumerate(columns):
        away = LANE + number * (WIDTH + LANE)
        x = centre[0] - away - WIDTH if outward < 0 else centre[0] + CENTRE + away
        top = (height - len(column) * (HEIGHT + GAP)) / 2
        for place, one in enumerate(column):
            y = top + place * (HEIGHT + GAP)
            start = ends.get(_before(one), inner)
            end = (x + WIDTH if outward < 0 else x, y + HEIGHT / 2)
            ends[one["id"]] = (x if outward < 0 else x + WIDTH, y + HEIGHT / 2)
            found.append(_box(one, x, y, _line(start, end, outward)))
    return found


def _before(one: Mapping[str, Any]) -> str:
    """
    The id of what a neighbour hangs on, of two steps and more; of one step that is the service itself.
    """
    edge = one.get("edge") or {}
    if one["steps"] < 2:
        return ""
    return str(edge.get("to") if edge.get("from") == one["id"] else edge.get("from"))


def _line(start: tuple[float, float], end: tuple[float, float], outward: int) -> str:
    bend = 0.5 * LANE * outward
    return (
        f"M{start[0]:.0f} {start[1]:.1f}C{start[0] + bend:.0f} {start[1]:.1f} "
        f"{end[0] - bend:.0f} {end[1]:.1f} {end[0]:.0f} {end[1]:.1f}"
    )


def _box(one: Mapping[str, Any], x: float, y: float, line: str) -> Box:
    kinds = (one.get("edge") or {}).get("kinds") or ()
    look = next((kind for kind in ("declared", "observed", "inferred") if kind in kinds), "inferred")
    level = one.get("criticality") or "unknown"
    says = f"{one['name']}, {one['steps']} step{'s' if one['steps'] != 1 else ''}, {level}: {edge_says(one)}"
    return Box(
        round(x, 1), round(y, 1), short(one["name"]), one["name"], one["kind"], one["steps"], says, look, level, line
    )
