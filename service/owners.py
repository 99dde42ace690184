"""
One answer to "who owns this and who answers now", with its confidence and everything that disagrees.

Each source that names an owner has odds of being right, by the trust of what it states and its age; sources that agree
multiply them. The confidence is the answer's share of the odds of all teams that are named and of one that nobody
names. The order of trust alone picks the answer: odds never let an observation outrank what was declared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from graph.answering import Answering, Departed, Fault, answering, is_schedule
from graph.identity import Identity
from graph.replica import Replica
from graph.resolved import Ownership, best_first, ownership
from graph.values import EntityId, Fact, FactKind, Statement, Trust, View, entity_kind, entity_name
from ingest.connectors.codeowners import matches
from service.activity import Activity

RIGHT: Mapping[Trust, float] = {Trust.REVIEWED: 0.99, Trust.DECLARED: 0.9, Trust.OBSERVED: 0.75, Trust.UNTRUSTED: 0.5}
"""How often what is stated with so much trust names the team that answers."""
OF_CODE = 0.8
"""The same of CODEOWNERS: who reviews the code mostly runs it."""
OF_COMMITS = 0.55
HALF_LIFE = timedelta(days=730)
WORDS = ((0.85, "high"), (0.6, "fair"), (0.0, "low"))
INACTIVE = frozenset(
    [
        "inactive",
        "deactivated",
        "suspended",
        "deleted",
        "disabled",
        "blocked",
        "terminated",
        "offboarded",
        "left",
        "departed",
        "archived",
    ]
)
_SAME_TEAM = frozenset(["team", "squad", "group", "crew", "owners", "owner", "eng", "engineers", "maintainers", "the"])
_FIRST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Claim:
    """
    That a source names a team: how it says so, and how often such a claim is right.
    """

    team: EntityId
    source: str
    stated_as: str
    trust: Trust
    right: float
    since: datetime | None
    record: str
    person: EntityId | None = None
    """The one who was named in place of the team."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """
    The answer: what the sources state of the service itself, the team with its trust and confidence, all claims, who
    answers now, and what is wrong.
    """

    stated: Ownership
    team: EntityId | None
    trust: Trust | None
    confidence: float
    claims: tuple[Claim, ...]
    conflicts: tuple[EntityId, ...]
    answering: Answering
    faults: tuple[Fault, ...]

    @property
    def word(self) -> str:
        """
        The confidence in a word.
        """
        return next(word for least, word in WORDS if self.confidence >= least) if self.team else "none"


@dataclass(frozen=True, slots=True)
class _Asked:
    facts: Replica
    activity: Activity
    view: View
    names: Identity

    def stated(
        self, kind: FactKind, subjects: Iterable[EntityId] = (), objects: Iterable[EntityId] = ()
    ) -> tuple[Statement[Fact], ...]:
        return self.facts.facts(self.view, kinds=(kind,), subjects=frozenset(subjects), objects=frozenset(objects))

    def departed(self, person: EntityId) -> str:
        """
        Why somebody is not there any more: marked so, or no longer stated by the directory that once did.
        """
        ids = self.names.same(person)
        stated = best_first(self.stated(FactKind.ENTITY, subjects=ids))
        for one in stated:
            gone = is_active(one.item.attributes)
            if gone is not None:
                return "" if gone else f"is marked inactive by {one.source}"
        if stated:
            return ""
        former = [one for one in self.facts.former(self.view, FactKind.ENTITY, ids) if one.trust >= Trust.DECLARED]
        if not former:
            return ""
        last = max(former, key=lambda one: one.known.end or _FIRST)
        seen = max((found for one in ids if (found := self.activity.last(one, self.view.visibility))), default=None)
        if seen and last.known.end and last.known.end < seen <= self.view.as_of:
            return ""
        return f"is no longer stated by {last.source}"


def is_active(attributes: Mapping[str, str]) -> bool | None:
    """
    What a directory says of whether somebody is still there; None where it says nothing of it.
    """
    told = attributes.get("active", "").lower()
    if told in ("true", "false"):
        return told == "true"
    states = {attributes.get(key, "").lower() for key in ("status", "state", "lifecycle")}
    return False if states & INACTIVE else None


def departed_of(facts: Replica, activity: Activity, view: View, known: Identity) -> Departed:
    """
    Tells of a person why he is not there any more; empty for one who is.
    """
    return _Asked(facts, activity, view, known).departed


def owner(facts: Replica, activity: Activity, view: View, service: EntityId, known: Identity) -> Owner:
    """
    Who owns a service, and who answers for it.
    """
    asked = _Asked(facts, activity, view, known)
    stated = ownership(facts, view, service, known=known)
    claims = [*_direct(asked, stated), *_of_code(asked, service)]
    claims += _of_commits(asked, service)
    team = stated.team or (claims[0].team if claims else None)
    trust = stated.trust if stated.team else (claims[0].trust if claims else None)
    # who committed lately is a hint, no contradiction
    others = [one.team for one in claims if one.stated_as != "commits" and not alike(one.team, team or "")]
    conflicts = tuple(dict.fromkeys((*stated.conflicts, *others)))
    now = answering(facts, view, Ownership(service=stated.service, team=team), known, asked.departed)
    return Owner(
        stated=stated,
        team=team,
        trust=trust,
        confidence=_confidence(claims, team, view, asked),
        claims=tuple(claims),
        conflicts=conflicts,
        answering=now,
        faults=(*_faults(asked, team, claims, conflicts), *now.faults),
    )


def _direct(asked: _Asked, stated: Ownership) -> list[Claim]:
    return [
        Claim(
            asked.names.canonical(one.item.object),
            one.source,
            one.item.attributes.get("stated_as", "owner"),
            one.trust,
            RIGHT[one.trust],
            one.item.valid.start or one.known.start,
            one.record,
        )
        for one in stated.statements
        if one.item.object
    ]


def _of_code(asked: _Asked, service: EntityId) -> list[Claim]:
    """
    The owners of the service's code: of its folder, else of all, by the last line that matches.
    """
    found: list[Claim] = []
    for built in best_first(asked.stated(FactKind.BUILT_FROM, subjects=asked.names.same(service))):
        lines = asked.stated(FactKind.OWNED_BY, subjects=asked.names.same(built.item.object))
        for one in _last_lines(lines, built.item.attributes.get("path", "")):
            team = asked.names.canonical(one.item.object)
            through = _team_of(asked, team) if entity_kind(team) == "person" else team
            person = team if through != team else None
            since = one.item.valid.start or one.known.start
            right = min(OF_CODE, RIGHT[one.trust])
            found.append(Claim(through, one.source, "codeowners", one.trust, right, since, one.record, person))
    return found


def _last_lines(stated: Sequence[Statement[Fact]], path: str) -> list[Statement[Fact]]:
    """
    The statements of the last line that covers a folder, or the whole repository where none is given.
    """
    inside = f"{path.strip('/')}/any" if path.strip("/") else "any/file"
    by_line: dict[int, list[Statement[Fact]]] = {}
    for one in stated:
        told = one.item.attributes
        if "pattern" not in told:
            by_line.setdefault(-1, []).append(one)
        elif matches(told["pattern"], inside, gitlab=told.get("dialect") == "gitlab"):
            line = told.get("line", "0")
            by_line.setdefault(int(line) if line.isdecimal() else 0, []).append(one)
    if not by_line:
        return []
    return [one for one in best_first(by_line[max(by_line)]) if one.item.object]


def _of_commits(asked: _Asked, service: EntityId) -> list[Claim]:
    """
    The team of who committed most lately, where a directory says of which he is.
    """
    repositories = {one.item.object for one in asked.stated(FactKind.BUILT_FROM, subjects=asked.names.same(service))}
    if not repositories:
        return []
    found = asked.activity.committers(asked.view, repositories)
    claims: dict[EntityId, Claim] = {}
    for person, commits in found.items():
        newest = commits[0]
        team = _team_of(asked, person)
        trust = Trust.OBSERVED
        claim = Claim(team, newest.source, "commits", trust, OF_COMMITS, newest.at, newest.record, person)
        claims.setdefault(team, claim)
    return list(claims.values())[:3]


def _team_of(asked: _Asked, person: EntityId) -> EntityId:
    """
    The one team that a directory puts somebody in; himself where there is none, or more.
    """
    joined = best_first(asked.stated(FactKind.MEMBER_OF, subjects=asked.names.same(person)))
    teams = dict.fromkeys(asked.names.canonical(one.item.object) for one in joined)
    real = [one for one in teams if entity_kind(one) == "team" and not is_schedule(asked.stated, asked.names.same(one))]
    return real[0] if len(real) == 1 else asked.names.canonical(person)


def alike(one: EntityId, other: EntityId) -> bool:
    """
    Whether two names of teams say the same but for a word such as `team`.
    """
    if one == other:
        return True
    left, right = (frozenset(re.findall(r"[a-z0-9]+", entity_name(team))) - _SAME_TEAM for team in (one, other))
    return bool(left) and left == right


def _confidence(claims: Sequence[Claim], team: EntityId | None, view: View, asked: _Asked) -> float:
    if team is None:
        return 0.0
    odds: dict[EntityId, float] = {}
    heard: set[tuple[EntityId, str]] = set()
    for claim in claims:
        name = team if alike(claim.team, team) else claim.team
        if (name, claim.source) in heard:
            continue
        heard.add((name, claim.source))
        right = claim.right if claim.since is None else _aged(claim.right, view.as_of - claim.since)
        odds[name] = odds.get(name, 1.0) * (right / (1 - right))
    share = odds.get(team, 0.0) / (sum(odds.values()) + 1.0)
    gone = entity_kind(team) == "person" and asked.departed(team)
    return round(share / 4 if gone else share, 4)


def _aged(right: float, age: timedelta) -> float:
    """
    What was said long ago comes nearer to a coin's toss, by half in two years, and no further than half way.
    """
    faded = max(0.5, math.exp2(-max(0.0, age / HALF_LIFE)))
    return 0.5 + (right - 0.5) * faded


def _faults(
    asked: _Asked, team: EntityId | None, claims: Sequence[Claim], conflicts: Sequence[EntityId]
) -> tuple[Fault, ...]:  # fmt: skip
    found: list[Fault] = []
    if any(not alike(one, team or "") for one in conflicts):
        named = ", ".join(f"{one.source} says {entity_name(one.team)}" for one in claims if one.stated_as != "commits")
        records = tuple(dict.fromkeys(one.record for one in claims if one.stated_as != "commits"))
        found.append(Fault(kind="conflict", subject=team or "", says=f"sources disagree: {named}", records=records))
    for one in dict.fromkeys(claim.team for claim in claims if entity_kind(claim.team) == "person"):
        gone = asked.departed(one)
        if gone and one == team:
            found.append(Fault(kind="departed", subject=one, says=f"{entity_name(one)}, the owner, {gone}"))
    return tuple(found)
