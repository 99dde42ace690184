"""
Which past incidents are shown for a question, asked through HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ingest.pipeline import ingest
from ingest.sources import read_sources
from service.api.app import create_app
from service.settings import Settings
from service.wiring import open_memory

SOURCES = """
[[sources]]
name = "reports"
connector = "postmortems"
path = "reports"
"""


def report(name: str, started: str, service: str, title: str, rest: str) -> str:
    return f"---\nid: {name}\nstarted: {started}\nservices: [{service}]\n---\n# {title}\n\n## Impact\n\n{rest}\n"


REPORTS: Mapping[str, str] = {
    "INC-1": report("INC-1", "2026-05-03T10:00:00Z", "alpha", "walrus queue stuck", "The walrus queue was stuck."),
    "INC-2": report(
        "INC-2", "2026-05-03T11:30:00Z", "alpha", "alpha does not deliver",
        "The walrus queue was stuck for all.\n\n## Resolution\n\nWe restarted the alpha workers and it recovered.",
    ),
    "INC-3": report("INC-3", "2026-05-09T10:00:00Z", "alpha", "walrus queue slow", "The walrus queue was slow."),
    "INC-4": report("INC-4", "2026-01-02T10:00:00Z", "beta", "certificate expired", "Clients refused the certificate."),
}  # fmt: skip


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    (tmp_path / "o" / "reports").mkdir(parents=True)
    (tmp_path / "o" / "sources.toml").write_text(SOURCES)
    for name, text in REPORTS.items():
        (tmp_path / "o" / "reports" / f"{name}.md").write_text(text)
    memory = open_memory(Settings(data=tmp_path / "data"))
    assert ingest(memory.store, read_sources(tmp_path / "o")).ok
    memory.follow()
    with TestClient(create_app(memory), base_url="http://127.0.0.1:8080", raise_server_exceptions=False) as found:
        yield found


def asked(client: TestClient, **body: str) -> list[dict[str, Any]]:
    answer = client.post("/v1/similar", json=body)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["precedents"]
    return found


def test_an_outage_is_shown_once_by_the_report_that_says_what_fixed_it(client: TestClient) -> None:
    found = asked(client, text="the walrus queue is stuck")
    shown = {one["id"]: one for one in found}
    assert set(shown) == {"INC-2", "INC-3", "INC-4"}
    assert shown["INC-2"]["same_event"] == ["INC-1"]
    assert shown["INC-2"]["fix"]["action"] == "restart"
    assert [one["probability"] for one in found] == sorted((one["probability"] for one in found), reverse=True)


def test_outages_days_apart_stay_apart(client: TestClient) -> None:
    (first, second, *_) = asked(client, text="the walrus queue is stuck")
    assert {first["id"], second["id"]} == {"INC-2", "INC-3"}
    assert second["same_event"] == []


def test_of_two_alike_the_later_comes_first(client: TestClient) -> None:
    found = [one["id"] for one in asked(client, text="walrus queue", at="2026-05-10T00:00:00Z")]
    assert found.index("INC-3") < found.index("INC-2")


def test_nothing_that_is_not_earlier_is_shown(client: TestClient) -> None:
    assert [one["id"] for one in asked(client, text="walrus queue", at="2026-05-03T10:00:00Z")] == ["INC-4"]


def test_each_says_why_it_was_found(client: TestClient) -> None:
    assert all(one["why"] for one in asked(client, text="walrus queue stuck\nnothing is delivered"))
