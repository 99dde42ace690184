"""
Whether an action may be taken: the reviewed rules that a view sees, asked of what the graph knows of the target. It
answers, and does nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from graph.policies import LEVELS, SELF, Judgement, Rule, Situation, Verdict, judge
from graph.values import EntityId, Fact, FactKind, RecordState, Statement, Trust, View, entity_name
from ingest.connectors._rules import ACTIONS, written
from ingest.connectors.policy import NAME
from service.parts import Cite, Part
from service.radius import described
from service.reversal import reversible
from service.wiring import Memory

DEFAULT = "default: nothing is done without a person"
OBSERVE: Part = {"mode": "observe", "verdict": "nothing is allowed without a person", "rule": "default"}
"""What holds where nobody wrote a rule."""
DEPTH, REACH = 2, 200
"""How far the blast radius is followed for limits: as far as an answer to an alert shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """
    What would be done (a word such as `restart`, None: any), to which service (None: not known), where, when, by whom.
    """

    action: str | None
    service: EntityId | None
    at: datetime
    environment: str | None = None
    who: str | None = None


def rules_of(memory: Memory, view: View) -> tuple[tuple[Rule, Statement[Fact]], ...]:
    """
    The rules in force, each with its statement. What is not reviewed is none, whoever states it.
    """
    stated = memory.facts.facts(view, kinds=(FactKind.POLICY,))
    return tuple(
        (written(one.item.attributes["rule"], one.item.object).rule, one)
        for one in stated
        if one.trust >= Trust.REVIEWED
    )


def judgement(memory: Memory, view: View, proposal: Proposal, owner: Part | None, radius: Part | None) -> Judgement:
    """
    The rules' judgement. `owner` and `radius` are these parts of an answer for the same service (`DEPTH`, `REACH`).
    """
    rules = [rule for rule, _ in rules_of(memory, view)]
    return judge(rules, _situation(memory, view, proposal, owner, radius))


def verdict_part(
    memory: Memory, view: View, proposal: Proposal, owner: Part | None = None, radius: Part | None = None
) -> Part:
    """
    In short, for a step of a playbook: `{verdict, mode, rule, because, reversible}`. Reads no store unless it would
    allow.
    """
    found = closed(memory, judgement(memory, view, proposal, owner, radius))
    return {
        "verdict": found.verdict.word,
        "mode": found.mode.word,
        "rule": rule_word(found),
        "because": found.because,
        "reversible": reversible(proposal.action or ""),
    }


def closed(memory: Memory, found: Judgement) -> Judgement:
    """
    The judgement; nothing is allowed while a file of rules cannot be read, since it may hold what forbids it.
    """
    if found.verdict is not Verdict.ALLOW or not (broken := unread(memory)):
        return found
    because = f"rules of {', '.join(broken)} cannot be read"
    return replace(found, verdict=Verdict.NEEDS_APPROVAL, rule="unread", because=because, approvals=1)


def rule_word(found: Judgement) -> str:
    """
    The rule that decided; in words where it is none that somebody wrote.
    """
    return DEFAULT if found.rule in SELF else found.rule


def mode_part(
    memory: Memory, view: View, service: EntityId | None, environment: str | None, owner: object, cite: Cite
) -> Part:
    """
    The `policy` part of an answer: what an agent may do at all for this service.
    """
    stated = rules_of(memory, view)
    if not stated:
        return dict(OBSERVE)
    proposal = Proposal(action=None, service=service, at=view.as_of, environment=environment)
    told = owner if isinstance(owner, dict) else None
    found = judge([rule for rule, _ in stated], _situation(memory, view, proposal, told, None))
    modes = [one.rule.name for one in found.effects if one.rule.mode is found.mode and one.sure]
    says = "each action is asked for" if found.mode.word == "act" else str(OBSERVE["verdict"])
    return {
        "mode": found.mode.word,
        "verdict": says,
        "rule": modes[0] if modes else "default",
        "evidence": cite(one.record for rule, one in stated if rule.name in modes),
    }


def unread(memory: Memory) -> tuple[str, ...]:
    """
    The sources of rules with a file whose newest version waits in quarantine.
    """
    store = memory.store
    stated = {one.source for _, one in rules_of(memory, View.now())}
    held = [one for one in store.tally() if one.states.get(RecordState.QUARANTINED)]
    found = []
    for source in [one.source for one in held if one.connector == NAME or one.source in stated]:
        bad = [one for one in store.records(source=source, state=RecordState.QUARANTINED) if one.connector == NAME]
        good = {one.part: one.received_at for one in store.standing(source, {one.part for one in bad})}
        if any(one.part not in good or one.received_at > good[one.part] for one in bad):
            found.append(source)
    return tuple(sorted(found))


def _situation(
    memory: Memory, view: View, proposal: Proposal, owner: Part | None, radius: Part | None
) -> Situation:  # fmt: skip
    service = proposal.service
    names = memory.catalogue.directory(view).identity
    level = described(memory, view, {service})[service]["criticality"] if service else None
    team = owner.get("team") if owner else None
    known = proposal.action is None or proposal.action in ACTIONS
    return Situation(
        action=proposal.action,
        known_action=known,
        at=proposal.at,
        services=_names(names.same(service)) if service else None,
        teams=_names(names.same(team)) if isinstance(team, str) else None,
        environment=proposal.environment,
        criticality=level if level in LEVELS else None,
        who=proposal.who,
        reversible=reversible(proposal.action or ""),
        reach=reach_of(radius) if service else None,
    )


def _names(ids: Collection[EntityId]) -> frozenset[str]:
    return frozenset(entity_name(one) for one in ids)


def reach_of(radius: Part | None) -> Mapping[str, int] | None:
    """
    How many dependents of each tier a blast radius counts; None where it was cut, or is not known.
    """
    if radius is None or cast("Mapping[str, bool]", radius["cut"])["dependents"]:
        return None
    told = cast("Mapping[str, Mapping[str, int]]", radius["criticality"])["counts"]
    return dict(told)


def effects_of(found: Judgement, stated: Sequence[tuple[Rule, Statement[Fact]]]) -> list[Part]:
    """
    Every rule that counted: what it said, and what it rests on.
    """
    by_name: dict[str, list[Statement[Fact]]] = {}
    for rule, statement in stated:
        by_name.setdefault(rule.name, []).append(statement)
    return [
        {
            "name": one.rule.name,
            "says": one.rule.says,
            "verdict": one.verdict.word if one.verdict is not None else None,
            "mode": one.rule.mode.word if one.rule.mode is not None else None,
            "sure": one.sure,
            "not_known": list(one.unknown),
            "over": list(one.over),
            "source": by_name[one.rule.name][0].source,
            "file": by_name[one.rule.name][0].item.object,
            "evidence": sorted({said.record for said in by_name[one.rule.name]}),
        }
        for one in found.effects
    ]
