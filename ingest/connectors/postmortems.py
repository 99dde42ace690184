"""
Postmortems in Markdown (front matter or headings; one incident a file, or a log of many) and in JSON.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import PurePosixPath

import orjson

from graph.values import EntityKind, Fix, Incident, Item, Record, Section, SectionKind, Trust, entity_id
from ingest.contract import Connector, Piece
from ingest.errors import BadRecord
from ingest.fixes.details import detailed
from ingest.fixes.extraction import extract_fixes
from ingest.fixes.stated import stated_fixes
from ingest.incident_pages import read_page, why_empty
from ingest.markdown import Document, parse, plain
from ingest.parsing import (
    MAX_LINE,
    end_of_day,
    is_date_only,
    json_lines,
    load_json,
    mapping_of,
    parse_time,
    publication_of_day,
    text_of,
    texts_of,
    unpack,
)
from ingest.prose import cause_kind, day_in, named_field, section_kind, sorted_sections

_STARTED = (
    "started_at", "started", "start", "start_time", "began", "first_detected", "impact_started_at", "impact_time",
    "occurred_at", "declared", "incident_declared", "starttime",
)  # fmt: skip
_DETECTED = (
    "detected_at",
    "detected",
    "first_detected",
    "identified_at",
    "declared",
    "incident_declared",
    "detecttime",
)
_RESOLVED = ("resolved_at", "resolved", "end_time", "ended_at", "ended", "end", "repaired", "mitigated_at", "endtime")
_PUBLISHED = ("published_at", "published", "publication_date", "published_on")
_ALERTS = ("triggering_alert", "alerts", "alert", "alert_name", "triggered_by_alert")
_SERVICES = ("services", "service", "affected_services", "components", "component", "system")
_NO_PROSE = {
    "id", "title", "date", "path", "url", "references", "commits", "time_to_repair", "time_to_resolve",
    "extracted_from", "severity", "tags", "status", "keywords", "company", "product", "categories",
}  # fmt: skip
_ABOUT = {"number", "team", "authors", "status", "duration"}
"""Fields that are about the document rather than of it."""
_KEPT = ("number", "status", "team", "duration", "owner_team", "last_reviewed_on")
_INCIDENT_WORD = re.compile(r"\b(?:incident|outage|post.?mortem)\b", re.IGNORECASE)
_INCIDENT_HEAD = re.compile(r"^\d{4}-\d{2}-\d{2}\b\W+[a-z]{3,}|^\W*(?:inc|incident)\W?#?\d+\b", re.IGNORECASE)
_PATTERNS = (
    "*postmortem*/*.md", "*postmortem*/*.json*", "incidents/*.md", "incidents.jsonl*", "*incident*.md",
    "*incident*.md.erb",
)  # fmt: skip
_SHA = re.compile(r"(?:commit/|\bcommit\s+`?)([0-9a-f]{7,40})\b")
_CHANGE_WAS = re.compile(r"(?:change|release|deploy(?:ment)?|commit) (?:was|were) `([^`]{2,80})`", re.IGNORECASE)
_OPEN = re.compile(r"\[ \]|\bopen\b", re.IGNORECASE)


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece an incident: a Markdown file, each incident of a log, a JSON object, or a line of JSON lines.
    """
    path = meta.get("path", "postmortem.md")
    body = unpack(raw, path)
    if re.search(r"\.jsonl(\.gz)?$", path):
        for number, line in json_lines(body):
            yield _line(line, path, number, meta)
    elif path.endswith(".json"):
        value = load_json(text_of(body, path), path)
        for number, item in enumerate(value if isinstance(value, list) else [value], 1):
            yield _json_piece(item, path, number, f"entry {number} of {path}", meta)
    else:
        yield from _markdown_pieces(text_of(body, path), path, meta)


def _line(line: bytes, path: str, number: int, meta: Mapping[str, str]) -> Piece:
    if len(line) > MAX_LINE:
        return Piece(part=f"{path}#{number}", body="", problem=f"line {number} of {path} is longer than 1 MiB")
    try:
        where = f"line {number} of {path}"
        return _json_piece(load_json(line, where), path, number, where, meta)
    except BadRecord as error:
        return Piece(part=f"{path}#{number}", body=line.decode("utf-8", "replace"), problem=str(error))


