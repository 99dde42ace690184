"""
Bad input gets a clear error or an answer with gaps; nothing is lost, and no stack trace leaves the server.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from urllib.parse import quote

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
        (b"null", "nothing but `null`"),
        (b" 5\n", "nothing but `5`"),
        (b'""', "empty"),
        (
            b'{"title": "x", "at": "0001-01-02T00:00:00Z"}',
            "`at`: 0001-01-02T00:00:00Z lies outside the years 1970 to 2200",
        ),
        (b'{"title": "x", "at": "soon"}', "`at`: "),
        (b'{"title": "x", "ended_at": "9998-01-01T00:00:00Z"}', "`ended_at`: "),
        (b'{"labels": {"alertname": "x"}, "startsAt": "2201-01-01T00:00:00Z"}', "`startsAt`: "),
        (b'{"title": "x", "as_of": "0001-01-01T00:00:00Z"}', "`as_of`: "),
        (b'{"title": "x", "known_at": 1e30}', "`known_at`: "),
        (b'{"title": "x", "signals": {"patterns": [{"growth": "abc"}]}}', "`signals.patterns[0].growth`"),
        (b'{"title": "x", "signals": {"patterns": [{}, {"growth": [1]}]}}', "`signals.patterns[1].growth`"),
        (b'{"title": "x", "signals": ["slow"]}', "`signals` is a list; write an object with patterns"),
        (b'{"title": "x", "signals": {"edges": {}}}', "`signals.edges` is an object; write a list"),
        (b'{"title": "x", "signals": {"edges": ["a"]}}', "`signals.edges[0]` is a text; write an object"),
        (b'{"title": "x", "signals": {"edges": [{"from": "a"}]}}', "`signals.edges[0].to` is missing"),
        (b'{"title": "x", "signals": {"metrics": [{"before": 1}]}}', "`signals.metrics[0].after` is missing"),
        (b'{"title": "x", "signals": {"metrics": [{"before": 1, "after": "NaN"}]}}', "`signals.metrics[0].after`"),
        (b'{"title": "x", "signals": {"alerts": [{"at": "soon"}]}}', "`signals.alerts[0].at`"),
        (b'{"title": "x", "signals": {"notes": 7}}', "`signals.notes` is a number; write a list of texts"),
        (b'{"title": "x", "signals": {"began": "1800-01-01T00:00:00Z"}}', "`signals.began`"),
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


def pieces(size: int) -> Iterator[bytes]:
    """
    A body of a length that nobody announces.
    """
    yield b'{"id": "9", "at": "2026-01-01T00:00:00Z", "title": "'
    for _ in range(size // 65536):
        yield b"x" * 65536
    yield b'"}\n'


@pytest.mark.parametrize("route", ["/v1/context", "/v1/similar", "/v1/feedback", "/", "/v1/ingest/changes?source=cut"])
def test_a_body_that_streams_past_the_limit_is_refused_whole(client: TestClient, route: str) -> None:
    answer = client.post(route, content=pieces(12 << 20))
    assert answer.status_code == 413
    assert "larger than" in answer.json()["detail"]
    assert 'source="cut"' not in client.get("/metrics").text


@pytest.mark.parametrize("headers", [{}, {"content-encoding": "gzip"}])
@pytest.mark.parametrize("route", ["/v1/context", "/v1/ingest/changes?source=bomb&path=x.jsonl.gz"])
def test_a_gzip_that_unpacks_past_the_limit_is_refused(client: TestClient, route: str, headers: dict[str, str]) -> None:
    bomb = gzip.compress(b" " * (64 << 20))
    for body in (bomb, gzip.compress(bomb)):
        answer = client.post(route, content=body, headers=headers)
        assert (answer.status_code, "unpacks to more than" in answer.text) == (413, True)
    assert (
        client.post(route, content=gzip.compress(gzip.compress(gzip.compress(b"x"))), headers=headers).status_code
        == 422
    )


def test_a_packed_alert_is_answered_as_one_that_is_not(client: TestClient) -> None:
    alert = json.dumps({"title": "checkout is down", "environment": "nowhere"}).encode()
    plain = client.post("/v1/context", content=alert).json()
    for headers in ({}, {"content-encoding": "gzip"}, {"content-encoding": "X-GZIP"}):
        answer = client.post("/v1/context", content=gzip.compress(alert), headers=headers).json()
        assert answer["service"] == plain["service"]


def test_an_encoding_that_is_not_known_or_not_true_is_refused(client: TestClient) -> None:
    unknown = client.post("/v1/context", content=b"checkout is down", headers={"content-encoding": "br"})
    assert (unknown.status_code, unknown.headers["accept-encoding"]) == (415, "gzip")
    untrue = client.post("/v1/context", content=b"checkout is down", headers={"content-encoding": "gzip"})
    assert (untrue.status_code, "not gzip" in untrue.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    "alert",
    [
        {"title": "checkout is down", "at": "0001-01-01T00:00:00Z"},
        {"alerts": [{"labels": {"alertname": "CheckoutDown"}, "startsAt": "0001-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z"}]},
        {"labels": {"alertname": "CheckoutDown"}, "activeAt": "0001-01-01T00:00:00+00:00"},
    ],
)  # fmt: skip
def test_a_time_that_is_not_set_is_now_with_a_gap(client: TestClient, alert: dict[str, object]) -> None:
    answer = client.post("/v1/context", json=alert).json()
    assert any("is not set" in gap and "taken as now" in gap for gap in answer["gaps"])
    assert answer["alert"]["at"][:10] == answer["as_of"][:10]
    assert client.get(f"/v1/answers/{answer['answer_id']}").json()["gaps"] == answer["gaps"]
    assert not any("is not set" in gap for gap in client.post("/v1/context", json={"title": "x"}).json()["gaps"])


@pytest.mark.parametrize(
    ("route", "name"),
    [
        ("/v1/owner?service=checkout&as_of=", "as_of"),
        ("/v1/services?known_at=", "known_at"),
        ("/v1/services/checkout?as_of=", "as_of"),
        ("/v1/changes?start=", "start"),
        ("/v1/timeline?service=checkout&end=", "end"),
    ],
)
def test_a_time_where_no_memory_reaches_is_refused_by_name(client: TestClient, route: str, name: str) -> None:
    for moment in ("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2201-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"):
        answer = client.get(route + quote(moment))
        assert answer.status_code == 422, moment
        assert answer.json()["detail"].startswith(f"`{name}`: ")
    for moment in ("1970-01-01T00:00:00Z", "2200-12-31T00:00:00Z"):
        assert client.get(route + quote(moment)).status_code in (200, 404), moment


def test_the_first_day_that_may_be_asked_about_is_answered(client: TestClient) -> None:
    alert = {"title": "checkout is down", "at": "1970-01-01T00:00:00Z"}
    assert client.post("/v1/context", json=alert).status_code == 200
    assert client.post("/v1/similar", json={"text": "down", "at": "1970-01-01T00:00:00Z"}).status_code == 200
    assert client.post("/v1/similar", json={"text": "down", "at": "0001-01-01T00:00:00Z"}).status_code == 422


@pytest.mark.parametrize("limit", ["abc", 1.5, [1], 0, -3, 501, True, "", 10**18])
def test_a_limit_that_is_none_is_refused(client: TestClient, limit: object) -> None:
    answer = client.post("/v1/similar", json={"text": "redis out of memory", "limit": limit})
    assert answer.status_code == 422
    assert "`limit`" in answer.json()["detail"]
    assert "from 1 to 500" in answer.json()["detail"]


def test_a_limit_is_kept_to(client: TestClient) -> None:
    for limit, least in ((1, 1), (3, 3), (500, 30)):
        found = client.post("/v1/similar", json={"text": "errors after a deploy", "limit": limit}).json()["precedents"]
        assert least <= len(found) <= limit


def test_a_name_that_is_a_sentence_is_read_as_one(client: TestClient) -> None:
    plain = client.post("/v1/context", content=b"checkout is down").json()
    quoted = client.post("/v1/context", content=b'"checkout is down"').json()
    named = client.post("/v1/context", json={"name": "checkout is down"}).json()
    assert plain["service"]["candidates"][0]["name"] == "checkout"
    assert named["service"] == quoted["service"] == plain["service"]


@pytest.mark.parametrize("name", ["source", "path"])
@pytest.mark.parametrize("value", ["\0", "a\nb", "\x1b[31m", "a\u2028b", "\x85"])
def test_names_that_are_kept_hold_no_control_characters(client: TestClient, name: str, value: str) -> None:
    answer = client.post("/v1/ingest/changes", content=b"{}", params={name: value})
    assert answer.status_code == 422
    assert f"`{name}`" in answer.json()["detail"]


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
