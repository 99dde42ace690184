"""
The nouns of a sentence: what a text begins with, a passive's subject, what stands behind "of" or "to".
"""

from __future__ import annotations

import re

from ingest.fixes.clauses import AUXILIARY, BOUNDARY, last_clause
from ingest.fixes.verbs import DEEDS, LEXICON, REPAIR

_STOP = re.compile(
    r"(?<![\w-])(?:and|or|which|who|that|so|after|because|since|by|to|with|without|until|when|while|where|due|from|into|in|on|onto|at|for|via|using|as|but|then|than|was|were|is|are|has|have|had|been|be|being|up|down|off|out|away|back|over"
    r"|across|through|between|within|during|before|again|manually|automatically|successfully|immediately|temporarily|subsequently|currently|promptly|instead|not|did|does|do|didn't|will|would|should|could|can|fix(?:es|ed)|resolv\w+|restor(?:es|ed)"
    r"|solv\w+|help(?:s|ed)|work(?:s|ed)|allow(?:s|ed)|caus\w+|mitigat(?:es|ed)|brought|seem\w*|however|failed|got|went|began|under|against|per|according|following|took|made|created|left|located|named|called|all|anyway|already|more|done|one(?= by)|only|also|just|now|later|we|they|it)(?![\w-])"
    r"|[,;()\[\]\"“”!?]|[.:](?=\s|$)|\s[–—-]\s",
    re.IGNORECASE,
)  # fmt: skip
_LEADING = re.compile(
    r"^(?:(?:once|when|after|following|the|a|an|our|your|their|its|his|her|this|these|those|that|all|some|any|both|each|every|of|more|further|one|also|then|just|still|again|finally|subsequently|lastly|first|next|upon|team|we|they|up|down|out|off|back|on|over"
    r"|\w+(?<!app)(?<!ear)(?<!on)(?<!dai)(?<!fami)(?<!supp)(?<!ass)(?<!anoma)ly)(?![\w-])|[*_:|>=-]+)\s*",
    re.IGNORECASE,
)  # fmt: skip
_SILLY = frozenset(
    ["manually", "issue", "issues", "problem", "problems", "incident", "incidents", "outage", "it", "this", "that", "them", "they", "all", "everything", "yet", "back", "one", "ones", "fix", "fixes", "the", "things", "same", "which", "number", "we", "us", "error", "errors", "order", "some", "others", "new", "none", "work", "him", "full", "immediate", "quick", "careful", "rolling", "rollout", "global", "manual", "emergency", "permanent", "temporary", "interim", "short-term", "inline", "production", "prod", "staging", "change", "changes", "attempt", "solution", "impact", "service-affecting", "bug", "root", "cause", "underlying", "situation", "both", "nothing", "each", "other", "and", "or", "latter", "former", "patch", "update", "version"]
)  # fmt: skip
NOT_ACTED = re.compile(
    r"(?<![\w-])(?:tickets?|support cases?|incident|alerts? (?:rule|for)|alarms?|question|concerns?|awareness|calls?|meeting|channel|thread|documents?|comms|statement|apolog\w+|statistics|customers?|users?|community|status page|monitoring|visibility|reports?|postmortem|investigation|review|timeline|time|confidence|summary|severity|priority|logging|log level|dashboards?|runbooks?|documentation|docs|tests?|metrics|alerting|analysis|checks?|validation|audit)\s*$",
    re.IGNORECASE,
)
"""Nouns of what goes along with an incident, and ends none: tickets, calls, dashboards."""
_GIVES = re.compile(
    r"^\s*(?:to|for|of|in|on|with)\s+(?:(?:handle|address|resolve|fix|avoid|prevent|mitigate|correct|enable|reduce|limit|stop)\s+)?(.*)"
)


def leading_noun(after: str) -> tuple[str, str]:
    """
    The noun that a text begins with, up to the next clause, and what follows it.
    """
    begin = re.sub(r"^\s+", "", after)
    begin = trimmed(begin)
    mark = _STOP.search(begin, len("failed") if begin.startswith("failed ") else 0)
    noun = begin[: mark.start()] if mark else begin
    named = re.match(r"\(([\w.-]*[\w-])\)", begin[mark.start() :]) if mark else None
    words = [*noun.split()[:8], *([named[1]] if named and noun.endswith(" ") and noun.strip() else [])]
    return _cleaned(" ".join(words)), begin[mark.start() :] if mark else ""


def trimmed(text: str) -> str:
    """
    A text without the articles, adverbs and marks that it begins with.
    """
    while mark := _LEADING.match(text):
        text = text[mark.end() :]
        if re.match(r"an?\s+\Z", mark[0], re.IGNORECASE) and text.startswith("A "):
            break  # "an A record"
    return text


def _cleaned(noun: str) -> str:
    joined = re.sub(r"(?<=\w)- (?=[a-z])", "-", noun.strip()).replace("`", "")
    return joined.strip(" '\"*.,:-“”")


def subject_of(scope: str, before: str) -> str:
    """
    The noun before a passive verb, without what hangs on it: "the pod in zone b was" is the pod.
    """
    bare = AUXILIARY.sub("", scope)
    if not bare.strip() and (marks := list(BOUNDARY.finditer(before))):
        head = before[: marks[-1].start()]
        return subject_of(last_clause(head), head) if len(head) < len(before) and head.strip() else ""
    inner = list(re.finditer(r"(?<!\bof)(?<!\bof all)\s(?:the|an?|our)\s", bare))
    noun = leading_noun(bare[inner[-1].start() :] if inner else bare)[0]
    return noun if noun.lower() not in ("which", "that", "") else ""


def noun_behind(after: str) -> str:
    """
    The noun behind "to", "of" and their like: "a rollback of X", "failed over to X", "a fix for X".
    """
    mark = _GIVES.match(re.sub(r"^\s*(?:back|over|out|up|down)\b", "", after))
    if not mark:
        return ""
    verb, _, noun = mark[1].partition(" ")
    purpose = any(form == "base" for _, form in LEXICON.get(verb.lower(), ()))  # "a fix to disable the parser"
    return sensible_noun(leading_noun(noun if purpose else mark[1])[0])


def sensible_noun(noun: str) -> str:
    """
    The noun where it names a thing that one can act on, else nothing.
    """
    words = [word for word in noun.lower().split() if word not in ("the", "a", "an", "this", "of")]
    bare = (
        not words
        or re.match(r"\d{4}-\d\d|\d\d?:\d\d", noun)
        or all(word in _SILLY or any(rule.fullmatch(word) for _, rule in (*DEEDS, REPAIR)) for word in words)
    )
    return "" if bare else noun
