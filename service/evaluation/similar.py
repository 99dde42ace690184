"""
Which earlier ticket or incident is alike; and the same question with its answers taken away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from graph.contract import Store, Yield
from graph.searching import Scope
from graph.values import Incident, ItemKind, Record, SectionKind, Trust, View
from ingest.parsing import end_of_day, is_date_only, parse_time
from models.indexer import Indexer
from models.precedents import PrecedentQuestion, Precedents
from service.evaluation.frame import Lab, Metrics, Prediction, data_file, read_lines
from service.evaluation.metrics import expected_calibration_error, mean, rank_measures
from service.evaluation.searching import best_of, whole

FAR = datetime(2100, 1, 1, tzinfo=UTC)
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
TEXT = 600
BULK = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """
    One question: its id, its text, when, and which answers are to be taken away for the negative.
    """

    id: str
    text: str
    at: datetime | None
    own: str
    answers: tuple[str, ...]


def predict(directory: Path, lab: Lab) -> Iterator[Prediction]:
    """
    Every question in all variants, then its negative.
    """
    store = lab.store()
    _, asked = stated(directory, store)
    indexer = Indexer(store, lab.embedder())
    indexer.follow(lambda what, done, total: lab.progress(f"{what}: {done} of {total}"))
    found = Precedents(indexer, store, lab.parameters("precedents"))
    for one in asked:
        view = asked_of(one)
        question = PrecedentQuestion(text=one.text, at=one.at)
        yield whole(one.id, "whole", found.rank(question, view))
        scope = Scope(view=view, kinds=(ItemKind.INCIDENT,), before=one.at)
        yield Prediction(
            question=one.id, variant="lexical", ranked=tuple(best_of(indexer.search_lexical(one.text, 120, scope)))
        )
        yield Prediction(
            question=one.id, variant="dense", ranked=tuple(best_of(indexer.search_dense(one.text, 120, scope)))
        )
        yield whole(f"{one.id}:negative", "whole", found.rank(question, asked_of(one, negative=True)))


def stated(directory: Path, store: Store) -> tuple[list[Incident], list[Asked]]:
    """
    The set's documents, put into a store, and its questions.
    """
    documents, asked = _read(directory)
    for start in range(0, len(documents), BULK):
        part = documents[start : start + BULK]
        store.append([_record(one.id) for one in part])
        store.apply([Yield(record=f"r-{one.id}", items=(one,), trust=Trust.DECLARED) for one in part])
    return documents, asked


def asked_of(one: Asked, *, negative: bool = False) -> View:
    """
    From where a question is asked: without itself, and for the negative without its answers.
    """
    hidden = ({one.own} if one.own else set()) | (set(one.answers) if negative else set())
    return View(as_of=FAR, known_at=FAR, hidden=frozenset(f"r-{name}" for name in hidden))


def _record(identity: str) -> Record:
    digest = hashlib.sha256(identity.encode()).hexdigest()
    return Record(
        id=f"r-{identity}",
        source="set",
        connector="postmortems",
        part=identity,
        body="",
        digest=digest,
        received_at=FIRST,
    )


def _read(directory: Path) -> tuple[list[Incident], list[Asked]]:
    if data_file(directory, "tickets.jsonl"):
        return _tickets(directory)
    if data_file(directory, "incidents.jsonl"):
        return _incidents(directory)
    if data_file(directory, "icco.jsonl"):
        return _public(directory)
    raise FileNotFoundError("tickets.jsonl, incidents.jsonl or icco.jsonl")


def _lines(directory: Path, name: str) -> Iterator[dict[str, object]]:
    path = data_file(directory, name)
    if path:
        yield from read_lines(path)


def _moment(value: object, place: int) -> datetime:
    """
    A date means the end of that day; without one, the place in the file orders.
    """
    if not value:
        return FIRST + timedelta(seconds=place)
    moment = parse_time(value)
    return end_of_day(moment) if is_date_only(value) else moment


def _tickets(directory: Path) -> tuple[list[Incident], list[Asked]]:
    documents, times, texts = [], {}, {}
    for place, row in enumerate(_lines(directory, "tickets.jsonl")):
        identity = str(row["id"])
        at = _moment(row.get("created"), place)
        body = str(row.get("body") or "")
        documents.append(_document(identity, str(row.get("title") or ""), at, {SectionKind.DETECTION: body[:TEXT]}))
        times[identity], texts[identity] = at, f"{row.get('title') or ''}\n{body[:TEXT]}"
    asked = []
    for row in _lines(directory, "duplicates.jsonl"):
        query = str(row["query_id"])
        if query in times and not (row.get("same_title") or row.get("names_answer")):
            answers = [str(one) for one in _list(row.get("answers")) if times.get(str(one), FAR) < times[query]]
            if answers:
                asked.append(Asked(query, texts[query], times[query], query, tuple(answers)))
    return documents, asked


def _document(identity: str, title: str, at: datetime | None, sections: Mapping[SectionKind, str]) -> Incident:
    return Incident(id=identity, title=title, at=at, sections={kind: text for kind, text in sections.items() if text})


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


_FIELDS: Mapping[str, SectionKind] = {
    "summary": SectionKind.SUMMARY, "impact": SectionKind.IMPACT, "identified": SectionKind.DETECTION, "what_happened": SectionKind.CAUSE,
    "context": SectionKind.TIMELINE, "resolution": SectionKind.RESOLUTION,
}  # fmt: skip
_QUESTION = ("triggering_alert", "impact", "identified", "impact_time")


def _incidents(directory: Path) -> tuple[list[Incident], list[Asked]]:
    documents, times, rows = [], {}, {}
    for place, row in enumerate(_lines(directory, "incidents.jsonl")):
        identity = str(row["id"])
        rows[identity] = row
        times[identity] = _moment(row.get("date"), place)
        sections = {kind: str(row[name]) for name, kind in _FIELDS.items() if row.get(name)}
        one = _document(identity, str(row.get("title") or ""), times[identity], sections)
        alerts = (str(row["triggering_alert"]),) if row.get("triggering_alert") else ()
        documents.append(replace(one, alerts=alerts))
    asked = []
    for row in _lines(directory, "recurrences.jsonl"):
        query = str(row["incident"])
        earlier = [str(one["id"]) for one in _list(row.get("similar_earlier")) if isinstance(one, dict)]
        answers = tuple(one for one in earlier if query in times and times.get(one, FAR) < times[query])
        if answers:
            asked.append(Asked(query, _text(rows[query]), times[query], query, answers))
    return documents, asked


def _text(row: Mapping[str, object]) -> str:
    parts = [str(row[name]) for name in _QUESTION if row.get(name)]
    if not parts and row.get("summary"):
        parts = [str(row["summary"])[:300]]
    return "\n".join([str(row.get("title") or ""), *parts])


def _public(directory: Path) -> tuple[list[Incident], list[Asked]]:
    documents = [
        _document(str(row["id"]), "", None, {SectionKind.SUMMARY: str(row.get("body") or "")})
        for row in _lines(directory, "icco.jsonl")
    ]
    asked = [
        Asked(str(row["query_id"]), str(row["query"]), None, "", (str(row["answer_id"]),))
        for row in _lines(directory, "same_incident_pairs.jsonl")
    ]
    return documents, asked


def score(directory: Path, predictions: Sequence[Prediction]) -> tuple[Metrics, int]:
    """
    Ranks of the first right answer; how often it is sure and wrong on questions without one.
    """
    _, asked = _read(directory)
    found = {(one.variant, one.question): one for one in reversed(predictions)}
    metrics: Metrics = {}
    for variant in ("whole", "lexical", "dense"):
        ranks = []
        for one in asked:
            prediction = found.get((variant, one.id))
            ids = prediction.ids if prediction else []
            ranks.append(next((place for place, name in enumerate(ids, 1) if name in one.answers), None))
        metrics[variant] = rank_measures(ranks)
    negatives = [found.get(("whole", f"{one.id}:negative")) for one in asked]
    positives = [(found.get(("whole", one.id)), one) for one in asked]
    metrics["whole"] |= {
        "false_confident": mean([float(one is None or not one.abstained) for one in negatives]),
        "true_confident": mean(
            [float(not one.abstained) for one, answer in positives if one is not None and _right(one, answer)]
        ),
        "ece": expected_calibration_error(
            [(_top(one), _right(one, answer)) for one, answer in positives] + [(_top(one), False) for one in negatives]
        ),
    }
    return metrics, len(asked)


def _top(prediction: Prediction | None) -> float:
    if prediction is None:
        return 1.0
    return prediction.ranked[0][1] or 0.0 if prediction.ranked else 0.0


def _right(prediction: Prediction | None, asked: Asked) -> bool:
    return bool(prediction and prediction.ranked and prediction.ids[0] in asked.answers)
