"""
Which change was taken back, from the moment of the revert and one hurt area; rollbacks and named culprits apart.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from graph.contract import Store
from graph.values import Change, Statement, View
from ingest.contract import Source
from ingest.journal import admit
from ingest.parsing import end_of_day, parse_time
from ingest.pipeline import drain
from models.paths import area_of, areas_of
from models.suspects import SuspectQuestion, Weighing, rank, weighing
from service.evaluation.frame import Lab, Metrics, Prediction, by_variant, data_file, read_lines
from service.evaluation.metrics import expected_calibration_error, mean

WINDOW = timedelta(days=7)
_REVERT = re.compile(r"^\W*(?:re-?revert|revert|re-?apply|reapply|roll(?:ed)?[ -]?back|undo|back out)\b", re.IGNORECASE)
TRUTH = ("reverted_changes.jsonl", "config_reverts.jsonl")
LOGS = ("changes.jsonl", "config_changes.jsonl")


@dataclass(frozen=True, slots=True)
class Log:
    """
    A change log in order of time, as the product holds it.
    """

    changes: tuple[Statement[Change], ...]
    times: tuple[datetime, ...]

    @classmethod
    def of(cls, statements: Sequence[Statement[Change]]) -> Log:
        """
        Sorted.
        """
        ordered = sorted(statements, key=lambda one: (one.item.at, one.item.id))
        return cls(tuple(ordered), tuple(one.item.at for one in ordered))

    def before(self, at: datetime) -> tuple[Statement[Change], ...]:
        """
        Those strictly earlier, at most seven days old.
        """
        return self.changes[bisect_left(self.times, at - WINDOW) : bisect_left(self.times, at)]


def ingested(store: Store, directory: Path, names: Sequence[str], lab: Lab) -> Log | None:
    """
    The set's change log through the product's own connector.
    """
    paths = [path for name in names if (path := data_file(directory, name))]
    if not paths:
        return None
    for path in paths:
        lab.progress(f"reading {path.name}")
        admit(store, Source(name=path.name, connector="changes"), path.read_bytes(), {"path": path.name})
    drain(store)
    return Log.of(store.changes(_everything(), limit=10_000_000))


def _everything() -> View:
    far = parse_time("2100-01-01T00:00:00Z")
    return View(as_of=far, known_at=far)


def predict(directory: Path, lab: Lab) -> Iterator[Prediction]:
    """
    Reverts in all variants, then rollbacks and incidents.
    """
    log = ingested(lab.store(), directory, LOGS, lab)
    by = weighing(lab.parameters("suspects"))
    if log:
        for identity, at, area in questions(directory, log):
            found = candidates(log, at)
            yield _whole(identity, found, SuspectQuestion(at=at, areas=(area,)), by)
            yield _ordered(identity, "latest", sorted(found, key=_newest))
            yield _ordered(
                identity,
                "latest_on_area",
                sorted(found, key=lambda one: (area not in areas_of(one.item.files), *_newest(one))),
            )
            files = _files_of(log, identity)
            yield _ordered(
                identity, "with_files", sorted(found, key=lambda one: (-_overlap(one.item.files, files), *_newest(one)))
            )
    yield from _incidents(directory, log, by)
    yield from _rollbacks(directory, lab, by)


def _newest(one: Statement[Change]) -> tuple[float, str]:
    return (-one.item.at.timestamp(), one.item.id)


def questions(directory: Path, log: Log) -> Iterator[tuple[str, datetime, str]]:
    """
    (revert, its moment, the area with most of its files), from the log alone.
    """
    path = data_file(directory, *TRUTH)
    by_id = {one.item.id: one.item for one in log.changes}
    seen: set[str] = set()
    for row in read_lines(path) if path else ():
        identity = str(row["revert_id"])
        files = row.get("files") or (by_id[identity].files if identity in by_id else ())
        if identity in seen or not isinstance(files, list | tuple) or not files:
            continue
        seen.add(identity)
        counts = Counter(area_of(str(name)) for name in files)
        area = min(counts, key=lambda name: (-counts[name], name))
        yield identity, parse_time(row["ts"]), area


def candidates(log: Log, at: datetime) -> list[Statement[Change]]:
    """
    What may be asked about at a moment: no merges, nothing older than seven days.
    """
    return [one for one in log.before(at) if not one.item.merge]


def _whole(
    identity: str,
    found: Sequence[Statement[Change]],
    question: SuspectQuestion,
    by: Weighing,
) -> Prediction:
    ranking = rank(found, question, by)
    ranked = tuple((one.id, round(one.probability, 6)) for one in ranking.candidates[:50])
    return Prediction(
        question=identity,
        variant="whole",
        ranked=ranked,
        none_p=round(ranking.none_probability, 6),
        abstained=ranking.abstained,
    )


def _ordered(identity: str, variant: str, found: Sequence[Statement[Change]]) -> Prediction:
    return Prediction(question=identity, variant=variant, ranked=tuple((one.item.id, None) for one in found[:50]))


def _files_of(log: Log, identity: str) -> frozenset[str]:
    return next((frozenset(one.item.files) for one in log.changes if one.item.id == identity), frozenset())


def _overlap(left: Sequence[str], right: frozenset[str]) -> float:
    union = len(right | set(left))
    return len(right & set(left)) / union if union else 0.0


def _incidents(directory: Path, log: Log | None, by: Weighing) -> Iterator[Prediction]:
    path = data_file(directory, "culprits.jsonl")
    incidents = data_file(directory, "incidents.jsonl")
    if not (path and incidents and log):
        return
    asked = {str(row["incident"]) for row in read_lines(path)}
    for row in read_lines(incidents):
        if str(row["id"]) in asked and row.get("date"):
            at = end_of_day(parse_time(row["date"]))
            text = " ".join(str(row.get(name) or "") for name in ("title", "triggering_alert", "impact"))
            question = SuspectQuestion(at=at, text=text)
            yield replace(_whole(str(row["id"]), candidates(log, at), question, by), variant="incident")


def _rollbacks(directory: Path, lab: Lab, by: Weighing) -> Iterator[Prediction]:
    path = data_file(directory, "rollbacks.jsonl")
    deploys = [one.name for one in sorted(directory.glob("deploys*.csv*"))]
    if not path or not deploys:
        return
    log = ingested(lab.store(), directory, deploys, lab)
    if log is None:
        return
    asked = set()
    for row in read_lines(path):
        clean = row.get("clean", int(str(row.get("apps_rolled_back_within_1h", 99))) <= 3)
        if clean and row["id"] not in asked:
            asked.add(row["id"])
            at = parse_time(row["ts"])
            found = candidates(log, at)
            prediction = _whole(str(row["id"]), found, SuspectQuestion(at=at), by)
            yield replace(prediction, variant="rollback")
            yield _ordered(str(row["id"]), "rollback_latest", sorted(found, key=_newest))


def score(directory: Path, predictions: Sequence[Prediction]) -> tuple[Metrics, int]:
    """
    hit@k of the change that was taken back.
    """
    truth = _truth(directory)
    found = by_variant(predictions)
    metrics: Metrics = {}
    for variant in ("whole", "latest", "latest_on_area", "with_files"):
        metrics[variant] = _measures(found.get(variant, {}), truth, ece=variant == "whole")
    rolled = _rolled(directory)
    for variant in ("rollback", "rollback_latest"):
        if variant in found:
            metrics[variant] = _measures(found[variant], rolled, ece=variant == "rollback")
    if "incident" in found:
        metrics["incident"] = _culprits(directory, found["incident"])
    return metrics, len(truth)


def _truth(directory: Path) -> dict[str, set[str]]:
    """
    revert -> culprit, without what the rules leave out.
    """
    path = data_file(directory, *TRUTH)
    logs = [found for name in LOGS if (found := data_file(directory, name))]
    rows = {str(row["id"]): row for log in logs for row in read_lines(log)}
    truth: dict[str, set[str]] = {}
    asked: set[str] = set()
    for row in read_lines(path) if path else ():
        revert, culprit = str(row["revert_id"]), str(row.get("culprit_id"))
        change = rows.get(culprit)
        files = row.get("files") or (rows.get(revert) or {}).get("files")
        if change is None or culprit in asked or revert in truth or not files or change.get("merge"):
            continue
        lag = parse_time(row["ts"]) - parse_time(change["ts"])
        subject = str(change.get("subject", ""))
        if not timedelta(0) < lag <= WINDOW or change.get("reverts") or _REVERT.match(subject):
            continue
        asked.add(culprit)
        truth[revert] = {culprit}
    return truth


def _rolled(directory: Path) -> dict[str, set[str]]:
    path = data_file(directory, "rollbacks.jsonl")
    truth: dict[str, set[str]] = {}
    for row in read_lines(path) if path else ():
        culprits = row.get("culprit_deploys")
        if row.get("clean", int(str(row.get("apps_rolled_back_within_1h", 99))) <= 3) and isinstance(culprits, list):
            truth.setdefault(str(row["id"]), {str(one) for one in culprits})
    return truth


def _measures(found: Mapping[str, Prediction], truth: Mapping[str, set[str]], *, ece: bool) -> dict[str, float | None]:
    ranks = []
    pairs = []
    for question, answers in truth.items():
        prediction = found.get(question)
        ids = prediction.ids if prediction else []
        ranks.append(next((place for place, name in enumerate(ids, 1) if name in answers), None))
        top = prediction.ranked[0][1] if prediction and prediction.ranked else 1.0 if prediction is None else 0.0
        pairs.append((top or 0.0, ranks[-1] == 1))
    measures: dict[str, float | None] = {
        f"hit{k}": mean([float(rank is not None and rank <= k) for rank in ranks]) for k in (1, 3, 5)
    }
    measures["mrr"] = mean([1 / rank if rank else 0.0 for rank in ranks])
    measures["ece"] = expected_calibration_error(pairs) if ece else None
    return measures


def _culprits(directory: Path, found: Mapping[str, Prediction]) -> dict[str, float | None]:
    path = data_file(directory, "culprits.jsonl")
    rows = list(read_lines(path)) if path else []
    none_right = [
        found[str(row["incident"])].abstained
        for row in rows
        if row.get("cause_kind") != "change" and str(row["incident"]) in found
    ]
    truth: dict[str, set[str]] = {}
    for row in rows:
        culprits = row.get("culprit_changes")
        if row.get("cause_kind") == "change" and isinstance(culprits, list):
            truth[str(row["incident"])] = {str(one) for one in culprits}
    return _measures(found, truth, ece=False) | {"none_hit": mean([float(one) for one in none_right])}
