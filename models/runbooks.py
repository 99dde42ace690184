"""
Which runbook, and which section of it: by explicit link, by the alert's name, by service, by words and meaning.

A conditional logit over the pages that any evidence names, with "none of them" as one more alternative; its weights are
learned from real pairs of alerts and pages, and from the same alerts with their page taken away. Sections of the pages
are weighed by the same kind of terms.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from graph.contract import Store
from graph.searching import Hit, Scope
from graph.values import EntityId, ItemKind, Runbook, Section, Statement, View
from models.contract import Candidate, Ranking, Search, Term, doubted
from models.logit import scored
from models.names import tokens
from models.parameters import Parameters

POOL = 120
PAGES = 40
"""Pages that are read and weighed."""
FEATURES = (
    "dense", "title", "lexical", "lexical_share", "margin", "name", "heading", "headed", "quoted", "alert", "service",
    "link",
)  # fmt: skip
SECTION_FEATURES = ("dense", "lexical", "heading", "headed", "quoted", "link", "page")
WEIGHTS: Mapping[str, float] = {
    "dense": 6.0, "title": 2.0, "lexical": 2.0, "lexical_share": 4.0, "margin": 1.0, "name": 2.0, "heading": 1.0,
    "headed": 3.0, "quoted": 2.0, "alert": 4.0, "service": 1.4, "link": 6.0, "none": 6.0,
}  # fmt: skip
SECTION_WEIGHTS: Mapping[str, float] = {
    "dense": 6.0, "lexical": 3.4, "heading": 2.0, "headed": 5.0, "quoted": 1.0, "link": 3.0, "page": 1.0,
}  # fmt: skip
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


@dataclass(frozen=True, slots=True)
class SectionMatch:
    """
    A section of a page, how well it fits, and whether its heading or the link names it.
    """

    page: str
    anchor: str
    score: float
    named: bool


@dataclass(frozen=True, slots=True)
class Pages:
    """
    Evidence of a question: the terms of each page and of each of its sections, and the pages.
    """

    rows: Mapping[str, Mapping[str, float]]
    sections: Mapping[tuple[str, str], Mapping[str, float]]
    statements: Mapping[str, Statement[Runbook]]


class Runbooks:
    """
    Ranks from the indexes; `parameters` may hold the tables `weights` and `sections`.
    """

    def __init__(self, search: Search, store: Store, parameters: Parameters | None = None) -> None:
        self._search = search
        self._store = store
        self._weights = {**WEIGHTS, **(parameters.numbers("weights") if parameters else {})}
        self._sections = {**SECTION_WEIGHTS, **(parameters.numbers("sections") if parameters else {})}

    def rank(self, question: RunbookQuestion, view: View, limit: int = 50) -> Ranking:
        """
        Pages, best first; a candidate's term `section` says the best section's anchor, with the value 1 where its
        heading or the link names it.
        """
        found = self.terms(question, view)
        scores = {page: scored(row, self._weights) for page, row in found.rows.items()}
        none = self._weights["none"]
        top = max([*scores.values(), none])
        parts = {page: math.exp(score - top) for page, score in scores.items()}
        total = sum(parts.values()) + math.exp(none - top)
        best = self._best_sections(found)
        order = sorted(parts, key=lambda page: (-parts[page], page))[:limit]
        candidates = tuple(
            Candidate(
                id=page,
                probability=doubted(parts[page] / total),
                terms=(*_section_term(best.get(page)), *self._explained(found.rows[page])),
                evidence=(found.statements[page].record,),
                statement=found.statements[page].seq,
            )
            for page in order
        )
        none_p = doubted(math.exp(none - top) / total, none=True)
        first = candidates[0].probability if candidates else 0.0
        return Ranking(candidates=candidates, none_probability=none_p, abstained=none_p >= first)

    def sections(self, question: RunbookQuestion, view: View) -> list[SectionMatch]:
        """
        Sections of all pages, best first.
        """
        found = self.terms(question, view)
        ranked = [self._match(page, anchor, row) for (page, anchor), row in found.sections.items()]
        return sorted(ranked, key=lambda one: (-one.score, one.page, one.anchor))

    def terms(self, question: RunbookQuestion, view: View) -> Pages:
        """
        The values of the terms of each page and section that is worth weighing.
        """
        scope = Scope(view=view, kinds=(ItemKind.RUNBOOK,))
        # words first: the question's vector may still be in the making
        lexical = self._search.search_lexical(question.text, POOL, scope)
        dense = self._search.search_dense(question.text, POOL, scope)
        rows = self._page_rows(question, view, dense, lexical)
        linked = self._linked(question, view)
        kept = sorted(rows, key=lambda page: (-scored(rows[page], self._weights), page))[:PAGES]
        # where no page shares a word, what says that it is for the alert or the service still counts
        pages = {one.item.id: one for one in self._store.runbooks(view, {*kept, *linked} or None)}
        rows = {page: dict(rows.get(page, {})) for page in pages}
        sections = _section_rows(dense, lexical, pages)
        for page, statement in pages.items():
            rows[page] |= _bound(question, statement.item, page in linked)
        for (page, anchor), row in sections.items():
            row |= _section_bound(question, pages[page].item, anchor)
            row["page"] = scored(rows[page], self._weights) / 10
            for name in ("heading", "headed"):
                rows[page][name] = max(rows[page].get(name, 0.0), row[name])
        return Pages(rows, sections, pages)

    def _page_rows(
        self, question: RunbookQuestion, view: View, dense: Sequence[Hit], lexical: Sequence[Hit]
    ) -> dict[str, dict[str, float]]:
        """
        Cosines; BM25 against the best of this search, and against what the question could score at all.
        """
        rows: dict[str, dict[str, float]] = {}
        for hit in dense:
            row = rows.setdefault(hit.document, {})
            row["dense"] = max(row.get("dense", -1.0), hit.score)
            if hit.facet == "title":
                row["title"] = hit.score
        best: dict[str, float] = {}
        for hit in lexical:
            best[hit.document] = max(best.get(hit.document, 0.0), hit.score)
        ordered = sorted(best.values(), reverse=True)
        most = self._search.most(question.text, view)
        for page, score in best.items():
            row = rows.setdefault(page, {})
            row["lexical"] = score / (ordered[0] or 1.0)
            row["lexical_share"] = min(1.0, score / most)
            if score == ordered[0] and len(ordered) > 1:
                row["margin"] = 1 - ordered[1] / (ordered[0] or 1.0)
        return rows

    def _linked(self, question: RunbookQuestion, view: View) -> set[str]:
        """
        Pages that the alert's link names, by the last part of its path (a moved page keeps its name).
        """
        wanted = _stem((question.link or "").split("#")[0].rstrip("/"))
        return {one.item.id for one in self._store.runbooks(view) if _stem(one.item.id) == wanted} if wanted else set()

    def _best_sections(self, found: Pages) -> dict[str, SectionMatch]:
        best: dict[str, SectionMatch] = {}
        for (page, anchor), row in found.sections.items():
            match = self._match(page, anchor, row)
            if page not in best or match.score > best[page].score:
                best[page] = match
        return best

    def _match(self, page: str, anchor: str, row: Mapping[str, float]) -> SectionMatch:
        return SectionMatch(page, anchor, scored(row, self._sections), bool(row["headed"] or row["link"]))

    def _explained(self, row: Mapping[str, float]) -> tuple[Term, ...]:
        says = {
            "link": "the alert links to it",
            "alert": "it says that it is for this alert",
            "name": "its title has the alert's words",
            "heading": "a heading has the alert's words",
            "headed": "a section of it is headed like the alert",
            "quoted": "it names the alert",
            "service": "it is bound to the service",
            "dense": "alike in meaning",
            "lexical_share": "shares telling words",
            "title": "its title is alike",
        }
        terms = [
            Term(name=name, value=value, weight=self._weights.get(name, 0.0) * value, says=says[name])
            for name, value in row.items()
            if value and name in says
        ]
        return tuple(sorted(terms, key=lambda term: -term.weight))


def _bound(question: RunbookQuestion, page: Runbook, linked: bool) -> dict[str, float]:
    titled = tokens(f"{page.title} {_stem(page.id)}")
    return {
        "link": float(linked),
        "alert": float(bool(question.alert) and question.alert in page.alerts),
        "service": max((question.services.get(service, 0.0) for service in page.services), default=0.0),
        "name": _shared(tokens(question.alert), titled),
        "quoted": float(any(_quotes(section, question.alert) for section in page.sections)),
    }


def _section_rows(
    dense: Sequence[Hit], lexical: Sequence[Hit], pages: Mapping[str, Statement[Runbook]]
) -> dict[tuple[str, str], dict[str, float]]:
    table: dict[tuple[str, str], dict[str, float]] = {
        (page, section.anchor): {} for page, one in pages.items() for section in one.item.sections
    }
    top = max((hit.score for hit in lexical), default=1.0) or 1.0
    for name, hits, scale in (("dense", dense, 1.0), ("lexical", lexical, top)):
        for hit in hits:
            mark = (hit.document, hit.facet.partition(":")[2])
            if mark in table:
                table[mark][name] = max(table[mark].get(name, -1.0), hit.score / scale)
    return table


def _section_bound(question: RunbookQuestion, page: Runbook, anchor: str) -> dict[str, float]:
    section = next(one for one in page.sections if one.anchor == anchor)
    fragment = (question.link or "").partition("#")[2].lower()
    return {
        "heading": _shared(tokens(question.alert), tokens(section.heading)),
        "headed": float(bool(question.alert) and "".join(tokens(section.heading)) == "".join(tokens(question.alert))),
        "quoted": float(_quotes(section, question.alert)),
        "link": float(bool(fragment) and fragment == anchor),
    }


def _shared(wanted: Sequence[str], there: Sequence[str]) -> float:
    """
    The share of words that are there too.
    """
    return len(set(wanted) & set(there)) / len(set(wanted)) if wanted else 0.0


def _quotes(section: Section, alert: str) -> bool:
    return len(alert) > 3 and (alert in section.text or alert in section.heading)


def _section_term(match: SectionMatch | None) -> tuple[Term, ...]:
    return (Term(name="section", value=float(match.named), weight=0.0, says=match.anchor),) if match else ()


def _stem(path: str) -> str:
    return _SUFFIX.sub("", PurePosixPath(path).name).lower()
