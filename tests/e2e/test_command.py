"""
The command answers like the API; wrong use and failures are one clear line.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from service.demo import FOLDER, alerts
from tests import server
from tests.deployment import Deployment

ROOT = Path(__file__).resolve().parents[2]


ENVIRONMENTS: dict[str, dict[str, str]] = {}
"""The variables that go with a data directory."""


def run(
    *arguments: str | bytes, stdin: str = "", under: Sequence[str] = (), variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [*under, sys.executable, "-W", "ignore", "-m", "service.cli", *arguments]
    environment = {"PATH": "/usr/bin:/bin", **(variables or {})}
    for place in arguments:
        environment |= ENVIRONMENTS.get(str(place), {})
    return subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def data(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("cli") / "data")
    ENVIRONMENTS[folder] = deployment.environment
    done = run("ingest", str(FOLDER), "--data", folder, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert all(one["new"] == one["applied"] + one["quarantined"] for one in report["sources"])
    return folder


def test_verbs_answer_as_text_and_as_json(data: str) -> None:
    for verb in (
        ["context", str(alerts()[0])], ["owner", "checkout"], ["changes", "search"], ["similar", "redis out of memory"],
        ["runbooks", "certificate expired"], ["timeline", "cart"], ["identity", "pay-gw"], ["feedback"], ["readiness"], ["sources"], ["doctor"],
        ["policy", "restart", "--target", "cart"],
    ):  # fmt: skip
        plain, machine = run(*verb, "--data", data), run(*verb, "--data", data, "--json")
        assert (plain.returncode, machine.returncode) == (0, 0), (verb, plain.stderr, machine.stderr)
        assert plain.stdout.strip()
        json.loads(machine.stdout)


def test_a_verdict_is_given_listed_and_taken_back(data: str) -> None:
    answer = json.loads(run("context", str(alerts()[0]), "--data", data, "--json").stdout)
    best = answer["precedents"][0]["id"]
    given = ["feedback", answer["answer_id"], "useful", "--subject", best, "--by", "ann", "--data", data, "--json"]
    (record,) = json.loads(run(*given).stdout)["records"]
    assert json.loads(run(*given).stdout)["duplicate"] is True
    assert f"says useful of incident:{best.lower()}" in run(*given[:-1]).stdout
    assert record in run("feedback", "--data", data).stdout
    assert run("feedback", "undo", record, "--data", data).stdout == f"{record} counts no more\n"
    assert record not in run("feedback", "--data", data).stdout
    wrong = run("feedback", answer["answer_id"], "splendid", "--data", data)
    assert (wrong.returncode, "not_cause" in wrong.stderr) == (1, True)


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
        (["backtest", "--data", "/nowhere"], 1, "There is no store"),
        (["backtest", "--limit", "0"], 2, "--limit"),
        (["audit", "verify", "--data", "/nowhere", "--json"], 1, "There is no store"),
        (["audit", "whatever"], 2, "verify | list | head"),
        (["mcp", "--data", "/nowhere"], 1, "There is no store"),
        (["serve", "--host", "999.1.1.1.1"], 2, "without tokens"),
        (["ingest", "x" * 5000], 1, "is not there"),
    ],
)
def test_failures_are_one_clear_line(tmp_path: Path, arguments: list[str], code: int, says: str) -> None:
    place = ["--data", str(tmp_path / "d")] if arguments[0] == "serve" else []
    done = run(*arguments, *place)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["changes", "checkout", "--limit", "99999999999999999999"], 2, "less than or equal to 1000"),
        (["changes", "checkout", "--limit", "-1"], 2, "greater than or equal to 1"),
        (["owner", "checkout", "--as-of", "0001-01-01T00:00:00Z"], 1, "`as_of`: 0001-01-01T00:00:00Z lies outside"),
        (["context", "checkout is down", "--known-at", "9999-01-01"], 1, "`known_at`: 9999-01-01 lies outside"),
        (["context", b"checkout is down \xff"], 2, "is not UTF-8"),
        (["similar", b"\xe9t\xe9"], 2, "is not UTF-8"),
        (["token", b"\xff", "--scope", "read"], 2, "is not UTF-8"),
        (["token", "", "--scope", "read"], 1, "needs a name"),
        (["token", "a\nb", "--scope", "read"], 1, "needs a name"),
        (["ingest", "retry", "--source", "nosuch"], 1, "there is no source `nosuch`; there are: "),
        (["ingest", str(FOLDER), "--source", "a\x1bb"], 1, "`--source` holds a control character"),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_used_are_one_clear_line(
    data: str, arguments: list[str | bytes], code: int, says: str
) -> None:
    done = run(*arguments, "--data", data)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_in_quarantine_of_one_source_is_tried_again(data: str) -> None:
    assert run("ingest", "retry", "--source", "changes", "--data", data).returncode in (0, 1)
    source = json.loads(run("sources", "--data", data, "--json").stdout)["sources"][0]["source"]
    assert run("ingest", "retry", "--source", source, "--data", data).returncode == 0


@pytest.mark.parametrize("size", [255, 256, 1000, 4000, 100_000])
def test_a_long_argument_is_a_text(data: str, size: int) -> None:
    done = run("context", ("checkout is down " * 6000)[:size], "--data", data, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["service"]["candidates"][0]["name"] == "checkout"


@pytest.mark.parametrize(
    "verb",
    [
        ["context", "x"], ["owner", "x"], ["changes", "x"], ["similar", "x"], ["runbooks", "x"], ["timeline", "x"],
        ["identity", "x"], ["readiness"], ["sources"], ["doctor"], ["ingest", "retry"], ["migrate"],
    ],
    ids=lambda verb: verb[0],
)  # fmt: skip
def test_a_mistyped_directory_is_told_and_not_made(tmp_path: Path, verb: list[str]) -> None:
    done = run(*verb, "--data", str(tmp_path / "dtaa"))
    assert done.returncode == 1
    assert "There is no store in this directory" in done.stderr
    assert "precedent ingest PATH --data DIR" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def sealed(data: str, tmp_path: Path) -> Iterator[tuple[Path, Sequence[str]]]:
    """
    (A data directory that cannot be written, what a command has to run under): root may write anywhere unless it lets
    go of that.
    """
    under: tuple[str, ...] = ()
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root can write anywhere")
        under = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all")
    place = Path(shutil.copytree(data, tmp_path / "sealed"))
    files = [path for path in place.rglob("*") if path.is_file()]
    for path in files:
        path.chmod(0o444)
    place.chmod(0o555)
    yield place, under
    place.chmod(0o755)


@pytest.mark.parametrize("left", [True, False], ids=["with the log's files", "the store's file alone"])
def test_verbs_that_read_work_where_nothing_can_be_written(sealed: tuple[Path, Sequence[str]], left: bool) -> None:
    place, under = sealed
    if not left:
        place.chmod(0o755)
        for path in (*place.glob("*-wal"), *place.glob("*-shm"), *place.glob("*.lock")):
            path.unlink()
        place.chmod(0o555)
    before = sorted(path.name for path in place.iterdir())
    for verb in (
        ["owner", "checkout"],
        ["sources"],
        ["similar", "redis out of memory"],
        ["doctor"],
        ["changes", "cart"],
    ):
        done = run(*verb, "--data", str(place), under=under)
        assert (done.returncode, done.stderr) == (0, ""), verb
    answer = json.loads(run("context", "checkout is down", "--data", str(place), "--json", under=under).stdout)
    assert answer["owner"]["name"]
    assert any("not kept for replay" in gap for gap in answer["gaps"])
    assert sorted(path.name for path in place.iterdir()) == before


def test_a_log_that_nobody_can_merge_is_told(sealed: tuple[Path, Sequence[str]]) -> None:
    place, under = sealed
    place.chmod(0o755)
    for path in (*place.glob("*-wal"), *place.glob("*-shm")):
        path.unlink()
    Path(place, "precedent.db-wal").write_bytes(b"x" * 64)
    place.chmod(0o555)
    done = run("owner", "checkout", "--data", str(place), under=under)
    assert (done.returncode, "the log is not empty" in done.stderr) == (1, True), done.stderr


def test_verbs_that_write_say_why_they_cannot(sealed: tuple[Path, Sequence[str]]) -> None:
    place, under = sealed
    for verb in (["ingest", str(FOLDER)], ["token", "ann", "--scope", "read"], ["serve", "--port", "0"]):
        done = run(*verb, "--data", str(place), under=under)
        assert done.returncode == 1, verb
        assert "The data directory cannot be used" in done.stderr
        assert "give this user the right to write there" in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_used_port_is_one_line_with_advice(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("serve", "--data", str(tmp_path / "d"), "--port", port)
    assert done.returncode == 1
    assert done.stderr == (
        f"precedent: port {port} of 127.0.0.1 is in use; end what listens there, or choose another port with --port\n"
    )


def test_a_server_says_where_it_listens(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "service.cli",
        "serve",
        "--port",
        "0",
        "--json",
        "--data",
        str(tmp_path),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env={"PATH": "/usr/bin:/bin"}) as server:
        assert server.stdout
        said = json.loads(server.stdout.readline())
        until(lambda: fetched(f"{said['address']}/healthz") is not None)
        server.terminate()
    assert said["data"] == str(tmp_path)


def test_a_backup_restores_to_the_same_answers(data: str, tmp_path: Path) -> None:
    copy, place = str(tmp_path / "copy.db"), str(tmp_path / "restored")
    assert run("backup", copy, "--data", data).returncode == 0
    assert run("restore", copy, "--data", place).returncode == 0
    one, two = (json.loads(run("owner", "checkout", "--data", folder, "--json").stdout) for folder in (data, place))
    assert one == two
    assert run("restore", copy, "--data", place).returncode == 1


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """
    (URL, data directory) of a server in a process of its own.
    """
    folder = str(tmp_path / "data")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "service.cli", "serve", "--data", folder, "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env={"PATH": "/usr/bin:/bin"}) as server:
        url = f"http://127.0.0.1:{port}"
        until(lambda: fetched(f"{url}/readyz") is not None)
        yield url, folder
        server.terminate()


def fetched(url: str) -> dict[str, object] | None:
    """
    What is at an address, or None while there is nothing.
    """
    with suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url, timeout=10) as answer:
        found: dict[str, object] = json.load(answer)
        return found
    return None


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if true():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it did not come true within a minute")


def test_ingest_beside_a_running_server_hands_it_the_work(served: tuple[str, str], tmp_path: Path) -> None:
    url, folder = served
    file = tmp_path / "catalog-info.yaml"
    file.write_text("kind: Component\nmetadata: {name: penguin}\nspec: {owner: polar}\n")
    done = run("ingest", str(file), "--connector", "backstage", "--data", folder, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sources"][0]["applied"] == 1
    assert "handing it the work" in done.stderr
    until(lambda: (fetched(f"{url}/v1/owner?service=penguin") or {}).get("name") == "polar")
    wrong = run("ingest", str(file), "--connector", "nonsense", "--data", folder)
    assert (wrong.returncode, "nonsense" in wrong.stdout, "Traceback" in wrong.stderr) == (1, True, False)
    assert not list(Path(folder, "inbox").iterdir())


def test_what_is_erased_is_nowhere_in_the_data_directory(tmp_path: Path) -> None:
    folder, place = tmp_path / "o", str(tmp_path / "data")
    folder.mkdir()
    (folder / "keep.md").write_text("# Disk is full\n\n## Steps\n\nClean the ocelot.\n")
    (folder / "gone.md").write_text("# Walrus\n\n## Steps\n\nFeed the zebrafish.\n")
    assert run("ingest", str(folder), "--connector", "runbooks", "--data", place).returncode == 0
    (evidence,) = json.loads(run("runbooks", "zebrafish", "--data", place, "--json").stdout)["runbooks"][0]["evidence"]
    assert run("retract", evidence, "asked for", "--erase", "--data", place).returncode == 0
    bodies = [path.read_bytes() for path in Path(place).rglob("*") if path.is_file()]
    assert any(b"ocelot" in body for body in bodies)
    assert not any(word in body for body in bodies for word in (b"ebrafish", b"alrus"))


def test_a_token_is_shown_once_and_then_needed(tmp_path: Path) -> None:
    done = run("token", "ann", "--scope", "read", "--data", str(tmp_path), "--json")
    assert json.loads(done.stdout)["token"].startswith("prc_")
    assert run("token", "ann", "--scope", "fly", "--data", str(tmp_path)).returncode == 1


@pytest.mark.parametrize(
    ("name", "connector", "text", "says"),
    [
        ("big.md", "postmortems", "# A report\n\n## Impact\n\n" + "lorem ipsum dolor\n\n" * 2_800_000, "split it"),
        ("half.jsonl", "changes", '{"id":"1","at":"2026-01-01T00:00:00Z"}\n{"id":"2' + "9" * 50_000_000, "line 2 of half.jsonl"),
        ("catalog-info.yaml", "backstage", "kind: Component\nx: " + "y" * 50_000_000, "split it"),
    ],
)  # fmt: skip
def test_fifty_megabytes_are_told_and_kept(tmp_path: Path, name: str, connector: str, text: str, says: str) -> None:
    file, folder = tmp_path / name, str(tmp_path / "data")
    file.write_text(text)
    done = run("ingest", str(file), "--connector", connector, "--data", folder, "--json")
    (row,) = json.loads(done.stdout)["sources"]
    assert (row["new"], row["quarantined"]) == (row["applied"] + 1, 1)
    assert says in run("sources", "--data", folder).stdout
    assert "Traceback" not in done.stderr


def test_a_store_is_copied_and_answers_the_same(data: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    done = run("migrate", "--data", data, "--to", f"sqlite:///{copy}", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["ok"]
    assert all(one["same"] and one["source"] == one["target"] for one in report["kinds"])
    for verb in (["owner", "checkout"], ["changes", "search"], ["timeline", "cart"], ["sources"]):
        answers = [run(*verb, "--json", "--data", place).stdout for place in (data, str(copy))]
        # how old the newest record is depends on when one asks
        asked = [re.sub(r'"(lag_seconds|records_per_hour)": [\d.]+', "", answer) for answer in answers]
        assert asked[0] == asked[1]
    again = run("ingest", str(FOLDER), "--data", str(copy), "--json")
    assert all(one["new"] == 0 and one["stated"] == 0 for one in json.loads(again.stdout)["sources"])


def test_a_store_is_copied_onto_a_server_and_back(data: str, tmp_path: Path) -> None:
    server.require()
    server.empty()
    user = {"PRECEDENT_STORE_USER": server.USER, "PRECEDENT_STORE_PASSWORD": server.PASSWORD}
    back = tmp_path / "back"
    for ways in (["--data", data, "--to", server.URI], ["--from", server.URI, "--to", f"sqlite:///{back}"]):
        done = run("migrate", *ways, variables=user)
        assert done.returncode == 0, done.stderr
        assert "statements" in done.stdout
    asked = [run("owner", "checkout", "--json", "--data", place).stdout for place in (data, str(back))]
    assert asked[0] == asked[1]


def test_a_migration_that_cannot_be_done_is_one_clear_line(data: str, tmp_path: Path) -> None:
    url, nowhere = f"sqlite:///{data}", f"sqlite:///{tmp_path / 'none'}"
    shutil.copytree(data, tmp_path / "full")
    for arguments, code, says in (
        (["--from", url], 2, "--to"),
        (["--from", url, "--to", url], 2, "into itself"),
        (["--from", nowhere, "--to", f"sqlite:///{tmp_path / 'new'}"], 1, "There is no store in this directory"),
        (["--from", url, "--to", f"sqlite:///{tmp_path / 'full'}"], 1, "not empty"),
        (["--from", url, "--to", "neo4j://127.0.0.1:1"], 1, "cannot be reached"),
    ):
        done = run("migrate", *arguments)
        assert (done.returncode, says in " ".join(done.stderr.split())) == (code, True), done.stderr
        assert "Traceback" not in done.stderr


def test_the_owner_is_told_with_confidence_sources_and_what_is_wrong(data: str) -> None:
    told = run("owner", "checkout", "--data", data).stdout
    assert "owner checkout (fair confidence, " in told
    assert '! conflict: "sources disagree: ' in told
    assert "catalog names checkout (declared, since " in told
    assert "codeowners names platform (declared, since " in told


def test_readiness_is_held_against_past_incidents(data: str) -> None:
    found = json.loads(run("readiness", "--check", "--catalogue", "today", "--data", data, "--json").stdout)
    assert (found["incidents"], found["unknown_then"], found["catalogue"]) == (40, 0, "today")
    assert found["questions"]["who"]["said_yes"]["answered"] >= 0.9
    assert run("readiness", "--check", "--catalogue", "tomorrow", "--data", data).returncode == 2
    # what services there were became known when the demo was read, long after its incidents
    strict = json.loads(run("readiness", "--check", "--data", data, "--json").stdout)
    assert strict["unknown_then"] == strict["incidents"] == 40
