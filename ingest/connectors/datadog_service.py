"""
Datadog's software catalogue: service definitions v1 to v2.2 and entities v3, mixed in a file or wrapped by the API.
"""

from __future__ import annotations

import re
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

_KINDS = {
    "service": EntityKind.SERVICE,
    "api": EntityKind.SERVICE,
    "frontend": EntityKind.SERVICE,
    "ui": EntityKind.SERVICE,
    "library": EntityKind.SERVICE,
    "team": EntityKind.TEAM,
}
"""Of entities v3; datastores, queues, systems and custom kinds are resources."""
_REFERENCE = re.compile(r"(?:([\w.-]+):)?(?:([^:/]+)/)?([^/]+)")


def _found(document: object) -> Iterable[object]:
    """
    The definitions in a document; of an answer of the API what lies in its wrappers.
    """
    for one in entries(document):
        data = at(one, "data")
        if not isinstance(data, list | dict):
            yield one
            continue
        whole = {
            str(found.get("id")): at(found, "attributes", "schema")
            for found in objects_at(one, "included")
            if found.get("type") == "schema"
        }
        for entry in entries(data):
            inner = at(entry, "attributes", "schema") or whole.get(str(at(entry, "id")))
            yield inner or _plain(at(entry, "attributes")) or entry


def _plain(attributes: object) -> Body | None:
    """
    An entity of which the answer holds only a summary, as a definition.
    """
    if not isinstance(attributes, dict) or "kind" not in attributes:
        return None
    keys = ("name", "namespace", "displayName", "owner", "description", "tags", "links", "contacts")
    return {
        "apiVersion": attributes.get("apiVersion") or "v3",
        "kind": attributes["kind"],
        "metadata": {key: attributes[key] for key in keys if key in attributes},
        "spec": attributes.get("spec") or {},
    }


def _name(body: Body) -> str:
    if "metadata" in body:
        space = text_at(body, "metadata", "namespace") or "default"
        return f"{body.get('kind') or 'service'}:{space}/{text_at(body, 'metadata', 'name')}"
    return f"service:default/{first(body.get('dd-service'), at(body, 'info', 'dd-service'))}"


def transform(record: Record) -> Iterator[Item]:
    """
    What one definition states.
    """
    body = body_of(record)
    if isinstance(body.get("metadata"), dict) and "kind" in body:
        yield from _entity(body, record.part)
        return
    info = body.get("info") if isinstance(body.get("info"), dict) else body
    if not named(at(info, "dd-service")):
        raise BadRecord(f"{record.part} has neither `dd-service` nor `metadata` with `kind`; expected Datadog's schema")
    yield from _definition(body)


def _definition(body: Body) -> Iterator[Fact]:
    """
    Versions 1 to 2.2.
    """
    name = first(body.get("dd-service"), at(body, "info", "dd-service"))
    own = entity_id(EntityKind.SERVICE, str(name))
    links = _links(body)
    title = first(body.get("display-name"), at(body, "info", "display-name"))
    application = first(body.get("application"), at(body, "org", "application"))
    yield described(
        own,
        links,
        name=name,
        title=title,
        description=first(body.get("description"), at(body, "info", "description")),
        type=body.get("type"),
        lifecycle=body.get("lifecycle"),
        tier=first(body.get("tier"), at(body, "info", "service-tier")),
        application=application,
        language=body.get("languages"),
        tags=body.get("tags"),
        slack=_slack(body, "contacts") or text_at(body, "contact", "slack"),
    )
    yield from alias(own, title, "title")
    team = first(body.get("team"), body.get("dd-team"), at(body, "org", "team"))
    yield from edge(FactKind.OWNED_BY, own, ident(EntityKind.TEAM, team), "team")
    yield from edge(FactKind.PART_OF, own, ident(EntityKind.RESOURCE, application), "application")
    yield from built_from_all(own, _repositories(body))
    yield from _paged(own, body)


def _links(body: Body) -> list[tuple[str, object]]:
    found = [*objects_at(body, "links"), *objects_at(body, "external-resources")]
    found += [{**one, "type": "doc"} for one in objects_at(body, "docs")]
    found += [{**one, "type": "repo"} for one in objects_at(body, "repos")]
    return [(words(link, "type", "name"), link.get("url")) for link in found]


