"""
Docker Compose.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.values import FactKind
from ingest.connectors.compose import _hosts, resolved
from tests.unit.ingest.connectors.reading import facts, read
from tests.unit.ingest.connectors.stating import about, data, edge, edges, entities, names, refused, sample


def test_needs_are_declared_in_many_ways() -> None:
    found = read("compose", data("compose.yaml"), path="compose.yaml")
    told = {(one, other): edge(found, one, other)["stated_as"] for one, other in edges(found)}
    assert told == {
        ("service:web", "service:api"): "depends_on",
        ("service:web", "service:mailer"): "links",
        ("service:web", "service:price-list"): "PRICE_LIST_ADDR",
        ("service:web", "service:store"): "STORE_URL",
        ("service:api", "resource:larkspur/db"): "depends_on, DATABASE_URL",
        ("service:api", "resource:larkspur/cache"): "depends_on",
        ("service:api", "resource:larkspur/queue"): "QUEUE_HOST",
        ("service:store", "service:api"): "network_mode",
    }
    assert {edge(found, *pair)["source_kind"] for pair in edges(found)} == {"declared"}


def test_stores_are_resources_of_their_project() -> None:
    found = read("compose", data("compose.yaml"), path="compose.yaml")
    assert entities(found) == {
        "service:web",
        "service:api",
        "service:store",
        "service:price-list",
        "service:mailer",
        "service:watcher",
        "resource:larkspur/queue",
        "resource:larkspur/db",
        "resource:larkspur/cache",
    }
    assert edges(found, FactKind.PART_OF) == {(one, "resource:larkspur") for one in entities(found)}
    assert about(found, "service:web") == {
        "name": "web",
        "image": "registry.larkspur.test/web:2",
        "project": "larkspur",
        "networks": "back,front",
    }
    assert about(found, "service:mailer")["profiles"] == "mail"
    assert about(found, "resource:larkspur/cache")["image"] == "images.example/library/redis:7"
    assert names(found, "service:web") == {("larkspur-web", "container")}
    assert names(found, "service:api") == {("larkspur-api", "traces")}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("${A:-x}", "x"),
        ("${A-x}", "x"),
        ("${A:-${B:-y}}", "y"),
        ("http://${A}:80", "http://${A}:80"),
        ("${A:?must be set}", "${A:?must be set}"),
        ("$A", "$A"),
        ("$$A", "$A"),
        ("plain", "plain"),
    ],
)
def test_of_a_variable_only_its_default_is_known(value: str, wanted: str) -> None:
    assert resolved(value) == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("http://api:80/web?to=db", ["api"]),
        ("postgres://app:secret@db:5432/app", ["db"]),
        ("mongodb://a:1,b:2/app", ["a", "b"]),
        ("app:secret@tcp(db:3306)/app", ["db"]),
        ("Server=db;Port=5432;Database=app", ["db"]),
        ("kafka-1:9092, kafka-2:9092", ["kafka-1", "kafka-2"]),
        ("db", ["db"]),
        ("http://${API_HOST}:${API_PORT}", ["${API_HOST}"]),
        ("/var/lib/db", []),
    ],
)
def test_an_address_names_its_hosts_and_nothing_else(value: str, wanted: list[str]) -> None:
    assert list(_hosts(value)) == wanted


def test_the_first_version_of_the_format_has_services_at_the_top() -> None:
    found = read("compose", b"web: {image: a, links: [db]}\ndb: {image: mysql}\n", path="docker-compose.yml")
    assert edges(found) == {("service:web", "resource:db")}


def test_another_file_is_refused() -> None:
    assert refused("compose", b"apiVersion: v1\nspec: {image: a}\n", "compose.yaml") == [
        "compose.yaml has no `services`; expected a Compose file"
    ]


def test_real_files(shared: Path) -> None:
    folder = shared / "samples/compose"
    assert facts(sample("compose", folder / "nginx-flask-mysql.compose.yaml")) == {
        (FactKind.ENTITY, "resource:db", ""),
        (FactKind.ENTITY, "service:backend", ""),
        (FactKind.ENTITY, "service:proxy", ""),
        (FactKind.DEPENDS_ON, "service:backend", "resource:db"),
        (FactKind.DEPENDS_ON, "service:proxy", "service:backend"),
    }
    found = sample("compose", folder / "react-java-mysql.compose.yaml")
    assert edges(found) == {("service:backend", "resource:db"), ("service:frontend", "service:backend")}
    assert edge(found, "service:backend", "resource:db")["stated_as"] == "depends_on, MYSQL_HOST"


def test_the_real_demo_knows_whose_address_a_bare_variable_is(shared: Path) -> None:
    found = sample("compose", shared / "samples/compose/otel-demo.compose.yaml")
    assert {other for one, other in edges(found) if one == "service:checkout"} == {
        "service:cart",
        "service:currency",
        "service:email",
        "service:flagd",
        "service:otel-collector",
        "service:payment",
        "service:product-catalog",
        "service:shipping",
    }
    assert edge(found, "service:checkout", "service:product-catalog")["stated_as"] == "depends_on, PRODUCT_CATALOG_ADDR"
    assert edge(found, "service:shipping", "service:quote")["stated_as"] == "QUOTE_ADDR"
    assert ("service:cart", "resource:valkey-cart") in edges(found)
    assert ("service:product-catalog", "resource:astronomy-db") in edges(found)
    assert len(entities(found)) == 20
