"""
A label that is added counts from then on, and whoever lacks it can neither replace nor guess what carries it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from graph.contract import Store
from graph.opening import open_store
from graph.values import PUBLIC, Labels, RecordState, View
from ingest.contract import Source
from ingest.journal import Admission, admit
from ingest.pipeline import drain
from service.api.app import create_app
from service.inbox import do
from service.settings import Settings
from service.wiring import Memory, open_memory

SECURITY = frozenset({"security"})
RUNBOOK = b"# Open the vault\n\nTurn the wheel of `payments-vault`.\n"
CHANGE = {"id": "c-1", "at": "2026-03-02T10:00:00Z", "service": "pay", "title": "vault moved"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = open_store(f"sqlite:///{tmp_path / 'data'}")
    yield found
    found.close()


def written(folder: Path, labels: str) -> dict[str, object]:
    """
    Two sources, of a snapshot and of events, with a line for their labels.
    """
    (folder / "books").mkdir(exist_ok=True)
    (folder / "books" / "vault.md").write_bytes(RUNBOOK)
    (folder / "changes.jsonl").write_text(json.dumps(CHANGE) + "\n")
    sources = [("books", "runbooks", "books"), ("rows", "changes", "changes.jsonl")]
    lines = [f'[[sources]]\nname = "{n}"\nconnector = "{c}"\npath = "{p}"\n{labels}\n' for n, c, p in sources]
    (folder / "sources.toml").write_text("\n".join(lines))
    return {"path": str(folder / "sources.toml")}


def seen(store: Store, labels: Labels, at: datetime | None = None) -> tuple[int, int]:
    """
    How many runbooks and changes a reader sees.
    """
    now = datetime.now(UTC)
    view = View(as_of=now, known_at=at or now, visibility=labels)
    return len(store.runbooks(view)), len(store.changes(view))


def told(found: dict[str, object], what: str) -> list[int]:
    sources = found["sources"]
    assert isinstance(sources, list)
    return [one[what] for one in sources]


def test_a_label_that_is_added_hides_what_was_public(store: Store, tmp_path: Path) -> None:
    do(store, written(tmp_path, ""), lambda *_: None)
    before = datetime.now(UTC)
    assert seen(store, PUBLIC) == (1, 1)
    found = do(store, written(tmp_path, 'visibility = ["security"]'), lambda *_: None)
    assert told(found, "new") == [1, 1]
    assert seen(store, PUBLIC) == seen(store, PUBLIC, before) == (0, 0)
    assert seen(store, SECURITY) == seen(store, SECURITY, before) == (1, 1)
    assert store.records(visibility=PUBLIC) == ()
    again = do(store, written(tmp_path, 'visibility = ["security"]'), lambda *_: None)
    assert told(again, "duplicates") == [1, 1]
    assert told(again, "new") == [0, 0]


def test_a_label_that_is_taken_off_shows_it_again(store: Store, tmp_path: Path) -> None:
    for labels in ("", 'visibility = ["security"]', ""):
        do(store, written(tmp_path, labels), lambda *_: None)
    assert seen(store, PUBLIC) == seen(store, SECURITY) == (1, 1)
    assert told(do(store, written(tmp_path, ""), lambda *_: None), "new") == [0, 0]


def test_an_answer_kept_from_before_is_hidden_by_the_label(tmp_path: Path) -> None:
    memory = open_memory(Settings(data=tmp_path / "data", embedder="none"))
    do(memory.store, written(tmp_path, ""), lambda *_: None)
    with TestClient(create_app(memory), base_url="http://127.0.0.1:8080", raise_server_exceptions=False) as client:
        alert = {"name": "Open the vault", "text": "Turn the wheel of payments-vault", "labels": {"service": "pay"}}
        memory.follow()
        answer = client.post("/v1/context", json=alert).json()
        assert answer["evidence"]
        place = f"/v1/answers/{answer['answer_id']}"
        assert client.get(place).status_code == 200
        do(memory.store, written(tmp_path, 'visibility = ["security"]'), lambda *_: None)
        assert client.get(place).status_code == 404


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[Memory, TestClient]]:
    memory = open_memory(Settings(data=tmp_path / "data", embedder="none"))
    restricted = Source(name="rchg", connector="changes", visibility=SECURITY)
    admit(memory.store, restricted, json.dumps(CHANGE).encode(), {"path": "changes.jsonl"})
    drain(memory.store)
    with TestClient(create_app(memory), base_url="http://127.0.0.1:8080", raise_server_exceptions=False) as client:
        yield memory, client


@pytest.mark.parametrize("path", ["changes.jsonl", "other.jsonl"])
@pytest.mark.parametrize("change", [CHANGE, {**CHANGE, "title": "mine"}, {**CHANGE, "id": "c-2"}])
def test_who_lacks_the_label_can_neither_replace_nor_guess(
    guarded: tuple[Memory, TestClient], path: str, change: dict[str, str]
) -> None:
    memory, client = guarded
    sender = {"authorization": f"Bearer {memory.tokens.issue('s', ['ingest'])}"}
    place = {"source": "rchg", "path": path}
    answer = client.post("/v1/ingest/changes", json=change, params=place, headers=sender)
    assert answer.status_code == 403
    assert "labels" in answer.json()["detail"]
    assert seen(memory.store, PUBLIC)[1] == 0
    assert [one.item.title for one in memory.store.changes(View.now(SECURITY))] == ["vault moved"]
    elsewhere = client.post("/v1/ingest/changes", json=CHANGE, params={"path": "changes.jsonl"}, headers=sender).json()
    assert (elsewhere["new"], elsewhere["duplicates"]) == (1, 0)


def test_who_has_the_label_replaces_and_the_label_stays(guarded: tuple[Memory, TestClient]) -> None:
    memory, client = guarded
    sender = {"authorization": f"Bearer {memory.tokens.issue('s', ['ingest'], SECURITY)}"}
    place = {"source": "rchg", "path": "changes.jsonl"}
    answer = client.post("/v1/ingest/changes", json={**CHANGE, "title": "new"}, params=place, headers=sender)
    assert answer.status_code == 202
    # the server applies it in the background
    deadline = time.monotonic() + 20
    while memory.store.records(answer.json()["records"])[0].state is not RecordState.APPLIED:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert seen(memory.store, PUBLIC)[1] == 0
    assert [one.item.title for one in memory.store.changes(View.now(SECURITY))] == ["new"]


def test_the_machines_own_command_may_replace(guarded: tuple[Memory, TestClient]) -> None:
    memory, _ = guarded
    body = json.dumps({**CHANGE, "title": "ours"}).encode()
    found = admit(memory.store, Source(name="rchg", connector="changes"), body, {"path": "changes.jsonl"})
    assert found == Admission(records=found.records, new=1, parts=found.parts)
