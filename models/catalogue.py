"""
Who and what there is, for looking up names: services, aliases, owners, and the alerts that are known.

A derived index in memory that follows the store's feed. `directory(view)` is what one view sees of it; directories are
kept as long as nothing that they rest on has changed and no span has begun or ended.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock

from graph.contract import Store
from graph.identity import Identity
from graph.values import (
    IDENTITY_KINDS,
    AlertRule,
    Change,
    EntityId,
    EntityKind,
    Fact,
    FactKind,
    Incident,
    Item,
    Statement,
    View,
    entity_kind,
    entity_name,
)
from models.names import ENVIRONMENTS, key, likeness, similarity, tokens, variants

FEED = 5000
KEPT_VIEWS = 16
MOST_CLOSE = 300
_KINDS = {FactKind.ENTITY, FactKind.ALIAS, FactKind.OWNED_BY, FactKind.BUILT_FROM, *IDENTITY_KINDS}
_WORD = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Named:
    """
    A name of a service: where it was seen and the record that says so.
    """

    service: EntityId
    name: str
    seen_in: str
    record: str


@dataclass(frozen=True, slots=True)
class Match:
    """
    A service that a name may mean: how well, 0 to 1, and why.
    """

    service: EntityId
    quality: float
    says: str
    record: str


@dataclass(slots=True)
class Directory:
    """
    What one view sees: names to services, and the known alerts to learn from.
    """

    names: dict[str, list[Named]] = field(default_factory=lambda: defaultdict(list))
    services: dict[EntityId, list[Named]] = field(default_factory=lambda: defaultdict(list))
    words: dict[str, set[EntityId]] = field(default_factory=lambda: defaultdict(set))
    about: dict[EntityId, Counter[str]] = field(default_factory=dict)
    owners: dict[EntityId, EntityId] = field(default_factory=dict)
    all_owners: dict[EntityId, list[EntityId]] = field(default_factory=lambda: defaultdict(list))
    rules: dict[str, list[Statement[AlertRule]]] = field(default_factory=lambda: defaultdict(list))
    examples: list[tuple[Counter[str], EntityId | None, str | None, str]] = field(default_factory=list)
    postings: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    norms: list[float] = field(default_factory=list)
    identity: Identity = field(default_factory=Identity)
    drifted: dict[EntityId, set[EntityId]] = field(default_factory=lambda: defaultdict(set))
    """Ids that changes carry and that no source declares, under the service that each most likely is."""

    def rarity(self, word: str) -> float:
        """
        How telling a word is among the names of services, 0 to 1.
        """
        count = len(self.services)
        found = len(self.words.get(word, ()))
        return math.log((count + 1) / (found + 0.5)) / math.log(2 * count + 2) if count else 0.0

    def telling(self, given: Iterable[str]) -> list[str]:
        """
        Words that name few enough services to look at each.
        """
        most = max(20, len(self.services) // 20)
        return [word for word in set(given) if word in self.words and len(self.words[word]) <= most]

    def members(self, service: EntityId) -> frozenset[str]:
        """
        All ids under which sources may speak of a service: its own, its aliases', and what an unknown id resolves to.
        """
        ids = set(self.identity.members(service))
        ids |= {f"service:{named.name.lower()}" for named in self.services.get(service, ())}
        ids |= self.drifted.get(service, set())
        return frozenset(ids)

    def match(self, name: str, limit: int = 8) -> list[Match]:
        """
        Services that a name may mean, best first.
        """
        best: dict[EntityId, Match] = {}
        for variant in variants(name):
            for named in self.names.get(variant.key, ()):
                worth = 1.0 - 0.5 * min(1.5, variant.cost) if variant.cost else 1.0
                worth -= 0.0 if named.seen_in == "name" else 0.03
                says = f"{name!r} is {named.seen_in} of {entity_name(named.service)}"
                _better(
                    best,
                    Match(named.service, worth, f"{says} ({variant.says})" if variant.says else says, named.record),
                )
        if not best or max(match.quality for match in best.values()) < 0.75:
            for match in self._alike(name):
                _better(best, match)
        return sorted(best.values(), key=lambda match: (-match.quality, match.service))[:limit]

    def _alike(self, name: str) -> Iterator[Match]:
        given = tuple(word for word in tokens(name) if word not in ENVIRONMENTS)
        if not given:
            return
        close = {service for word in given for near in self._near(word) for service in self.words.get(near, ())}
        if len(close) > MOST_CLOSE:
            close = {service for word in self.telling(given) for service in self.words[word]}
        for service in close:
            named = max(self.services[service], key=lambda one: similarity(given, tokens(one.name)))
            alike = similarity(given, tokens(named.name))
            if alike >= 0.5:
                yield Match(service, 0.85 * alike**2, f"{name!r} is like {named.name!r}", named.record)

    def _near(self, word: str) -> Iterator[str]:
        if word in self.words:
            yield word
        yield from (
            known for known in self.words if known != word and known[0] == word[0] and likeness(word, known) > 0.5
        )

    def neighbours(self, bag: Mapping[str, int], limit: int = 12) -> list[tuple[float, int]]:
        """
        Known alerts that are most alike, as (cosine, place in `examples`).
        """
        scores: dict[int, float] = defaultdict(float)
        weights = {word: self._weight(word) for word in bag}
        for word, weight in weights.items():
            for place in self.postings.get(word, ()):
                scores[place] += weight * weight
        norm = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        ranked = ((score / (norm * self.norms[place]), place) for place, score in scores.items())
        return sorted(ranked, reverse=True)[:limit]

    def _weight(self, word: str) -> float:
        return math.log(1 + len(self.examples) / (0.5 + len(self.postings.get(word, ()))))

    def finish(self) -> None:
        """
        Make the tables for `neighbours`.
        """
        for place, (bag, _, _, _) in enumerate(self.examples):
            for word in bag:
                self.postings[word].append(place)
        self.norms = [math.sqrt(sum(self._weight(word) ** 2 for word in bag)) or 1.0 for bag, _, _, _ in self.examples]


def _better(best: dict[EntityId, Match], match: Match) -> None:
    if match.service not in best or best[match.service].quality < match.quality:
        best[match.service] = match


def bag_of(rule: AlertRule) -> Counter[str]:
    """
    The words of an alert's own fields: name, expression, labels and annotations; not its file or group.
    """
    texts = [rule.name, rule.expr, *rule.annotations.values()]
    texts += [f"{name} {value}" for name, value in rule.labels.items() if name not in ("service", "team", "owner")]
    return bag(texts)


def bag(texts: Iterable[str]) -> Counter[str]:
    """
    Words of texts, compounds cut at separators and capitals.
    """
    return Counter(part for text in texts for word in _WORD.findall(text) for part in tokens(word) if len(part) > 1)


class Catalogue:
    """
    Follows the feed; safe to share between threads.
    """

    def __init__(self) -> None:
        self._facts: dict[int, Statement[Fact]] = {}
        self._rules: dict[int, Statement[AlertRule]] = {}
        self._seen: dict[EntityId, int] = {}
        self._paged: dict[str, dict[int, Statement[Incident]]] = defaultdict(dict)
        self._at = 0
        self._bounds: list[datetime] = []
        self._views: OrderedDict[tuple[object, ...], Directory] = OrderedDict()
        self._lock = RLock()

    @property
    def watermark(self) -> int:
        """
        How far the feed was followed.
        """
        return self._at

    def follow(self, store: Store) -> None:
        """
        Catch up with the feed.
        """
        with self._lock:
            changed = False
            while events := store.changes_since(self._at, FEED):
                for event in events:
                    changed = self._take(event.op, event.statement_seq, event.statement) or changed
                self._at = events[-1].seq
            if changed:
                self._views.clear()
                self._bounds = sorted(set(self._moments()))

    def _take(self, op: str, seq: int, statement: Statement[Item] | None) -> bool:
        if op == "erased" or statement is None:
            for found in self._paged.values():
                found.pop(seq, None)
            return self._facts.pop(seq, None) is not None or self._rules.pop(seq, None) is not None
        item = statement.item
        if isinstance(item, Fact) and item.kind in _KINDS:
            self._facts[seq] = statement  # type: ignore[assignment]  # the item was tested
            return True
        if isinstance(item, Incident):
            for name in item.alerts:
                self._paged[name][seq] = statement  # type: ignore[assignment]  # the item was tested
            return False
        if isinstance(item, Change):
            fresh = [one for one in item.services if one not in self._seen]
            self._seen.update(dict.fromkeys(fresh, seq))
            return bool(fresh)
        if isinstance(item, AlertRule):
            self._rules[seq] = statement  # type: ignore[assignment]  # the item was tested
            return True
        return False

    def _moments(self) -> Iterator[datetime]:
        for statement in self._facts.values():
            spans = (statement.known, statement.item.valid)
            yield from (moment for span in spans for moment in (span.start, span.end) if moment)
        for rule in self._rules.values():
            yield from (moment for moment in (rule.known.start, rule.known.end) if moment)

    def incidents_of(self, alert: str, view: View) -> list[Statement[Incident]]:
        """
        Incidents in which an alert of this name fired, in commit order, one of each id.
        """
        with self._lock:
            seen = [one for one in self._paged.get(alert, {}).values() if view.sees(one)]
        return list({one.item.id: one for one in sorted(seen, key=lambda one: one.seq)}.values())

    def directory(self, view: View) -> Directory:
        """
        What the view sees.
        """
        with self._lock:
            places = (bisect_right(self._bounds, view.as_of), bisect_right(self._bounds, view.known_at))
            mark = (*places, view.visibility, view.hidden)
            if mark not in self._views:
                self._views[mark] = self._build(view)
                while len(self._views) > KEPT_VIEWS:
                    self._views.popitem(last=False)
            self._views.move_to_end(mark)
            return self._views[mark]

    def _build(self, view: View) -> Directory:
        facts = [one for one in self._facts.values() if view.sees(one) and one.item.valid.holds(view.as_of)]
        found = Directory()
        found.identity = Identity(one for one in facts if one.item.kind in IDENTITY_KINDS)
        for statement in facts:
            _state(found, statement)
        for rule in self._rules.values():
            if view.sees(rule):
                _example(found, rule)
        for service, names in found.services.items():
            for word in {word for one in names for word in tokens(one.name)}:
                found.words[word].add(service)
        for service in self._seen:
            _adopt(found, service)
        found.finish()
        return found


def _state(found: Directory, statement: Statement[Fact]) -> None:
    fact = statement.item
    subject = found.identity.canonical(fact.subject)
    if entity_kind(subject) != EntityKind.SERVICE:
        return
    if fact.kind is FactKind.OWNED_BY and fact.object:
        owner = found.identity.canonical(fact.object)
        found.owners.setdefault(subject, owner)
        if owner not in found.all_owners[subject]:
            found.all_owners[subject].append(owner)
    names: list[tuple[str, str]] = []
    if fact.kind is FactKind.ENTITY:
        names = [(entity_name(fact.subject), "name")]
        texts = [fact.attributes.get(name, "") for name in ("title", "description", "tags")]
        found.about.setdefault(subject, Counter()).update(bag(texts))
    elif fact.kind is FactKind.ALIAS:
        names = [(fact.object, fact.attributes.get("seen_in", "alias"))]
    elif fact.kind is FactKind.BUILT_FROM:
        names = [(entity_name(fact.object), "repository")]
    elif fact.kind is FactKind.RENAMED_TO:
        names = [(entity_name(fact.subject), "old name")]
    for name, seen_in in names:
        _name(found, Named(subject, name, seen_in, statement.record))


ADOPTED = 0.8
"""How well an undeclared id has to match a service to count as it."""


def _adopt(found: Directory, service: EntityId) -> None:
    canonical = found.identity.canonical(service)
    if canonical in found.services:
        return
    matches = found.match(entity_name(service), 2)
    if (
        matches
        and matches[0].quality >= ADOPTED
        and (len(matches) == 1 or matches[1].quality < matches[0].quality - 0.05)
    ):
        found.drifted[matches[0].service].add(service)


def _name(found: Directory, named: Named) -> None:
    mark = key(named.name)
    if not mark or any(one.service == named.service for one in found.names.get(mark, ())):
        return
    found.services[named.service].append(named)
    for form in {mark, mark.replace("-", "")}:
        found.names[form].append(named)
    if "/" in named.name:
        found.names[key(named.name.rpartition("/")[2])].append(named)


def _example(found: Directory, rule: Statement[AlertRule]) -> None:
    item = rule.item
    found.rules[item.name].append(rule)
    team = item.labels.get("team") or item.labels.get("owner")
    service = found.identity.canonical(item.services[0]) if item.services else None
    if service or team:
        found.examples.append((bag_of(item), service, team, rule.record))
