"""
The command answers like the API; wrong use and failures are one clear line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from service.demo import FOLDER, alerts

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-m", "service.cli", *arguments]
    return subprocess.run(
        command, cwd=ROOT, input=stdin, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("cli") / "data")
    done = run("ingest", str(FOLDER), "--data", folder, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert all(one["new"] == one["applied"] + one["quarantined"] for one in report["sources"])
    return folder


def test_verbs_answer_as_text_and_as_json(data: str) -> None:
    for verb in (
        ["context", str(alerts()[0])], ["owner", "checkout"], ["changes", "search"], ["similar", "redis out of memory"],
        ["runbooks", "certificate expired"], ["timeline", "cart"], ["identity", "pay-gw"], ["readiness"], ["sources"], ["doctor"],
        ["policy", "restart", "--target", "cart"],
    ):  # fmt: skip
        place = [] if verb[0] == "policy" else ["--data", data]
        plain, machine = run(*verb, *place), run(*verb, *place, "--json")
        assert (plain.returncode, machine.returncode) == (0, 0), (verb, plain.stderr, machine.stderr)
        assert plain.stdout.strip()
        json.loads(machine.stdout)


def test_an_alert_comes_by_standard_input_too(data: str) -> None:
    done = run("context", "-", "--data", data, "--json", stdin=alerts()[1].read_text())
    assert json.loads(done.stdout)["changes"]["suspects"][0]["id"] == "emb-v8"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nonsense"], 2, "nonsense"),
        (["owner"], 2, "Missing argument"),
        (["ingest", "/nowhere"], 1, "is not there"),
        (["serve", "--config", "/nowhere.toml"], 2, "is not there"),
        (["serve", "--host", "0.0.0.0"], 2, "without tokens"),
        (["backtest"], 1, "not in this version"),
    ],
)
def test_failures_are_one_clear_line(tmp_path: Path, arguments: list[str], code: int, says: str) -> None:
    place = ["--data", str(tmp_path / "d")] if arguments[0] == "serve" else []
    done = run(*arguments, *place)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_backup_restores_to_the_same_answers(data: str, tmp_path: Path) -> None:
    copy, place = str(tmp_path / "copy.db"), str(tmp_path / "restored")
    assert run("backup", copy, "--data", data).returncode == 0
    assert run("restore", copy, "--data", place).returncode == 0
    one, two = (json.loads(run("owner", "checkout", "--data", folder, "--json").stdout) for folder in (data, place))
    assert one == two
    assert run("restore", copy, "--data", place).returncode == 1


def test_a_token_is_shown_once_and_then_needed(tmp_path: Path) -> None:
    done = run("token", "ann", "--scope", "read", "--data", str(tmp_path), "--json")
    assert json.loads(done.stdout)["token"].startswith("prc_")
    assert run("token", "ann", "--scope", "fly", "--data", str(tmp_path)).returncode == 1
