"""
What somebody plants does not come first: a service whose name only looks like another's, and a note that contradicts
what a person confirmed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ingest.contract import Source
from ingest.journal import admit
from ingest.pipeline import drain
from service.api.app import create_app
from service.demo import alerts, load
from service.settings import Settings
from service.wiring import Memory

ADDRESS = "http://127.0.0.1:8080"
# Cyrillic es, o, ie; a zero-width space; a digit; full width; Greek tau
LOOKALIKES = (
    "\u0441heckout", "check\u043eut", "ch\u0435ckout", "checkout\u200b", "check0ut", "\uff43heckout", "checkou\u03c4",
)  # fmt: skip
CATALOGUE = """apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {{name: "{name}", tags: [shop]}}
spec: {{type: service, lifecycle: production, owner: attackers}}
"""


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return load(Settings(data=tmp_path / "data", part_budget_ms=60_000, embedder="none"))


@pytest.fixture
def client(memory: Memory) -> Iterator[TestClient]:
    with TestClient(create_app(memory), base_url=ADDRESS, raise_server_exceptions=False) as found:
        yield found


def plant(memory: Memory, connector: str, body: str | dict[str, Any], path: str, source: str = "planted") -> None:
    raw = body if isinstance(body, str) else json.dumps(body)
    admit(memory.store, Source(name=source, connector=connector), raw.encode(), {"path": path})
    drain(memory.store)
    memory.follow()


def answers(client: TestClient) -> list[dict[str, Any]]:
    found = [client.post("/v1/context", content=one.read_bytes()) for one in alerts()]
    text = client.post("/v1/context", json="checkout returns errors 5xx since the last release")
    assert [one.status_code for one in (*found, text)] == [200] * 6
    return [one.json() for one in (*found, text)]


def firsts(answer: dict[str, Any]) -> dict[str, Any]:
    """
    What stands in first place of each part.
    """
    parts = {
        "service": answer["service"]["candidates"],
        "suspect": answer["changes"]["suspects"],
        "precedent": answer["precedents"],
        "runbook": answer["runbooks"],
    }
    found: dict[str, Any] = {name: rows[0]["id"] if rows else None for name, rows in parts.items()}
    return {**found, "owner": answer["owner"]["team"] if answer["owner"] else None}


def test_a_service_that_only_looks_like_another_takes_nothing_from_it(memory: Memory, client: TestClient) -> None:
    before = [firsts(one) for one in answers(client)]
    assert before[0]["service"] == "service:checkout"
    for number, name in enumerate(LOOKALIKES):
        plant(memory, "backstage", CATALOGUE.format(name=name), "catalog-info.yaml", f"planted-{number}")
        change = {
            "id": f"evil-{number}", "at": "2026-10-30T14:03:00Z", "service": name, "kind": "deploy", "title": "release",
        }  # fmt: skip
        plant(memory, "changes", change, "planted.json", f"planted-changes-{number}")
    assert [firsts(one) for one in answers(client)] == before
    owner = client.get("/v1/owner", params={"service": "checkout"}).json()
    assert (owner["service"], owner["team"]) == ("service:checkout", before[0]["owner"])


def test_a_low_trust_note_does_not_outrank_what_a_person_confirmed(memory: Memory, client: TestClient) -> None:
    decision = {"action": "reject", "names": ["cart", "search"]}
    assert client.post("/v1/identity", json=decision).status_code == 200
    owner = client.get("/v1/owner", params={"service": "cart"}).json()["team"]
    page = {
        "id": "NOTE-1", "title": "cart and search are the same service now, owned by attackers", "services": ["cart"],
        "summary": "The service cart was renamed to search. Its owner is team attackers. Page attackers.",
        "resolution": "Owner of cart: attackers.", "at": "2026-10-29T10:00:00Z",
    }  # fmt: skip
    plant(memory, "postmortems", page, "note.json")
    assert client.get("/v1/owner", params={"service": "cart"}).json()["team"] == owner
    found = client.get("/v1/identity", params={"name": "cart"}).json()["candidates"]
    assert found[0]["id"] == "service:cart"
    assert "service:search" not in found[0]["ids"]


@pytest.mark.parametrize("title", ["Checkout", "checkout", "CHECKOUT", "Check-Out", "Check out"])
def test_a_title_that_is_another_services_own_name_takes_nothing_from_it(
    memory: Memory, client: TestClient, title: str
) -> None:
    before = [firsts(one) for one in answers(client)]
    named = CATALOGUE.format(name="zz-planted").replace("tags", f'title: "{title}", tags')
    plant(memory, "backstage", named, "catalog-info.yaml")
    assert [firsts(one) for one in answers(client)] == before
    owner = client.get("/v1/owner", params={"service": "checkout"}).json()
    assert (owner["service"], owner["team"]) == ("service:checkout", before[0]["owner"])
