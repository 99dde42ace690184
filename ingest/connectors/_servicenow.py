"""
ServiceNow's fields, in each of the ways in which they come, and the facts of its CMDB and its groups.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from graph.values import EntityKind, Fact, FactKind, entity_id
from ingest.connectors._events import attributes, names_of, person, team
from ingest.contract import Body
from ingest.errors import BadRecord
from ingest.fields import first, moment_at, named

_SERVICE_CLASSES = re.compile(r"cmdb_ci_(?:service|appl|application|business_app|web_application|microservice|api|app)")


def shown(body: Body, key: str) -> str | None:
    """
    A field as people read it: its display value, else its value.
    """
    value = body.get(key)
    return first(value.get("display_value"), value.get("value")) if isinstance(value, dict) else first(value)


def stored(body: Body, key: str) -> str | None:
    """
    A field as it is stored: its value, else what is there.
    """
    value = body.get(key)
    return first(value.get("value"), value.get("display_value")) if isinstance(value, dict) else first(value)


def moment(body: Body, *keys: str) -> datetime | None:
    """
    The first time of several fields, as stored: display values are local to whoever asked.
    """
    return moment_at({key: stored(body, key) for key in keys}, *((key,) for key in keys))


def item_facts(body: Body, table: str) -> Iterator[Fact]:
    """
    A configuration item: what it is, its id, who owns it.
    """
    name = named(shown(body, "name"))
    if not name:
        raise BadRecord(f"the configuration item {stored(body, 'sys_id')} has no `name`")
    kind = EntityKind.SERVICE if _SERVICE_CLASSES.match(table) else EntityKind.RESOURCE
    subject = entity_id(kind, name)
    yield Fact(
        kind=FactKind.ENTITY,
        subject=subject,
        attributes=attributes(
            name=name,
            kind=table,
            description=shown(body, "short_description"),
            environment=shown(body, "environment"),
            lifecycle=shown(body, "operational_status"),
            tier=shown(body, "busines_criticality"),
        ),
    )
    yield from names_of(kind, stored(body, "sys_id"), name, "servicenow")
    if kind is EntityKind.RESOURCE and (mark := stored(body, "sys_id")):
        # tickets name any configuration item as that which is hurt
        yield Fact(kind=FactKind.ALIAS, subject=subject, object=mark, attributes={"seen_in": "servicenow"})
    for key in ("support_group", "managed_by_group", "assignment_group", "owned_by", "managed_by"):
        owner = person(shown(body, key)) if key in ("owned_by", "managed_by") else team(shown(body, key))
        if owner:
            yield Fact(kind=FactKind.OWNED_BY, subject=subject, object=owner, attributes={"stated_as": key})


def relation_facts(body: Body) -> Iterator[Fact]:
    """
    That one item depends on another.
    """
    parent, child, told = named(shown(body, "parent")), named(shown(body, "child")), (shown(body, "type") or "").lower()
    if parent and child and told.startswith(("depends on", "uses", "consumes")):
        yield Fact(
            kind=FactKind.DEPENDS_ON,
            subject=entity_id(EntityKind.SERVICE, parent),
            object=entity_id(EntityKind.SERVICE, child),
            attributes={"stated_as": told},
        )


def group_facts(body: Body) -> Iterator[Fact]:
    """
    A group, with its id.
    """
    name = named(shown(body, "name"))
    if not name:
        raise BadRecord(f"the group {stored(body, 'sys_id')} has no `name`")
    told = attributes(name=name, description=shown(body, "description"))
    yield Fact(kind=FactKind.ENTITY, subject=entity_id(EntityKind.TEAM, name), attributes=told)
    yield from names_of(EntityKind.TEAM, stored(body, "sys_id"), name, "servicenow")
