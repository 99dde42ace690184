"""
Sources, identity and readiness as their pages show them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from service.pages.moments import percent, span

View = dict[str, Any]
WORDS = {"who": "Who owns it", "changed": "What changed", "fixed": "What fixed it last time"}
SHOWN = 150
"""Rows of services."""
LEFT, RIGHT, TOP, BOTTOM = 16, 244, 8, 44


def sources_view(body: Mapping[str, Any]) -> View:
    """
    Those that need somebody first, and what is in quarantine by source.
    """
    order = {"failing": 0, "off": 1, "silent": 2}
    rows = sorted(body["sources"], key=lambda one: (order.get(one["state"], 3), one["source"]))
    held: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for one in body["quarantine"]:
        held[one["source"]].append(one)
    lags = [one["lag_seconds"] for one in rows]
    return {
        "sources": [
            {**one, "lag": f"{span(timedelta(seconds=lag))} old" if lag is not None else None}
            for one, lag in zip(rows, lags, strict=True)
        ],
        "states": sorted(Counter(one["state"] for one in rows).items()),
        "held": sorted(held.items()),
    }


def readiness_view(body: Mapping[str, Any], at: str | None) -> View:
    """
    The shares with their trend, the repairs with the services that need them, and the least ready services.
    """
    needing: dict[str, list[str]] = defaultdict(list)
    for row in body["services"]:
        for check in row["missing"]:
            needing[check].append(row["service"])
    return {
        "at": at,
        "total": len(body["services"]),
        "index": body["index"],
        "questions": [_question(name, words, body) for name, words in WORDS.items()],
        "repairs": [{**one, "first": needing[one["check"]][:3]} for one in body["repairs"][:10]],
        "checks": list(body["share"].items()),
        "rows": body["services"][:SHOWN],
        "strangers": body["unknown_names"][:30],
    }


def _question(name: str, words: str, body: Mapping[str, Any]) -> View:
    past = [(one["days_ago"], one["answerable"].get(name)) for one in body["trend"] if one["services"]]
    told = [*((days, share) for days, share in past if share is not None), (0, body["answerable"].get(name))]
    points = _points([(days, share) for days, share in told if share is not None])
    says = ", ".join(f"{_then(days)} {percent(share)}" for days, share in told)
    return {
        "words": words,
        "share": body["answerable"].get(name),
        "points": points if len(points) > 1 else [],
        "line": " ".join(f"{one['x']},{one['y']}" for one in points),
        "says": f"{words}: {says}",
    }


def _then(days: int) -> str:
    return f"{days} days ago" if days else "now"


def _points(told: Sequence[tuple[int, float]]) -> list[View]:
    longest = max((days for days, _ in told), default=0) or 1
    return [
        {
            "x": round(RIGHT - (RIGHT - LEFT) * days / longest, 1),
            "y": round(BOTTOM - (BOTTOM - TOP) * share, 1),
            "label": f"{days} d" if days else "now",
            "place": "start" if days == longest else "end" if not days else "mid",
        }
        for days, share in told
    ]
