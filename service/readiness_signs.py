"""
What readiness looks at, read once for all services: what changed, what hurt, who is there, which names alerts use.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from graph.radius import Edge, all_edges
from graph.resolved import Ownership
from graph.values import (
    AlertRule,
    Change,
    ChangeKind,
    EntityId,
    EntityKind,
    FactKind,
    Incident,
    Runbook,
    View,
    entity_id,
    entity_kind,
)
from models.directory import SERVICE_LABELS, Directory
from service.owners import Owner, is_active, owner
from service.wiring import Memory

READ = 20_000
"""Changes, newest first, and alerts that are looked at."""


@dataclass
class Signs:
    """
    By the id to keep of each service. `strangers` are names of changes and alerts that no service has, with counts.
    """

    memory: Memory
    view: View
    directory: Directory
    now: datetime
    deploys: dict[EntityId, list[Change]] = field(default_factory=lambda: defaultdict(list))
    commits: dict[EntityId, list[Change]] = field(default_factory=lambda: defaultdict(list))
    incidents: dict[EntityId, list[Incident]] = field(default_factory=lambda: defaultdict(list))
    runbooks: dict[EntityId, list[Runbook]] = field(default_factory=lambda: defaultdict(list))
    rules: dict[EntityId, list[AlertRule]] = field(default_factory=lambda: defaultdict(list))
    edges: dict[EntityId, list[Edge]] = field(default_factory=lambda: defaultdict(list))
    alert_names: dict[EntityId, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Names that alerts use for a service, and that no source states."""
    pages: set[str] = field(default_factory=set)
    """Ids and addresses of all known runbooks."""
    living: set[EntityId] = field(default_factory=set)
    """Teams and persons of whom a source says that they are there, or that somebody belongs to them."""
    gone: set[EntityId] = field(default_factory=set)
    peopled: set[EntityId] = field(default_factory=set)
    """Teams that have a member who is still there, or somebody on call."""
    strangers: Counter[str] = field(default_factory=Counter)
    traced: bool = False
    """Whether any call at all was seen."""
    described: set[str] = field(default_factory=set)
    """The kinds of entities that some source lists."""
    _owners: dict[EntityId, Owner] = field(default_factory=dict)

    def owned(self, service: EntityId) -> Owner:
        """
        Who owns it and who answers, as an answer says it; asked once.
        """
        if service not in self._owners:
            memory, names = self.memory, self.directory.identity
            self._owners[service] = owner(memory.facts, memory.activity, self.view, service, names)
        return self._owners[service]

    def owner(self, service: EntityId) -> Ownership:
        """
        What sources state of the service itself.
        """
        return self.owned(service).stated


def gather(memory: Memory, view: View) -> Signs:
    """
    Read all of it as the view sees it.
    """
    directory = memory.catalogue.directory(view)
    found = Signs(memory, view, directory, view.as_of)
    owner_of = {member: service for service in directory.services for member in directory.members(service)}
    _take_changes(found, owner_of)
    for incident in memory.store.incidents(view):
        if incident.item.at and incident.item.at > view.as_of:
            continue
        for service in _of(incident.item.services, owner_of):
            found.incidents[service].append(incident.item)
    for page in memory.store.runbooks(view):
        found.pages |= {one for one in (page.item.id, page.item.url) if one}
        for service in _of(page.item.services, owner_of):
            found.runbooks[service].append(page.item)
    for rule in memory.store.alert_rules(view):
        for service in _of(rule.item.services, owner_of):
            found.rules[service].append(rule.item)
    for edge in all_edges(memory.facts, view, directory.identity):
        found.traced = found.traced or "observed" in edge.kinds
        for service in (edge.subject, edge.object):
            found.edges[service].append(edge)
    _take_people(found)
    _take_alerts(found)
    return found


def _of(services: Iterable[EntityId], owner_of: dict[EntityId, EntityId]) -> set[EntityId]:
    return {owner_of[one] for one in services if one in owner_of}


def _take_changes(found: Signs, owner_of: dict[EntityId, EntityId]) -> None:
    """
    Deploys and commits up to the view's moment. A commit that names no service is one of all that are built from its
    repository, narrowed to their folders.
    """
    built: dict[EntityId, list[tuple[EntityId, str]]] = defaultdict(list)
    for fact in found.memory.facts.facts(found.view, kinds=(FactKind.BUILT_FROM,)):
        folder = fact.item.attributes.get("path", "").strip("/")
        built[fact.item.object].append((found.directory.identity.canonical(fact.item.subject), folder))
    for one in found.memory.store.changes(found.view, end=found.view.as_of, limit=READ):
        change = one.item
        services = _of(change.services, owner_of)
        if change.kind is ChangeKind.CODE:
            services = services or {
                service for service, folder in built.get(change.repository or "", ()) if _touches(change, folder)
            }
        for service in services:
            (found.commits if change.kind is ChangeKind.CODE else found.deploys)[service].append(change)


def _touches(change: Change, folder: str) -> bool:
    return not folder or any(path.startswith(f"{folder}/") for path in change.files)


def _take_people(found: Signs) -> None:
    facts, view, names = found.memory.facts, found.view, found.directory.identity
    for one in facts.facts(view, kinds=(FactKind.ENTITY,)):
        who = names.canonical(one.item.subject)
        if entity_kind(who) in (EntityKind.TEAM, EntityKind.PERSON):
            found.described.add(entity_kind(who))
            (found.gone if is_active(one.item.attributes) is False else found.living).add(who)
    for one in facts.facts(view, kinds=(FactKind.MEMBER_OF,)):
        found.described.add("member")
        if names.canonical(one.item.subject) not in found.gone:
            found.peopled.add(names.canonical(one.item.object))
    found.peopled |= {
        names.canonical(one.item.object) for one in facts.facts(view, kinds=(FactKind.ON_CALL_FOR,))
    }  # fmt: skip


def _take_alerts(found: Signs) -> None:
    """
    Which names alerts use where no source states them: those of one service, and those of none.
    """
    directory = found.directory
    stated = {named.name.strip().lower() for names in directory.services.values() for named in names}
    used: Counter[str] = Counter()
    for one in found.memory.store.alerts(found.view, limit=READ):
        used.update(value for label in SERVICE_LABELS[:2] if (value := one.item.labels.get(label)))
    for name, count in used.items():
        canonical = directory.identity.canonical(entity_id(EntityKind.SERVICE, name))
        if name.strip().lower() in stated or canonical in directory.services:
            continue
        matches, none = directory.match(name)
        if matches and matches[0].quality > none:
            found.alert_names[matches[0].service].add(name)
        else:
            found.strangers[name] += count
