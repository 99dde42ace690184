"""
OpenSLO.
"""

from __future__ import annotations

import pytest

from graph.values import Fact, FactKind
from ingest.connectors._objectives import percent, spelled, spent, window
from tests.unit.ingest.connectors.reading import read
from tests.unit.ingest.connectors.stating import data, edges, names, refused

OWN = "service:table-plan"


def test_an_objective_is_an_attribute_of_its_service() -> None:
    found = [one for one in read("openslo", data("openslo.yaml"), path="o.yaml") if isinstance(one, Fact)]
    told = [one.attributes for one in found if one.kind is FactKind.ENTITY and one.subject == OWN]
    assert told == [
        {"name": "table-plan", "title": "Table plan", "description": "Who sits where"},
        {
            "slo.seating": "99.5 % over 4w",
            "slo.seating.measures": "Guests are seated; good sum(seated_total) of sum(guests_total)",
            "slo.seating.method": "Occurrences",
        },
        {
            "slo.waiting.most": "90 % over 30d",
            "slo.waiting.most.measures": "<= 2; good fast of all",
            "slo.waiting.nearly-all": "99 % over 30d",
            "slo.waiting.nearly-all.measures": "<= 9",
        },
    ]
    assert edges(found, FactKind.OWNED_BY) == {(OWN, "team:hall")}
    assert names(found, OWN) == {("Table plan", "title")}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"kind: SLO\n", "is no document of OpenSLO"),
        (b"apiVersion: openslo/v1\nkind: Wish\nmetadata: {name: a}\n", "OpenSLO's kind 'Wish' is not read yet; the document is kept"),
        (b"apiVersion: openslo/v1\nkind: SLO\nmetadata: {}\n", "metadata.name is missing"),
        (b"apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\nspec: {objectives: [{target: 0.9}]}\n", "spec.service is missing"),
        (b"apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\nspec: {service: b, objectives: [{target: 9}]}\n", "has no objective with a target"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(text: bytes, says: str) -> None:
    (problem,) = refused("openslo", text, "o.yaml")
    assert says in problem


def test_targets_and_windows_are_told_alike() -> None:
    assert (
        percent("0.9990000000000001", ratio=True)
        == percent(0.999, ratio=True)
        == percent("99.9%", ratio=False)
        == "99.9 %"
    )
    assert percent(100, ratio=False) == "100 %"
    assert [percent(value, ratio=False) for value in (0, 101, "x", None, True)] == [None] * 5
    assert [window(value) for value in ("30d", "4w0s", "28d0h0m0s", "1M", "3M", "90m", None)] == [
        "30d", "4w", "28d", "1 month", "3 months", "90min", None,
    ]  # fmt: skip
    assert (spelled(1, "Quarter"), spelled(2, "Week"), spent(2419200), spent(5400)) == (
        "1 quarter",
        "2w",
        "28d",
        "90min",
    )
