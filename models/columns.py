"""
The terms of many documents, a column each, so that all are weighed at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from graph.searching import Hit

Named = Mapping[str, tuple[str, ...]]
"""By facet, the terms that a hit counts for; "" stands for every other facet."""


@dataclass(slots=True)
class Columns:
    """
    By term the value of each document that has one; what has none counts 0.
    """

    values: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, hits: Sequence[Hit], names: Named, most: float = 1.0) -> None:
        """
        Each document's best score, over the most that there could be, under the terms of its facet. Hits come best
        first.
        """
        columns = {facet: [self.column(name) for name in found] for facet, found in names.items()}
        rest = columns[""]
        for hit in hits:
            for column in columns.get(hit.facet, rest):
                column.setdefault(hit.document, hit.score / most)

    def column(self, name: str) -> dict[str, float]:
        """
        The values of a term by document.
        """
        return self.values.setdefault(name, {})

    @property
    def documents(self) -> list[str]:
        """
        All that have a value.
        """
        return list(dict.fromkeys(chain.from_iterable(self.values.values())))

    def weighed(self, documents: Sequence[str], weights: Mapping[str, float]) -> NDArray[np.float64]:
        """
        The weighted sum of each document.
        """
        scores = np.zeros(len(documents))
        for name, column in self.values.items():
            weight = weights.get(name, 0.0)
            if weight and column:
                scores += weight * np.array([column.get(document, 0.0) for document in documents])
        return scores

    def row(self, document: str) -> dict[str, float]:
        """
        A document's values by term.
        """
        return {name: column[document] for name, column in self.values.items() if document in column}

    def lift(self, names: Collection[str], documents: Sequence[str], least: float) -> None:
        """
        Give what has no value of these terms the least that was found.
        """
        for name in names:
            column = self.column(name)
            for document in documents:
                column.setdefault(document, least)
