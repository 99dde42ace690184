"""
Which commit broke it, or none, from a frozen incident: alert, signals, commits, deploys, flags.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from graph.contract import Store
from graph.values import Alert, EntityKind, View, entity_id
from ingest.alerts import read_alerts
from ingest.contract import Source
from ingest.journal import admit
from ingest.pipeline import drain
from models.facets import alert_text
from models.signals import Signals
from models.suspects import SuspectQuestion, Suspects
from service.evaluation.frame import Lab, Metrics, Prediction, digests
from service.evaluation.metrics import mean
from service.evaluation.telemetry import failed, rows_of, signals_of

Row = Mapping[str, object]


def predict(directory: Path, lab: Lab) -> Iterator[Prediction]:
    """
    Each folder by itself, in a fresh store, by parameters that did not learn from it.
    """
    folders = _folders(directory)
    if not folders:
        raise FileNotFoundError("folders with alert.json")
    for folder in folders:
        lab.progress(folder.name)
        yield _answer(folder, lab.store(), lab)


def _folders(directory: Path) -> list[Path]:
    return sorted(path.parent for path in directory.glob("*/alert.json"))


def asked(folder: Path) -> tuple[Alert, SuspectQuestion]:
    """
    The alert of a folder and the question about it.
    """
    alert = read_alerts((folder / "alert.json").read_bytes(), {})[0]
    signals = signals_of(folder, alert.at)
    service = alert.labels.get("service", "")
    services = {entity_id(EntityKind.SERVICE, service): 1.0} if service else {}
    return alert, SuspectQuestion(at=alert.at, services=services, text=alert_text(alert), signals=signals)


def _answer(folder: Path, store: Store, lab: Lab) -> Prediction:
    alert, question = asked(folder)
    ingest(folder, store)
    view = View(as_of=alert.at, known_at=alert.at)
    commits = {str(row.get("sha")) for row in rows_of(folder / "context" / "commits.json")}
    ranking = Suspects(store, lab.parameters("suspects", digests(folder))).rank(question, view)
    ranked = [(one.id, round(one.probability, 6)) for one in ranking.candidates if one.id in commits][:50]
    none = round(ranking.none_probability, 6)
    service = alert.labels.get("service", "")
    return Prediction(
        question=folder.name,
        variant="whole",
        ranked=tuple(ranked),
        none_p=none,
        abstained=not ranked or none >= ranked[0][1],
        extra={
            "first_failing": next(iter(question.signals.first()), service),
            "blast_radius": _blast(folder, question.signals, service),
        },
    )


def _blast(folder: Path, signals: Signals, service: str) -> list[str]:
    """
    What fails beside the first: whoever has failed spans, bad patterns or bad metrics.
    """
    first = next(iter(signals.first()), service)
    spans = {str(row.get("service")) for row in rows_of(folder / "traces.json") if failed(row)}
    logs = {name for name, _, _ in signals.patterns}
    metrics = {delta.service for delta in signals.metrics if not delta.traffic}
    return sorted((spans | logs | metrics | ({service} - {""})) - {first})


def ingest(folder: Path, store: Store) -> None:
    """
    Commits and deploys as the product's connector reads them; a commit is of the services that its files name.
    """
    deploys = rows_of(folder / "context" / "deploys.json")
    others = [*rows_of(folder / "traces.json"), *rows_of(folder / "patterns.json")]
    names = {str(row.get("service")) for row in [*deploys, *others]} - {"None"}
    lines = []
    for commit in rows_of(folder / "context" / "commits.json"):
        row = {
            "id": commit["sha"], "at": commit["timestamp"], "title": commit.get("message"), "actor": commit.get("author"),
            "files": commit.get("files_changed"), "text": commit.get("diff"), "services": _named(commit, names), "kind": "code",
        }  # fmt: skip
        lines.append(json.dumps({key: value for key, value in row.items() if value}))
    for number, deploy in enumerate(deploys):
        row = {
            "id": f"deploy-{number}", "at": deploy["timestamp"], "services": [deploy["service"]], "kind": "deploy",
            "revision": deploy.get("commit_sha"), "title": f"{deploy['service']} {deploy.get('version', '')}",
        }  # fmt: skip
        lines.append(json.dumps({key: value for key, value in row.items() if value}))
    admit(store, Source(name="changes", connector="changes"), "\n".join(lines).encode(), {"path": "changes.jsonl"})
    drain(store)


def _named(commit: Row, names: set[str]) -> list[str]:
    """
    The services whose name is a part of a file's path.
    """
    files = commit.get("files_changed")
    parts = {part.lower() for one in files for part in str(one).split("/")} if isinstance(files, Sequence) else set()
    return sorted(name for name in names if {name.lower(), name.lower().removesuffix("service").strip("-")} & parts)


def score(directory: Path, predictions: Sequence[Prediction]) -> tuple[Metrics, int]:
    """
    The argmax of suspects and "none" against the truth; ties go to none.
    """
    answers = {one.question: one for one in predictions}
    passed = decoys = none_passed = none_total = 0
    first: list[float] = []
    f1: list[float] = []
    folders = _folders(directory)
    for folder in folders:
        truth = json.loads((folder / "ground_truth.json").read_text(encoding="utf-8"))
        one = answers.get(folder.name)
        none = one is None or not one.ranked or (one.none_p or 0.0) >= (one.ranked[0][1] or 0.0)
        said = "none" if none or one is None else one.ids[0]
        cause = truth.get("root_cause_commit") or "none"
        passed += one is not None and said == cause
        decoys += said in set(truth.get("decoy_deploy_commits") or [])
        none_total += cause == "none"
        none_passed += cause == "none" and said == "none" and one is not None
        first.append(float(one is not None and one.extra.get("first_failing") == truth.get("first_failing_service")))
        f1.append(_f1(_set(one.extra.get("blast_radius")) if one else set(), _set(truth.get("blast_radius"))))
    measures: dict[str, float | None] = {
        "passed": float(passed), "total": float(len(folders)), "decoy_hits": float(decoys), "none_passed": float(none_passed),
        "none_total": float(none_total), "first_failing": mean(first), "blast_f1": mean(f1),
    }  # fmt: skip
    return {"whole": measures}, len(folders)


def _set(value: object) -> set[str]:
    return {str(one) for one in value} if isinstance(value, list) else set()


def _f1(found: set[str], truth: set[str]) -> float:
    both = len(found & truth)
    return 2 * both / (len(found) + len(truth)) if found or truth else 1.0
