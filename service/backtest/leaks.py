"""
Whether a replay looked ahead. What it cites is looked up in the journal, another way than the one it was found by: it
must have been known at the moment, must not be the incident's own, and must not call it by a name before it began.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from graph.contract import Store
from graph.values import Incident, Statement, View
from models.contract import Ranking
from models.culprits import is_telling
from service.backtest.cases import Case
from service.backtest.replays import Replayed

BATCH = 500
READ = 5
"""Suspects whose records are read for the incident's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """
    One future fact: of which case, the record, what it is (`known_later`, `its_own`, `names_incident`, `dated_early`),
    and in words.
    """

    case: str
    record: str
    kind: str
    says: str


class Watch:
    """
    Checks replays; remembers when records became known.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, datetime | None] = {}

    def check(self, done: Replayed, view: View, *, names: bool = True) -> list[Leak]:
        """
        The future facts that a replay rests on; without `names`, those of the suspects alone.
        """
        cited = set(_cited(done.ranking, *([done.services] if names else [])))
        self._look_up(cited)
        found = [leak for record in sorted(cited) if (leak := self._of_time(done.case, view, record))]
        found += [
            Leak(case=done.case.id, record=one, kind="its_own", says=f"record {one} tells of the incident itself")
            for one in sorted(cited & view.hidden)
        ]
        return found + (list(self._naming(done)) if names else [])

    def _look_up(self, records: Iterable[str]) -> None:
        missing = sorted(set(records) - self._known.keys())
        for part in (missing[place : place + BATCH] for place in range(0, len(missing), BATCH)):
            self._known |= dict.fromkeys(part)
            self._known |= {one.id: one.known_at for one in self._store.records(part, limit=len(part))}

    def _of_time(self, case: Case, view: View, record: str) -> Leak | None:
        known = self._known[record]
        if known is not None and known <= view.known_at:
            return None
        says = "it is not in the journal" if known is None else f"it became known {_when(known)}"
        says = f"record {record} is cited at {_when(view.known_at)}, but {says}"
        return Leak(case=case.id, record=record, kind="known_later", says=says)

    def _naming(self, done: Replayed) -> Iterator[Leak]:
        """
        Records behind the answer that call the incident by its id, though it had only just begun.
        """
        name = done.case.id
        if done.case.revert is not None or not is_telling(name):
            return
        behind = {record for one in done.services.candidates[:READ] for record in one.evidence}
        behind |= {record for one in done.ranking.candidates[:READ] for record in one.evidence}
        called = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)
        for one in self._store.records(behind, limit=len(behind)) if behind else ():
            if called.search(one.body):
                says = f"record {one.id} names {name} and claims to have been known {_when(one.known_at)}"
                yield Leak(case=name, record=one.id, kind="names_incident", says=says)


def dated_early(statements: Iterable[Statement[Incident]]) -> list[Leak]:
    """
    Of documents that claim to have been known before what they tell of began.
    """
    return [
        Leak(
            case=one.item.id, record=one.record, kind="dated_early",
            says=f"record {one.record} claims to have been known {_when(one.known.start)}, "
            f"but tells of an incident that began {_when(one.item.at)}; its time of publication is wrong",
        )
        for one in statements
    ]  # fmt: skip


def _cited(*rankings: Ranking) -> Iterator[str]:
    for ranking in rankings:
        for one in ranking.candidates:
            yield from one.evidence


def _when(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "at no known time"
