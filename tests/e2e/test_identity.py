"""
Names change, and what was known under the old ones is found under the new ones, at the right times, as people decide.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from ingest.pipeline import ingest
from ingest.sources import read_sources
from service.demo import FOLDER, alerts
from service.wiring import Memory
from tests.deployment import Deployment
from tests.e2e.test_command import ENVIRONMENTS, run

Answer = dict[str, Any]
TEXTS = (
    "index too large, search slow",
    "errors after a release, requests time out",
    "memory grows until the pod is killed",
    "results are empty since the new model",
)


def decide(client: TestClient, action: str, *names: str, **more: str) -> Answer:
    body = {"action": action, **({"id": names[0]} if action == "undo" else {"names": list(names)}), **more}
    answer = client.post("/v1/identity", json=body)
    assert answer.status_code == 200, answer.text
    found: Answer = answer.json()
    return found


def get(client: TestClient, path: str, **query: str | int) -> Answer:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: Answer = answer.json()
    return found


def recalled(client: TestClient, service: str) -> list[list[tuple[str, float]]]:
    rows = []
    for text in TEXTS:
        answer = client.post("/v1/similar", json={"text": text, "service": service, "limit": 40}).json()
        rows.append([(one["id"], one["probability"]) for one in answer["precedents"]])
    assert all(rows)
    return rows


def asked(client: TestClient) -> Answer:
    """
    What an alert that carries the old label is answered, without what names the service.
    """
    answer: Answer = client.post("/v1/context", content=alerts()[0].read_bytes()).json()
    return {
        "precedents": [(one["id"], one["probability"]) for one in answer["precedents"]],
        "runbooks": [(one["id"], one["probability"]) for one in answer["runbooks"]],
        "suspects": [(one["id"], one["probability"]) for one in answer["changes"]["suspects"]],
        "owner": answer["owner"]["name"],
        "now": [one["name"] for one in answer["owner"]["answers_now"]],
        "blast": [one["name"] for one in answer["blast_radius"]["dependents"]],
        "fired": answer["history"]["fired_30d"],
    }


@pytest.mark.parametrize("way", ["rename", "confirm"])
def test_recall_is_identical_before_and_after_a_rename(client: TestClient, way: str) -> None:
    before, answer = recalled(client, "checkout"), asked(client)
    assert answer["precedents"]
    made = decide(client, way, "checkout", "till")
    assert made["now"] == {"service:checkout": "service:till", "service:till": "service:till"}
    assert recalled(client, "till") == before
    assert recalled(client, "checkout") == before
    assert asked(client) == answer
    decide(client, "undo", made["id"])
    assert recalled(client, "checkout") == before
    assert client.get("/v1/owner", params={"service": "till"}).status_code == 404


def test_all_that_was_stated_under_the_old_name_is_found_under_the_new_one(client: TestClient) -> None:
    old = {
        "owner": get(client, "/v1/owner", service="search")["name"],
        "changes": get(client, "/v1/changes", service="search", limit=1000)["changes"],
        "events": get(client, "/v1/timeline", service="search")["events"],
        "runbooks": get(client, "/v1/runbooks", text="index too large", service="search")["runbooks"],
        "incidents": get(client, "/v1/services/search")["incidents"],
        "depends_on": get(client, "/v1/services/search")["depends_on"],
    }
    assert all(old.values())
    made = decide(client, "rename", "search", "discovery/finder")
    for name in ("discovery/finder", "search"):
        assert get(client, "/v1/owner", service=name)["service"] == "service:discovery/finder"
        assert old == {
            "owner": get(client, "/v1/owner", service=name)["name"],
            "changes": get(client, "/v1/changes", service=name, limit=1000)["changes"],
            "events": get(client, "/v1/timeline", service=name)["events"],
            "runbooks": get(client, "/v1/runbooks", text="index too large", service=name)["runbooks"],
            "incidents": get(client, "/v1/services/" + name)["incidents"],
            "depends_on": get(client, "/v1/services/" + name)["depends_on"],
        }
    sent = {
        "id": "d-finder",
        "at": "2026-10-30T12:00:00Z",
        "service": "discovery/finder",
        "kind": "deploy",
        "title": "2",
    }
    assert client.post("/v1/ingest/changes", json=sent, params={"path": "f.jsonl"}).status_code == 202
    decide(client, "undo", made["id"])
    assert get(client, "/v1/changes", service="search", limit=1000)["changes"] == old["changes"]


def test_before_a_rename_the_old_name_stands(client: TestClient) -> None:
    made = decide(client, "rename", "cart", "basket", at="2026-10-10T00:00:00Z")
    early, late = {"as_of": "2026-10-09T23:00:00Z"}, {"as_of": "2026-10-10T01:00:00Z"}
    assert get(client, "/v1/owner", service="cart", **early)["service"] == "service:cart"
    assert client.get("/v1/owner", params={"service": "basket", **early}).status_code == 404
    assert get(client, "/v1/owner", service="cart", **late)["service"] == "service:basket"
    hindsight = {"known_at": "2026-11-01T00:00:00Z"}
    assert client.get("/v1/owner", params={"service": "basket", **late, **hindsight}).status_code == 404
    decide(client, "undo", made["id"])


def test_a_repository_that_moved_is_known_by_both_names(client: TestClient) -> None:
    here = get(client, "/v1/identity", name="larkspur/search")["candidates"][0]["id"]
    made = decide(client, "rename", "repository:larkspur/search", "repository:petal/seek")
    after = get(client, "/v1/identity", name="petal/seek")["candidates"][0]
    assert (after["id"], after["probability"] > 0.5) == (here, True)
    assert get(client, "/v1/identity", name="larkspur/search")["candidates"][0]["id"] == here
    decide(client, "undo", made["id"])


def test_parts_have_the_past_up_to_the_split(client: TestClient) -> None:
    whole = get(client, "/v1/changes", service="search", limit=1000)["changes"]
    cut = whole[len(whole) // 2]["at"]
    made = decide(client, "split", "search", "search-query", "search-index", at=cut)
    for part in ("search-query", "search-index"):
        found = get(client, "/v1/changes", service=part, limit=1000)["changes"]
        assert found == [one for one in whole if one["at"] < cut]
        events = get(client, "/v1/timeline", service=part)["events"]
        assert events
        assert all(one["at"] < cut for one in events)
    assert get(client, "/v1/changes", service="search", limit=1000)["changes"] == whole
    decide(client, "undo", made["id"])


def merged(client: TestClient) -> bool:
    ids: list[str] = get(client, "/v1/identity", name="user-profile")["candidates"][0]["ids"]
    return "service:customer-api" in ids


def test_a_rejection_outranks_what_a_source_states_and_outlives_its_syncs(client: TestClient) -> None:
    assert merged(client)
    made = decide(client, "reject", "customer-api", "user-profile", note="two programs")
    assert not merged(client)
    memory: Memory = client.app.state.memory  # type: ignore[attr-defined]
    ingest(memory.store, read_sources(FOLDER))
    memory.follow()
    assert not merged(client)
    listed = get(client, "/v1/identity")
    assert [one for one in listed["proposals"] if "service:customer-api" in one["names"]] == []
    assert (listed["decisions"][0]["id"], listed["decisions"][0]["state"]) == (made["id"], "counts")
    assert listed["decisions"][0]["note"] == "two programs"
    decide(client, "undo", made["id"])
    assert merged(client)


def test_the_same_decision_twice_is_one(client: TestClient) -> None:
    first = decide(client, "rename", "media", "pictures")
    again = decide(client, "rename", "media", "pictures")
    assert (again["id"], again["duplicate"], first["duplicate"]) == (first["id"], True, False)
    undone = decide(client, "undo", first["id"])
    assert decide(client, "undo", first["id"])["id"] == undone["id"]
    assert decide(client, "rename", "media", "pictures")["id"] != first["id"]


def test_undoing_brings_back_what_was_decided_before(client: TestClient) -> None:
    def same() -> bool:
        return bool(get(client, "/v1/owner", service="pricing")["service"] == "service:prices")

    first = decide(client, "confirm", "pricing", "prices")
    second = decide(client, "reject", "prices", "pricing")
    assert not same()
    decide(client, "undo", second["id"])
    assert same()
    decide(client, "undo", first["id"])
    assert not same()


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"action": "marry", "names": ["a", "b"]}, 422, "one of confirm, reject, rename, split, undo"),
        ({"action": "confirm", "names": ["checkout"]}, 422, "`names` of confirm are two"),
        ({"action": "confirm", "names": "checkout"}, 422, "`names` of confirm are two"),
        ({"action": "confirm", "names": ["checkout", "Checkout "]}, 422, "one name twice"),
        ({"action": "confirm", "names": ["checkout", "team:checkout"]}, 422, "different kinds"),
        ({"action": "confirm", "names": ["checkout", "a\u0007b"]}, 422, "control character"),
        ({"action": "rename", "names": ["checkout", "till"], "at": "soon"}, 422, "`at`"),
        ({"action": "reject", "names": ["checkout", "cart"], "at": "2026-01-01T00:00:00Z"}, 422, "holds for all times"),
        ({"action": "confirm", "names": ["nobody-knows", "nor-this"]}, 404, "No source speaks of"),
        ({"action": "undo", "id": "d-none"}, 404, "no such decision"),
        ({"action": "reject", "names": ["checkout", "cart"], "note": "n" * 500}, 422, "at most 400"),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_is_told(client: TestClient, body: Answer, status: int, says: str) -> None:
    answer = client.post("/v1/identity", json=body)
    assert answer.status_code == status
    assert says in answer.json()["detail"]


def test_a_merge_against_a_rejection_is_told(client: TestClient) -> None:
    made = [
        decide(client, "reject", "pricing", "promotions"),
        decide(client, "confirm", "pricing", "rates"),
        decide(client, "confirm", "promotions", "rates"),
    ]
    assert "stay apart" in made[-1]["gaps"][0]
    for one in reversed(made):
        decide(client, "undo", one["id"])


def test_the_command_decides_beside_a_server(client: TestClient, deployment: Deployment) -> None:
    folder = str(client.app.state.memory.settings.data)  # type: ignore[attr-defined]
    ENVIRONMENTS[folder] = deployment.environment
    done = run("identity", "rename", "orders", "purchases", "--by", "ann", "--data", folder, "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["by"], made["duplicate"]) == ("ann", False)
    assert run("identity", "undo", made["id"], "--data", folder).returncode == 0
    assert made["id"] in run("identity", "--data", folder).stdout
    wrong = run("identity", "marry", "a", "b", "--data", folder)
    assert (wrong.returncode, "is no decision" in wrong.stderr) == (1, True)
