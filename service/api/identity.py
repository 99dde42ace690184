"""
The routes of identity: what a name may mean, which names may be one, and what people decided about it.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI, Request
from starlette.responses import Response

from graph.values import View, entity_name
from ingest.parsing import asked_time, load_json, mapping_of
from models.proposals import Proposal, proposals
from service.api.requests import as_json, body_of, caller, timed
from service.identities import decide, decisions
from service.parts import stamp
from service.tokens import LOCAL, Caller
from service.wiring import Memory


def install(app: FastAPI, memory: Memory) -> None:
    """
    Add the routes to the application.
    """

    @app.get("/v1/identity")
    async def identity(
        request: Request, name: str | None = None, as_of: str | None = None, known_at: str | None = None
    ) -> Response:
        """
        What a name may mean, and under which ids its history lies. Without a name: which names may be one, and all
        decisions.
        """
        who = await caller(request, "read")
        view = _view(who, as_of, known_at)
        if name is None:
            return as_json(await timed("identity", lambda: proposals_part(memory, view)))
        return as_json(await timed("identity", lambda: identity_part(memory, view, name)))

    @app.post("/v1/identity")
    async def decided(request: Request) -> Response:
        """
        Decide: `{action: confirm|reject|rename|split, names: [...], at?, note?}`, or `{action: undo, id}`.
        """
        who = await caller(request, "admin")
        body = mapping_of(load_json(await body_of(request), "the decision"), "the decision")
        return as_json(await timed("identity", lambda: decided_part(memory, body, who)))


def _view(who: Caller, as_of: str | None, known_at: str | None) -> View:
    now = View.now(who.visibility)
    return View(
        as_of=asked_time(as_of, "as_of") if as_of else now.as_of,
        known_at=asked_time(known_at, "known_at") if known_at else now.known_at,
        visibility=who.visibility,
    )


def identity_part(memory: Memory, view: View, name: str) -> dict[str, object]:
    """
    Candidates for a name, with the ids of each.
    """
    directory = memory.catalogue.directory(view)
    ranking = memory.resolver.lookup(name, view)
    rows = [
        {
            "id": one.id, "probability": round(one.probability, 4), "matched": [term.says for term in one.terms],
            "ids": sorted(directory.members(one.id)), "evidence": list(one.evidence),
        }
        for one in ranking.candidates[:5]
    ]  # fmt: skip
    return {
        "name": name,
        "candidates": rows,
        "none_probability": round(ranking.none_probability, 4),
        "abstained": ranking.abstained,
    }


def proposals_part(memory: Memory, view: View) -> dict[str, object]:
    """
    Which names may be one, the likeliest first, and all decisions, the latest first.
    """
    names = memory.catalogue.directory(view).identity
    return {
        "proposals": [_proposal(one) for one in proposals(memory.facts, view, names)],
        "decisions": decisions(memory.store, view.visibility),
    }


def _proposal(one: Proposal) -> dict[str, object]:
    return {
        "action": one.action,
        "names": [one.other, one.keep],
        "at": stamp(one.at),
        "probability": round(one.probability, 4),
        "says": f"{entity_name(one.other)} may be {entity_name(one.keep)}",
        "disputed": one.disputed,
        "terms": [{"name": term.name, "weight": round(term.weight, 3), "says": term.says} for term in one.terms],
        "evidence": list(one.evidence),
    }


def decided_part(memory: Memory, body: Mapping[str, object], who: Caller) -> dict[str, object]:
    """
    A decision in the caller's name, in force when this returns.
    """
    # a token says who decides; without tokens there is only what the body says
    by = str(body.get("by") or who.name)[:200] if who is LOCAL else who.name
    told = {key: body.get(key) for key in ("action", "names", "id", "at")}
    memory.audit.record(by, "identity", {key: value for key, value in told.items() if value})
    made = decide(memory.store, body, by, None if who is LOCAL else who.visibility)
    memory.follow()
    return made
