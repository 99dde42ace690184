"""
Which change past incidents are put down to: by the document that names it, and by what history itself shows.

What a document names as cause is taken as it stands (`named`). The rest are weak labels (Ratner et al. 2017, data
programming), each by a sign with a confidence: a change that was taken back soon after, one that a fix names, one that
a postmortem cites. Signs of one incident and change add as independent ones do (noisy or), never above MOST. Where an
organisation has incidents with both, a sign's confidence moves to the share in which it was right there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from graph.values import ChangeKind, Incident, SectionKind, Statement
from models.citations import cited, role_at
from models.traces import Trace, Traces

MOST = 0.95
NAMED = 0.95
"""How far a document is believed that names the cause."""
PRIOR_WEIGHT = 10
"""The shipped confidence of a sign counts as so many incidents."""
OLDEST = timedelta(days=30)
"""A change longer ago is not taken for what a text cites, unless it is named as cause."""
SLACK = timedelta(minutes=5)
"""Clocks differ: so much later than the onset a change may still be its culprit."""
AFTER = timedelta(hours=2)
"""A change is also taken back some time after the harm ended."""
_GONE_BACK_TO = re.compile(r"\b(?:to|onto|at|on)\s+(?:version\s+)?`?$", re.IGNORECASE)
"""What stands behind these words was right: the version that somebody went back to."""
_TELLING = re.compile(r"(?=.*\d)(?=.*[A-Za-z_-]).{5,}")
UNENDED = timedelta(hours=6)
"""How long an incident is taken to last that does not say."""


class Sign(StrEnum):
    """
    Why a change is taken for the culprit.
    """

    NAMED = "named"
    """The document names it as cause."""
    FIX_REVERTS = "fix_reverts"
    """The document's fix took it back."""
    CITED_AS_CAUSE = "cited_as_cause"
    """The text of the cause or the trigger cites it."""
    CITED = "cited"
    """The document cites it elsewhere."""
    TAKEN_BACK = "taken_back"
    """It was taken back on a hurt service during the incident or just after."""
    FIX_NAMES = "fix_names"
    """A change during the incident or just after says that it mends it."""
    REVERTED = "reverted"
    """It was taken back soon, and no incident is known."""


