"""
The answer to a proposed action: allow, who must approve, or refuse, with the rule, how far harm would reach, how it is
taken back, and whom it escalates to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from graph.policies import Judgement, Verdict
from graph.values import EntityId, View, entity_name
from ingest.connectors._rules import ACTION, known
from ingest.errors import BadRecord
from ingest.parsing import asked_time
from service import parts
from service.lookup import LONGEST
from service.parts import Part, stamp
from service.policy import DEPTH, REACH, Proposal, closed, effects_of, judgement, rule_word, rules_of, unread
from service.radius import radius_part
from service.reversal import reversal_part
from service.tokens import LOCAL, Caller
from service.wiring import Memory

FIELDS = ("action", "target", "environment", "at", "who")
NEAREST = 10
AGENT = {
    "observe": "look, and say what it sees",
    "assist": "prepare it for a person",
    "act": "do what is allowed, and prepare the rest",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """
    What is asked. `at` None: at the view's moment.
    """

    action: str
    target: str = ""
    environment: str | None = None
    at: datetime | None = None
    who: str = LOCAL.name


def check_of(given: Mapping[str, object], caller: Caller) -> Check:
    """
    A question from a body. BadRecord names the field by its path. A token says who would act; without tokens the body.
    """
    known(given, FIELDS, "check")
    told = {key: _text(given, key) for key in ("action", "target", "environment", "who")}
    action = re.sub(r"[\s-]+", "_", told["action"].lower())
    if not ACTION.fullmatch(action):
        raise BadRecord("check.action: say what would be done in a word, like restart, rollback, scale")
    if caller is not LOCAL and told["who"] not in ("", caller.name):
        raise BadRecord("check.who: this token asks for itself; leave `who` out, or ask with the other's token")
    at = given.get("at")
    return Check(
        action=action,
        target=told["target"],
        environment=told["environment"] or None,
        at=asked_time(at, "check.at") if at not in (None, "") else None,
        who=caller.name if caller is not LOCAL else told["who"] or LOCAL.name,
    )


def _text(given: Mapping[str, object], key: str) -> str:
    value = given.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST:
        raise BadRecord(f"check.{key}: write a text of at most {LONGEST} characters")
    return value.strip()


def checked(memory: Memory, view: View, check: Check) -> Part:
    """
    The whole answer. It decides nothing by itself, and nothing is done.
    """
    gaps: list[str] = []
    cited: set[str] = set()
    cite = parts.citing(cited)
    service = _service(memory, view, check.target, gaps)
    owner = parts.owner_part(memory, view, service, cite, gaps.append) if service else None
    radius = radius_part(memory, view, service, cite, depth=DEPTH, limit=REACH, shown=NEAREST, brief=True)
    at = check.at or view.as_of
    proposal = Proposal(action=check.action, service=service, at=at, environment=check.environment, who=check.who)
    found = closed(memory, judgement(memory, view, proposal, owner, radius))
    gaps += [f"the rules of {name} cannot be read; see `precedent sources`" for name in unread(memory)]
    effects = effects_of(found, rules_of(memory, view))
    for one in effects:
        cite(cast("list[str]", one["evidence"]))
    own = memory.catalogue.directory(view).own(service) if service else ()
    return {
        "action": check.action,
        "target": check.target or None,
        "service": service,
        "environment": check.environment,
        "at": stamp(at),
        "who": check.who,
        "verdict": found.verdict.word,
        "mode": found.mode.word,
        "agent_may": AGENT[found.mode.word],
        "rule": rule_word(found),
        "because": found.because,
        "approval": _approval(found, owner, check.who, gaps),
        "rules": effects,
        "blast_radius": radius,
        "reversal": reversal_part(memory, view, check.action, own, cite),
        "escalation": _escalation(owner),
        "gaps": [*dict.fromkeys([*gaps, *memory.lags()])],
        "evidence": sorted(cited),
        "as_of": stamp(view.as_of),
        "known_at": stamp(view.known_at),
    }


def told_of(found: Part) -> dict[str, object]:
    """
    What the audit says of an answer.
    """
    return {key: found[key] for key in ("action", "service", "environment", "at", "who", "verdict", "mode", "rule")}


def _service(memory: Memory, view: View, target: str, gaps: list[str]) -> EntityId | None:
    """
    The service of any name; None where it is not known, which allows nothing.
    """
    if not target:
        gaps.append("no target is named; say `target`, a service by any of its names")
        return None
    ranking = memory.resolver.lookup(target.removeprefix("service:"), view)
    if ranking.abstained or not ranking.candidates:
        gaps.append("the target is not known as a service")
        return None
    return ranking.candidates[0].id


def _approval(found: Judgement, owner: Part | None, who: str, gaps: list[str]) -> Part | None:
    """
    Who may approve, without whoever asks; None where no approval helps or is needed.
    """
    if found.verdict is not Verdict.NEEDS_APPROVAL:
        return None
    rows: dict[str, Part] = {}
    for one in found.approvers or ("owner",):
        for row in _named(one, owner):
            rows.setdefault(str(row["id"]), row)
    rows.pop(who if ":" in who else f"person:{who}", None)
    if not rows:
        gaps.append("nobody is known who could approve; go up the escalation path")
    return {"count": found.approvals, "by": list(rows.values())}


def _named(one: str, owner: Part | None) -> list[Part]:
    if one not in ("owner", "on_call"):
        return [{"id": one, "name": entity_name(one), "why": "named by the rule", "on_call": False}]
    if owner is None:
        return []
    turn = [_person(row, owner) for row in _answering(owner)]
    if one == "on_call":
        return turn
    team = owner["team"]
    own = [{"id": team, "name": owner["name"], "why": "owns the target", "on_call": False}] if team else []
    return [*own, *turn]


def _answering(owner: Part) -> list[Part]:
    """
    Who is on call, else who answers in their place.
    """
    return cast("list[Part]", owner["answers_now"] or cast("Part", owner["answering"])["people"])


def _person(row: Part, owner: Part) -> Part:
    turn = bool(owner["answers_now"])
    via = cast("Part", owner["answering"])["via"]
    why = "on call now" if turn else f"answers ({via}), since nobody is on call"
    return {"id": row["id"], "name": row["name"], "why": why, "on_call": turn}


def _escalation(owner: Part | None) -> list[Part]:
    """
    Level by level who is paged, and who that is now; who answers where there are no levels.
    """
    if owner is None:
        return []
    levels = cast("list[Part]", cast("Part", owner["answering"])["levels"])
    if not levels and (people := _answering(owner)):
        told = [{"id": one["id"], "name": one["name"]} for one in people]
        cited = sorted({record for one in people for record in cast("list[str]", one["evidence"])})
        return [{"level": None, "targets": [], "people": told, "delay_minutes": None, "evidence": cited}]
    return [
        {
            "level": one["level"],
            "targets": one["targets"],
            "people": [{"id": who["id"], "name": who["name"]} for who in cast("list[Part]", one["people"])],
            "delay_minutes": one["delay_minutes"],
            "evidence": one["evidence"],
        }
        for one in levels
    ]


def shown(memory: Memory, view: View) -> Part:
    """
    The rules in force, with where each stands.
    """
    rows = [
        {
            "name": rule.name,
            "says": rule.says,
            "verdict": rule.verdict.word if rule.verdict is not None else None,
            "mode": rule.mode.word if rule.mode is not None else None,
            "rule": statement.item.attributes["rule"],
            "source": statement.source,
            "file": statement.item.object,
            "valid_from": stamp(statement.item.valid.start),
            "valid_to": stamp(statement.item.valid.end),
            "known_from": stamp(statement.known.start),
            "evidence": [statement.record],
        }
        for rule, statement in rules_of(memory, view)
    ]
    gaps = [f"the rules of {name} cannot be read; see `precedent sources`" for name in unread(memory)]
    rows.sort(key=lambda row: (str(row["name"]), str(row["source"]), str(row["file"])))
    return {"rules": rows, "gaps": gaps, "as_of": stamp(view.as_of), "known_at": stamp(view.known_at)}
