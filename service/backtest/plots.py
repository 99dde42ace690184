"""
The drawings of a report as numbers, for a template to write as SVG: a reliability diagram, bars beside the baselines.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.backtest.text import RANKERS, REASONS, SET_NAMES

SIDE, PAD = 300.0, 44.0
"""Of the reliability diagram, and of the room for its axes."""
BAR, ROW, LEFT = 360.0, 26.0, 150.0
LISTED = 40
Json = Any


def page_values(report: Mapping[str, Json] | None, status: Mapping[str, Json]) -> dict[str, Json]:
    """
    What the page shows.
    """
    if report is None:
        return {"report": None, "now": status}
    sets = [
        {
            "name": name,
            "says": SET_NAMES[name],
            "measures": one,
            "plot": reliability(one["calibration"]),
            "bars": bars(one),
        }
        for name, one in report["sets"].items()
        if one["n"] or one["none_n"]
    ]
    counts: dict[str, int] = {}
    for one in report["missed"]:
        counts[one["reason"]] = counts.get(one["reason"], 0) + 1
    reasons = sorted(((REASONS[name], count) for name, count in counts.items()), key=lambda pair: -pair[1])
    return {
        "report": report, "now": status, "sets": sets, "reasons": reasons, "missed": report["missed"][:LISTED],
        "why": REASONS,
    }  # fmt: skip


def reliability(calibration: Mapping[str, Json]) -> dict[str, Json]:
    """
    A point a bin: what was said across, what was so upwards, its interval as a bar, its area by the number of answers.
    """
    points = [
        {
            "x": _across(one["said"]), "y": _up(one["was"]),
            "top": _up(one["was_95"][1]), "bottom": _up(one["was_95"][0]),
            "says": f"said {one['said']:.0%}, was {one['was']:.0%} of {one['n']}",
        }
        for one in calibration["bins"]
    ]  # fmt: skip
    ticks = [{"x": _across(step / 4), "y": _up(step / 4), "says": f"{step / 4:.0%}"} for step in range(5)]
    line = " ".join(f"{one['x']},{one['y']}" for one in points)
    return {
        "size": round(SIDE + 2 * PAD), "points": points, "line": line, "ticks": ticks,
        "zero": _across(0), "one": _across(1), "floor": _up(0), "ceiling": _up(1),
    }  # fmt: skip


def _across(share: float) -> float:
    return round(PAD + SIDE * share, 1)


def _up(share: float) -> float:
    return round(PAD + SIDE * (1 - share), 1)


def bars(one: Mapping[str, Json]) -> dict[str, Json]:
    """
    hit@1 of each ranking as a bar with its interval, hit@3 as a mark.
    """
    rows = []
    for place, (name, found) in enumerate(one["rankers"].items()):
        if found["hit1"] is None:
            continue
        low, high = found["hit1_95"]
        y = 6 + ROW * place
        rows.append({
            "name": RANKERS[name], "y": round(y, 1), "middle": round(y + 9, 1), "width": round(BAR * found["hit1"], 1),
            "low": round(LEFT + BAR * low, 1), "high": round(LEFT + BAR * high, 1),
            "hit3": round(LEFT + BAR * found["hit3"], 1), "says": f"{found['hit1']:.0%}", "ours": name == "precedent",
        })  # fmt: skip
    return {"rows": rows, "left": LEFT, "width": round(LEFT + BAR + 60), "height": round(12 + ROW * max(1, len(rows)))}
