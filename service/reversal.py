"""
How an action is taken back, if it can be: said, never done.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from graph.values import Change, ChangeKind, EntityId, FixAction, Statement, View
from service.fence import label
from service.parts import Cite, Part
from service.wiring import Memory

REVERSALS: Mapping[str, tuple[bool, str]] = {
    FixAction.ROLLBACK: (True, "deploy again what was rolled back"),
    FixAction.REVERT: (True, "revert the revert"),
    FixAction.RESTART: (True, "nothing stays changed; what it held in memory is gone"),
    FixAction.SCALE: (True, "scale back to the size it had"),
    FixAction.FAIL_OVER: (True, "fail back once the first place is well"),
    FixAction.CONFIGURE: (True, "set the value that it had"),
    FixAction.FLAG_OFF: (True, "switch the flag on again"),
    FixAction.ROTATE: (False, "what was rotated out is not valid again"),
    FixAction.CLEAR: (False, "what is removed is gone"),
    FixAction.BLOCK: (True, "lift the block"),
    FixAction.PATCH: (True, "roll the patch back"),
    FixAction.RESTORE: (False, "what it replaces is gone"),
    FixAction.REPLACE: (False, "what was replaced is gone"),
}
_OF = {
    FixAction.ROLLBACK: (ChangeKind.DEPLOY, ChangeKind.MODEL),
    FixAction.PATCH: (ChangeKind.DEPLOY,),
    FixAction.CONFIGURE: (ChangeKind.CONFIG,),
    FixAction.FLAG_OFF: (ChangeKind.FLAG,),
    FixAction.SCALE: (ChangeKind.SCALING,),
}
"""The kinds of change that say to what it would be taken back."""
_LOOKED = 50


def reversible(action: str) -> bool | None:
    """
    Whether an action can be taken back; None of one that we have no word for.
    """
    return REVERSALS[action][0] if action in REVERSALS else None


def reversal_part(memory: Memory, view: View, action: str, services: Collection[EntityId], cite: Cite) -> Part:
    """
    How to take it back, with the change that says to what.
    """
    if action not in REVERSALS:
        return {"possible": None, "says": "how to take this back is not known", "to": None, "evidence": []}
    possible, says = REVERSALS[action]
    found = _last(memory, view, _OF.get(FixAction(action), ()), services)
    to = None
    if found is not None:
        change = found.item
        says = f"{says}: {label(change.revision or change.title or change.id)}"
        to = {"change": change.id, "revision": change.revision, "previous": change.previous}
    return {"possible": possible, "says": says, "to": to, "evidence": cite([found.record] if found else [])}


def _last(
    memory: Memory, view: View, kinds: Collection[ChangeKind], services: Collection[EntityId]
) -> Statement[Change] | None:
    if not kinds or not services:
        return None
    newest = memory.store.changes(view, services=services, end=view.as_of, limit=_LOOKED)
    return next((one for one in newest if one.item.kind in kinds), None)
