"""
A question as it is kept beside its answer, so that the answer can be made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from graph.encoding import encode
from graph.values import View

if TYPE_CHECKING:
    from service.context import Question


def asked_bytes(question: Question, view: View, told: Sequence[str], lags: Sequence[str], reached: int) -> bytes:
    """
    A question as it is kept beside its answer. `told` is what the payload lacked, `lags` what the process did.
    """
    return orjson.dumps(
        {
            "alert": encode(question.alert).decode(),
            "others": [encode(one).decode() for one in question.others],
            "as_of": view.as_of.isoformat(),
            "known_at": view.known_at.isoformat(),
            "asked_at": (question.asked_at or datetime.now(UTC)).isoformat(),
            "visibility": sorted(view.visibility),
            "environment": question.environment,
            "signals": question.signals,
            "format": question.format,
            "told": list(told),
            "reached": reached,
            "lags": [one for one in lags if one not in told],
        }
    )
