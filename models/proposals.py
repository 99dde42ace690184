"""
Which names may be one thing: pairs that sources describe alike, with reasons for and against, for a person to decide.

Sources agree where they state the same of two names: an id in a paging tool or a cluster, a repository, a host, a name
of the same structure. Two entries that stand in one catalogue side by side are two things to that catalogue, which
speaks against; of an entry that ended when another began, one may be the new name of the other. Nothing is merged here:
a pair is proposed until somebody decides, and never again once it was rejected.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations

from graph.contract import Facts
from graph.identity import Identity
from graph.values import (
    EntityId,
    EntityKind,
    Fact,
    FactKind,
    Statement,
    Trust,
    View,
    entity_kind,
    entity_name,
)
from models.contract import Term, chance
from models.names import Kind, kind_of, tokens

WEIGHTS: Mapping[str, float] = {
    "same_id": 5.2, "same_name": 5.0, "named": 4.6, "role_name": 2.2, "same_repository": 2.4, "same_host": 3.0,
    "same_owner": 0.6, "other_owner": -1.2, "same_catalogue": -5.0, "succeeded": 2.6, "moved": 2.6,
}  # fmt: skip
BIAS = -4.6
WORTH = 0.1
"""A pair that is less likely one is not proposed."""
HOLDERS = 4
"""What more things than this have in common tells none of them apart."""
KINDS = (EntityKind.SERVICE, EntityKind.TEAM)
_FREE = frozenset({"title", "text"})
_HOSTS = ("host", "domain", "url", "ingress", "dns")
_REPOSITORIES = ("repo", "repository", "github.com/project-slug")
_FACTS = (FactKind.ENTITY, FactKind.ALIAS, FactKind.BUILT_FROM, FactKind.OWNED_BY)
_Mark = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """
    Two names that may be one, `keep` the one to keep. `action`: `confirm`, or `rename` where the other ended when
    `keep` began, at `at`. `disputed`: a catalogue has both.
    """

    other: EntityId
    keep: EntityId
    action: str
    probability: float
    terms: tuple[Term, ...]
    evidence: tuple[str, ...]
    at: datetime | None = None
    disputed: bool = False


@dataclass(slots=True)
class _Profile:
    """
    What sources state of one entity. `marks`: what it may share with others, with the records that say so.
    """

    marks: dict[_Mark, set[str]] = field(default_factory=lambda: defaultdict(set))
    owners: set[EntityId] = field(default_factory=set)
    catalogues: dict[str, tuple[datetime | None, datetime | None]] = field(default_factory=dict)
    """By the source that describes it: since when, and until when where it ended."""
    records: set[str] = field(default_factory=set)

    @property
    def ended(self) -> datetime | None:
        """
        When the last source ceased to describe it; None while one does, or where none ever did.
        """
        ends = [end for _, end in self.catalogues.values()]
        return max((end for end in ends if end), default=None) if ends and all(ends) else None


def proposals(facts: Facts, view: View, known: Identity, *, limit: int = 50) -> tuple[Proposal, ...]:
    """
    The likeliest first. Pairs that are one already, that were rejected, or of which one was split off the other, are
    left out.
    """
    profiles = _profiles(facts.facts(view, kinds=_FACTS, valid=False), view, known)
    found = []
    for one, other in sorted(_pairs(profiles)):
        if known.apart(one, other) or other in known.members(one) or one in known.members(other):
            continue
        made = _weighed(one, other, profiles)
        if made and made.probability >= WORTH:
            found.append(made)
    return tuple(sorted(found, key=lambda made: (-made.probability, made.keep, made.other))[:limit])


def _profiles(stated: Iterable[Statement[Fact]], view: View, known: Identity) -> dict[EntityId, _Profile]:
    found: dict[EntityId, _Profile] = defaultdict(_Profile)
    for one in stated:
        fact = one.item
        starts = fact.valid.start
        if one.trust is Trust.UNTRUSTED or entity_kind(fact.subject) not in KINDS or (starts and starts > view.as_of):
            continue
        subject = known.canonical(fact.subject)
        profile = found[subject]
        for mark in _marks(fact):
            profile.marks[mark].add(one.record)
        if fact.kind is FactKind.OWNED_BY and fact.valid.holds(view.as_of):
            profile.owners.add(known.canonical(fact.object))
        if fact.kind is FactKind.ENTITY:
            profile.records.add(one.record)
            _describe(profile, one, view)
    return dict(found)


def _describe(profile: _Profile, one: Statement[Fact], view: View) -> None:
    start, end = one.item.valid.start, one.item.valid.end
    end = end if end and end <= view.as_of else None
    held = profile.catalogues.get(one.source)
    if held is None or (held[1] and (end is None or end > held[1])):
        profile.catalogues[one.source] = (start, end)


def _marks(fact: Fact) -> Iterator[_Mark]:
    kind, name = entity_kind(fact.subject), entity_name(fact.subject)
    if fact.kind is FactKind.ENTITY:
        yield from _name_marks(name, kind)
        for key in ("title", "display_name", "name"):
            if fact.attributes.get(key):
                yield f"{kind} named", _whole(fact.attributes[key])
    elif fact.kind is FactKind.ALIAS:
        where = fact.attributes.get("seen_in", "alias").lower()
        if any(word in where for word in _HOSTS):
            yield "host", fact.object.strip().lower()
        elif where in _REPOSITORIES:
            yield "repository", fact.object.strip().lower()
        elif where not in _FREE and where != "path":
            yield f"{kind} id", fact.object.strip().lower()
        if where != "path":
            yield f"{kind} named", _whole(fact.object)
    elif fact.kind is FactKind.BUILT_FROM:
        yield "repository", f"{entity_name(fact.object)}|{fact.attributes.get('path', '')}".rstrip("|")


def _name_marks(name: str, kind: str) -> Iterator[_Mark]:
    last = name.rpartition("/")[2]
    own = [word for word in tokens(last) if kind_of(word) is not Kind.AFFIX] or list(tokens(last))
    yield f"{kind} named", _whole(name)
    yield f"{kind} own", "".join(own)
    if last != name:
        yield f"{kind} moved", _whole(last)
    bare = [word for word in own if kind_of(word) is not Kind.ROLE]
    if bare and len("".join(bare)) > 3:
        yield f"{kind} bare", "".join(bare)


def _whole(name: str) -> str:
    return "".join(tokens(name))


def _pairs(profiles: Mapping[EntityId, _Profile]) -> set[tuple[EntityId, EntityId]]:
    """
    Pairs of one kind that have something in common which few others have, and not both ended.
    """
    holders: dict[_Mark, set[EntityId]] = defaultdict(set)
    for name, profile in profiles.items():
        for mark in profile.marks:
            holders[mark].add(name)
    return {
        pair
        for held in holders.values()
        if 2 <= len(held) <= HOLDERS
        for pair in combinations(sorted(held), 2)
        if entity_kind(pair[0]) == entity_kind(pair[1]) and not all(profiles[one].ended for one in pair)
    }


def _weighed(one: EntityId, other: EntityId, profiles: Mapping[EntityId, _Profile]) -> Proposal | None:
    left, right = profiles[one], profiles[other]
    shared = left.marks.keys() & right.marks.keys()
    says: dict[str, str] = {}
    _by_marks(shared, profiles, says)
    _by_names(one, other, shared, says)
    if not says:
        return None
    moment, latter = _succession(one, other, left, right)
    keep = latter or _better(one, other, left, right)
    both = [
        source
        for source in left.catalogues.keys() & right.catalogues.keys()
        if not left.catalogues[source][1] and not right.catalogues[source][1]
    ]
    if moment:
        says["succeeded"] = f"{entity_name(keep)} began where the other ended, {moment:%Y-%m-%d}"
    if both:
        says["same_catalogue"] = f"{', '.join(sorted(both))} has both, side by side"
    if left.owners & right.owners:
        says["same_owner"] = f"both are of {', '.join(sorted(map(entity_name, left.owners & right.owners)))}"
    elif left.owners and right.owners:
        says["other_owner"] = "they have different owners"
    score = BIAS + sum(WEIGHTS[name] for name in says)
    records = set().union(*(left.marks[mark] | right.marks[mark] for mark in shared), left.records, right.records)
    return Proposal(
        other=other if keep == one else one,
        keep=keep,
        action="rename" if moment else "confirm",
        probability=chance(score),
        terms=tuple(Term(name=name, value=1.0, weight=WEIGHTS[name], says=said) for name, said in says.items()),
        evidence=tuple(sorted(records)[:20]),
        at=moment,
        disputed=bool(both),
    )


def _by_marks(shared: Collection[_Mark], profiles: Mapping[EntityId, _Profile], says: dict[str, str]) -> None:
    for kind, value in sorted(shared):
        if kind.endswith(" id") and value:
            says["same_id"] = f"sources know both as {value!r}"
        elif kind == "host":
            says["same_host"] = f"both answer at {value}"
        elif kind == "repository" and _few(kind, value, profiles):
            says["same_repository"] = f"both are built from {value.replace('|', ', folder ')}"


def _few(kind: str, value: str, profiles: Mapping[EntityId, _Profile]) -> bool:
    return sum((kind, value) in one.marks for one in profiles.values()) <= HOLDERS


def _by_names(one: EntityId, other: EntityId, shared: Collection[_Mark], says: dict[str, str]) -> None:
    kinds = {mark[0].rpartition(" ")[2] for mark in shared}
    names = f"{entity_name(one)} and {entity_name(other)}"
    if "own" in kinds and entity_name(one).rpartition("/")[0] == entity_name(other).rpartition("/")[0]:
        says["same_name"] = f"{names} are one name, written in two ways"
    elif "own" in kinds:
        says["moved"] = f"{names} are one name in two namespaces"
    elif "named" in kinds:
        says["named"] = "a source gives both one name"
    elif "bare" in kinds:
        says["role_name"] = f"{names} differ in words for a role alone"


def _succession(
    one: EntityId, other: EntityId, left: _Profile, right: _Profile
) -> tuple[datetime | None, EntityId | None]:
    """
    When one ended and the other began in one source, and which one began.
    """
    for former, latter, name in ((left, right, other), (right, left, one)):
        ended = former.ended
        if ended is None or latter.ended:
            continue
        for source, (_, end) in former.catalogues.items():
            if end and source in latter.catalogues and latter.catalogues[source][0] == end:
                return end, name
    return None, None


def _better(one: EntityId, other: EntityId, left: _Profile, right: _Profile) -> EntityId:
    """
    The one that lives, that more sources describe, whose name is written like an identifier, that is shorter.
    """

    def rank(name: EntityId, profile: _Profile) -> tuple[bool, int, bool, int, str]:
        return profile.ended is not None, -len(profile.catalogues), " " in name, len(name), name

    return min((one, left), (other, right), key=lambda pair: rank(*pair))[0]
