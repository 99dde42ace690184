"""
How well it is supported that something fixed an incident: one document alone settles nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from service.parts import Part

MOST = 5


def supported(precedents: Iterable[Mapping[str, Any]], evidence: Mapping[str, Part]) -> list[Part]:
    """
    What was done in these past incidents, by action and target: in how many of them it helped or did not, and how many
    sources say so. Best supported first.
    """
    rows: dict[tuple[str, str], dict[str, int]] = {}
    sources: dict[tuple[str, str], set[str]] = {}
    for one in precedents:
        for fix, worked in _tried(one):
            mark = (fix["action"], fix["target"])
            row = rows.setdefault(mark, {"worked": 0, "failed": 0, "held": 0})
            row["worked" if worked else "failed"] += 1
            row["held"] += bool(fix["held"])
            sources.setdefault(mark, set()).update(_sources(one, evidence))
    best = sorted(rows, key=lambda mark: (-len(sources[mark]), rows[mark]["failed"] - rows[mark]["worked"]))[:MOST]
    return [{"action": mark[0], "target": mark[1], **rows[mark], "sources": len(sources[mark])} for mark in best]


def _tried(precedent: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], bool]]:
    worked = [fix for fix in (precedent["fix"], *precedent["also"]) if fix]
    return [(fix, True) for fix in worked] + [(fix, False) for fix in precedent["did_not_help"]]


def _sources(precedent: Mapping[str, Any], evidence: Mapping[str, Part]) -> set[str]:
    return {str(evidence[one].get("source")) for one in precedent["evidence"] if evidence.get(one)}
