"""
How far harm reaches: what depends on a service, and what it depends on, along edges that still count.

An edge is all that sources say of one pair. Each saying is of a kind: `declared` (a catalogue, a manifest), `observed`
(telemetry saw a call), `inferred` (free text) or `permitted` (a policy would allow a call). What is only permitted is
no dependency. What was only observed fades: its strength halves every `HALF_LIFE`, and below `FADED` it is not followed
any more. Both are kept apart, so that a reader sees them and is not misled. The age counts from `last_seen` where the
source gives it, else from when the statement became known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import prod

from graph.contract import Facts
from graph.identity import Identity
from graph.resolved import identity
from graph.values import EntityId, Fact, FactKind, Statement, Trust, View

HALF_LIFE = timedelta(days=30)
FADED = 0.1
STRENGTHS: Mapping[str, float] = {"declared": 0.9, "observed": 1.0, "inferred": 0.3, "permitted": 0.0}
"""How much a saying of each kind counts while it is fresh; several sayings add up as independent ones do."""
_BY_TRUST: Mapping[Trust, str] = {Trust.OBSERVED: "observed", Trust.UNTRUSTED: "inferred"}
_LASTING = frozenset(["declared", "inferred"])
"""What does not fade, and counts by itself."""
_DAY = timedelta(days=1)
_Pair = tuple[EntityId, EntityId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """
    One source's statement of an edge: its kind, since when it is known, and when the call was last seen.
    """

    statement: Statement[Fact]
    kind: str
    since: datetime | None
    last_seen: datetime | None
    age: timedelta | None
    strength: float


class Edge:
    """
    `subject` depends on `object`, under the names to keep, by all who say so, as of `now`. A walk looks at many edges
    and a reader at few, so what is said is weighed when it is asked for.
    """

    __slots__ = ("_sayings", "_stated", "kinds", "now", "object", "subject")

    def __init__(self, subject: EntityId, object_: EntityId, stated: Sequence[Statement[Fact]], now: datetime) -> None:
        self.subject = subject
        self.object = object_
        self.now = now
        self.kinds = _kinds(stated)
        """Those of what is said, each once."""
        self._stated = stated
        self._sayings: tuple[Saying, ...] | None = None

    @property
    def sayings(self) -> tuple[Saying, ...]:
        """
        The strongest first.
        """
        if self._sayings is None:
            found = [_saying(one, self.now) for one in self._stated]
            self._sayings = tuple(sorted(found, key=lambda one: (-one.strength, one.statement.seq)))
        return self._sayings

    @property
    def records(self) -> Iterator[str]:
        """
        The records of all who say so.
        """
        return (one.record for one in self._stated)

    @property
    def strength(self) -> float:
        """
        How sure it is that the edge is there now, 0 to 1.
        """
        return 1.0 - prod(1.0 - one.strength for one in self.sayings)

    @property
    def permitted(self) -> bool:
        """
        Whether a call is only allowed, and nobody says that there is one.
        """
        return self.kinds == ("permitted",)

    @property
    def faded(self) -> bool:
        """
        Whether it was not seen for so long that it does not count any more.
        """
        return not self.permitted and _LASTING.isdisjoint(self.kinds) and self.strength < FADED


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """
    An entity within reach, with a shortest path from one of the starts.
    """

    entity: EntityId
    start: EntityId
    path: tuple[Edge, ...]

    @property
    def strength(self) -> float:
        """
        How sure it is that the whole path is there.
        """
        found = 1.0
        for edge in self.path:
            found *= edge.strength
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """
    What was reached in one direction, nearest first, then by name. `permitted` and `faded` are edges that were met and
    not followed; `cut` says that more lies beyond the depth or the limit.
    """

    reached: tuple[Reached, ...] = ()
    permitted: tuple[Edge, ...] = ()
    faded: tuple[Edge, ...] = ()
    cut: bool = False


@dataclass
class _Walk:
    found: list[Reached] = field(default_factory=list)
    permitted: dict[_Pair, Edge] = field(default_factory=dict)
    faded: dict[_Pair, Edge] = field(default_factory=dict)


def reach(
    facts: Facts,
    view: View,
    starts: Collection[EntityId],
    *,
    outgoing: bool,
    depth: int = 2,
    limit: int = 1000,
    known: Identity | None = None,
) -> Reach:
    """
    What the starts depend on (`outgoing`), or what depends on them, within `depth` edges; at most `limit` entities.
    """
    names = known or identity(facts, view)
    front = {one: Reached(entity=one, start=one, path=()) for one in sorted({names.canonical(one) for one in starts})}
    seen, walk = set(front), _Walk()
    for _ in range(depth):
        beyond: dict[EntityId, Reached] = {}
        for edge in edges(facts, view, front, outgoing=outgoing, known=names):
            near, far = (edge.subject, edge.object) if outgoing else (edge.object, edge.subject)
            if edge.permitted or edge.faded:
                (walk.permitted if edge.permitted else walk.faded)[edge.subject, edge.object] = edge
            elif far not in seen:
                seen.add(far)
                before = front[near]
                beyond[far] = Reached(entity=far, start=before.start, path=(*before.path, edge))
        walk.found += [beyond[one] for one in sorted(beyond)]
        front = beyond
        if not front or len(walk.found) >= limit:
            break
    beyond_depth = len(walk.found) <= limit and _goes_on(facts, view, front, seen, outgoing=outgoing, names=names)
    return Reach(
        reached=tuple(walk.found[:limit]),
        permitted=tuple(walk.permitted.values()),
        faded=tuple(walk.faded.values()),
        cut=len(walk.found) > limit or beyond_depth,
    )


def _goes_on(
    facts: Facts, view: View, front: Collection[EntityId], seen: set[EntityId], *, outgoing: bool, names: Identity
) -> bool:
    # one by one, since the first that goes on is enough
    return any(
        not edge.permitted and not edge.faded and (edge.object if outgoing else edge.subject) not in seen
        for one in front
        for edge in edges(facts, view, [one], outgoing=outgoing, known=names)
    )


def edges(
    facts: Facts, view: View, entities: Collection[EntityId], *, outgoing: bool, known: Identity
) -> tuple[Edge, ...]:
    """
    The edges from (`outgoing`) or to these entities, each once with all its sayings, in order of their names.
    """
    ids = frozenset[EntityId]().union(*(known.same(one) for one in entities))
    kinds = (FactKind.DEPENDS_ON,)
    stated = facts.facts(view, kinds=kinds, subjects=ids) if outgoing else facts.facts(view, kinds=kinds, objects=ids)
    pairs: dict[_Pair, list[Statement[Fact]]] = {}
    for one in stated:
        pair = known.canonical(one.item.subject), known.canonical(one.item.object)
        if pair[0] != pair[1]:
            pairs.setdefault(pair, []).append(one)
    return tuple(Edge(*pair, pairs[pair], view.as_of) for pair in sorted(pairs))


def all_edges(facts: Facts, view: View, known: Identity) -> tuple[Edge, ...]:
    """
    Every edge that the view sees.
    """
    stated = facts.facts(view, kinds=(FactKind.DEPENDS_ON,))
    return edges(facts, view, {one.item.subject for one in stated}, outgoing=True, known=known) if stated else ()


def cycles(start: EntityId, needs: Iterable[Reached], needed_by: Iterable[Reached]) -> tuple[tuple[EntityId, ...], ...]:
    """
    Circles through the start, the shortest first: from it along what it needs and back to it, each once.
    """
    back = {one.entity: one for one in needed_by if one.start == start}
    found: dict[frozenset[EntityId], tuple[EntityId, ...]] = {}
    for one in needs:
        home = back.get(one.entity) if one.start == start else None
        if home is not None:
            there = [edge.object for edge in one.path]
            again = [edge.object for edge in reversed(home.path)][:-1]
            if not set(there) & set(again):
                circle = (start, *there, *again)
                found.setdefault(frozenset(circle), circle)
    return tuple(sorted(found.values(), key=lambda circle: (len(circle), circle)))


def _saying(statement: Statement[Fact], now: datetime) -> Saying:
    kind = _kind(statement)
    since = statement.item.valid.start or statement.known.start
    last = _day(statement.item.attributes.get("last_seen"))
    told = last or since
    age = max(timedelta(), now - told) if told else None
    strength = STRENGTHS[kind]
    if kind == "observed" and age is not None:
        strength *= 0.5 ** (age / HALF_LIFE)
    return Saying(statement=statement, kind=kind, since=since, last_seen=last, age=age, strength=strength)


def _kind(statement: Statement[Fact]) -> str:
    given = statement.item.attributes.get("source_kind", "")
    return given if given in STRENGTHS else _BY_TRUST.get(statement.trust, "declared")


def _kinds(stated: Sequence[Statement[Fact]]) -> tuple[str, ...]:
    if len(stated) == 1:
        return (_kind(stated[0]),)
    said = {_kind(one) for one in stated}
    return tuple(kind for kind in STRENGTHS if kind in said)


def _day(text: str | None) -> datetime | None:
    """
    The end of the day on which a call was last seen, or the moment where the source gives one.
    """
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    if found is None or found.tzinfo is not None:
        return found
    return found.replace(tzinfo=UTC) + (_DAY if len(text or "") == len("2026-01-01") else timedelta())
