"""
OpsLevel.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from graph.values import FactKind
from tests.unit.ingest.connectors.reading import facts, read
from tests.unit.ingest.connectors.stating import about, data, edge, edges, names, refused, sample

OWN = "service:gift_wrapping"


def test_a_service_is_called_by_its_alias() -> None:
    found = read("opslevel", data("opslevel.yml"), path="opslevel.yml")
    assert facts(found) == {
        (FactKind.ENTITY, OWN, ""),
        (FactKind.ALIAS, OWN, "Gift Wrapping"),
        (FactKind.ALIAS, OWN, "wrapper"),
        (FactKind.ALIAS, OWN, "PWRAP22"),
        (FactKind.ALIAS, OWN, "0c9a"),
        (FactKind.OWNED_BY, OWN, "team:finishing_team"),
        (FactKind.PART_OF, OWN, "resource:fulfilment"),
        (FactKind.DEPENDS_ON, OWN, "service:paper_store"),
        (FactKind.DEPENDS_ON, OWN, "service:ribbon_store"),
        (FactKind.BUILT_FROM, OWN, "repository:larkspur/mono"),
    }
    assert names(found, OWN) == {
        ("Gift Wrapping", "title"),
        ("wrapper", "opslevel"),
        ("PWRAP22", "pagerduty"),
        ("0c9a", "opsgenie"),
    }
    assert edge(found, OWN, "repository:larkspur/mono", FactKind.BUILT_FROM) == {"path": "services/wrapping"}
    assert edge(found, OWN, "service:ribbon_store")["notes"] == "on holidays"
    assert about(found, OWN) == {
        "name": "Gift Wrapping",
        "description": "Wraps what is bought",
        "lifecycle": "generally_available",
        "tier": "tier_1",
        "language": "Rust",
        "tags": "desk:4",
        "links": "https://wiki.larkspur.test/wrapping https://graphs.larkspur.test/d/7",
        "runbooks": "https://wiki.larkspur.test/wrapping",
        "dashboards": "https://graphs.larkspur.test/d/7",
    }


def test_a_list_of_the_api_is_read_alike() -> None:
    node = {
        "name": "Paper Store",
        "aliases": ["paper_store"],
        "owner": {"alias": "stock_team"},
        "tier": {"alias": "tier_2"},
        "lifecycle": None,
        "dependencies": {"nodes": [{"aliases": ["till"]}]},
    }
    for answer in ({"data": {"account": {"services": {"nodes": [node]}}}}, [node], {"components": [node]}):
        found = read("opslevel", orjson.dumps(answer))
        assert edges(found, FactKind.OWNED_BY) == {("service:paper_store", "team:stock_team")}
        assert edges(found) == {("service:paper_store", "service:till")}
        assert about(found, "service:paper_store") == {"name": "Paper Store", "tier": "tier_2"}


def test_a_file_about_a_repository_states_no_service() -> None:
    assert read("opslevel", b"version: 1\nrepository: {owner: stock_team}\n", path="opslevel.yml") == []


def test_a_service_without_a_name_is_refused() -> None:
    (problem,) = refused("opslevel", b"version: 1\nservice: {owner: a}\n", "opslevel.yml")
    assert problem.endswith("the service has neither a name nor an alias; expected OpsLevel's `service:`")


def test_real_files(shared: Path) -> None:
    folder = shared / "samples/opslevel"
    found = sample("opslevel", folder / "order-workflow-service.opslevel.yml")
    own = "service:order_workflow_service"
    assert edges(found) == {(own, "service:fraud_detection_service"), (own, "service:warehouse_management_service")}
    assert edges(found, FactKind.OWNED_BY) == {(own, "team:order_management_team")}
    assert ("PDFGCAK", "pagerduty") in names(found, own)
    assert about(found, own)["on_call"] == "https://bigriver.pagerduty.com/services/PVC123"
    found = sample("opslevel", folder / "opslevel-cli.opslevel.yml")
    assert facts(found) == {
        (FactKind.ENTITY, "service:opslevel_cli", ""),
        (FactKind.ALIAS, "service:opslevel_cli", "Opslevel CLI"),
        (FactKind.OWNED_BY, "service:opslevel_cli", "team:platform"),
    }
    assert len(list(folder.glob("*.yml"))) == 2
