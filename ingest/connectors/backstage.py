"""
Backstage's catalogue: `catalog-info.yaml` with any number of entities, and the catalogue API's JSON.

Component becomes a service; API a service too (its consumer depends on it, and it on its provider); Resource a
resource; Group a team; User a person; System and Domain resources that services are part of. Locations and templates
state nothing. Names have no case; the default namespace is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import orjson

from graph.values import EntityId, EntityKind, Fact, FactKind, Item, Record, Trust, entity_id
from ingest.contract import Connector, Piece
from ingest.errors import BadRecord
from ingest.parsing import load_json, load_yaml_documents, mapping_of, text_of, texts_of, unpack

_KINDS = {
    "component": EntityKind.SERVICE,
    "api": EntityKind.SERVICE,
    "resource": EntityKind.RESOURCE,
    "system": EntityKind.RESOURCE,
    "domain": EntityKind.RESOURCE,
    "group": EntityKind.TEAM,
    "user": EntityKind.PERSON,
}
_PASSED_OVER = {"location", "template"}
_ALIASES = {
    "github.com/project-slug": "repo",
    "gitlab.com/project-slug": "repo",
    "pagerduty.com/service-id": "pagerduty",
    "opsgenie.com/component-selector": "opsgenie",
    "sentry.io/project-slug": "sentry",
    "argocd/app-name": "argocd",
    "backstage.io/kubernetes-id": "kubernetes",
    "backstage.io/kubernetes-label-selector": "kubernetes",
    "jenkins.io/job-full-name": "jenkins",
    "grafana/tag-selector": "grafana",
}
_RELATIONS = {"ownedBy", "dependsOn", "dependencyOf", "consumesApi", "apiProvidedBy", "partOf", "memberOf", "childOf"}


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece an entity; a document that cannot be read leaves the others alone where the file can be cut at `---`.
    """
    path = meta.get("path", "catalog")
    text = text_of(unpack(raw, path), path)
    if path.endswith(".json") or text.lstrip()[:1] in ("{", "["):
        value = load_json(text, path)
        items = value.get("items", value) if isinstance(value, dict) else value
        for number, entity in enumerate(items if isinstance(items, list) else [value], 1):
            yield _piece(entity, path, number)
        return
    try:
        documents = load_yaml_documents(text, path)
    except BadRecord as whole:
        yield from _each_document(text, path, whole)
        return
    for number, document in enumerate(documents, 1):
        yield _piece(document, path, number)


def _each_document(text: str, path: str, whole: BadRecord) -> Iterator[Piece]:
    parts = re.split(r"(?m)^---[ \t]*(?:#.*)?$", text)
    if len(parts) < 2:
        raise whole
    for number, part in enumerate(parts, 1):
        try:
            for document in load_yaml_documents(part, f"document {number} of {path}"):
                yield _piece(document, path, number)
        except BadRecord as error:
            yield Piece(part=f"{path}#document-{number}", body=part, problem=str(error))


def _piece(entity: object, path: str, number: int) -> Piece:
    try:
        body = orjson.dumps(entity).decode()
    except (TypeError, orjson.JSONEncodeError) as error:
        return Piece(part=f"{path}#{repr(entity)[:60]}", body=repr(entity), problem=f"{path}: {error}")
    if not isinstance(entity, dict):
        return Piece(part=f"{path}#{body[:60]}", body=body, problem=f"{path}: an entity should be an object")
    metadata = entity.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    space = metadata.get("namespace") if isinstance(metadata, dict) else None
    return Piece(
        part=f"{path}#{entity.get('kind')}:{space or 'default'}/{name}".lower(), body=body, meta={"row": str(number)}
    )


def transform(record: Record) -> Iterator[Item]:
    """
    What one entity states.
    """
    entity = mapping_of(load_json(record.body, record.part), record.part)
    kind = str(entity.get("kind", "")).lower()
    if kind in _PASSED_OVER:
        return
    if kind not in _KINDS:
        raise BadRecord(f"{record.part}: kind {entity.get('kind')!r} is not one of Backstage's")
    metadata = mapping_of(entity.get("metadata"), f"metadata of {record.part}")
    spec = mapping_of(entity.get("spec") or {}, f"spec of {record.part}")
    if not str(metadata.get("name") or "").strip():
        raise BadRecord(f"{record.part}: metadata.name is missing")
    space = str(metadata.get("namespace") or "default").lower()
    subject = _id(_KINDS[kind], space, str(metadata["name"]))
    yield _described(subject, kind, metadata, spec)
    yield from _names(subject, metadata)
    yield from _edges(subject, kind, space, spec, _relations(entity))


def _described(subject: EntityId, kind: str, metadata: Mapping[str, object], spec: Mapping[str, object]) -> Fact:
    labels = mapping_of(metadata.get("labels") or {}, "labels")
    annotations = mapping_of(metadata.get("annotations") or {}, "annotations")
    profile = spec.get("profile") if isinstance(spec.get("profile"), dict) else {}
    found: dict[str, object] = {
        "kind": kind,
        "name": metadata.get("name"),
        "title": metadata.get("title") or (profile.get("displayName") if isinstance(profile, dict) else None),
        "description": metadata.get("description"),
        "type": spec.get("type"),
        "lifecycle": spec.get("lifecycle"),
        "tier": labels.get("tier") or annotations.get("tier"),
        "tags": ",".join(texts_of(metadata.get("tags"))),
        "slack": annotations.get("slack.com/channel") or annotations.get("slack"),
        "links": " ".join(_links(metadata)),
        "runbooks": " ".join(_links(metadata, runbooks=True)),
        "techdocs": annotations.get("backstage.io/techdocs-ref"),
    }
    attributes = {key: str(value) for key, value in found.items() if value}
    return Fact(kind=FactKind.ENTITY, subject=subject, attributes=attributes)


