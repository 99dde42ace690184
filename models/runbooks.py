"""
Which runbook, and which section of it: by explicit link, by the alert's name, by service, by words and meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from graph.contract import Store
from graph.values import EntityId, ItemKind, Runbook, Statement, View
from models.contract import Candidate, Hit, Ranking, Scope, Term, chance
from models.indexer import Indexer
from models.names import tokens
from models.parameters import Parameters

POOL = 120
WEIGHTS: Mapping[str, float] = {
    "dense": 6.0, "lexical": 3.4, "title": 1.6, "link": 6.0, "alert": 4.0, "name": 2.6, "service": 1.4,
}  # fmt: skip
SECTION_WEIGHTS: Mapping[str, float] = {"dense": 6.0, "lexical": 3.4, "heading": 5.0, "link": 3.0}
BIAS = -6.0
CONFIDENT = 0.5
_SUFFIX = re.compile(r"(\.html)?\.(md|markdown|txt|erb)(\.(txt|erb))?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookQuestion:
    """
    What is asked: the alert in words, its name, the services that it may be about, the link that its rule gives.
    """

    text: str
    alert: str = ""
    services: Mapping[EntityId, float] = field(default_factory=dict)
    link: str | None = None


class Runbooks:
    """
    Ranks from the indexes; `parameters` may hold `weights`, `bias`, `confident`.
    """

    def __init__(self, indexer: Indexer, store: Store, parameters: Parameters | None = None) -> None:
        self._indexer = indexer
        self._store = store
        self._weights = {**WEIGHTS, **(parameters.numbers("weights") if parameters else {})}
        self._bias = parameters.number("bias", BIAS) if parameters else BIAS
        self._confident = parameters.number("confident", CONFIDENT) if parameters else CONFIDENT

    def rank(self, question: RunbookQuestion, view: View, limit: int = 50) -> Ranking:
        """
        Pages, best first; a candidate's first term of the name `section` says the best section's anchor.
        """
        scope = Scope(view=view, kinds=(ItemKind.RUNBOOK,))
        dense = self._indexer.search_dense(question.text, POOL, scope)
        lexical = self._indexer.search_lexical(question.text, POOL, scope)
        rows = _page_rows(dense, lexical)
        linked = self._linked(question, view, rows)
        pages = {one.item.id: one for one in self._store.runbooks(view, list(rows))}
        for page, row in rows.items():
            if page in pages:
                self._bound(question, pages[page].item, row, page in linked)
        sections = _sections(question, dense, lexical, pages)
        scored = sorted(
            ((self._score(row), page) for page, row in rows.items() if page in pages), key=lambda one: (-one[0], one[1])
        )
        candidates = tuple(
            Candidate(
                id=page,
                probability=chance(score),
                terms=(*_section_term(sections.get(page, ())), *self._explained(rows[page])),
                evidence=(pages[page].record,),
                statement=pages[page].seq,
            )
            for score, page in scored[:limit]
        )
        best = candidates[0].probability if candidates else 0.0
        return Ranking(candidates=candidates, none_probability=1 - best, abstained=best < self._confident)

    def sections(self, question: RunbookQuestion, view: View) -> list[tuple[str, str, float]]:
        """
        (page, anchor, score) over all pages, best first.
        """
        scope = Scope(view=view, kinds=(ItemKind.RUNBOOK,))
        dense = self._indexer.search_dense(question.text, POOL * 2, scope)
        lexical = self._indexer.search_lexical(question.text, POOL * 2, scope)
        pages = {one.item.id: one for one in self._store.runbooks(view, {hit.document for hit in (*dense, *lexical)})}
        found = _sections(question, dense, lexical, pages)
        ranked = [(page, anchor, score) for page, parts in found.items() for anchor, score in parts]
        return sorted(ranked, key=lambda one: (-one[2], one[0], one[1]))

    def _linked(self, question: RunbookQuestion, view: View, rows: dict[str, dict[str, float]]) -> set[str]:
        """
        Pages that the alert's link names, by the last part of its path (a moved page keeps its name).
        """
        if not question.link:
            return set()
        wanted = _stem(question.link.split("#")[0].rstrip("/"))
        linked = {one.item.id for one in self._store.runbooks(view) if wanted and _stem(one.item.id) == wanted}
        for page in linked:
            rows.setdefault(page, {})
        return linked

    def _bound(self, question: RunbookQuestion, page: Runbook, row: dict[str, float], linked: bool) -> None:
        row["link"] = float(linked)
        row["alert"] = float(bool(question.alert) and question.alert in page.alerts)
        row["service"] = max((question.services.get(service, 0.0) for service in page.services), default=0.0)
        named = set(tokens(question.alert))
        titled = set(tokens(f"{page.title} {_stem(page.id)}"))
        row["name"] = len(named & titled) / len(named) if named else 0.0

    def _score(self, row: Mapping[str, float]) -> float:
        return self._bias + sum(self._weights.get(name, 0.0) * value for name, value in row.items())

    def _explained(self, row: Mapping[str, float]) -> tuple[Term, ...]:
        says = {
            "link": "the alert links to it",
            "alert": "it says that it is for this alert",
            "name": "its title has the alert's words",
            "service": "it is bound to the service",
            "dense": "alike in meaning",
            "lexical": "shares telling words",
            "title": "its title is alike",
        }
        terms = [
            Term(name=name, value=value, weight=self._weights.get(name, 0.0) * value, says=says[name])
            for name, value in row.items()
            if value and name in says
        ]
        return tuple(sorted(terms, key=lambda term: -term.weight))


def _page_rows(dense: Sequence[Hit], lexical: Sequence[Hit]) -> dict[str, dict[str, float]]:
    rows: dict[str, dict[str, float]] = {}
    for hit in dense:
        row = rows.setdefault(hit.document, {})
        row["dense"] = max(row.get("dense", -1.0), hit.score)
        if hit.facet == "title":
            row["title"] = hit.score
    top = max((hit.score for hit in lexical), default=1.0) or 1.0
    for hit in lexical:
        row = rows.setdefault(hit.document, {})
        row["lexical"] = max(row.get("lexical", 0.0), hit.score / top)
    return rows


def _sections(
    question: RunbookQuestion, dense: Sequence[Hit], lexical: Sequence[Hit], pages: Mapping[str, Statement[Runbook]]
) -> dict[str, list[tuple[str, float]]]:
    """
    page -> (anchor, score), best first.
    """
    table: dict[tuple[str, str], dict[str, float]] = {}
    top = max((hit.score for hit in lexical), default=1.0) or 1.0
    for name, hits, scale in (("dense", dense, 1.0), ("lexical", lexical, top)):
        for hit in hits:
            if hit.facet.startswith("section:"):
                row = table.setdefault((hit.document, hit.facet.partition(":")[2]), {})
                row[name] = max(row.get(name, -1.0), hit.score / scale)
    fragment = (question.link or "").partition("#")[2].lower()
    named = set(tokens(question.alert))
    found: dict[str, list[tuple[str, float]]] = {}
    for (page, anchor), row in table.items():
        heading = (
            next((one.heading for one in pages[page].item.sections if one.anchor == anchor), "")
            if page in pages
            else ""
        )
        titled = set(tokens(heading))
        row["heading"] = len(named & titled) / max(len(named), len(titled)) if named and titled else 0.0
        row["link"] = float(bool(fragment) and fragment == anchor)
        found.setdefault(page, []).append((anchor, sum(SECTION_WEIGHTS[name] * value for name, value in row.items())))
    return {page: sorted(parts, key=lambda part: (-part[1], part[0])) for page, parts in found.items()}


def _section_term(parts: Sequence[tuple[str, float]]) -> tuple[Term, ...]:
    return (Term(name="section", value=parts[0][1], weight=0.0, says=parts[0][0]),) if parts else ()


def _stem(path: str) -> str:
    return _SUFFIX.sub("", PurePosixPath(path).name).lower()
