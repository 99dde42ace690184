"""
What else it may be where no change explains it: traffic, a provider, a certificate, hardware, bad data, a quota, a clock.

Each is a named hypothesis with the words or the numbers that point to it. A word alone says little, since a change may
cause the same words; the same at the moment of the onset says much.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.contract import Term
from models.signals import Delta, Signals

WORD = 1.4
"""What the words of a cause add to the log-odds of "none"."""
MORE = 0.6
"""What a further, different word of it adds."""
MOMENT = 2.6
"""What is added where it happened at the onset, or is counted."""
MOST = 5.0
NEAR = timedelta(minutes=10)
SURGE = 1.7
"""Times the usual traffic that count as a surge."""

SIGNS: Mapping[str, str] = {
    "certificate": r"certificate (?:has |is )?expired|expired certificate|certificate[^.\n]{0,40}not yet valid|notafter|cert\w*[ _]expir",
    "provider": r"provider (?:outage|incident|degrad\w+)|status page|third.?party (?:api|service|outage)|upstream provider|servfail|no such host|name resolution"
    r"|upstream (?:dns|resolver|nameserver)s?|(?:cloud|vendor|carrier|isp) (?:outage|incident)|availability zone|regional outage|all upstreams down",
    "traffic": r"traffic (?:spike|surge)|(?:request|load|queue) (?:spike|surge)|requests? (?:per second )?(?:spike|surge|doubled|tripled)|times (?:the )?(?:usual|normal)"
    r"|flash (?:sale|crowd)|thundering herd|ddos|bot traffic|crawler|load shedding|admission (?:limit|control)|concurrency limit",
    "hardware": r"hardware|disk failure|(?:i/o|input/output) error|node\w*[ _]?(?:not[ _]?ready|unreachable|lost)|memory fault|\becc\b|\bnvme\b|\bsmart\b error|kernel panic"
    r"|host (?:down|unreachable)|instance (?:terminated|retire\w*)|spot (?:interruption|reclaim)|link down|packet loss|network partition|evicted|preempt",
    "data": r"poison|malformed (?:record|message|event|row|payload)|corrupt(?:ed)? (?:record|message|row|data|payload)|bad (?:record|data|row|input)|same (?:offset|record|message)"
    r"|redeliver\w* (?:the )?same|\b(?:record|event|message)[_ ]id=\S+[^\n]*\b(?:offset|partition)=",
    "quota": r"quota[ _]?(?:has been )?exceeded|over quota|rate limit(?:ed)? by|limit ?exceeded ?exception|throttlingexception|insufficient (?:quota|capacity)|subscription (?:expired|limit)|billing",
    "clock": r"clock (?:skew|drift|jump)|\bntp\b|chrony|time sync|leap second",
}  # fmt: skip
_SIGNS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in SIGNS.items()}
_OUTAGE = re.compile(r"degrad|outage|incident|unavailable|investigat|disrupt|elevated|down\b", re.IGNORECASE)
_TIME = re.compile(r"\b(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(?:Z|\+00:00)")
_NUMBER = re.compile(r"[0-9][\w.-]*")
_ONE = re.compile(r"\b((?:record|event|message|row|doc(?:ument)?|item|offset|key)(?:[_ ]?id)?)[=: ]+([\w-]*\d[\w-]{5,})", re.IGNORECASE)
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
    The causes that something points to, likeliest first. `hurt`: names of the services that fail; `reached`: how many of
    those that fail together the same change can have reached at most.
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
    return min(MOST, sum(weight / 2**place for place, weight in enumerate(ordered)))


def _term(name: str, signs: list[_Sign]) -> Term:
    weight = min(MOST, sum(sign.strength for sign in signs))
    return Term(name=name, value=float(len(signs)), weight=weight, says="; ".join(sign.says for sign in signs[:3]))


def _signs(
    text: str, signals: Signals, onset: datetime, hurt: Collection[str], reached: int
) -> Iterator[_Sign]:
    whole = f"{text}\n{signals.text}"
    for name, pattern in _SIGNS.items():
        marks = dict.fromkeys(_NUMBER.sub("#", mark[0].lower()) for mark in pattern.finditer(whole))
        if marks:
            said = ", ".join(repr(mark[:50]) for mark in list(marks)[:3])
            yield _Sign(name, WORD + MORE * min(2, len(marks) - 1), f"the alert or signals say {said}")
    if found := _again(signals):
        yield _Sign("data", MOMENT, f"the same {found} fails again and again")
    yield from _expired(whole, signals, onset)
    yield from _outages(signals, onset)
    yield from _surges(signals, hurt)
    apart = signals.together()
    if len(apart) >= 3 and reached <= 1:
        shown = ", ".join(apart[:4])
        yield _Sign("provider", MOMENT / 2, f"{shown} began to fail within a minute, and no change reached more than one of them")


def _again(signals: Signals) -> str:
    """
    One record that a log pattern names although patterns stand for many lines.
    """
    found = ((_ONE.search(text), growth) for _, text, growth in signals.patterns)
    return next((f"{mark[1]} {mark[2]}" for mark, growth in found if mark and growth > 2), "")


def _expired(whole: str, signals: Signals, onset: datetime) -> Iterator[_Sign]:
    if _SIGNS["certificate"].search(whole) and (moment := _near(whole, onset)):
        yield _Sign("certificate", MOMENT, f"the validity that ended at {moment:%H:%M} is when it began")
    for delta in signals.metrics:
        if _EXPIRY.search(delta.metric) and delta.after <= 0:
            yield _Sign("certificate", MOMENT, f"{delta.metric} of {delta.service} fell to {delta.after:g}")
            return


def _outages(signals: Signals, onset: datetime) -> Iterator[_Sign]:
    for note in signals.notes:
        if _OUTAGE.search(note) and not _CHANGED.search(note) and (moment := _near(note, onset)):
            yield _Sign("provider", MOMENT, f"a status at {moment:%H:%M} says {_OUTAGE.findall(note)[0]!r}")
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
        strength = min(1.0, math.log(top.growth) / math.log(4)) * MOMENT
        yield _Sign("traffic", strength, _surged(top))


def _surged(delta: Delta) -> str:
    return f"{delta.metric} of {delta.service} went from {delta.before:g} to {delta.after:g}"


def _near(text: str, onset: datetime) -> datetime | None:
    moments = (datetime.fromisoformat(found).replace(tzinfo=UTC) for found in _TIME.findall(text))
    return next((moment for moment in moments if abs(moment - onset) <= NEAR), None)
