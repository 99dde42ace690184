"""
Whether a verb is active or passive, and whether those who respond did it.
"""

from __future__ import annotations

import re

from graph.values import SectionKind
from ingest.fixes.clauses import AUXILIARY, PEOPLE, Spot
from ingest.fixes.outcomes import ENDED, FAILED, INVOLVED
from ingest.fixes.verbs import CHANGE

_TOLD = (SectionKind.RESOLUTION, SectionKind.TIMELINE)
_PROPER = re.compile(
    r"(?!(?:\w+ing|The|A|An|This|That|These|It|One|Our|Its|Their|His|Her|My|Some|All|Each|Many|No|Most|Which)\b)[A-Z]"
)
_HAD_TO = re.compile(
    r"\b(?:had|needed|prioriti[sz]ed|able|managed|proceeded|began|started|continued|forced"
    r"|(?:repair|fix|solution|resolution|workaround) was)\s+to\s+(?:\w+ly\s+)?$",
    re.IGNORECASE,
)
_WE = re.compile(r"\b(?:we|they|I|engineers|teams?|admins)\s+(?:(?:just|also|then|now|\w+ly)\s+)*$", re.IGNORECASE)
_SETTLES = {"drain", "recover", "clear", "complete", "drop", "stop", "fill"}
"""What things do once a fix is in: the pool drained, errors cleared. It is how it ended, not what ended it."""
_MOVES_ITSELF = {
    "restart", "rebuild", "migrate", "reload", "reboot", "recover", "terminate", "clear", "change", "increase", "drop",
    "run", "start", "stop", "complete",
}  # fmt: skip
_DETERMINED = re.compile(
    r"(?:^|\s)(?:a|an|the|this|these|those|its|their|our|newly|recently|some|any|no|with|using|of"
    r"|previously|deploys|(?:new|old|larger|smaller|previous),?)\s+$",
    re.IGNORECASE,
)


def voice_of(spot: Spot, thing: str) -> tuple[bool, float] | None:
    """
    Whether the verb is passive, and how doubtful it is; None where it tells of nothing done by those who respond.
    """
    if spot.form == "gerund":
        return _gerund(spot)
    if spot.form == "past" and not re.search(r"\bto\s+$", spot.scope, re.IGNORECASE):
        if AUXILIARY.search(spot.scope):
            return (True, 0.3 if re.search(r"\bbeing\s+$", spot.scope) else 0.0)
        if not thing and not spot.scope.strip() and spot.acts and spot.acts[-1].passive:
            return (True, 0.1)
        return _past(spot, thing)
    if spot.form == "third":
        people = PEOPLE.search(spot.scope) or (not spot.scope.strip() and PEOPLE.search(spot.before))
        return (False, 0.2) if thing and people else None
    return _bare(spot, thing)


def _past(spot: Spot, thing: str) -> tuple[bool, float] | None:
    """
    "We restarted X" and "Restarted X" are active, "X restarted" and "X reverted" passive; what moved by itself is none.
    """
    subject = re.sub(r"\b(?:has|have|then|also|first|just|\w+ly)\b|[*_]", " ", spot.scope, flags=re.IGNORECASE).strip()
    headed = not subject and re.match(r"\W*(?:\w+ly\s+)?[A-Z]?\w+ing\b", spot.before)
    if headed or _DETERMINED.search(spot.before) or re.search(r"\bhad\s*$|ed\s*$|\b(?:saw|with)\s*$", subject):
        return None
    if thing:
        return (
            (False, 0.0)
            if not subject or PEOPLE.search(subject) or _PROPER.match(subject) or subject[0] == "@"
            else None
        )
    if len(subject.split()) > 7 or re.search(
        r"\b(?:by|because|rendered)\b|^no(?:ne|body|thing)?\b", subject, re.IGNORECASE
    ):
        return None
    if not subject or PEOPLE.fullmatch(subject) or (spot.verb.base == "revert" and not CHANGE.search(subject)):
        return None
    if spot.verb.base in _SETTLES:
        return None
    told = spot.kind is SectionKind.RESOLUTION and not re.search(r"\bha[sv]e?\b", spot.scope)
    return (True, 0.1) if told or spot.verb.base not in _MOVES_ITSELF else None


def _gerund(spot: Spot) -> tuple[bool, float] | None:
    """
    "By restarting X", "Restarting X fixed it", "the team restarting X"; not what merely went along with something.
    """
    scope, before, told = spot.scope, spot.before, spot.imperative or spot.kind in _TOLD
    if re.search(r"\b(?:by|after|following|upon|when|once)\s+(?:\w+ly\s+)?$", scope):
        return (False, 0.0)
    if re.search(INVOLVED.pattern + r"(?:\w+ly\s+)?$", before, re.IGNORECASE):
        return (False, 0.0)
    if re.search(r"\b(?:started|began|begun|continued|finished|completed)\s+$", scope, re.IGNORECASE):
        return (False, 0.1) if PEOPLE.search(before) or len(scope.split()) < 2 else None
    if re.search(r"\b(?:tried|attempted|trying)\s+$", scope, re.IGNORECASE):
        return (False, 1.0)
    bare = re.sub(r"\b(?:by|and|then|also|\w+ly)\b", " ", scope, flags=re.IGNORECASE).strip()
    first = not re.sub(r"\b\w+ly\b", "", before).strip(" ,*_-") or re.search(
        r"(?:i\.e\.|[;:.\"“])\s*(?:\w+ly\s+)?$", before
    )
    if not bare and first and (told or ENDED.search(spot.rest) or FAILED.search(spot.rest)):
        return (False, 0.0)
    if not bare and spot.acts and spot.acts[-1].form == "gerund":
        return (False, 0.1)
    people = told and PEOPLE.search(bare) and not re.search(r"\b(?:was|were|is|are|been|of|for|to|from|in)\b", bare)
    return (False, 0.2) if people and len(bare.split()) < 6 else None


def _bare(spot: Spot, thing: str) -> tuple[bool, float] | None:
    """
    A base form: an order at the head of an entry, "we restart X", or "had to restart X".
    """
    if not thing or re.match(r"\s*(?:of|was|were|is|has|in|at|complete)\b", spot.rest):
        return None
    lead = re.sub(r"\b(?:\w+ly|then|also|or|and|force|just|\w+ and)\b", " ", spot.before, flags=re.IGNORECASE)
    lead = lead.strip(" *_-:.>").lower()
    told = spot.imperative or spot.kind is SectionKind.RESOLUTION
    purpose = lead == "to" and re.search(r",\s*(?:the|we|our|engineers?|\w+ team)\b", spot.rest)
    if told and lead in ("", "to") and not purpose:
        return (False, 0.0 if spot.imperative else 0.2)
    if told and not spot.scope.strip() and spot.acts and spot.acts[-1].form == "base":
        return (False, 0.3)
    if _WE.search(spot.scope) or _HAD_TO.search(spot.scope):
        return (False, 0.0)
    if re.search(r"\b(?:decided|decides|agreed|decision made)\s+to\s+(?:\w+ly\s+)?$", spot.scope, re.IGNORECASE):
        return (False, 0.5)
    return (False, 1.0) if re.search(r"\b(?:tried|attempted)\s+to\s+$", spot.scope, re.IGNORECASE) else None
