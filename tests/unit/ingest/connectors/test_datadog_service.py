"""
Datadog's software catalogue.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from graph.values import FactKind
from tests.unit.ingest.connectors.reading import facts, read
from tests.unit.ingest.connectors.stating import about, data, edge, edges, entities, names, refused, sample


def test_all_versions_are_read_from_one_file() -> None:
    found = read("datadog_service", data("datadog_service.yaml"), path="service.datadog.yaml")
    lane = "service:stores/self-checkout"
    assert entities(found) == {
        "service:till",
        "service:receipts",
        "service:scanner",
        lane,
        "resource:stores/price-cache",
    }
    assert edges(found, FactKind.OWNED_BY) == {
        ("service:till", "team:counters"),
        ("service:receipts", "team:counters"),
        ("service:scanner", "team:counters"),
        (lane, "team:counters"),
        (lane, "team:hardware"),
        ("resource:stores/price-cache", "team:counters"),
    }
    assert edges(found) == {
        (lane, "service:till"),
        (lane, "resource:stores/price-cache"),
        (lane, "resource:receipts-out"),
    }
    assert edges(found, FactKind.PART_OF) == {("service:receipts", "resource:shop"), (lane, "resource:checkout-lane")}
    assert edge(found, lane, "resource:checkout-lane", FactKind.PART_OF) == {"stated_as": "componentOf"}
    assert edge(found, lane, "repository:larkspur/mono", FactKind.BUILT_FROM) == {"path": "lane"}
    assert edge(found, lane, "team:hardware", FactKind.OWNED_BY) == {
        "stated_as": "additionalOwners",
        "role": "operator",
    }


def test_pages_of_paging_tools_are_names() -> None:
    found = read("datadog_service", data("datadog_service.yaml"), path="service.datadog.yaml")
    assert names(found, "service:till") == {("larkspur/till", "repo"), ("PTILL01", "pagerduty")}
    assert names(found, "service:receipts") == {("77aa-11", "opsgenie")}
    assert names(found, "service:stores/self-checkout") == {("Self checkout", "title"), ("PLANE07", "pagerduty")}


def test_a_tag_names_neither_owner_nor_service_and_no_mail_is_kept() -> None:
    found = read("datadog_service", data("datadog_service.yaml"), path="service.datadog.yaml")
    assert about(found, "service:till") == {
        "name": "till",
        "tags": "country:nl,service:other",
        "slack": "https://larkspur.slack.test/archives/C1",
        "links": "https://wiki.larkspur.test/till/emergency https://wiki.larkspur.test/till https://github.com/larkspur/till.git",
        "runbooks": "https://wiki.larkspur.test/till/emergency",
    }
    assert "nobody" not in str(found)


def test_a_summary_without_its_schema_is_an_entity_too() -> None:
    answer = {
        "data": [
            {
                "id": "1",
                "type": "entity",
                "attributes": {"kind": "queue", "name": "jobs", "namespace": "default", "owner": "counters"},
            }
        ]
    }
    assert facts(read("datadog_service", orjson.dumps(answer))) == {
        (FactKind.ENTITY, "resource:jobs", ""),
        (FactKind.OWNED_BY, "resource:jobs", "team:counters"),
    }


def test_version_one_is_read() -> None:
    old = b"schema-version: v1\ninfo: {dd-service: lift, display-name: The lift, service-tier: low}\norg: {team: hall, application: house}\n"
    found = read("datadog_service", old, path="service.datadog.yaml")
    assert edges(found, FactKind.OWNED_BY) == {("service:lift", "team:hall")}
    assert about(found, "service:lift") == {"name": "lift", "title": "The lift", "tier": "low", "application": "house"}


def test_what_is_no_definition_says_so() -> None:
    (problem,) = refused("datadog_service", b"a: 1\n", "service.datadog.yaml")
    assert problem.endswith("has neither `dd-service` nor `metadata` with `kind`; expected Datadog's schema")


def test_real_files(shared: Path) -> None:
    folder = shared / "samples/datadog_service"
    found = sample("datadog_service", folder / "datadog-agent.service.datadog.yaml")
    assert edges(found, FactKind.OWNED_BY) == {
        ("service:datadog-agent-nightly", "team:agent-delivery"),
        ("service:datadog-cluster-agent", "team:container-platform"),
        ("service:datadog-agent-ci", "team:agent-supply-chain"),
        ("service:datadog-agent-ci", "team:agent-devx"),
        ("service:datadog-agent-ci", "team:agent-build"),
    }
    assert about(found, "service:datadog-agent-ci")["tier"] == "0"
    found = sample("datadog_service", folder / "sdlc.service.datadog.yaml")
    assert edges(found, FactKind.PART_OF) == {
        ("service:pass-api", "resource:demo-app"),
        ("service:pass-summary-api", "resource:demo-app"),
    }
    for version in ("v2", "v2.1", "v2.2"):
        found = sample("datadog_service", folder / f"{version}.api-response.json")
        (own,) = entities(found)
        assert names(found, own) == {
            ("PMyService", "pagerduty"),
            ("123e4567-e89b-12d3-a456-426614174000", "opsgenie"),
            ("DataDog/schema", "repo"),
        }
        assert edges(found, FactKind.OWNED_BY) == {(own, "team:my-team")}
        assert about(found, own)["runbooks"] == "https://my-runbook"
    asked = sample("datadog_service", folder / "v3.entity.api-request.json")
    answered = sample("datadog_service", folder / "v3.entity.api-response.json")
    assert facts(asked) == facts(answered)
    (own,) = entities(asked)
    assert edges(asked, FactKind.PART_OF) == {(own, "resource:myapp")}
    assert names(asked, own) == {("Pshopping-cart", "pagerduty"), ("shopping-cart", "opsgenie")}
    (problem,) = refused("datadog_service", (folder / "datadog-schema.readme.md").read_bytes(), "readme.md")
    assert problem.startswith("readme.md is not YAML")