def _json_piece(value: object, path: str, number: int, where: str, meta: Mapping[str, str]) -> Piece:
    body = orjson.dumps(value).decode()
    name = value.get("id") if isinstance(value, dict) else None
    part = f"{path}#{name or hashlib.sha256(body.encode()).hexdigest()[:16]}"
    try:
        fields = mapping_of(value, where)
        _check(fields, where)
        published = _published(fields, incident_of_json(fields, path, meta), meta)
    except BadRecord as error:
        return Piece(part=part, body=body, problem=str(error))
    return Piece(part=part, body=body, published_at=published, meta={"row": str(number)})


def _check(fields: Mapping[str, object], where: str) -> None:
    if not any(str(value or "").strip() for key, value in fields.items() if key in ("id", "title") or _text(value)):
        raise BadRecord(f"{where} has neither an id nor a title nor any text; give it an `id` and a `title`")


def _published(fields: Mapping[str, object], incident: Incident, meta: Mapping[str, str]) -> datetime | None:
    """
    When it was published: as it says (a blog's path may say the day), else the end of the day after the incident's.
    """
    named = next((fields[key] for key in _PUBLISHED if fields.get(key)), day_in(str(fields.get("path") or "")))
    if named is not None:
        moment = parse_time(named, _zone(meta))
        return publication_of_day(moment, _zone(meta)) if is_date_only(named) else moment
    return published_with(incident, meta)


def published_with(incident: Incident, meta: Mapping[str, str]) -> datetime | None:
    """
    The earliest that a document about an incident can have been known: the end of the day after it.
    """
    last = incident.resolved_at or incident.at
    return publication_of_day(last, _zone(meta)) if last else None


def _markdown_pieces(text: str, path: str, meta: Mapping[str, str]) -> Iterator[Piece]:
    if not text.strip():
        raise BadRecord(f"{path} is empty; write the postmortem into it or remove it")
    document = parse(text, path)
    heads = [
        section for section in document.sections if section.level in (2, 3, 4) and _begins_incident(section.heading)
    ]
    if len(heads) < 2:
        incident = incident_of_page(document, path, meta)
        yield Piece(part=path, body=text, published_at=_published(document.front, incident, meta))
        return
    for head in heads:
        body, part = _below(document.sections, head), f"{path}#{head.anchor}"
        try:
            published = published_with(incident_of_page(parse(body, part), path, meta), meta)
        except BadRecord as error:
            yield Piece(part=part, body=body, problem=str(error))
            continue
        yield Piece(part=part, body=body, published_at=published, meta={"section": head.anchor})


def _begins_incident(heading: str) -> bool:
    dated = _INCIDENT_WORD.search(heading) and day_in(heading)
    return bool(dated or _INCIDENT_HEAD.search(heading))


def _below(sections: tuple[Section, ...], head: Section) -> str:
    start = sections.index(head)
    lines = [f"{'#' * head.level} {head.heading}", "", head.text]
    for section in sections[start + 1 :]:
        if section.level <= head.level:
            break
        lines += [f"{'#' * section.level} {section.heading}", "", section.text]
    return "\n".join(lines)


def transform(record: Record) -> Iterator[Item]:
    """
    The incident, with its sections and fixes.
    """
    path = record.meta.get("path", record.part)
    if record.body.lstrip()[:1] == "{" and not path.endswith(".md"):
        yield incident_of_json(mapping_of(load_json(record.body, record.part), record.part), path, record.meta)
        return
    yield incident_of_page(parse(record.body, path), path, record.meta)


def incident_of_json(fields: Mapping[str, object], path: str, meta: Mapping[str, str]) -> Incident:
    """
    A postmortem of named fields; what is not a known name goes by what its key announces.
    """
    sections: list[tuple[str, SectionKind, str]] = []
    for key, value in fields.items():
        text = _text(value)
        known = key in _NO_PROSE or key in _STARTED + _RESOLVED + _PUBLISHED + _SERVICES
        if text and not known and named_field(key) not in _ABOUT and not (key in _ALERTS and key != "triggering_alert"):
            sections.append((key, section_kind(key), text))
    identity = str(fields.get("id") or hashlib.sha256(orjson.dumps(dict(fields))).hexdigest()[:16])
    return _built(fields, sorted_sections(sections), identity, path, meta)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list) and value:
        return "\n".join(f"- {item if isinstance(item, str) else orjson.dumps(item).decode()}" for item in value)
    return ""


def incident_of_page(document: Document, path: str, meta: Mapping[str, str]) -> Incident:
    """
    A parsed page as an incident; what its front matter says outranks its text. BadRecord for a page that tells of none.
    """
    name = PurePosixPath(path).name.removesuffix(".md").removesuffix(".markdown")
    empty = why_empty(document, str(document.front.get("title") or name))
    if empty:
        raise BadRecord(empty)
    page = read_page(document)
    fields = {**page.facts, **document.front, "title": page.title or name}
    identity = str(document.front.get("id") or (f"{name}#{meta['section']}" if meta.get("section") else name))
    return _built(fields, page.sections, identity, path, meta)


