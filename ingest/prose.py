"""
What a heading of postmortem prose announces, and which kind of cause a text states, both by rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from graph.values import SectionKind

_HEADINGS: tuple[tuple[SectionKind, str], ...] = (
    (
        SectionKind.ACTION_ITEMS,
        r"action.?items?|review actions?|follow.?(?:on|up)s?|next steps|remediation items|actions?$|corrective|preventi|preventative|to.?dos?\b|recommendations?$",
    ),
    (
        SectionKind.LESSONS,
        r"lessons?|what went (well|wrong|badly|poorly)|went (well|badly)|(?:where|did) (?:did )?we (?:get|got) lucky|got lucky|learn|retrospective|takeaways|could.*better|surpris",
    ),
    (
        SectionKind.TIMELINE,
        r"time.?line|chronolog|sequence of events|chain of events|context|log of events|key events|lead.?up",
    ),
    (SectionKind.CAUSE, r"^(?:the )?(?:root|probable|underlying|primary) causes?\b"),
    (
        SectionKind.RESOLUTION,
        r"resolution|resolv|recover|mitigat|remediation|fix(es|ed)?\b|how.*(fixed|restored)|repair|workaround",
    ),
    (SectionKind.TRIGGER, r"trigger(?!ing.?alert)|what (triggered|started|caused)"),
    (
        SectionKind.CAUSE,
        r"root.?cause|causes?\b|contributing|\bwhys?\b|diagnos|problem$|analysis|fault|process breakdown|how.*happen",
    ),
    (SectionKind.DETECTION, r"detect|identified|triggering.?alert|how.*(found|noticed)|alert(ed|s)?$|discover|symptom"),
    (SectionKind.IMPACT, r"impact|affected|damage|customer|user.?facing|consequence|effects?$|blast radius"),
    (
        SectionKind.SUMMARY,
        r"summary|overview|abstract|tl;? ?dr|description|introduction|in short|executive|background|what happened|synopsis",
    ),
)
_HEADING_RULES = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _HEADINGS)
_STORY = re.compile(r"what.?happened|background", re.IGNORECASE)
_NUMBER = re.compile(r"^(?:\d{1,2}(?:\.\d{1,2})*[.):]?|[ivx]{1,4}[.)]|[a-z][.)])\s+", re.IGNORECASE)
_OUTER = re.compile(r"^[\W_]+|[^\w)]+$")

_NAMED: tuple[tuple[str, str], ...] = (
    ("date", r"date|day|(?:incident|outage|event) date|date of (?:the )?(?:incident|outage|event)|date[ /]*time|when"),
    ("published", r"(?:post.?mortem|report|review|publication) date|published(?: on| at)?|date (?:published|of report)"),
    (
        "started",
        r"start(?:ed)?(?: (?:at|on|date|time|date[ /]*time|of (?:the )?(?:incident|impact|outage)))?|(?:incident|impact|outage) start(?:ed)?(?: time)?"
        r"|began(?: at)?|time of (?:the )?(?:incident|outage)|occurred(?: at| on)?",
    ),
    ("detected", r"detection time|detected(?: at| on)?|first detected(?: at)?|time (?:of detection|detected)|identified at|declared(?: at)?"),
    (
        "resolved",
        r"end(?:ed)?(?: (?:at|on|date|time|date[ /]*time|of (?:the )?(?:incident|impact|outage)))?|(?:incident|impact|outage) end(?:ed)?(?: time)?"
        r"|resol(?:ution time|ved(?: at| on)?)|time (?:of resolution|resolved)|recovered at|restored at",
    ),
    ("severity", r"(?:incident )?(?:severity|sev|priority)(?: level)?"),
    ("number", r"incident (?:number|no|id|#|ref(?:erence)?|key|ticket)|incident|ticket|reference|id"),
    ("services", r"(?:affected |impacted )?(?:services?|components?|systems?|applications?)(?:\(s\))?(?: (?:affected|impacted|involved))?|services? name"),
    ("team", r"(?:owner|owning|responsible)(?: team)?|team|owner.?team"),
    ("authors", r"authors?(?:\(s\))?|written by|post.?mortem (?:lead|owner)|facilitators?|incident commander|by|reporter"),
    ("status", r"(?:report |post.?mortem |incident )?status"),
    ("duration", r"(?:total |incident |outage )?duration|time to (?:repair|resol(?:ve|ution)|mitigate|recover(?:y)?)(?: \(\w+\))?|tt[rmd]|mtt[rmd]|(?:outage|incident) length"),
    ("environment", r"environments?(?: affected)?"),
)  # fmt: skip
_NAMED_RULES = tuple((field, re.compile(pattern, re.IGNORECASE)) for field, pattern in _NAMED)

_MONTHS = {
    name: place
    for place, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DAYS = (
    re.compile(r"\b(?P<year>\d{4})[-/](?P<month>\d{2})[-/](?P<day>\d{2})(?!\d)"),
    re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)?[ -](?P<month>{_MONTH})[, -]+(?P<year>\d{{4}})\b", re.IGNORECASE),
    re.compile(rf"\b(?P<month>{_MONTH})[ -](?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?[ -](?P<year>\d{{4}})\b", re.IGNORECASE),
)  # fmt: skip


def bare(heading: str) -> str:
    """
    A heading without number, emoji, colon and marks.
    """
    text = _OUTER.sub("", heading.replace("_", " ").strip())
    return _OUTER.sub("", _NUMBER.sub("", text))


def section_kind(heading: str) -> SectionKind:
    """
    What a heading or key announces; OTHER where no rule knows it.
    """
    text = bare(heading)
    if named_field(text) in ("duration", "authors", "status", "team", "number", "published"):
        return SectionKind.OTHER
    return next((kind for kind, rule in _HEADING_RULES if rule.search(text)), SectionKind.OTHER)


def named_field(heading: str) -> str | None:
    """
    Which fact about an incident a heading, key or label names (`started`, `severity`), or None.
    """
    text = " ".join(bare(heading).split())
    return next((field for field, rule in _NAMED_RULES if rule.fullmatch(text)), None)


def sorted_sections(parts: Iterable[tuple[str, SectionKind, str]]) -> dict[SectionKind, str]:
    """
    (heading, kind, text) of a document by kind. What happened is the summary of a document that states a cause
    elsewhere or has no summary, and the cause of any other.
    """
    kept = [part for part in parts if part[2].strip()]
    summed = any(kind is SectionKind.SUMMARY and heading and not _STORY.search(heading) for heading, kind, _ in kept)
    caused = any(kind is SectionKind.CAUSE for _, kind, _ in kept)
    found: dict[SectionKind, list[str]] = {}
    for heading, kind, text in kept:
        tells = kind is SectionKind.SUMMARY and summed and not caused and _STORY.search(heading)
        found.setdefault(SectionKind.CAUSE if tells else kind, []).append(text.strip())
    return {kind: "\n\n".join(texts) for kind, texts in found.items()}


def day_in(text: str) -> str | None:
    """
    The first day that a text names (2026-03-02, 2 March 2026, Mar 2nd, 2026), as 2026-03-02.
    """
    marks = [mark for rule in _DAYS if (mark := rule.search(text))]
    for mark in sorted(marks, key=lambda one: one.start()):
        month = _MONTHS.get(mark["month"][:3].lower()) or (int(mark["month"]) if mark["month"].isdigit() else 0)
        try:
            return date(int(mark["year"]), month, int(mark["day"])).isoformat()
        except ValueError:
            continue
    return None


_CAUSES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("certificate", re.compile(r"certificate\w* (?:\w+ ){0,6}expir|expired certificate|x509", re.IGNORECASE)),
    ("traffic", re.compile(r"(?:surge|spike|flood|increase|times the) (?:\w+ ){0,4}(?:traffic|requests|users|load|rate)|traffic (?:spike|surge)|DDoS|\bbot's?\b", re.IGNORECASE)),
    ("provider", re.compile(r"(?:AWS|Azure|GCP|Google Cloud|GitHub|provider|vendor|upstream|carrier|relay|acquirer)\b.{0,80}(?:outage|incident|issue|fault|faulty|bug|lost|removed|lowered|maintenance|replaced|sent nulls|throttl)", re.IGNORECASE)),
    ("hardware", re.compile(r"hardware (?:fault|failure)|memory fault|disk failure|host (?:down|failure)|clock ran", re.IGNORECASE)),
    ("data", re.compile(r"(?:bad|poison|corrupt|malformed|undecodable) (?:data|message|record|event)|could not be decoded|sent nulls", re.IGNORECASE)),
    ("change", re.compile(r"(?:release|deploy(?:ment|ed|ing)?|merg(?:e|ed|ing)|upgrad(?:e|ed|ing)|migration|pull request|PR|commit|flag|config(?:uration)? change|change to|rolled out|new version|terraform (?:apply|destroy))", re.IGNORECASE)),
)  # fmt: skip


def cause_kind(text: str) -> str | None:
    """
    Which kind of cause a text states clearly: the first rule that it meets, or None.
    """
    return next((kind for kind, rule in _CAUSES if rule.search(text)), None)
