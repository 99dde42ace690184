"""
A verdict on an answer, from the API or a page: whose voice it is, and what becomes of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from ingest.connectors.feedback import check
from ingest.contract import Source
from ingest.journal import admit
from service.parts import Part
from service.tokens import LOCAL, Caller
from service.wiring import Memory


def note_verdict(memory: Memory, who: Caller, given: Mapping[str, object]) -> Part:
    """
    Keep a verdict as a record. A Problem 404 for an answer that the caller may not see; BadRecord for no verdict.
    """
    from service.api.app import answer_seen

    body = dict(given)
    # a token says whose voice it is; without tokens there is only what the body says
    body["by"] = str(body.get("by") or who.name) if who is LOCAL else who.name
    answer_seen(memory, str(body.get("answer_id")), who)
    check(body)
    memory.audit.record(who.name, "feedback", {"answer": body["answer_id"], "verdict": body["verdict"]})
    source = Source(name="feedback", connector="feedback")
    admitted = admit(memory.store, source, orjson.dumps(body), {"path": "feedback"})
    memory.nudge()
    return {"records": list(admitted.records), "duplicate": not admitted.new}