def _repositories(body: Body) -> list[object]:
    typed = [link.get("url") for link in objects_at(body, "links") if str(link.get("type")).lower() == "repo"]
    located = [one.get("repositoryURL") for one in objects_at(body, "datadog", "codeLocations")]
    return [*typed, *(one.get("url") for one in objects_at(body, "repos")), *located]


def _slack(body: Body, *path: str) -> str | None:
    contacts = objects_at(body, *path)
    return first(*(one.get("contact") for one in contacts if str(one.get("type")).lower() == "slack"))


def _paged(own: EntityId, body: Body) -> Iterator[Fact]:
    for tool in ("pagerduty", "opsgenie"):
        given = at(body, "integrations", tool)
        yield from paged_by(own, first(given, at(given, "service-url"), at(given, "serviceURL")))


def _entity(body: Body, part: str) -> Iterator[Fact]:
    """
    Version 3.
    """
    kind = str(body.get("kind")).lower()
    metadata = body["metadata"]
    if not named(at(metadata, "name")):
        raise BadRecord(f"{part}: metadata.name is missing")
    own = _reference(f"{kind}:{text_at(metadata, 'namespace') or 'default'}/{text_at(metadata, 'name')}")
    if own is None:
        raise BadRecord(f"{part}: metadata.name holds a slash")
    whole = {**body, **(metadata if isinstance(metadata, dict) else {})}
    yield described(
        own,
        _links(whole),
        kind=kind,
        name=at(metadata, "name"),
        title=at(metadata, "displayName"),
        description=at(metadata, "description"),
        type=at(body, "spec", "type"),
        lifecycle=at(body, "spec", "lifecycle"),
        tier=at(body, "spec", "tier"),
        language=at(body, "spec", "languages"),
        tags=at(metadata, "tags"),
        slack=_slack(whole, "contacts"),
        inherits_from=at(metadata, "inheritFrom"),
    )
    yield from alias(own, at(metadata, "displayName"), "title")
    yield from once(_edges(own, body))
    yield from built_from_all(own, _repositories(whole))
    yield from _paged(own, body)


def _edges(own: EntityId, body: Body) -> Iterator[Fact]:
    metadata, spec = body.get("metadata"), body.get("spec")
    yield from edge(FactKind.OWNED_BY, own, ident(EntityKind.TEAM, at(metadata, "owner")), "owner")
    for other in list_at(metadata, "additionalOwners"):
        name = named(other) or text_at(other, "name")
        yield from edge(
            FactKind.OWNED_BY, own, ident(EntityKind.TEAM, name), "additionalOwners", role=text_at(other, "type")
        )
    for ref in list_at(spec, "dependsOn"):
        yield from edge(FactKind.DEPENDS_ON, own, _reference(ref), "dependsOn")
    for ref in list_at(spec, "implementedBy"):
        yield from edge(FactKind.DEPENDS_ON, own, _reference(ref), "implementedBy")
    for ref in list_at(spec, "componentOf"):
        yield from edge(FactKind.PART_OF, own, _reference(ref, "system"), "componentOf")
    for ref in list_at(spec, "components"):
        yield from edge(FactKind.PART_OF, _reference(ref), own, "components")
    inherited = str(at(metadata, "inheritFrom") or "")
    if inherited.lower().startswith(("application:", "system:")):
        yield from edge(FactKind.PART_OF, own, _reference(inherited), "inheritFrom")


def _reference(value: object, default: str = "service") -> EntityId | None:
    """
    `kind:namespace/name`, of which kind and namespace may be left out.
    """
    found = _REFERENCE.fullmatch(named(value) or "")
    if not found:
        return None
    kind = _KINDS.get((found[1] or default).lower(), EntityKind.RESOURCE)
    return entity_id(kind, found[3] if (found[2] or "default") == "default" else f"{found[2]}/{found[3]}")


CONNECTOR = Connector(
    name="datadog_service",
    summary="Datadog's service definitions (v1 to v2.2) and catalogue entities (v3)",
    trust=Trust.DECLARED,
    snapshot=True,
    split=documents("service.datadog.yaml", _name, _found),
    transform=transform,
    patterns=("datadog_service/*.y*ml", "datadog_service/*.json", "*service.datadog.y*ml", "*entity.datadog.y*ml"),
)
