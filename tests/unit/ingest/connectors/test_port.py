"""
Port.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import EntityKind, FactKind
from ingest.connectors.port import kind_of
from tests.unit.ingest.connectors.reading import facts, read
from tests.unit.ingest.connectors.stating import about, data, edges, names, refused, sample

OWN = "service:menu"


def test_a_blueprint_says_what_properties_and_relations_mean() -> None:
    found = read("port", data("port.json"))
    assert edges(found, FactKind.OWNED_BY) == {(OWN, "team:kitchen"), (OWN, "team:pastry"), (OWN, "team:cooks")}
    assert edges(found) == {(OWN, "resource:menu-db"), (OWN, "service:oven")}
    assert edges(found, FactKind.PART_OF) == {(OWN, "resource:food")}
    assert edges(found, FactKind.BUILT_FROM) == {(OWN, "repository:larkspur/menu")}
    assert edges(found, FactKind.ON_CALL_FOR) == {("person:lena", OWN)}
    assert edges(found, FactKind.MEMBER_OF) == {("person:lena", "team:cooks")}
    assert names(found, OWN) == {("PMENU11", "pagerduty"), ("larkspur/menu", "repo")}


def test_links_are_told_apart_by_the_titles_in_the_blueprint() -> None:
    body = orjson.loads(data("port.json"))
    body["entities"] = body["entities"][:1]
    assert about(read("port", orjson.dumps(body)), OWN) == {
        "name": "Menu",
        "tier": "1",
        "links": "https://graphs.larkspur.test/d/3 https://wiki.larkspur.test/menu",
        "runbooks": "https://wiki.larkspur.test/menu",
        "dashboards": "https://graphs.larkspur.test/d/3",
    }


def test_without_the_blueprint_names_are_read_as_they_usually_mean() -> None:
    entity = orjson.loads(data("port.json"))["entities"][0]
    found = read("port", orjson.dumps({"ok": True, "entity": entity}))
    assert edges(found, FactKind.OWNED_BY) == {(OWN, "team:kitchen")}
    assert edges(found) == {(OWN, "service:oven")}
    assert edges(found, FactKind.ON_CALL_FOR) == {("person:lena", OWN)}


def test_an_audit_event_holds_the_entity_as_it_is_now() -> None:
    entity = orjson.loads(data("port.json"))["entities"][1]
    event = {"action": "UPDATE", "resourceType": "entity", "diff": {"before": None, "after": entity}}
    assert edges(read("port", orjson.dumps(event)), FactKind.MEMBER_OF) == {("person:lena", "team:cooks")}


@pytest.mark.parametrize(
    ("blueprint", "kind"),
    [
        ("service", EntityKind.SERVICE),
        ("microservice", EntityKind.SERVICE),
        ("pagerdutyService", EntityKind.SERVICE),
        ("githubRepository", EntityKind.REPOSITORY),
        ("_team", EntityKind.TEAM),
        ("_user", EntityKind.PERSON),
        ("environment", EntityKind.ENVIRONMENT),
        ("cloudResource", EntityKind.RESOURCE),
        ("runningService", None),
        ("jiraIssue", None),
        ("jiraProject", None),
    ],
)
def test_the_last_word_of_a_blueprint_says_what_it_is(blueprint: str, kind: EntityKind | None) -> None:
    assert kind_of(blueprint) is kind


def test_real_files(shared: Path) -> None:
    folder = shared / "samples/port"
    assert sample("port", folder / "jenkins-stage.entity.json") == []
    assert sample("port", folder / "pagerduty.blueprints.json") == []
    assert facts(sample("port", folder / "komodor-service.entity.json")) == {
        (FactKind.ENTITY, "service:komodor-agent", ""),
        (FactKind.ALIAS, "service:komodor-agent", "SERVICE_ID"),
    }
    (problem,) = refused("port", (folder / "pagerduty.port-app-config.yml").read_bytes(), "port-app-config.yml")
    assert problem.endswith(
        "is an integration's mapping; expected `identifier` with `blueprint`, as Port's API gives them"
    )
    assert len(list(folder.glob("*.[jy]*"))) == 4
