"""
Which changes take others back, and which were taken back, by what they say of themselves.

A revert is tied to its change by the id that its source gives, else by the title that it quotes. What was taken back
before the onset is out of the way, and what takes back is seldom the cause.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

from graph.values import Change, ChangeKind

_REVERT = re.compile(r"^\W*(?:re-?)?revert\w*\b|^\W*roll(?:ed|ing)?[ -]?back\b|^\W*(?:undo|restore|reinstate|back(?:ed|ing)? out)\b", re.IGNORECASE)  # fmt: skip
_BACK = re.compile(
    r"^\W*(?:\[[^\]]*\]\W*)?(?:\w+: )?(?:put|change|set|switch|move|turn|bring|add|go|roll)\w*\b.*\bback\b"
    r"|\bback to (?:the )?(?:old|previous|original)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"revert(?:s|ed|ing)?:?\s+[\"“](.+)[\"”]", re.IGNORECASE)
_NUMBER = re.compile(r"\s*\(#\d+\)\s*$")


@lru_cache(maxsize=50_000)
def _says(title: str) -> tuple[bool, str]:
    """
    Whether a title says that something is taken back, and the title that it quotes.
    """
    quoted = _QUOTED.search(title)
    back = bool(quoted or _REVERT.search(title) or _BACK.search(title))
    return back, _plain(quoted[1]) if quoted else ""


@lru_cache(maxsize=50_000)
def _plain(title: str) -> str:
    return _NUMBER.sub("", title).strip().lower()


def takes_back(changes: Sequence[Change]) -> frozenset[int]:
    """
    The places of those that take something back.
    """
    return frozenset(
        place
        for place, change in enumerate(changes)
        if change.reverts or change.kind is ChangeKind.ROLLBACK or _says(change.title)[0]
    )


def taken_back(changes: Sequence[Change]) -> frozenset[int]:
    """
    The places of those that another of them takes back. Of several with the quoted title the newest before it.
    """
    if not any(change.reverts or _says(change.title)[1] for change in changes):
        return frozenset()
    ids: dict[str, list[int]] = defaultdict(list)
    titles: dict[str, list[int]] = defaultdict(list)
    taken: set[int] = set()
    for place in sorted(range(len(changes)), key=lambda place: (changes[place].at, changes[place].id)):
        change = changes[place]
        taken.update(ids.get(change.reverts or "", ()))
        quoted = _says(change.title)[1]
        if quoted:
            earlier = [one for one in titles.get(quoted, ()) if one not in taken]
            taken.update(earlier[-1:])
        for name in filter(None, {change.id, change.revision}):
            ids[name].append(place)
        titles[_plain(change.title)].append(place)
    return frozenset(taken)
