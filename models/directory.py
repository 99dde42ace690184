"""
What one view sees of services: their names, owners and identity, and the alerts that are known to be theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from graph.identity import Identity
from graph.values import Alert, AlertRule, EntityId, EntityKind, Fact, FactKind, Statement, entity_kind, entity_name
from models.known import Example, Known, bag_of
from models.matching import Match, Named, Names
from models.names import Kind, kind_of, tokens
from models.sharpness import sharpness

ADOPTED = 0.5
"""How likely an undeclared id must be a service before its history counts as that service's."""
AHEAD = 4.0
"""How much likelier than the next service it must be."""
SPOKEN = ("title", "display_name", "name")
SERVICE_LABELS = ("service", "service_name", "app", "application", "component")
TEAM_LABELS = ("team", "owner", "squad", "owning_team")
PATH = "path"
"""Where an alias was seen that is no name, but a file or folder of the service in a repository."""
EVERYDAY = 0.5
"""How much of a mention counts where the name is made of words that any text has (`worker`, `live`)."""
MENTIONED = 60
"""Of a word in a text, the services it may point to at most; a commoner word points to nobody."""
CORE = 0.7
"""Likewise where only what is the name's own stands there (`search` for `search-prod`)."""
ASIDE = frozenset(
    [
        "staging",
        "stage",
        "stg",
        "test",
        "testing",
        "qa",
        "uat",
        "dev",
        "development",
        "sandbox",
        "demo",
        "preprod",
        "integration",
    ]
)
"""Environments that nobody means by a bare name."""
GLUED = 0.8
"""Likewise where the name is only the beginning of a word."""


@dataclass(frozen=True, slots=True)
class Mention:
    """
    A name in a text: how telling it is, 0 to 1, the name, the place of its first word, and how many words it has.
    """

    told: float
    name: str
    at: int
    size: int


