"""
A postmortem's page read by its headings: sections by kind, facts from labels and tables, and whether anybody filled it.

What stands below a heading that no rule knows belongs to the heading above it. A label in bold does for a heading where
no heading says more. Facts (when it began, how severe it was) are taken from short sections, labels and tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graph.values import Section, SectionKind
from ingest.markdown import Document, labelled, plain
from ingest.prose import day_in, named_field, section_kind, sorted_sections

MAX_FACT = 160
"""Characters; what is longer is prose, not a fact."""
MAX_LEAD = 400
"""Characters of the first prose, where a page without facts says on which day it was."""
_MANY = 4
"""Words of a name."""
_LABEL_LINE = re.compile(r"(?m)^[ \t]*(?:[-*+][ \t]+)?([A-Z][A-Za-z/ ()_-]{2,30}?)[ \t]*:[ \t]+(\S.{0,160})$")
_EVENT = re.compile(
    r"(?im)^\s*(?:[-*+]\s*)?(?:\*\*)?(first detected|incident declared|repaired|resolved|detected|started)"
    r"(?: declared)?(?:\*\*)?\s*:?\s*(\d{4}-\d{2}-\d{2}[ T]\d{1,2}:\d{2})"
)
_CLOCK = re.compile(
    r"(?i)(?<![\d:.])(\d{1,2}):(\d{2})(?::\d{2})?(?:\.\d+)?[ ]?([ap]m)?[ ]?(Z|[A-Z]{3,4}|[+-]\d{2}:?\d{2})?(?![\w:])"
)
_ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "bst": 60, "cet": 60, "cest": 120, "eet": 120, "eest": 180, "ist": 330, "jst": 540,
    "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420,
}  # fmt: skip
"""Minutes east of Greenwich."""
_HOLLOW = re.compile(
    r"(?im)^[ \t]*>.*$|<!--(?:(?!<!--)[\s\S])*?-->|<[^<>\n]{1,200}>|\[[^\[\]\n]{0,200}\](?!\()|\{\{[^{}\n]*\}\}"
    r"|^[ \t]*\([^()\n]*\)[ \t]*$|\b(?:tbd|tba|todo|n/?a|lorem ipsum)\b|^[ \t]*brief description\.?[ \t]*$"
    r"|^[ \t]*by:.*$|^[ \t]*!\[.*$|_{3,}|\.{3}|…"
)
_TEMPLATE = re.compile(
    r"(?i)\b(?:post.?mortem|incident|rca|root cause|retrospective|report|review|pir)\b"
    r"[^.]{0,40}\btemplate\W*(?:v?\d+)?$|^\W*template\b[^.]{0,60}\b(?:post.?mortem|incident|rca|report|review)\b"
)
_GUIDES = re.compile(r"(?i)\b(?:you|your|you'll|you’ll|you're|you’re)\b")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """
    What a page says: a title where it has one of its own, facts by name, and texts by kind of section.
    """

    title: str
    facts: Mapping[str, str]
    sections: Mapping[SectionKind, str]


def read_page(document: Document) -> IncidentPage:
    """
    Sections and facts of a page.
    """
    title = title_of(document)
    placed = list(_placed(document, title))
    return IncidentPage(title, _facts(document, title), sorted_sections(placed))


def title_of(document: Document) -> str:
    """
    The title; empty where the first heading is one section among others.
    """
    named = str(document.front.get("title") or "")
    heads = [section for section in document.sections if section.heading]
    if named or not heads:
        return named
    first = heads[0]
    among = first.level > 1 or any(other.level == first.level for other in heads[1:])
    known = section_kind(first.heading) is not SectionKind.OTHER or named_field(first.heading)
    return "" if among and known else first.heading


def why_empty(document: Document, name: str) -> str:
    """
    Why a page tells of no incident (a blank template, a guide to writing one), or the empty text.
    """
    title = title_of(document) or name
    if named_as_template(title):
        return f"{name} is a template, as its title says; fill it in under the incident's own title"
    known = [section for section in document.sections if section_kind(section.heading) is not SectionKind.OTHER]
    told = "\n".join(_filled(section.text) for section in document.sections)
    headed = [one for one in document.sections if one.heading not in ("", title) and not named_field(one.heading)]
    if len(known) > 1 and not any(_WORD.search(_filled(section.text)) for section in headed):
        lead = "\n".join(_filled(section.text) for section in document.sections if section not in headed)
        if not day_in(f"{title} {lead}") and len(_WORD.findall(lead)) < 30:
            return f"{name} has the headings of a postmortem and nothing below them; fill it in"
    words, asked = len(_WORD.findall(told)), len(_GUIDES.findall(told))
    if asked >= 6 and asked * 80 > words and not day_in(f"{title} {told}"):
        return (
            f"{name} tells its reader how to write, and of no incident (no day, and much `you`); file it as a runbook"
        )
    return ""


def named_as_template(title: str) -> bool:
    """
    Whether a title says that its page is there to be copied.
    """
    return bool(_TEMPLATE.search(plain(title[:MAX_FACT])))


def _filled(text: str) -> str:
    """
    The text without what a template brings: quotes, placeholders, empty tables, labels without a value.
    """
    kept = []
    for line in _HOLLOW.sub("", text).split("\n"):
        if line.lstrip().startswith("|"):
            cells = [plain(cell).strip(" -:") for cell in line.strip().strip("|").split("|")]
            values = cells[1:] if len(cells) > 1 else cells
            if not any(value and not named_field(value) for value in values) or sum(map(bool, cells)) * 2 <= len(cells):
                continue
            if all(section_kind(cell) is not SectionKind.OTHER or len(cell.split()) <= _MANY for cell in cells):
                kept.append("" if not any(char.isdigit() for char in line) else line)
                continue
        kept.append(re.sub(r"^\s*(?:[-*+]|\d+[.)])?\s*(?:\*\*)?[\w /()#-]{2,40}(?:\*\*)?:\s*(?:\*\*)?\s*$", "", line))
    return "\n".join(kept)


def _placed(document: Document, title: str) -> Iterator[tuple[str, SectionKind, str]]:
    above: list[tuple[int, SectionKind]] = []
    for number, section in enumerate(document.sections):
        titled = section.heading == title
        kind = section_kind(section.heading) if section.heading and not titled else SectionKind.OTHER
        above = [one for one in above if one[0] < section.level]
        inherited = above[-1][1] if above else SectionKind.OTHER
        own = kind
        if kind is SectionKind.OTHER and section.heading and not titled and not named_field(section.heading):
            kind = inherited
        if section.heading and not titled:
            above.append((section.level, kind))
        if kind is SectionKind.OTHER:
            yield from _by_labels(section, number == 0 or titled)
        elif own is SectionKind.OTHER and section.text.strip():
            yield "", kind, f"**{section.heading}**\n\n{section.text.strip()}"
        else:
            yield section.heading, kind, section.text


def _by_labels(section: Section, lead: bool) -> Iterator[tuple[str, SectionKind, str]]:
    rest = SectionKind.SUMMARY if lead else SectionKind.OTHER
    marks = labelled(section.text, lambda label: _announces(label) or named_field(label) is not None)
    if not any(_announces(label) for label, _ in marks):
        if not named_field(section.heading):
            yield "", rest, section.text
        return
    for label, body in marks:
        if _announces(label) or not label:
            yield label, section_kind(label) if label else rest, body
        elif "\n" in body.strip():
            yield "", SectionKind.OTHER, f"**{label}**: {body}"


def _announces(label: str) -> bool:
    return section_kind(label) is not SectionKind.OTHER


def _facts(document: Document, title: str) -> dict[str, str]:
    found: dict[str, str] = {}
    whole = "\n".join(section.text for section in document.sections)
    for mark in _EVENT.finditer(whole):
        found.setdefault(mark[1].lower().replace(" ", "_"), mark[2])
    for section in document.sections:
        for label, value in _told(section, title):
            field, value = named_field(label), plain(value).strip(" |")
            if field == "services":
                value = _names(value)
            if field and _WORD.search(value) and len(value) <= MAX_FACT and not _HOLLOW.fullmatch(value):
                found.setdefault(field, value)
    leads = [
        one.text
        for one in document.sections[:3]
        if section_kind(one.heading) in (SectionKind.SUMMARY, SectionKind.OTHER)
    ]
    return _timed(found, title, next(filter(str.strip, leads), ""))


def _names(text: str) -> str:
    names = [re.sub(r"\(.*?\)", "", part).strip(" .`") for part in re.split(r"[,;]|\band\b", text)]
    return ", ".join(names) if all(len(name.split()) < _MANY for name in names) else ""


def _told(section: Section, title: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in section.text.split("\n") if line.strip()]
    if section.heading and section.heading != title and lines:
        yield (
            section.heading,
            lines[0].strip(" -*+")
            if len(lines) == 1
            else "; ".join(line.strip(" -*+") for line in lines if line.lstrip()[:1] in "-*+" and len(lines) < 12),
        )
    kind = section_kind(section.heading) if section.heading and section.heading != title else SectionKind.SUMMARY
    if kind not in (SectionKind.SUMMARY, SectionKind.OTHER, SectionKind.IMPACT):
        return
    for label, body in labelled(section.text, lambda one: named_field(one) is not None):
        yield label, body.strip().split("\n")[0] if body.strip() else ""
    for mark in _LABEL_LINE.finditer(section.text):
        yield mark[1], mark[2]
    yield from _cells([line for line in lines if line.lstrip().startswith("|")])


def _cells(lines: list[str]) -> Iterator[tuple[str, str]]:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    rows = [row for row in rows if not all(re.fullmatch(r":?-*:?", cell) for cell in row)]
    if len(rows) > 1 and len(rows[0]) > 1 and all(named_field(plain(cell)) for cell in rows[0]):
        yield from zip(rows[0], rows[1], strict=False)
        return
    for row in rows:
        yield from zip(row[::2], row[1::2], strict=False)


def _timed(facts: dict[str, str], title: str, lead: str) -> dict[str, str]:
    """
    The facts with times as ISO 8601, a bare time of day on the day that the page names.
    """
    day = day_in(facts.get("date", "")) or day_in(title)
    mentioned = day_in(lead[:MAX_LEAD])
    for field in ("date", "started", "detected", "resolved"):
        if field in facts:
            facts[field] = _moment(facts[field], day or mentioned)
    if day and not {"date", "started", "detected", "first_detected"} & set(facts):
        facts["date"] = day
    return {"mentioned": mentioned, **facts} if mentioned else facts


def _moment(text: str, day: str | None) -> str:
    named = day_in(text) or day
    clock = _CLOCK.search(text)
    if not named or not clock:
        return named or text
    hour, half = int(clock[1]), (clock[3] or "").lower()
    hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
    zone = (clock[4] or "").lower()
    minutes = _ZONES.get(zone)
    offset = clock[4] if zone[:1] in ("+", "-") and zone else "" if minutes is None else _offset(minutes)
    return f"{named}T{hour:02}:{clock[2]}{offset}"


def _offset(minutes: int) -> str:
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
