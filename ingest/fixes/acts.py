"""
What one sentence says was done: by a verb, else by a noun, else by what "resolved by" or a provider names.
"""

from __future__ import annotations

import re

from graph.values import FixAction, SectionKind
from ingest.fixes.clauses import PEOPLE, Act, Spot, last_clause, plain, without_asides
from ingest.fixes.nouns import NOT_ACTED, leading_noun, noun_behind, sensible_noun, subject_of
from ingest.fixes.outcomes import ENDED, INVOLVED
from ingest.fixes.standing import out_of_place
from ingest.fixes.targets import PROVIDER, refined, settled
from ingest.fixes.verbs import DEEDS, DIRECTED, FREE, LEXICON, Verb
from ingest.fixes.voice import voice_of

_PLAIN = {"stop", "cordon", "drain", "halt", "rerun", "shut"}
_RUN = {"run", "apply", "deploy", "install", "merge", "release", "execute", "introduce"}
_CODE = re.compile(r"`([^`\n]{2,80})`")
_HEADING = re.compile(r"(?:\b(?:an?|the|full|immediate|global|rolling|rollout)\b|[ *_-])*", re.IGNORECASE)
_BY_NOUN = re.compile(
    r"\b(?:after|following|by|via|through|involved|required|was)\s+(?:an?\s+|the\s+)?(?:[\w-]+\s+){0,2}$", re.IGNORECASE
)
_MEANS = re.compile(
    r"\b(?:resolved|fixed|mitigated|restored|solved|repaired|recovered)\b[^.;,]{0,40}?\bby\s+(?:\w+ly\s+)?(\w+ing)\s+(.*)",
    re.IGNORECASE,
)


def acts_of(sentence: str, kind: SectionKind, *, imperative: bool) -> list[Act]:
    """
    All that a sentence says was done, in its order.
    """
    text = plain(sentence)
    masked = _CODE.sub(lambda mark: "x" * len(mark[0]), text)
    acts: list[Act] = []
    for word in re.finditer(r"(?<![\w.@#/-])[A-Za-z]+(?:-[A-Za-z]+)?(?![\w/])", masked):
        for verb, form in LEXICON.get(word[0].lower().replace("-", ""), ()):
            act = _act(Spot(verb, form, text, word.start(), word.end(), kind, tuple(acts), imperative))
            if act:
                acts.append(act)
                break
    return acts or _noun_acts(text, masked) or _means(text) or _provider_acts(text)


def _act(spot: Spot) -> Act | None:
    """
    The act that a verb comes to where it stands, if a responder did it.
    """
    particle = _particle(spot.verb, spot.text, spot.end)
    if (spot.verb.needed and particle is None) or out_of_place(spot.text[: spot.place], spot.rest, spot.form):
        return None
    if _misread(spot):
        return None
    thing, after = _acted_on(spot, particle if particle is not None else spot.end)
    pronoun = re.match(r"\s+(?:it|them|this)\b", spot.rest)
    if pronoun and not thing and last_clause(spot.before) != spot.before:
        thing = PEOPLE.sub("", leading_noun(spot.before)[0]).strip()  # "the table was lost, so we restored it"
    voice = voice_of(spot, thing or (pronoun[0].strip() if pronoun else ""))
    if voice is None:
        return None
    passive, doubt = voice
    noun = subject_of(spot.scope, spot.before) if passive else thing
    action, target = settled(spot, *refined(spot, noun, spot.rest if passive else after))
    if action is None or _vague(spot, action) or NOT_ACTED.search(target.partition(" of ")[0]):
        return None
    around = spot.text[: spot.place] + " " * (spot.end - spot.place) + spot.rest
    ended = bool(ENDED.search(around) or INVOLVED.search(spot.before))
    return Act(action, target, spot.place, spot.form, ended, doubt, passive)


