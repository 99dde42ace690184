"""
What a heading of postmortem prose announces, and which kind of cause a text states, both by rules.
"""

from __future__ import annotations

import re

from graph.values import SectionKind

_HEADINGS: tuple[tuple[SectionKind, str], ...] = (
    (
        SectionKind.ACTION_ITEMS,
        r"action.?items?|review actions?|follow.?ups?|next steps|remediation items|actions?$|corrective|preventi|to.?do",
    ),
    (
        SectionKind.LESSONS,
        r"lessons?|what went (well|wrong)|went (well|badly)|where we got lucky|learn|retrospective|takeaways|could.*better",
    ),
    (SectionKind.TIMELINE, r"time.?line|chronolog|sequence of events|context|log of events|key events"),
    (
        SectionKind.RESOLUTION,
        r"resolution|resolv|recovery|mitigat|remediation|fix(es|ed)?\b|how.*(fixed|restored)|repair|workaround",
    ),
    (SectionKind.TRIGGER, r"trigger(?!ing.?alert)|what (triggered|started)"),
    (
        SectionKind.CAUSE,
        r"root.?cause|causes?\b|what happened|contributing|why|diagnos|problem$|analysis|fault|background",
    ),
    (SectionKind.DETECTION, r"detect|identified|triggering.?alert|how.*(found|noticed)|alert(ed|s)?$|discover|symptom"),
    (SectionKind.IMPACT, r"impact|affected|damage|customer|user.?facing|consequence|effects?$"),
    (SectionKind.SUMMARY, r"summary|overview|abstract|tl;?dr|description|introduction|in short|executive"),
)
_HEADING_RULES = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _HEADINGS)


def section_kind(heading: str) -> SectionKind:
    """
    What a heading or key announces; OTHER where no rule knows it.
    """
    text = heading.replace("_", " ").strip(" :*#")
    return next((kind for kind, rule in _HEADING_RULES if rule.search(text)), SectionKind.OTHER)


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
