"""
Atlassian Compass: `compass.yml`, and components as its API lists them.

Components refer to each other and to teams by ARI. That of a component is one of its ids, so that what depends on the
ARI depends on the component; a team's name only the Teams API knows, so a team is called by its ARI.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graph.values import EntityId, EntityKind, Fact, FactKind, Item, Record, Trust, entity_id
from ingest.connectors._catalogue import (
    alias,
    built_from_all,
    described,
    documents,
    edge,
    entries,
    ident,
    once,
    paged_by,
    words,
)
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, first, list_at, named, objects_at, text_at

_RESOURCES = frozenset({"CLOUD_RESOURCE", "DATA_PIPELINE", "MACHINE_LEARNING_MODEL"})
_OWNERS = ("owner", "team", "squad")


def _found(document: object) -> Iterable[object]:
    for one in entries(document):
        whole = at(one, "data", "compass") or at(one, "data") or one
        lists = [
            at(whole, *path)
            for path in (("searchComponents", "nodes"), ("components", "nodes"), ("components",), ("nodes",))
        ]
        many = next((given for given in lists if isinstance(given, list)), None)
        if many is None:
            yield at(whole, "component") or whole
        else:
            yield from (at(entry, "component") or entry for entry in many)


def _name(body: Body) -> str:
    return first(body.get("name"), body.get("id")) or "?"


def transform(record: Record) -> Iterator[Item]:
    """
    What one component states.
    """
    body = body_of(record)
    name = named(body.get("name"))
    if "kind" in body or "jobs" in body or not name:
        raise BadRecord(
            f"{record.part} has no `name` of a component; expected a compass.yml (configVersion, name, typeId)"
        )
    kind = str(first(body.get("typeId"), body.get("type")) or "SERVICE").upper()
    own = entity_id(EntityKind.RESOURCE if kind in _RESOURCES else EntityKind.SERVICE, name)
    yield _described(own, body, kind)
    if ari := named(body.get("id")):
        yield from alias(own, ari, "compass")
        yield from edge(FactKind.SAME_AS, entity_id(EntityKind.SERVICE, ari), own, "id")
    yield from alias(own, body.get("slug"), "compass")
    yield from once(_edges(own, body))
    links = objects_at(body, "links")
    yield from built_from_all(own, [one.get("url") for one in links if str(one.get("type")).upper() == "REPOSITORY"])
    for one in links:
        yield from paged_by(own, one.get("url"))


def _described(own: EntityId, body: Body, kind: str) -> Fact:
    links = objects_at(body, "links")
    chat = first(*(one.get("url") for one in links if str(one.get("type")).upper() == "CHAT_CHANNEL"))
    return described(
        own,
        [(words(link, "type", "name"), link.get("url")) for link in links],
        name=body.get("name"),
        description=body.get("description"),
        type=kind.lower(),
        lifecycle=_field(body, "lifecycle"),
        tier=_field(body, "tier"),
        tags=[label for one in list_at(body, "labels") if (label := named(one) or text_at(one, "name"))],
        slack=chat,
    )


def _field(body: Body, name: str) -> object:
    """
    A field of the file, or of the API's list, where the values of one are several.
    """
    plain = at(body, "fields", name)
    if plain is not None:
        return plain[0] if isinstance(plain, list) and plain else plain
    for one in objects_at(body, "fields"):
        if str(at(one, "definition", "id") or one.get("id")).endswith(name):
            return first(one.get("value"), at(one, "value", 0))
    return None


def _edges(own: EntityId, body: Body) -> Iterator[Fact]:
    owner = ident(EntityKind.TEAM, first(body.get("ownerId"), at(body, "ownerTeam", "id"), at(body, "owner", "id")))
    yield from edge(FactKind.OWNED_BY, own, owner, "ownerId")
    for one in objects_at(body, "customFields"):
        name = str(one.get("name"))
        if owner is None and any(word in name.lower().split() for word in _OWNERS):
            yield from edge(FactKind.OWNED_BY, own, ident(EntityKind.TEAM, one.get("value")), name)
    for other in list_at(body, "relationships", "DEPENDS_ON"):
        yield from edge(FactKind.DEPENDS_ON, own, _component(other), "DEPENDS_ON")
    for key in ("CHILD_OF", "PARENT"):
        for other in list_at(body, "relationships", key):
            yield from edge(FactKind.PART_OF, own, _component(other), key)
    for one in objects_at(body, "relationships", "nodes"):
        target = first(at(one, "endNode", "id"), one.get("nodeId"))
        if one.get("type", one.get("relationshipType")) == "DEPENDS_ON":
            yield from edge(FactKind.DEPENDS_ON, own, _component(target), "DEPENDS_ON")


def _component(value: object) -> EntityId | None:
    return ident(EntityKind.SERVICE, named(value) or text_at(value, "id"))


CONNECTOR = Connector(
    name="compass",
    summary="Atlassian Compass: compass.yml and lists of components",
    trust=Trust.DECLARED,
    snapshot=True,
    split=documents("compass.yml", _name, _found),
    transform=transform,
    patterns=("compass/*.y*ml", "compass/*.json", "*compass.y*ml"),
)