def _misread(spot: Spot) -> bool:
    """
    Whether it is a label ("Repaired: 10:40") or another verb ("ran out of").
    """
    label = spot.rest.lstrip(" *_").startswith(":")
    other = spot.verb.base in ("run", "rerun") and re.match(r"\s*(?:out|into|low|away|over)\b", spot.rest)
    return label or bool(other)


def _vague(spot: Spot, action: FixAction) -> bool:
    """
    Whether the verb alone says too little of what ended it: "completed", "deployed" outside a resolution.
    """
    apart = ENDED.search(spot.rest) or ENDED.search(spot.before)
    if action is not FixAction.OTHER or spot.verb.base in _PLAIN or apart:
        return False
    return spot.kind is not SectionKind.RESOLUTION or spot.verb.base not in _RUN


def _acted_on(spot: Spot, end: int) -> tuple[str, str]:
    """
    The object behind a verb and its particle, with what follows: beside it, before the particle, behind "to", or the
    one that it shares with the next verb ("cordoning and draining nodes").
    """
    thing, after = leading_noun(spot.text[end:])
    if not thing and end > spot.end:
        thing = leading_noun(spot.rest)[0]
    free = spot.form != "past" or not spot.scope.strip() or bool(PEOPLE.search(spot.scope))
    if not thing and free and (spot.verb.action in DIRECTED or spot.verb.base in FREE):
        thing = noun_behind(spot.text[end:])
    if not thing and (shared := re.match(r"\s*(?:and|or|/)\s+\w+(?:ing|ed)\s+(.*)", spot.text[end:])):
        thing, after = leading_noun(shared[1])
    return thing, after


def _particle(verb: Verb, text: str, place: int) -> int | None:
    """
    Where the verb's particle ends, beside it ("rolled back X") or behind its object ("rolled X back").
    """
    if not verb.particles:
        return None
    mark = re.match(rf"[ -](?:{verb.particles})\b(?!-)", text[place:], re.IGNORECASE)
    if mark:
        return place + mark.end()
    far = re.match(
        rf"(?:\s+(?!(?:that|which|who|to|and|us)\b)[^\s,.;:()]+){{1,6}}?\s+(?:{verb.particles})\b(?!-)",
        text[place:],
        re.IGNORECASE,
    )
    return place if far else None


def _noun_acts(text: str, masked: str) -> list[Act]:
    """
    A fix told by a noun: "Rollback of X", "After a restart of X, all recovered".
    """
    for action, rule in DEEDS:
        for mark in rule.finditer(masked):
            before, rest = without_asides(text[: mark.start()]), text[mark.end() :]
            target = noun_behind(rest)
            ended = bool(ENDED.search(rest) or ENDED.search(text[: mark.start()]) or INVOLVED.search(before))
            by = ended and _BY_NOUN.search(last_clause(before))
            if target and (by or (_HEADING.fullmatch(before) and not out_of_place(before, rest, "noun"))):
                return [Act(action, target, mark.start(), "noun", ended)]
    return []


def _means(text: str) -> list[Act]:
    """
    What "resolved by ...ing" names, whatever the verb.
    """
    mark = _MEANS.search(text)
    if not mark or out_of_place(text[: mark.start(1)], mark[2], "gerund"):
        return []
    target = sensible_noun(leading_noun(mark[2])[0])
    found_out = re.search(r"^(?:identify|find|investigat|review|discover|contact|rais|work|us|do|follow)", mark[1])
    return [Act(FixAction.OTHER, target, mark.start(1), "gerund", True)] if target and not found_out else []


def _provider_acts(text: str) -> list[Act]:
    """
    A provider that ended it, or waiting that did.
    """
    mark = PROVIDER.search(text)
    if not mark or out_of_place(text[: mark.start()], "", "wait"):
        return []
    if re.search(r"\b(?:was|were|not|would|should|will|could|by)\b", mark[0]) and not mark[2]:
        return []
    return [Act(FixAction.WAIT, leading_noun(mark[2] or mark[1])[0], mark.start(), "past", True)]