@dataclass
class Directory:
    """
    Facts go in first, one by one, then rules and alerts.
    """

    names: Names
    identity: Identity = field(default_factory=Identity)
    owners: dict[EntityId, EntityId] = field(default_factory=dict)
    """The first that was stated; which source counts is for `graph.resolved` to say."""
    all_owners: dict[EntityId, list[EntityId]] = field(default_factory=lambda: defaultdict(list))
    rules: dict[str, list[Statement[AlertRule]]] = field(default_factory=lambda: defaultdict(list))
    examples: list[Example] = field(default_factory=list)
    paths: dict[EntityId, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Files and folders that are declared to be a service's."""
    drifted: dict[EntityId, set[EntityId]] = field(default_factory=lambda: defaultdict(set))
    """Ids that changes carry and that no source declares, under the service that each most likely is."""
    remarks: dict[str, str | None] = field(default_factory=dict)
    """What was found out about a name as this view sees it, kept for whoever asks again."""
    _taught: set[tuple[str, str | None, str | None]] = field(default_factory=set)
    _described: dict[EntityId, list[Statement[Fact]]] = field(default_factory=lambda: defaultdict(list))
    _attributes: dict[EntityId, Mapping[str, str]] = field(default_factory=dict)
    _own: dict[EntityId, frozenset[str]] = field(default_factory=dict)
    _bags: dict[int, dict[str, float]] = field(default_factory=dict)
    """The features of rules and alerts by statement, made once for all directories."""
    _sharp: float | None = None

    @property
    def services(self) -> Mapping[EntityId, list[Named]]:
        """
        The services with all their names.
        """
        return self.names.services

    def members(self, service: EntityId) -> frozenset[str]:
        """
        All ids under which sources may speak of a service: its own, its aliases', what an unknown id resolves to, and
        those that it was split off from.
        """
        return self.own(service) | self.identity.inherited(service).keys()

    def own(self, service: EntityId) -> frozenset[str]:
        """
        Those of its members that are the service itself, at all times.
        """
        found = self._own.get(service)
        if found is None:
            ids = set(self.identity.same(service))
            ids |= {f"service:{named.name.lower()}" for named in self.services.get(service, ())}
            ids |= self.drifted.get(service, frozenset())
            found = self._own[service] = frozenset(ids)
        return found

    def attributes(self, entity: EntityId) -> Mapping[str, str]:
        """
        All that sources say of an entity itself, whatever it is; of what they disagree about, what the most trusted
        and then the latest says.
        """
        found = self._attributes.get(entity)
        if found is None:
            told: dict[str, str] = {}
            for one in sorted(self._described.get(entity, ()), key=lambda one: (one.trust, one.seq)):
                told |= one.item.attributes
            found = self._attributes[entity] = told
        return found

    def past(self, service: EntityId) -> Callable[[Collection[EntityId], datetime | None], bool]:
        """
        Tells of something that happened to services at a time whether it counts as this service's: what happened to
        that which it was split off from counts up to the split.
        """
        own, inherited = self.own(service), self.identity.inherited(service)

        def counts(services: Collection[EntityId], at: datetime | None) -> bool:
            if not own.isdisjoint(services):
                return True
            ends = [inherited[one] for one in services if one in inherited]
            return any(end is None or at is None or at < end for end in ends)

        return counts

    def likely(self, services: Mapping[EntityId, float], since: datetime | None = None) -> dict[EntityId, float]:
        """
        What is given of services (probabilities, steps), under all ids by which sources may speak of them; the first
        that is given of an id counts. `since`: without what they were split off from before then.
        """
        found: dict[EntityId, float] = {}
        for service, given in services.items():
            ids = self.own(service)
            inherited = self.identity.inherited(service)
            ids |= {one for one, end in inherited.items() if since is None or end is None or end > since}
            for one in sorted(ids):
                found.setdefault(one, given)
        return found

    def words(self, service: EntityId) -> set[frozenset[str]]:
        """
        The service's names as words, each without what a deployment puts around a name (environment, region).
        """
        found = set()
        for named in self.services.get(service, ()):
            words = tokens(named.name)
            found.add(frozenset(word for word in words if kind_of(word) is not Kind.AFFIX) or frozenset(words))
        return found

    def match(self, name: str) -> tuple[list[Match], float]:
        """
        Services that a name may mean with their probabilities, best first, and the probability of none of them.
        """
        return self.names.match(name)

    def mentioned(self, words: tuple[str, ...]) -> dict[EntityId, Mention]:
        """
        Services whose names stand in a text.
        """
        found: dict[EntityId, Mention] = {}
        for entry, at, glued in self.names.standing(words, MENTIONED):
            if self.names.borrowed(entry):
                continue
            told = min(1.0, sum(self.names.rarity(word) for word in entry.words)) * (GLUED if glued else 1.0)
            if all(kind_of(word) is not Kind.OTHER for word in entry.words):
                told *= EVERYDAY
            held = found.get(entry.named.service)
            if held is None or (told, -at) > (held.told, -held.at):
                found[entry.named.service] = Mention(told, entry.named.name, at, len(entry.words))
        for entry, at, size in self.names.core_of(words, MENTIONED):
            own = [word for word in entry.words if kind_of(word) is not Kind.AFFIX]
            told = CORE * max((self.names.rarity(word) for word in own), default=0.0)
            if any(word in entry.words for word in ASIDE):
                told *= EVERYDAY
            held = found.get(entry.named.service)
            if held is None or (told, -at) > (held.told, -held.at):
                found[entry.named.service] = Mention(told, entry.named.name, at, size)
        return _longest(found)

    def state(self, statement: Statement[Fact]) -> None:
        """
        Take in a fact about a service.
        """
        fact = statement.item
        subject = self.identity.canonical(fact.subject)
        if fact.kind is FactKind.ENTITY:
            self._described[subject].append(statement)
        if entity_kind(subject) != EntityKind.SERVICE:
            return
        if fact.kind is FactKind.OWNED_BY and fact.object:
            owner = self.identity.canonical(fact.object)
            self.owners.setdefault(subject, owner)
            if owner not in self.all_owners[subject]:
                self.all_owners[subject].append(owner)
        if fact.kind is FactKind.ALIAS and fact.attributes.get("seen_in") == PATH:
            self.paths[subject].append(fact.object.strip("/"))
            return
        for name, seen_in in _names(fact, self.identity):
            self.names.add(Named(subject, name, seen_in, statement.record))
        self._other_end(fact, subject, statement.record)

    def _other_end(self, fact: Fact, subject: EntityId, record: str) -> None:
        """
        The object of a fact about identity is a name too, whether or not a source describes it.
        """
        target = self.identity.canonical(fact.object)
        if fact.kind in _JOINS and target == subject:
            self.names.add(Named(subject, entity_name(fact.object), _JOINS[fact.kind][1], record))
        elif fact.kind is FactKind.SPLIT_INTO and target in self.identity.parts(subject):
            self.names.add(Named(target, entity_name(fact.object), "name", record))

    def untaught(self, bags: dict[int, dict[str, float]]) -> Directory:
        """
        The same names, shared, before any rule or alert was taken in.
        """
        return replace(self, rules=defaultdict(list), examples=[], _taught=set(), _bags=bags)

    def rule(self, statement: Statement[AlertRule]) -> None:
        """
        Take in a rule: an example where it says whose it is.
        """
        item = statement.item
        self.rules[item.name].append(statement)
        service = self.identity.canonical(item.services[0]) if item.services else None
        self._teach(statement.seq, item, service, statement.record)

    def alert(self, statement: Statement[Alert]) -> None:
        """
        Take in a past alert: an example where its labels say whose it was, once for each such saying.
        """
        item = statement.item
        given = next((item.labels[label] for label in SERVICE_LABELS[:2] if item.labels.get(label)), None)
        service = self.identity.canonical(f"service:{given.lower()}") if given else None
        self._teach(statement.seq, item, service if service in self.services else None, statement.record)

    def _teach(self, seq: int, item: Alert | AlertRule, service: EntityId | None, record: str) -> None:
        team = next((item.labels[label] for label in TEAM_LABELS if item.labels.get(label)), None)
        saying = (item.name + item.expr, service, team)
        if (service or team) and saying not in self._taught:
            self._taught.add(saying)
            bag = self._bags.get(seq)
            if bag is None:
                bag = self._bags[seq] = bag_of(item.name, item.expr, item.labels, item.annotations)
            self.examples.append(Example(bag, service, team, record))

    def adopt(self, seen: Iterable[EntityId]) -> None:
        """
        Take in ids of services that changes carry, after all facts: where no source declares one, it is another name
        of a declared service, or else a service that nobody declared.
        """
        unknown = []
        for service in seen:
            if self.identity.canonical(service) not in self.services:
                matches, _ = self.match(entity_name(service))
                rest = matches[1].quality if len(matches) > 1 else 0.0
                if matches and matches[0].quality >= max(ADOPTED, AHEAD * rest):
                    self.drifted[matches[0].service].add(service)
                else:
                    unknown.append(service)
        for service in unknown:
            self.names.add(Named(service, entity_name(service), "the name that changes use", ""))

    @cached_property
    def known_services(self) -> Known:
        """
        The model of the alerts whose service is known.
        """
        return Known.fit([(one.bag, one.service, one.record) for one in self.examples if one.service])

    def sharpness(self, weights: Mapping[str, float]) -> float:
        """
        How far the evidence on services is to be trusted here, against other organisations; found out once.
        """
        if self._sharp is None:
            self._sharp = sharpness(self.known_services.trials, weights)
        return self._sharp

    @cached_property
    def known_teams(self) -> Known:
        """
        The model of the alerts whose team is known, the service among their features.
        """
        return Known.fit(
            [(with_services(one.bag, {one.service: 1.0} if one.service else {}), one.team, one.record)
             for one in self.examples if one.team]
        )  # fmt: skip

    @cached_property
    def team_shares(self) -> dict[EntityId, dict[str, float]]:
        """
        Of each service's known alerts, the share of each team.
        """
        counts: dict[EntityId, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for one in self.examples:
            if one.service and one.team:
                counts[one.service][one.team] += 1.0
        return {
            service: {team: count / (sum(teams.values()) + 1.0) for team, count in teams.items()}
            for service, teams in counts.items()
        }


def _longest(found: dict[EntityId, Mention]) -> dict[EntityId, Mention]:
    """
    Without names that stand only inside a longer one (`search-api` in `search-api-v2`).
    """
    spans = [(one.at, one.at + one.size) for one in found.values()]
    return {
        service: one
        for service, one in found.items()
        if not any(start <= one.at and one.at + one.size <= end and end - start > one.size for start, end in spans)
    }


SERVICE_WORD = 3.0


def with_services(bag: Mapping[str, float], services: Mapping[str, float]) -> dict[str, float]:
    """
    A bag with the services that the alert is about, by their probability, as further words.
    """
    return {**bag, **{f"S:{service}": SERVICE_WORD * share for service, share in services.items() if share > 0.02}}


_JOINS = {FactKind.RENAMED_TO: ("old name", "new name"), FactKind.SAME_AS: ("another name", "another name")}
"""What the subject and the object of a fact that joins them are, as names."""


def _names(fact: Fact, identity: Identity) -> list[tuple[str, str]]:
    if fact.kind is FactKind.ENTITY:
        own = [(entity_name(fact.subject), "name")]
        return own + [(fact.attributes[key], "title") for key in SPOKEN if fact.attributes.get(key)]
    if fact.kind is FactKind.ALIAS:
        return [(fact.object, fact.attributes.get("seen_in", "alias"))]
    if fact.kind is FactKind.BUILT_FROM:
        old = sorted(identity.same(fact.object) - {fact.object})
        return [(entity_name(fact.object), "repository"), *((entity_name(one), "an earlier repository") for one in old)]
    if fact.kind in _JOINS:
        joined = identity.canonical(fact.subject) == identity.canonical(fact.object)
        return [(entity_name(fact.subject), _JOINS[fact.kind][0])] if joined else []
    return []
