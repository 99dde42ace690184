"""
Rootly's objects of JSON:API: their fields and names, and the facts of services, teams, schedules and shifts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from graph.values import Alert, EntityKind, Fact, FactKind, Item, Record, Span, entity_id
from ingest.connectors._events import attributes, names_of, person, team
from ingest.contract import Body
from ingest.errors import BadRecord
from ingest.fields import at, digest_of, first, list_at, moment_at, objects_at, text, text_at, texts
from ingest.parsing import named_time

VENDOR = "rootly"
_TAG = re.compile(r"<[^>]{0,400}>")
_HEAD = re.compile(r"<h([1-6])[^>]{0,200}>(.{0,300}?)</h\1>", re.IGNORECASE | re.DOTALL)


def flat(data: object) -> object:
    """
    An object of JSON:API with its attributes and its id side by side.
    """
    inner = at(data, "attributes")
    return {"id": at(data, "id"), **inner} if isinstance(inner, dict) else data


def names(data: Body, key: str) -> list[str]:
    """
    Names of a list of objects, of JSON:API's list of them, or of texts.
    """
    given = at(data, key, "data") if isinstance(data.get(key), dict) else data.get(key)
    found = []
    for one in given if isinstance(given, list) else []:
        inner = flat(one)
        name = first(at(inner, "slug"), at(inner, "name"), at(inner, "id")) if isinstance(inner, dict) else text(inner)
        if name:
            found.append(name)
    return list(dict.fromkeys(found))


def described(kind: EntityKind, what: str) -> Callable[[Body, Body, Record], Iterator[Item]]:
    """
    A reader of such things: the entity, its names, and of a service its owners.
    """

    def read(data: Body, body: Body, record: Record) -> Iterator[Item]:
        name = (
            first(at(data, "slug"), at(data, "name"))
            if kind is EntityKind.SERVICE
            else first(at(data, "name"), at(data, "slug"))
        )
        if name is None:
            raise BadRecord(f"a {what} of Rootly has no `name`")
        subject = entity_id(kind, name)
        told = attributes(
            name=first(at(data, "name")), kind=what, description=at(data, "description"), slug=at(data, "slug")
        )
        yield Fact(kind=FactKind.ENTITY, subject=subject, attributes=told)
        yield from names_of(kind, at(data, "id"), name, VENDOR)
        other = text_at(data, "name") if kind is EntityKind.SERVICE else text_at(data, "slug")
        if other and other.lower() != name.lower():
            yield Fact(kind=FactKind.ALIAS, subject=subject, object=other, attributes={"seen_in": VENDOR})
        owners: list[object] = [*names(data, "owner_groups"), *list_at(data, "owner_group_ids")]
        for owner in owners if kind is EntityKind.SERVICE else []:
            if found := team(owner):
                yield Fact(
                    kind=FactKind.OWNED_BY, subject=subject, object=found, attributes={"stated_as": "owner_groups"}
                )

    return read


def shift(data: Body, body: Body, record: Record) -> Iterator[Item]:
    """
    Who is on call for a schedule, and when.
    """
    user = flat(at(data, "user", "data")) if at(data, "user", "data") else data.get("user")
    who = person(first(at(user, "full_name"), at(user, "name"), at(user, "email"), at(data, "user_id")))
    schedule = team(first(at(data, "schedule", "name"), at(data, "schedule_name"), at(data, "schedule_id")))
    start, end = moment_at(data, ("starts_at",)), moment_at(data, ("ends_at",))
    if who and schedule and start:
        yield Fact(kind=FactKind.ON_CALL_FOR, subject=who, object=schedule, valid=Span(start, end))


def plain(html: str) -> str:
    """
    HTML as Markdown's headings and text.
    """
    if "<" not in html:
        return html
    marked = _HEAD.sub(lambda head: f"\n\n{'#' * int(head[1])} {_TAG.sub('', head[2]).strip()}\n\n", html)
    lines = re.sub(r"(?i)<li[^>]{0,200}>", "\n- ", re.sub(r"(?i)<(?:br|/p|/div|/tr)[^>]{0,200}>", "\n", marked))
    return re.sub(r"\n{3,}", "\n\n", _TAG.sub("", lines)).replace("&nbsp;", " ").replace("&amp;", "&").strip()


def environment(data: Body) -> str | None:
    """
    The first environment.
    """
    found = names(data, "environments")
    return found[0].lower() if found else None


def alert_item(data: Body) -> Alert:
    """
    An alert.
    """
    ended = moment_at(data, ("ended_at",))
    given = data.get("labels")
    pairs = {text_at(one, "key") or "": text_at(one, "value") for one in objects_at(data, "labels")}
    identity = text_at(data, "id") or digest_of(data)
    done = text_at(data, "status") in ("resolved", "closed")
    return Alert(
        id=f"rootly:alert:{identity}",
        name=first(at(data, "summary"), at(data, "title")) or identity,
        at=named_time(first(at(data, "started_at"), at(data, "created_at")), f"`started_at` of the alert {identity}"),
        ended_at=ended or (moment_at(data, ("updated_at",)) if done else None),
        status="resolved" if ended or done else "firing",
        labels={
            **attributes(
                service=first(*names(data, "services")), environment=environment(data), source=at(data, "source")
            ),
            **(texts(given) if isinstance(given, dict) else attributes(**pairs)),
        },
        annotations=attributes(description=at(data, "description")) | texts(data.get("data")),
        vendor=VENDOR,
        url=first(at(data, "external_url"), at(data, "url")),
    )
