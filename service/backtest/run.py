"""
A whole backtest over an open memory: history, replays in order of time, leaks, measures, as one report.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from graph.errors import StoreUnavailable
from graph.values import PUBLIC, FactKind, Labels, View, entity_name
from models.culprits import Culprit, Weighed
from service.backtest.cases import Case, History, Progress, cases, early, history
from service.backtest.leaks import Leak, Watch, dated_early
from service.backtest.measures import summary
from service.backtest.replays import Replayed, replay, view_of
from service.parts import stamp
from service.wiring import Memory

SETS = ("named", "weak", "reverted")
CATALOGUES = ("known", "today")
MOST = 1000
LABELS = 2000
"""Labels that a report holds."""
PATIENCE = (0.5, 2.0, 5.0)
"""Seconds until a store that did not answer is asked again."""
Report = dict[str, object]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    What to replay: the newest `limit` incidents, and as many changes that were taken back, of a time. `catalogue`:
    services, dependencies and known alerts as they were `known` then, or as they are `today`.
    """

    limit: int = MOST
    since: datetime | None = None
    until: datetime | None = None
    visibility: Labels = PUBLIC
    catalogue: str = "known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """
    The report, and the records that it rests on.
    """

    report: Report
    records: frozenset[str] = field(default=frozenset(), hash=False)


def backtest(memory: Memory, plan: Plan, progress: Progress) -> Backtest:
    """
    Replay, and report. Costs up to minutes of one core for thousands of incidents; nothing is stored. `progress` is
    told after each step; it may take its time, and what it raises ends the backtest.
    """
    began = time.perf_counter()
    now = View.now(plan.visibility)
    known = _patiently(lambda: history(memory.store, now, progress))
    wrong = early(known.incidents)
    chosen = _chosen(cases(known), plan)
    hidden = frozenset(one.record for one in wrong)
    done, leaks = _replayed(memory, chosen, plan, hidden, known, progress)
    leaks += dated_early(one for one in wrong if one.item.id in {case.id for case in chosen})
    unsound = {leak.case for leak in leaks if leak.kind != "dated_early"}
    sound = [one for one in done if one.case.id not in unsound]
    labels = [one for one in known.culprits if (one.undone_by.id if one.undone_by else one.incident) in _ids(chosen)]
    report: Report = {
        "made_at": stamp(now.as_of),
        "took_seconds": round(time.perf_counter() - began, 2),
        "visibility": sorted(plan.visibility),
        "limit": plan.limit,
        "catalogue": plan.catalogue,
        "from": stamp(chosen[0].at) if chosen else None,
        "to": stamp(chosen[-1].at) if chosen else None,
        "ok": not leaks,
        "notes": _notes(memory, chosen, plan, now),
        "coverage": _coverage(known, chosen, done),
        "sets": {name: summary([one for one in sound if _set_of(one.case) == name]) for name in SETS},
        "missed": [_miss(one) for one in reversed(sound) if one.reason],
        "leaks": [{"id": one.case, "record": one.record, "kind": one.kind, "says": one.says} for one in leaks],
        "labels": labels_part(labels, known.weighed),
    }
    return Backtest(report=report, records=_records(chosen))


def _ids(chosen: Sequence[Case]) -> Collection[str]:
    return {one.id for one in chosen}


def _records(chosen: Sequence[Case]) -> frozenset[str]:
    return frozenset(
        record
        for case in chosen
        for record in (*case.hidden, *(one for each in case.culprits for one in each.evidence))
    )


def _set_of(case: Case) -> str:
    return "named" if case.truth == "none" else case.truth


def _chosen(found: Sequence[Case], plan: Plan) -> list[Case]:
    """
    The newest of each sort within the plan's time, in order of time.
    """
    inside = [
        one for one in found if (not plan.since or one.at >= plan.since) and (not plan.until or one.at < plan.until)
    ]
    incidents = [one for one in inside if one.revert is None][-plan.limit :]
    reverts = [one for one in inside if one.revert is not None][-plan.limit :]
    return sorted([*incidents, *reverts], key=lambda one: (one.at, one.id))


def _replayed(
    memory: Memory, chosen: Sequence[Case], plan: Plan, hidden: frozenset[str], known: History, progress: Progress
) -> tuple[list[Replayed], list[Leak]]:
    watch = Watch(memory.store)
    now = View.now(plan.visibility).known_at
    done: list[Replayed] = []
    leaks: list[Leak] = []
    for number, case in enumerate(chosen, 1):
        view = view_of(case, plan.visibility, hidden)
        names = replace(view, known_at=now) if plan.catalogue == "today" else None
        one, found = _patiently(partial(_one, memory, watch, case, view, names, known))
        leaks += found
        done.append(one)
        progress("replaying", number, len(chosen))
    return done, leaks


def _one(
    memory: Memory, watch: Watch, case: Case, view: View, names: View | None, known: History
) -> tuple[Replayed, list[Leak]]:
    one = replay(memory, case, view, known.traces, names)
    return one, watch.check(one, view, names=names is None)


def _patiently(do: Callable[[], Result]) -> Result:
    """
    A thousand replays should not be lost to one moment in which a server does not answer.
    """
    for pause in PATIENCE:
        try:
            return do()
        except StoreUnavailable:
            time.sleep(pause)
    return do()


def _notes(memory: Memory, chosen: Sequence[Case], plan: Plan, now: View) -> list[str]:
    """
    What one should know before believing the numbers.
    """
    notes = []
    if not chosen:
        notes.append("nothing to replay: no past incident has a time, and no change was taken back")
    if plan.catalogue == "today":
        notes.append("services, dependencies and known alerts are taken as they are today: that is hindsight")
        return notes
    described = [one.known.start for one in memory.facts.facts(now, kinds=(FactKind.ENTITY,)) if one.known.start]
    before = sum(one.at < min(described) for one in chosen) if described else len(chosen)
    if before and chosen:
        first = f"only became known {stamp(min(described))}" if described else "is not known"
        notes.append(
            f"the catalogue {first}, after {before} of {len(chosen)} moments: services and dependencies were not seen "
            "there; `--catalogue today` takes them as they are now, which is hindsight"
        )
    return notes


def _coverage(known: History, chosen: Sequence[Case], done: Sequence[Replayed]) -> dict[str, object]:
    truth = Counter(one.truth for one in chosen)
    placed = [one for one in done if one.case.revert is None and one.case.services]
    return {
        "changes": len(known.traces.ordered),
        "incidents": len(known.incidents),
        "without_time": sum(one.item.at is None for one in known.incidents),
        "replayed": sum(one.revert is None for one in chosen),
        **{name: truth[name] for name in ("named", "none", "weak", "unlabelled", "reverted")},
        "asked": dict(Counter(one.asked for one in chosen)),
        "service_found": sum(_is_there(one) for one in placed),
        "service_known": len(placed),
        "abstained_unlabelled": sum(one.chose_none for one in done if one.case.truth == "unlabelled"),
    }


def _is_there(one: Replayed) -> bool:
    best = one.services.candidates[:1]
    return bool(best) and not one.services.abstained and best[0].id in one.case.services


def _miss(one: Replayed) -> dict[str, object]:
    return {
        "set": _set_of(one.case),
        "id": one.case.id,
        "title": one.case.title,
        "at": stamp(one.case.at),
        "services": [entity_name(name) for name in one.case.services],
        "reason": one.reason,
        "says": one.says,
        "culprit": one.case.culprits[0].change if one.case.culprits else None,
        "rank": one.rank,
        "chosen": one.chosen,
        "probability": round(one.probability, 4),
        "none_probability": round(one.ranking.none_probability, 4),
    }


def labels_part(found: Sequence[Culprit], weighed: Sequence[Weighed]) -> dict[str, object]:
    """
    What history says of culprits: a row for each of the newest LABELS, and how the signs did.
    """
    newest = sorted(found, key=lambda one: (one.at, one.change), reverse=True)[:LABELS]
    return {
        "culprits": [
            {
                "change": one.change, "incident": one.incident, "at": stamp(one.at), "named": one.named,
                "signs": [sign.value for sign in one.signs], "confidence": one.confidence, "says": one.says,
                "evidence": list(one.evidence),
            }
            for one in newest
        ],
        "signs": [
            {"sign": one.sign.value, "shipped": one.shipped, "right": one.right, "of": one.of,
             "confidence": round(one.confidence, 4)}
            for one in weighed
        ],
    }  # fmt: skip
