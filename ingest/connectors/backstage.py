"""
Backstage's catalogue: `catalog-info.yaml` with any number of entities, and the catalogue API's JSON.

Component becomes a service; API a service too (its consumer depends on it, and it on its provider); Resource a
resource; Group a team; User a person; System and Domain resources that services are part of. Locations and templates
state nothing, and nothing that they or a `$text` point at is fetched. Names have no case; the default namespace is
dropped. A Component and an API often have one name; then the Component describes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from graph.values import EntityId, EntityKind, Fact, FactKind, Item, Record, Trust, entity_id
from ingest.connectors._catalogue import alias, built_from, described, documents_of, edge, once, piece, words
from ingest.contract import Body, Connector, Piece
from ingest.errors import BadRecord
from ingest.fields import at, body_of, objects_at, text_at
from ingest.parsing import mapping_of, texts_of

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
    "bitbucket.org/project-slug": "repo",
    "bitbucket.com/project-slug": "repo",
    "dev.azure.com/project-repo": "repo",
    "gitea.com/repo-slug": "repo",
    "github.com/team-slug": "github",
    "github.com/user-login": "github",
    "circleci.com/project-slug": "circleci",
    "travis-ci.com/repo-slug": "travis",
    "pagerduty.com/service-id": "pagerduty",
    "opsgenie.com/component-selector": "opsgenie",
    "rootly.com/service-id": "rootly",
    "rootly.com/service-slug": "rootly",
    "firehydrant.com/service-name": "firehydrant",
    "sentry.io/project-slug": "sentry",
    "rollbar.com/project-slug": "rollbar",
    "argocd/app-name": "argocd",
    "argocd/app-selector": "argocd",
    "backstage.io/kubernetes-id": "kubernetes",
    "backstage.io/kubernetes-label-selector": "kubernetes",
    "jenkins.io/job-full-name": "jenkins",
    "jenkins.io/github-folder": "jenkins",
    "grafana/tag-selector": "grafana",
    "datadoghq.com/service-name": "datadog",
    "datadoghq.com/tag-name": "datadog",
    "sonarqube.org/project-key": "sonarqube",
    "aws.amazon.com/lambda-function-name": "lambda",
}
_LINKED = {
    "grafana/dashboard-url": "dashboard",
    "datadoghq.com/dashboard-url": "dashboard",
    "newrelic.com/dashboard-url": "dashboard",
}
_RELATIONS = {
    "ownedBy": (FactKind.OWNED_BY, False),
    "dependsOn": (FactKind.DEPENDS_ON, False),
    "dependencyOf": (FactKind.DEPENDS_ON, True),
    "consumesApi": (FactKind.DEPENDS_ON, False),
    "apiConsumedBy": (FactKind.DEPENDS_ON, True),
    "apiProvidedBy": (FactKind.DEPENDS_ON, False),
    "providesApi": (FactKind.DEPENDS_ON, True),
    "partOf": (FactKind.PART_OF, False),
    "hasPart": (FactKind.PART_OF, True),
    "childOf": (FactKind.PART_OF, False),
    "parentOf": (FactKind.PART_OF, True),
    "memberOf": (FactKind.MEMBER_OF, False),
    "hasMember": (FactKind.MEMBER_OF, True),
}
"""What a relation states, and whether its target is the subject."""
_FIELDS = (
    ("owner", FactKind.OWNED_BY, "group", False),
    ("dependsOn", FactKind.DEPENDS_ON, "component", False),
    ("consumesApis", FactKind.DEPENDS_ON, "api", False),
    ("dependencyOf", FactKind.DEPENDS_ON, "component", True),
    ("providesApis", FactKind.DEPENDS_ON, "api", True),
    ("system", FactKind.PART_OF, "system", False),
    ("domain", FactKind.PART_OF, "domain", False),
    ("subdomainOf", FactKind.PART_OF, "domain", False),
    ("subcomponentOf", FactKind.PART_OF, "component", False),
    ("memberOf", FactKind.MEMBER_OF, "group", False),
    ("parent", FactKind.PART_OF, "group", False),
)
"""(field of the spec, what it states, the kind that a reference there means by itself, whether it is the subject)."""
_GROUP_FIELDS = (("members", FactKind.MEMBER_OF, "user", True), ("children", FactKind.PART_OF, "group", True))


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece an entity; a document that cannot be read leaves the others alone where the file can be cut at `---`.
    """
    path = meta.get("path") or "catalog"
    found = [one for value in documents_of(raw, path) for one in _listed(value)]
    components = {_key(one) for one in found if isinstance(one, dict) and _kind(one) == "component"}
    for number, one in enumerate(found, 1):
        if isinstance(one, Piece):
            yield one
            continue
        made = piece(one, path, number, lambda entity: f"{entity.get('kind')}:{_key(entity)}")
        if isinstance(one, dict) and _kind(one) == "api" and _key(one) in components:
            made = Piece(part=made.part, body=made.body, meta={**made.meta, "beside": "component"})
        yield made


