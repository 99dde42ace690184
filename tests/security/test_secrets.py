"""
No secret that comes in, wherever it stands, is kept, served or answered.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from service.api.app import create_app
from service.cli import app as command
from service.settings import Settings
from service.wiring import open_memory

TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
OTHER = "ghp_" + "F6e5D4c3B2a1" * 3
START = "2026-03-02T10:00:00Z"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    memory = open_memory(Settings(data=tmp_path, embedder="none"))
    with TestClient(create_app(memory), base_url="http://127.0.0.1:8080", raise_server_exceptions=False) as found:
        yield found


def kept(folder: Path) -> bytes:
    """
    All bytes of a data directory.
    """
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def assert_unknown(folder: Path) -> None:
    found = kept(folder)
    assert TOKEN[4:].encode() not in found
    assert OTHER[4:].encode() not in found


ALERTS = [
    {"name": f"leak {TOKEN}", "text": "down"},
    {"name": "x", "labels": {"service": "pay", "key": TOKEN}},
    {"name": "x", "labels": {TOKEN: "y"}, "annotations": {"token": OTHER}},
    {"name": "x", "annotations": {"password": f"two words {TOKEN}"}},
    {"name": "x", "url": f"https://user:{TOKEN}@example.org/x", "query": f'up{{key="{TOKEN}"}}'},
    {"name": "x", "text": f"see {TOKEN}", "signals": {"notes": [f"log says {OTHER}"], "failing": [TOKEN]}},
    {"title": "x", "environment": TOKEN, "id": OTHER},
    {"alerts": [{"labels": {"alertname": TOKEN}, "startsAt": START, "generatorURL": f"http://p/?g0.expr={TOKEN}"}] * 2},
]


@pytest.mark.parametrize("alert", ALERTS)
@pytest.mark.parametrize("escaped", [False, True])
def test_a_secret_in_an_alert_is_in_no_answer_and_in_no_file(
    client: TestClient, tmp_path: Path, alert: dict[str, object], escaped: bool
) -> None:
    body = json.dumps(alert).replace("_", "\\u005f") if escaped else json.dumps(alert)
    answer = client.post("/v1/context", content=body)
    assert answer.status_code == 200
    assert TOKEN[4:] not in answer.text
    assert OTHER[4:] not in answer.text
    assert "[redacted:" in answer.text or "signals" in alert or "query" in alert or "environment" in alert
    assert_unknown(tmp_path)


def test_a_secret_in_a_text_is_in_no_answer_and_in_no_file(client: TestClient, tmp_path: Path) -> None:
    assert client.post("/v1/context", content=f"checkout is down, {TOKEN}\nPGPASSWORD={OTHER}").status_code == 200
    assert client.post("/", data={"alert": f"checkout is down, {TOKEN}"}).status_code == 200
    assert_unknown(tmp_path)


def test_the_command_keeps_no_secret_of_an_alert(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    open_memory(Settings(data=data, embedder="none")).close()
    command(["context", f"checkout is down, {TOKEN}", "--data", str(data)], standalone_mode=False)
    assert TOKEN not in capsys.readouterr().out
    assert_unknown(data)


def test_a_secret_beside_a_record_is_not_kept(client: TestClient, tmp_path: Path) -> None:
    row = {"id": "c-1", "at": START, "service": "pay"}
    delivery = {"alerts": [{"labels": {"alertname": "x"}, "fingerprint": TOKEN, "startsAt": START}]}
    component = f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: {TOKEN}}}\nspec: {{owner: a}}\n"
    sent = [
        client.post("/v1/ingest/changes", json=row, params={"source": TOKEN, "path": f"{OTHER}.jsonl"}),
        client.post("/v1/ingest/changes", json={**row, "id": TOKEN}),
        client.post("/v1/ingest/changes", json={**row, "id": OTHER}),
        client.post("/v1/ingest/changes", content=b"not JSON", params={"path": f"{TOKEN}.jsonl"}),
        client.post("/v1/ingest/alertmanager", json=delivery),
        client.post("/v1/ingest/github", json={"sender": {}}, headers={"x-github-event": TOKEN}),
        client.post("/v1/ingest/backstage", content=component, params={"path": f"{TOKEN}.yaml"}),
    ]
    assert [answer.status_code for answer in sent] == [202] * len(sent)
    answered = client.post("/v1/context", json={"name": "x"}).json()
    verdict = {"answer_id": answered["answer_id"], "verdict": "useful", "subject": TOKEN, "by": f"token={OTHER}"}
    assert client.post("/v1/feedback", json=verdict).status_code == 202
    assert_unknown(tmp_path)


def test_parts_that_differ_in_a_secret_alone_stay_two(client: TestClient) -> None:
    row = {"at": START, "service": "pay"}
    body = "\n".join(json.dumps({**row, "id": one}) for one in (TOKEN, OTHER))
    answer = client.post("/v1/ingest/changes", content=body).json()
    assert answer["new"] == len(set(answer["records"])) == 2
    assert client.post("/v1/ingest/changes", content=body).json()["duplicates"] == 2


def test_an_unfinished_private_key_loses_no_change(client: TestClient) -> None:
    row = {"text": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq", "id": "c-9", "at": START, "service": "pay"}
    answer = client.post("/v1/ingest/changes", json=row).json()
    assert (answer["new"], answer["quarantined"]) == (1, 0)
    memory = client.app.state.memory  # type: ignore[attr-defined]  # the client knows it as any ASGI application
    (record,) = memory.store.records(answer["records"])
    assert json.loads(record.body)["id"] == "c-9"
    assert "MII" not in record.body
