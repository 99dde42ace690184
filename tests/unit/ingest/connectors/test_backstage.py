"""
Backstage's catalogue.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import FactKind
from ingest.connectors import connector
from tests.unit.ingest.connectors.reading import facts, read
from tests.unit.ingest.connectors.stating import about, data, edge, edges, entities, names, refused, sample


def test_a_component_states_all_that_its_file_says() -> None:
    found = read("backstage", data("backstage.yaml"), path="catalog-info.yaml")
    basket = "service:basket-api"
    assert edges(found) == {
        (basket, "resource:basket-db"),
        (basket, "service:ordering"),
        (basket, "service:prices"),
        (basket, "service:tax"),
    }
    assert edges(found, FactKind.PART_OF) == {
        (basket, "resource:shop"),
        (basket, "service:shop-suite"),
        ("team:shopfront", "team:retail"),
        ("team:tills", "team:shopfront"),
    }
    assert edges(found, FactKind.OWNED_BY) == {(basket, "team:shopfront")}
    assert edges(found, FactKind.MEMBER_OF) == {
        ("person:ines", "team:shopfront"),
        ("person:night/tom", "team:shopfront"),
    }
    assert edge(found, basket, "repository:larkspur/mono", FactKind.BUILT_FROM) == {"path": "basket"}
    assert edge(found, basket, "service:prices") == {"stated_as": "consumesApis", "source_kind": "declared"}
    assert about(found, basket) == {
        "kind": "component",
        "name": "Basket-API",
        "title": "Basket",
        "description": "Keeps what a guest wants to buy",
        "type": "service",
        "lifecycle": "production",
        "tier": "1",
        "links": "https://wiki.larkspur.test/runbooks/basket https://graphs.larkspur.test/d/1 "
        "https://larkspur.pagerduty.com/service-directory/PBASKT1",
        "runbooks": "https://wiki.larkspur.test/runbooks/basket",
        "dashboards": "https://graphs.larkspur.test/d/1",
        "on_call": "https://larkspur.pagerduty.com/service-directory/PBASKT1",
    }


def test_other_names_are_kept_but_no_key_that_could_page() -> None:
    found = read("backstage", data("backstage.yaml"), path="catalog-info.yaml")
    assert names(found, "service:basket-api") == {
        ("Basket", "title"),
        ("Basket over HTTP", "title"),
        ("larkspur/basket", "repo"),
        ("basket", "kubernetes"),
        ("PBASKT1", "pagerduty"),
        ("basket-live", "opsgenie"),
        ("basket-web", "sentry"),
        ("basket-prod", "argocd"),
    }
    assert names(found, "team:shopfront") == {("larkspur/shop-front", "github")}
    assert "not-to-be-kept" not in str(found)


def test_an_api_named_like_its_component_does_not_describe_it_anew() -> None:
    found = read("backstage", data("backstage.yaml"), path="catalog-info.yaml")
    assert entities(found) == {"service:basket-api", "team:shopfront"}
    alone = b"kind: API\nmetadata: {name: prices}\nspec: {owner: math}\n"
    assert about(read("backstage", alone, path="c.yaml"), "service:prices")["kind"] == "api"


def test_computed_relations_outrank_the_file_and_are_stated_once() -> None:
    entity = {
        "kind": "Component",
        "metadata": {"name": "till", "namespace": "Stores"},
        "spec": {"owner": "old", "dependsOn": ["ledger"], "system": "lane"},
        "relations": [
            {"type": "ownedBy", "targetRef": "group:default/counters"},
            {"type": "dependsOn", "targetRef": "component:stores/ledger"},
            {"type": "dependencyOf", "target": {"kind": "component", "namespace": "default", "name": "web"}},
            {"type": "partOf", "targetRef": "system:stores/lane"},
            {"type": "providesApi", "targetRef": "api:default/pay"},
            {"type": "apiConsumedBy", "targetRef": "component:default/app"},
            {"type": "somethingElse", "targetRef": "component:default/x"},
        ],
    }
    found = read("backstage", orjson.dumps({"items": [entity], "totalItems": 1, "pageInfo": {}}))
    own = "service:stores/till"
    assert edges(found, FactKind.OWNED_BY) == {(own, "team:counters")}
    assert edges(found) == {
        (own, "service:stores/ledger"),
        ("service:web", own),
        ("service:pay", own),
        ("service:app", own),
    }
    assert edge(found, own, "service:stores/ledger")["stated_as"] == "dependsOn"
    assert edges(found, FactKind.PART_OF) == {(own, "resource:stores/lane")}


def test_a_groups_members_are_known_from_its_relations() -> None:
    entity = {
        "kind": "Group",
        "metadata": {"name": "Guests"},
        "relations": [{"type": "hasMember", "targetRef": "user:default/ann"}],
    }
    found = read("backstage", orjson.dumps({"items": [entity]}))
    assert edges(found, FactKind.MEMBER_OF) == {("person:ann", "team:guests")}


def test_what_a_look_up_did_not_find_is_passed_over() -> None:
    answer = {"items": [None, {"kind": "Component", "metadata": {"name": "a"}}]}
    assert entities(read("backstage", orjson.dumps(answer))) == {"service:a"}


def test_a_location_states_nothing_and_a_part_names_the_entity_for_good() -> None:
    raw = data("backstage.yaml")
    parts = [piece.part for piece in connector("backstage").split(raw, {"path": "catalog-info.yaml"})]
    assert parts == [
        "catalog-info.yaml#component:default/basket-api",
        "catalog-info.yaml#api:default/basket-api",
        "catalog-info.yaml#location:default/more",
        "catalog-info.yaml#group:default/shopfront",
    ]
    assert "never-fetched" not in str(read("backstage", raw, path="catalog-info.yaml"))


def test_a_kind_of_ones_own_is_set_aside() -> None:
    (problem,) = refused("backstage", b"kind: Spaceship\nmetadata: {name: a}\n", "c.yaml")
    assert problem == "c.yaml#spaceship:default/a: kind 'Spaceship' is not one of Backstage's"


@pytest.mark.parametrize(
    ("name", "kind", "wanted"),
    [
        (
            "artist-engagement-portal-system.yaml",
            FactKind.PART_OF,
            {("resource:artist-engagement-portal", "resource:artists")},
        ),
        ("artist-lookup-component.yaml", FactKind.OWNED_BY, {("service:artist-lookup", "team:team-a")}),
        ("artists-db-resource.yaml", FactKind.PART_OF, {("resource:artists-db", "resource:artist-engagement-portal")}),
        ("artists-domain.yaml", FactKind.OWNED_BY, {("resource:artists", "team:team-a")}),
        ("demo.catalog-info.yaml", FactKind.DEPENDS_ON, {("service:backstage-demo", "service:demo-graphql")}),
        ("descriptor-doc.catalog-api.json", FactKind.PART_OF, {("service:artist-web", "resource:public-websites")}),
        ("descriptor-doc.catalog-info.yaml", FactKind.OWNED_BY, {("service:artist-web", "team:artist-relations-team")}),
        (
            "descriptor-doc.depends.catalog-info.yaml",
            FactKind.DEPENDS_ON,
            {
                ("service:artist-web", "resource:artists-db"),
                ("service:artist-web-lookup", "service:artist-web"),
                ("service:artist-api", "service:artist-web"),
            },
        ),
        ("org.yaml", FactKind.PART_OF, {("team:infrastructure", "team:acme-corp")}),
        (
            "sample-service.catalog-info.yaml",
            FactKind.DEPENDS_ON,
            {
                ("service:sample-service", "service:sample-service-2"),
                ("service:sample-service", "resource:sample-s3-bucket"),
            },
        ),
        (
            "team-a-group-and-users.yaml",
            FactKind.MEMBER_OF,
            {
                ("person:breanna.davison", "team:team-a"),
                ("person:janelle.dawe", "team:team-a"),
                ("person:development/guest", "team:team-a"),
            },
        ),
        ("www-artist-component.yaml", FactKind.DEPENDS_ON, {("service:www-artist", "service:artist-lookup")}),
    ],
)
def test_real_files(shared: Path, name: str, kind: FactKind, wanted: set[tuple[str, str]]) -> None:
    assert edges(sample("backstage", shared / "samples/backstage" / name), kind) == wanted


def test_real_files_all_have_a_test_or_a_reason(shared: Path) -> None:
    folder = shared / "samples/backstage"
    assert refused("backstage", (folder / "descriptor-doc.relations.fragment.json").read_bytes()) == [
        "file.json#none:default/none: kind None is not one of Backstage's"
    ]
    assert len(list(folder.glob("*.[jy]*"))) == 13


def test_a_real_components_ids_are_kept_and_its_api_does_not_hide_it(shared: Path) -> None:
    found = sample("backstage", shared / "samples/backstage/sample-service.catalog-info.yaml")
    assert {("PZDAG59", "pagerduty"), ("sample-service-1", "opsgenie"), ("RoadieHQ/sample-service", "repo")} <= names(
        found, "service:sample-service"
    )
    assert about(found, "service:sample-service")["kind"] == "component"
    assert (FactKind.OWNED_BY, "service:sample-service", "team:roadiehq/engineering") in facts(found)
