"""
The metrics of a service graph.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from graph.values import FactKind
from ingest.connectors import recognise
from tests.unit.ingest.connectors.reading import read
from tests.unit.ingest.connectors.stating import about, data, edge, edges, entities, refused, sample


def test_the_text_of_an_exporter_is_read() -> None:
    found = read("service_graph_metrics", data("service_graph_metrics.prom"), path="graph.prom")
    assert edges(found) == {
        ("service:web", "service:api"),
        ("service:api", 'resource:orders "eu"'),
        ("service:api", "resource:api.payer.example"),
        ("service:api", "service:mailer"),
        ("service:web", "service:user"),
    }
    # a histogram counts the same calls, of which the counter has the number
    assert edge(found, "service:web", "service:user") == {"source_kind": "observed"}
    assert edge(found, "service:web", "service:api") == {
        "source_kind": "observed",
        "last_seen": "2026-03-02",
        "samples": "1000+",
    }
    assert edge(found, "service:api", 'resource:orders "eu"') == {
        "source_kind": "observed",
        "connection_type": "database",
        "samples": "1+",
    }
    assert about(found, 'resource:orders "eu"')["type"] == "postgresql"


def test_a_client_called_user_and_unknown_are_no_services_and_a_counter_at_nothing_shows_no_call() -> None:
    found = read("service_graph_metrics", data("service_graph_metrics.prom"), path="graph.prom")
    assert entities(found) == {
        "service:web",
        "service:api",
        "service:mailer",
        "service:user",
        'resource:orders "eu"',
        "resource:api.payer.example",
    }


def test_an_answer_of_the_query_api_is_read_and_a_rate_is_no_count() -> None:
    found = read("service_graph_metrics", data("service_graph_metrics.json"))
    assert edges(found) == {("service:web", "service:api")}
    assert edge(found, "service:web", "service:api") == {"source_kind": "observed", "last_seen": "2026-03-02"}


def test_a_matrix_counts_by_its_last_value_and_series_alone_are_edges() -> None:
    series = {"__name__": "traces_service_graph_request_total", "client": "a", "server": "b"}
    matrix = {
        "status": "success",
        "data": {
            "resultType": "matrix",
            "result": [{"metric": series, "values": [[1772460000, "0"], [1772460060, "20"]]}],
        },
    }
    found = read("service_graph_metrics", orjson.dumps(matrix))
    assert edge(found, "service:a", "service:b")["samples"] == "10+"
    found = read("service_graph_metrics", orjson.dumps({"status": "success", "data": [series]}))
    assert edge(found, "service:a", "service:b") == {"source_kind": "observed"}


def test_dimensions_say_where_either_end_is() -> None:
    line = b'traces_service_graph_request_total{client="a",server="b",server_deployment_environment="Prod",client_service_namespace="shop"} 1\n'
    found = read("service_graph_metrics", line, path="m.prom")
    assert edges(found, FactKind.RUNS_IN) == {("service:b", "environment:prod")}
    assert about(found, "service:a")["namespace"] == "shop"


def test_its_own_answers_alone_are_recognised() -> None:
    found = recognise(orjson.loads(data("service_graph_metrics.json")), {})
    assert found is not None
    assert found.name == "service_graph_metrics"
    assert recognise({"status": "success", "data": {"result": [{"metric": {"job": "x"}}]}}, {}) is None


def test_other_metrics_are_refused() -> None:
    assert refused("service_graph_metrics", b'up{job="x"} 1\n# service_graph_request_total\n', "m.prom") == [
        "m.prom has no series of traces_service_graph_request_total with `client` and `server`"
    ]


def test_real_files(shared: Path) -> None:
    folder = shared / "samples/service_graph_metrics"
    found = sample("service_graph_metrics", folder / "virtual-node.expected-metrics.yaml")
    assert (entities(found), edges(found)) == ({"service:foo-server"}, set())
    assert len(list(folder.glob("*.yaml"))) == 1
