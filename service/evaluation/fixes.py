"""
What fixed each incident, in words that stand in its document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from graph.values import Fix, SectionKind
from ingest.connectors.postmortems import incident_of_json
from ingest.errors import BadRecord
from ingest.fixes.extraction import extract_fixes
from service.evaluation.frame import Lab, Metrics, Prediction, data_file, read_lines
from service.evaluation.metrics import mean


def predict(directory: Path, lab: Lab) -> Iterator[Prediction]:
    """
    Every incident of the set, through the postmortems connector.
    """
    for row in _rows(directory):
        fixes = _solutions(row) if "solutions" in row else _fixes(row)
        found = [fix for fix in fixes if fix.worked is not False]
        listed = [{"action": fix.action.value, "target": fix.target, "quote": fix.quote} for fix in found]
        first: Mapping[str, object] = listed[0] if listed else {"action": None, "target": None, "quote": None}
        yield Prediction(
            question=str(row["id"]), variant="whole", abstained=not found, extra={**first, "fixes": listed}
        )


def _rows(directory: Path) -> Iterator[dict[str, object]]:
    path = data_file(directory, "incidents.jsonl")
    if path is None:
        raise FileNotFoundError("incidents.jsonl")
    yield from read_lines(path)


def _fixes(row: Mapping[str, object]) -> tuple[Fix, ...]:
    try:
        return incident_of_json(row, "incidents.jsonl", {}).fixes
    except BadRecord:
        return ()


def _solutions(row: Mapping[str, object]) -> tuple[Fix, ...]:
    """
    Of an injected fault only the recommended actions; its description names the fault and stays closed.
    """
    texts = [text for name in ("solutions", "recommended_actions") for text in _texts(row.get(name))]
    found: list[Fix] = []
    for text in texts:
        found += extract_fixes({SectionKind.RESOLUTION: text}, imperative=True)
    return tuple(found)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def score(directory: Path, predictions: Sequence[Prediction]) -> tuple[Metrics, int]:
    """
    The share of incidents with a fix whose quote stands in the document.
    """
    documents = {str(row["id"]): "\n".join(_texts(row)) for row in _rows(directory)}
    answers = {prediction.question: prediction for prediction in predictions}
    right = []
    for identity, document in documents.items():
        quote = answers[identity].extra.get("quote") if identity in answers else None
        right.append(float(isinstance(quote, str) and bool(quote) and quote in document))
    return {"whole": {"share_with_fix": mean(right)}}, len(documents)
