"""
Clients of PagerDuty and of Backstage get the shapes that they know.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

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
    assert {one["user"]["summary"] for one in now} <= set(expected)
    assert {one["escalation_policy"]["id"] for one in now} <= {policy["id"]}


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
