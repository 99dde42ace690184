"""
What the sets about search share: rankings by one index alone, as the simple baselines.
"""

from __future__ import annotations

from collections.abc import Sequence

from graph.searching import Hit
from models.contract import Ranking
from service.evaluation.frame import Prediction

Ranked = list[tuple[str, float | None]]


def best_of(hits: Sequence[Hit], limit: int = 50) -> Ranked:
    """
    Documents by their best row, best first.
    """
    seen = dict.fromkeys(hit.document for hit in hits)
    return [(document, None) for document in list(seen)[:limit]]


def whole(question: str, variant: str, ranking: Ranking) -> Prediction:
    """
    The product's ranking as a prediction.
    """
    ranked = tuple((one.id, round(one.probability, 6)) for one in ranking.candidates[:50])
    return Prediction(
        question=question,
        variant=variant,
        ranked=ranked,
        none_p=round(ranking.none_probability, 6),
        abstained=ranking.abstained,
    )
