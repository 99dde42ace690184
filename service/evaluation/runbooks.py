"""
Which page, and which section of it, is for an alert; with the alert's name, and with the name hidden.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from graph.contract import Store
from graph.searching import Scope
from graph.values import Alert, ItemKind, Runbook, View
from ingest.contract import Source
from ingest.journal import admit
from ingest.parsing import anchor
from ingest.pipeline import drain
from models.facets import alert_text
from models.indexer import Indexer
from models.parameters import Parameters
from models.runbooks import RunbookQuestion, Runbooks
from service.evaluation.frame import Lab, Metrics, Prediction, by_variant, data_file, read_lines
from service.evaluation.metrics import mean, rank_measures

FAR = datetime(2100, 1, 1, tzinfo=UTC)
VIEW = View(as_of=FAR, known_at=FAR)
_PLACE = re.compile(r"-s(\d+)$")
"""The mark of a section of a page whose headings are hidden: its place."""


def predict(directory: Path, lab: Lab) -> Iterator[Prediction]:
    """
    All pairs' alerts on the corpus, then each on a corpus without its name.
    """
    rows = _rows(directory)
    learned = lab.parameters("runbooks")
    lab.progress("reading the pages")
    store = stated(directory, lab)
    indexer = Indexer(store, lab.embedder())
    indexer.follow()
    for row in rows:
        yield from _answers(
            str(row["id"]), alert_of(row), indexer, store, learned, "", sectioned=bool(row.get("section"))
        )
    for number, row in enumerate(rows):
        if number % 20 == 0:
            lab.progress(f"hidden names: {number} of {len(rows)}")
        alert = alert_of(row)
        hidden_indexer, hidden_store, names = _hidden(store, alert.name, lab)
        for prediction in _answers(
            str(row["id"]),
            unnamed(alert),
            hidden_indexer,
            hidden_store,
            learned,
            "_hidden",
            sectioned=bool(row.get("section")),
        ):
            yield _renamed(prediction, names)
        hidden_store.close()


def stated(directory: Path, lab: Lab) -> Store:
    """
    A store with the corpus.
    """
    store = lab.store()
    pages = sorted(
        path
        for path in (directory / "runbooks").rglob("*")
        if path.is_file() and path.suffix in (".md", ".txt", ".erb", ".markdown")
    )
    source = Source(name="runbooks", connector="runbooks")
    for path in pages:
        admit(store, source, path.read_bytes(), {"path": str(path.relative_to(directory))})
    drain(store)
    return store


def _rows(directory: Path) -> list[dict[str, object]]:
    path = data_file(directory, "runbook_pairs.jsonl")
    if path is None:
        raise FileNotFoundError("runbook_pairs.jsonl")
    return [{"id": row["id"], "alert": row["alert"], "section": bool(row.get("section"))} for row in read_lines(path)]


def alert_of(row: Mapping[str, object]) -> Alert:
    """
    The alert of a pair, as a question.
    """
    body = row["alert"]
    assert isinstance(body, dict)  # noqa: S101 - the format says so
    labels = {str(key): str(value) for key, value in (body.get("labels") or {}).items()}
    annotations = {str(key): str(value) for key, value in (body.get("annotations") or {}).items()}
    name = str(body.get("alert") or body.get("name") or "")
    return Alert(
        id=str(row["id"]), name=name, at=FAR, labels=labels, annotations=annotations, expr=str(body.get("expr") or "")
    )


def _answers(
    question: str,
    alert: Alert,
    indexer: Indexer,
    store: Store,
    learned: Parameters | None,
    suffix: str,
    *,
    sectioned: bool,
) -> Iterator[Prediction]:
    text = alert_text(alert)
    asked = RunbookQuestion(text=text, alert=alert.name)
    found = Runbooks(indexer, store, learned)
    ranking = found.rank(asked, VIEW)
    chances = {one.id: one.probability for one in ranking.candidates}
    ranked: tuple[tuple[str, float | None], ...] = tuple(
        (one.id, round(one.probability, 6)) for one in ranking.candidates[:50]
    )
    if sectioned:
        sections = found.sections(asked, VIEW)[:50]
        ranked = tuple(
            (f"{one.page}#{one.anchor}", round(chances.get(one.page, 0.0) / (place + 1), 6))
            for place, one in enumerate(sections)
        )
    yield Prediction(
        question=question,
        variant=f"whole{suffix}",
        ranked=ranked,
        none_p=round(ranking.none_probability, 6),
        abstained=ranking.abstained,
    )
    scope = Scope(view=VIEW, kinds=(ItemKind.RUNBOOK,))
    for variant, search in (("lexical", indexer.search_lexical), ("dense", indexer.search_dense)):
        hits = search(text, 200, scope)
        if sectioned:
            marks = dict.fromkeys(
                f"{hit.document}#{hit.facet.partition(':')[2]}" for hit in hits if hit.facet.startswith("section:")
            )
        else:
            marks = dict.fromkeys(hit.document for hit in hits)
        yield Prediction(
            question=question, variant=f"{variant}{suffix}", ranked=tuple((mark, None) for mark in list(marks)[:50])
        )


def _hidden(store: Store, name: str, lab: Lab) -> tuple[Indexer, Store, Mapping[str, Runbook]]:
    """
    The corpus without file names and headings, and without the alert's name in the text; and which page each of its
    files stands for.
    """
    # the name as a word: its parts (`pod` of `PodCrashLooping`) are what any page on pods says
    rule = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
    hidden = lab.store()
    names: dict[str, Runbook] = {}
    for number, one in enumerate(store.runbooks(VIEW)):
        path = f"page-{number}.md"
        names[path] = one.item
        admit(
            hidden,
            Source(name="runbooks", connector="runbooks"),
            _text(one.item, rule, number).encode(),
            {"path": path},
        )
    drain(hidden)
    indexer = Indexer(hidden, lab.embedder())
    indexer.follow()
    return indexer, hidden, names


def _text(page: Runbook, rule: re.Pattern[str], number: int) -> str:
    """
    A page without its title and headings, which are numbers instead.
    """
    parts = [f"# page {number}"]
    for place, section in enumerate(page.sections):
        if section.heading and section.heading != page.title:
            parts.append(f"{'#' * max(2, section.level)} section s{place}")
        parts.append(rule.sub(" ", section.text))
    return "\n\n".join(parts)


def unnamed(alert: Alert) -> Alert:
    """
    The same without its name.
    """
    return Alert(id=alert.id, name="", at=alert.at, labels=alert.labels, annotations=alert.annotations, expr=alert.expr)


def _renamed(prediction: Prediction, names: Mapping[str, Runbook]) -> Prediction:
    """
    With the ids that pages and sections have where nothing is hidden.
    """
    ranked = []
    for found, p in prediction.ranked:
        path, _, mark = found.partition("#")
        page = names[path]
        place = _PLACE.search(mark)
        marked = page.sections[int(place[1])].anchor if place else page.sections[0].anchor
        ranked.append((f"{page.id}#{marked}" if mark else page.id, p))
    return Prediction(
        question=prediction.question,
        variant=prediction.variant,
        ranked=tuple(ranked),
        none_p=prediction.none_p,
        abstained=prediction.abstained,
    )


def score(directory: Path, predictions: Sequence[Prediction]) -> tuple[Metrics, int]:
    """
    The rank of the right page, and of the right section where the pair has one.
    """
    path = data_file(directory, "runbook_pairs.jsonl")
    rows = {str(row["id"]): row for row in read_lines(path)} if path else {}
    metrics: Metrics = {}
    for variant, found in by_variant(predictions).items():
        ranks: list[int | None] = []
        section_ranks: list[int | None] = []
        first: dict[str, list[float]] = defaultdict(list)
        for identity, row in rows.items():
            ids = found[identity].ids if identity in found else []
            pages = list(dict.fromkeys(one.partition("#")[0] for one in ids))
            right = str(row["runbook"])
            ranks.append(pages.index(right) + 1 if right in pages else None)
            first[right].append(float(ranks[-1] == 1))
            if row.get("section"):
                wanted = f"{right}#{anchor(str(row['section']))}"
                marks = list(dict.fromkeys(f"{one.partition('#')[0]}#{anchor(one.partition('#')[2])}" for one in ids))
                section_ranks.append(marks.index(wanted) + 1 if wanted in marks else None)
        metrics[variant] = rank_measures(ranks) | {"macro_r1": mean([sum(one) / len(one) for one in first.values()])}
        if section_ranks:
            metrics[variant] |= {f"section_{name}": value for name, value in rank_measures(section_ranks).items()}
    return metrics, len(rows)
