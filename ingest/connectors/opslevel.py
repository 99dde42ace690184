"""
OpsLevel: `opslevel.yml`, and lists of services or components as its API and command give them.

A service is called by its alias, which is how others depend on it; where none is given, by the one that OpsLevel makes
of its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from graph.values import EntityId, EntityKind, Fact, FactKind, Item, Record, Trust, entity_id
from ingest.connectors._catalogue import alias, built_from, described, documents, edge, entries, ident, once, words
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, first, list_at, named, objects_at, text, text_at

_SERVICES = ("service", "component", "services", "components")
_ABOUT = {
    "runbooks": "runbook",
    "metrics": "metrics",
    "observability": "observability",
    "incidents": "incidents",
}
_PAGERS = frozenset({"pagerduty", "opsgenie", "datadog", "new_relic", "incident_io", "firehydrant", "rootly"})


def _found(document: object) -> Iterable[object]:
    """
    The services of a document: of a file, of a page of the API, or those that it is a list of.
    """
    for one in entries(document):
        inner = [at(one, key) for key in _SERVICES if at(one, key) is not None]
        nodes = [list_at(given, "nodes") or given for given in inner]
        if nodes:
            yield from (entry for given in nodes for entry in entries(given))
        elif isinstance(at(one, "data"), dict):
            yield from _found(at(one, "data", "account") or at(one, "data"))
        elif set(one if isinstance(one, dict) else ()) & {"repository", "team", "version"}:
            # a file about its repository or a team alone
            yield {"passed_over": True}
        else:
            yield one


def _name(body: Body) -> str:
    return own_alias(body) or ("" if body.get("passed_over") else str(body.get("id") or body.get("name")))


def own_alias(body: Body) -> str | None:
    """
    The alias by which others speak of it.
    """
    given = first(*_aliases(body))
    name = named(body.get("name"))
    return given or (re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") if name else None)


def _aliases(body: Body) -> list[str]:
    given = at(body, "aliases")
    found = given if isinstance(given, list) else [given]
    return [name for one in (*found, body.get("alias")) if (name := named(one))]


def transform(record: Record) -> Iterator[Item]:
    """
    What one service states.
    """
    body = body_of(record)
    if body.get("passed_over"):
        return
    name = own_alias(body)
    if not name:
        raise BadRecord(f"{record.part}: the service has neither a name nor an alias; expected OpsLevel's `service:`")
    own = entity_id(EntityKind.SERVICE, name)
    yield _described(own, body)
    yield from alias(own, body.get("name"), "title")
    for other in _aliases(body):
        yield from alias(own, other, "opslevel")
    yield from once(_edges(own, body))
    yield from _names(own, body)


def _described(own: EntityId, body: Body) -> Fact:
    tools = (*objects_at(body, "tools"), *objects_at(body, "tools", "nodes"))
    tags = (*objects_at(body, "tags"), *objects_at(body, "tags", "nodes"))
    return described(
        own,
        [(_about(tool), tool.get("url")) for tool in tools],
        name=body.get("name"),
        description=body.get("description"),
        type=_label(body.get("type")),
        lifecycle=_label(body.get("lifecycle")),
        tier=_label(body.get("tier")),
        product=body.get("product"),
        language=body.get("language"),
        framework=body.get("framework"),
        tags=[f"{tag['key']}:{tag['value']}" for tag in tags if tag.get("key") and named(tag.get("value"))],
    )


def _about(tool: Body) -> str:
    category = (text_at(tool, "category") or "").lower()
    return f"{_ABOUT.get(category, category)} {words(tool, 'name', 'displayName')}"


def _label(value: object) -> str | None:
    """
    An alias as it stands, or that of the object which the API gives.
    """
    return named(value) or named(at(value, "alias")) or named(at(value, "name")) or named(at(value, "aliases", 0))


def _edges(own: EntityId, body: Body) -> Iterator[Fact]:
    yield from edge(FactKind.OWNED_BY, own, ident(EntityKind.TEAM, _label(body.get("owner"))), "owner")
    for key in ("system", "parent"):
        yield from edge(FactKind.PART_OF, own, ident(EntityKind.RESOURCE, _label(body.get(key))), key)
    needed = body.get("dependencies")
    for one in needed if isinstance(needed, list) else list_at(needed, "nodes"):
        target = _label(one) or _label(at(one, "destinationService")) or _label(at(one, "node"))
        notes = text_at(one, "notes")
        yield from edge(FactKind.DEPENDS_ON, own, ident(EntityKind.SERVICE, target), "dependencies", notes=notes)


def _names(own: EntityId, body: Body) -> Iterator[Fact]:
    repositories = objects_at(body, "repositories")
    for one in repositories:
        yield from built_from(own, one.get("name"), one.get("path"), only=len(repositories) == 1)
    for source in objects_at(body, "alert_sources"):
        kind = (text_at(source, "type") or "").lower()
        if kind in _PAGERS:
            yield from alias(own, text(source.get("external_id")), kind)


CONNECTOR = Connector(
    name="opslevel",
    summary="OpsLevel's opslevel.yml and lists of services",
    trust=Trust.DECLARED,
    snapshot=True,
    split=documents("opslevel.yml", _name, _found),
    transform=transform,
    patterns=("opslevel/*.y*ml", "opslevel/*.json", "*opslevel.y*ml"),
)
