"""
Who may ask what; text from outside stays text.
"""

from __future__ import annotations

import json
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

ADDRESS = "http://127.0.0.1:8080"
SECRET_REPORT = b"""---
id: SEC-1
title: Vault of payments opened by a stranger
started: 2026-03-01T10:00:00Z
services: [payments]
---
# Vault of payments opened by a stranger

## Resolution

Rotated the master credentials of `payments-vault`.
"""
OPEN_REPORT = (
    SECRET_REPORT.replace(b"SEC-1", b"OPEN-1").replace(b"Vault", b"Queue").replace(b"payments-vault", b"payments-queue")
)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    found = open_memory(Settings(data=tmp_path))
    secret = Source(name="security", connector="postmortems", visibility=frozenset({"security"}))
    admit(found.store, secret, SECRET_REPORT, {"path": "sec.md"})
    admit(found.store, Source(name="open", connector="postmortems"), OPEN_REPORT, {"path": "open.md"})
    drain(found.store)
    found.follow()
    return found


@pytest.fixture
def client(memory: Memory) -> Iterator[TestClient]:
    with TestClient(create_app(memory), base_url=ADDRESS, raise_server_exceptions=False) as found:
        yield found


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_once_there_is_a_token_everybody_needs_one(memory: Memory, client: TestClient) -> None:
    assert client.get("/v1/services").status_code == 200
    token = memory.tokens.issue("reader", ["read"])
    assert client.get("/v1/services").status_code == 401
    assert client.get("/v1/services", headers=bearer("prc_wrong")).status_code == 401
    assert client.get("/v1/services", headers=bearer(token)).status_code == 200


def test_an_ingest_token_cannot_read_and_a_read_token_cannot_ingest(memory: Memory, client: TestClient) -> None:
    reader, sender = memory.tokens.issue("r", ["read"]), memory.tokens.issue("s", ["ingest"])
    assert client.get("/v1/services", headers=bearer(sender)).status_code == 403
    assert client.post("/v1/ingest/changes", content=b"{}", headers=bearer(reader)).status_code == 403
    assert client.post("/v1/ingest/changes", content=b"{}", headers=bearer(sender)).status_code == 202


def test_a_restricted_postmortem_is_invisible_without_its_label(memory: Memory, client: TestClient) -> None:
    plain, cleared = memory.tokens.issue("p", ["read"]), memory.tokens.issue("c", ["read"], frozenset({"security"}))
    question = {"text": "vault of payments opened, rotated master credentials payments-vault"}
    seen = client.post("/v1/similar", json=question, headers=bearer(plain)).text
    assert "SEC-1" not in seen
    assert "payments-vault" not in seen
    assert "SEC-1" in client.post("/v1/similar", json=question, headers=bearer(cleared)).text


def test_an_answer_that_rests_on_restricted_records_is_not_shown_to_others(memory: Memory, client: TestClient) -> None:
    plain, cleared = memory.tokens.issue("p", ["read"]), memory.tokens.issue("c", ["read"], frozenset({"security"}))
    alert = {"title": "Vault of payments opened by a stranger", "text": "vault of payments opened by a stranger"}
    answer = client.post("/v1/context", json=alert, headers=bearer(cleared)).json()
    assert "SEC-1" in [one["id"] for one in answer["precedents"]]
    assert client.get(f"/v1/answers/{answer['answer_id']}", headers=bearer(plain)).status_code == 404
    assert client.get(f"/v1/answers/{answer['answer_id']}", headers=bearer(cleared)).status_code == 200


def test_foreign_hosts_and_sites_are_refused(client: TestClient) -> None:
    assert client.get("/v1/services", headers={"host": "evil.example"}).status_code == 421
    assert client.post("/v1/similar", json={"text": "x"}, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.post("/v1/similar", json={"text": "x"}, headers={"origin": "https://evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "host",
    ["testserver", "127.0.0.1:8177@evil.com", "127.0.0.1:80@evil.com:80", "localhost:x", "user@localhost", "[::1", "localhost/x", ""],
)  # fmt: skip
def test_a_host_is_a_name_and_a_port(client: TestClient, host: str) -> None:
    assert client.get("/v1/services", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:9", "[::1]:8080", "[::1]"])
def test_this_machine_has_these_names(client: TestClient, host: str) -> None:
    assert client.get("/v1/services", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["http://127.0.0.1:9999", "http://127.0.0.1", "https://127.0.0.1:8080", "http://localhost:8080", "http://[", "http://x:y", "null", "http://"],
)  # fmt: skip
def test_only_the_same_scheme_host_and_port_are_the_own_origin(client: TestClient, origin: str) -> None:
    answer = client.post("/v1/similar", json={"text": "x"}, headers={"origin": origin})
    assert (answer.status_code, answer.json()["status"]) == (403, 403)


def test_the_own_origin_may_ask(client: TestClient) -> None:
    for host, origin in ((None, ADDRESS), ("localhost", "http://localhost:80"), ("localhost:80", "http://LOCALHOST")):
        headers = {"origin": origin} | ({"host": host} if host else {})
        assert client.post("/v1/similar", json={"text": "x"}, headers=headers).status_code == 200


def test_feedback_speaks_with_the_name_of_its_token(memory: Memory, client: TestClient) -> None:
    answer = client.post("/v1/context", content=b"Queue of payments opened").json()
    verdict = {"answer_id": answer["answer_id"], "verdict": "useful", "by": "boss"}

    def voices() -> set[str]:
        return {json.loads(one.body)["by"] for one in memory.store.records(source="feedback")}

    assert client.post("/v1/feedback", json=verdict).status_code == 202
    assert voices() == {"boss"}
    token = memory.tokens.issue("ann", ["feedback"])
    assert client.post("/v1/feedback", json=verdict, headers=bearer(token)).status_code == 202
    assert voices() == {"boss", "ann"}


def test_stored_text_is_escaped_on_pages(client: TestClient) -> None:
    alert = '{"title": "<script>alert(1)</script>", "text": "<img src=x onerror=alert(1)>"}'
    page = client.post("/", data={"alert": alert})
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_no_secret_reaches_the_store(memory: Memory, tmp_path: Path) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6" * 3
    body = f"# Runbook\n\nUse the token {secret} and `password: hunter2secret`.\n"
    admit(memory.store, Source(name="rb", connector="runbooks"), body.encode(), {"path": "rb.md"})
    kept = memory.store.records(source="rb")[0].body
    assert secret not in kept
    assert "hunter2secret" not in kept
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert secret.encode() not in files
