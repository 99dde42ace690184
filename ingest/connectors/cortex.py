"""
Cortex: `cortex.yaml` descriptors (an OpenAPI `info` with `x-cortex-*` keys), and its API's lists of descriptors and of
entities.

Services, teams and domains are entities; other types are resources, but a version of a service that is catalogued by
itself is none. What a child is called does not say what it is: a team's are teams, a domain's are services.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from graph.values import EntityId, EntityKind, Fact, FactKind, Item, Record, Trust, entity_id
from ingest.connectors._catalogue import (
    alias,
    built_from,
    described,
    documents,
    edge,
    entries,
    ident,
    once,
    person,
    words,
)
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, first, list_at, named, objects_at, text_at

_KINDS = {"service": EntityKind.SERVICE, "team": EntityKind.TEAM}
_X = "x-cortex-"
_NEEDS = ("depend", "uses", "consume", "calls", "upstream")
_PAGERS = ("pagerduty", "opsgenie", "victorops", "xmatters", "squadcast", "incidentio", "firehydrant", "rootly")
_FORGES = ("github", "gitlab", "bitbucket", "azure")


def _found(document: object) -> Iterable[object]:
    for one in entries(document):
        lists = [list_at(one, key) for key in ("descriptors", "entities", "teams") if isinstance(at(one, key), list)]
        yield from (entry for given in lists for entry in given) if lists else [one]


def _name(body: Body) -> str:
    return first(at(body, "info", f"{_X}tag"), body.get("tag"), body.get("teamTag"), body.get("id")) or "?"


def transform(record: Record) -> Iterator[Item]:
    """
    What one entity states.
    """
    info = _info(body_of(record))
    tag = named(info.get(f"{_X}tag"))
    if not tag:
        raise BadRecord(f"{record.part}: info.x-cortex-tag is missing; expected a descriptor of Cortex")
    kind = (text_at(info, f"{_X}type") or "service").lower()
    if kind.endswith("version") or info.get("isArchived") is True:
        return
    own = entity_id(_KINDS.get(kind, EntityKind.RESOURCE), tag)
    yield _described(own, info, kind)
    yield from alias(own, info.get("title"), "title")
    for group in objects_at(info, f"{_X}team", "groups"):
        yield from alias(own, group.get("name"), (text_at(group, "provider") or "group").lower())
    yield from once(_edges(own, info, kind))
    yield from _built(own, info)
    yield from _paged(own, info)
    yield from _deployed(own, info)


def _info(body: Body) -> Body:
    """
    A descriptor's `info`; of an entity of the API the same keys.
    """
    info = body.get("info")
    if isinstance(info, dict):
        return info
    groups = objects_at(body, "ownership", "groups")
    owners = [
        *({"type": "group", "name": first(one.get("groupName"), one.get("name"))} for one in groups),
        *({"type": "group", "name": one.get("tag")} for one in objects_at(body, "owners", "teams")),
        *({"type": "email", "email": one.get("email")} for one in objects_at(body, "ownership", "emails")),
    ]
    repository = at(body, "git", "repository") or at(body, "git", "repositoryUrl")
    return {
        f"{_X}tag": body.get("tag") or body.get("teamTag"),
        f"{_X}type": body.get("type") or ("team" if "teamTag" in body else None),
        "title": body.get("name") or at(body, "metadata", "name"),
        "description": body.get("description") or at(body, "metadata", "description"),
        f"{_X}groups": body.get("groups"),
        f"{_X}owners": owners,
        f"{_X}link": body.get("links"),
        f"{_X}slack": body.get("slackChannels"),
        f"{_X}git": {str(at(body, "git", "provider") or "github").lower(): {"repository": repository}},
        "isArchived": body.get("isArchived"),
    }


def _described(own: EntityId, info: Body, kind: str) -> Fact:
    custom = _custom(info.get(f"{_X}custom-data") or info.get(f"{_X}custom-metadata"))
    links = [(words(link, "type", "name"), link.get("url")) for link in objects_at(info, f"{_X}link")]
    links += [("dashboard", one.get("url")) for one in objects_at(info, f"{_X}dashboards", "embeds")]
    return described(
        own,
        links,
        kind=kind,
        name=info.get(f"{_X}tag"),
        title=info.get("title"),
        description=named(info.get(f"{_X}description")) or info.get("description"),
        tier=custom.get("tier"),
        lifecycle=custom.get("lifecycle"),
        tags=[group for one in list_at(info, f"{_X}groups") if (group := named(one) or text_at(one, "tag"))],
        slack=first(*_channels(info)),
    )


def _channels(info: Body) -> Iterator[str]:
    given = info.get(f"{_X}slack")
    for one in list_at(given, "channels") or (given if isinstance(given, list) else ()):
        if name := named(one) or text_at(one, "name"):
            yield name
    for owner in objects_at(info, f"{_X}owners"):
        if str(owner.get("type")).lower() == "slack" and (name := text_at(owner, "channel")):
            yield name


def _custom(value: object) -> Mapping[str, object]:
    """
    A map, or a list of keys and values: one file has the one, another the other.
    """
    if isinstance(value, dict):
        return {str(key).lower(): one for key, one in value.items()}
    pairs = value if isinstance(value, list) else []
    return {str(at(one, "key")).lower(): at(one, "value") for one in pairs}


def _edges(own: EntityId, info: Body, kind: str) -> Iterator[Fact]:
    for owner in objects_at(info, f"{_X}owners"):
        sort = str(owner.get("type")).lower()
        if sort in ("group", "team"):
            name = first(owner.get("name"), owner.get("tag"))
            yield from edge(FactKind.OWNED_BY, own, ident(EntityKind.TEAM, name), "x-cortex-owners")
        elif sort in ("email", "user"):
            yield from edge(
                FactKind.OWNED_BY, own, person(first(owner.get("email"), owner.get("name"))), "x-cortex-owners"
            )
    outer = EntityKind.TEAM if kind == "team" else EntityKind.RESOURCE
    inner = EntityKind.TEAM if kind == "team" else EntityKind.SERVICE
    for key in ("parents", "domain-parents"):
        for parent in _tags(info.get(_X + key)):
            yield from edge(FactKind.PART_OF, own, ident(outer, parent), _X + key)
    for child in _tags(info.get(f"{_X}children")):
        yield from edge(FactKind.PART_OF, ident(inner, child), own, "x-cortex-children")
    for target, about in _needed(info.get(f"{_X}dependency")):
        yield from edge(
            FactKind.DEPENDS_ON, own, ident(EntityKind.SERVICE, target), "x-cortex-dependency", description=about
        )
    for relation in objects_at(info, f"{_X}relationships"):
        sort = str(relation.get("type")).lower()
        for other in _tags(relation.get("destinations")):
            if any(word in sort for word in _NEEDS):
                yield from edge(FactKind.DEPENDS_ON, own, ident(EntityKind.SERVICE, other), sort)
            elif kind == "team" and "member" in sort:
                yield from edge(FactKind.MEMBER_OF, person(other), own, sort)
    for member in objects_at(info, f"{_X}team", "members"):
        yield from edge(
            FactKind.MEMBER_OF, person(first(member.get("email"), member.get("name"))), own, "x-cortex-team"
        )


def _tags(value: object) -> list[str]:
    given = value if isinstance(value, list) else []
    return [name for one in given if (name := named(one) or named(at(one, "tag")))]


def _needed(value: object) -> Iterator[tuple[str, str | None]]:
    """
    (tag, description) of dependencies, in a list or in lists by where they were found.
    """
    lists = value.values() if isinstance(value, dict) else [value]
    for given in lists:
        for one in given if isinstance(given, list) else []:
            if name := named(one) or named(at(one, "tag")):
                yield name, text_at(one, "description")


def _built(own: EntityId, info: Body) -> Iterator[Fact]:
    for forge in _FORGES:
        given = at(info, f"{_X}git", forge)
        for one in given if isinstance(given, list) else [given]:
            name = named(at(one, "repository"))
            project = named(at(one, "project"))
            whole = f"{project}/{name}" if forge == "azure" and name and project else name
            yield from built_from(own, whole, first(at(one, "basepath"), at(one, "basePath")))


def _deployed(own: EntityId, info: Body) -> Iterator[Fact]:
    """
    The names of its workloads in Kubernetes (without their namespace), and of its project in Sentry.
    """
    workloads = info.get(f"{_X}k8s")
    for found in workloads.values() if isinstance(workloads, dict) else ():
        for one in found if isinstance(found, list) else []:
            yield from alias(own, (text_at(one, "identifier") or "").rpartition("/")[2], "kubernetes")
    yield from alias(own, at(info, f"{_X}sentry", "project"), "sentry")


def _paged(own: EntityId, info: Body) -> Iterator[Fact]:
    """
    The ids in paging tools; only that of a service there is plainly the entity's, a schedule's says that it is one.
    """
    for tool in _PAGERS:
        given = at(info, f"{_X}oncall", tool)
        sort = (text_at(given, "type") or "service").lower().replace("_", " ")
        yield from alias(own, at(given, "id"), tool if sort == "service" else f"{tool} {sort}")


CONNECTOR = Connector(
    name="cortex",
    summary="Cortex descriptors and its API's lists of entities",
    trust=Trust.DECLARED,
    snapshot=True,
    split=documents("cortex.yaml", _name, _found),
    transform=transform,
    patterns=("cortex/*.y*ml", "cortex/*.json", "*cortex.y*ml"),
)
