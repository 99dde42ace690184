"""
A page of a wiki or document tool, once it is Markdown: told apart as runbook or postmortem, and stated as one.

The first of these that says something decides: the source's option `as`, the page's labels, its title, its sections,
the pages that it stands below. A page of which none says anything is a runbook. Formatting cuts a text into runs, and
a secret with it, so a page becomes Markdown before it is redacted and kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import orjson

from graph.values import Incident, Item, Record, Runbook, SectionKind
from ingest.connectors.postmortems import incident_of_page, published_with
from ingest.connectors.runbooks import runbook_of
from ingest.contract import Piece
from ingest.errors import BadRecord
from ingest.fields import body_of, text_at
from ingest.incident_pages import named_as_template
from ingest.markdown import Document, parse
from ingest.parsing import parse_time
from ingest.prose import bare, day_in, section_kind

_KINDS = ("runbook", "postmortem")
_INCIDENT = re.compile(
    r"(?i)\b(?:post.?mortems?|rcas?|pirs?|root.?cause(?:.analysis)?|retrospectives?|correction of errors?|coe"
    r"|after.action|incident.(?:reports?|reviews?|retro\w*|analys[ie]s|logs?|summar(?:y|ies)|learnings?)|post.?incident\w*|outage.reports?)\b"
)
_STEPS = re.compile(
    r"(?i)\b(?:run.?books?|play.?books?|sops?|how.?to|procedures?|troubleshoot\w*|guides?|guidelines?|process(?:es)?|check.?lists?"
    r"|operations? manual|policy|policies|on.?call (?:guide|handbook)|response plan|alert response)\b"
)
_HAPPENED = re.compile(
    r"(?i)\b(?:incidents?|outages?|downtime|degrad\w+|unavailab\w+|sev.?[0-5]|(?:inc|incident)[-# ]?\d+)\b"
)
_TELLING = {SectionKind.TIMELINE, SectionKind.ACTION_ITEMS, SectionKind.LESSONS, SectionKind.TRIGGER}
_CAUSES = re.compile(r"(?i)root.?cause|contributing (?:factors?|causes?|conditions?)|five whys|5 whys")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """
    What a tool gave: `text` is Markdown, `facts` are properties by their names, `parents` what it stands below, nearest
    first.
    """

    tool: str
    id: str
    title: str
    text: str
    url: str = ""
    version: str = ""
    edited_at: datetime | None = None
    labels: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    gone: bool = False
    """It was removed, archived or never published: it states nothing any more."""


def piece_of(page: Page, meta: Mapping[str, str]) -> Piece:
    """
    A page as the piece of a payload; one that tells of nothing has its problem.
    """
    _kind_asked(meta)
    edited = page.edited_at
    body = {
        "tool": page.tool, "id": page.id, "title": page.title, "text": page.text, "url": page.url,
        "version": page.version, "edited_at": edited.isoformat() if edited else "", "labels": page.labels,
        "parents": page.parents, "facts": dict(page.facts), "gone": page.gone,
    }  # fmt: skip
    number = int(page.version) if page.version.isdigit() and len(page.version) < 9 else 0
    return Piece(
        part=f"page:{page.id}",
        body=orjson.dumps(body).decode(),
        published_at=edited or _told_at(page, meta),
        occurred_at=edited + timedelta(microseconds=number % 1_000_000) if edited else None,
    )


def _told_at(page: Page, meta: Mapping[str, str]) -> datetime | None:
    """
    When a page without a time of its own can have been known at the earliest; what is wrong with it, transform says.
    """
    try:
        item = None if page.gone else _item(page, meta)
    except BadRecord:
        return None
    return published_with(item, meta) if isinstance(item, Incident) else None


def stated(record: Record) -> Iterator[Item]:
    """
    What a kept page says.
    """
    body = body_of(record)
    edited = text_at(body, "edited_at")
    page = Page(
        tool=text_at(body, "tool") or record.connector,
        id=text_at(body, "id") or record.part,
        title=text_at(body, "title") or "",
        text=text_at(body, "text") or "",
        url=text_at(body, "url") or "",
        version=text_at(body, "version") or "",
        edited_at=parse_time(edited) if edited else None,
        labels=_texts(body.get("labels")),
        parents=_texts(body.get("parents")),
        facts=_facts(body.get("facts")),
        gone=body.get("gone") is True,
    )
    item = None if page.gone else _item(page, record.meta)
    if item:
        yield item


def _texts(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _facts(value: object) -> dict[str, str]:
    return {key: one for key, one in value.items() if isinstance(one, str)} if isinstance(value, dict) else {}


def _item(page: Page, meta: Mapping[str, str]) -> Runbook | Incident | None:
    if not page.text.strip() and not page.facts:
        return None
    document = parse(page.text, page.title or page.id)
    front = {**document.front, **page.facts}
    front |= {"title": page.title} if page.title else {}
    front |= {"url": page.url} if page.url else {}
    document = replace(document, front=front, title=str(front.get("title") or document.title))
    if named_as_template(document.title):
        raise BadRecord(f"{document.title} is a template, as its title says; it tells of nothing that happened")
    kept = {"version": page.version, "labels": ",".join(page.labels), "parent": next(iter(page.parents), "")}
    kept = {key: value for key, value in kept.items() if value}
    identity = f"{page.tool}:{page.id}"
    if (_kind_asked(meta) or kind_of(document, page.labels, page.parents)) == "postmortem":
        incident = incident_of_page(document, page.title or page.id, meta)
        return replace(incident, id=identity, attributes={**incident.attributes, "path": identity, **kept})
    runbook = runbook_of(document, page.title or page.id, meta)
    return replace(runbook, id=identity, attributes={**runbook.attributes, **kept})


def _kind_asked(meta: Mapping[str, str]) -> str:
    asked = meta.get("as", "")
    if asked and asked not in _KINDS:
        raise BadRecord(f"the source's option `as` is {asked!r}; write {' or '.join(_KINDS)}")
    return asked


def kind_of(document: Document, labels: Sequence[str], parents: Sequence[str]) -> str:
    """
    `postmortem` or `runbook`, by what a page says of itself.
    """
    signs = (_of_words(labels, labelled=True), _of_title(document.title), _of_sections(document), _of_words(parents))
    return next((kind for kind in signs if kind), "runbook")


def _of_words(words: Iterable[str], *, labelled: bool = False) -> str:
    for word in words:
        happened = _INCIDENT.search(word) or (_HAPPENED.search(word) if labelled else None)
        steps = _STEPS.search(word)
        if bool(happened) != bool(steps):
            return "postmortem" if happened else "runbook"
        if re.fullmatch(r"(?i)incidents?(?: \w+)?", word.strip()) and not steps:
            return "postmortem"
    return ""


def _of_title(title: str) -> str:
    happened, steps = _INCIDENT.search(title), _STEPS.search(title)
    if happened and steps:
        dated = day_in(title) or (
            happened.start() == 0 and title[happened.end() :].lstrip()[:1] in (":", "-", "–", "—")
        )
        return "postmortem" if dated else "runbook"
    if happened or steps:
        return "postmortem" if happened else "runbook"
    return (
        "postmortem"
        if _HAPPENED.search(title) and (day_in(title) or re.search(r"(?i)\b(?:inc|sev)[-# ]?\d", title))
        else ""
    )


def _of_sections(document: Document) -> str:
    heads = [bare(section.heading) for section in document.sections if section.heading]
    kinds = {kind for head in heads if (kind := section_kind(head)) in _TELLING}
    causes = any(_CAUSES.search(head) for head in heads)
    return "postmortem" if len(kinds) + causes > 1 else ""
