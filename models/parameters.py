"""
Parameters that were learned from data: where they lie, what they learned from, and the same without one organisation.

A file `models/weights/NAME.json` holds

    {"version": 1, "metrics": {...}, "parameters": {...},
     "trained_on": [{"name": "govuk", "licence": "MIT", "n": 90, "digests": ["sha256 of a data file", ...]}, ...],
     "leave_out": {"govuk": {...parameters learned from the others...}, ...}}

so that an evaluation on an organisation that was learned from is done by a model that left it out.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import WeightsDamaged

WEIGHTS = Path(__file__).parent / "weights"

Values = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """
    The values to rank with. `seen` names the organisation that was left out for them, or is empty.
    """

    name: str
    values: Values
    seen: str = ""
    trained_on: tuple[str, ...] = ()
    metrics: Mapping[str, object] = field(default_factory=dict, hash=False)

    def number(self, key: str, default: float = 0.0) -> float:
        """
        One number of the values.
        """
        value = self.values.get(key, default)
        if not isinstance(value, int | float):
            raise WeightsDamaged(f"parameter {key} of {self.name} is not a number")
        return float(value)

    def numbers(self, key: str) -> dict[str, float]:
        """
        A table of named numbers (a model's weights by term).
        """
        value = self.values.get(key, {})
        if not isinstance(value, Mapping):
            raise WeightsDamaged(f"parameter {key} of {self.name} is not a table")
        return {str(name): float(number) for name, number in value.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """
    One organisation that parameters learned from. Only those whose licence permits it.
    """

    name: str
    licence: str
    n: int
    digests: tuple[str, ...]


def load(name: str, without: Collection[str] = (), folder: Path = WEIGHTS) -> Parameters:
    """
    The shipped parameters; where one of the `without` digests was learned from, those that left its organisation out.
    """
    path = folder / f"{name}.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        lessons = document["trained_on"]
        seen = next((lesson["name"] for lesson in lessons if set(lesson["digests"]) & set(without)), "")
        values = document["leave_out"][seen] if seen else document["parameters"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsDamaged(f"{path}: {error!r}; restore the file from the release") from error
    learned = tuple(lesson["name"] for lesson in lessons if lesson["name"] != seen)
    return Parameters(name=name, values=values, seen=seen, trained_on=learned, metrics=document.get("metrics", {}))


def save(
    name: str,
    parameters: Values,
    lessons: Collection[Lesson],
    leave_out: Mapping[str, Values],
    metrics: Mapping[str, object],
    folder: Path = WEIGHTS,
) -> Path:
    """
    Write a parameters file; every lesson must have its `leave_out`.
    """
    missing = {lesson.name for lesson in lessons} - set(leave_out)
    if missing:
        raise ValueError(f"no parameters that leave out {sorted(missing)}")
    document = {
        "version": 1,
        "metrics": metrics,
        "parameters": parameters,
        "trained_on": [
            {"name": item.name, "licence": item.licence, "n": item.n, "digests": sorted(item.digests)}
            for item in lessons
        ],
        "leave_out": leave_out,
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return path
