"""
Cortex.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from graph.values import FactKind
from tests.unit.ingest.connectors.reading import facts, read
from tests.unit.ingest.connectors.stating import about, data, edge, edges, entities, names, refused, sample

OWN = "service:loyalty"


def test_a_descriptor_states_owner_needs_and_names() -> None:
    found = read("cortex", data("cortex.yaml"), path="cortex.yaml")
    assert entities(found) == {OWN, "team:guests", "resource:guest-domain"}
    assert edges(found) == {(OWN, "service:ledger"), (OWN, "service:mail-out"), (OWN, "service:basket")}
    assert edge(found, OWN, "service:ledger")["description"] == "the balance"
    assert edges(found, FactKind.OWNED_BY) == {(OWN, "team:guests"), (OWN, "person:nadia")}
    assert edge(found, OWN, "repository:larkspur/guests/loyalty", FactKind.BUILT_FROM) == {"path": "server"}
    assert names(found, OWN) == {
        ("Loyalty Points", "title"),
        ("40021", "pagerduty"),
        ("guests-rota", "opsgenie schedule"),
        ("loyalty-server", "kubernetes"),
        ("loyalty-web", "sentry"),
    }
    assert about(found, OWN) == {
        "kind": "service",
        "name": "loyalty",
        "title": "Loyalty Points",
        "description": "Counts points",
        "tier": "silver",
        "tags": "tier-2,java",
        "slack": "loyalty-talk",
        "links": "https://wiki.larkspur.test/loyalty https://graphs.larkspur.test/d/9",
        "runbooks": "https://wiki.larkspur.test/loyalty",
        "dashboards": "https://graphs.larkspur.test/d/9",
    }


def test_teams_and_domains_hold_together_what_they_name() -> None:
    found = read("cortex", data("cortex.yaml"), path="cortex.yaml")
    assert edges(found, FactKind.MEMBER_OF) == {("person:nadia", "team:guests")}
    assert edges(found, FactKind.PART_OF) == {(OWN, "resource:guest-domain"), ("team:guests", "team:retail")}
    assert names(found, "team:guests") == {("larkspur-guests", "github")}


def test_a_version_is_no_service() -> None:
    found = read("cortex", data("cortex.yaml"), path="cortex.yaml")
    assert "loyalty-1.0" not in str(found)


def test_entities_of_the_api_are_read_alike() -> None:
    entity = {
        "tag": "ledger",
        "name": "Ledger",
        "type": "service",
        "groups": ["tier-1"],
        "ownership": {
            "groups": [{"groupName": "guests", "provider": "OKTA"}],
            "emails": [{"email": "jo@larkspur.test"}],
        },
        "git": {"provider": "github", "repository": "larkspur/ledger"},
        "links": [{"name": "Steps", "type": "RUNBOOK", "url": "https://wiki.larkspur.test/ledger"}],
        "isArchived": False,
    }
    gone = {"tag": "old", "name": "Old", "type": "service", "isArchived": True}
    found = read("cortex", orjson.dumps({"entities": [entity, gone], "page": 0, "total": 2}))
    assert facts(found) == {
        (FactKind.ENTITY, "service:ledger", ""),
        (FactKind.OWNED_BY, "service:ledger", "team:guests"),
        (FactKind.OWNED_BY, "service:ledger", "person:jo"),
        (FactKind.BUILT_FROM, "service:ledger", "repository:larkspur/ledger"),
        (FactKind.ALIAS, "service:ledger", "larkspur/ledger"),
    }
    assert about(found, "service:ledger")["runbooks"] == "https://wiki.larkspur.test/ledger"


def test_a_descriptor_without_a_tag_is_refused() -> None:
    assert refused("cortex", b"openapi: 3.0.1\ninfo: {title: x}\n", "cortex.yaml") == [
        "cortex.yaml#?: info.x-cortex-tag is missing; expected a descriptor of Cortex"
    ]


def test_real_files(shared: Path) -> None:
    folder = shared / "samples/cortex"
    found = sample("cortex", folder / "moneymouth.cortex.yaml")
    assert names(found, "service:moneymouth") == {
        ("12435", "pagerduty schedule"),
        ("Cortex-Customer-Engineering/moneymouth", "repo"),
    }
    assert about(found, "service:moneymouth") == {
        "kind": "service",
        "name": "moneymouth",
        "title": "moneymouth",
        "slack": "moneymouth",
    }
    found = sample("cortex", folder / "team-platform.cortex.yaml")
    assert edges(found, FactKind.MEMBER_OF) == {
        ("person:alice.chen", "team:team-platform"),
        ("person:bob.martinez", "team:team-platform"),
        ("person:employee-alice-chen", "team:team-platform"),
        ("person:employee-bob-martinez", "team:team-platform"),
    }
    assert sample("cortex", folder / "checkout-2.2.0.cortex.yaml") == []
    assert facts(sample("cortex", folder / "api-gateway.cortex.yaml")) == {(FactKind.ENTITY, "service:api-gateway", "")}
    assert edges(sample("cortex", folder / "cli-test-domain-child.yaml"), FactKind.PART_OF) == {
        ("service:cli-test-service", "resource:cli-test-domain-child")
    }
    assert len(list(folder.glob("*.yaml"))) == 5
