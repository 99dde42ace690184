"""
`scripts/simulate DIR`: write a made organisation.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields
from pathlib import Path

from tests.simulation.events import Shape
from tests.simulation.writing import simulate

NUMBERS = {
    "services": "services", "days": "days of history", "changes": "innocent changes", "incidents": "incidents",
    "seed": "the same seed gives the same bytes",
}  # fmt: skip
SHARES = {
    "caused": "of incidents, that a change caused", "confounded": "that innocent changes came just before",
    "quiet": "of culprits, that say nothing of the symptom", "seen-above": "where only callers alert",
    "named": "whose postmortem names the cause",
}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """
    0 ok, 1 where the folder holds something else, 2 wrong use.
    """
    defaults = {one.name: one.default for one in fields(Shape)}
    parser = argparse.ArgumentParser(
        prog="scripts/simulate", description="Write a made organisation, with its truth apart."
    )
    parser.add_argument("folder", type=Path, help="where to; empty, or one that this wrote before")
    for name, says in NUMBERS.items():
        parser.add_argument(f"--{name}", type=int, default=defaults[name], help=f"{says} (default %(default)s)")
    for name, says in SHARES.items():
        parser.add_argument(
            f"--{name}",
            type=float,
            default=defaults[name.replace("-", "_")],
            help=f"share {says} (default %(default)s)",
        )
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = vars(parser.parse_args(arguments))
    folder, as_json = given.pop("folder"), given.pop("json")
    problem = _problem(given) or _occupied(folder)
    if problem:
        print(f"scripts/simulate: {problem}", file=sys.stderr)
        return 1 if _occupied(folder) else 2
    found = simulate(folder, Shape(**given))
    print(
        json.dumps(found)
        if as_json
        else "\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in found.items())
    )
    return 0


def _problem(given: dict[str, float]) -> str:
    if given["services"] < 3 or given["days"] < 3 or given["incidents"] < 1 or given["changes"] < 0:
        return "give at least 3 services, 3 days and 1 incident"
    wrong = [name for name in SHARES if not 0 <= given[name.replace("-", "_")] <= 1]
    return f"--{wrong[0]} is a share; write a number from 0 to 1" if wrong else ""


def _occupied(folder: Path) -> str:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "truth").is_dir():
        return f"{folder} holds something else; name an empty folder"
    return f"{folder} is a file; name a folder" if folder.is_file() else ""


if __name__ == "__main__":
    sys.exit(main())
