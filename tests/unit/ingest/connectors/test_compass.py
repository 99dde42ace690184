"""
Atlassian Compass.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from graph.identity import Identity
from graph.values import Fact, FactKind, Span, Statement, Trust
from tests.unit.ingest.connectors.reading import facts, read
from tests.unit.ingest.connectors.stating import about, data, edges, names, refused, sample

OWN = "service:table-plan"


def test_a_component_states_what_its_file_says() -> None:
    found = read("compass", data("compass.yml"), path="compass.yml")
    assert edges(found) == {(OWN, "service:ari:cloud:compass:11-22:component/33/55")}
    assert edges(found, FactKind.OWNED_BY) == {(OWN, "team:ari:cloud:identity::team/9f-9f")}
    assert edges(found, FactKind.BUILT_FROM) == {(OWN, "repository:larkspur/table-plan")}
    assert names(found, OWN) == {
        ("ari:cloud:compass:11-22:component/33/44", "compass"),
        ("larkspur/table-plan", "repo"),
        ("5b-5b", "opsgenie"),
    }
    told = about(found, OWN)
    assert (told["tier"], told["lifecycle"], told["type"], told["tags"]) == ("1", "Active", "service", "hall")
    assert told["runbooks"] == "https://wiki.larkspur.test/runbooks/table-plan"
    assert told["dashboards"] == "https://graphs.larkspur.test/d/5"
    assert told["on_call"] == "https://larkspur.app.opsgenie.com/service/5b-5b"


def test_who_depends_on_the_ari_depends_on_the_component() -> None:
    found = read("compass", data("compass.yml"), path="compass.yml")
    stated = [
        Statement(seq=1, item=one, record="r", source="s", trust=Trust.DECLARED, known=Span())
        for one in found
        if isinstance(one, Fact) and one.kind is FactKind.SAME_AS
    ]
    assert Identity(stated).canonical("service:ari:cloud:compass:11-22:component/33/44") == OWN


def test_a_custom_field_owns_only_where_no_owner_is_given() -> None:
    raw = (
        b"name: lift\ncustomFields:\n- {name: Our Owner, type: text, value: hall}\n- {name: Our Domain, value: house}\n"
    )
    assert edges(read("compass", raw, path="compass.yml"), FactKind.OWNED_BY) == {("service:lift", "team:hall")}


def test_components_of_the_api_are_read_alike() -> None:
    answer = {
        "data": {
            "compass": {
                "searchComponents": {
                    "nodes": [
                        {"component": {"name": "Lift", "id": "ari:1", "typeId": "CLOUD_RESOURCE", "ownerId": "ari:t"}}
                    ]
                }
            }
        }
    }
    found = read("compass", orjson.dumps(answer))
    assert edges(found, FactKind.OWNED_BY) == {("resource:lift", "team:ari:t")}


def test_real_files(shared: Path) -> None:
    folder = shared / "samples/compass"
    found = sample("compass", folder / "compass-test-app.compass.yaml")
    assert facts(found) == {
        (FactKind.ENTITY, "service:compass-test-app", ""),
        (FactKind.BUILT_FROM, "service:compass-test-app", "repository:atlassian-test/compass-test-repo"),
        (FactKind.ALIAS, "service:compass-test-app", "atlassian-test/compass-test-repo"),
    }
    found = sample("compass", folder / "goliac.compass.yml")
    assert about(found, "service:goliac")["tier"] == "4"
    assert edges(found, FactKind.OWNED_BY) == set()
    for name in ("backstage-origin-of-compass-test-app.yaml", "circleci-build-and-deployment-events.yml"):
        assert refused("compass", (folder / name).read_bytes(), name) == [
            f"{name}#? has no `name` of a component; expected a compass.yml (configVersion, name, typeId)"
        ]
