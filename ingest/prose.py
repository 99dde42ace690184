"""
Postmortem prose by rules: which section is what, and the fix with the words that state it.

A sentence states a fix when it reports, in the past tense or as a noun ("rollback of ..."), an action that a responder
takes. What did not help is kept as such. Plans ("we should", "will") and action items are no fixes. Where nothing is
clear, nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from graph.values import Fix, FixAction, SectionKind

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


_ACTIONS: tuple[tuple[FixAction, str], ...] = (
    (FixAction.ROLLBACK, r"roll(?:ed|ing|s)?[ -]?back|rollback|went back to|switched .{0,60}back to|back to (?:the )?(?:version|release)|downgrad(?:ed|ing)|roll(?:ed|ing) .{1,60} back|pinn(?:ed|ing)"),
    (FixAction.REVERT, r"revert(?:ed|ing|s)?\b|undid|undone|backed out|took back"),
    (FixAction.FLAG_OFF, r"(?:turn|switch)(?:ed|ing)? (?:the )?(?:feature )?flag|flag .{0,40}\b(?:off|disabled)|(?:turned|switched) .{0,50}\boff\b|disabled the (?:feature|flag)"),
    (FixAction.FAIL_OVER, r"fail(?:ed|ing)?[ -]?over|failover|switched (?:traffic|over)|re-?rout(?:ed|ing)|promoted .{0,40}(?:replica|standby|secondary)"),
    (FixAction.SCALE, r"scal(?:ed|ing) (?:\w+ ){0,6}?(?:up|down|back|out|in|from|to)|scal(?:ed|ing)\b|increas(?:ed|ing) .{0,80}(?:replicas?|nodes?|instances?|capacity|memory|size|limits?|quota|pool|cpu|requests?|storage|disk|volume|resources?|shards?|iops)|added .{0,40}(?:nodes?|replicas?|capacity|memory|instances?)|resiz(?:ed|ing)|expand(?:ed|ing)|bump(?:ed|ing)? .{0,60}(?:memory|limit|cpu|size|quota|requests?)|(?:larger|bigger|more) (?:nodes?|instances?|memory|disk|volume)"),
    (FixAction.RESTART, r"restart(?:ed|ing)?|re-?boot(?:ed|ing)?|bounc(?:ed|ing)|recycl(?:ed|ing)|cycl(?:ed|ing)|kill(?:ed|ing)|terminat(?:ed|ing)|delet(?:ed|ing) (?:\w+ ){0,5}pods?|re-?started|cordon(?:ed|ing)|drain(?:ed|ing) (?:\w+ ){0,3}nodes?|roll(?:ed|ing) (?:the )?(?:pods?|nodes?|deployment)"),
    (FixAction.ROTATE, r"rotat(?:ed|ing)|renew(?:ed|ing|al)|re-?issu(?:ed|ing)|issued .{0,30}(?:certificate|key|credential)|new (?:certificate|credential|api key|password|token)s? (?:was|were)"),
    (FixAction.RESTORE, r"restor(?:ed|ing) .{0,80}(?:from|backup|state|snapshot|data|version|resources?|database)|re-?creat(?:ed|ing)|rebuilt|rebuild(?:ing)?|recover(?:ed|ing) .{0,60}from|re-?import(?:ed|ing)|replay(?:ed|ing)|re-?appl(?:ied|ying)|re-?install(?:ed|ing)|re-?deploy(?:ed|ing|ment)?|re-?provision(?:ed|ing)?|terraform apply|re-?index(?:ed|ing)?"),
    (FixAction.REPLACE, r"replac(?:ed|ing)|swapp(?:ed|ing)|migrat(?:ed|ing) .{0,60}to|mov(?:ed|ing) .{0,60} to (?:a )?(?:new|another|different|separate)"),
    (FixAction.BLOCK, r"block(?:ed|ing)|bann(?:ed|ing)|rate.?limit(?:ed|ing)|throttl(?:ed|ing) (?:the|their|its)|filter(?:ed|ing) out|paus(?:ed|ing)|stopp(?:ed|ing) (?:the|all|an?)"),
    (FixAction.CLEAR, r"clear(?:ed|ing)|flush(?:ed|ing)|purg(?:ed|ing)|delet(?:ed|ing)|remov(?:ed|ing)|clean(?:ed|ing)|drop(?:ped|ping)|prun(?:ed|ing)|freed|evict(?:ed|ing)"),
    (FixAction.PATCH, r"patch(?:ed|ing)|hot.?fix(?:ed)?|upgrad(?:ed|ing)|released .{0,30}fix|deployed .{0,40}(?:fix|patch)|merg(?:ed|ing) .{0,60}(?:fix|pr|pull)|fix was (?:deployed|released|merged|applied)|pushed .{0,30}fix|correct(?:ed|ing)|fixed|updat(?:ed|ing)"),
    (FixAction.CONFIGURE, r"chang(?:ed|ing)|set (?:the|it|its|to|a|up)\b|configur(?:ed|ing)|adjust(?:ed|ing)|lower(?:ed|ing)|reduc(?:ed|ing)|rais(?:ed|ing)|enabl(?:ed|ing)|disabl(?:ed|ing)|edit(?:ed|ing)?\b|modif(?:ied|ying)|add(?:ed|ing)|creat(?:ed|ing)|appl(?:ied|ying)|allow(?:ed|ing)|grant(?:ed|ing)|switch(?:ed|ing)|extend(?:ed|ing)|attach(?:ed|ing)|whitelist(?:ed|ing)|manual(?:ly)? (?:edit|intervention|chang)"),
    (FixAction.WAIT, r"wait(?:ed|ing) (?:for|until)|resolved itself|recovered (?:by itself|on its own|automatically)|self.?(?:healed|resolved)|(?:AWS|Azure|Google|GCP|GitHub|provider|vendor|upstream)\b.{0,80}(?:resolved|fixed|restored|recovered|restarted|mitigated|rolled back)|came back (?:up|online)|auto(?:matically)? recovered"),
)  # fmt: skip
_ACTION_RULES = tuple((action, re.compile(rf"\b(?:{pattern})", re.IGNORECASE)) for action, pattern in _ACTIONS)
_FAILED = re.compile(
    r"did(?: not|n't) (?:help|work|fix|resolve|solve|change|improve|make)|without success|no (?:effect|improvement|luck|change)"
    r"|(?:again|also|still) fail(?:ed|s)?\b|(?:attempts?|tries|retry|it|this|that|which) failed\b|failed again|in vain|unsuccessful|made (?:it|things|the queue) (?:worse|longer)"
    r"|only (?:helped|gave|lasted)|helped for|gave only|minutes only|failed with `|to no avail|didn't succeed|was not enough|wasn't enough",
    re.IGNORECASE,
)
_PLAN = re.compile(
    r"\b(?:should|will|would|could|plan(?:s|ned)? to|going to|needs? to|must|to be done|consider|investigate|ticket(?:s)? (?:raised|created)"
    r"|in (?:the )?future|we want|propose|may need|might)\b|^\s*(?:[-*+]|\d+\.)?\s*\[[ x]\]",
    re.IGNORECASE,
)
_ENDED = re.compile(
    r"resolved|this fixed|which fixed|fixed (?:the|this|it)|recover(?:ed|y)|restored|back to normal|(?:errors|alerts?|incident) (?:ended|stopped|cleared)"
    r"|solved|mitigated|returned to normal|came back|worked|successful|everything (?:was )?(?:ok|fine|working)|drained|ended|service[s]? (?:was|were) (?:back|restored)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"(?<=[.!?])\s+(?=[A-Z`*\"'(\[])|\n\s*(?:[-*+]|\d+[.)])\s+|\n{2,}|^\s*(?:[-*+]|\d+[.)])\s+", re.MULTILINE
)
_CLOCK = re.compile(r"\b(\d{4}-\d{2}-\d{2}[ T])?(\d{1,2}:\d{2})(?::\d{2})?\s*(am|pm)?\b", re.IGNORECASE)
_REFERENCE = re.compile(r"(?:#|/pull/|/commit/|PR\s*#?)([0-9a-f]{7,40}|\d{1,6})\b")
_CODE = re.compile(r"`([^`\n]{2,80})`")
_STOP = re.compile(
    r"\b(?:and|which|so|after|because|since|by|to|with|until|when|while|that|due|from|in order|on|at|for|via|using|as|but|then|was|were|is|are|has|had)\b"
    r"|[,.;:()]|\n",
    re.IGNORECASE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Found:
    fix: Fix
    score: float


def sentences(text: str) -> Iterator[str]:
    """
    The sentences and list items of a text, exact substrings of it.
    """
    start = 0
    for mark in _SENTENCE.finditer(text):
        piece = text[start : mark.start()].strip()
        if piece:
            yield piece
        start = mark.end()
    if text[start:].strip():
        yield text[start:].strip()


def extract_fixes(sections: Mapping[SectionKind, str], limit: int = 6, *, imperative: bool = False) -> tuple[Fix, ...]:
    """
    What ended the incident first, then what else helped, then what was tried in vain. Quotes are substrings of the
    section that they come from. With `imperative`, advice ("Restart the pod") counts as well as reports.
    """
    found: list[_Found] = []
    for kind, weight in _WEIGHTS:
        for place, sentence in enumerate(sentences(sections.get(kind, ""))):
            reported = _reported(sentence) if imperative else sentence
            one = _fix_of(
                reported,
                kind,
                weight + (0.05 * min(place, 8) if kind is SectionKind.TIMELINE else -0.02 * min(place, 8)),
            )
            if one:
                found.append(replace(one, fix=replace(one.fix, quote=sentence)) if imperative else one)
    worked = sorted((one for one in found if one.fix.worked is not False), key=lambda one: -one.score)
    tried = [one.fix for one in found if one.fix.worked is False]
    best = worked[0].score if worked else 0.0
    kept = [one.fix for one in worked if one.score >= best - 1.0][: limit - 2]
    return tuple(_distinct([*kept, *tried])[:limit])


_ADVICE = re.compile(
    r"^(\W*)(roll ?back|revert|restart|scale|increase|reduce|lower|raise|fix|correct|remove|delete|disable|enable|update|change|set"
    r"|add|create|apply|restore|redeploy|patch|replace|rotate|renew|switch|turn|adjust|configure|allow|stop|reset|resize|upgrade)\b",
    re.IGNORECASE,
)
_PAST = {"rollback": "rolled back", "roll back": "rolled back", "set": "set the", "reset": "restarted"}


def _reported(sentence: str) -> str:
    """
    Advice as if it had been done: "Restart the pod" as "Restarted the pod".
    """
    mark = _ADVICE.match(sentence)
    if not mark:
        return sentence
    verb = mark[2].lower()
    past = _PAST.get(verb) or (
        verb + "d" if verb.endswith("e") else verb[:-1] + "ied" if verb.endswith("ly") else verb + "ed"
    )
    if verb in ("stop",):
        past = "stopped"
    return f"{mark[1]}{past.capitalize()}{sentence[mark.end() :]}"


_WEIGHTS = (
    (SectionKind.RESOLUTION, 3.0),
    (SectionKind.TIMELINE, 1.0),
    (SectionKind.SUMMARY, 1.6),
    (SectionKind.CAUSE, 0.6),
    (SectionKind.OTHER, 0.4),
)
_STRENGTH = {
    FixAction.CONFIGURE: -0.5,
    FixAction.CLEAR: -0.25,
    FixAction.PATCH: -0.2,
    FixAction.REPLACE: -0.2,
    FixAction.BLOCK: -0.2,
}


def _fix_of(sentence: str, kind: SectionKind, weight: float) -> _Found | None:
    if len(sentence) > 1200 or not (matches := _actions(sentence)):
        return None
    failed = bool(_FAILED.search(sentence))
    if _PLAN.search(sentence) and not failed and not _ENDED.search(sentence):
        return None
    ended = bool(_ENDED.search(sentence))
    if kind in (SectionKind.CAUSE, SectionKind.OTHER, SectionKind.SUMMARY, SectionKind.TIMELINE) and not (
        ended or failed
    ):
        if kind is not SectionKind.TIMELINE:
            return None
        weight -= 0.5
    action, mark = max(matches, key=lambda match: (_STRENGTH.get(match[0], 0.0), -match[1].start()))
    reference = _REFERENCE.search(sentence)
    fix = Fix(
        action=action,
        target=_target(sentence, mark),
        quote=sentence,
        section=kind.value,
        reverts=reference[1] if reference and action in (FixAction.REVERT, FixAction.ROLLBACK) else None,
        worked=False if failed else True if ended or kind is SectionKind.RESOLUTION else None,
    )
    return _Found(fix, weight + _STRENGTH.get(action, 0.0) + (0.8 if ended else 0.0))


def _actions(sentence: str) -> list[tuple[FixAction, re.Match[str]]]:
    return [(action, mark) for action, rule in _ACTION_RULES if (mark := rule.search(sentence))]


def _target(sentence: str, mark: re.Match[str]) -> str:
    """
    What was acted on: a code span near the verb, else the words after it up to the next clause.
    """
    spans = [span for span in _CODE.finditer(sentence) if span.start() >= mark.start() - 1]
    if spans and spans[0].start() - mark.end() < 60:
        return spans[0][1]
    after = re.sub(r"^(?:to|of|from|onto)\s+", "", sentence[mark.end() :].lstrip(" :*"))
    stop = _STOP.search(after)
    words = after[: stop.start()] if stop and stop.start() > 1 else "" if stop else after[:60]
    noun = re.sub(
        r"^(?:the|a|an|our|all|its|their|this|these|of|back|up|down)\s+", "", words.strip(" *_`"), flags=re.IGNORECASE
    )
    if noun:
        return " ".join(noun.split()[:8])
    before = re.split(r"[,.;:()\n]", sentence[: mark.start()])[-1]
    subject = re.sub(
        r"\s*\b(?:was|were|is|are|has|have|had|been|be|being|then|we|they|I|team)\b\s*",
        " ",
        before,
        flags=re.IGNORECASE,
    )
    return " ".join(subject.split()[-6:]).strip(" *_`")


def _distinct(fixes: list[Fix]) -> list[Fix]:
    seen: set[tuple[FixAction, str]] = set()
    kept: list[Fix] = []
    for fix in fixes:
        mark = (fix.action, fix.quote if not fix.target else fix.target.lower())
        if mark not in seen and fix.quote not in {other.quote for other in kept}:
            seen.add(mark)
            kept.append(fix)
    return kept


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
