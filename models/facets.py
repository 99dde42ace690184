"""
Documents to rows: a long document is indexed by facet, symptom against symptom, not as one vector.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from graph.searching import Row
from graph.values import Alert, AlertRule, Incident, Item, ItemKind, Runbook, SectionKind, Statement

WINDOW = 900
"""Characters of a row's text, about 200 tokens."""
MAX_ROWS = 400
ROWS = 2
"""The version of which rows a document has; another one makes snapshots worthless."""
_INCIDENT = (
    ("summary", (SectionKind.SUMMARY,)),
    ("cause", (SectionKind.TRIGGER, SectionKind.CAUSE)),
    ("resolution", (SectionKind.RESOLUTION,)),
)
_TEMPLATE = re.compile(r"\{\{.*?\}\}")
_ADDRESS = re.compile(r"<?\b[a-z]{2,10}://(?:\{\{.*?\}\}|[^\s>])+>?")
"""An address with what is filled in there: its parts are of a dashboard or a log, not of what is wrong."""


def rows(statement: Statement[Item]) -> tuple[Row, ...]:
    """
    The rows of a statement; none for what is not searched (facts, changes, occurrences).
    """
    item = statement.item
    if isinstance(item, Incident):
        texts, kind, at = _incident(item), ItemKind.INCIDENT, item.at
    elif isinstance(item, Runbook):
        texts, kind, at = _runbook(item), ItemKind.RUNBOOK, None
    else:
        return ()
    document = item.id
    return tuple(
        Row(
            statement=statement.seq,
            kind=kind,
            document=document,
            facet=facet,
            text=text,
            record=statement.record,
            visibility=statement.visibility,
            known_from=statement.known.start,
            known_to=statement.known.end,
            at=at,
        )
        for facet, text in list(texts)[:MAX_ROWS]
    )


def _incident(incident: Incident) -> Iterator[tuple[str, str]]:
    symptoms = [incident.title, *incident.alerts]
    symptoms += [incident.sections.get(kind, "") for kind in (SectionKind.DETECTION, SectionKind.IMPACT)]
    if not any(symptoms[1:]):
        symptoms.append(incident.sections.get(SectionKind.SUMMARY, "")[:300])
    if incident.title:
        yield "title", incident.title
    yield "symptoms", "\n".join(filter(None, symptoms))[: WINDOW * 2]
    for facet, kinds in _INCIDENT:
        text = "\n".join(filter(None, (incident.sections.get(kind, "") for kind in kinds)))
        for window in windows(text)[:3]:
            yield facet, f"{incident.title}\n{window}"


def _runbook(runbook: Runbook) -> Iterator[tuple[str, str]]:
    about = " ".join([runbook.title, *runbook.alerts])
    first = next((section.text for section in runbook.sections if section.text.strip()), "")
    headings = " · ".join(section.heading for section in runbook.sections if section.heading)
    yield "title", f"{about}\n{headings[:400]}\n{first[:500]}"
    for section in runbook.sections:
        for window in windows(section.text)[:4]:
            yield f"section:{section.anchor}", f"{runbook.title} · {section.heading}\n{window}"
        if section.heading and not section.text.strip():
            yield f"section:{section.anchor}", f"{runbook.title} · {section.heading}"


def embedded(row: Row) -> bool:
    """
    Whether a row is searched by meaning too: an incident's title by itself is for words alone, since its symptoms begin
    with it.
    """
    return not (row.kind is ItemKind.INCIDENT and row.facet == "title")


def windows(text: str) -> list[str]:
    """
    A text in pieces of about WINDOW characters, cut at paragraphs or sentences.
    """
    pieces: list[str] = []
    current = ""
    for part in re.split(r"(?<=\n)\n+|(?<=[.!?])\s+", text.strip()):
        while len(part) > WINDOW:
            part, rest = part[:WINDOW], part[WINDOW:]
            pieces.append(part)
            part = rest
        if current and len(current) + len(part) > WINDOW:
            pieces.append(current)
            current = ""
        current = f"{current} {part}".strip()
    return [*pieces, current] if current else pieces


def headline(text: str) -> str:
    """
    The first line of a text that has more: an alert's name, a ticket's title. Empty where it is all there is.
    """
    first, _, rest = text.strip().partition("\n")
    return first.strip() if rest.strip() else ""


def alert_text(alert: Alert | AlertRule) -> str:
    """
    What an alert says, in words: its name, its texts, and the names in its expression.
    """
    texts = [
        alert.name,
        *(_spoken(text) for key, text in alert.annotations.items() if not _is_link(key, text)),
    ]
    named = " ".join(re.findall(r"[A-Za-z_][A-Za-z0-9_:]{3,}", alert.expr))
    return "\n".join(dict.fromkeys(filter(None, [*texts, named])))


def _spoken(text: str) -> str:
    return _TEMPLATE.sub(" ", _ADDRESS.sub(" ", text)).strip()


def _is_link(key: str, text: str) -> bool:
    """
    Whether an annotation is an address, or a path of one (`d/abc/dashboard?var=1`): words stand apart.
    """
    return key.endswith(("_url", "_uri", "_path")) or re.match(r"(?:https?:|\S+/\S*[?=])\S*$", text) is not None
