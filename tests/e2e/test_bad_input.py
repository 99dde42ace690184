"""
Bad input gets a clear error or an answer with gaps; nothing is lost, and no stack trace leaves the server.
"""

from __future__ import annotations

import gzip
import json

import pytest
from starlette.testclient import TestClient


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"{", "not JSON"),
        (b"{}", "neither a name nor a text"),
        (b"[]", "empty"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b'{"alerts": []}', "no alerts"),
        (b'{"title": "x", "at": "soon"}', "not a time"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, "deep"),
        (b'{"title": "\\u0000"}', "NUL"),
    ],
)
def test_what_is_no_alert_is_refused_with_what_was_expected(client: TestClient, body: bytes, says: str) -> None:
    answer = client.post("/v1/context", content=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]
    assert "Traceback" not in answer.text


def test_a_future_date_is_answered_with_a_gap(client: TestClient) -> None:
    answer = client.post(
        "/v1/context", json={"title": "x", "at": "2199-01-01T00:00:00Z", "labels": {"service": "checkout"}}
    )
    assert any("future" in gap for gap in answer.json()["gaps"])


def test_an_unknown_service_is_not_guessed(client: TestClient) -> None:
    answer = client.post("/v1/context", json={"title": "zzyzx broken", "labels": {"service": "zzyzx-frobnicator"}})
    assert answer.json()["service"]["abstained"]
    missing = client.get("/v1/owner", params={"service": "zzyzx-frobnicator"})
    assert missing.status_code == 404
    assert "zzyzx" in missing.json()["detail"]


def test_a_body_beyond_the_limit_is_refused(client: TestClient) -> None:
    answer = client.post("/v1/context", content=b'{"title": "' + b"x" * (2 << 20) + b'"}')
    assert answer.status_code == 413


def test_a_damaged_gzip_is_refused(client: TestClient) -> None:
    broken = gzip.compress(b"{}")[:-6]
    answer = client.post("/v1/context", content=broken, headers={"content-encoding": "gzip"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("backstage", b"kind: Component\nmetadata: [unclosed"),
        ("prometheus_rules", b"groups: nothing"),
        ("changes", b'{"id": 1}\n{"broken'),
        ("github", json.dumps({"repository": {"full_name": "a/b"}, "sender": {}, "surprise": 1}).encode()),
        ("alertmanager", b"\xff"),
        ("postmortems", b"Nothing but a line."),
    ],
)
def test_what_a_connector_cannot_read_is_kept_with_the_reason(client: TestClient, name: str, body: bytes) -> None:
    answer = client.post(f"/v1/ingest/{name}", content=body, params={"source": f"bad-{name}"})
    assert answer.status_code == 202
    assert answer.json()["read"] >= 1


@pytest.mark.parametrize(
    "name", ["changes", "postmortems", "backstage", "prometheus_rules", "mapping", "codeowners", "git"]
)
@pytest.mark.parametrize("path", ["x.csv", "x.json", "x.jsonl", "x.md", "x.yaml"])
@pytest.mark.parametrize("body", [b'{"id":"t","at":"2026"}\n', b"[1, null]", b"a: .nan\n", b'{"started": NaN}', b'""'])
def test_no_file_of_any_kind_breaks_the_server(client: TestClient, name: str, path: str, body: bytes) -> None:
    answer = client.post(f"/v1/ingest/{name}", content=body, params={"source": f"bad-{name}", "path": path})
    assert answer.status_code in (202, 422), answer.text


def test_unknown_routes_methods_and_connectors_are_problems(client: TestClient) -> None:
    for answer in (
        client.get("/v1/nothing"),
        client.put("/v1/context"),
        client.post("/v1/ingest/fax", content=b"x"),
        client.get("/v1/owner"),
    ):
        assert 400 <= answer.status_code < 500
        assert answer.headers["content-type"] == "application/problem+json"
