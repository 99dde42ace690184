"""
Whether readiness foretold what could be answered: past incidents are asked about again at the moment they fired, as the
world was known then, and what readiness said then of the service that was hurt is held against what came of it.

Who: the service was found, its owner was the one that is known today for that moment, and somebody answers. What
changed: the suspect, or "none", was right as far as today's documents say what the cause was. What fixed it: one of the
past incidents that were shown had a fix of the kind that later ended this one, or the runbook shown first is one for
the service that was hurt. What nobody can tell today is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from graph.resolved import entity
from graph.values import PUBLIC, Alert, EntityId, FixAction, Incident, Labels, Runbook, View
from models.facets import alert_text
from models.precedents import PrecedentQuestion
from models.runbooks import RunbookQuestion
from service.backtest.cases import Case, Progress, cases, early, history
from service.backtest.replays import Replayed, replay, view_of
from service.evaluation.metrics import brier, mean
from service.owners import Owner, owner
from service.parts import Part, stamp
from service.readiness import QUESTIONS, row_of
from service.readiness_signs import gather
from service.wiring import Memory

MOST = 100
SHOWN = 3
"""Past incidents whose fixes count, as an answer shows them."""
LIKELY = 0.2
_UNTOLD = ("unlabelled",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """
    Of one incident, by question: what readiness said, and what came of it (None: nobody can tell).
    """

    incident: str
    at: datetime
    service: EntityId
    said: Mapping[str, bool]
    came: Mapping[str, bool | None]


def checked(
    memory: Memory, progress: Progress, limit: int = MOST, catalogue: str = "known", visibility: Labels = PUBLIC
) -> Part:
    """
    The newest incidents that say which service was hurt, at most `limit`, held against what readiness said of it. With
    the `catalogue` of `today` what sources say of services counts for all moments, which is hindsight: for those who
    began to ingest lately. Costs some 0.1 to 1 s each; nothing is stored.
    """
    now = View.now(visibility)
    known = history(memory.store, now, progress)
    incidents = {one.item.id: one.item for one in known.incidents}
    wrong = frozenset(one.record for one in early(known.incidents))
    chosen = [one for one in cases(known) if one.revert is None and one.services and one.alert][-limit:]
    found: list[Held] = []
    for number, case in enumerate(chosen, 1):
        view = view_of(case, visibility, wrong)
        names = replace(view, known_at=now.known_at) if catalogue == "today" else view
        again = replay(memory, case, view, known.traces, names if catalogue == "today" else None)
        held = _held(memory, case, (view, names), incidents[case.id], again)
        found += [held] if held else []
        progress("holding readiness against incidents", number, len(chosen))
    return {
        "at": stamp(now.as_of),
        "catalogue": catalogue,
        "incidents": len(chosen),
        "unknown_then": len(chosen) - len(found),
        "questions": {name: measures(name, found) for name in QUESTIONS},
        "misses": [_miss(name, one) for one in reversed(found) for name in QUESTIONS if _missed(name, one)][:50],
    }


def _held(memory: Memory, case: Case, views: tuple[View, View], incident: Incident, again: Replayed) -> Held | None:
    """
    Under the view of what happened, and that of what services there were. None where no source spoke of the service
    yet: then there was no readiness to speak of.
    """
    _, names = views
    directory = memory.catalogue.directory(names)
    service = directory.identity.canonical(case.services[0])
    described = entity(memory.facts, names, service, known=directory.identity)
    if described is None:
        return None
    said = row_of(described, gather(memory, names)).answerable
    came = {
        "who": _who(memory, names, service, again),
        "changed": None if case.truth in _UNTOLD else again.right,
        "fixed": _fixed(memory, case, views, incident, again),
    }
    return Held(incident=case.id, at=case.at, service=service, said=said, came=came)


def _who(memory: Memory, view: View, service: EntityId, again: Replayed) -> bool | None:
    """
    Held against the owner that is known today for that moment; nothing where none is.
    """
    truth = _owner(memory, replace(view, known_at=datetime.now(UTC)), service)
    if truth.team is None:
        return None
    best = again.services.candidates[0] if again.services.candidates and not again.services.abstained else None
    if best is None:
        return False
    told = _owner(memory, view, best.id)
    answers = any(one.on_call for level in told.answering.levels for one in level.present)
    return told.team == truth.team and answers


def _owner(memory: Memory, view: View, service: EntityId) -> Owner:
    names = memory.catalogue.directory(view).identity
    return owner(memory.facts, memory.activity, view, names.canonical(service), names)


def _fixed(memory: Memory, case: Case, views: tuple[View, View], incident: Incident, again: Replayed) -> bool | None:
    view, names = views
    ended = {fix.action for fix in incident.fixes if fix.worked is not False}
    if not ended or case.alert is None:
        return None
    services = {one.id: one.probability for one in again.services.candidates[:5]}
    likely = memory.catalogue.directory(names).likely(services)
    return _runbook(memory, case.alert, names, likely, case) or bool(_tried(memory, case.alert, view, likely) & ended)


def _tried(memory: Memory, alert: Alert, view: View, services: Mapping[EntityId, float]) -> set[FixAction]:
    """
    What helped in the past incidents that an answer shows.
    """
    question = PrecedentQuestion(text=alert_text(alert), at=alert.at, services=services, alert=alert.name)
    ranking = memory.precedents.rank(question, view, SHOWN)
    shown = [one.statement for one in ranking.candidates[:SHOWN] if one.probability >= LIKELY and one.statement]
    past = [one.item for one in memory.store.statements(shown, view)] if shown else []
    return {fix.action for one in past if isinstance(one, Incident) for fix in one.fixes if fix.worked is not False}


def _runbook(memory: Memory, alert: Alert, view: View, services: Mapping[EntityId, float], case: Case) -> bool:
    ranking = memory.runbooks.rank(
        RunbookQuestion(text=alert_text(alert), alert=alert.name, services=services), view, 1
    )
    best = ranking.candidates[0].statement if ranking.candidates and not ranking.abstained else None
    pages = memory.store.statements([best], view) if best is not None else ()
    return any(isinstance(one.item, Runbook) and set(one.item.services) & set(case.services) for one in pages)


def measures(name: str, found: Sequence[Held]) -> Part:
    """
    Of one question: how often what was said to be answerable was answered right, and what was not, was not. `score` is
    the Brier score of the shares that the two groups have, against `base`, that of the one share of all.
    """
    pairs = [(one.said[name], came) for one in found if (came := one.came[name]) is not None]
    yes, no = ([came for said, came in pairs if said is which] for which in (True, False))
    share_yes, share_no, share = (mean([float(one) for one in group]) for group in (yes, no, [*yes, *no]))
    told = [(share_yes if said else share_no, came) for said, came in pairs]
    return {
        "n": len(pairs),
        "said_yes": {"n": len(yes), "answered": share_yes},
        "said_no": {"n": len(no), "answered": share_no},
        "agrees": mean([float(said is came) for said, came in pairs]),
        "lift": None if share_yes is None or share_no is None else round(share_yes - share_no, 4),
        "score": brier([(one, came) for one, came in told if one is not None]),
        "base": brier([(share, came) for _, came in pairs]) if share is not None else None,
    }


def _missed(name: str, one: Held) -> bool:
    """
    Said to be answerable, and was not.
    """
    return one.said[name] and one.came[name] is False


def _miss(name: str, one: Held) -> Part:
    return {"question": name, "incident": one.incident, "at": stamp(one.at), "service": one.service}


def check_text(found: Mapping[str, object]) -> str:
    """
    The check in lines.
    """
    lines = [f"{found['incidents']} past incidents asked about again, {found['unknown_then']} of services unknown then"]
    questions = found["questions"]
    for name, one in questions.items() if isinstance(questions, Mapping) else ():
        yes, no = one["said_yes"], one["said_no"]
        told = f"said yes {yes['n']} times, answered right {_percent(yes['answered'])}"
        lines.append(f"{name:8} {told}; said no {no['n']} times, {_percent(no['answered'])}")
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{share:.0%}"
