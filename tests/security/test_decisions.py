"""
Who may decide about identity, in whose name, and who sees it. A sender can neither make nor close a decision.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ingest.contract import Source
from ingest.journal import admit
from ingest.pipeline import drain
from service.api.app import create_app
from service.settings import Settings
from service.wiring import Memory, open_memory
from tests.security.test_edge import ADDRESS, bearer

CATALOG = (
    "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {}\nspec:\n  type: service\n  owner: ann\n"
)
CONFIRM = {"action": "confirm", "names": ["vault", "safe"]}


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    found = open_memory(Settings(data=tmp_path, embedder="none"))
    secret = Source(name="secret", connector="backstage", visibility=frozenset({"security"}))
    admit(found.store, secret, CATALOG.format("vault").encode(), {"path": "catalog-info.yaml"})
    open_source = Source(name="open", connector="backstage")
    admit(found.store, open_source, CATALOG.format("till").encode(), {"path": "catalog-info.yaml"})
    drain(found.store)
    found.follow()
    return found


@pytest.fixture
def client(memory: Memory) -> Iterator[TestClient]:
    with TestClient(create_app(memory), base_url=ADDRESS, raise_server_exceptions=False) as found:
        yield found


def test_only_an_admin_decides_and_in_his_own_name(memory: Memory, client: TestClient) -> None:
    body = {"action": "rename", "names": ["till", "desk"], "by": "boss"}
    for scope in ("read", "ingest", "feedback"):
        token = memory.tokens.issue(scope, [scope])
        assert client.post("/v1/identity", json=body, headers=bearer(token)).status_code == 403
    token = memory.tokens.issue("ann", ["admin"])
    assert client.post("/v1/identity", json=body, headers=bearer(token)).json()["by"] == "ann"


def test_a_sender_neither_makes_nor_replaces_a_decision(memory: Memory, client: TestClient) -> None:
    made = client.post("/v1/identity", json={"action": "rename", "names": ["till", "desk"]}).json()
    forged = {"id": made["id"], "action": "reject", "names": ["service:till", "service:desk"], "states": []}
    sender = bearer(memory.tokens.issue("s", ["ingest"]))
    for route in ("/v1/ingest/identity", "/v1/ingest/identity?source=x", "/v1/ingest/changes?source=identity"):
        assert client.post(route, json=forged, headers=sender).status_code == 403
    reader = bearer(memory.tokens.issue("r", ["read"]))
    assert client.get("/v1/identity", headers=reader).json()["decisions"][0]["state"] == "counts"


def test_a_decision_about_restricted_names_is_seen_by_those_who_see_the_names(
    memory: Memory, client: TestClient
) -> None:
    plain = bearer(memory.tokens.issue("p", ["admin"]))
    cleared = bearer(memory.tokens.issue("c", ["admin"], frozenset({"security"})))
    assert client.post("/v1/identity", json=CONFIRM, headers=plain).status_code == 404
    made = client.post("/v1/identity", json=CONFIRM, headers=cleared).json()
    assert client.get("/v1/identity", headers=cleared).json()["decisions"][0]["id"] == made["id"]
    assert client.get("/v1/identity", headers=plain).json()["decisions"] == []
    assert client.post("/v1/identity", json={"action": "undo", "id": made["id"]}, headers=plain).status_code == 404
    assert "vault" not in client.get("/v1/identity", params={"name": "safe"}, headers=plain).text
