"""
A configured webhook takes what its sender proves, and nothing else, on whichever path it comes.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from graph.values import PUBLIC, RecordState, View
from service.api.app import create_app
from service.settings import read_settings
from service.sources import listing
from service.wiring import Memory, open_memory
from tests.faults.waiting import until

NOTICED = 10
SECRET, NEXT = "present secret", "next secret"
CONFIG = """
[[webhooks]]
name = "gh"
connector = "github"
secrets = ["env:PRESENT", "env:NEXT"]

[[webhooks]]
name = "off"
connector = "github"
secrets = ["env:GONE"]

[[webhooks]]
name = "bare"
connector = "alertmanager"

[[webhooks]]
name = "alerts"
connector = "alertmanager"
secrets = ["env:PRESENT"]
visibility = ["ops"]

[[webhooks]]
name = "keyed"
connector = "alertmanager"
secrets = ["env:PRESENT"]
header = "X-Api-Key"

[[webhooks]]
name = "placed"
connector = "alertmanager"
secrets = ["env:PRESENT"]
scheme = "url"

[[webhooks]]
name = "orders"
mapping = "orders.toml"
secrets = ["env:PRESENT"]
scheme = "hmac"
header = "X-Orders-Signature"
"""
MAPPING = """
part = "{order.id}"
occurred = "at"
[[items]]
kind = "change"
when = "type=order.deployed"
fields = { id = "{order.id}", at = "{at}", service = "{order.app}", kind = "deploy", status = "{order.state}" }
"""
ALERT = {"alerts": [{"labels": {"alertname": "Slow"}, "startsAt": "2026-03-02T10:00:00Z", "fingerprint": "f1"}]}
PUSH = {
    "ref": "refs/heads/main",
    "after": "c0ffee1",
    "pusher": {"name": "ann"},
    "sender": {"login": "ann"},
    "repository": {"name": "shop", "full_name": "acme/shop", "default_branch": "main"},
    "commits": [{"id": "c0ffee1", "message": "Sell more", "timestamp": "2026-03-02T10:00:00Z"}],
}


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    (tmp_path / "precedent.toml").write_text(CONFIG)
    (tmp_path / "orders.toml").write_text(MAPPING)
    flags = {"data": tmp_path / "data", "embedder": "none"}
    return open_memory(read_settings(flags, tmp_path / "precedent.toml", {"PRESENT": SECRET, "NEXT": NEXT}))


@pytest.fixture
def client(memory: Memory) -> Iterator[TestClient]:
    with TestClient(
        create_app(memory), base_url="http://127.0.0.1:8080", raise_server_exceptions=False
    ) as found:  # fmt: skip
        yield found


def signed(body: bytes, secret: str = SECRET, event: str = "push", delivery: str = "d-1") -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={digest}", "x-github-event": event, "x-github-delivery": delivery}


BODY = json.dumps(PUSH).encode()
PATHS = ["/v1/hooks/gh", "/v1/ingest/github?source=gh"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("secret", [SECRET, NEXT])
def test_a_proven_delivery_is_taken_and_applied(memory: Memory, client: TestClient, path: str, secret: str) -> None:
    answer = client.post(path, content=BODY, headers=signed(BODY, secret))
    assert (answer.status_code, answer.json()["new"]) == (202, 1)
    until(lambda: [one.item.id for one in memory.store.changes(View.now())] == ["c0ffee1"], NOTICED)
    (record,) = memory.store.records(source="gh")
    assert record.meta["x-github-event"] == "push"
    assert "signature" not in json.dumps(dict(record.meta))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [{}, signed(BODY, "another"), signed(BODY + b" "), signed(BODY, ""), {"x-hub-signature-256": "sha256="}],
    ids=["none", "another secret", "another body", "no secret", "no digits"],
)
def test_what_is_not_proven_is_refused_and_not_kept(
    memory: Memory, client: TestClient, path: str, headers: dict[str, str]
) -> None:
    answer = client.post(path, content=BODY, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert "x-hub-signature-256" in answer.json()["detail"]
    assert "www-authenticate" in answer.headers
    assert memory.store.records() == ()


def test_no_token_stands_in_for_the_proof(memory: Memory, client: TestClient) -> None:
    admin = {"authorization": f"Bearer {memory.tokens.issue('a', ['admin', 'ingest'])}"}
    for path in PATHS:
        assert client.post(path, content=BODY, headers=admin).status_code == 401
    assert client.post("/v1/hooks/gh", content=BODY, headers=signed(BODY)).status_code == 202
    # what nobody configured still takes the token, and needs it
    assert client.post("/v1/ingest/github", content=BODY).status_code == 401
    assert client.post("/v1/ingest/github", content=BODY, headers=admin).status_code == 202


@pytest.mark.parametrize(
    "path",
    ["/v1/hooks/off", "/v1/ingest/github?source=off", "/v1/hooks/bare", "/v1/ingest/alertmanager?source=bare"],
)
@pytest.mark.parametrize("secret", ["", SECRET])
def test_without_its_secret_a_webhook_is_off(memory: Memory, client: TestClient, path: str, secret: str) -> None:
    headers = {**signed(BODY, secret), "authorization": f"Bearer {secret}"}
    answer = client.post(path, content=BODY, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert "is off" in answer.json()["detail"]
    assert "GONE" not in answer.text
    assert memory.store.records() == ()
    assert set(client.get("/readyz?verbose=true").json()["off"]) == {"off", "bare"}


def test_a_configured_source_is_that_of_its_connector_alone(client: TestClient) -> None:
    for path, status in (
        ("/v1/hooks/nobody", 404),
        ("/v1/ingest/changes?source=gh", 422),
        ("/v1/ingest/github?source=gh&path=other.json", 422),
    ):
        answer = client.post(path, content=BODY, headers=signed(BODY))
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), path


def test_the_bytes_are_proven_as_they_came(client: TestClient) -> None:
    packed = gzip.compress(BODY)
    for headers in (signed(packed), {**signed(packed), "content-encoding": "gzip"}):
        answer = client.post("/v1/hooks/gh", content=packed, headers=headers)
        assert (answer.status_code, answer.json()["quarantined"]) == (202, 0)
    assert client.post("/v1/hooks/gh", content=packed, headers=signed(BODY)).status_code == 401
    bomb = gzip.compress(b" " * (64 << 20))
    assert client.post("/v1/hooks/gh", content=bomb, headers=signed(bomb)).status_code == 413


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"user:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("alerts", {"authorization": f"Bearer {SECRET}"}, {"authorization": "Bearer nothing"}),
        ("alerts", {"authorization": basic(SECRET)}, {"authorization": basic("nothing")}),
        ("keyed", {"x-api-key": SECRET}, {"authorization": f"Bearer {SECRET}"}),
    ],
)
def test_where_the_vendor_signs_nothing_a_shared_secret_proves(
    client: TestClient, name: str, right: Mapping[str, str], wrong: Mapping[str, str]
) -> None:
    assert client.post(f"/v1/hooks/{name}", json=ALERT, headers=right).status_code == 202
    assert client.post(f"/v1/hooks/{name}", json=ALERT, headers=wrong).status_code == 401
    assert client.post(f"/v1/hooks/{name}", json=ALERT).status_code == 401
    assert client.post(f"/v1/hooks/{name}", json=ALERT, params={"secret": SECRET}).status_code == 401


def test_a_secret_in_the_url_counts_where_it_is_configured(memory: Memory, client: TestClient) -> None:
    assert client.post("/v1/hooks/placed", json=ALERT, params={"secret": SECRET}).status_code == 202
    assert client.post("/v1/hooks/placed", json=ALERT, headers={":secret": SECRET}).status_code == 401
    for params in ({}, {"secret": ""}, {"secret": "x"}):
        assert client.post("/v1/hooks/placed", json=ALERT, params=params).status_code == 401
    assert SECRET not in str(memory.store.records(source="placed"))


def test_what_a_webhook_yields_carries_its_labels(memory: Memory, client: TestClient) -> None:
    assert client.post("/v1/hooks/alerts", json=ALERT, headers={"authorization": SECRET}).status_code == 202
    until(lambda: len(memory.store.alerts(View.now(frozenset({"ops"})))) == 1, NOTICED)
    assert memory.store.alerts(View.now()) == ()
    plain, cleared = (
        memory.tokens.issue(n, ["read"], labels) for n, labels in (("p", PUBLIC), ("c", frozenset({"ops"})))
    )
    seen = [
        {one["source"] for one in client.get("/v1/sources", headers={"authorization": f"Bearer {token}"}).json()["sources"]}
        for token in (plain, cleared)
    ]  # fmt: skip
    assert seen[1] - seen[0] == {"alerts"}


def test_the_same_delivery_again_is_a_duplicate(memory: Memory, client: TestClient) -> None:
    for new in (1, 0, 0):
        answer = client.post("/v1/hooks/gh", content=BODY, headers=signed(BODY)).json()
        assert (answer["new"], answer["duplicates"]) == (new, 1 - new)
    assert len(memory.store.records(source="gh")) == 1


UNREADABLE = [b"", b"{", b"hello", b"\xff\xfe\x00", b"[1]", b"null", b"a=1&b=2", b"\x1f\x8b broken", b'{"a":' * 200]


@pytest.mark.parametrize("body", UNREADABLE)
def test_a_proven_body_that_nobody_can_read_is_taken_and_set_aside(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/hooks/gh", content=body, headers=signed(body))
    assert answer.status_code == 202
    until(lambda: client.get("/readyz?verbose=true").json()["quarantine"] == {"gh": 1}, NOTICED)


def test_a_dead_letter_shows_everywhere_and_stops_nobody(memory: Memory, client: TestClient) -> None:
    strange = b'{"sender": {}, "repository": {"full_name": "a/b"}}'
    headers = signed(strange, event="meta", delivery="d-9")
    assert client.post("/v1/hooks/gh", content=strange, headers=headers).status_code == 202
    began = time.monotonic()
    change = {"id": "9", "at": "2026-03-02T10:00:00Z", "service": "shop"}
    assert client.post("/v1/ingest/changes", json=change, params={"path": "c.json"}).status_code == 202
    until(lambda: memory.store.records(source="gh")[0].state is RecordState.QUARANTINED, NOTICED)
    assert client.get("/readyz?verbose=true").json()["quarantine"] == {"gh": 1}
    assert 'precedent_records{source="gh",state="quarantined"} 1.0' in client.get("/metrics").text
    found = client.get("/v1/sources").json()
    (held,) = found["quarantine"]
    assert held["source"] == "gh"
    assert "'meta'" in held["reason"]
    states = {one["source"]: one["state"] for one in found["sources"]}
    assert (states["gh"], states["off"], states["keyed"]) == ("failing", "off", "silent")
    assert time.monotonic() - began < 10
    until(lambda: [one.item.id for one in memory.store.changes(View.now())] == ["9"], NOTICED)
    assert states["changes"] == "ok"


def test_refusals_show_where_the_sources_are_listed(memory: Memory, client: TestClient) -> None:
    def row() -> Any:
        found: Any = client.get("/v1/sources").json()["sources"]
        return next(one for one in found if one["source"] == "gh")

    assert client.post("/v1/hooks/gh", content=BODY, headers=signed(BODY, "another")).status_code == 401
    until(lambda: row()["state"] == "failing", NOTICED)
    assert "x-hub-signature-256" in row()["says"]
    assert 'precedent_refused_deliveries_total{source="gh"}' in client.get("/metrics").text
    assert client.post("/v1/hooks/gh", content=BODY, headers=signed(BODY)).status_code == 202
    until(lambda: row()["state"] == "ok", NOTICED)
    assert row()["last_success"]


def test_any_json_is_read_by_a_mapping(memory: Memory, client: TestClient) -> None:
    def send(**order: str) -> None:
        body = json.dumps({"type": "order.deployed", "at": order.pop("at"), "order": order}).encode()
        headers = {"x-orders-signature": hmac.new(SECRET.encode(), body, "sha256").hexdigest()}
        assert client.post("/v1/hooks/orders", content=body, headers=headers).status_code == 202

    def states() -> dict[str, str | None]:
        return {one.item.id: one.item.status for one in memory.store.changes(View.now())}

    send(id="o1", app="shop", state="running", at="2026-03-02T10:00:00Z")
    send(id="o2", app="cart", state="running", at="2026-03-02T10:01:00Z")
    until(lambda: states() == {"o1": "running", "o2": "running"}, NOTICED)
    send(id="o1", app="shop", state="done", at="2026-03-02T10:05:00Z")
    until(lambda: states() == {"o1": "done", "o2": "running"}, NOTICED)
    assert client.post("/v1/hooks/orders", content=b"{}").status_code == 401


def test_while_the_store_is_away_the_sender_is_asked_to_come_again(memory: Memory, client: TestClient) -> None:
    memory.store.close()
    answer = client.post("/v1/hooks/gh", content=BODY, headers=signed(BODY))
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert int(answer.headers["retry-after"]) > 0
    # who proves nothing learns nothing of it
    assert client.post("/v1/hooks/gh", content=BODY).status_code == 401


def test_a_listing_tells_lag_and_rate(memory: Memory, client: TestClient) -> None:
    until(lambda: bool(memory.store.kept("arrivals")), NOTICED)
    for number in range(3):
        assert client.post("/v1/hooks/gh", content=BODY, headers=signed(BODY, delivery=str(number))).status_code == 202
    now = datetime.now(UTC)
    rows: Any = listing(memory.store, memory.settings.webhooks, now)["sources"]
    (row,) = (one for one in rows if one["source"] == "gh")
    count = sum(row[state.value] for state in RecordState)
    assert row["records_per_hour"] == count > 0
    assert 0 <= row["lag_seconds"] < 60
    later: Any = listing(memory.store, memory.settings.webhooks, now + timedelta(days=8))["sources"]
    (row,) = (one for one in later if one["source"] == "gh")
    assert (row["state"], row["lag_seconds"] // 86_400) == ("silent", 8)
    assert row["records_per_hour"] < 1
