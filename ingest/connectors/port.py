"""
Port: entities, read by the blueprints that lie in the same file.

Nothing of an entity has a fixed meaning; only its blueprint says what a property is and where a relation leads. Where
the blueprint is not there, names are read as they usually mean, which `docs/reference/connectors.md` lists. Entities of
a blueprint that names neither a service, a team, a person, a repository, an environment nor a resource state nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from graph.values import EntityId, EntityKind, Fact, FactKind, Item, Record, Trust
from ingest.connectors._catalogue import (
    alias,
    built_from,
    built_from_all,
    described,
    documents_of,
    edge,
    entries,
    ident,
    once,
    person,
    piece,
    repository_in,
)
from ingest.contract import Body, Connector, Piece
from ingest.errors import BadRecord
from ingest.fields import at, body_of, first, named, text_at

_WORDS: Mapping[EntityKind, tuple[str, ...]] = {
    EntityKind.SERVICE: ("service", "microservice", "component", "application", "app", "api"),
    EntityKind.TEAM: ("team", "group", "squad"),
    EntityKind.PERSON: ("user", "person", "employee", "member", "developer"),
    EntityKind.REPOSITORY: ("repository", "repo"),
    EntityKind.ENVIRONMENT: ("environment", "env"),
    EntityKind.RESOURCE: (
        "system", "domain", "product", "database", "db", "datastore", "cluster", "queue", "topic", "bucket", "resource",
    ),
}  # fmt: skip
_KINDS = {word: kind for kind, found in _WORDS.items() for word in found}
_WHOLES = ("system", "domain", "product", "parent", "portfolio")
_VENDORS = (
    "pagerduty", "opsgenie", "komodor", "datadog", "newrelic", "sentry", "dynatrace", "firehydrant", "rootly",
    "servicenow", "statuspage", "github", "gitlab", "bitbucket", "azure", "jira", "sonar", "snyk", "kubecost", "cortex",
)  # fmt: skip
_FIELDS = {
    "description": ("description",),
    "tier": ("tier", "criticality", "servicetier"),
    "lifecycle": ("lifecycle",),
    "language": ("language", "languages", "programminglanguage"),
    "type": ("type", "servicetype"),
    "slack": ("slack", "slackchannel", "slackurl"),
    "namespace": ("namespace", "namespacename"),
}
_OWNERS = ("owner", "owners", "team", "teams", "squad", "owningteam", "serviceowner", "techlead")
_NEEDED = ("depend", "consume", "uses", "upstream", "calls")


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece an entity, with its blueprint where the file holds it, and a piece a blueprint.
    """
    path = meta.get("path") or "port.json"
    found: list[object] = []
    for value in documents_of(raw, path):
        if isinstance(value, Piece):
            yield value
        else:
            found += _found(value)
    blueprints = {str(at(one, "identifier")): one for one in found if isinstance(at(one, "schema"), dict)}
    for number, one in enumerate(found, 1):
        whole = {"entity": one} if isinstance(one, dict) else one
        known = blueprints.get(str(at(one, "blueprint")))
        if isinstance(whole, dict) and isinstance(known, dict):
            whole["blueprint"] = {key: known.get(key) for key in ("identifier", "title", "schema", "relations")}
        yield piece(whole, path, number, _name)


def _found(document: object) -> list[object]:
    """
    What lies in lists, exports and answers of the API; the blueprints first.
    """
    inside: list[object] = []
    for given in entries(document):
        # an audit event holds the entity as it is after what was done
        one = at(given, "diff", "after") if text_at(given, "resourceType") == "entity" else given
        keys = [
            key for key in ("blueprints", "blueprint", "entities", "entity") if isinstance(at(one, key), list | dict)
        ]
        inside += [entry for key in keys for entry in entries(at(one, key))] if keys else [one]
    return inside


def _name(whole: Body) -> str:
    kind = text_at(whole, "entity", "blueprint") or "blueprint"
    return f"{kind}/{first(at(whole, 'entity', 'identifier'), at(whole, 'entity', 'title')) or '?'}"


def transform(record: Record) -> Iterator[Item]:
    """
    What one entity states.
    """
    body = body_of(record)
    entity, known = body.get("entity"), body.get("blueprint")
    if isinstance(at(entity, "schema"), dict):
        return
    blueprint, identifier = text_at(entity, "blueprint"), named(at(entity, "identifier"))
    if not isinstance(entity, dict) or not blueprint or not identifier:
        what = (
            "an integration's mapping"
            if isinstance(at(entity, "resources"), list)
            else "neither an entity nor a blueprint"
        )
        raise BadRecord(f"{record.part} is {what}; expected `identifier` with `blueprint`, as Port's API gives them")
    own = _entity(blueprint, identifier, text_at(entity, "title"))
    if own is None:
        return
    properties = at(entity, "properties")
    given = {str(key): value for key, value in properties.items()} if isinstance(properties, dict) else {}
    yield _described(own, entity, given, known)
    yield from alias(own, at(entity, "title"), "title")
    yield from alias(own, identifier, _vendor(blueprint) or "port")
    yield from once((*_owned(own, entity, given, known), *_related(own, entity, known)))
    yield from _built(own, given)


def words_of(name: str) -> list[str]:
    """
    The words of an identifier, in lower case.
    """
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def kind_of(blueprint: str) -> EntityKind | None:
    """
    What the entities of a blueprint are, by the last word of its name; None for what is no entity of ours.
    """
    said = words_of(blueprint)
    if not said or said[0] == "running":
        return None
    return _KINDS.get(said[-1]) or _KINDS.get(said[-1].removesuffix("s"))


