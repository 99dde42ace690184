"""
`GET /v1/owner` and the context tell who answers at any moment, from a schedule's rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ingest.contract import Source
from ingest.pipeline import ingest
from service.api.app import create_app
from service.wiring import open_memory
from tests.deployment import Deployment

USER = {"id": "UZQ1", "type": "user_reference", "summary": "Zita"}
LAYER = {
    "name": "Layer 1", "start": "2026-01-05T09:00:00Z", "end": "2026-09-01T09:00:00Z",
    "rotation_virtual_start": "2026-01-05T09:00:00Z", "rotation_turn_length_seconds": 604800, "users": [{"user": USER}],
}  # fmt: skip
SCHEDULE = {
    "id": "SZQ1",
    "type": "schedule",
    "name": "zq-rota",
    "time_zone": "Europe/Berlin",
    "schedule_layers": [LAYER],
}
RULE = {"escalation_delay_in_minutes": 5, "targets": [{"type": "schedule_reference", "summary": "zq-rota"}]}
POLICY = {"id": "PZQ1", "type": "escalation_policy", "name": "zq-policy", "escalation_rules": [RULE]}
SERVICE = {
    "id": "VZQ1", "type": "service", "name": "zqservice", "teams": [{"summary": "zq-team"}],
    "escalation_policy": {"summary": "zq-policy"},
}  # fmt: skip


def owner(client: TestClient, at: str) -> dict[str, Any]:
    answer = client.get("/v1/owner", params={"service": "zqservice", "as_of": at})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def asking(deployment: Deployment, tmp_path: Path) -> Iterator[TestClient]:
    """
    The API over one service with its policy and its schedule.
    """
    body = {"services": [SERVICE], "escalation_policies": [POLICY], "schedules": [SCHEDULE]}
    (tmp_path / "paging.json").write_text(json.dumps(body))
    memory = open_memory(deployment.settings(tmp_path / "data", embedder="none"))
    ingest(memory.store, [Source(name="paging", connector="pagerduty", path=str(tmp_path / "paging.json"))])
    memory.follow()
    with TestClient(create_app(memory), base_url="http://127.0.0.1:8080") as found:
        yield found


def test_rules_answer_for_any_moment_and_an_ended_layer_is_a_gap(asking: TestClient) -> None:
    then = owner(asking, "2026-04-01T12:00:00Z")
    assert [(one["id"], one["by"]) for one in then["answers_now"]] == [("person:zita", "rule")]
    assert (then["team"], then["certainty"], then["answering"]["via"]) == ("team:zq-team", "high", "rota")
    assert then["answering"]["levels"][0]["delay_minutes"] == "5"
    later = owner(asking, "2026-10-01T12:00:00Z")
    assert later["answers_now"] == []
    assert [one["kind"] for one in later["faults"]] == ["empty_rota"]
    assert any("nobody is on call for zq-rota" in gap for gap in later["gaps"])
