"""
What it was last time: past incidents that are the same kind of problem, or none.

Lexical and dense evidence by facet (symptom against symptom), and the graph's (same or neighbouring service, same
alert), fused by a logistic model with named terms. Nothing that is not earlier than the question is a candidate.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from graph.contract import Store
from graph.searching import Hit, Scope
from graph.values import EntityId, Incident, ItemKind, Statement, View, entity_name
from models.contract import Candidate, Ranking, Search, Term, chance
from models.incidents import Past
from models.parameters import Parameters

POOL = 60
WEIGHTS: Mapping[str, float] = {
    "dense": 7.0, "lexical": 3.2, "symptom": 2.0, "lexical_share": 1.5, "service": 2.2, "neighbour": 0.8, "alert": 2.4,
    "recent": 0.5, "margin": 2.0, "ahead": 0.0, "lexical_ahead": 0.0,
}  # fmt: skip
BIAS = -7.2
CONFIDENT = 0.5


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
        rows = self.terms(question, view, limit)
        found = self._graph_terms(question, view, rows)
        scored = sorted(
            ((self._score(row), document) for document, row in rows.items()), key=lambda one: (-one[0], one[1])
        )
        statements = found | self._stated(view, {document for _, document in scored[:limit]} - found.keys())
        candidates = tuple(
            Candidate(
                id=document,
                probability=chance(score),
                terms=self._explained(rows[document], statements.get(document), question),
                evidence=(statements[document].record,) if document in statements else (),
                statement=statements[document].seq if document in statements else None,
            )
            for score, document in scored[:limit]
        )
        best = candidates[0].probability if candidates else 0.0
        return Ranking(candidates=candidates, none_probability=1 - best, abstained=best < self._confident)

    def _stated(self, view: View, ids: Collection[str]) -> dict[str, Statement[Incident]]:
        """
        The incidents of these ids, from memory where it has them.
        """
        found = {one.item.id: one for one in self._past.incidents(view, ids)}
        missing = [one for one in ids if one not in found]
        return found | ({one.item.id: one for one in self._store.incidents(view, missing)} if missing else {})

    def terms(self, question: PrecedentQuestion, view: View, limit: int = 50) -> dict[str, dict[str, float]]:
        """
        The values of the terms of text of each candidate.
        """
        scope = Scope(view=view, kinds=(ItemKind.INCIDENT,), before=question.at)
        pool = max(POOL, limit)
        # words first: the question's vector may still be in the making
        lexical = self._search.search_lexical(question.text, pool, scope)
        dense = self._search.search_dense(question.text, pool, scope)
        rows: dict[str, dict[str, float]] = {}
        for document, score in _best(dense).items():
            rows.setdefault(document, {})["dense"] = score
        for document, score in _best([hit for hit in dense if hit.facet == "symptoms"]).items():
            rows[document]["symptom"] = score
        self._lexical_terms(question, view, lexical, rows)
        for name, ahead in (("dense", "ahead"), ("lexical_share", "lexical_ahead")):
            level = _level([row[name] for row in rows.values() if name in row])
            for row in rows.values():
                row[ahead] = max(0.0, row.get(name, 0.0) - level)
        return rows

    def _lexical_terms(
        self, question: PrecedentQuestion, view: View, hits: Sequence[Hit], rows: dict[str, dict[str, float]]
    ) -> None:
        """
        BM25 against the best of this search, and against what the question could score at all.
        """
        best = _best(hits)
        top = max(best.values(), default=1.0)
        most = self._search.most(question.text, view)
        for document, score in best.items():
            row = rows.setdefault(document, {})
            row["lexical"] = score / top
            row["lexical_share"] = min(1.0, score / most)
        ordered = sorted(best.values(), reverse=True)
        if len(ordered) > 1 and ordered[0]:
            leader = max(best, key=lambda document: best[document])
            rows[leader]["margin"] = 1 - ordered[1] / ordered[0]

    def _graph_terms(
        self, question: PrecedentQuestion, view: View, rows: dict[str, dict[str, float]]
    ) -> dict[str, Statement[Incident]]:
        """
        Adds what the graph knows of where and when; the incidents that it read.
        """
        if not rows or not (question.services or question.alert):
            return {}
        found = {one.item.id: one for one in self._past.incidents(view, rows.keys())}
        for statement in found.values():
            incident, row = statement.item, rows[statement.item.id]
            row["service"] = max((question.services.get(service, 0.0) for service in incident.services), default=0.0)
            row["neighbour"] = float(
                any(service in question.neighbours for service in incident.services) and row["service"] < 0.2
            )
            row["alert"] = float(bool(question.alert) and question.alert in incident.alerts)
            if question.at and incident.at:
                days = (question.at - incident.at).total_seconds() / 86400
                row["recent"] = 1 / (1 + max(0.0, days) / 20)
        return found

    def _score(self, row: Mapping[str, float]) -> float:
        return self._bias + sum(self._weights.get(name, 0.0) * value for name, value in row.items())

    def _explained(
        self, row: Mapping[str, float], statement: Statement[Incident] | None, question: PrecedentQuestion
    ) -> tuple[Term, ...]:
        names = ", ".join(entity_name(one) for one in statement.item.services) if statement else ""
        says = {
            "dense": "alike in meaning",
            "symptom": "its symptoms are alike",
            "lexical": "shares telling words",
            "lexical_share": "shares most of the question's words",
            "service": f"same service ({names})",
            "neighbour": f"a neighbouring service ({names})",
            "alert": f"the same alert fired ({question.alert})",
            "recent": "it was not long ago",
            "margin": "clearly ahead of the next",
            "ahead": "more alike in meaning than the next best",
            "lexical_ahead": "shares more telling words than the next best",
        }
        terms = [
            Term(name=name, value=value, weight=self._weights.get(name, 0.0) * value, says=says.get(name, name))
            for name, value in row.items()
            if value
        ]
        return tuple(sorted(terms, key=lambda term: -term.weight))


def _level(values: Sequence[float]) -> float:
    """
    What the candidates score that are merely the next best: the median from the 5th place to the 25th. Where a corpus
    is full of likes, being alike says little.
    """
    rest = sorted(values, reverse=True)[4:25]
    return rest[len(rest) // 2] if rest else 0.0


def _best(hits: Sequence[Hit]) -> dict[str, float]:
    best: dict[str, float] = {}
    for hit in hits:
        best[hit.document] = max(best.get(hit.document, -1.0), hit.score)
    return best
