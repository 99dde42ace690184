"""
Taking a record back: first what rests on it is listed, then all of it is recomputed; what is erased is in no file.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from service.demo import FOLDER
from tests.e2e.test_command import fetched, run, served, until

__all__ = ["served"]

WORD = "Quokkaburst"
REVIEW = f"""---
id: INC-Q
title: Orders fail {WORD} on the till
started_at: 2026-09-01T10:00:00Z
resolved_at: 2026-09-01T11:00:00Z
services: [till]
triggering_alert: TillFails
---

## Impact

Orders failed with {WORD}title at every till.

## Resolution

Rolled back `till-{WORD.lower()}` to 4.1 and orders recovered.
"""
ALERT = json.dumps({"title": "TillFails", "text": "Orders failed at every till", "at": "2026-10-01T10:00:00Z"})


def asked(place: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("context", "-", "--data", place, "--json", stdin=ALERT).stdout)
    return found


def retract(*arguments: str) -> dict[str, Any]:
    done = run("retract", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def files_with(place: str, word: str = WORD) -> list[str]:
    """
    The files of the data directory that hold a word, in any case.
    """
    return [
        str(path) for path in Path(place).rglob("*")
        if path.is_file() and word.lower().encode() in path.read_bytes().lower()
    ]  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> str:
    """
    A data directory with the demo organisation and one review more.
    """
    folder, data = tmp_path / "reviews", str(tmp_path / "data")
    folder.mkdir()
    (folder / "q.md").write_text(REVIEW)
    for path, more in ((str(FOLDER), []), (str(folder), ["--connector", "postmortems"])):
        assert run("ingest", path, *more, "--data", data).returncode == 0
    return data


def evidence_of(answer: dict[str, Any]) -> str:
    (record,) = next(one for one in answer["precedents"] if one["id"] == "INC-Q")["evidence"]
    return str(record)


def test_what_rests_on_a_record_is_listed_before_anything_is_done(place: str) -> None:
    answer = asked(place)
    record = evidence_of(answer)
    listed = retract(record, "--data", place)
    assert (listed["dry"], listed["done"], listed["answers"]) == (True, "nothing", [answer["answer_id"]])
    assert [(one["kind"], one["name"]) for one in listed["rests"]] == [("incident", "INC-Q")]
    assert [one["action"] for one in listed["fixes"]] == ["rollback"]
    text = run("retract", record, "--data", place).stdout
    assert "nothing was done" in text
    assert answer["answer_id"] in text
    assert asked(place)["precedents"][0]["id"] == "INC-Q"


def test_a_retracted_record_leaves_facts_fixes_and_answers(place: str) -> None:
    before = asked(place)
    done = retract(evidence_of(before), "it was another till", "--data", place)
    (again,) = done["recomputed"]
    assert again["answer"] == before["answer_id"]
    assert {"precedents", "fixes"} <= set(again["differs"])
    after = asked(place)
    assert "INC-Q" not in json.dumps(after["precedents"])
    assert not [one for one in after["fixes"] if WORD.lower() in one["target"]]


def test_what_is_erased_is_in_no_file(place: str) -> None:
    before = asked(place)
    subject = ["--subject", "INC-Q", "--note", f"{WORD} indeed", "--by", "ann"]
    assert run("feedback", before["answer_id"], "useful", *subject, "--data", place).returncode == 0
    asked(place)
    assert files_with(place)
    done = retract(evidence_of(before), "asked for", "--erase", "--data", place)
    assert done["done"] == "erased"
    assert len(done["verdicts_erased"]) == 1
    assert files_with(place) == []
    assert "INC-Q" not in json.dumps(asked(place))
    assert files_with(place) == []
    assert run("similar", "orders failed at every till", "--data", place).returncode == 0


def test_beside_a_running_server_it_erases(served: tuple[str, str], tmp_path: Path) -> None:
    url, folder = served
    (tmp_path / "q.md").write_text(REVIEW)
    assert run("ingest", str(tmp_path / "q.md"), "--connector", "postmortems", "--data", folder).returncode == 0

    def known() -> dict[str, Any] | None:
        found = fetched(f"{url}/v1/timeline?incident=INC-Q")
        return found if found and "incident" in found else None

    until(lambda: known() is not None)
    told = known()
    assert told
    assert files_with(folder)
    done = run("retract", told["incident"]["evidence"][0], "asked for", "--erase", "--data", folder, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["done"] == "erased"
    assert files_with(folder) == []
    assert known() is None


def test_a_record_that_is_not_there_is_told(place: str) -> None:
    for more in ([], ["why"], ["why", "--erase"]):
        done: subprocess.CompletedProcess[str] = run("retract", "r-none", *more, "--data", place)
        assert (done.returncode, "no such record" in done.stderr) == (1, True)
