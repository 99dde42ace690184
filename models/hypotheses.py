"""
What else it may be where no change explains it: traffic, a provider, a certificate, hardware, bad data, quotas, clocks.

Each is a named hypothesis with the words or the numbers that point to it. A word alone says little, since a change may
cause the same words; the same at the moment of the onset says much.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from models.contract import Term
from models.phrases import Phrases
from models.signals import Delta, Signals

WORD = 1.4
"""What words add to the log-odds of "none" that a change may cause as well."""
HARD = 3.6
"""What words add that a change hardly causes, and counts and moments that fit the onset."""
MORE = 0.6
"""What a further, different word adds."""
MOST = 6.0
NEAR = timedelta(minutes=10)
SURGE = 1.7
"""Times the usual traffic that count as a surge, and CERTAIN that leave little doubt."""
CERTAIN = 4.0

_SOFT: Mapping[str, str] = {
    "certificate": r"certificate[^.\n]{0,40}not yet valid|notafter|cert\w*[ _]expir",
    "provider": r"status page|third.?party (?:api|service)|upstream provider|no such host|name resolution|50[234] (?:service unavailable|bad gateway|gateway time-?out)? ?from \S+\.\w+"
    r"|https?://api\.[\w.-]+\S*: 5\d\d|availability zone|upstream (?:dns|resolver|nameserver)s?",
    "traffic": r"(?:request|load|queue) (?:spike|surge)|requests? (?:per second )?(?:spike|surge|doubled|tripled)|times (?:the )?(?:usual|normal)"
    r"|queue (?:is )?full|shed\w* load|load shedding|admission (?:limit|control)|concurrency limit|crawler",
    "hardware": r"host (?:down|unreachable)|instance terminated|packet loss|evicted|preempt|no route to host",
    "data": r"(?:bad|invalid) (?:record|data|row|input)|unexpected (?:value|character|byte)",
    "quota": r"over quota|rate limit(?:ed)? by|too many requests|billing",
    "clock": r"in the future|time sync",
}  # fmt: skip
_SURE: Mapping[str, str] = {
    "certificate": r"certificate (?:has |is )?expired|expired certificate",
    "provider": r"provider (?:outage|incident|degrad\w+)|(?:cloud|vendor|carrier|isp|regional) (?:outage|incident)|servfail|all upstreams down",
    "traffic": r"traffic (?:spike|surge)|flash (?:sale|crowd)|thundering herd|ddos|bot traffic",
    "hardware": r"hardware (?:fail|error|fault)|disk failure|(?:i/o|input/output) error|node\w*[ _:][^\n]{0,30}\b(?:not[ _]?ready|unreachable|lost)|memory fault|\becc\b|\bsmart\b error"
    r"|kernel panic|spot (?:interruption|reclaim)|link down|network partition|instance retire\w*",
    "data": r"poison|malformed (?:record|message|event|row|payload)|corrupt(?:ed)? (?:record|message|row|data|payload)|same (?:offset|record|message)|redeliver\w* (?:the )?same",
    "quota": r"quota[ _]?(?:has been )?exceeded|limit ?exceeded ?exception|insufficient (?:quota|capacity)|subscription (?:expired|limit)",
    "clock": r"clock[ _](?:skew|drift|jump|wrong)|\bntp\b|chrony|clock wrong|leap second",
}  # fmt: skip
_WORDS = [
    (name, strength, re.compile(pattern, re.IGNORECASE))
    for strength, table in ((HARD, _SURE), (WORD, _SOFT))
    for name, pattern in table.items()
]
_PHRASES = Phrases(pattern.pattern for _, _, pattern in _WORDS)
"""Tells which of them are worth looking for: a question has few of them."""
_EXPIRED = re.compile(_SURE["certificate"] + "|" + _SOFT["certificate"], re.IGNORECASE)
_OUTAGE = re.compile(r"degrad|outage|incident|unavailable|investigat|disrupt|elevated|down\b", re.IGNORECASE)
_TIME = re.compile(r"\b(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(?:Z|\+00:00)")
_NUMBER = re.compile(r"[0-9][\w.-]*")
_ONE = re.compile(
    r"\b((?:record|event|message|row|doc(?:ument)?|item|offset|key)(?:[_ ]?id)?)[=: ]+([\w-]*\d[\w-]{5,})",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\b(zone|az|node|host|rack|datacenter|cell|hypervisor)[ =:]+\(?([a-z][\w-]*\d[\w.-]*)", re.IGNORECASE
)
_EXPIRY = re.compile(r"cert\w*.*(?:expir|valid)|(?:expir|valid).*cert", re.IGNORECASE)
_CHANGED = re.compile(r"\b(?:deploy|rollout|release|commit|version|config(?:uration)? change)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Sign:
    name: str
    strength: float
    says: str


def hypotheses(
    text: str, signals: Signals, onset: datetime, hurt: Collection[str] = (), reached: int = 1
) -> tuple[Term, ...]:
    """
    The causes that something points to, likeliest first. `hurt`: names of the services that fail; `reached`: how many
    of those that fail together the same change can have reached at most.
    """
    found: dict[str, list[_Sign]] = {}
    for sign in _signs(text, signals, onset, hurt, reached):
        found.setdefault(sign.name, []).append(sign)
    terms = [_term(name, signs) for name, signs in found.items()]
    return tuple(sorted(terms, key=lambda term: (-term.weight, term.name)))


def together(terms: Collection[Term]) -> float:
    """
    What all of them add to the log-odds of "none": the strongest in full, the others by half.
    """
    ordered = sorted((term.weight for term in terms), reverse=True)
    return min(MOST, sum(weight * 0.5**place for place, weight in enumerate(ordered)))


def _term(name: str, signs: list[_Sign]) -> Term:
    weight = min(MOST, sum(sign.strength for sign in signs))
    return Term(name=name, value=float(len(signs)), weight=weight, says="; ".join(sign.says for sign in signs[:3]))


def _signs(text: str, signals: Signals, onset: datetime, hurt: Collection[str], reached: int) -> Iterator[_Sign]:
    whole = f"{text}\n{signals.text}"
    yield from _said(whole)
    if found := _again(signals):
        yield _Sign("data", HARD / 2, f"the same {found} fails again and again")
    yield from _expired(whole, signals, onset)
    yield from _outages(signals, onset)
    yield from _surges(signals, hurt)
    apart = signals.together()
    if len(apart) >= 3 and reached < len(apart):
        shown = ", ".join(apart[:4])
        yield _Sign("provider", HARD / 2, f"{shown} began to fail within a minute, and no change reached all of them")
    if place := _place(signals):
        yield _Sign("hardware", HARD / 2, f"the errors of several services name {place}")


def _place(signals: Signals) -> str:
    """
    A zone, node or host that the errors of several services name.
    """
    services: dict[str, set[str]] = {}
    for service, text, _ in signals.patterns:
        for mark in _PLACE.finditer(text):
            services.setdefault(f"{mark[1]} {mark[2]}".lower(), set()).add(service)
    return next((place for place, names in services.items() if len(names) >= 2), "")


@lru_cache(maxsize=256)
def _said(whole: str) -> tuple[_Sign, ...]:
    """
    What words say: the surest in full, each further word a little.
    """
    known: set[str] = set()
    signs = []
    for name, strength, pattern in (_WORDS[place] for place in _PHRASES.among(whole)):
        marks = dict.fromkeys(_NUMBER.sub("#", mark[0].lower()) for mark in pattern.finditer(whole))
        if marks:
            said = ", ".join(repr(mark[:50]) for mark in list(marks)[:3])
            first = MORE if name in known else strength
            known.add(name)
            signs.append(_Sign(name, first + MORE * min(2, len(marks) - 1), f"the alert or signals say {said}"))
    return tuple(signs)


def _again(signals: Signals) -> str:
    """
    One record that a log pattern names although patterns stand for many lines.
    """
    found = ((_ONE.search(text), growth) for _, text, growth in signals.patterns)
    return next((f"{mark[1]} {mark[2]}" for mark, growth in found if mark and growth > 2), "")


def _expired(whole: str, signals: Signals, onset: datetime) -> Iterator[_Sign]:
    if _EXPIRED.search(whole) and (moment := _near(whole, onset)):
        yield _Sign("certificate", HARD / 2, f"the validity that ended at {moment:%H:%M} is when it began")
    for delta in signals.metrics:
        if _EXPIRY.search(delta.metric) and delta.after <= 0:
            yield _Sign("certificate", HARD / 2, f"{delta.metric} of {delta.service} fell to {delta.after:g}")
            return


def _outages(signals: Signals, onset: datetime) -> Iterator[_Sign]:
    for note in signals.notes:
        if _OUTAGE.search(note) and not _CHANGED.search(note) and (moment := _near(note, onset)):
            yield _Sign("provider", HARD, f"a status at {moment:%H:%M} says {_OUTAGE.findall(note)[0]!r}")
            return


def _surges(signals: Signals, hurt: Collection[str]) -> Iterator[_Sign]:
    """
    More traffic where it comes in. Where only what a failing service calls gets more, that service is the cause.
    """
    called = {edge.callee for edge in signals.edges if edge.caller in hurt and edge.caller != edge.callee}
    surges = [
        delta
        for delta in signals.metrics
        if delta.traffic and SURGE <= delta.growth < math.inf and delta.service not in called
    ]
    if surges:
        top = max(surges, key=lambda delta: delta.growth)
        strength = min(1.0, math.log(top.growth) / math.log(CERTAIN)) * HARD
        yield _Sign("traffic", strength, _surged(top))


def _surged(delta: Delta) -> str:
    return f"{delta.metric} of {delta.service} went from {delta.before:g} to {delta.after:g}"


def _near(text: str, onset: datetime) -> datetime | None:
    moments = (datetime.fromisoformat(found).replace(tzinfo=UTC) for found in _TIME.findall(text))
    return next((moment for moment in moments if abs(moment - onset) <= NEAR), None)
