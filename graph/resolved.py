"""
Answers over what the sources stated: entities under the name to keep, one owner, the neighbours.

The order of trust decides, then the later knowledge; what disagrees stays in the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from graph.contract import Facts
from graph.identity import Identity
from graph.values import (
    IDENTITY_KINDS,
    EntityId,
    EntityKind,
    Fact,
    FactKind,
    Statement,
    Trust,
    View,
    entity_kind,
)

_FIRST = datetime.min.replace(tzinfo=UTC)
_LONGEST_CHAIN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """
    An entity under the name to keep, with what its sources say of it; of attributes the most trusted counts.
    """

    id: EntityId
    members: frozenset[EntityId]
    attributes: dict[str, str] = field(default_factory=dict, hash=False)
    statements: tuple[Statement[Fact], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """
    Who owns a service: one team (None: no source says), every source's statement, the best first, and the other
    teams that are named. `on_call` are persons on call for the service or the team, else for the nearest that it
    escalates to (a schedule, a policy); `escalation` is whom it escalates to.
    """

    service: EntityId
    team: EntityId | None = None
    trust: Trust | None = None
    statements: tuple[Statement[Fact], ...] = ()
    conflicts: tuple[EntityId, ...] = ()
    on_call: tuple[Statement[Fact], ...] = ()
    escalation: tuple[Statement[Fact], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    One edge of a path, to `entity`. `outgoing`: the entity before it is the fact's subject.
    """

    entity: EntityId
    kind: FactKind
    outgoing: bool
    statement: int
    record: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """
    An entity within reach, with a shortest path from one of the starts.
    """

    entity: EntityId
    start: EntityId
    path: tuple[Step, ...]

    @property
    def distance(self) -> int:
        """
        The number of edges from the start.
        """
        return len(self.path)


def identity(facts: Facts, view: View) -> Identity:
    """
    Which ids are one, as the view sees it.
    """
    return Identity(facts.facts(view, kinds=IDENTITY_KINDS))


def entities(facts: Facts, view: View, kind: EntityKind, *, known: Identity | None = None) -> tuple[Entity, ...]:
    """
    All entities of a kind that a source describes, by id.
    """
    names = known or identity(facts, view)
    found: dict[EntityId, list[Statement[Fact]]] = {}
    for one in facts.facts(view, kinds=(FactKind.ENTITY,)):
        if entity_kind(one.item.subject) == kind.value:
            found.setdefault(names.canonical(one.item.subject), []).append(one)
    return tuple(_entity(one, names, found[one]) for one in sorted(found))


def entity(facts: Facts, view: View, name: EntityId, *, known: Identity | None = None) -> Entity | None:
    """
    What is said of one entity, by any of its ids; None where no source describes it.
    """
    names = known or identity(facts, view)
    stated = facts.facts(view, kinds=(FactKind.ENTITY,), subjects=names.same(name))
    return _entity(names.canonical(name), names, stated) if stated else None


def ownership(facts: Facts, view: View, service: EntityId, *, known: Identity | None = None) -> Ownership:
    """
    Who owns the service, with all that disagrees; without a source an answer without a team.
    """
    names = known or identity(facts, view)
    stated = best_first(facts.facts(view, kinds=(FactKind.OWNED_BY,), subjects=names.same(service)))
    teams = tuple(dict.fromkeys(names.canonical(one.item.object) for one in stated))
    answering = names.same(service) | (names.same(teams[0]) if teams else frozenset())
    escalation = _escalation(facts, view, answering, names)
    return Ownership(
        service=names.canonical(service),
        team=teams[0] if teams else None,
        trust=stated[0].trust if stated else None,
        statements=stated,
        conflicts=teams[1:],
        on_call=_on_call(facts, view, (answering, *(names.same(one.item.object) for one in escalation))),
        escalation=escalation,
    )


