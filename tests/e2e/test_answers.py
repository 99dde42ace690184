"""
The demo's alerts get the answers that a responder needs, each statement with its evidence.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from ingest.alerts import read_alerts
from ingest.pipeline import ingest
from ingest.sources import read_sources
from models.contract import Matrix
from service.api.app import create_app
from service.api.examples import ALERT_EXAMPLE
from service.context import Question, assemble
from service.demo import alerts, load
from service.settings import Settings
from service.wiring import open_memory

Answer = dict[str, Any]


def ask(client: TestClient, name: str, **query: str) -> Answer:
    path = next(path for path in alerts() if path.stem.startswith(name))
    answer = client.post("/v1/context", content=path.read_bytes(), params=query)
    assert answer.status_code == 200, answer.text
    found: Answer = answer.json()
    return found


def cited(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "evidence" and isinstance(inner, list):
                yield from inner
            else:
                yield from cited(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from cited(inner)


def test_a_leaking_release_is_named_with_its_owner_and_the_fix_of_last_time(client: TestClient) -> None:
    answer = ask(client, "1-")
    assert answer["service"]["candidates"][0]["id"] == "service:checkout"
    assert answer["owner"]["name"] == "checkout"
    assert [one["name"] for one in answer["owner"]["answers_now"]] == ["selma"]
    assert answer["changes"]["suspects"][0]["title"] == "Vouchers can be split over two orders"
    assert [one["id"] for one in answer["precedents"][:3]] == ["LK-137", "LK-109", "LK-101"]
    assert answer["precedents"][0]["fix"]["action"] == "rollback"
    assert answer["runbooks"][0]["id"] == "checkout-errors.md"
    assert answer["actions"][0]["verdict"].startswith("needs a person")


def test_a_model_switch_is_the_suspect_of_an_ai_service(client: TestClient) -> None:
    answer = ask(client, "2-")
    assert answer["changes"]["suspects"][0]["id"] == "emb-v8"
    assert answer["precedents"][0]["id"] == "LK-106"


def test_an_expired_certificate_is_no_changes_fault(client: TestClient) -> None:
    changes = ask(client, "3-")["changes"]
    assert changes["none_probability"] > max([one["probability"] for one in changes["suspects"]], default=0.0)
    assert changes["hypotheses"][0]["cause"] == "certificate"


def test_an_empty_rota_is_a_gap(client: TestClient) -> None:
    answer = ask(client, "4-")
    assert answer["owner"]["name"] == "identity"
    assert [one["name"] for one in answer["owner"]["answers_now"]] == ["dora"]
    assert answer["owner"]["answering"]["via"] == "next level"
    assert any("nobody is on call for identity" in gap for gap in answer["gaps"])


def test_an_alert_without_labels_is_answered_with_gaps(client: TestClient) -> None:
    answer = ask(client, "5-")
    assert answer["service"]["abstained"]
    assert answer["owner"] is None
    assert any("cannot tell which service" in gap for gap in answer["gaps"])


def test_gaps_stand_in_the_order_of_the_parts_however_quick_each_was(client: TestClient) -> None:
    gaps = ask(client, "5-")["gaps"]
    told = ["no past incident is clearly", "no runbook is clearly", "no logs, traces or metrics"]
    places = [next(place for place, gap in enumerate(gaps) if gap.startswith(one)) for one in told]
    assert places == sorted(places)


@pytest.mark.parametrize("path", alerts(), ids=lambda path: path.stem)
def test_every_statement_cites_evidence_that_is_there(client: TestClient, path: Any) -> None:
    answer = client.post("/v1/context", content=path.read_bytes()).json()
    ids = set(cited({key: value for key, value in answer.items() if key != "evidence"}))
    assert ids <= set(answer["evidence"])
    for one in [*(answer["changes"] or {}).get("suspects", []), *answer["precedents"], *answer["runbooks"]]:
        assert one["evidence"]


def test_an_answer_is_replayed_as_it_was_given(client: TestClient) -> None:
    answer = ask(client, "1-")
    again = client.get(f"/v1/answers/{answer['answer_id']}").json()
    assert {key: value for key, value in answer.items() if key != "timings_ms"} == {
        key: value for key, value in again.items() if key != "timings_ms"
    }


def test_what_was_not_yet_known_is_not_used(client: TestClient) -> None:
    early = ask(client, "1-", as_of="2026-10-01T00:00:00Z")
    assert "LK-137" not in [one["id"] for one in early["precedents"]]
    assert "LK-101" in [one["id"] for one in early["precedents"]]


def test_the_example_in_the_description_is_answered(client: TestClient) -> None:
    answer = client.post("/v1/context", json=ALERT_EXAMPLE)
    assert answer.json()["service"]["candidates"][0]["id"] == "service:checkout"
    assert "CheckoutErrorRateHigh" in client.get("/openapi.json").text


def test_signals_of_the_caller_are_used_and_no_gap_remains(client: TestClient) -> None:
    body = ALERT_EXAMPLE | {
        "signals": {"patterns": [{"service": "checkout", "pattern": "connection pool exhausted", "growth": 40}]}
    }
    answer = client.post("/v1/context", json=body).json()
    assert not any("no logs" in gap for gap in answer["gaps"])


def test_metrics_and_calls_of_the_caller_move_the_answer(client: TestClient) -> None:
    surge = {
        "service": "checkout",
        "metric": "requests_per_sec",
        "before": 900,
        "after": 5200,
        "since": "2026-11-20T12:00:00Z",
    }
    call = {"from": "checkout", "to": "payments-gateway", "failed": 12, "text": "Authorize: deadline exceeded"}
    plain = client.post("/v1/context", json=ALERT_EXAMPLE).json()["changes"]
    told = client.post("/v1/context", json=ALERT_EXAMPLE | {"signals": {"metrics": [surge], "edges": [call]}}).json()
    assert told["changes"]["none_probability"] > plain["none_probability"]
    traffic = next(one for one in told["changes"]["hypotheses"] if one["cause"] == "traffic")
    assert "from 900 to 5200" in traffic["says"]
    assert not any("no logs" in gap for gap in told["gaps"])


def test_other_alerts_alone_leave_the_gap(client: TestClient) -> None:
    body = ALERT_EXAMPLE | {"signals": {"alerts": [{"name": "SlowCart", "service": "cart"}]}}
    assert any("no logs" in gap for gap in client.post("/v1/context", json=body).json()["gaps"])


def test_owner_is_found_by_alias_and_old_name(client: TestClient) -> None:
    for name in ("user-profile", "customer-api", "customer-api-prod", "User_Profile"):
        found = client.get("/v1/owner", params={"service": name})
        assert found.json()["name"] == "identity", name
    tag = found.headers["etag"]
    assert client.get("/v1/owner", params={"service": name}, headers={"if-none-match": tag}).status_code == 304


def test_a_split_team_and_a_missing_owner_show(client: TestClient) -> None:
    found = client.get("/v1/owner", params={"service": "warehouse-sync"}).json()
    assert found["team"] is None
    assert any("no source names an owner" in gap for gap in found["gaps"])


def test_lists_and_drilldowns_answer(client: TestClient) -> None:
    assert len(client.get("/v1/services").json()["services"]) >= 25
    assert client.get("/v1/changes", params={"service": "checkout", "limit": 3}).json()["changes"]
    assert client.get("/v1/services/checkout").json()["dependents"] is not None
    assert (
        client.get("/v1/runbooks", params={"text": "redis out of memory"}).json()["runbooks"][0]["id"]
        == "redis-memory.md"
    )
    assert client.get("/v1/timeline", params={"service": "search"}).json()["events"]
    assert (
        client.get("/v1/identity", params={"name": "pay-gw"}).json()["candidates"][0]["id"]
        == "service:payment-gateway-adapter"
    )
    assert client.get("/v1/readiness").json()["share"]["owner"] < 1
    similar = client.post("/v1/similar", json={"text": "index too large, search slow"}).json()
    assert {one["id"] for one in similar["precedents"][:2]} == {"LK-102", "LK-120"}


def test_nothing_alike_is_said_to_be_alike(client: TestClient) -> None:
    found = client.post("/v1/similar", json={"text": "the coffee machine in the kitchen leaks milk"}).json()
    assert found["abstained"]


def test_health_and_metrics_answer(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz", params={"verbose": "true"}).json()["status"] == "ok"
    assert "precedent_request_seconds" in client.get("/metrics").text


def test_a_webhook_is_durable_then_answered(client: TestClient) -> None:
    body = json.dumps(
        {"id": "d-new", "at": "2026-10-30T12:00:00Z", "service": "media", "kind": "deploy", "title": "New thumbnails"}
    )
    sent = client.post("/v1/ingest/changes", content=body, params={"path": "hook.jsonl"})
    assert sent.status_code == 202
    assert sent.json()["new"] == 1
    again = client.post("/v1/ingest/changes", content=body, params={"path": "hook.jsonl"})
    assert again.json()["duplicates"] == 1


def test_feedback_is_kept_once(client: TestClient) -> None:
    answer = ask(client, "1-")
    body = {"answer_id": answer["answer_id"], "verdict": "fixed", "subject": "LK-137"}
    assert client.post("/v1/feedback", json=body).json()["duplicate"] is False
    assert client.post("/v1/feedback", json=body).json()["duplicate"] is True
    assert client.post("/v1/feedback", json=body | {"verdict": "nonsense"}).status_code == 422


def state(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[TestClient]:
    """
    Two change logs that number from 42 on, and a report that knows its day alone.
    """
    head = "id,at,service,title,kind\n"
    state(tmp_path, "o/a.csv", head + "42,2026-10-30T13:50:00Z,alpha,Deploy alpha 2.0,deploy\n")
    state(tmp_path, "o/b.csv", head + "42,2026-10-30T13:40:00Z,beta,Flip beta flag,flag\n")
    state(
        tmp_path,
        "o/report.md",
        "---\nid: INC-7\nstarted: 2026-05-03\nservices: [alpha]\n---\n# alpha out\n\n## Impact\n\nThe walrus was stuck.\n",
    )
    sources = "".join(
        f'[[sources]]\nname = "{name}"\nconnector = "{connector}"\npath = "{path}"\n'
        for name, connector, path in (
            ("deploys", "changes", "a.csv"), ("flags", "changes", "b.csv"), ("reports", "postmortems", "report.md"),
        )
    )  # fmt: skip
    state(tmp_path, "o/sources.toml", sources)
    memory = open_memory(Settings(data=tmp_path / "data"))
    ingest(memory.store, read_sources(tmp_path / "o"))
    memory.follow()
    with TestClient(create_app(memory), base_url="http://127.0.0.1:8080", raise_server_exceptions=False) as found:
        yield found


def test_two_sources_may_use_one_id_for_different_changes(small: TestClient) -> None:
    alert = {"name": "errors", "at": "2026-10-30T14:00:00Z", "labels": {"service": "alpha"}}
    (first, *_) = small.post("/v1/context", json=alert).json()["changes"]["suspects"]
    assert (first["title"], first["services"]) == ("Deploy alpha 2.0", ["alpha"])


def test_what_is_known_by_its_day_is_shown_as_a_day(small: TestClient) -> None:
    found = small.post("/v1/similar", json={"text": "the walrus is stuck again"}).json()["precedents"][0]
    assert (found["at"], found["day_only"]) == ("2026-05-03", True)
    assert small.get("/v1/services/alpha").json()["incidents"][0]["at"] == "2026-05-03"


def test_before_the_first_incident_nothing_is_alike(small: TestClient) -> None:
    alert = {"name": "errors", "at": "2025-01-01T00:00:00Z", "labels": {"service": "alpha"}}
    answer = small.post("/v1/context", json=alert).json()
    assert (answer["precedents"], [gap for gap in answer["gaps"] if "failed" in gap]) == ([], [])
    assert "No change is known in the time before." in answer["headline"]


class Stuck:
    """
    An embedder that gives no vector until it is let go.
    """

    def __init__(self, dimension: int) -> None:
        self.model, self.dimension = "stuck", dimension
        self.go = threading.Event()

    def embed(self, texts: Sequence[str]) -> Matrix:
        self.go.wait(60)
        return np.zeros((len(texts), self.dimension), dtype=np.float32)


def test_a_search_that_came_too_late_claims_nothing(tmp_path: Path) -> None:
    memory = load(Settings(data=tmp_path, part_budget_ms=500))
    assert memory.indexer.embedder
    stuck = Stuck(memory.indexer.embedder.dimension)
    memory.indexer.embedder = stuck
    answer = assemble(memory, Question(alert=read_alerts(alerts()[0].read_bytes(), {})[0]))
    stuck.go.set()
    memory.close()
    gaps = answer["gaps"]
    assert isinstance(gaps, list)
    assert "precedents was not ready within 500 ms" in gaps
    assert "Past incidents were not searched." in str(answer["headline"])
    assert "Nothing alike" not in str(answer["headline"])