CONFIDENCE: Mapping[Sign, float] = {
    Sign.FIX_REVERTS: 0.85, Sign.CITED_AS_CAUSE: 0.7, Sign.CITED: 0.35, Sign.TAKEN_BACK: 0.65, Sign.FIX_NAMES: 0.6,
    Sign.REVERTED: 0.6,
}  # fmt: skip
"""By judgement; moved by an organisation's own named culprits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """
    A change that harm is put down to: of an incident, or (None) of a time at which it was taken back. `answers` are the
    ids that name it: its own, and those of the deploys and merges that carry it.
    """

    change: str
    at: datetime
    incident: str | None
    signs: tuple[Sign, ...]
    confidence: float
    says: str
    answers: frozenset[str]
    evidence: tuple[str, ...] = ()
    undone_by: Trace | None = None

    @property
    def named(self) -> bool:
        """
        Whether a document names it, so that it is no weak label.
        """
        return Sign.NAMED in self.signs


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """
    How often a sign pointed to a named culprit, of the incidents that have both, and the confidence that follows.
    """

    sign: Sign
    shipped: float
    right: int
    of: int

    @property
    def confidence(self) -> float:
        """
        The shipped confidence, moved by what was seen.
        """
        return (self.shipped * PRIOR_WEIGHT + self.right) / (PRIOR_WEIGHT + self.of)


@dataclass(frozen=True, slots=True)
class _Hint:
    trace: Trace
    sign: Sign
    says: str
    records: tuple[str, ...]


def culprits(
    incidents: Sequence[Statement[Incident]], traces: Traces
) -> tuple[tuple[Culprit, ...], tuple[Weighed, ...]]:
    """
    The culprits of incidents, the surest first of each, then those of changes that were taken back without a known
    incident; and how each sign did against named culprits.
    """
    hints = {one.item.id: list(_hints(one, traces)) for one in incidents if one.item.at is not None}
    weighed = _weighed(hints, traces)
    confidence = {one.sign: one.confidence for one in weighed} | {Sign.NAMED: NAMED}
    found: list[Culprit] = []
    for statement in incidents:
        found += _joined(statement, hints.get(statement.item.id, ()), traces, confidence)
    blamed = {answer for one in found for answer in one.answers}
    found += _undone(traces, blamed, confidence[Sign.REVERTED])
    return tuple(found), weighed


def unfound(incident: Incident, traces: Traces) -> tuple[str, ...]:
    """
    What a document names as cause and no change is known by.
    """
    return tuple(name for name in incident.caused_by if not traces.named(name))


def is_telling(name: str) -> bool:
    """
    Whether an incident's id is one that nothing else is called by chance.
    """
    return bool(_TELLING.fullmatch(name))


def _joined(
    statement: Statement[Incident], hints: Sequence[_Hint], traces: Traces, confidence: Mapping[Sign, float]
) -> list[Culprit]:
    """
    One culprit for each change that signs point to; a commit and the deploy of it are one.
    """
    onset = statement.item.at
    if onset is None:
        return []
    groups: list[tuple[set[str], list[_Hint]]] = []
    for hint in hints:
        ids = answers_of(hint.trace, traces)
        group = next((one for one in groups if one[0] & ids), None)
        if group is None:
            groups.append((ids, [hint]))
        else:
            group[0].update(ids)
            group[1].append(hint)
    made = [_culprit(statement.item.id, onset, ids, group, confidence) for ids, group in groups]
    return sorted(made, key=lambda one: (-one.confidence, one.change))


def _culprit(
    incident: str, onset: datetime, ids: set[str], hints: Sequence[_Hint], confidence: Mapping[Sign, float]
) -> Culprit:
    signs = tuple(sorted({one.sign for one in hints}, key=lambda sign: -confidence[sign]))
    doubt = 1.0
    for sign in signs:
        doubt *= 1 - confidence[sign]
    return Culprit(
        change=hints[0].trace.id,
        at=onset,
        incident=incident,
        signs=signs,
        confidence=round(min(MOST, 1 - doubt), 4),
        says="; ".join(dict.fromkeys(one.says for one in hints)),
        answers=frozenset(ids),
        evidence=tuple(sorted({record for one in hints for record in (*one.records, one.trace.record) if record})),
    )


def answers_of(trace: Trace, traces: Traces) -> set[str]:
    """
    The ids that name a change, with those that carry it and those that it carries.
    """
    carried = [one for name in trace.carries for one in traces.named(name)]
    return {trace.id, *(one.id for one in traces.carrying(trace)), *(one.id for one in carried)}


def _hints(statement: Statement[Incident], traces: Traces) -> Iterator[_Hint]:
    incident, record = statement.item, (statement.record,)
    onset = incident.at
    if onset is None:
        return
    for name in incident.caused_by:
        for one in traces.named(name, onset + SLACK)[-3:]:
            yield _Hint(one, Sign.NAMED, f"its document names {name} as cause", record)
    for fix in incident.fixes:
        for one in traces.named(fix.reverts, onset + SLACK) if fix.reverts else ():
            yield _Hint(one, Sign.FIX_REVERTS, f"its fix took back {fix.reverts}", record)
    yield from _cited(incident, onset, record, traces)
    yield from _in_history(incident, onset, traces)


def _cited(incident: Incident, onset: datetime, record: tuple[str, ...], traces: Traces) -> Iterator[_Hint]:
    for kind, text in incident.sections.items():
        if kind is SectionKind.ACTION_ITEMS:
            continue
        for reference, place in cited(text):
            if _GONE_BACK_TO.search(text[max(0, place - 12) : place]):
                continue
            role = "cause" if kind in (SectionKind.CAUSE, SectionKind.TRIGGER) else role_at(text, place)
            for one in _near(traces.named(reference), onset):
                yield from _of_citation(one, onset, f"its {kind.value} cites {reference}", role, record, traces)


def _of_citation(
    one: Trace, onset: datetime, says: str, role: str, record: tuple[str, ...], traces: Traces
) -> Iterator[_Hint]:
    """
    What is cited as a fix is none, but what it took back is.
    """
    undone = _near(traces.undone(one), onset) if one.takes_back else []
    for culprit in undone:
        yield _Hint(culprit, Sign.FIX_REVERTS, f"{says}, which took back {culprit.id}", (*record, one.record))
    if not undone and role != "fix" and one.at <= onset + SLACK:
        yield _Hint(one, Sign.CITED_AS_CAUSE if role == "cause" else Sign.CITED, says, record)


def _near(found: Iterable[Trace], onset: datetime) -> list[Trace]:
    return [one for one in found if abs(onset - one.at) <= OLDEST]


def _in_history(incident: Incident, onset: datetime, traces: Traces) -> Iterator[_Hint]:
    """
    What was changed on the hurt services while it lasted, and just after.
    """
    # of a day alone it is only known that it had happened by its end
    first = onset - timedelta(days=1) if incident.day_only else onset
    end = max(incident.resolved_at or onset + UNENDED, onset) + AFTER
    hurt = set(incident.services)
    for one in traces.between(first, end):
        if incident.id.lower() not in one.tells_of and hurt.isdisjoint(one.services):
            continue
        for undone in traces.undone(one):
            if undone.at <= onset + SLACK and onset - undone.at <= OLDEST:
                yield _Hint(undone, Sign.TAKEN_BACK, f"{one.id} took it back", (one.record,))
        for name in one.mends:
            for mended in traces.named(name, onset + SLACK):
                yield _Hint(mended, Sign.FIX_NAMES, f"{one.id} says that it mends {name}", (one.record,))


def _undone(traces: Traces, blamed: set[str], confidence: float) -> Iterator[Culprit]:
    """
    Changes that were taken back within a week, and that no incident is put down to; the sooner the surer. A merge only
    repeats the commit that it brings, and where nothing says what was touched there is no place to ask about.
    """
    seen: set[str] = set()
    for one in traces.ordered:
        if not one.takes_back or one.merge or not (one.services or one.areas):
            continue
        for undone in traces.undone(one):
            lag = one.at - undone.at
            fresh = undone.id not in seen and undone.id not in blamed and not undone.takes_back and not undone.merge
            if fresh and timedelta(0) < lag <= timedelta(days=7) and undone.kind is not ChangeKind.ROLLBACK:
                seen.add(undone.id)
                hours = lag.total_seconds() / 3600
                yield Culprit(
                    change=undone.id, at=one.at, incident=None, signs=(Sign.REVERTED,),
                    confidence=round(confidence * (1.15 if hours <= 1 else 1.0 if hours <= 24 else 0.75), 4),
                    says=f"{one.id} took it back {_lag(lag)} later",
                    answers=frozenset(answers_of(undone, traces)),
                    evidence=tuple(sorted({one.record, undone.record} - {""})), undone_by=one,
                )  # fmt: skip


def _lag(lag: timedelta) -> str:
    hours = lag.total_seconds() / 3600
    return f"{hours * 60:.0f} min" if hours < 2 else f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"


def _weighed(hints: Mapping[str, Sequence[_Hint]], traces: Traces) -> tuple[Weighed, ...]:
    right: dict[Sign, int] = defaultdict(int)
    of: dict[Sign, int] = defaultdict(int)
    for found in hints.values():
        named: set[str] = set()
        for hint in found:
            if hint.sign is Sign.NAMED:
                named |= answers_of(hint.trace, traces)
        if not named:
            continue
        for sign in {hint.sign for hint in found} - {Sign.NAMED}:
            of[sign] += 1
            right[sign] += any(named & answers_of(hint.trace, traces) for hint in found if hint.sign is sign)
    return tuple(
        Weighed(sign=sign, shipped=shipped, right=right[sign], of=of[sign]) for sign, shipped in CONFIDENCE.items()
    )
