"""
Kiali's graph of a mesh.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from ingest.connectors import recognise
from tests.unit.ingest.connectors.reading import read
from tests.unit.ingest.connectors.stating import about, data, edge, edges, entities, names, refused, sample


def test_versions_of_an_app_are_one_service_and_pseudo_nodes_are_none() -> None:
    found = read("kiali", data("kiali.json"))
    assert entities(found) == {"service:api", "service:web", "resource:api.payer.example"}
    assert edges(found) == {("service:web", "service:api"), ("service:api", "resource:api.payer.example")}
    assert edge(found, "service:web", "service:api") == {"source_kind": "observed", "last_seen": "2026-03-02"}
    assert about(found, "service:api") == {"name": "api", "namespace": "shop", "cluster": "c", "version": "v1, v2"}
    assert names(found, "service:api") == {
        ("api-v1", "workload"),
        ("api-v2", "workload"),
        ("api-svc", "kubernetes service"),
        ("shop/api", "namespace"),
    }


def test_another_body_is_refused_and_its_own_recognised() -> None:
    assert refused("kiali", b"{}") == [
        "file.json has no `elements` with nodes and edges; expected an answer of Kiali's graph API"
    ]
    found = recognise(orjson.loads(data("kiali.json")), {})
    assert found is not None
    assert found.name == "kiali"


SERVICES = {
    ("service:ingressgateway", "service:productpage"),
    ("service:ingressgateway", "service:tcp"),
    ("service:productpage", "service:details"),
    ("service:productpage", "service:reviews"),
    ("service:productpage", "service:tcp"),
    ("service:reviews", "service:deposit"),
    ("service:reviews", "service:pricing"),
    ("service:reviews", "service:ratings"),
}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("service_graph.json", SERVICES),
        ("versioned_app_graph.json", SERVICES),
        (
            "ambient_graph.json",
            {("service:productpage", "service:details"), ("service:productpage", "service:reviews")},
        ),
    ],
)
def test_real_files_of_every_type_of_graph_show_the_same_services(
    shared: Path, name: str, wanted: set[tuple[str, str]]
) -> None:
    found = sample("kiali", shared / "samples/kiali" / name)
    assert edges(found) == wanted
    assert about(found, "service:reviews")["namespace"] == "bookinfo"
