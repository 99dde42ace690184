"""
Which changes take others back, and which were taken back, by what they say of themselves.

A revert is tied to its change by the id that its source gives, else by the title that it quotes. What was taken back
before the onset is out of the way, and what takes back is seldom the cause.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from graph.values import Change, ChangeKind

_REVERT = re.compile(r"^\W*(?:re-?)?revert\w*\b|^\W*roll(?:ed|ing)?[ -]?back\b|^\W*(?:undo|restore|reinstate|back(?:ed|ing)? out)\b", re.IGNORECASE)  # fmt: skip
_BACK = re.compile(
    r"^\W*(?:\[[^\]]*\]\W*)?(?:\w+: )?(?:put|change|set|switch|move|turn|bring|add|go|roll)\w*\b.*\bback\b"
    r"|\bback to (?:the )?(?:old|previous|original)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"revert(?:s|ed|ing)?:?\s+[\"“](.+)[\"”]", re.IGNORECASE)
_NUMBER = re.compile(r"\s*\(#\d+\)\s*$")


@dataclass(frozen=True, slots=True)
class Said:
    """
    What a title says: whether something is taken back, the title that it quotes, and itself without its number.
    """

    back: bool
    quoted: str
    plain: str


def said(title: str) -> Said:
    """
    Read a title.
    """
    quoted = _QUOTED.search(title)
    back = bool(quoted or _REVERT.search(title) or _BACK.search(title))
    return Said(back, _plain(quoted[1]) if quoted else "", _plain(title))


def _plain(title: str) -> str:
    return _NUMBER.sub("", title).strip().lower()


def takes_back(changes: Sequence[Change], titles: Sequence[Said]) -> frozenset[int]:
    """
    The places of those that take something back.
    """
    return frozenset(
        place
        for place, (change, title) in enumerate(zip(changes, titles, strict=True))
        if title.back or change.reverts or change.kind is ChangeKind.ROLLBACK
    )


def taken_back(changes: Sequence[Change], titles: Sequence[Said]) -> frozenset[int]:
    """
    The places of those that another of them takes back. Of several with the quoted title the newest before it.
    """
    if not any(change.reverts or title.quoted for change, title in zip(changes, titles, strict=True)):
        return frozenset()
    ids: dict[str, list[int]] = defaultdict(list)
    named: dict[str, list[int]] = defaultdict(list)
    taken: set[int] = set()
    for place in sorted(range(len(changes)), key=lambda place: (changes[place].at, changes[place].id)):
        change, title = changes[place], titles[place]
        taken.update(ids.get(change.reverts or "", ()))
        if title.quoted:
            earlier = [one for one in named.get(title.quoted, ()) if one not in taken]
            taken.update(earlier[-1:])
        for name in filter(None, {change.id, change.revision}):
            ids[name].append(place)
        named[title.plain].append(place)
    return frozenset(taken)
