"""
`scripts/evaluate all DIR`: every set in every folder below DIR, the totals into docs/quality.json and docs/quality.md.

The totals are committed, so that a change of weights shows in the diff: one figure a line, in a fixed order. Figures
that differ from run to run (seconds) are left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from service.evaluation.frame import Metrics, data_file

DOCS = Path(__file__).resolve().parents[2] / "docs"
BEGIN, END = "<!-- totals: made by scripts/evaluate all -->", "<!-- end of totals -->"
SHOWN: Mapping[str, tuple[str, ...]] = {
    "runbooks": ("r1", "r10", "mrr", "macro_r1", "section_r1"),
    "similar": ("r1", "r10", "mrr", "false_confident", "true_confident", "ece"),
    "changes": ("hit1", "hit3", "mrr", "ece", "n", "none_hit"),
    "rootcause": ("passed", "total", "decoy_hits", "none_passed", "none_total", "first_failing", "blast_f1"),
    "owners": (
        "lookup_top1", "drift_top1", "service_top1", "coverage", "set_size", "refusal_auroc", "team_top1", "ece",
    ),
    "fixes": ("share_with_fix",),
}  # fmt: skip


def _has(*names: str) -> Callable[[Path], bool]:
    return lambda folder: any(data_file(folder, name) is not None for name in names)


DETECTED: Mapping[str, Callable[[Path], bool]] = {
    "owners": lambda folder: _has("ownership.jsonl", "services.jsonl")(folder) or _says_whose(folder),
    "changes": _has("reverted_changes.jsonl", "config_reverts.jsonl"),
    "rootcause": lambda folder: any(folder.glob("*/ground_truth.json")),
    "runbooks": _has("runbook_pairs.jsonl"),
    "similar": _has("duplicates.jsonl", "recurrences.jsonl", "same_incident_pairs.jsonl"),
    "fixes": lambda folder: _has("incidents.jsonl")(folder) or any(folder.glob("**/solutions*")),
}


def _says_whose(folder: Path) -> bool:
    """
    Whether its alerts carry a service or team.
    """
    path = data_file(folder, "alerts.jsonl")
    if path is None:
        return False
    with path.open(encoding="utf-8") as lines:
        first = json.loads(next(lines, "{}"))
    return bool(first.get("service") or first.get("team"))


def sets_below(root: Path) -> Iterator[tuple[str, Path]]:
    """
    (set, folder) of all that can be scored below a folder.
    """
    for name, there in DETECTED.items():
        for folder in sorted(path for path in root.iterdir() if path.is_dir()):
            if there(folder):
                yield name, folder


def run(root: Path, evaluate: Callable[[str, Path, Path | None], dict[str, object]]) -> int:
    """
    Score all, write the totals; exit 2 where there is nothing to score.
    """
    totals: dict[str, dict[str, object]] = {}
    for name, folder in sets_below(root):
        print(f"{name} {folder.name} ...", file=sys.stderr, flush=True)
        result = evaluate(name, folder, None)
        totals[f"{name} {folder.name}"] = {key: result[key] for key in ("seen", "n", "metrics")}
    if not totals:
        print(f"scripts/evaluate: no labelled set below {root}", file=sys.stderr)
        return 2
    (DOCS / "quality.json").write_text(json.dumps(totals, indent=1) + "\n", encoding="utf-8")
    page = DOCS / "quality.md"
    text = page.read_text(encoding="utf-8") if page.is_file() else f"# Quality\n\n{BEGIN}\n{END}\n"
    head, _, rest = text.partition(BEGIN)
    page.write_text(f"{head}{BEGIN}\n{tables(totals)}{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0


def tables(totals: Mapping[str, Mapping[str, object]]) -> str:
    """
    A Markdown table for each set: a line per folder and variant.
    """
    parts = []
    for name, measures in SHOWN.items():
        rows = list(_rows(name, measures, totals))
        if rows:
            head = f"| {name} | variant | n | " + " | ".join(measures) + " |"
            parts.append("\n".join(["", head, "| --- " * (len(measures) + 3) + "|", *rows, ""]))
    return "\n".join(parts)


def _rows(name: str, measures: Sequence[str], totals: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    for key, result in totals.items():
        kind, _, folder = key.partition(" ")
        if kind != name:
            continue
        mark = " *" if result["seen"] else ""
        for variant, found in cast(Metrics, result["metrics"]).items():
            cells = ["" if found.get(measure) is None else f"{found[measure]:.3g}" for measure in measures]
            yield f"| {folder}{mark} | {variant} | {result['n']} | " + " | ".join(cells) + " |"
