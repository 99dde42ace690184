"""
The terms by which changes are told apart: each has a name, a value, a default weight and a sentence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graph.values import Change, entity_name
from models import diffs
from models.change_reading import Reading, mechanisms, reading_of
from models.exposure import Exposure, exposures
from models.suspect_places import Places
from models.suspect_question import SuspectQuestion
from models.symptoms import Symptom
from models.taking_back import taken_back, takes_back

WEIGHTS: Mapping[str, float] = {
    # when, and where
    "lag": -0.62, "rank": -0.3, "service": 3.4, "neighbour": 1.5, "distance": -0.7, "other": -2.2, "path": 3.0, "named": 1.6, "unplaced": -1.5,
    "deployed": 0.8, "shared": -1.0, "held": -2.5, "late": -4.0, "environment": -3.0, "dark": -3.0,
    # what it does, and what the symptom says
    "overlap": 1.3, "exact": 2.2, "seen": 2.5, "mechanism": 0.7, "moved": -2.5, "values": 0.8, "guards": 0.8, "logging": -2.5, "style": -3.0, "bump": -1.2,
    # what it is
    "files": -0.1, "lines": 0.05, "automated": -0.5, "merge": -2.0, "harmless": -1.6, "failed": 0.3, "deploy": 0.5, "scaling": -0.6,
    "takes_back": -3.0, "taken_back": -4.0, "cosmetic": -1.0, "fix": -0.7, "trial": 0.4,
}  # fmt: skip

AREA_WEIGHTS: Mapping[str, float] = {
    "lag": -0.4, "area": 5.0, "area_share": 0.5, "area_rank": -1.4, "parent": 0.4, "automated": -0.5, "merge": -2.0, "harmless": -0.6,
    "takes_back": -3.0, "taken_back": -4.0, "cosmetic": -1.0, "fix": -0.7, "trial": 0.4, "environment": -3.0, "overlap": 1.3, "exact": 1.5,
}  # fmt: skip
"""Where an area of files is asked about, not a service: learned from what organisations took back."""

_LOGGED = re.compile(r"disk|no space|log|ingest|volume|quota", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Read:
    """
    The terms of each change (those that are not zero), how each came to what fails, and what the symptom says.
    """

    rows: list[dict[str, float]]
    exposures: list[Exposure]
    told: Told


def terms_of(changes: Sequence[Change], question: SuspectQuestion) -> list[dict[str, float]]:
    """
    The values of the terms of each change; those that are not zero.
    """
    return read(changes, question).rows


def read(changes: Sequence[Change], question: SuspectQuestion) -> Read:
    """
    The terms of each change with what explains them.
    """
    readings = [reading_of(change) for change in changes]
    found = exposures(changes, question.hurt, question.onset)
    titles = [reading.said for reading in readings]
    back, taken = takes_back(changes, titles), taken_back(changes, titles)
    away = back | taken
    place_of = Places(changes, found, [place for place in range(len(changes)) if place not in away], question)
    told = Told(question, readings)
    onset = question.onset
    rows = []
    for place, (reading, exposure) in enumerate(zip(readings, found, strict=True)):
        values = {**reading.terms, **place_of.terms(place)}
        values["lag"] = math.log1p(max(0.0, (onset - exposure.at).total_seconds() / 3600) * 4)
        if place in taken:
            values["taken_back"] = 1.0
        if place in back:
            values["takes_back"] = 1.0
        told.add(reading, values)
        rows.append(values)
    return Read(rows, found, told)


class Told:
    """
    What the symptom says, and how much of it each change touches.
    """

    def __init__(self, question: SuspectQuestion, readings: Sequence[Reading]) -> None:
        text = f"{question.text}\n{question.signals.text}"
        self._told = bool(text.strip())
        self._readings = readings
        self._kinds = mechanisms(text) if self._told else ()
        names = [entity_name(one) for one in (*question.hurt, *question.steps)]
        self._words = Symptom(text, names, [reading.words for reading in readings]) if self._told else None
        self._logged = bool(_LOGGED.search(text))
        self._metrics = [delta for delta in question.signals.metrics if delta.before != delta.after]

    def add(self, reading: Reading, values: dict[str, float]) -> None:
        """
        Add the values that the symptom gives to those of a change.
        """
        diff = reading.diff
        if diff.logs_only and not self._logged:
            values["logging"] = 1.0
        if self._words is None:
            return
        if score := self._words.overlap(reading.words):
            values["overlap"] = math.log1p(max(0.0, score) / 3)
        if self._words.names or diff.libraries:
            names = self._words.named(reading.names, diff.libraries)
            values["exact"] = min(2.0, len(names) + 0.3 * len(self._words.held(reading.lowered, names)))
        if diff.settings and self.seen(diff):
            values["seen"] = 1.0
        if met := sum(map(reading.speaks_of, self._kinds)):
            values["mechanism"] = math.log1p(met)

    def by(self, place: int) -> tuple[tuple[str, ...], tuple[str, ...], str]:
        """
        By what a change touches the symptom: words, names, a metric.
        """
        if self._words is None:
            return (), (), ""
        reading = self._readings[place]
        names = self._words.named(reading.names, reading.diff.libraries)
        return (
            self._words.shared(reading.words),
            names + self._words.held(reading.lowered, names),
            self.seen(reading.diff),
        )

    def seen(self, diff: diffs.Diff) -> str:
        """
        A metric that went from the one to the other value of a setting that the diff changes.
        """
        for name, before, after in diff.settings:
            for delta in self._metrics:
                if _number(before) == delta.before and _number(after) == delta.after:
                    return f"{delta.metric} went from {delta.before:g} to {delta.after:g}, as it sets {name}"
        return ""


def _number(text: str) -> float | None:
    try:
        return float(text.strip("\"' ,;"))
    except ValueError:
        return None
