"""
A paging tool finds the owner by whatever it has at hand, one at a time or many at once; and how far harm reaches.
"""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

Found = dict[str, Any]


def owner(client: TestClient, **query: str) -> Found:
    answer = client.get("/v1/owner", params=query)
    assert answer.status_code == 200, answer.text
    found: Found = answer.json()
    return found


@pytest.mark.parametrize(
    ("query", "service", "team"),
    [
        ({"service": "checkout"}, "service:checkout", "checkout"),
        ({"service": "service:checkout"}, "service:checkout", "checkout"),
        ({"name": "customer-api"}, "service:user-profile", "identity"),
        ({"alias": "pay-gw"}, "service:payment-gateway-adapter", "payments"),
        ({"label.service": "checkout", "label.severity": "page"}, "service:checkout", "checkout"),
        ({"label.pod": "checkout-6c9b7d58f4-wq2mz", "label.namespace": "shop"}, "service:checkout", "checkout"),
        ({"host": "checkout.shop.svc.cluster.local:8443"}, "service:checkout", "checkout"),
        ({"host": "https://checkout.shop.svc.cluster.local/health"}, "service:checkout", "checkout"),
        ({"repository": "larkspur/edge-gateway"}, "service:edge-gateway", "edge"),
        ({"repository": "https://github.com/larkspur/edge-gateway.git"}, "service:edge-gateway", "edge"),
        ({"repository": "larkspur/shop", "path": "services/checkout/main.go"}, "service:checkout", "checkout"),
    ],
)
def test_the_owner_is_found_by_what_is_at_hand(
    client: TestClient, query: dict[str, str], service: str, team: str
) -> None:
    found = owner(client, **query)
    assert (found["service"], found["name"]) == (service, team)
    assert found["probability"] > 0.5
    assert found["matched"]
    assert found["evidence"]


def test_a_file_belongs_to_whom_its_line_of_codeowners_names_and_the_service_disagrees_aloud(
    client: TestClient,
) -> None:
    found = owner(client, repository="larkspur/shop", path="/services/pricing/rules/vat.py")
    assert (found["name"], found["by"]) == ("commerce", "repository")
    assert [(one["pattern"], one["line"]) for one in found["lines"]] == [("/services/pricing/", 5)]
    assert "checkout" in [one["name"] for one in found["conflicts"]] or found["service"] is None
    assert {one["source"] for one in found["statements"]} >= {"codeowners"}


def test_the_line_for_everything_counts_only_where_no_service_is_known(client: TestClient) -> None:
    assert owner(client, repository="larkspur/shop", path="Makefile")["name"] == "platform"
    found = client.get("/v1/owner", params={"repository": "larkspur/shop", "path": "docs/index.md"})
    assert found.status_code == 404
    assert "nobody is known to own larkspur/shop:docs/index.md" in found.json()["detail"]


def test_a_short_name_of_a_repository_is_enough_where_it_is_the_only_one(client: TestClient) -> None:
    assert owner(client, repository="shop", path="services/cart/a.py")["name"] == "checkout"


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ({}, 422, "say `service`"),
        ({"service": "a", "host": "b"}, 422, "one of service and host"),
        ({"path": "a/b"}, 422, "say `service`"),
        ({"service": "checkout", "path": "a/b"}, 422, "`path` goes with `repository`"),
        ({"service": "x" * 1001}, 422, "longer than 1000"),
        ({"service": "nothing-of-ours"}, 404, "no service is known as 'nothing-of-ours'"),
        ({"label.colour": "blue"}, 404, "the labels colour"),
        ({"host": "printer.office.example"}, 404, "printer.office.example"),
        ({"repository": "nobody/nothing", "path": "x"}, 404, "nobody is known to own nobody/nothing:x"),
    ],
)
def test_what_cannot_be_answered_says_why(client: TestClient, query: dict[str, str], status: int, says: str) -> None:
    found = client.get("/v1/owner", params=query)
    assert found.status_code == status, found.text
    assert says in found.json()["detail"]
    assert found.headers["content-type"] == "application/problem+json"


def test_no_secret_of_a_label_comes_back(client: TestClient) -> None:
    key = "AKIA" + "QWERTYUIOPASDFGH"
    found = client.get("/v1/owner", params={"label.service": "checkout", "label.key": key})
    assert found.status_code == 200
    assert key not in found.text


def test_a_caller_that_has_the_answer_is_not_sent_it_again(client: TestClient) -> None:
    tag = client.get("/v1/owner", params={"alias": "pay-gw"}).headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get("/v1/owner", params={"alias": "pay-gw"}, headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), known
    other = client.get("/v1/owner", params={"alias": "checkout"}, headers={"if-none-match": tag})
    assert other.status_code == 200


def test_a_list_is_answered_in_its_order_each_by_itself(client: TestClient) -> None:
    asked = [
        "checkout", {"alias": "pay-gw"}, "nothing-of-ours", {"labels": {"service": "cart"}}, 7,
        {"repository": "larkspur/shop", "path": "services/cart/a.py"}, {"label.service": "search"}, {"labels": ["x"]},
    ]  # fmt: skip
    found = client.post("/v1/owners", json=asked).json()["owners"]
    assert [one.get("name") or one["error"]["status"] for one in found] == [
        "checkout", "payments", 404, "checkout", 422, "checkout", "discovery", 422,
    ]  # fmt: skip
    assert (found[2]["asked"], found[4]["asked"]) == ("nothing-of-ours", 7)
    alone = owner(client, service="checkout")
    assert found[0] == alone
    assert client.post("/v1/owners", json={"owners": asked}).json()["owners"] == found


@pytest.mark.parametrize("body", [{"ask": []}, ["a"] * 1001, "checkout"])
def test_what_is_no_list_is_refused(client: TestClient, body: object) -> None:
    found = client.post("/v1/owners", json=body)
    assert found.status_code == 422
    assert "at most 1000" in found.json()["detail"]


def test_the_owner_is_told_as_of_a_past_moment(client: TestClient) -> None:
    early = owner(client, service="checkout", known_at="1980-01-01T00:00:00Z")
    assert (early["team"], early["statements"]) == (None, [])
    assert owner(client, service="checkout")["team"] == "team:checkout"


def test_the_blast_radius_of_a_service_has_edges_with_kind_source_and_age(client: TestClient) -> None:
    found = client.get("/v1/services/checkout/blast-radius", params={"depth": 3}).json()
    assert found["service"] == "service:checkout"
    assert found["depth"] == 3
    near = {one["name"]: one for one in found["dependencies"] if one["steps"] == 1}
    assert near
    for one in (*found["dependents"], *found["dependencies"]):
        assert one["edge"]["kinds"]
        assert all(told["source"] and told["since"] for told in one["edge"]["sources"])
        assert one["criticality"] in ("critical", "high", "normal", "low", "unknown")
    assert found["counts"]["dependencies"] == len(found["dependencies"])
    shorter = client.get("/v1/services/checkout/blast-radius", params={"depth": 1}).json()
    assert {one["steps"] for one in shorter["dependencies"]} == {1}
    assert shorter["cut"]["dependencies"] is True
    assert client.get("/v1/services/nothing-of-ours/blast-radius").status_code == 404
    assert client.get("/v1/services/checkout/blast-radius", params={"depth": 11}).status_code == 422
