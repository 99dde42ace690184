"""
The fixes of an incident: what its sections say was done, ranked by how clearly it ended the incident.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graph.values import Fix, FixAction, SectionKind
from ingest.fixes.acts import acts_of
from ingest.fixes.clauses import Act
from ingest.fixes.outcomes import ENDED, GOOD_NEWS, outcome, part_at
from ingest.fixes.pieces import Piece, pieces_of
from ingest.fixes.standing import LATER

_WEIGHTS = (
    (SectionKind.RESOLUTION, 3.0),
    (SectionKind.TIMELINE, 1.0),
    (SectionKind.SUMMARY, 1.6),
    (SectionKind.CAUSE, 0.6),
    (SectionKind.OTHER, 0.4),
)
_STRENGTH = {
    FixAction.CONFIGURE: -0.3,
    FixAction.OTHER: -0.35,
    FixAction.CLEAR: -0.15,
    FixAction.PATCH: -0.15,
    FixAction.REPLACE: -0.1,
    FixAction.BLOCK: -0.1,
    FixAction.WAIT: -0.6,
}
_REFERENCE = re.compile(r"(?:#|/pull/|/commit/|PR\s*#?)([0-9a-f]{7,40}|\d{1,6})\b")


@dataclass(frozen=True, slots=True)
class _Found:
    fix: Fix
    score: float


def extract_fixes(sections: Mapping[SectionKind, str], limit: int = 6, *, imperative: bool = False) -> tuple[Fix, ...]:
    """
    What ended the incident first, then what else helped, then what was tried in vain. Quotes are substrings of the
    section that they come from. With `imperative`, advice ("Restart the pod") counts as well as reports.
    """
    found: list[_Found] = []
    for kind, weight in _WEIGHTS:
        pieces = list(pieces_of(sections.get(kind, "")))
        lead = False
        for place, piece in enumerate(pieces):
            lead = (lead and piece.listed) or _leads(piece.text)
            step = 0.05 * min(place, 8) if kind is SectionKind.TIMELINE else -0.02 * min(place, 8)
            following = pieces[place + 1].text if place + 1 < len(pieces) else ""
            if piece.fix and kind is not SectionKind.RESOLUTION:
                step += 1.0
            found += _found(
                piece,
                SectionKind.RESOLUTION if piece.fix else kind,
                weight + step,
                following,
                lead=lead,
                imperative=imperative,
            )
    worked = sorted((one for one in found if one.fix.worked is not False), key=lambda one: -one.score)
    tried = [one.fix for one in found if one.fix.worked is False]
    best = worked[0].score if worked else 0.0
    kept = [one.fix for one in worked if one.score >= best - 1.0][: limit - 2]
    return tuple(_distinct([*kept, *tried])[:limit])


def _leads(text: str) -> bool:
    """
    Whether a list of what ended it follows: "This was resolved by:".
    """
    return (
        text.rstrip().endswith(":")
        and bool(re.search(r"\b(?:by|following|steps|actions)\W*$", text))
        and bool(ENDED.search(text))
    )


def _found(
    piece: Piece, kind: SectionKind, weight: float, following: str, *, lead: bool, imperative: bool
) -> Iterator[_Found]:
    """
    What one sentence says was done, the likeliest first; that and what was tried beside it.
    """
    sentence = piece.text
    if len(sentence) > 1200 or LATER.search(sentence):
        return
    helped = bool(GOOD_NEWS.search(following)) or (lead and piece.listed)
    acts = acts_of(sentence, kind, imperative=imperative or (lead and piece.listed))
    judged = [(act, outcome(sentence, act, following, helped=helped)) for act in acts]
    good = [(act, worked) for act, worked in judged if worked is not False and _believed(act, worked, kind)]
    bad = [act for act, worked in judged if worked is False]
    if good:
        act, worked = max(
            good, key=lambda one: (_STRENGTH.get(one[0].action, 0.0) + 0.5 * one[0].ended - one[0].doubt, -one[0].start)
        )
        score = weight + _STRENGTH.get(act.action, 0.0) - act.doubt + (0.8 if worked else 0.0)
        sure = worked or (True if kind is SectionKind.RESOLUTION and act.doubt < 1 else None)
        if kind is SectionKind.TIMELINE and not worked:
            score -= 0.5
        yield _Found(_fix(act, sentence, sentence, kind, sure), score)
    for act in bad[:1]:
        quote = part_at(sentence, act.start) if good else sentence
        yield _Found(_fix(act, sentence, quote, kind, False), weight)


def _fix(act: Act, sentence: str, quote: str, kind: SectionKind, worked: bool | None) -> Fix:
    reference = _REFERENCE.search(sentence)
    takes_back = act.action in (FixAction.REVERT, FixAction.ROLLBACK)
    return Fix(
        action=act.action,
        target=act.target,
        quote=quote,
        section=kind.value,
        reverts=reference[1] if reference and takes_back else None,
        worked=worked,
    )


def _believed(act: Act, worked: bool | None, kind: SectionKind) -> bool:
    """
    Outside what tells of the response, an act counts where it is said to have ended something, or takes a change back.
    """
    # what "was deleted" in a timeline may as well be the damage
    damage = act.passive and act.action in (FixAction.CLEAR, FixAction.RESTART, FixAction.BLOCK)
    return bool(
        worked
        or kind is SectionKind.RESOLUTION
        or (kind is SectionKind.TIMELINE and act.doubt < 1 and not damage)
        or (act.action in (FixAction.ROLLBACK, FixAction.REVERT) and act.doubt < 0.5)
    )


def _distinct(fixes: list[Fix]) -> list[Fix]:
    seen: set[tuple[FixAction, str]] = set()
    kept: list[Fix] = []
    for fix in fixes:
        mark = (fix.action, fix.quote if not fix.target else fix.target.lower())
        if mark not in seen and fix.quote not in {other.quote for other in kept}:
            seen.add(mark)
            kept.append(fix)
    return kept