def neighbours(
    facts: Facts,
    view: View,
    starts: Collection[EntityId],
    *,
    depth: int = 2,
    kinds: Collection[FactKind] = (FactKind.DEPENDS_ON,),
    limit: int = 1000,
    known: Identity | None = None,
) -> tuple[Neighbour, ...]:
    """
    What is within `depth` edges of the starts, in both directions, nearest first then by id; at most `limit`. The
    starts themselves are not among them.
    """
    names = known or identity(facts, view)
    edge: dict[EntityId, Neighbour] = {}
    for one in sorted({names.canonical(start) for start in starts}):
        edge[one] = Neighbour(entity=one, start=one, path=())
    reached = set(edge)
    found: list[Neighbour] = []
    for _ in range(depth):
        beyond: dict[EntityId, Neighbour] = {}
        for origin, step in _edges(facts, view, edge, kinds, names):
            if step.entity not in reached:
                reached.add(step.entity)
                before = edge[origin]
                beyond[step.entity] = Neighbour(entity=step.entity, start=before.start, path=(*before.path, step))
        found += [beyond[one] for one in sorted(beyond)]
        if not beyond or len(found) >= limit:
            break
        edge = beyond
    return tuple(found[:limit])


def _edges(
    facts: Facts, view: View, edge: Collection[EntityId], kinds: Collection[FactKind], names: Identity
) -> Iterator[tuple[EntityId, Step]]:
    """
    (origin, step) of all edges of the given entities, what they point to first, the best statement of each first.
    """
    ids = frozenset().union(*(names.same(one) for one in edge))
    for one in best_first(facts.facts(view, kinds=kinds, subjects=ids)):
        yield names.canonical(one.item.subject), _step(one, names.canonical(one.item.object), outgoing=True)
    for one in best_first(facts.facts(view, kinds=kinds, objects=ids)):
        yield names.canonical(one.item.object), _step(one, names.canonical(one.item.subject), outgoing=False)


def _step(statement: Statement[Fact], to: EntityId, *, outgoing: bool) -> Step:
    return Step(
        entity=to, kind=statement.item.kind, outgoing=outgoing, statement=statement.seq, record=statement.record
    )


def _escalation(facts: Facts, view: View, starts: frozenset[EntityId], names: Identity) -> tuple[Statement[Fact], ...]:
    """
    The chain of escalation from the starts on, level by level, each target once.
    """
    chain: list[Statement[Fact]] = []
    reached, waiting = set(starts), starts
    while waiting and len(chain) < _LONGEST_CHAIN:
        stated = facts.facts(view, kinds=(FactKind.ESCALATES_TO,), subjects=waiting)
        waiting = frozenset()
        for one in sorted(best_first(stated), key=lambda one: level_of(one.item)):
            if one.item.object not in reached:
                chain.append(one)
                targets = names.same(one.item.object)
                reached |= targets
                waiting |= targets
    return tuple(chain[:_LONGEST_CHAIN])


def _on_call(facts: Facts, view: View, nearest_first: Sequence[frozenset[EntityId]]) -> tuple[Statement[Fact], ...]:
    """
    Who is on call for the first of these for whom anybody is; of several levels those of the lowest.
    """
    stated = facts.facts(view, kinds=(FactKind.ON_CALL_FOR,), objects=frozenset().union(*nearest_first))
    for ids in nearest_first:
        found = [one for one in stated if one.item.object in ids]
        least = min((level_of(one.item) for one in found), default=0)
        if found:
            return best_first(one for one in found if level_of(one.item) == least)
    return ()


def level_of(fact: Fact) -> int:
    """
    The level of an escalation that a fact is about; 0 where it says none.
    """
    text = fact.attributes.get("level", "")
    return int(text) if text.isdecimal() else 0


def best_first(statements: Iterable[Statement[Fact]]) -> tuple[Statement[Fact], ...]:
    """
    The most trusted first, of those the latest known.
    """
    return tuple(sorted(statements, key=lambda one: (one.trust, one.known.start or _FIRST, one.seq), reverse=True))


def _entity(name: EntityId, names: Identity, stated: Sequence[Statement[Fact]]) -> Entity:
    ordered = best_first(stated)
    attributes: dict[str, str] = {}
    for one in reversed(ordered):
        attributes |= one.item.attributes
    return Entity(id=name, members=names.same(name), attributes=attributes, statements=ordered)
