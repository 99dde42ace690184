"""
A precedent with what is known of its fixes today: whether they held, what was seen of them elsewhere, and whether they
can still be done.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from graph.identity import Identity
from graph.replica import Replica
from graph.values import (
    Change,
    EntityKind,
    FactKind,
    Fix,
    FixAction,
    Incident,
    SectionKind,
    Statement,
    View,
    entity_id,
    entity_name,
)
from models.contract import Candidate
from service.follow_ups import open_actions
from service.parts import Cite, Part, precedent_part, stamp

if TYPE_CHECKING:
    from service.wiring import Memory

GONE = frozenset(["retired", "decommissioned", "deprecated", "sunset", "removed", "archived", "deleted", "eol"])
"""Lifecycles of what is no more."""
_KINDS = (EntityKind.SERVICE, EntityKind.RESOURCE)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*[A-Za-z0-9]")
_MOST_WORDS = 6
_BACK = (FixAction.ROLLBACK, FixAction.REVERT)
_SHOWN_ACTIONS = 3


def precedent(memory: Memory, view: View, one: Candidate, incident: Incident, cite: Cite) -> Part:
    """
    `precedent_part` of the incident, its fixes ordered by whether they can still be done.
    """
    held, again = memory.catalogue.aftermath.held(view, incident)
    directory = memory.catalogue.directory(view)
    services = {name for service in incident.services for name in directory.own(service)} | set(incident.services)
    seen = memory.activity.takebacks.of(view, incident, services)
    fixes = _with_change(_told(incident, held), seen)
    lost = {fix.target: why for fix in fixes if (why := lost_target(memory, view, fix.target))}
    fixes = (*(fix for fix in fixes if fix.target not in lost), *(fix for fix in fixes if fix.target in lost))
    part = precedent_part(one, replace(incident, fixes=fixes), cite)
    if again:
        part["again"] = list(again)
    for row in _rows(part):
        if row["target"] in lost:
            row["lost"] = lost[str(row["target"])]
        if seen and row.get("change") == seen.item.id:
            row["evidence"] = cite([seen.record])
    if found := open_actions(incident.sections.get(SectionKind.ACTION_ITEMS, "")):
        part["open_actions"] = len(found)
        part["follow_ups"] = [each.row for each in found[:_SHOWN_ACTIONS]]
    return part


def _rows(part: Part) -> Iterator[Part]:
    for name in ("fix", "also", "did_not_help"):
        given = part[name]
        for row in given if isinstance(given, list) else [given]:
            if isinstance(row, dict):
                yield row


def _told(incident: Incident, held: bool | None) -> tuple[Fix, ...]:
    """
    The document's fixes; one that is not said to have failed held as the incident did not come back.
    """
    return tuple(fix if fix.worked is False else replace(fix, held=held) for fix in incident.fixes)


def _with_change(fixes: Sequence[Fix], seen: Statement[Change] | None) -> tuple[Fix, ...]:
    """
    With the rollback or revert that was seen during the incident: beside the document's own word of it, else as a fix
    of its own.
    """
    if seen is None:
        return tuple(fixes)
    change = seen.item
    place = next((nth for nth, fix in enumerate(fixes) if fix.action in _BACK and fix.worked is not False), None)
    if place is not None:
        fix = fixes[place]
        full = replace(
            fix,
            at=fix.at or change.at,
            by=fix.by or change.actor,
            reverts=fix.reverts or change.reverts,
            change=change.id,
        )
        return (*fixes[:place], full, *fixes[place + 1 :])
    if not change.title:
        return tuple(fixes)
    made = Fix(
        action=FixAction.REVERT if change.reverts and change.kind.value != "rollback" else FixAction.ROLLBACK,
        target=entity_name(change.services[0]) if change.services else "",
        quote=change.title[:300],
        at=change.at,
        by=change.actor,
        reverts=change.reverts,
        change=change.id,
        stated_as="change",
        held=next((fix.held for fix in fixes if fix.worked is not False), None),
    )
    return (*fixes, made)


def lost_target(memory: Memory, view: View, target: str) -> str | None:
    """
    Why a fix can no longer be done to its target, where it is known that it cannot: it is gone, or something else has
    taken its place. A new name is no loss, and a target that nobody describes counts as there.
    """
    directory = memory.catalogue.directory(view)
    if target not in directory.remarks:
        directory.remarks[target] = _lost(memory.facts, view, directory.identity, target)
    return directory.remarks[target]


def _lost(facts: Replica, view: View, names: Identity, target: str) -> str | None:
    gone = None
    for word in _WORD.findall(target)[:_MOST_WORDS]:
        own = [entity_id(kind, word) for kind in _KINDS]
        ids = frozenset(same for one in own for same in names.same(one)) | frozenset(own)
        stated = facts.facts(view, kinds=(FactKind.ENTITY,), subjects=ids)
        said = [one.item.attributes for one in stated]
        why = next((why for attributes in said if (why := _marked(attributes))), None)
        if stated and why is None:
            return None
        parts = sorted(entity_name(part) for one in own for part in names.parts(one))
        former = () if stated else facts.former(view, FactKind.ENTITY, ids)
        if parts:
            gone = f"it was split into {', '.join(parts)}"
        elif why:
            gone = why
        elif former:
            ended = max(one.known.end for one in former if one.known.end)
            gone = f"no source names it since {(stamp(ended) or '')[:10]}"
    return gone


def _marked(attributes: Mapping[str, str]) -> str | None:
    """
    What its own description says against it.
    """
    other = attributes.get("replaced_by") or attributes.get("superseded_by")
    if other:
        return f"it was replaced by {other[:80]}"
    lifecycle = attributes.get("lifecycle", "").strip().lower()
    return f"it is marked {lifecycle}" if lifecycle in GONE else None
