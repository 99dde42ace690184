"""
`scripts/evaluate SET DIR [--json] [--predictions FILE]`: answers first, truth afterwards, one line of result;
`scripts/evaluate all DIR`: every set below DIR (`service.evaluation.totals`).
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO, cast

from service.evaluation import totals
from service.evaluation.frame import Evaluation, Lab, Metrics, Prediction

SETS = ("runbooks", "similar", "changes", "rootcause", "owners", "fixes")


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Exit 0 when scored, 2 on wrong use.
    """
    options = _parser().parse_args(arguments)
    if not options.directory.is_dir():
        print(f"scripts/evaluate: no such directory: {options.directory}", file=sys.stderr)
        return 2
    if options.set == "all":
        return totals.run(options.directory, evaluate)
    try:
        result = evaluate(options.set, options.directory, options.predictions)
    except FileNotFoundError as error:
        print(f"scripts/evaluate: {options.directory} is not a set of kind {options.set}: {error}", file=sys.stderr)
        return 2
    if not options.json:
        print(table(cast(Metrics, result["metrics"])))
    print(json.dumps(result), flush=True)
    return 0


def evaluate(name: str, directory: Path, target: Path | None) -> dict[str, object]:
    """
    Answer every question of a set, write the answers to `target`, then score them.
    """
    module = cast(Evaluation, importlib.import_module(f"service.evaluation.{name}"))
    started = time.perf_counter()
    with Lab(directory) as lab:
        predictions = _answer(module, directory, lab, target)
        seconds = time.perf_counter() - started
        metrics, n = module.score(directory, predictions)
        seen = lab.seen
    return {
        "set": name,
        "dir": str(directory),
        "seen": seen,
        "n": n,
        "seconds": round(seconds, 1),
        "metrics": {variant: _rounded(measures) for variant, measures in metrics.items()},
    }


def _answer(module: Evaluation, directory: Path, lab: Lab, target: Path | None) -> list[Prediction]:
    predictions: list[Prediction] = []
    stream: TextIO | None = target.open("w", encoding="utf-8") if target else None
    try:
        for prediction in module.predict(directory, lab):
            predictions.append(prediction)
            if stream:
                stream.write(prediction.line() + "\n")
            if len(predictions) % 500 == 0:
                lab.progress(f"{len(predictions)} answers")
    finally:
        if stream:
            stream.close()
    return predictions


def _rounded(measures: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 4) for name, value in measures.items()}


def table(metrics: Metrics) -> str:
    """
    The measures for a person: a line per variant.
    """
    lines = []
    for variant, measures in metrics.items():
        shown = "  ".join(f"{name} {'-' if value is None else f'{value:.3f}'}" for name, value in measures.items())
        lines.append(f"{variant:16} {shown}")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/evaluate", description="Score the product on a labelled set.")
    parser.add_argument("set", choices=(*SETS, "all"))
    parser.add_argument("directory", type=Path)
    parser.add_argument("--json", action="store_true", help="print nothing but the result line")
    parser.add_argument("--predictions", type=Path, help="write every answer as a JSON line to this file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