def _vendor(blueprint: str) -> str | None:
    said = "".join(words_of(blueprint))
    return next((vendor for vendor in _VENDORS if said.startswith(vendor)), None)


def _entity(blueprint: str, identifier: str, title: str | None) -> EntityId | None:
    """
    The entity of a blueprint's entity. A tool's own object has an id of the tool for an identifier, so its title names
    it.
    """
    kind = kind_of(blueprint)
    if kind is None:
        return None
    if kind is EntityKind.PERSON:
        return person(identifier if "@" in identifier else title or identifier)
    by_title = _vendor(blueprint) and title and kind is not EntityKind.REPOSITORY
    return ident(kind, title if by_title else identifier)


def _described(own: EntityId, entity: Body, given: Mapping[str, object], known: object) -> Fact:
    plain = {re.sub(r"[^a-z]", "", key.lower()): value for key, value in given.items()}
    fields = {name: next((plain[key] for key in keys if key in plain), None) for name, keys in _FIELDS.items()}
    links = [(_about(key, known), value) for key, value in given.items() if _is_url(value)]
    return described(own, links, name=text_at(entity, "title") or text_at(entity, "identifier"), **fields)


def _about(key: str, known: object) -> str:
    title = text_at(known, "schema", "properties", key, "title") or ""
    return f"{' '.join(words_of(key))} {title}"


def _is_url(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _owned(own: EntityId, entity: Body, given: Mapping[str, object], known: object) -> Iterator[Fact]:
    if own.startswith(("team:", "person:")):
        return
    for value in entries(entity.get("team")):
        yield from edge(FactKind.OWNED_BY, own, ident(EntityKind.TEAM, value), "team")
    for key, value in given.items():
        said = words_of(key)
        form = text_at(known, "schema", "properties", key, "format")
        if "".join(said) in _OWNERS or form == "team":
            for one in entries(value):
                yield from edge(FactKind.OWNED_BY, own, _who(one, form), key)
        elif "oncall" in "".join(said):
            level = "2" if "secondary" in said else "1"
            for one in entries(value):
                if not _is_url(one):
                    yield from edge(FactKind.ON_CALL_FOR, person(one), own, key, level=level)


def _who(value: object, form: str | None) -> EntityId | None:
    name = named(value)
    if name is None or _is_url(name):
        return None
    return person(name) if form == "user" or "@" in name else ident(EntityKind.TEAM, name)


def _related(own: EntityId, entity: Body, known: object) -> Iterator[Fact]:
    relations = entity.get("relations")
    for key, value in relations.items() if isinstance(relations, dict) else ():
        target = text_at(known, "relations", key, "target") or str(key)
        for one in entries(value):
            identifier = named(one) or text_at(one, "identifier")
            if identifier:
                yield from _relation(own, str(key), target, identifier, text_at(one, "title"))


def _relation(own: EntityId, key: str, target: str, identifier: str, title: str | None) -> Iterator[Fact]:
    if _vendor(target) and kind_of(target) is EntityKind.SERVICE:
        # the tool's object of the same service: its id is the join
        yield from alias(own, identifier, str(_vendor(target)))
        return
    needs = any(word in key.lower() for word in _NEEDED)
    owns = any(word in words_of(key) for word in ("owner", "owning", "owned", "lead"))
    kind = kind_of(target) or (EntityKind.SERVICE if needs else EntityKind.TEAM if owns else None)
    other = _entity(target, identifier, title) if kind_of(target) else (ident(kind, identifier) if kind else None)
    yield from _stated(own, kind, other, key, target, needs=needs)


def _stated(
    own: EntityId, kind: EntityKind | None, other: EntityId | None, key: str, target: str, *, needs: bool
) -> Iterator[Fact]:
    whole = any(word in words_of(target) + words_of(key) for word in _WHOLES)
    if kind is EntityKind.TEAM and own.startswith("person:"):
        yield from edge(FactKind.MEMBER_OF, own, other, key)
    elif kind is EntityKind.PERSON and own.startswith("team:"):
        yield from edge(FactKind.MEMBER_OF, other, own, key)
    elif kind is EntityKind.TEAM and own.startswith("team:"):
        yield from edge(FactKind.PART_OF, own, other, key)
    elif kind in (EntityKind.TEAM, EntityKind.PERSON):
        called = "oncall" in "".join(words_of(key))
        yield from edge(FactKind.ON_CALL_FOR, other, own, key) if called else edge(FactKind.OWNED_BY, own, other, key)
    elif kind is EntityKind.REPOSITORY and other:
        yield from built_from(own, other.partition(":")[2])
    elif kind is EntityKind.ENVIRONMENT:
        yield from edge(FactKind.RUNS_IN, own, other, key)
    elif kind is EntityKind.RESOURCE and whole:
        yield from edge(FactKind.PART_OF, own, other, key)
    elif kind is EntityKind.RESOURCE or needs:
        yield from edge(FactKind.DEPENDS_ON, own, other, key)


def _built(own: EntityId, given: Mapping[str, object]) -> Iterator[Fact]:
    urls = [
        value
        for key, value in given.items()
        if _KINDS.get("".join(words_of(key))) is EntityKind.REPOSITORY or key == "url"
    ]
    if any(repository_in(url) for url in urls):
        yield from built_from_all(own, urls)


CONNECTOR = Connector(
    name="port",
    summary="Port's entities, read by their blueprints",
    trust=Trust.DECLARED,
    snapshot=True,
    split=split,
    transform=transform,
    patterns=("port/*.json", "port/*.y*ml", "*port-entities*.json", "port.y*ml", "*.blueprints.json"),
)
