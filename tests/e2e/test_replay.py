"""
An answer that was given is made again, byte for byte, whatever was learned since; and what was learned is told.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from graph.values import View
from service.api.app import create_app
from service.demo import alerts, load
from service.wiring import Memory
from tests.deployment import Deployment
from tests.e2e.conftest import ADDRESS
from tests.e2e.test_command import ENVIRONMENTS, run

Answer = dict[str, Any]


@pytest.fixture(scope="module")
def memory(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Memory:
    return load(deployment.settings(tmp_path_factory.mktemp("replay"), part_budget_ms=20_000))


@pytest.fixture(scope="module")
def client(memory: Memory) -> Iterator[TestClient]:
    with TestClient(create_app(memory), base_url=ADDRESS, raise_server_exceptions=False) as found:
        yield found


@pytest.fixture(scope="module")
def answers(client: TestClient) -> list[Answer]:
    given = [client.post("/v1/context", content=one.read_bytes()).json() for one in alerts()]
    signals = {
        "patterns": [{"service": "cart", "pattern": "timeout", "growth": 4}],
        "edges": [{"from": "checkout", "to": "cart", "failed": 7, "since": "2026-10-29T11:50:00Z"}],
        "metrics": [{"service": "cart", "metric": "latency", "before": 1, "after": 9.5}],
        "alerts": [{"name": "CartSlow", "service": "cart", "at": "2026-10-29T11:51:00Z"}],
        "failing": ["cart"],
        "notes": ["since the release"],
    }
    body = {**json.loads(alerts()[4].read_bytes()), "signals": signals, "as_of": "2026-10-29T12:00:00Z"}
    return [*given, client.post("/v1/context", json=body).json()]


def replay(client: TestClient, answer: Answer) -> Answer:
    found = client.get(f"/v1/answers/{answer['answer_id']}/replay")
    assert found.status_code == 200, found.text
    told: Answer = found.json()
    return told


def test_an_answer_is_the_same_byte_for_byte(client: TestClient, answers: list[Answer]) -> None:
    for answer in answers:
        told = replay(client, answer)
        assert (told["same"], told["differs"], told["records"]) == (True, [], [])
        assert told["volatile"][0] == "timings_ms"
        assert (told["as_of"], told["known_at"]) == (answer["as_of"], answer["known_at"])


def test_what_is_learned_later_is_told_and_changes_no_answer(
    client: TestClient, memory: Memory, answers: list[Answer]
) -> None:
    cited = answers[0]["precedents"][0]["evidence"][0]
    memory.store.retract(cited, datetime.now(UTC), "it was another service")
    page = {
        "id": "PM-LATER",
        "title": "checkout returns errors after a release",
        "services": ["checkout"],
        "summary": "Errors 5xx of checkout after a deploy; queue backlog, certificate, memory.",
        "resolution": "Rolled back checkout.",
        "at": "2026-11-25T09:00:00Z",
    }
    sent = client.post("/v1/ingest/postmortems", json=page, params={"path": "later.json"})
    assert sent.status_code == 202
    deadline = time.monotonic() + 30
    while not memory.store.incidents(View.now(), ["PM-LATER"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    memory.follow()
    told = replay(client, answers[0])
    assert told["records"] == [{"id": cited, "state": "retracted", "reason": "it was another service"}]
    assert [one["id"] for one in told["newer"]["incidents"]] == ["PM-LATER"]
    if memory.indexer.reached:
        # a server's own search weighs words by all that it holds now
        assert all(replay(client, one)["same"] for one in answers)
    assert {one["part"] for one in told["differs"]} <= {"fixes", "headline", "precedents", "runbooks"}


def test_an_answer_that_is_not_kept_is_not_there(client: TestClient, answers: list[Answer]) -> None:
    for name in ("a-nothing", answers[0]["answer_id"] + ".asked"):
        assert client.get(f"/v1/answers/{name}/replay").status_code == 404
        assert client.get(f"/v1/answers/{name}").status_code == 404


def test_the_command_replays_too(client: TestClient, memory: Memory, deployment: Deployment) -> None:
    answer = client.post("/v1/context", content=alerts()[3].read_bytes())
    folder = str(memory.settings.data)
    ENVIRONMENTS[folder] = deployment.environment
    memory.shelf.asked(answer.json()["answer_id"])
    done = run("context", "--replay", answer.json()["answer_id"], "--data", folder, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["same"] is True
    assert run("context", "--data", folder).returncode == 2


def test_who_lacks_a_label_sees_no_more_by_a_replay(client: TestClient, memory: Memory, answers: list[Answer]) -> None:
    reader = {"authorization": f"Bearer {memory.tokens.issue('reader', ['read'])}"}
    memory.store.restrict([answers[1]["precedents"][0]["evidence"][0]], frozenset({"legal"}))
    assert client.get(f"/v1/answers/{answers[1]['answer_id']}/replay", headers=reader).status_code == 404
