"""
FireHydrant's alerts, change events, services and teams.
"""

from __future__ import annotations

from collections.abc import Iterator

from graph.values import Alert, Change, ChangeKind, EntityKind, Fact, FactKind, Record, entity_id
from ingest.connectors._events import attributes, names_of, team
from ingest.connectors._generic import kind_of as words_of
from ingest.contract import Body
from ingest.errors import BadRecord
from ingest.fields import at, digest_of, first, list_at, moment_at, objects_at, text, text_at
from ingest.parsing import named_time

VENDOR = "firehydrant"


def listed(data: Body, key: str) -> list[str]:
    """
    The names in a list of objects or texts.
    """
    found = [
        first(at(one, "name"), at(one, "slug")) if isinstance(one, dict) else text(one) for one in list_at(data, key)
    ]
    return [name for name in dict.fromkeys(found) if name]


def alert_item(data: Body) -> Alert:
    """
    An alert of its signals.
    """
    identity, status = text_at(data, "id") or digest_of(data), (text_at(data, "status") or "").lower()
    ended = moment_at(data, ("ends_at",))
    environments = listed(data, "environments")
    return Alert(
        id=f"firehydrant:alert:{identity}",
        name=first(at(data, "summary"), at(data, "title")) or identity,
        at=named_time(first(at(data, "starts_at"), at(data, "created_at")), f"`starts_at` of the alert {identity}"),
        ended_at=ended or (moment_at(data, ("updated_at",)) if status in ("resolved", "closed") else None),
        status="resolved" if ended or status in ("resolved", "closed", "expired") else "firing",
        labels=attributes(
            service=first(*listed(data, "services")),
            environment=environments[0] if environments else None,
            priority=at(data, "priority"),
            tags=",".join(listed(data, "tags")),
        ),
        annotations=attributes(description=first(at(data, "description"), at(data, "body"))),
        vendor=VENDOR,
        url=first(at(data, "remote_url"), at(data, "url")),
    )


def change_of(data: Body, record: Record) -> Change:
    """
    A change event.
    """
    title = text_at(data, "summary") or "Change"
    environments = listed(data, "environments")
    labels = data.get("labels")
    return Change(
        id=f"firehydrant:change:{first(at(data, 'id'), at(data, 'external_id')) or digest_of(data)}",
        kind=words_of(title) or ChangeKind.DEPLOY,
        at=moment_at(data, ("starts_at",), ("created_at",)) or record.received_at,
        ended_at=moment_at(data, ("ends_at",)),
        title=title,
        services=tuple(entity_id(EntityKind.SERVICE, name) for name in listed(data, "services")),
        environment=environments[0].lower() if environments else None,
        revision=first(*(at(labels, key) for key in ("sha", "commit", "version", "revision"))),
        actor=first(*(at(one, "name") for one in objects_at(data, "authors"))),
        text=text_at(data, "description") or "",
        url=first(*(at(one, "url") or at(one, "href_url") for one in objects_at(data, "attachments"))),
        attributes=attributes(external_id=at(data, "external_id")),
    )


def described(data: Body, kind: EntityKind) -> Iterator[Fact]:
    """
    A service with its owners, or a team.
    """
    name = text_at(data, "name")
    if name is None:
        raise BadRecord(f"a {kind.value} of FireHydrant has no `name`")
    subject = entity_id(kind, name)
    told = attributes(
        name=name, description=at(data, "description"), tier=at(data, "service_tier"), slug=at(data, "slug")
    )
    yield Fact(kind=FactKind.ENTITY, subject=subject, attributes=told)
    yield from names_of(kind, at(data, "id"), name, VENDOR)
    slug = text_at(data, "slug")
    if slug and slug.lower() != name.lower():
        yield Fact(kind=FactKind.ALIAS, subject=subject, object=slug, attributes={"seen_in": VENDOR})
    owners = [team(at(data, "owner", "name"))] if kind is EntityKind.SERVICE else []
    owners += [team(name) for name in listed(data, "teams")] if kind is EntityKind.SERVICE and not any(owners) else []
    for owner in owners:
        if owner:
            yield Fact(kind=FactKind.OWNED_BY, subject=subject, object=owner)
