"""
Whether an action may be taken, by rules. Pure: no clock, no store, and nothing is ever done.

Every rule is asked of every situation. What a rule needs to know and nobody knows (the owner, how far harm reaches)
makes it `maybe` match: a rule that restricts counts then, one that grants does not, so knowing less never allows more.
Of all that counts the most restrictive wins, whatever the order of the rules.

The mode says what an agent may do at all: `observe` looks, `assist` prepares for a person, `act` may do what a rule
allows. Without a rule that surely says so, it is `observe`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from fnmatch import fnmatchcase
from typing import TypeAlias

from graph.freezing import Period

DEFAULT = "default"
LEVELS = ("low", "normal", "high", "critical")
"""How much a service matters, the least first; what is not known may be any."""


class Verdict(IntEnum):
    """
    The answer, from the weakest to the most restrictive.
    """

    ALLOW = 0
    NEEDS_APPROVAL = 1
    REFUSE = 2

    @property
    def word(self) -> str:
        return self.name.lower()


class Mode(IntEnum):
    """
    What an agent may do at all.
    """

    OBSERVE = 0
    ASSIST = 1
    ACT = 2

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """
    What a rule is about; what is left empty is any. Names are patterns (`media/*`), in lower case.
    """

    actions: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    criticality: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    reversible: bool | None = None
    during: tuple[Period, ...] = ()
    outside: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    How far harm may reach: so many dependents at most, and none that matters more than `criticality`.
    """

    dependents: int | None = None
    criticality: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    One reviewed rule. `verdict` counts within its limits, `over` beyond them; `approvers` are `owner`, `on_call`,
    or ids of teams and persons.
    """

    name: str
    says: str = ""
    when: When = field(default_factory=When)
    verdict: Verdict | None = None
    mode: Mode | None = None
    limits: Limits | None = None
    over: Verdict = Verdict.NEEDS_APPROVAL
    approvers: tuple[str, ...] = ()
    approvals: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """
    What is proposed and what is known of it; None is "not known". `known_action`: one of the actions that we have a
    word for; another is only allowed by a rule that names it. `reach` counts dependents by how much they matter.
    """

    action: str | None
    at: datetime
    services: frozenset[str] | None = None
    teams: frozenset[str] | None = None
    environment: str | None = None
    criticality: str | None = None
    who: str | None = None
    reversible: bool | None = None
    reach: Mapping[str, int] | None = None
    known_action: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """
    What one rule contributes: `sure` where all that it asks for is known. `over`: the limits that were passed.
    """

    rule: Rule
    sure: bool
    verdict: Verdict | None
    unknown: tuple[str, ...] = ()
    over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """
    The answer with the rule that decided (`default` where none did), why, and who approves.
    """

    verdict: Verdict
    mode: Mode
    rule: str
    because: str
    effects: tuple[Effect, ...] = ()
    approvers: tuple[str, ...] = ()
    approvals: int = 0


_Cap: TypeAlias = tuple[Verdict, str, str]
"""A verdict, the rule that it comes from, and why."""
SELF = (DEFAULT, "mode", "action", "target")
"""What a judgement names as its rule where no rule that somebody wrote decided."""


def judge(rules: Iterable[Rule], situation: Situation) -> Judgement:
    """
    The verdict of the most restrictive rule; nothing is allowed that no rule surely allows.
    """
    found = [one for rule in rules if (one := _effect(rule, situation)) is not None]
    effects = sorted(found, key=lambda one: (-(one.verdict or 0), one.rule.name))
    mode = _mode(effects)
    caps = [*_caps(effects, mode, situation), *(_told(one) for one in effects if one.verdict is not None)]
    # of equals a rule that somebody wrote says more than what holds of itself
    verdict, name, because = max(caps, key=lambda cap: (cap[0], cap[1] not in SELF))
    asked = [one.rule for one in effects if one.verdict is Verdict.NEEDS_APPROVAL]
    needed = verdict is Verdict.NEEDS_APPROVAL
    return Judgement(
        verdict=verdict,
        mode=mode,
        rule=name,
        because=because,
        effects=tuple(effects),
        approvers=tuple(dict.fromkeys(who for rule in asked for who in rule.approvers)) if needed else (),
        approvals=max((rule.approvals for rule in asked), default=1) if needed else 0,
    )


def _mode(effects: Iterable[Effect]) -> Mode:
    """
    The lowest that is said; observe where nothing is said for sure.
    """
    said = [(one.rule.mode, one.sure) for one in effects if one.rule.mode is not None]
    return min((mode for mode, _ in said), default=Mode.OBSERVE) if any(sure for _, sure in said) else Mode.OBSERVE


def _caps(effects: list[Effect], mode: Mode, situation: Situation) -> Iterable[_Cap]:
    """
    What holds of itself, whatever the rules say.
    """
    approval = Verdict.NEEDS_APPROVAL
    if mode < Mode.ACT:
        yield approval, "mode", f"in mode {mode.word} nothing is done without a person"
    if situation.services is None:
        yield approval, "target", "it is not known what it would be done to"
    allowed = [one for one in effects if one.verdict is Verdict.ALLOW]
    if not allowed:
        yield approval, DEFAULT, "no rule allows it"
    elif not situation.known_action and not any(situation.action in one.rule.when.actions for one in allowed):
        yield approval, "action", "no rule that allows it names this action"


def _told(one: Effect) -> _Cap:
    assert one.verdict is not None  # noqa: S101 - only such are told
    why = f"; beyond its limits: {', '.join(one.over)}" if one.over else ""
    unsure = f"; not known: {', '.join(one.unknown)}" if one.unknown else ""
    return one.verdict, one.rule.name, f"rule {one.rule.name}{why}{unsure}"


def _effect(rule: Rule, situation: Situation) -> Effect | None:
    """
    What a rule contributes; None where it is not about this.
    """
    asked = _asked(rule.when, situation)
    if any(found is False for found in asked.values()):
        return None
    unknown = tuple(name for name, found in asked.items() if found is None)
    over = _over(rule.limits, situation)
    verdict = rule.verdict
    if verdict is Verdict.ALLOW and unknown:
        verdict = None
    if over:
        # a rule that grants within its limits grants nothing beyond them
        verdict = max(rule.over, Verdict.NEEDS_APPROVAL, verdict or Verdict.ALLOW)
    if verdict is None and rule.mode is None:
        return None
    return Effect(rule=rule, sure=not unknown, verdict=verdict, unknown=unknown, over=over)


def _asked(when: When, situation: Situation) -> dict[str, bool | None]:
    """
    Each condition that the rule has: met, not met, or None where nobody knows.
    """
    at = situation.at
    asked: dict[str, bool | None] = {}
    if when.actions:
        asked["action"] = None if situation.action is None else _fits((situation.action,), when.actions)
    if when.services:
        asked["service"] = None if situation.services is None else _fits(situation.services, when.services)
    if when.teams:
        asked["team"] = None if situation.teams is None else _fits(situation.teams, when.teams)
    if when.environments:
        where = situation.environment
        asked["environment"] = None if where is None else _fits((where.lower(),), when.environments)
    if when.criticality:
        asked["criticality"] = None if situation.criticality is None else situation.criticality in when.criticality
    if when.who:
        asked["who"] = None if situation.who is None else _fits((situation.who.lower(),), when.who)
    if when.reversible is not None:
        asked["reversible"] = None if situation.reversible is None else situation.reversible is when.reversible
    if when.during:
        asked["during"] = any(one.holds(at) for one in when.during)
    if when.outside:
        asked["outside"] = not any(one.holds(at) for one in when.outside)
    return asked


def _fits(names: Iterable[str], patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _over(limits: Limits | None, situation: Situation) -> tuple[str, ...]:
    """
    The limits that are passed; how far harm reaches is passed too where it is not known.
    """
    if limits is None:
        return ()
    reach = situation.reach
    if reach is None:
        return ("how far harm reaches is not known",)
    found = []
    if limits.dependents is not None and sum(reach.values()) > limits.dependents:
        found.append(f"{sum(reach.values())} dependents, at most {limits.dependents}")
    if limits.criticality is not None:
        fine = LEVELS[: LEVELS.index(limits.criticality) + 1]
        worse = {level: count for level, count in reach.items() if count and level not in fine}
        if worse:
            told = ", ".join(f"{count} {level}" for level, count in sorted(worse.items()))
            found.append(f"dependents that matter more than {limits.criticality}, or are of no known tier: {told}")
    return tuple(found)
