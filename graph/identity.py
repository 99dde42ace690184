"""
Which ids are one entity, as a view's identity facts say. Nothing stored is rewritten by a merge or an unmerge.

`same_as` and `renamed_to` join their subject to their object, whose name is the one to keep. Of all that is said about
a pair, the highest trust decides, then the latest known; `attributes["verdict"] = "rejected"` says that the two are not
the same, and keeps them apart even where a chain of less trusted facts would join them; `"undone"` says nothing any
more. Free text (untrusted) joins nothing. After `split_into` the parent's past counts as each part's, but the parts are
not one; a rejection of the pair outranks a split like a join.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from graph.values import EntityId, Fact, FactKind, Statement, Trust

_Pair = tuple[EntityId, EntityId]
_FIRST = datetime.min.replace(tzinfo=UTC)
_NOTHING = (-1, _FIRST, 0)


class Identity:
    """
    Made of the identity facts that a view sees (`store.facts(view, kinds=IDENTITY_KINDS)`).
    """

    def __init__(self, statements: Iterable[Statement[Fact]] = ()) -> None:
        believed = [
            one
            for one in statements
            if one.trust > Trust.UNTRUSTED
            and one.item.subject != one.item.object
            and one.item.attributes.get("verdict") != "undone"
        ]
        joins = _decide(one for one in believed if one.item.kind in (FactKind.SAME_AS, FactKind.RENAMED_TO))
        splits = _decide(one for one in believed if one.item.kind is FactKind.SPLIT_INTO)
        apart = [_pair(one) for one in joins if _rejected(one)]
        accepted, groups = _join([one for one in joins if not _rejected(one)], apart)
        self._same = {one: group for group in groups for one in group if len(group) > 1}
        inside: dict[frozenset[EntityId], list[Statement[Fact]]] = {group: [] for group in groups}
        for join in accepted:
            inside[self._same[join.item.subject]].append(join)
        self._canonical = {one: name for group in groups for name in [_keep(group, inside[group])] for one in group}
        self._apart = frozenset(apart)
        self._parents: dict[EntityId, dict[EntityId, datetime | None]] = {}
        self._parts: dict[EntityId, set[EntityId]] = {}
        refused = {_pair(one): _rank(one) for one in joins if _rejected(one)}
        for one in splits:
            if not _rejected(one) and refused.get(_pair(one), _NOTHING) < _rank(one):
                self._parents.setdefault(one.item.object, {})[one.item.subject] = one.item.valid.start
                self._parts.setdefault(one.item.subject, set()).add(one.item.object)

    def canonical(self, entity: EntityId) -> EntityId:
        """
        The name to keep of the entity; its own where nothing is said of it.
        """
        return self._canonical.get(entity, entity)

    def same(self, entity: EntityId) -> frozenset[EntityId]:
        """
        All ids of the entity itself.
        """
        return self._same.get(entity, frozenset((entity,)))

    def apart(self, one: EntityId, other: EntityId) -> bool:
        """
        Whether the most trusted word about any of the ids of the two is that they are not the same.
        """
        left, right = self.same(one), self.same(other)
        return any((a in left and b in right) or (b in left and a in right) for a, b in self._apart)

    def parts(self, entity: EntityId) -> frozenset[EntityId]:
        """
        What the entity was split into, each under the name to keep.
        """
        found = {self.canonical(part) for one in self.same(entity) for part in self._parts.get(one, ())}
        return frozenset(found - {self.canonical(entity)})

    def inherited(self, entity: EntityId) -> Mapping[EntityId, datetime | None]:
        """
        Ids of what the entity was split off from, near and far, each with the moment of the split (None: not known);
        what happened to them before it counts as this entity's past.
        """
        found: dict[EntityId, datetime | None] = {}
        own = self.same(entity)
        waiting: list[tuple[EntityId, datetime | None]] = [(one, None) for one in sorted(own)]
        while waiting:
            part, until = waiting.pop()
            for parent, moment in sorted(self._parents.get(part, {}).items()):
                earliest = min((one for one in (moment, until) if one is not None), default=None)
                for one in sorted(self.same(parent) - own - found.keys()):
                    found[one] = earliest
                    waiting.append((one, earliest))
        return MappingProxyType(found)

    def members(self, entity: EntityId) -> frozenset[EntityId]:
        """
        All ids whose history counts as this entity's: its own and those it was split off from.
        """
        return self.same(entity) | self.inherited(entity).keys()


def _pair(statement: Statement[Fact]) -> _Pair:
    one, other = sorted((statement.item.subject, statement.item.object))
    return one, other


def _rank(statement: Statement[Fact]) -> tuple[int, datetime, int]:
    return statement.trust, statement.known.start or _FIRST, statement.seq


def _rejected(statement: Statement[Fact]) -> bool:
    return statement.item.attributes.get("verdict") == "rejected"


def _decide(statements: Iterable[Statement[Fact]]) -> list[Statement[Fact]]:
    """
    The one statement that decides about each pair, the most trusted pair first.
    """
    best: dict[_Pair, Statement[Fact]] = {}
    for one in statements:
        held = best.get(_pair(one))
        if held is None or _rank(one) > _rank(held):
            best[_pair(one)] = one
    return sorted(best.values(), key=lambda one: (-one.trust, one.known.start or _FIRST, _pair(one)))


def _join(
    joins: list[Statement[Fact]], rejected: list[_Pair]
) -> tuple[list[Statement[Fact]], list[frozenset[EntityId]]]:
    """
    Those joins, most trusted first, that bring no rejected pair together, and the groups that they make.
    """
    accepted = []
    groups: dict[EntityId, set[EntityId]] = {}
    for join in joins:
        left = groups.setdefault(join.item.subject, {join.item.subject})
        right = groups.setdefault(join.item.object, {join.item.object})
        if any((one in left and other in right) or (one in right and other in left) for one, other in rejected):
            continue
        accepted.append(join)
        if left is not right:
            left |= right
            for one in right:
                groups[one] = left
    return accepted, [frozenset(group) for group in {id(group): group for group in groups.values()}.values()]


def _keep(group: frozenset[EntityId], joins: list[Statement[Fact]]) -> EntityId:
    """
    The name that nothing was renamed from; of several the one most was renamed to; of a circle the latest.
    """
    left = {join.item.subject for join in joins}
    reached = [join.item.object for join in joins]
    last = sorted(group - left, key=lambda one: (-reached.count(one), one))
    if last:
        return last[0]
    latest = max(joins, key=lambda one: (one.trust, one.item.valid.start or _FIRST, one.known.start or _FIRST, one.seq))
    return latest.item.object
