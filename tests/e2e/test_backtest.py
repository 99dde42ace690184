"""
Past incidents are replayed as they were known at the moment they fired; what looks ahead is found; the report is kept
for whoever may see it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from graph.errors import StoreUnavailable
from graph.values import View
from ingest.pipeline import ingest
from ingest.sources import read_sources
from models.contract import Ranking, silent
from models.suspects import SuspectQuestion, Suspects
from service.api.app import create_app
from service.backtest.kept import keep, last
from service.backtest.run import Plan, backtest
from service.settings import Settings
from service.wiring import Memory, open_memory
from tests.deployment import Deployment
from tests.e2e.conftest import ADDRESS
from tests.e2e.test_command import run
from tests.simulation.events import Shape
from tests.simulation.writing import simulate

SHAPE = Shape(services=25, days=40, changes=800, incidents=40, seed=3, named=0.6)
Report = Mapping[str, Any]


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("made") / "org"
    simulate(found, SHAPE)
    return found


@pytest.fixture(scope="module")
def served(
    deployment: Deployment, organisation: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    memory = open_memory(deployment.settings(tmp_path_factory.mktemp("served"), embedder="none"))
    ingest(memory.store, read_sources(organisation))
    memory.follow()
    with TestClient(create_app(memory), base_url=ADDRESS, raise_server_exceptions=False) as found:
        yield found


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    found = open_memory(Settings(data=tmp_path / "data", embedder="none"))
    yield found
    found.close()


def told(memory: Memory, folder: Path, **files: str) -> Report:
    """
    The report on an organisation of a few lines.
    """
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.jsonl").write_text(text)
    ingest(memory.store, read_sources(folder))
    memory.follow()
    return backtest(memory, Plan(), silent).report


def lines(*rows: Mapping[str, object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def deployed(name: str, at: str, service: str = "cart", **more: object) -> dict[str, object]:
    return {"id": name, "at": at, "service": service, "kind": "deploy", "environment": "production", **more}


def broke(name: str = "INC-7", **more: object) -> dict[str, object]:
    return {
        "id": name, "title": "cart is down", "started_at": "2026-03-02T12:00:00Z", "resolved_at": "2026-03-02T13:00:00Z",
        "services": ["cart"], "published_at": "2026-03-05T09:00:00Z", **more,
    }  # fmt: skip


def finished(client: TestClient) -> Report:
    for _ in range(600):
        body: Report = client.get("/v1/backtest").json()
        if body["status"]["state"] != "running":
            return body
        time.sleep(0.1)
    raise AssertionError("it never ended")


def test_a_server_replays_in_the_background_and_keeps_the_report(served: TestClient) -> None:
    assert served.get("/v1/backtest").json() == {"status": {"state": "idle"}, "report": None}
    assert "Nothing was replayed yet" in served.get("/backtest").text
    begun = served.post("/v1/backtest", json={"limit": 1000})
    assert (begun.status_code, begun.json()["status"]["state"]) == (202, "running")
    assert served.post("/v1/backtest").status_code == 409
    assert served.get("/backtest").headers["refresh"] == "3"
    ended = finished(served)
    assert ended["status"] == {"state": "idle"}
    report = ended["report"]
    seen, sets = report["coverage"], report["sets"]
    assert report["ok"]
    assert report["notes"] == []
    assert seen["replayed"] == 40
    assert seen["named"] + seen["none"] + seen["weak"] + seen["unlabelled"] == 40
    assert seen["asked"]["alert"] == 40
    named = sets["named"]
    assert named["n"] == seen["named"] > 10
    assert (
        named["rankers"]["precedent"]["hit1"]
        > named["rankers"]["latest_on_service"]["hit1"]
        > named["rankers"]["latest"]["hit1"]
    )
    assert sum(one["n"] for one in named["calibration"]["bins"]) == named["n"] + named["none_n"]
    assert sum(one["n"] for one in named["by_kind"]) == named["n"]
    assert all(one["reason"] and one["says"] for one in report["missed"])
    assert sum(named["reasons"].values()) == sum(one["set"] == "named" for one in report["missed"])
    signs = {one["sign"]: one for one in report["labels"]["signs"]}
    assert signs["taken_back"]["right"] == signs["taken_back"]["of"] > 0


def test_the_page_draws_the_report_and_needs_nothing_that_its_policy_forbids(served: TestClient) -> None:
    served.post("/v1/backtest", json={"limit": 20})
    assert finished(served)["status"] == {"state": "idle"}
    page = served.get("/backtest")
    assert page.status_code == 200
    assert "refresh" not in page.headers
    assert page.text.count("<svg") >= 2
    assert "<polyline" in page.text
    assert not re.search(r"<script(?! src=)|\sstyle=|\son\w+=", page.text)


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        ({"limit": 0}, "`limit`"),
        ({"catalogue": "then"}, "known or today"),
        ({"since": "soon"}, "since"),
        ({"from": 1}, "`from`"),
    ],
)
def test_a_wrong_plan_is_refused_with_the_field(served: TestClient, plan: dict[str, object], says: str) -> None:
    refused = served.post("/v1/backtest", json=plan)
    assert refused.status_code == 422
    assert says in refused.json()["detail"]


def test_the_command_replays_shows_it_again_and_lists_labels(organisation: Path, tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    assert run("ingest", str(organisation), "--data", data).returncode == 0
    assert "nothing was replayed yet" in run("backtest", "--last", "--data", data).stderr
    done = run("backtest", "--data", data, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert json.loads(run("backtest", "--last", "--data", data, "--json").stdout) == report
    plain = run("backtest", "--limit", "10", "--data", data)
    assert plain.returncode == 0
    assert "10 incidents" in plain.stdout
    assert "latest on the service" in plain.stdout
    labels = json.loads(run("backtest", "--labels", "--data", data, "--json").stdout)
    assert {one["named"] for one in labels["culprits"]} == {True, False}
    assert run("backtest", "--catalogue", "then", "--data", data).returncode == 1


def test_each_miss_says_why(memory: Memory, tmp_path: Path) -> None:
    changes = lines(
        deployed("far", "2026-03-02T11:40:00Z", "wiki"), deployed("old", "2026-02-01T11:40:00Z"),
        deployed("late", "2026-03-02T12:03:00Z"), deployed("near", "2026-03-02T11:50:00Z"),
    )  # fmt: skip
    incidents = lines(
        *(
            broke(f"INC-{number}", caused_by=[name])
            for number, name in enumerate(("far", "old", "late", "abc1234", "near"))
        )
    )
    report = told(memory, tmp_path / "org", changes=changes, incidents=incidents)
    why = {one["culprit"] or one["says"]: one["reason"] for one in report["missed"]}
    assert why.pop("near", "none_chosen") == "none_chosen"
    assert why == {
        "far": "not_linked", "old": "too_old", "late": "after_onset", "no change is known by abc1234": "not_ingested",
    }  # fmt: skip
    assert "wiki" in next(one["says"] for one in report["missed"] if one["culprit"] == "far")
    assert any("the catalogue is not known" in note for note in report["notes"])


def test_what_became_known_later_is_not_used_and_is_told(memory: Memory, tmp_path: Path) -> None:
    mapping = '[[items]]\nkind = "change"\n[items.fields]\n' + "".join(
        f'{name} = "{{{name}}}"\n' for name in ("id", "at", "service", "kind")
    )
    folder = tmp_path / "org"
    folder.mkdir()
    (folder / "m.toml").write_text(mapping)
    (folder / "late.json").write_text(json.dumps([deployed("bad", "2026-03-02T11:50:00Z")]))
    (folder / "incidents.jsonl").write_text(lines(broke(caused_by=["bad"])))
    (folder / "sources.toml").write_text(
        '[[sources]]\nname = "late"\nconnector = "mapping"\npath = "late.json"\nmapping = "m.toml"\n'
        '[[sources]]\nname = "postmortems"\nconnector = "postmortems"\npath = "incidents.jsonl"\n'
    )
    report = told(memory, folder)
    assert [(one["culprit"], one["reason"], one["rank"]) for one in report["missed"]] == [("bad", "known_later", None)]
    assert report["ok"]


class Foresighted(Suspects):
    """
    Ranks with what is known today, whatever it is asked.
    """

    def rank(self, question: SuspectQuestion, view: View) -> Ranking:
        return super().rank(replace(question, at=datetime(2026, 3, 3, tzinfo=UTC)), View.now(view.visibility))


def test_a_store_that_does_not_answer_for_a_moment_is_asked_again(memory: Memory, tmp_path: Path) -> None:
    asked: list[datetime] = []

    class Hiccup(Suspects):
        def rank(self, question: SuspectQuestion, view: View) -> Ranking:
            asked.append(question.at)
            if len(asked) == 1:
                raise StoreUnavailable("test", "it was restarted")
            return super().rank(question, view)

    told(
        memory,
        tmp_path / "org",
        changes=lines(deployed("bad", "2026-03-02T11:50:00Z")),
        incidents=lines(broke(caused_by=["bad"])),
    )
    report = backtest(replace(memory, suspects=Hiccup(memory.store)), Plan(), silent).report
    assert report["coverage"]["replayed"] == 1  # type: ignore[index]  # a mapping
    assert len(asked) == 2


def test_a_ranker_that_looks_ahead_is_found_and_its_replays_do_not_count(memory: Memory, tmp_path: Path) -> None:
    changes = lines(deployed("bad", "2026-03-02T11:50:00Z"), deployed("fix", "2026-03-02T12:40:00Z", reverts="bad"))
    honest = told(memory, tmp_path / "org", changes=changes, incidents=lines(broke(caused_by=["bad"])))
    assert (honest["ok"], honest["sets"]["named"]["n"]) == (True, 1)
    leaky = replace(memory, suspects=Foresighted(memory.store))
    report = backtest(leaky, Plan(), silent).report
    assert not report["ok"]
    assert {(one["id"], one["kind"]) for one in report["leaks"]} >= {("INC-7", "known_later")}  # type: ignore[attr-defined]
    assert report["sets"]["named"]["n"] == 0  # type: ignore[index]


def test_a_record_that_names_the_incident_before_it_began_is_a_leak(memory: Memory, tmp_path: Path) -> None:
    changes = lines(deployed("bad", "2026-03-02T11:50:00Z", text="the cause of INC-7 as we shall see"))
    report = told(memory, tmp_path / "org", changes=changes, incidents=lines(broke(caused_by=["bad"])))
    assert [one["kind"] for one in report["leaks"]] == ["names_incident"]
    assert not report["ok"]


def test_of_an_incident_of_some_day_the_change_that_brought_its_document_is_not_seen(
    memory: Memory, tmp_path: Path
) -> None:
    page = {
        "id": "p1",
        "at": "2026-03-02T19:00:00Z",
        "title": "Write it down",
        "files": ["docs/2026-03-02-cart-down.md"],
    }
    incident = {"id": "2026-03-02-cart-down", "title": "cart is down", "date": "2026-03-02", "services": ["cart"]}
    changes = lines(deployed("bad", "2026-03-02T11:50:00Z", reverts=""), page)
    told(memory, tmp_path / "org", changes=changes, incidents=lines(incident))
    seen: list[str] = []

    class Watching(Suspects):
        def rank(self, question: SuspectQuestion, view: View) -> Ranking:
            seen.extend(one.item.id for one in memory.store.changes(view))
            return super().rank(question, view)

    report = backtest(replace(memory, suspects=Watching(memory.store)), Plan(), silent).report
    assert seen == ["bad"]
    assert report["ok"]


def test_a_postmortem_that_claims_to_be_older_than_its_incident_is_found_and_hidden(tmp_path: Path) -> None:
    folder = tmp_path / "org"
    folder.mkdir()
    (folder / "changes.jsonl").write_text(lines(deployed("bad", "2026-03-02T11:50:00Z")))
    (folder / "incidents.jsonl").write_text(lines(broke(caused_by=["bad"], published_at="2026-03-01T00:00:00Z")))
    data = str(tmp_path / "data")
    assert run("ingest", str(folder), "--data", data).returncode == 0
    done = run("backtest", "--data", data, "--json")
    assert done.returncode == 1
    assert [one["kind"] for one in json.loads(done.stdout)["leaks"]] == ["dated_early"]
    assert "LOOKED AHEAD" in run("backtest", "--data", data).stdout


def test_a_replay_does_not_see_its_own_incident(memory: Memory, tmp_path: Path) -> None:
    """
    An incident that was known at once (a paging tool's) is hidden from its own replay, and not from later ones.
    """
    rows = [broke("INC-7", published_at="2026-03-02T12:00:01Z", caused_by=["bad"]),
            broke("INC-8", started_at="2026-03-09T12:00:00Z", resolved_at=None, published_at="2026-03-09T12:00:01Z")]  # fmt: skip
    seen: dict[datetime, list[str]] = {}

    class Watching(Suspects):
        def rank(self, question: SuspectQuestion, view: View) -> Ranking:
            seen[question.at] = [one.item.id for one in memory.store.incidents(view)]
            return super().rank(question, view)

    told(memory, tmp_path / "org", changes=lines(deployed("bad", "2026-03-02T11:50:00Z")), incidents=lines(*rows))
    backtest(replace(memory, suspects=Watching(memory.store)), Plan(), silent)
    assert [found for _, found in sorted(seen.items())] == [[], ["INC-7"]]


def test_a_report_is_seen_by_those_who_hold_its_labels_and_goes_with_its_records(
    memory: Memory, tmp_path: Path
) -> None:
    told(
        memory,
        tmp_path / "org",
        changes=lines(deployed("bad", "2026-03-02T11:50:00Z")),
        incidents=lines(broke(caused_by=["bad"])),
    )
    secret = frozenset({"secret"})
    keep(memory.store, backtest(memory, Plan(visibility=secret), silent), secret)
    assert last(memory.store, frozenset()) is None
    assert last(memory.store, secret) is not None
    (incident,) = memory.store.incidents(View.now())
    memory.store.erase(incident.record)
    assert last(memory.store, secret) is None
