"""
One replay: the question of a case as it was asked then, the answer, the baselines at the same moment, and why a culprit
was missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from graph.values import Change, Labels, Statement, View, entity_name
from models.contract import Ranking
from models.paths import areas_of
from models.suspects import SuspectQuestion
from models.traces import Trace, Traces
from service.backtest.cases import Case
from service.context import Question, replayed
from service.wiring import Memory

BASELINE = 50
"""Changes that a baseline ranks."""
ON_AREA = 200
HITS = (1, 3, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """
    What came of a case. Ranks count from 1; None: not ranked at all.
    """

    case: Case
    ranking: Ranking
    services: Ranking
    rank: int | None
    latest: int | None
    latest_on_service: int | None
    reason: str = ""
    says: str = ""
    kind: str = ""
    """The culprit's kind of change."""

    @property
    def chosen(self) -> str | None:
        """
        The first suspect's id.
        """
        return self.ranking.candidates[0].id if self.ranking.candidates else None

    @property
    def probability(self) -> float:
        """
        Of the first suspect.
        """
        return self.ranking.candidates[0].probability if self.ranking.candidates else 0.0

    @property
    def chose_none(self) -> bool:
        """
        Whether it answers that no change explains this.
        """
        return self.ranking.none_probability >= self.probability

    @property
    def right(self) -> bool:
        """
        Whether the answer was right: the culprit first and not doubted, or "none" where it was none.
        """
        return self.chose_none if self.case.truth == "none" else self.rank == 1 and not self.chose_none


def view_of(case: Case, visibility: Labels, hidden: frozenset[str] = frozenset()) -> View:
    """
    The world as it was, and as it was known, at the moment of a case; without what tells of it.
    """
    return View(as_of=case.at, known_at=case.at, visibility=visibility, hidden=case.hidden | hidden)


def replay(memory: Memory, case: Case, view: View, traces: Traces, names: View | None = None) -> Replayed:
    """
    Ask again; `names` as of `replayed`.
    """
    if case.revert is not None:
        asked = _of_revert(case, case.revert)
        services, ranking = Ranking(), memory.suspects.rank(asked, view)
    else:
        assert case.alert is not None  # noqa: S101 - a case has an alert or a revert
        question = Question(alert=case.alert, environment=case.environment, visibility=view.visibility)
        services, asked, ranking = replayed(memory, question, view, names)
    answers = case.answers
    newest = _newest(memory, view, asked, BASELINE)
    culprit = _trace(case, traces)
    rank = _place([one.id for one in ranking.candidates], answers)
    reason, says = _missed(case, ranking, rank, asked, culprit)
    return Replayed(
        case=case,
        ranking=ranking,
        services=services,
        rank=rank,
        latest=_place([one.item.id for one in newest], answers),
        latest_on_service=_place(_newest_there(memory, view, asked, newest), answers),
        reason=reason,
        says=says,
        kind=culprit.kind.value if culprit else case.cause_kind or "unknown",
    )


def _of_revert(case: Case, revert: Trace) -> SuspectQuestion:
    """
    Where somebody took a change back: its services, or the part of the code with most of its files; nothing else of it.
    """
    return SuspectQuestion(
        at=case.at,
        services=dict.fromkeys(revert.services, 1.0),
        areas=() if revert.services else revert.areas[:1],
        everywhere=not revert.services and not revert.areas,
        environment=revert.environment,
        region=revert.region,
    )


def _place(ids: Iterable[str], answers: frozenset[str]) -> int | None:
    return next((place for place, one in enumerate(ids, 1) if one in answers), None)


def _newest(memory: Memory, view: View, asked: SuspectQuestion, limit: int) -> tuple[Statement[Change], ...]:
    return memory.store.changes(view, start=asked.at - asked.window, end=asked.at, limit=limit)


def _newest_there(
    memory: Memory, view: View, asked: SuspectQuestion, newest: Sequence[Statement[Change]]
) -> Iterable[str]:
    """
    The newest changes on the likeliest service (or the area), then the newest of all.
    """
    if asked.areas:
        found = _newest(memory, view, asked, ON_AREA)
        there = [one.item.id for one in found if set(asked.areas) & areas_of(one.item.files)]
    else:
        best = _likeliest(asked.services)
        on = memory.store.changes(view, services=best, start=asked.at - asked.window, end=asked.at, limit=BASELINE)
        there = [one.item.id for one in on] if best else []
    return dict.fromkeys([*there, *(one.item.id for one in newest)])


def _likeliest(services: Mapping[str, float]) -> list[str]:
    top = max(services.values(), default=0.0)
    return [name for name, chance in services.items() if chance >= top]


def _trace(case: Case, traces: Traces) -> Trace | None:
    """
    The surest culprit.
    """
    if not case.culprits:
        return None
    found = traces.named(case.culprits[0].change)
    return found[-1] if found else None


def _missed(
    case: Case, ranking: Ranking, rank: int | None, asked: SuspectQuestion, culprit: Trace | None
) -> tuple[str, str]:
    """
    Why the culprit did not come first, and in words; empty where it did, or where there is none.
    """
    best = ranking.candidates[0].probability if ranking.candidates else 0.0
    doubted = ranking.none_probability >= best
    if case.truth in ("none", "unlabelled"):
        wrong = case.truth == "none" and not doubted
        return ("change_chosen", f"its cause was no change ({case.cause_kind})") if wrong else ("", "")
    if rank == 1:
        return (
            ("none_chosen", f"it was first, but none was likelier ({ranking.none_probability:.0%})")
            if doubted
            else ("", "")
        )
    if culprit is None:
        named = ", ".join(case.unfound)
        return "not_ingested", f"no change is known by {named}" if named else "the change is not there any more"
    return _misplaced(case, rank, asked, culprit)


def _misplaced(case: Case, rank: int | None, asked: SuspectQuestion, culprit: Trace) -> tuple[str, str]:
    if culprit.at > asked.at:
        return "after_onset", f"it is dated {_span(culprit.at - asked.at)} after the alert"
    if culprit.known and culprit.known > case.at:
        return "known_later", f"it became known {_span(culprit.known - case.at)} after the alert"
    if asked.at - culprit.at > asked.window:
        return (
            "too_old",
            f"it was {_span(asked.at - culprit.at)} before the alert, and {_span(asked.window)} are looked at",
        )
    if rank is not None:
        return "ranked_low", f"it came in place {rank}"
    looked_at = {*asked.services, *asked.neighbours}
    if asked.everywhere or asked.areas or not culprit.services or not looked_at.isdisjoint(culprit.services):
        return "crowded_out", "too many newer changes were before it"
    there = ", ".join(entity_name(one) for one in culprit.services)
    return "not_linked", f"it is on {there}, which is not linked to what the alert is about"


def _span(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    return (
        f"{minutes:.0f} min"
        if minutes < 120
        else f"{minutes / 60:.0f} h"
        if minutes < 2880
        else f"{minutes / 1440:.0f} days"
    )
