"""
Clients of PagerDuty and of Backstage get the shapes that they know.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from graph.contract import Yield
from graph.rota import Layer, written
from graph.values import Fact, FactKind, Record, Trust
from ingest.contract import Source
from ingest.journal import admit
from ingest.pipeline import drain
from service.api.app import create_app
from service.settings import Settings
from service.wiring import open_memory
from tests.e2e.conftest import ADDRESS

PAGER = "/compat/pagerduty"
CATALOGUE = "/compat/backstage/api/catalog"


def got(client: TestClient, path: str, **query: object) -> Any:
    answer = client.get(path, params=query)  # type: ignore[arg-type]  # values are texts and lists of them
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_services_come_in_pages_with_team_and_policy(client: TestClient) -> None:
    first = got(client, f"{PAGER}/services", limit=2, total="true")
    assert (len(first["services"]), first["limit"], first["offset"], first["more"]) == (2, 2, 0, True)
    last = got(client, f"{PAGER}/services", offset=first["total"] - 1)
    assert (len(last["services"]), last["more"], last["total"]) == (1, False, None)
    (found,) = [
        one for one in got(client, f"{PAGER}/services", query="checkout")["services"] if one["name"] == "checkout"
    ]
    assert (found["type"], found["status"], found["summary"]) == ("service", "active", "checkout")
    assert [one["summary"] for one in found["teams"]] == ["checkout"]
    assert (found["escalation_policy"]["type"], found["escalation_policy"]["summary"]) == (
        "escalation_policy_reference", "checkout",
    )  # fmt: skip
    assert got(client, f"{PAGER}/services/{found['id']}")["service"] == found
    assert found["self"].endswith(f"{PAGER}/services/{found['id']}")
    of_team = got(client, f"{PAGER}/services", **{"team_ids[]": [found["teams"][0]["id"]], "limit": 100})["services"]
    assert "checkout" in [one["name"] for one in of_team]
    assert {team["summary"] for one in of_team for team in one["teams"]} == {"checkout"}


def test_a_policy_has_levels_and_services_and_who_is_on_call_now_is_listed_with_it(client: TestClient) -> None:
    (service,) = [
        one for one in got(client, f"{PAGER}/services", query="checkout")["services"] if one["name"] == "checkout"
    ]
    policy = got(client, f"{PAGER}/escalation_policies/{service['escalation_policy']['id']}")["escalation_policy"]
    assert "checkout" in [one["summary"] for one in policy["services"]]
    assert policy["escalation_rules"][-1]["targets"][0]["summary"] == "platform"
    assert policy in got(client, f"{PAGER}/escalation_policies", limit=100)["escalation_policies"]
    now = got(client, f"{PAGER}/oncalls", **{"escalation_policy_ids[]": policy["id"]})["oncalls"]
    expected = [one["name"] for one in got(client, "/v1/owner", service="checkout")["answers_now"]]
    assert {one["user"]["summary"] for one in now if one["escalation_level"] == 1} == set(expected)
    levels = got(client, "/v1/owner", service="checkout")["answering"]["levels"]
    assert sorted((one["escalation_level"], one["user"]["summary"]) for one in now) == sorted(
        (level["level"], person["name"]) for level in levels for person in level["people"]
    )
    assert {one["escalation_policy"]["id"] for one in now} == {policy["id"]}


@pytest.mark.parametrize("path", ["services/PNOTHING", "escalation_policies/PNOTHING"])
def test_what_is_not_there_is_told_as_pagerduty_does(client: TestClient, path: str) -> None:
    found = client.get(f"{PAGER}/{path}")
    assert (found.status_code, found.json()) == (404, {"error": {"message": "Not Found", "code": 2100}})


def test_an_entity_has_owner_relations_and_an_etag(client: TestClient) -> None:
    path = f"{CATALOGUE}/entities/by-name/Component/default/checkout"
    found = got(client, path)
    assert (found["apiVersion"], found["kind"], found["metadata"]["name"]) == (
        "backstage.io/v1alpha1", "Component", "checkout",
    )  # fmt: skip
    assert found["spec"]["owner"] == "group:default/checkout"
    assert {"type": "ownedBy", "targetRef": "group:default/checkout"} in found["relations"]
    assert any(one["type"] == "dependsOn" for one in found["relations"])
    tag = client.get(path).headers["etag"]
    assert client.get(path, headers={"if-none-match": tag}).status_code == 304
    group = got(client, f"{CATALOGUE}/entities/by-name/group/default/checkout")
    assert {"type": "ownerOf", "targetRef": "component:default/checkout"} in group["relations"]
    missing = client.get(f"{CATALOGUE}/entities/by-name/component/default/nothing")
    assert (missing.status_code, missing.json()["error"]["name"]) == (404, "NotFoundError")


def test_filters_and_references_work_as_in_backstage(client: TestClient) -> None:
    whole = got(client, f"{CATALOGUE}/entities")
    assert {"Component", "Group", "User"} <= {one["kind"] for one in whole}
    path = f"{CATALOGUE}/entities"
    owned = got(client, path, filter="kind=component,spec.owner=group:default/checkout")
    assert "checkout" in [one["metadata"]["name"] for one in owned]
    assert {(one["kind"], one["spec"]["owner"]) for one in owned} == {("Component", "group:default/checkout")}
    assert got(client, path, filter="kind=component,relations.ownedBy=group:default/checkout") == owned
    two = got(client, path, filter=["kind=group,metadata.name=checkout", "metadata.name=nothing"])
    assert [one["kind"] for one in two] == ["Group"]
    assert (
        got(client, path, filter="kind=component", limit=3, offset=1) == got(client, path, filter="kind=component")[1:4]
    )
    refs = ["component:default/checkout", "component:default/nothing", "Group:default/checkout", "nonsense:"]
    items = client.post(f"{path}/by-refs", json={"entityRefs": refs}).json()["items"]
    assert [one and one["kind"] for one in items] == ["Component", None, "Group", None]


def test_pagerdutys_own_ids_and_key_are_taken(tmp_path: Path) -> None:
    memory = open_memory(Settings(data=tmp_path, embedder="none"))
    body = b'{"services": [{"id": "PABC123", "type": "service", "name": "cart", "self": "https://api.pagerduty.com/services/PABC123"}]}'
    admit(memory.store, Source(name="paging", connector="pagerduty"), body, {"path": "services.json"})
    drain(memory.store)
    memory.follow()
    token = memory.tokens.issue("pager", ["read"])
    with TestClient(create_app(memory), base_url=ADDRESS) as client:
        assert client.get(f"{PAGER}/services").status_code == 401
        assert client.get(f"{CATALOGUE}/entities").status_code == 401
        key = {"authorization": f"Token token={token}"}
        assert client.get(f"{PAGER}/services/PABC123", headers=key).json()["service"]["name"] == "cart"
        assert client.get("/v1/owner", params={"alias": "PABC123"}, headers=key).json()["service"] == "service:cart"


def test_users_teams_and_schedules_are_listed_told_and_written_out(client: TestClient) -> None:
    users = got(client, f"{PAGER}/users", limit=100, total="true")
    assert (len(users["users"]), users["more"]) == (users["total"], False)
    keys = {
        "id",
        "type",
        "summary",
        "self",
        "html_url",
        "name",
        "email",
        "time_zone",
        "role",
        "teams",
        "contact_methods",
    }
    assert all(keys <= one.keys() for one in users["users"])
    selma = next(one for one in users["users"] if one["summary"] == "selma")
    assert got(client, f"{PAGER}/users/{selma['id']}")["user"] == selma
    teams = {one["summary"]: one for one in got(client, f"{PAGER}/teams", limit=100)["teams"]}
    checkout = teams["checkout"]
    assert got(client, f"{PAGER}/teams/{checkout['id']}")["team"] == checkout
    members = got(client, f"{PAGER}/teams/{checkout['id']}/members", **{"include[]": "users"})["members"]
    assert {one["user"]["type"] for one in members} <= {"user"}
    of_team = got(client, f"{PAGER}/users", **{"team_ids[]": checkout["id"], "limit": 100})["users"]
    assert {one["summary"] for one in of_team} == {one["user"]["summary"] for one in members}
    for row in got(client, f"{PAGER}/schedules", limit=100)["schedules"]:
        whole = got(client, f"{PAGER}/schedules/{row['id']}")["schedule"]
        assert {"type": "schedule", "name": row["name"]}.items() <= whole.items()
        covered = whole["final_schedule"]["rendered_coverage_percentage"]
        assert (covered is None) == (whole["final_schedule"]["rendered_schedule_entries"] == [])
    (service,) = got(client, f"{PAGER}/services", query="checkout", limit=1)["services"]
    full = got(client, f"{PAGER}/services/{service['id']}", **{"include[]": ["teams", "escalation_policies"]})[
        "service"
    ]
    assert (full["teams"][0]["type"], full["escalation_policy"]["type"]) == ("team", "escalation_policy")
    assert full["escalation_policy"]["escalation_rules"]
    now = got(client, f"{PAGER}/oncalls", **{"include[]": "users", "limit": 100})["oncalls"]
    assert {one["user"]["type"] for one in now} == {"user"}
    assert client.get(f"{PAGER}/schedules/{row['id']}", params={"since": "soon"}).status_code == 422


def test_backstages_queries_facets_and_uids(client: TestClient) -> None:
    path = f"{CATALOGUE}/entities/by-query"
    first = got(
        client, path, filter="kind=component", limit=3, orderField="metadata.name,desc", fields="metadata.name,kind"
    )
    assert set(first) == {"items", "totalItems", "pageInfo"}
    assert [set(one) for one in first["items"]] == [{"metadata", "kind"}] * 3
    names = [one["metadata"]["name"] for one in first["items"]]
    second = got(client, path, cursor=first["pageInfo"]["nextCursor"])
    names += [one["metadata"]["name"] for one in second["items"]]
    assert names == sorted(names, reverse=True)
    assert len(set(names)) == 6
    assert got(client, path, cursor=second["pageInfo"]["prevCursor"]) == first
    found = got(
        client, path, fullTextFilterTerm="CHECKOUT", fullTextFilterFields="metadata.name", filter="kind=component"
    )
    assert {"checkout"} <= {one["metadata"]["name"] for one in found["items"]}
    assert all("checkout" in one["metadata"]["name"] for one in found["items"])
    assert client.get(path, params={"cursor": "nonsense"}).status_code == 422
    facets = got(client, f"{CATALOGUE}/entity-facets", facet=["kind", "spec.owner"], filter="kind=component")["facets"]
    assert facets["kind"] == [{"value": "Component", "count": first["totalItems"]}]
    owners = {one["value"]: one["count"] for one in facets["spec.owner"]}
    assert owners["group:default/checkout"] == len(
        got(client, f"{CATALOGUE}/entities", filter="kind=component,spec.owner=group:default/checkout")
    )
    one = got(client, f"{CATALOGUE}/entities", filter="metadata.name=checkout,kind=component")[0]
    assert got(client, f"{CATALOGUE}/entities/by-uid/{one['metadata']['uid']}") == one
    assert client.get(f"{CATALOGUE}/entities/by-uid/nothing").status_code == 404


def test_a_schedules_calendar_follows_its_rules(tmp_path: Path) -> None:
    """
    Two persons who hand off each Monday: each has whole weeks, in turn, and nothing is left uncovered.
    """
    memory = open_memory(Settings(data=tmp_path, embedder="none"))
    monday = datetime(2026, 6, 1, 9, tzinfo=UTC)
    layer = Layer(turns=(("person:ada",), ("person:bea",)), start=monday, anchor=monday)
    rota = {"rota": written([layer], "UTC"), "kind": "schedule"}
    record = Record(id="r", source="s", connector="test", part="p", body="", digest="", received_at=monday)
    memory.store.append([record])
    fact = Fact(kind=FactKind.ENTITY, subject="team:pagers", attributes=rota)
    memory.store.apply([Yield(record="r", items=(fact,), trust=Trust.DECLARED)])
    memory.follow()
    token = memory.tokens.issue("pager", ["read"])
    with TestClient(create_app(memory), base_url=ADDRESS, headers={"authorization": f"Token token={token}"}) as client:
        (row,) = got(client, f"{PAGER}/schedules")["schedules"]
        assert [one["summary"] for one in row["users"]] == ["ada", "bea"]
        span = {"since": "2026-06-08T09:00:00Z", "until": "2026-06-29T09:00:00Z"}
        calendar = got(client, f"{PAGER}/schedules/{row['id']}", **span)["schedule"]["final_schedule"]
    told = [(one["start"][:10], one["user"]["summary"]) for one in calendar["rendered_schedule_entries"]]
    assert told == [("2026-06-08", "bea"), ("2026-06-15", "ada"), ("2026-06-22", "bea")]
    assert calendar["rendered_coverage_percentage"] == 100.0
