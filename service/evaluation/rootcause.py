"""
Which commit broke it, or none, from a frozen incident: alert, signals, commits, deploys, flags.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from graph.contract import Store
from graph.values import View
from ingest.alerts import read_alerts
from ingest.contract import Source
from ingest.journal import admit
from ingest.pipeline import drain
from models.facets import alert_text
from models.suspects import Signals, SuspectQuestion, Suspects
from service.evaluation.frame import Lab, Metrics, Prediction
from service.evaluation.metrics import mean

Row = dict[str, object]


def predict(directory: Path, lab: Lab) -> Iterator[Prediction]:
    """
    Each folder by itself, in a fresh store.
    """
    folders = _folders(directory)
    if not folders:
        raise FileNotFoundError("folders with alert.json")
    for folder in folders:
        lab.progress(folder.name)
        yield _answer(folder, lab.store(), lab)


def _folders(directory: Path) -> list[Path]:
    return sorted(path.parent for path in directory.glob("*/alert.json"))


def _load(path: Path) -> list[Row]:
    rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _answer(folder: Path, store: Store, lab: Lab) -> Prediction:
    alert = read_alerts((folder / "alert.json").read_bytes(), {})[0]
    _ingest(folder, store)
    traces, patterns = _load(folder / "traces.json"), _load(folder / "patterns.json")
    failing = _failing(traces, patterns)
    service = alert.labels.get("service", "")
    services = {f"service:{service}".lower(): 0.5} | {
        f"service:{name}".lower(): 0.9 / (place + 1) for place, name in enumerate(failing[:3])
    }
    notes = _notes(folder)
    signals = Signals(patterns=_growth(patterns), failing=failing, notes=notes)
    question = SuspectQuestion(at=alert.at, services=services, text=alert_text(alert), signals=signals)
    view = View(as_of=alert.at, known_at=alert.at)
    commits = {str(row.get("sha")) for row in _load(folder / "context" / "commits.json")}
    ranking = Suspects(store, lab.parameters("suspects")).rank(question, view)
    ranked = [(one.id, round(one.probability, 6)) for one in ranking.candidates if one.id in commits][:50]
    none = round(ranking.none_probability, 6)
    blast = sorted({str(row.get("service")) for row in traces if _failed(row)} | ({service} if service else set()))
    return Prediction(
        question=folder.name,
        variant="whole",
        ranked=tuple(ranked),
        none_p=none,
        abstained=not ranked or none >= ranked[0][1],
        extra={"first_failing": failing[0] if failing else service, "blast_radius": blast},
    )


def _ingest(folder: Path, store: Store) -> None:
    """
    Commits as changes of the service that was deployed with them, else of the service that their files name.
    """
    deploys = _load(folder / "context" / "deploys.json")
    carried: dict[str, Row] = {}
    for row in deploys:
        carried.setdefault(str(row.get("commit_sha")), row)
    names = {
        str(row.get("service")) for row in [*deploys, *_load(folder / "traces.json"), *_load(folder / "patterns.json")]
    } - {"None"}
    lines = []
    for commit in _load(folder / "context" / "commits.json"):
        deploy = carried.get(str(commit.get("sha")))
        services = [str(deploy["service"])] if deploy else _named(commit, names)
        row = {
            "id": commit["sha"], "at": commit["timestamp"], "title": commit.get("message"), "actor": commit.get("author"),
            "files": commit.get("files_changed"), "text": commit.get("diff"), "services": services, "kind": "code",
        }  # fmt: skip
        lines.append(json.dumps({key: value for key, value in row.items() if value}))
    admit(store, Source(name="commits", connector="changes"), "\n".join(lines).encode(), {"path": "commits.jsonl"})
    drain(store)


def _named(commit: Row, names: set[str]) -> list[str]:
    files = commit.get("files_changed")
    text = " ".join(str(one) for one in files).lower() if isinstance(files, list) else ""
    return sorted(
        name
        for name in names
        if name.lower() in text or name.lower().removesuffix("service").strip("-") in text.replace("/", " ").split()
    )


def _failed(span: Row) -> bool:
    return str(span.get("status", "")).upper() not in ("OK", "UNSET", "")


def _failing(traces: Sequence[Row], patterns: Sequence[Row]) -> tuple[str, ...]:
    """
    Services that fail by themselves (a failed span without a failed child), most first; else those whose logs grew most.
    """
    failed = [span for span in traces if _failed(span)]
    parents = {str(span.get("parent_id")) for span in failed}
    leaves = Counter(str(span.get("service")) for span in failed if str(span.get("span_id")) not in parents)
    grown = Counter({service: growth for service, _, growth in _growth(patterns)})
    return tuple(dict.fromkeys([name for name, _ in leaves.most_common()] + [name for name, _ in grown.most_common(2)]))


def _growth(patterns: Sequence[Row]) -> tuple[tuple[str, str, float], ...]:
    """
    Log patterns that grew and sound bad, most first.
    """
    rows = []
    for row in patterns:
        digits = "".join(char for char in str(row.get("delta_vs_baseline", "0")) if char.isdigit() or char == ".")
        growth = float(digits) if digits.strip(".") else 0.0
        if row.get("sentiment") == "negative" and growth > 0:
            rows.append((str(row.get("service")), str(row.get("signature")), growth))
    return tuple(sorted(rows, key=lambda one: -one[2])[:12])


def _notes(folder: Path) -> tuple[str, ...]:
    feed = folder / "status_feed.json"
    return (f"status page: {feed.read_text(encoding='utf-8')[:2000]}",) if feed.is_file() else ()


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
