"""
What it was last time: past incidents that are the same kind of problem, or none.

Evidence by words (the question's first line and the whole of it, against titles and against texts), by meaning
(symptom against symptom), and the graph's (same or neighbouring service, same alert, how long ago), fused by a logistic
model with named terms. How far a candidate is ahead of the others says how sure that is. Nothing that is not earlier
than the question is a candidate.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from graph.contract import Store
from graph.searching import Scope
from graph.values import EntityId, Incident, ItemKind, Statement, View, entity_name
from models.columns import Columns, Named
from models.contract import Candidate, Ranking, Search, Term, chance
from models.facets import headline
from models.groups import leaders
from models.incidents import Past
from models.logit import scored
from models.parameters import Parameters

POOL = 60
"""Rows of each search at least; twice as many as candidates are wanted, if that is more."""
TEXT = (
    "dense", "symptom", "words", "title_words", "head", "head_title", "words_top", "title_words_top", "head_top",
    "recent",
)  # fmt: skip
BESIDE_TOP = ("words", "title_words", "head")
"""Terms of words that also count as a share of the best candidate's."""
AHEAD = ("gap", "ahead")
WEIGHTS: Mapping[str, float] = {
    "dense": 10.0, "symptom": 2.0, "words": 4.0, "title_words": 4.0, "head": 4.0, "head_title": 2.0, "words_top": 1.0,
    "title_words_top": 1.0, "head_top": 1.0, "recent": 2.0,
    "service": 0.9, "neighbour": 0.3, "alert": 2.4, "gap": 0.5, "ahead": 0.5,
}  # fmt: skip
"""Those of the text are where learning begins. Those of the graph are set by hand, since no labelled set has them: what
had the same alert on the same service is of the same kind unless its text speaks against it, however many there are."""
BIAS = -9.0
CONFIDENT = 0.5
RECENT = 7
"""Days after which an incident is half as recent as one of today."""
SAYS: Mapping[str, str] = {
    "dense": "alike in meaning",
    "symptom": "its symptoms are alike",
    "words": "shares telling words",
    "title_words": "its title shares telling words",
    "head": "it has the words of the first line",
    "head_title": "its title is alike",
    "words_top": "its words beside those that others share",
    "title_words_top": "its title's words beside those of others",
    "head_top": "its words of the first line beside those of others",
    "recent": "it was not long ago",
    "gap": "clearly ahead of the next",
    "ahead": "more alike than most that come near",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecedentQuestion:
    """
    What is asked: a text, when (only earlier incidents count), and what is known of where.
    """

    text: str
    at: datetime | None = None
    services: Mapping[EntityId, float] = field(default_factory=dict)
    neighbours: Mapping[EntityId, int] = field(default_factory=dict)
    alert: str = ""


class Precedents:
    """
    Ranks from the indexes; `parameters` may hold `weights`, `bias`, `confident`. `past` tells where and when candidates
    were (None: the store does); what it does not know yet is read from the store.
    """

    def __init__(
        self, search: Search, store: Store, parameters: Parameters | None = None, past: Past | None = None
    ) -> None:
        self._search = search
        self._store = store
        self._past: Past = past or store
        self._weights = {**WEIGHTS, **(parameters.numbers("weights") if parameters else {})}
        self._bias = parameters.number("bias", BIAS) if parameters else BIAS
        self._confident = parameters.number("confident", CONFIDENT) if parameters else CONFIDENT

    def rank(self, question: PrecedentQuestion, view: View, limit: int = 50) -> Ranking:
        """
        Past incidents, best first, each with the probability that it is the same kind of problem.
        """
        columns, found = self.terms(question, view, limit)
        documents, scores = self._ordered(columns)
        leads = lead(scores)[:limit]
        order = documents[:limit]
        statements = found | self._stated(view, set(order) - found.keys())
        told = _told({document: statements[document].item for document in order if document in statements})
        candidates = tuple(
            Candidate(
                id=document,
                probability=chance(self._bias + score + scored(ahead, self._weights)),
                terms=self._explained(columns.row(document) | ahead, statements.get(document), question),
                evidence=(statements[document].record,) if document in statements else (),
                statement=statements[document].seq if document in statements else None,
                same_event=tuple(one for one, first in told.items() if first == document),
                told_by=told.get(document),
            )
            for document, score, ahead in zip(order, scores, leads, strict=False)
        )
        best = candidates[0].probability if candidates else 0.0
        return Ranking(candidates=candidates, none_probability=1 - best, abstained=best < self._confident)

    def _ordered(self, columns: Columns) -> tuple[list[str], list[float]]:
        """
        Documents with their scores, best first.
        """
        documents = sorted(columns.documents)
        scores = columns.weighed(documents, self._weights)
        order = np.argsort(-scores, kind="stable")
        return [documents[place] for place in order], scores[order].tolist()

    def _stated(self, view: View, ids: Collection[str]) -> dict[str, Statement[Incident]]:
        """
        The incidents of these ids, from memory where it has them.
        """
        found = {one.item.id: one for one in self._past.incidents(view, ids)}
        missing = [one for one in ids if one not in found]
        return found | ({one.item.id: one for one in self._store.incidents(view, missing)} if missing else {})

    def terms(
        self, question: PrecedentQuestion, view: View, limit: int = 50
    ) -> tuple[Columns, dict[str, Statement[Incident]]]:
        """
        The values of the terms of each candidate, and the incidents that were read for it.
        """
        columns = self._text_terms(question, view, max(POOL, 2 * limit))
        return columns, self._graph_terms(question, view, columns)

    def _text_terms(self, question: PrecedentQuestion, view: View, pool: int) -> Columns:
        scope = Scope(view=view, kinds=(ItemKind.INCIDENT,), before=question.at)
        columns = Columns()
        # words first: the question's vector may still be in the making
        head = headline(question.text)
        self._shares(columns, question.text, pool, scope, {"title": ("title_words",), "": ("words",)})
        if head:
            self._shares(columns, head, pool, scope, {"title": ("head_title",), "": ("head",)})
        else:
            columns.values |= {"head_title": columns.column("title_words"), "head": columns.column("words")}
        for name in BESIDE_TOP:
            column = columns.column(name)
            top = max(column.values(), default=1.0) or 1.0
            columns.values[f"{name}_top"] = {document: value / top for document, value in column.items()}
        dense = self._search.search_dense(question.text, pool, scope)
        columns.add(dense, {"symptoms": ("symptom", "dense"), "": ("dense",)})
        if dense:
            # what the search did not come to is at most as near as the last that it did
            columns.lift(("dense", "symptom"), columns.documents, dense[-1].score)
        return columns

    def _shares(self, columns: Columns, text: str, pool: int, scope: Scope, names: Named) -> None:
        """
        BM25 as the share of what a text could score at all.
        """
        columns.add(self._search.search_lexical(text, pool, scope), names, self._search.most(text, scope.view))

    def _graph_terms(self, question: PrecedentQuestion, view: View, columns: Columns) -> dict[str, Statement[Incident]]:
        """
        Adds what the graph knows of where and when; the incidents that it read.
        """
        documents = columns.documents
        if not documents or not (question.services or question.alert or question.at):
            return {}
        found = {one.item.id: one for one in self._past.incidents(view, documents)}
        service, neighbour, alert, recent = map(columns.column, ("service", "neighbour", "alert", "recent"))
        for name, statement in found.items():
            incident = statement.item
            if incident.services:
                own = max([question.services.get(one, 0.0) for one in incident.services])
                service[name] = own
                near = own < 0.2 and not question.neighbours.keys().isdisjoint(incident.services)
                neighbour[name] = float(near)
            if question.alert and question.alert in incident.alerts:
                alert[name] = 1.0
            if question.at and incident.at:
                days = (question.at - incident.at).total_seconds() / 86400
                recent[name] = 1 / (1 + max(0.0, days) / RECENT)
        return found

    def _explained(
        self, row: Mapping[str, float], statement: Statement[Incident] | None, question: PrecedentQuestion
    ) -> tuple[Term, ...]:
        names = ", ".join(entity_name(one) for one in statement.item.services) if statement else ""
        says = {
            **SAYS,
            "service": f"same service ({names})",
            "neighbour": f"a neighbouring service ({names})",
            "alert": f"the same alert fired ({question.alert})",
            "gap": SAYS["gap"] if row.get("gap", 0.0) > 0 else "another is ahead of it",
        }
        terms = [
            Term(name=name, value=value, weight=self._weights.get(name, 0.0) * value, says=says.get(name, name))
            for name, value in row.items()
            if value and name in says
        ]
        return tuple(sorted(terms, key=lambda term: -term.weight))


def first_told(ranking: Ranking) -> list[Candidate]:
    """
    The candidates, of each event the first alone.
    """
    first: dict[str, Candidate] = {}
    for one in ranking.candidates:
        first.setdefault(one.event, one)
    return list(first.values())


def _told(incidents: Mapping[str, Incident]) -> dict[str, str]:
    """
    Of each incident that tells of an event which one above it tells of, that one.
    """
    names = list(incidents)
    first = leaders([incidents[name] for name in names])
    return {name: names[place] for name, place in zip(names, first, strict=True) if names[place] != name}


def lead(scores: Sequence[float]) -> list[dict[str, float]]:
    """
    Of each score, best first, how far it is above the best other one (`gap`), and above the median from the 5th place
    to the 25th (`ahead`). Where a corpus is full of likes, being alike says little.
    """
    if not scores:
        return []
    rest = scores[4:25] or scores[-1:]
    level = rest[len(rest) // 2]
    second = scores[1] if len(scores) > 1 else level
    return [
        {"gap": score - (scores[0] if place else second), "ahead": score - level} for place, score in enumerate(scores)
    ]
