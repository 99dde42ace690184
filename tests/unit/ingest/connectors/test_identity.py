"""
A decision states facts with a verdict; what is none is told.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from graph.values import Fact, FactKind, Span, Trust
from ingest.connectors.identity import CONNECTOR
from ingest.errors import BadRecord
from tests.contract.making import day
from tests.unit.ingest.connectors.reading import read

STATE = {"kind": "renamed_to", "subject": "service:a", "object": "service:b", "verdict": "confirmed"}


def test_a_decision_states_its_facts_as_reviewed() -> None:
    told = {
        "id": "d-2",
        "states": [{**STATE, "at": day(0).isoformat()}, {**STATE, "verdict": "undone", "decision": "d-1"}],
    }
    assert read("identity", orjson.dumps(told)) == [
        Fact(kind=FactKind.RENAMED_TO, subject="service:a", object="service:b", valid=Span(day(0)),
             attributes={"verdict": "confirmed", "decision": "d-2"}),
        Fact(kind=FactKind.RENAMED_TO, subject="service:a", object="service:b",
             attributes={"verdict": "undone", "decision": "d-1"}),
    ]  # fmt: skip
    assert (CONNECTOR.trust, CONNECTOR.snapshot) == (Trust.REVIEWED, False)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"states": [STATE]}, "needs its `id`"),
        ({"id": "d-1"}, "has no `states`"),
        ({"id": "d-1", "states": [{**STATE, "kind": "owned_by"}]}, "`kind` is one of"),
        ({"id": "d-1", "states": [{**STATE, "verdict": "maybe"}]}, "`verdict` of"),
        ({"id": "d-1", "states": [{**STATE, "object": "team:b"}]}, "two ids of one kind"),
        ({"id": "d-1", "states": [{**STATE, "at": "soon"}]}, "`at`"),
    ],
)
def test_what_is_no_decision_is_told(body: dict[str, Any], says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        list(CONNECTOR.split(orjson.dumps(body), {"path": "identity"}))