def _listed(value: object) -> list[object]:
    """
    The entities of an answer: of a query `items`, of a look-up `entities`, which has nulls for what is not there.
    """
    for key in ("items", "entities"):
        inner = at(value, key)
        if isinstance(inner, list):
            return [one for one in inner if one is not None]
    return value if isinstance(value, list) else [value]


def _kind(entity: Body) -> str:
    return str(entity.get("kind", "")).lower()


def _key(entity: Body) -> str:
    return f"{text_at(entity, 'metadata', 'namespace') or 'default'}/{text_at(entity, 'metadata', 'name')}".lower()


def transform(record: Record) -> Iterator[Item]:
    """
    What one entity states.
    """
    entity = body_of(record)
    kind = _kind(entity)
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
    beside = record.meta.get("beside") == "component"
    if not beside:
        yield _described(subject, kind, metadata, spec)
    yield from _names(subject, metadata)
    # the catalogue's computed relations outrank what the file says
    related = list(_related(subject, entity, space))
    owned = beside or any(fact.kind is FactKind.OWNED_BY for fact in related)
    for fact in once((*related, *_edges(subject, kind, space, spec, owned=owned))):
        if not beside or fact.kind is not FactKind.OWNED_BY:
            yield fact


def _described(subject: EntityId, kind: str, metadata: Mapping[str, object], spec: Mapping[str, object]) -> Fact:
    labels = mapping_of(metadata.get("labels") or {}, "labels")
    annotations = mapping_of(metadata.get("annotations") or {}, "annotations")
    links = [(words(link, "type", "title"), link.get("url")) for link in objects_at(metadata, "links")]
    links += [(about, annotations[key]) for key, about in _LINKED.items() if key in annotations]
    return described(
        subject,
        links,
        kind=kind,
        name=metadata.get("name"),
        title=metadata.get("title") or at(spec, "profile", "displayName"),
        description=metadata.get("description"),
        type=spec.get("type"),
        lifecycle=spec.get("lifecycle"),
        tier=labels.get("tier") or annotations.get("tier"),
        tags=texts_of(metadata.get("tags")),
        slack=annotations.get("slack.com/channel") or annotations.get("slack"),
        techdocs=annotations.get("backstage.io/techdocs-ref"),
    )


def _names(subject: EntityId, metadata: Mapping[str, object]) -> Iterator[Fact]:
    annotations = mapping_of(metadata.get("annotations") or {}, "annotations")
    yield from alias(subject, metadata.get("title"), "title")
    for key, value in annotations.items():
        if _ALIASES.get(key) == "repo":
            yield from built_from(subject, value)
        elif key in _ALIASES:
            yield from alias(subject, value, _ALIASES[key])
    location = str(annotations.get("backstage.io/source-location") or "")
    found = re.match(r"url:https?://[^/]+/([^/]+/[^/]+?)(?:\.git)?(?:/(?:tree|blob|-/tree)/[^/]+/?(.*))?/?$", location)
    if found:
        repository = entity_id(EntityKind.REPOSITORY, found[1])
        path = {"path": found[2].strip("/")} if found[2] else {}
        yield Fact(kind=FactKind.BUILT_FROM, subject=subject, object=repository, attributes=path)


def _related(subject: EntityId, entity: Body, space: str) -> Iterator[Fact]:
    for relation in objects_at(entity, "relations"):
        name, ref = str(relation.get("type")), text_at(relation, "targetRef") or _target(relation.get("target"))
        if name in _RELATIONS and ref:
            fact, turned = _RELATIONS[name]
            yield from _edge(fact, subject, ref, "component", space, name, turned=turned)


def _target(target: object) -> str | None:
    if not isinstance(target, dict) or not target.get("name"):
        return None
    return f"{target.get('kind', 'component')}:{target.get('namespace', 'default')}/{target['name']}"


def _edges(subject: EntityId, kind: str, space: str, spec: Mapping[str, object], *, owned: bool) -> Iterator[Fact]:
    for field, fact, default, turned in (*_FIELDS, *(_GROUP_FIELDS if kind == "group" else ())):
        if field == "owner" and owned:
            continue
        for ref in texts_of(spec.get(field)):
            yield from _edge(fact, subject, ref, default, space, field, turned=turned)


def _edge(
    fact: FactKind, subject: EntityId, ref: str, default: str, space: str, stated_as: str, *, turned: bool = False
) -> Iterator[Fact]:
    other = _reference(ref, default, space)
    left, right = (other, subject) if turned else (subject, other)
    yield from edge(fact, left, right, stated_as)


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
    patterns=(
        "*catalog-info*.y*ml",
        "catalog/*.y*ml",
        "*-component.y*ml",
        "org.y*ml",
        "backstage/*.y*ml",
        "backstage/*.json",
    ),
)