def _built(
    fields: Mapping[str, object], sections: Mapping[SectionKind, str], identity: str, path: str, meta: Mapping[str, str]
) -> Incident:
    at, day_only = _began(fields, identity, meta)
    gaps = [kind.value for kind in (SectionKind.CAUSE, SectionKind.RESOLUTION) if not sections.get(kind)]
    attributes = {"path": path} | ({"gaps": ",".join(gaps)} if gaps else {})
    attributes |= {key: str(fields[key]) for key in _KEPT if isinstance(fields.get(key), str | int)}
    items = sections.get(SectionKind.ACTION_ITEMS, "")
    if _OPEN.search(items):
        attributes["open_actions"] = str(sum(bool(_OPEN.search(line)) for line in items.split("\n")))
    about = "\n".join(sections.get(kind, "") for kind in (SectionKind.TRIGGER, SectionKind.CAUSE))
    incident = Incident(
        id=identity,
        title=plain(str(fields.get("title") or identity))[:300],
        at=at,
        day_only=day_only,
        detected_at=_moment(fields, _DETECTED, meta),
        resolved_at=_moment(fields, _RESOLVED, meta),
        severity=str(fields["severity"]) if fields.get("severity") else None,
        services=tuple(entity_id(EntityKind.SERVICE, name) for key in _SERVICES for name in texts_of(fields.get(key))),
        environment=str(fields["environment"]) if fields.get("environment") else None,
        alerts=tuple(name for key in _ALERTS for name in _alerts(fields.get(key))),
        sections=sections,
        caused_by=tuple(
            dict.fromkeys([*texts_of(fields.get("caused_by")), *_CHANGE_WAS.findall(about), *_SHA.findall(about)])
        ),
        cause_kind=str(fields["cause_kind"]) if fields.get("cause_kind") else cause_kind(about),
        runbooks=texts_of(fields.get("runbooks") or fields.get("runbook")),
        url=str(fields["url"]) if fields.get("url") else None,
        attributes=attributes,
    )
    return replace(incident, fixes=_fixes(fields, incident, _zone(meta)))


def _fixes(fields: Mapping[str, object], incident: Incident, timezone: str) -> tuple[Fix, ...]:
    """
    What the document states as fields, before what its prose says beside that.
    """
    stated = stated_fixes(fields, timezone)
    said = {(fix.action, fix.target.lower()) for fix in stated}
    words = [fix.quote for fix in stated]
    prose = [
        fix
        for fix in extract_fixes(incident.sections)
        if (fix.action, fix.target.lower()) not in said and not any(one in fix.quote for one in words)
    ]
    return detailed([*stated, *prose], incident)


def _alerts(value: object) -> tuple[str, ...]:
    # an alert's text may hold commas, so only lists are cut
    return (
        (value.strip(),)
        if isinstance(value, str) and value.strip()
        else texts_of(value)
        if isinstance(value, list)
        else ()
    )


def _began(fields: Mapping[str, object], identity: str, meta: Mapping[str, str]) -> tuple[datetime | None, bool]:
    moment = _moment(fields, _STARTED, meta)
    if moment:
        return moment, False
    named = next((fields[key] for key in ("date", "day", *_STARTED) if fields.get(key)), None)
    texts = [str(named)] if named is not None else []
    texts += [str(fields.get("title", "")), identity, str(fields.get("mentioned", ""))]
    found = next((day for text in texts if (day := day_in(text))), None)
    if found:
        return end_of_day(parse_time(found, _zone(meta)), _zone(meta)), True
    return None, False


def _moment(fields: Mapping[str, object], keys: tuple[str, ...], meta: Mapping[str, str]) -> datetime | None:
    for key in keys:
        value = fields.get(key)
        if value and not (isinstance(value, str) and is_date_only(value)):
            try:
                return parse_time(value, _zone(meta))
            except BadRecord:
                # free text such as "Aug 30 at 11:15 to 12:13": a gap rather than a guess
                continue
    return None


def _zone(meta: Mapping[str, str]) -> str:
    return meta.get("timezone", "UTC")


CONNECTOR = Connector(
    name="postmortems",
    summary="postmortems as Markdown or JSON; the fix is read out with its words",
    trust=Trust.DECLARED,
    snapshot=True,
    split=split,
    transform=transform,
    patterns=_PATTERNS,
)
