"""
A verdict on an answer, from the API or a page: whose voice it is, and what becomes of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from ingest.errors import BadRecord
from service.feedback import give, undo
from service.parts import Part
from service.tokens import LOCAL, Caller
from service.wiring import Memory


def note_verdict(memory: Memory, who: Caller, given: Mapping[str, object]) -> Part:
    """
    Keep a verdict as a record, or take one back (`undo`); it is in force when this returns. A Problem 404 for an answer
    that the caller may not see; BadRecord for no verdict.
    """
    from service.api.app import answer_seen

    # a token says whose voice it is; without tokens there is only what the body says
    by = str(given.get("by") or who.name)[:200] if who is LOCAL else who.name
    labels = None if who is LOCAL else who.visibility
    if given.get("undo"):
        made = undo(memory.store, str(given["undo"]), None if who.may("admin") else by, labels)
    elif not given.get("answer_id"):
        raise BadRecord("feedback needs `answer_id`, or `undo` with the id of a verdict")
    else:
        answer = orjson.loads(answer_seen(memory, str(given["answer_id"]), who))
        made = give(memory.store, answer, given, by)
    undone = {"undo": str(given["undo"])} if given.get("undo") else {}
    told = {"answer": str(given.get("answer_id") or ""), "verdict": str(made["verdict"])}
    memory.audit.record(who.name, "feedback", undone or told)
    memory.follow()
    return made
