"""
How well it is supported that something fixed an incident: one document alone settles nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.judged import NONE, SOURCE, Judged
from service.parts import Part

MOST = 5
SURE, UNSURE, IN_VAIN = 1.0, 0.6, -0.8
"""Worth of a precedent in which it is said to have helped, was done, or did not help."""
HELD, CAME_BACK = 1.3, 0.4
"""How much more it is worth where the incident stayed away, and how much where it came back."""
A_SOURCE = 1.0
"""What one source may count at most, however many of its documents say the same."""
_EMPTY = re.compile(r"^(?:the|a|an|our|all|affected)\s+|\s+(?:service|services|pods?|deployments?|app|application)$")
_MARKS = re.compile(r"[`'\"*]")

Told = Mapping[str, Any]
Verdicts = Callable[[Collection[str]], Mapping[str, Judged]]


def nobody(subjects: Collection[str]) -> Mapping[str, Judged]:
    """
    Nobody judged anything.
    """
    return {}


@dataclass
class _Row:
    action: str
    target: str
    counts: dict[str, int] = field(default_factory=lambda: {"worked": 0, "failed": 0, "held": 0})
    worth: dict[str, float] = field(default_factory=dict)
    """By source."""
    words: set[str] = field(default_factory=set)
    """What was said already: the same words twice are one voice."""
    precedents: list[str] = field(default_factory=list)
    lost: str | None = None


def supported(precedents: Iterable[Told], evidence: Mapping[str, Part], verdicts: Verdicts = nobody) -> list[Part]:
    """
    What was done in these past incidents, by action and target: in how many of them it helped, did not or held, how
    many independent sources say so, and whether that settles it (two at least). First what can still be done; of that
    what is settled; then by how alike the incidents are, by outcome, and within a bound by people's verdicts.
    """
    rows: dict[tuple[str, str], _Row] = {}
    for one in precedents:
        for fix, worked in _tried(one):
            row = rows.setdefault((fix["action"], _key(fix["target"])), _Row(fix["action"], fix["target"]))
            _count(row, one, fix, evidence, worked=worked)
    judged = verdicts([f"fix:{_id(row)}".lower() for row in rows.values()]) if rows else {}
    ranked = sorted(rows.values(), key=lambda row: _place(row, judged))
    return [_shown(row, judged) for row in ranked[:MOST]]


def _key(target: str) -> str:
    bare = _MARKS.sub("", target).strip().lower()
    for _ in range(2):
        bare = _EMPTY.sub("", bare)
    return bare


def _id(row: _Row) -> str:
    return f"{row.action} {row.target}".strip()


def _count(row: _Row, precedent: Told, fix: Told, evidence: Mapping[str, Part], *, worked: bool) -> None:
    row.counts["worked" if worked else "failed"] += 1
    row.counts["held"] += bool(fix["held"])
    row.precedents.append(precedent["id"])
    row.lost = row.lost or fix.get("lost")
    words = re.sub(r"\W+", " ", str(fix["quote"])).strip().lower()
    again = words in row.words
    row.words.add(words)
    outcome = (SURE if fix["worked"] else UNSURE) if worked else IN_VAIN
    outcome *= {True: HELD, False: CAME_BACK, None: 1.0}[fix["held"]] if worked else 1.0
    # what a change log alone says, the document does not
    own = () if fix.get("stated_as") == "change" else precedent["evidence"]
    for source in _sources([*own, *fix.get("evidence", ())], evidence):
        held = row.worth.setdefault(source, 0.0)
        row.worth[source] = held if again else min(A_SOURCE, held + outcome * precedent["probability"])


def _settled(row: _Row) -> bool:
    return len([worth for worth in row.worth.values() if worth > 0]) > 1 and row.counts["worked"] > row.counts["failed"]


def _place(row: _Row, judged: Mapping[str, Judged]) -> tuple[bool, bool, float, str]:
    worth = sum(row.worth.values())
    weight = judged.get(f"fix:{_id(row)}".lower(), NONE).weight
    moved = worth * math.exp(weight if worth > 0 else -weight)
    return bool(row.lost), not _settled(row), -moved, _id(row)


def _shown(row: _Row, judged: Mapping[str, Judged]) -> Part:
    verdict = judged.get(f"fix:{_id(row)}".lower())
    more = {
        "lost": row.lost,
        "confirmed": verdict.approved if verdict else 0,
        "refused": verdict.refused if verdict else 0,
    }
    return {
        "action": row.action,
        "target": row.target,
        **row.counts,
        "sources": len(row.worth),
        "settled": _settled(row),
        "precedents": list(dict.fromkeys(row.precedents)),
    } | {name: value for name, value in more.items() if value}


def _tried(precedent: Told) -> list[tuple[Told, bool]]:
    worked = [fix for fix in (precedent["fix"], *precedent["also"]) if fix]
    return [(fix, True) for fix in worked] + [(fix, False) for fix in precedent["did_not_help"]]


def _sources(records: Iterable[str], evidence: Mapping[str, Part]) -> set[str]:
    # verdicts weigh by themselves, and within their own bound
    named = {str(evidence[one].get("source")) for one in records if evidence.get(one)}
    return named - {SOURCE}
