"""
HashiCorp Consul.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from graph.values import Fact, FactKind
from ingest.connectors import connector
from tests.unit.ingest.connectors.reading import facts, read
from tests.unit.ingest.connectors.stating import about, data, edge, edges, entities, names, refused, sample

TILL = "service:till"


def test_instances_are_one_service_and_a_sidecar_is_its_services() -> None:
    found = read("consul", data("consul.json"))
    assert entities(found) == {TILL}
    assert about(found, TILL) == {"name": "till", "tags": "live,new", "datacenter": "ams1", "version": "4.1,4.2"}


def test_upstreams_are_declared_and_intentions_permitted() -> None:
    raw = data("consul.json")
    stated = [
        (one.subject, one.object, one.attributes["source_kind"])
        for one in read("consul", raw)
        if isinstance(one, Fact) and one.kind is FactKind.DEPENDS_ON
    ]
    assert sorted(stated) == [
        (TILL, "service:receipts", "declared"),
        (TILL, "service:receipts", "permitted"),
        ("service:web", TILL, "permitted"),
    ]
    assert edge(read("consul", raw), "service:web", TILL)["description"] == "guests pay"


def test_parts_name_services_and_pairs_and_no_instance() -> None:
    parts = [piece.part for piece in connector("consul").split(data("consul.json"), {"path": "c.json"})]
    assert parts == [
        "c.json#service:till",
        "c.json#intention:*->till",
        "c.json#intention:old-web->till",
        "c.json#intention:till->receipts",
        "c.json#intention:web->till",
    ]


def test_every_answer_of_the_api_and_files_of_definitions_are_read() -> None:
    upstreams = [{"destination_name": "b", "local_bind_port": 1}]
    for body in (
        {"service": {"name": "a", "connect": {"sidecar_service": {"proxy": {"upstreams": upstreams}}}}},
        {"services": [{"name": "a", "connect": {"sidecar_service": {"proxy": {"upstreams": upstreams}}}}]},
        {"a1": {"ID": "a1", "Service": "a"}, "a1-sidecar-proxy": {"ID": "x", "Service": "a-sidecar-proxy", "Kind": "connect-proxy", "Proxy": {"DestinationServiceName": "a", "Upstreams": [{"DestinationName": "b"}]}}},
        [{"Node": {"Node": "n"}, "Service": {"ID": "a1", "Service": "a", "Proxy": {"Upstreams": [{"DestinationName": "b"}]}}, "Checks": []}],
    ):  # fmt: skip
        assert facts(read("consul", orjson.dumps(body))) == {
            (FactKind.ENTITY, "service:a", ""),
            (FactKind.DEPENDS_ON, "service:a", "service:b"),
        }
    registered = b'{"ID": "a1", "Name": "a", "Tags": ["live"], "Port": 80, "Check": {"TCP": "x"}}'
    assert about(read("consul", registered), "service:a") == {"name": "a", "tags": "live"}
    matched = b'{"a": [{"SourceName": "a", "DestinationName": "b", "Action": "allow"}]}'
    assert edges(read("consul", matched)) == {("service:a", "service:b")}
    assert entities(read("consul", b'{"consul": [], "till": ["live"]}')) == {"service:consul", "service:till"}


def test_a_namespace_is_an_attribute_and_another_name() -> None:
    found = read("consul", b'[{"ServiceName": "a", "Namespace": "stores"}]')
    assert about(found, "service:a") == {"name": "a", "namespace": "stores"}
    assert names(found, "service:a") == {("stores/a", "namespace")}


def test_intentions_of_kubernetes_are_read() -> None:
    body = b"apiVersion: consul.hashicorp.com/v1alpha1\nkind: ServiceIntentions\nmetadata: {name: x}\nspec: {destination: {name: db}, sources: [{name: api, action: allow}, {name: web, action: deny}]}\n"
    assert edges(read("consul", body, path="i.yaml")) == {("service:api", "service:db")}


def test_another_body_is_refused() -> None:
    assert refused("consul", b"[1]") == ["file.json holds neither services nor intentions of Consul"]


def test_real_files(shared: Path) -> None:
    folder = shared / "samples/consul"
    assert about(sample("consul", folder / "catalog.service.json"), "service:web") == {
        "name": "web",
        "tags": "prod",
        "datacenter": "dc1",
    }
    assert about(sample("consul", folder / "catalog.register.json"), "service:redis") == {
        "name": "redis",
        "tags": "primary,v1",
        "datacenter": "dc1",
    }
    assert edge(sample("consul", folder / "intention.exact.json"), "service:web", "service:db") == {
        "stated_as": "intention",
        "source_kind": "permitted",
    }
    assert len(list(folder.glob("*.json"))) == 3
