"""
A made organisation is the same for the same seed, keeps its truth apart, and what is asked about it obeys the laws of
suspects.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from graph.values import Change, View
from ingest.pipeline import ingest
from ingest.sources import read_sources
from service.api.app import question_of
from service.context import replayed
from service.settings import Settings
from service.tokens import LOCAL
from service.wiring import Memory, open_memory
from tests.simulation.__main__ import main
from tests.simulation.events import Shape
from tests.simulation.writing import simulate

SHAPE = Shape(services=30, days=40, changes=1200, incidents=30, seed=11)


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("made") / "org"
    simulate(found, SHAPE)
    return found


@pytest.fixture(scope="module")
def memory(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    found = open_memory(Settings(data=tmp_path_factory.mktemp("data"), embedder="none"))
    read = ingest(found.store, read_sources(folder))
    assert [one.quarantined for one in read.sources] == [0, 0, 0, 0]
    found.follow()
    yield found
    found.close()


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(folder: Path, tmp_path: Path) -> None:
    simulate(tmp_path / "again", SHAPE)
    simulate(tmp_path / "other", Shape(services=30, days=40, changes=1200, incidents=30, seed=12))
    assert files(tmp_path / "again") == files(folder)
    assert files(tmp_path / "other").keys() == files(folder).keys()
    assert files(tmp_path / "other")["changes.jsonl"] != files(folder)["changes.jsonl"]


def test_the_truth_lies_where_no_source_reads(folder: Path) -> None:
    read = {Path(one.path).name for one in read_sources(folder)}
    assert read == {"topology.jsonl", "changes.jsonl", "alertmanager", "incidents.jsonl"}
    truth = rows(folder / "truth" / "incidents.jsonl")
    told = {str(one["id"]): one for one in rows(folder / "incidents.jsonl")}
    assert len(truth) == len(told) == 30
    named = [one for one in truth if "caused_by" in told[str(one["id"])]]
    assert 0 < len(named) < 30
    assert all(told[str(one["id"])]["caused_by"] == [one["culprit"]] for one in named)


def test_harm_comes_after_its_cause_in_the_same_region_and_goes_up_to_callers(folder: Path) -> None:
    changes = {str(one["id"]): one for one in rows(folder / "changes.jsonl")}
    needs = {str(one["name"]): one["needs"] for one in rows(folder / "topology.jsonl")}
    for one in rows(folder / "truth" / "incidents.jsonl"):
        assert str(one["fired_at"]) >= str(one["onset"])
        if one["culprit"]:
            culprit = changes[str(one["culprit"])]
            assert str(culprit["at"]) < str(one["onset"])
            assert (culprit["region"], culprit["service"]) == (one["region"], one["service"])
        callers = [name for name in one["alerting"] if name != one["service"]]  # type: ignore[attr-defined]  # a list
        assert all(one["service"] in needs[caller] for caller in callers)  # type: ignore[operator]  # a list
        assert all(str(changes[name]["at"]) <= str(one["fired_at"]) for name in one["decoys"])  # type: ignore[attr-defined]


def test_no_suspect_is_later_than_the_alert_or_than_what_was_known(folder: Path, memory: Memory) -> None:
    """
    Asked as of the moment it fired, and an hour later: what happened meanwhile is no suspect.
    """
    for asked in rows(folder / "truth" / "questions.jsonl"):
        question = question_of(json.dumps(asked).encode(), {}, LOCAL, memory.redactor())
        at = question.alert.at
        for known in (at, at + timedelta(hours=1)):
            _, _, ranking = replayed(memory, question, View(as_of=known, known_at=known))
            seqs = [one.statement for one in ranking.candidates if one.statement is not None]
            assert len(seqs) == len(ranking.candidates)
            found = memory.store.statements(seqs)
            assert all(isinstance(one.item, Change) and one.item.at <= at for one in found)
            assert all(one.known.start is not None and one.known.start <= known for one in found)


def test_the_first_suspect_of_an_alert_in_one_region_never_reached_only_another(folder: Path, memory: Memory) -> None:
    for asked in rows(folder / "truth" / "questions.jsonl"):
        question = question_of(json.dumps(asked).encode(), {}, LOCAL, memory.redactor())
        at = question.alert.at
        _, _, ranking = replayed(memory, question, View(as_of=at, known_at=at))
        seqs = [one.statement for one in ranking.candidates[:1] if one.statement is not None]
        (first,) = memory.store.statements(seqs)
        assert isinstance(first.item, Change)
        assert (first.item.region, first.item.environment) == (question.alert.labels["region"], "production")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--services", "1"], 2, "at least 3 services"),
        (["--quiet", "2"], 2, "--quiet is a share"),
        ([], 1, "holds something else"),
    ],
)
def test_wrong_use_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    folder = tmp_path if not arguments else tmp_path / "new"
    assert main([str(folder), *arguments]) == code
    assert says in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_the_command_tells_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = ["--services", "5", "--days", "5", "--changes", "10", "--incidents", "3", "--seed", "2"]
    assert main([str(tmp_path / "org"), *size, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["services"], told["incidents"]) == (5, 3)
    first = datetime.fromisoformat(str(rows(tmp_path / "org" / "changes.jsonl")[0]["at"]))
    assert first.tzinfo is not None
    # what it wrote it may write again
    assert main([str(tmp_path / "org"), *size]) == 0
