"""
Jaeger.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from graph.values import FactKind
from ingest.connectors import recognise
from tests.unit.ingest.connectors.reading import read
from tests.unit.ingest.connectors.stating import about, data, edge, edges, entities, refused, sample


def test_traces_of_the_query_api_show_calls() -> None:
    found = read("jaeger", data("jaeger.json"))
    assert edges(found) == {("service:door", "service:seats"), ("service:seats", "resource:seat-store")}
    assert edge(found, "service:door", "service:seats") == {"source_kind": "observed", "last_seen": "2026-03-02"}
    assert about(found, "resource:seat-store") == {"type": "cassandra"}
    assert edge(found, "service:door", "environment:live", FactKind.RUNS_IN) == {}


def test_dependencies_are_edges_with_the_magnitude_of_their_calls() -> None:
    found = read("jaeger", data("jaeger_dependencies.json"))
    assert edges(found) == {("service:door", "service:seats"), ("service:seats", "service:wine")}
    assert edge(found, "service:door", "service:seats") == {"source_kind": "observed", "samples": "1000+"}
    assert edge(found, "service:seats", "service:wine") == {"source_kind": "observed", "samples": "1+"}


def test_a_service_may_be_called_user_but_not_unknown() -> None:
    rows = [{"parent": "web", "child": "user", "callCount": 1}, {"parent": "unknown", "child": "web", "callCount": 1}]
    assert edges(read("jaeger", orjson.dumps(rows))) == {("service:web", "service:user")}


def test_dependencies_as_they_are_stored_have_a_day() -> None:
    row = {"timestamp": "2026-03-02T23:00:00Z", "dependencies": [{"parent": "a", "child": "b", "callCount": 12}]}
    found = read("jaeger", orjson.dumps(row))
    assert edge(found, "service:a", "service:b") == {
        "source_kind": "observed",
        "samples": "10+",
        "last_seen": "2026-03-02",
    }


def test_spans_of_a_search_index_are_read_alike() -> None:
    spans = [
        {"traceID": "1", "spanID": "a", "startTime": 1772460000000000, "process": {"serviceName": "web", "tags": []}},
        {
            "traceID": "1", "spanID": "b", "parentSpanID": "a", "startTime": 1772460000000000,
            "process": {"serviceName": "api", "tag": {}}, "tag": {"span@kind": "server"},
        },
    ]  # fmt: skip
    found = read("jaeger", orjson.dumps({"hits": {"hits": [{"_source": one} for one in spans]}}))
    assert edges(found) == {("service:web", "service:api")}


def test_a_batch_as_clients_send_it_has_one_process() -> None:
    batches = [
        {
            "process": {"serviceName": name, "tags": []},
            "spans": [
                {
                    "traceIdLow": 5951,
                    "traceIdHigh": 0,
                    "spanId": own,
                    "parentSpanId": parent,
                    "startTime": 1772460000000000,
                }
            ],
        }
        for name, own, parent in (("web", 6585752, 0), ("api", 6585753, 6585752))
    ]
    assert edges(read("jaeger", orjson.dumps(batches))) == {("service:web", "service:api")}


def test_the_third_api_is_otlp() -> None:
    wrapped = {"result": orjson.loads(data("otlp.json"))}
    assert ("service:web", "service:store-api") in edges(read("jaeger", orjson.dumps(wrapped)))


def test_only_its_own_answers_are_recognised() -> None:
    for name in ("jaeger.json", "jaeger_dependencies.json"):
        found = recognise(orjson.loads(data(name)), {})
        assert found is not None
        assert found.name == "jaeger"
    assert recognise({"data": [{"parent": 1, "child": 2}]}, {}) is None


def test_an_answer_without_traces_states_nothing_and_another_is_refused() -> None:
    assert refused("jaeger", b'{"data": [], "total": 0}') == []
    assert refused("jaeger", b'{"a": 1}') == [
        "file.json holds neither traces nor dependencies of Jaeger (`data`, `spans` or `resourceSpans`)"
    ]


def test_real_files(shared: Path) -> None:
    folder = shared / "samples/jaeger"
    # a server span's peer is its caller, and a span that refers to itself calls nobody
    found = sample("jaeger", folder / "domain_03.json")
    assert (entities(found), edges(found)) == ({"service:api"}, set())
    found = sample("jaeger", folder / "otlp2jaeger-out.json")
    assert (entities(found), edges(found)) == ({"service:telemetrygen"}, set())
    found = sample("jaeger", folder / "example_trace.json")
    assert entities(found) == {f"service:example-service-{number}" for number in (1, 2, 3)}
    assert edges(found) == set()
    assert len(list(folder.glob("*.json"))) == 3
