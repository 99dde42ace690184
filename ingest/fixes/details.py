"""
What else a document says of its fixes: when, by whom, from what to what, by which runbook. Only what it says in so many
words; what is not said stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from graph.values import Fix, FixAction, Incident, SectionKind
from ingest.fixes.acts import acts_of
from ingest.fixes.clocks import Entry, entries

_UNIT = (
    r"(?:%|[GMKT]i?B?|m|ms|s|secs?|seconds?|mins?|minutes?|hours?|pods?|replicas?|nodes?|instances?|connections?|workers?"
    r"|cores?|v?CPUs?|threads?|shards?)"
)
_VALUE = rf"`?[\w][\w.:/@-]*`?(?:\s?{_UNIT}\b)?%?"
_NUMBER = rf"`?v?\d[\w.-]*`?(?:\s?{_UNIT}\b)?%?(?!:\d)"
_PARAMETERS = (
    re.compile(rf"\bfrom\s+{_VALUE}\s+to\s+{_VALUE}", re.IGNORECASE),
    re.compile(rf"\bto\s+(?:(?:version|release|tag|image|revision)\s+)?{_NUMBER}", re.IGNORECASE),
    re.compile(rf"\b(?:version|release|tag|image|revision)\s+{_NUMBER}", re.IGNORECASE),
)
_CHANGED = {
    FixAction.ROLLBACK, FixAction.REVERT, FixAction.SCALE, FixAction.CONFIGURE, FixAction.PATCH, FixAction.RESTORE,
    FixAction.REPLACE, FixAction.FAIL_OVER,
}  # fmt: skip
_WHO = r"@[A-Za-z][\w.-]*\w|(?:[\w&/-]+\s){1,3}?(?:team|squad)\b|on-?call(?: engineer)?\b"
_BY = re.compile(rf"\bby\s+(?:the\s+|our\s+)?(?P<who>{_WHO})", re.IGNORECASE)
_SUBJECT = re.compile(
    rf"^\W*(?:(?:then|and|later)\s+)?(?:the\s+|our\s+)?(?P<who>{_WHO})\s+(?!to\b|of\b|was\b|were\b|is\b)\w+",
    re.IGNORECASE,
)
_LINKED = re.compile(
    r"\[[^\[\]\n]*(?:runbook|playbook)[^\[\]\n]*\]\((?P<url>[^()\s]+)\)|(?P<bare>https?://\S*(?:runbook|playbook)[^\s)\]>\"']*)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\b(?:following|followed|per|according to|using|ran|executed)\s+(?:the\s+|our\s+)?"
    r"(?P<name>[`\"“]?[A-Za-z][\w /-]{1,60}?\b(?:runbook|playbook))\b",
    re.IGNORECASE,
)
_STEP = re.compile(r"\bstep\s+(?:\d{1,2}|[a-h])\b", re.IGNORECASE)
_SLACK = timedelta(hours=1)


def detailed(fixes: Sequence[Fix], incident: Incident) -> tuple[Fix, ...]:
    """
    The fixes with what their own words and the document's timeline say of them.
    """
    if not fixes:
        return ()
    began = incident.at - timedelta(hours=12) if incident.at and incident.day_only else incident.at
    told = [one for one in entries(incident.sections.get(SectionKind.TIMELINE, ""), began) if one.at]
    deeds = [
        (act.action, act.target.lower(), one)
        for one in told
        if any(fix.at is None for fix in fixes)
        for act in acts_of(one.text[:1200], SectionKind.TIMELINE, imperative=False)
    ]
    return tuple(_told(fix, incident, told, deeds) for fix in fixes)


def _told(fix: Fix, incident: Incident, told: Sequence[Entry], deeds: Sequence[tuple[FixAction, str, Entry]]) -> Fix:
    own = next((one for one in told if fix.quote in one.text or one.text in fix.quote), None)
    same = own or next(
        (one for action, target, one in deeds if (action, target) == (fix.action, fix.target.lower())), None
    )
    link = _LINKED.search(fix.quote)
    named = _NAMED.search(fix.quote)
    step = _STEP.search(fix.quote) if link or named else None
    who = _BY.search(fix.quote) or _SUBJECT.search(fix.quote)
    return replace(
        fix,
        at=fix.at or _within(same.at if same else None, incident),
        by=fix.by or (who["who"] if who else None),
        parameters=fix.parameters or _parameters(fix),
        runbook=fix.runbook
        or ((link["url"] or link["bare"]) if link else named["name"].strip('`"“') if named else None),
        step=fix.step or (step[0] if step else None),
        stated_as=fix.stated_as or ("timeline" if fix.section == SectionKind.TIMELINE else ""),
    )


def _within(at: datetime | None, incident: Incident) -> datetime | None:
    """
    A moment that lies within the incident; another one was misread, or is about something else.
    """
    if at is None:
        return None
    if incident.at and not incident.day_only and at < incident.at - _SLACK:
        return None
    return None if incident.resolved_at and at > incident.resolved_at + _SLACK else at


def _parameters(fix: Fix) -> str:
    if fix.action not in _CHANGED:
        return ""
    found = next((mark for rule in _PARAMETERS if (mark := rule.search(fix.quote))), None)
    return found[0].rstrip(".,;:") if found else ""
