"""
What the connectors of events and incidents share: names of people and teams, sections of a text, the order of states.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from graph.values import Alert, EntityId, EntityKind, Fact, FactKind, Incident, SectionKind, entity_id
from ingest.contract import Body, Headers
from ingest.errors import BadRecord
from ingest.fields import digest_of, named, text, text_at, unwrapped
from ingest.fixes.details import detailed
from ingest.fixes.extraction import extract_fixes
from ingest.markdown import labelled, parse
from ingest.parsing import MAX_DOCUMENT
from ingest.prose import section_kind

_DEPLOYS = re.compile(r"deploy|release|rollout|roll-out|promote", re.IGNORECASE)
_MAIL = re.compile(r"^([^@\s]+)@[^@\s]+$")


def deploys(name: str | None) -> bool:
    """
    Whether the name of a pipeline, job or build says that it brings something into service.
    """
    return bool(name and _DEPLOYS.search(name))


def ranked(moment: datetime | None, rank: int) -> datetime | None:
    """
    The moment, later by so many microseconds: of two states that share it the higher counts.
    """
    return moment + timedelta(microseconds=rank) if moment else None


def part_of(body: Body, meta: Mapping[str, str]) -> str:
    """
    What a body of `kind` and `data` is about: its kind, and the id of its data.
    """
    data = body.get("data")
    return f"{text_at(body, 'kind') or 'unknown'}:{text_at(data, 'id') or digest_of(data)}"


def unread(vendor: str, event: object) -> BadRecord:
    """
    That an event is known to be the vendor's and is not read.
    """
    name = text(event) or "without a name"
    return BadRecord(
        f"{vendor}'s event {name!r} is not read; the delivery is kept: leave the event out of the webhook, or retry "
        "the record once a version reads it"
    )


def attributes(**values: object) -> dict[str, str]:
    """
    Those values that are texts or numbers, as texts.
    """
    return {name: found for name, value in values.items() if (found := text(value))}


def person(value: object) -> EntityId | None:
    """
    The person of a name or a mail address (of which the part before the `@` counts).
    """
    found = named(value)
    mail = _MAIL.match(found) if found else None
    return entity_id(EntityKind.PERSON, mail[1] if mail else found) if found else None


def team(value: object) -> EntityId | None:
    """
    The team of a name.
    """
    found = named(value)
    return entity_id(EntityKind.TEAM, found) if found else None


def service_id(value: object) -> EntityId | None:
    """
    The service of a name, alone.
    """
    found = named(value)
    return entity_id(EntityKind.SERVICE, found) if found else None


def names_of(kind: EntityKind, identity: object, name: object, seen_in: str) -> list[Fact]:
    """
    That the vendor's id of a thing is another name of it, so that what names the id alone is of the same thing.
    """
    mark, known = named(identity), named(name)
    if not mark or not known or mark.lower() == known.lower():
        return []
    subject = entity_id(kind, known)
    return [
        Fact(kind=FactKind.ALIAS, subject=subject, object=mark, attributes={"seen_in": seen_in}),
        Fact(kind=FactKind.SAME_AS, subject=entity_id(kind, mark), object=subject, attributes={"seen_in": seen_in}),
    ]


def sections(*told: tuple[SectionKind, object]) -> dict[SectionKind, str]:
    """
    Texts by what they tell, those of one kind below one another; what is no text is left out.
    """
    found: dict[SectionKind, list[str]] = {}
    for kind, value in told:
        body = text(value)
        if body and body not in found.setdefault(kind, []):
            found[kind].append(body)
    return {kind: "\n\n".join(bodies) for kind, bodies in found.items() if bodies}


def sections_of(body: str | None, otherwise: SectionKind = SectionKind.SUMMARY) -> list[tuple[SectionKind, str]]:
    """
    What the parts of a Markdown text tell, by their headings or bold labels; what stands below none is `otherwise`.
    """
    if not body or not body.strip() or len(body) > MAX_DOCUMENT:
        return []
    try:
        parts = parse(body).sections
    except BadRecord:
        return [(otherwise, body.strip())]
    found: list[tuple[SectionKind, str]] = []
    for part in parts:
        kind = section_kind(part.heading) if part.heading else otherwise
        marks = [(section_kind(label), told) for label, told in labelled(part.text)]
        if not part.heading and any(mark is not SectionKind.OTHER for mark, _ in marks):
            found += [(mark, told.strip()) for mark, told in marks if told.strip()]
        elif part.text.strip():
            found.append((kind, part.text.strip()))
    return found


def with_fixes(incident: Incident) -> Incident:
    """
    The incident with what its sections say was done to end it.
    """
    return replace(incident, fixes=detailed(extract_fixes(incident.sections), incident))


def alert_of(
    incident: Incident, received: datetime, vendor: str, labels: Mapping[str, object], texts: Iterable[object] = ()
) -> Alert:
    """
    An incident as the alert that one may ask about.
    """
    at = incident.at or incident.detected_at or received
    first = incident.services[0].partition(":")[2] if incident.services else None
    kept = {"service": first, "environment": incident.environment, "severity": incident.severity, **labels}
    told = [body for value in (*texts, incident.sections.get(SectionKind.SUMMARY)) if (body := text(value))]
    return Alert(
        id=f"{incident.id}@{at.isoformat()}",
        name=incident.title[:200],
        at=at,
        ended_at=incident.resolved_at,
        status="resolved" if incident.resolved_at else "firing",
        labels=attributes(**kept),
        annotations={"title": incident.title} | ({"description": "\n\n".join(dict.fromkeys(told))} if told else {}),
        vendor=vendor,
        url=incident.url,
    )


def through_relay(rule: Callable[[Body, Headers], bool]) -> Callable[[Body, Headers], bool]:
    """
    A rule of recognition that also sees the vendor's body in the envelope of a relay.
    """

    def recognises(payload: Body, headers: Headers) -> bool:
        return rule(unwrapped(payload), headers)

    return recognises