def _links(metadata: Mapping[str, object], runbooks: bool = False) -> Iterator[str]:
    links = metadata.get("links")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("url"):
            about = f"{link.get('type', '')} {link.get('title', '')} {link['url']}".lower()
            if not runbooks or "runbook" in about or "playbook" in about:
                yield str(link["url"])


def _names(subject: EntityId, metadata: Mapping[str, object]) -> Iterator[Fact]:
    annotations = mapping_of(metadata.get("annotations") or {}, "annotations")
    named = [(str(metadata["title"]), "title")] if metadata.get("title") else []
    named += [(str(value), _ALIASES[key]) for key, value in annotations.items() if key in _ALIASES and value]
    for name, seen_in in named:
        yield Fact(kind=FactKind.ALIAS, subject=subject, object=name, attributes={"seen_in": seen_in})
        if seen_in == "repo":
            yield Fact(kind=FactKind.BUILT_FROM, subject=subject, object=entity_id(EntityKind.REPOSITORY, name))
    location = str(annotations.get("backstage.io/source-location") or "")
    found = re.match(r"url:https?://[^/]+/([^/]+/[^/]+?)(?:\.git)?(?:/(?:tree|blob|-/tree)/[^/]+/?(.*))?/?$", location)
    if found:
        repository = entity_id(EntityKind.REPOSITORY, found[1])
        path = {"path": found[2].strip("/")} if found[2] else {}
        yield Fact(kind=FactKind.BUILT_FROM, subject=subject, object=repository, attributes=path)


def _relations(entity: Mapping[str, object]) -> list[tuple[str, str]]:
    found = entity.get("relations")
    pairs = []
    for relation in found if isinstance(found, list) else []:
        if isinstance(relation, dict) and relation.get("type") in _RELATIONS:
            target = relation.get("targetRef") or _target(relation.get("target"))
            if target:
                pairs.append((str(relation["type"]), str(target)))
    return pairs


def _target(target: object) -> str | None:
    if not isinstance(target, dict) or not target.get("name"):
        return None
    return f"{target.get('kind', 'component')}:{target.get('namespace', 'default')}/{target['name']}"


def _edges(
    subject: EntityId, kind: str, space: str, spec: Mapping[str, object], relations: list[tuple[str, str]]
) -> Iterator[Fact]:
    related = {name for name, _ in relations}
    for field, fact, default in (
        ("owner", FactKind.OWNED_BY, "group"),
        ("dependsOn", FactKind.DEPENDS_ON, "component"),
        ("consumesApis", FactKind.DEPENDS_ON, "api"),
        ("system", FactKind.PART_OF, "system"),
        ("domain", FactKind.PART_OF, "domain"),
        ("subcomponentOf", FactKind.PART_OF, "component"),
        ("memberOf", FactKind.MEMBER_OF, "group"),
        ("parent", FactKind.PART_OF, "group"),
    ):
        # the catalogue's computed relation outranks what the file says
        if field == "owner" and "ownedBy" in related:
            continue
        for ref in texts_of(spec.get(field)):
            yield from _edge(fact, subject, ref, default, space, field)
    for ref in texts_of(spec.get("dependencyOf")):
        yield from _edge(FactKind.DEPENDS_ON, subject, ref, "component", space, "dependencyOf", turned=True)
    for ref in texts_of(spec.get("providesApis")):
        yield from _edge(FactKind.DEPENDS_ON, subject, ref, "api", space, "providesApis", turned=True)
    if kind == "group":
        for ref in texts_of(spec.get("members")):
            yield from _edge(FactKind.MEMBER_OF, subject, ref, "user", space, "members", turned=True)
    for name, ref in relations:
        yield from _related(subject, name, ref, space)


def _related(subject: EntityId, name: str, ref: str, space: str) -> Iterator[Fact]:
    fact, turned = {
        "ownedBy": (FactKind.OWNED_BY, False),
        "dependsOn": (FactKind.DEPENDS_ON, False),
        "consumesApi": (FactKind.DEPENDS_ON, False),
        "apiProvidedBy": (FactKind.DEPENDS_ON, False),
        "dependencyOf": (FactKind.DEPENDS_ON, True),
        "partOf": (FactKind.PART_OF, False),
        "childOf": (FactKind.PART_OF, False),
        "memberOf": (FactKind.MEMBER_OF, False),
    }[name]
    yield from _edge(fact, subject, ref, "component", space, name, turned=turned)


def _edge(
    fact: FactKind, subject: EntityId, ref: str, default: str, space: str, stated_as: str, *, turned: bool = False
) -> Iterator[Fact]:
    other = _reference(ref, default, space)
    if other is None or other == subject:
        return
    left, right = (other, subject) if turned else (subject, other)
    yield Fact(kind=fact, subject=left, object=right, attributes={"stated_as": stated_as})


def _reference(ref: str, default: str, space: str) -> EntityId | None:
    found = re.fullmatch(r"(?:([^:/]+):)?(?:([^:/]+)/)?([^:]+)", ref.strip())
    if not found:
        return None
    kind = _KINDS.get((found[1] or default).lower())
    return _id(kind, (found[2] or space).lower(), found[3]) if kind else None


def _id(kind: EntityKind, space: str, name: str) -> EntityId:
    return entity_id(kind, name if space == "default" else f"{space}/{name}")


CONNECTOR = Connector(
    name="backstage",
    summary="Backstage catalogue files and the catalogue API's JSON",
    trust=Trust.DECLARED,
    snapshot=True,
    split=split,
    transform=transform,
    patterns=("*catalog-info*.y*ml", "catalog/*.y*ml", "*-component.y*ml", "org.y*ml"),
)
