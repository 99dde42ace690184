"""
Datadog's APM service dependencies.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from graph.values import FactKind
from ingest.connectors import recognise
from tests.unit.ingest.connectors.reading import read
from tests.unit.ingest.connectors.stating import data, edge, edges, entities, refused, sample


def test_calls_are_edges_and_unknown_is_no_service() -> None:
    found = read("datadog_service_map", data("datadog_service_map.json"))
    assert entities(found) == {"service:hall_door", "service:hall-desk"}
    assert edges(found) == {("service:hall_door", "service:hall-desk")}
    assert edge(found, "service:hall_door", "service:hall-desk") == {"source_kind": "observed"}


def test_the_environment_is_the_sources() -> None:
    found = read("datadog_service_map", data("datadog_service_map.json"), environment="prod")
    assert edge(found, "service:hall_door", "service:hall-desk")["environment"] == "prod"
    assert ("service:hall_door", "environment:prod") in edges(found, FactKind.RUNS_IN)


def test_its_own_answers_are_recognised_and_others_refused() -> None:
    found = recognise(orjson.loads(data("datadog_service_map.json")), {})
    assert found is not None
    assert found.name == "datadog_service_map"
    assert refused("datadog_service_map", b'{"a": {"calls": [], "more": 1}}') == [
        "file.json is no answer of Datadog's service dependencies: every service has `calls`"
    ]


def test_real_files(shared: Path) -> None:
    folder = shared / "samples/datadog_service_map"
    assert edges(sample("datadog_service_map", folder / "all.json")) == {
        ("service:servica_a", "service:service_b"),
        ("service:servica_a", "service:service_c"),
        ("service:service_b", "service:service_o"),
        ("service:service_c", "service:service_o"),
    }
    assert edges(sample("datadog_service_map", folder / "single.json")) == {
        ("service:service-a", "service:service-c"),
        ("service:service-b", "service:service-c"),
        ("service:service-c", "service:service-d"),
        ("service:service-c", "service:service-e"),
    }
    assert len(list(folder.glob("*.json"))) == 2
