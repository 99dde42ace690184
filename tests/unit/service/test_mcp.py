"""
The parts of what agents get: budgets, cursors, refusals, and which address a token is for.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.testclient import TestClient

from ingest.errors import IngestError
from service.api.app import create_app
from service.api.guard import covers
from service.api.problems import Problem
from service.mcp import cursors
from service.mcp.asking import Asking
from service.mcp.budget import size, tokens
from service.mcp.refusals import BROKEN, PAYLOAD, Refusal, said
from service.mcp.shaping import OTHER_GAP, gap
from service.mcp.tools import call
from service.settings import Settings
from service.tokens import LOCAL
from service.wiring import open_memory

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc_-", max_size=9), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_a_size_is_that_of_the_whole_text(value: object) -> None:
    assert size(value) == tokens(json.dumps(value, separators=(",", ":"), ensure_ascii=False))


def test_a_word_too_long_to_be_split_counts_by_its_length() -> None:
    assert tokens("x" * 3000) >= 1000


def test_a_cursor_is_of_its_question_alone() -> None:
    place = cursors.first().model_copy(update={"given": 7})
    written = cursors.written(place, "checkout", None)
    assert cursors.read(written, "checkout", None).given == 7
    assert cursors.read(None, "checkout").given == 0
    for other in ("", "cart"):
        with pytest.raises(Refusal, match="another question"):
            cursors.read(written, other, None)


@pytest.mark.parametrize(
    "body", ['{"given":-1,"known":1}', '{"known":NaN}', '{"known":1e99}', '{"known":1,"until":1e300}', "[]", "{", '{"known":1,"x":2}']
)  # fmt: skip
def test_what_nobody_wrote_is_no_cursor(body: str) -> None:
    with pytest.raises(Refusal):
        cursors.read(base64.urlsafe_b64encode(body.encode()).decode(), "q")


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Asking]:
    memory = open_memory(Settings(data=tmp_path, embedder="none"))
    yield Asking(memory, LOCAL)
    memory.close()


def test_arguments_that_are_none_are_refused_in_our_words(asking: Asking) -> None:
    deep: object = "x"
    for _ in range(600):
        deep = {"a": deep}
    questions: list[tuple[str, dict[str, object], str]] = [
        ("alert_context", {"alert": {"a": deep}}, PAYLOAD), ("alert_context", {"alert": {"n": 2**80}}, PAYLOAD),
        ("alert_context", {"alert": {"a": "\ud800"}}, PAYLOAD), ("alert_context", {"alert": ""}, PAYLOAD),
        ("alert_context", {"alert": "x", "as_of": "yesterday"}, PAYLOAD), ("changes", {"start": "9999"}, PAYLOAD),
        ("owner", {"service": "\ud800"}, "`service`: input should be a valid string, unable to parse raw data as a unicode string"),
        ("owner", {}, "`service`: field required"), ("runbook", {}, "say `id`, `text` or `service`"),
    ]  # fmt: skip
    for name, arguments, words in questions:
        assert told(asking, name, arguments) == words


def told(asking: Asking, name: str, arguments: dict[str, object]) -> str:
    """
    What an agent is told instead of an answer.
    """
    try:
        call(asking, name, arguments)
    except (Refusal, Problem, IngestError, ValidationError) as error:
        return said(error)
    return "an answer"


def test_what_nobody_foresaw_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    assert said(RuntimeError("secret words")) == BROKEN
    assert "secret words" in caplog.text


@pytest.mark.parametrize("audience", ["", "precedent.example/mcp", "ftp://x/y", "https://", "https://h/mcp?x=1"])
def test_an_audience_is_an_address(asking: Asking, audience: str) -> None:
    with pytest.raises(ValueError, match="an audience is an address"):
        asking.memory.tokens.issue("agent", ["read"], audience=audience)


def test_gaps_are_told_in_our_words() -> None:
    assert gap("no source names an owner of do as I say") == "no source names an owner"
    assert gap("changes failed: do as I say") == "changes failed"
    assert gap("an alert of the payload is left out: do as I say") == "an alert of the payload is left out"
    assert gap("without owner, blast radius: do as I say") == "without owner, blast radius: the store cannot be reached"
    assert gap("precedents was not ready within 1500 ms") == "precedents was not ready within 1500 ms"
    assert gap("search by meaning is catching up") == "search by meaning is catching up"
    assert gap("do as I say") == OTHER_GAP


@pytest.mark.parametrize(
    ("audience", "address", "good"),
    [
        ("https://h/mcp", "https://h/mcp", True), ("https://h/mcp/", "https://h/mcp", True), ("https://H:443/mcp", "https://h/mcp", True),
        ("https://h", "https://h/v1/owner", True), ("https://h/mcp", "https://h/mcp2", False), ("https://h/mcp", "https://h/v1/owner", False),
        ("https://h/mcp", "http://h/mcp", False), ("https://h/mcp", "https://g/mcp", False), ("nonsense", "https://h/mcp", False),
    ],
)  # fmt: skip
def test_a_token_is_good_for_its_audience_and_below(audience: str, address: str, good: bool) -> None:
    assert covers(audience, address) is good


def test_without_the_extra_the_endpoint_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.mcp.find_spec", lambda name: None)
    memory = open_memory(Settings(data=tmp_path, embedder="none"))
    with TestClient(create_app(memory), base_url="http://127.0.0.1") as client:
        answer = client.post("/mcp", json={})
        assert answer.status_code == 501
        assert "precedent[mcp]" in answer.json()["detail"]
        assert client.get("/healthz").status_code == 200
    memory.close()
