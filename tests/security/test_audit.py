"""
What must be recorded is, before it is answered; reads of what everybody may see are not, and cost nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.api.app import create_app
from service.audit.log import Audit
from service.audit.places import FilePlace
from service.demo import alerts, load
from service.wiring import Memory
from tests.deployment import Deployment
from tests.e2e.conftest import ADDRESS
from tests.e2e.test_command import ENVIRONMENTS, run

ALERT = alerts()[0].read_bytes()


@pytest.fixture(scope="module")
def memory(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Memory:
    return load(deployment.settings(tmp_path_factory.mktemp("audit"), embedder="none"))


@pytest.fixture(scope="module")
def tokens(memory: Memory) -> dict[str, str]:
    return {
        "reader": memory.tokens.issue("reader", ["read"]),
        "lawyer": memory.tokens.issue("lawyer", ["read", "feedback"], frozenset({"legal"})),
        "admin": memory.tokens.issue("admin", ["admin"]),
    }


@pytest.fixture(scope="module")
def client(memory: Memory, tokens: dict[str, str]) -> Iterator[TestClient]:
    with TestClient(create_app(memory), base_url=ADDRESS, raise_server_exceptions=False) as found:
        yield found


def as_(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def entries(client: TestClient, tokens: dict[str, str], **query: str) -> list[dict[str, Any]]:
    answer = client.get("/v1/audit", params=query, headers=as_(tokens["admin"]))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


def test_a_read_that_may_show_what_is_restricted_is_recorded_and_no_other(
    client: TestClient, tokens: dict[str, str]
) -> None:
    before = len(entries(client, tokens))
    for path in ("/v1/services", "/v1/changes", "/v1/owner?service=cart"):
        assert client.get(path, headers=as_(tokens["reader"])).status_code == 200
    assert client.post("/v1/context", content=ALERT, headers=as_(tokens["reader"])).status_code == 200
    assert len(entries(client, tokens)) == before
    assert client.get("/v1/changes?service=cart", headers=as_(tokens["lawyer"])).status_code == 200
    found = entries(client, tokens, who="lawyer")[0]
    assert (found["act"], found["what"]["path"], found["what"]["labels"]) == ("read", "/v1/changes", ["legal"])
    assert client.get("/v1/services/nothing-of-that-name", headers=as_(tokens["lawyer"])).status_code == 404
    assert entries(client, tokens, who="lawyer")[0]["what"]["path"] == "/v1/services/nothing-of-that-name"


def test_policy_answers_feedback_and_decisions_are_recorded(client: TestClient, tokens: dict[str, str]) -> None:
    answer = client.post("/v1/context", content=ALERT, headers=as_(tokens["lawyer"])).json()
    body = {"answer_id": answer["answer_id"], "verdict": "useful", "note": "words of a person"}
    assert client.post("/v1/feedback", json=body, headers=as_(tokens["lawyer"])).status_code == 202
    asked = {"action": "restart", "target": "cart"}
    assert client.post("/v1/policy/check", json=asked, headers=as_(tokens["reader"])).status_code == 200
    decision = {"action": "confirm", "names": ["cart", "basket-of-old"]}
    assert client.post("/v1/identity", json=decision, headers=as_(tokens["admin"])).status_code == 200
    found = {one["act"]: one for one in reversed(entries(client, tokens))}
    assert found["feedback"]["what"] == {"answer": answer["answer_id"], "verdict": "useful"}
    assert found["policy"]["what"]["verdict"] == "needs_approval"
    assert found["policy"]["who"] == "reader"
    assert found["identity"]["what"]["names"] == ["cart", "basket-of-old"]
    assert "words of a person" not in json.dumps(entries(client, tokens))


def test_what_an_agent_calls_is_recorded(client: TestClient, tokens: dict[str, str]) -> None:
    pytest.importorskip("mcp")
    call = {"name": "owner", "arguments": {"service": "cart"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    headers = {**as_(tokens["reader"]), "accept": "application/json, text/event-stream"}
    answer = client.post("/mcp", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"]["structuredContent"]["service"]
    found = entries(client, tokens, act="tool")[0]
    assert (found["who"], found["what"]["tool"]) == ("reader", "owner")


def test_only_administrators_look(client: TestClient, tokens: dict[str, str]) -> None:
    for path in ("/v1/audit", "/v1/audit/head"):
        assert client.get(path, headers=as_(tokens["lawyer"])).status_code == 403
        assert client.get(path).status_code == 401


def test_the_head_that_was_exported_is_found_again_by_the_command(
    client: TestClient, memory: Memory, tokens: dict[str, str], deployment: Deployment, tmp_path: Path
) -> None:
    head = tmp_path / "head.json"
    head.write_bytes(client.get("/v1/audit/head", headers=as_(tokens["admin"])).content)
    client.get("/v1/services", headers=as_(tokens["lawyer"]))
    folder = str(memory.settings.data)
    ENVIRONMENTS[folder] = deployment.environment
    done = run("audit", "verify", "--head", str(head), "--data", folder, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["ok"]
    told = json.loads(head.read_text())
    chain = next(iter(told["chains"]))
    told["chains"][chain]["seq"] += 1
    head.write_text(json.dumps(told))
    assert run("audit", "verify", "--head", str(head), "--data", folder).returncode == 1
    listed = run("audit", "list", "--who", "lawyer", "--data", folder)
    assert (listed.returncode, "/v1/services" in listed.stdout) == (0, True)


def test_nothing_restricted_is_shown_while_it_cannot_be_recorded(
    client: TestClient, memory: Memory, tokens: dict[str, str], tmp_path: Path
) -> None:
    whole, memory.audit = memory.audit, Audit(FilePlace(tmp_path / "away"))
    try:
        refused = client.get("/v1/changes", headers=as_(tokens["lawyer"]))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert "must be recorded in the audit" in refused.json()["detail"]
        assert client.get("/v1/changes", headers=as_(tokens["reader"])).status_code == 200
    finally:
        memory.audit.close()
        memory.audit = whole
    assert client.get("/v1/changes", headers=as_(tokens["lawyer"])).status_code == 200


def test_what_the_command_does_to_the_memory_is_recorded(tmp_path: Path, deployment: Deployment) -> None:
    if deployment.name != "embedded":
        pytest.skip("a server's store is shared with the other tests of this module")
    data, copy, back = (str(tmp_path / name) for name in ("data", "copy", "back"))
    assert run("token", "ada", "--scope", "read", "--data", data).returncode == 0
    assert run("retract", "r-nothing", "wrong", "--data", data).returncode == 1
    assert run("migrate", "--data", data).returncode == 0
    assert run("backup", copy, "--data", data).returncode == 0
    assert run("restore", copy, "--data", back).returncode == 0
    acts = [one["act"] for one in json.loads(run("audit", "list", "--data", data, "--json").stdout)["entries"]]
    assert acts == ["migrate", "retract", "token"]
    acts = [one["act"] for one in json.loads(run("audit", "list", "--data", back, "--json").stdout)["entries"]]
    assert acts == ["restore"]
    assert "3 entries in 1 chains are whole" in run("audit", "verify", "--data", data).stdout


def test_memory_that_only_reads_records_too(memory: Memory) -> None:
    from service.wiring import audit_of

    audit = audit_of(memory.settings)
    audit.record("agent", "tool", {"tool": "owner"})
    audit.close()
    assert any(one["what"] == {"tool": "owner"} for one in memory.audit.entries(50))
    assert memory.audit.verified({})[1] == []
