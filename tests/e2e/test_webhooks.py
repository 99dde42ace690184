"""
A server with webhooks in a process of its own, sent to as vendors do; connectors of other packages; trying sources out.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.faults.waiting import until

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {"PLAIN": "it's a secret", "KEY": "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="}
HOOKS = """
inflight_ingest = 1
queue_ms = 1
body_ms = 1500
embedder = "none"

[[webhooks]]
name = "signed"
connector = "github"
secrets = ["env:PLAIN"]

[[webhooks]]
name = "shared"
connector = "alertmanager"
secrets = ["env:PLAIN"]

[[webhooks]]
name = "keyed"
connector = "alertmanager"
secrets = ["file:secret"]
header = "x-key"

[[webhooks]]
name = "standard"
connector = "alertmanager"
secrets = ["env:KEY"]
scheme = "standard"

[[webhooks]]
name = "timed"
connector = "alertmanager"
secrets = ["env:PLAIN"]
scheme = "timed_hmac"
header = "x-signature"

[[webhooks]]
name = "stamped"
connector = "alertmanager"
secrets = ["env:PLAIN"]
scheme = "timed_hmac"
header = "x-signature"
timestamp_header = "x-at"

[[webhooks]]
name = "named"
connector = "alertmanager"
secrets = ["env:PLAIN"]
scheme = "named_hmac"
header = "x-signature"

[[webhooks]]
name = "gone"
connector = "alertmanager"
secrets = ["env:GONE"]
"""
NAMES = ("signed", "shared", "keyed", "standard", "timed", "stamped", "named")
ALERT = {"alerts": [{"labels": {"alertname": "Slow"}, "startsAt": "2026-03-02T10:00:00Z", "fingerprint": "f1"}]}


def run(*arguments: str, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-m", "service.cli", *arguments]
    environment = {"PATH": "/usr/bin:/bin", **(variables or {})}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)


def tried(*arguments: str, variables: Mapping[str, str] | None = None) -> tuple[int, Any]:
    done = run("sources", "test", *arguments, "--json", variables=variables)
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


def check(found: Any, name: str) -> tuple[bool, str]:
    return next((one["ok"], one["says"]) for one in found["checks"] if one["check"] == name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("hooks")
    (found / "precedent.toml").write_text(HOOKS)
    (found / "secret").write_text("from a file\n")
    (found / "delivery.json").write_text(json.dumps(ALERT))
    return found


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    command = [
        sys.executable, "-W", "ignore", "-m", "service.cli", "serve", "--config", str(folder / "precedent.toml"),
        "--data", str(folder / "data"), "--port", "0", "--json",
    ]  # fmt: skip
    environment = {"PATH": "/usr/bin:/bin", **SECRETS}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=environment) as server:
        assert server.stdout
        address = json.loads(server.stdout.readline())["address"]
        until(lambda: healthy(address), 60)
        yield int(address.rpartition(":")[2])
        server.terminate()


def healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/healthz") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.parametrize("name", NAMES)
def test_the_test_that_is_printed_can_be_sent(folder: Path, port: int, name: str) -> None:
    for program in ("bash", "curl", "openssl"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not on this machine")
    place = ["--config", str(folder / "precedent.toml"), "--data", str(folder / "data")]
    code, found = tried(name, *place, variables={**SECRETS, "PRECEDENT_PORT": str(port)})
    assert code == 0, found
    assert check(found, "secret")[0]
    script = found["send"].replace("curl ", "curl -s -w ' %{http_code}' ")
    environment = {"PATH": "/usr/bin:/bin", **SECRETS}
    for variables, status in ((environment, "202"), ({**environment, "PLAIN": "x", "KEY": "whsec_eA=="}, "401")):
        if name == "keyed" and status == "401":
            script = script.replace("$(cat ", "$(echo ")
        done = subprocess.run(
            ["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False, env=variables
        )
        assert done.stdout.endswith(f" {status}"), (script, done.stdout, done.stderr)
    row = next(one for one in listed(place) if one["source"] == name)
    assert row["last_success"]


def listed(place: list[str]) -> Any:
    done = run("sources", "--json", *place, variables=SECRETS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["sources"]


def test_a_webhook_without_its_secret_is_told_before_anything_is_sent(folder: Path, port: int) -> None:
    place = ["--config", str(folder / "precedent.toml"), "--data", str(folder / "data")]
    code, found = tried("gone", *place)
    assert (code, found["ok"]) == (1, False)
    assert check(found, "secret") == (False, "nothing is at env:GONE")
    assert next(one for one in listed(place) if one["source"] == "gone")["state"] == "off"
    plain = run("sources", "test", "gone", *place)
    assert plain.returncode == 1
    assert "gone is not right: secret" in plain.stdout
    assert not any(secret in plain.stdout for secret in SECRETS.values())


def test_under_load_a_sender_is_asked_to_come_again(port: int) -> None:
    body = json.dumps(ALERT).encode()
    head = f"POST /v1/hooks/shared HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\nAuthorization: {SECRETS['PLAIN']}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as slow:
        # the one place is taken by a body that is still on its way
        slow.sendall(head.encode() + body[:10])
        until(lambda: posted(port, body)[0] == 503, 10)
        status, headers, answer = posted(port, body)
        assert (status, answer["status"]) == (503, 503)
        assert int(headers["retry-after"]) > 0
        slow.sendall(body[10:])
        assert b" 202 " in slow.recv(65536).split(b"\r\n")[0]
    until(lambda: posted(port, body)[0] == 202, 10)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: posted(port, body), range(64)))
    assert {status for status, _, _ in answers} <= {202, 503}
    assert all("retry-after" in headers for status, headers, _ in answers if status == 503)


def posted(port: int, body: bytes) -> tuple[int, Mapping[str, str], Any]:
    headers = {"authorization": f"Bearer {SECRETS['PLAIN']}", "content-type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/hooks/shared", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, {key.lower(): value for key, value in answer.headers.items()}, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {key.lower(): value for key, value in error.headers.items()}, json.load(error)


def test_who_dawdles_does_not_keep_the_place_of_others(port: int) -> None:
    body = json.dumps(ALERT).encode()
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"POST /v1/hooks/shared HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{")
        until(lambda: posted(port, body)[0] == 503, 10)
        until(lambda: posted(port, body)[0] == 202, 10)
        assert b" 408 " in slow.recv(65536).split(b"\r\n")[0]


CHANGES = '{"id": "1", "at": "2026-01-01T00:00:00Z", "service": "shop"}\n{"id": "2", "at": "soon", "service": "shop"}\n'


@pytest.fixture
def organisation(tmp_path: Path) -> Path:
    folder = tmp_path / "org"
    folder.mkdir()
    (folder / "rows.jsonl").write_text(CHANGES.splitlines()[0] + "\n")
    (folder / "sources.toml").write_text('[[sources]]\nname = "rows"\nconnector = "changes"\npath = "rows.jsonl"\n')
    return folder


def test_a_source_of_files_is_tried_before_and_after_it_was_read(organisation: Path, tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    code, found = tried("rows", "--path", str(organisation), "--data", data)
    assert (code, found["dry_run"]["items"], found["dry_run"]["bad"]) == (0, {"change": 1}, 0)
    assert not Path(data).exists()
    assert run("ingest", str(organisation), "--data", data).returncode == 0
    before = run("changes", "shop", "--data", data, "--json").stdout
    (organisation / "rows.jsonl").write_text(CHANGES)
    code, found = tried("rows", "--data", data)
    assert (code, found["dry_run"]["records"], found["dry_run"]["bad"]) == (1, 2, 1)
    assert "'soon' is not a time" in found["dry_run"]["reasons"][0]
    assert [one["check"] for one in found["checks"]] == ["configuration", "connector", "path", "files", "dry run"]
    assert run("changes", "shop", "--data", data, "--json").stdout == before
    (organisation / "rows.jsonl").unlink()
    code, found = tried("rows", "--data", data)
    assert (code, check(found, "path")) == (1, (False, f"{organisation / 'rows.jsonl'} is not there"))
    (organisation / "sources.toml").write_text("[[sources]]\nname = ")
    code, found = tried("rows", "--data", data)
    assert (code, check(found, "configuration")[0]) == (1, False)
    assert "cannot be read as TOML" in check(found, "configuration")[1]


def test_a_reading_that_failed_shows_where_sources_are_listed(organisation: Path, tmp_path: Path) -> None:
    place = ["--data", str(tmp_path / "data")]
    assert run("ingest", str(organisation), *place).returncode == 0
    (row,) = listed(place)
    assert (row["state"], row["kind"], row["applied"]) == ("ok", "files", 1)
    succeeded = row["last_success"]
    (organisation / "rows.jsonl").unlink()
    assert run("ingest", str(organisation), *place).returncode == 1
    (row,) = listed(place)
    assert (row["state"], row["last_success"]) == ("failing", succeeded)
    assert "is not there" in row["says"]


def test_what_a_mapping_could_not_read_is_tried_again_under_the_mended_one(tmp_path: Path) -> None:
    config, mapping, place = tmp_path / "p.toml", tmp_path / "m.toml", ["--data", str(tmp_path / "data")]
    config.write_text('embedder = "none"\n[[webhooks]]\nname = "m"\nmapping = "m.toml"\nsecrets = ["env:PLAIN"]\n')
    text = 'rows = "ROWS"\npart = "{id}"\n[[items]]\nkind = "change"\nfields = { id = "{id}", at = "{WHEN}", service = "{app}" }\n'
    rows = {"all": [{"id": "o1", "began": "2026-03-02T10:00:00Z", "app": "shop"}]}

    def served(named: str, moment: str, send: bool) -> None:
        mapping.write_text(text.replace("ROWS", named).replace("WHEN", moment))
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "service.cli",
            "serve",
            "--config",
            str(config),
            *place,
            "--port",
            "0",
            "--json",
        ]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, env={"PATH": "/usr/bin:/bin", **SECRETS}
        ) as server:
            assert server.stdout
            address = json.loads(server.stdout.readline())["address"]
            until(lambda: healthy(address), 60)
            if send:
                body, head = json.dumps(rows).encode(), {"authorization": SECRETS["PLAIN"]}
                with urllib.request.urlopen(urllib.request.Request(f"{address}/v1/hooks/m", body, head)) as answer:
                    assert answer.status == 202
            until(lambda: '"pending": 0' in json.dumps(listed(place)), 10)
            server.terminate()

    served("none", "none", True)
    for named, moment, applied in (("all", "none", 0), ("all", "began", 1)):
        mapping.write_text(text.replace("ROWS", named).replace("WHEN", moment))
        done = run("ingest", "retry", "--config", str(config), *place, "--json")
        assert json.loads(done.stdout)["applied"] == applied, done.stderr
        (row,) = listed(place)
        assert (row["applied"], row["quarantined"]) == (applied, 1 - applied)
    found = json.loads(run("changes", "shop", *place, "--json").stdout)["changes"]
    assert [one["id"] for one in found] == ["o1"]
    assert json.loads(run("ingest", "retry", "--config", str(config), *place, "--json").stdout)["released"] == 0


def test_an_unknown_source_is_told_with_those_that_are_near(organisation: Path, tmp_path: Path) -> None:
    place = ["--data", str(tmp_path / "data")]
    run("ingest", str(organisation), *place)
    for arguments, code, says in (
        (["test", "rosw", *place], 1, "there is no source `rosw`; did you mean `rows`?"),
        (["test", "x", *place], 1, "there are: rows"),
        (["test", *place], 2, "precedent sources test NAME"),
        (["tset", "rows", *place], 2, "precedent sources test NAME"),
    ):
        done = run("sources", *arguments)
        assert (done.returncode, says in re.sub(r"[\s│]+", " ", done.stderr)) == (code, True), done.stderr


def guide() -> tuple[str, str]:
    """
    The entry point's lines and the module of the guide.
    """
    text = (ROOT / "docs/how-to/add-a-connector.md").read_text()
    (entry,) = re.findall(r'^(acme = ".*")$', text, re.MULTILINE)
    (module,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return entry, module


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """
    The variables of a Python that has the guide's package, and one that cannot be loaded.
    """
    place = tmp_path / "packages"
    for name, line in (("acme", guide()[0].replace('"', "")), ("broken", "broken = broken_precedent:CONNECTOR")):
        info = place / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[precedent.connectors]\n{line}\n")
    (place / "acme_precedent.py").write_text(guide()[1])
    (place / "broken_precedent.py").write_text("raise ImportError('a module of its own is missing')\n")
    return {"PYTHONPATH": str(place)}


ROLLOUT = {
    "acme": 2,
    "kind": "rollout",
    "state": "done",
    "at": "2026-03-02T10:05:00Z",
    "rollout": {"id": 7, "app": "shop", "began": "2026-03-02T10:00:00Z", "title": "Shop to v2"},
}


def test_the_guides_connector_reads_files_and_one_that_is_broken_stops_nobody(
    tmp_path: Path, installed: dict[str, str]
) -> None:
    events = tmp_path / "events"
    events.mkdir()
    (events / "any-name.json").write_text(json.dumps(ROLLOUT))
    (events / "changes.jsonl").write_text(CHANGES.splitlines()[0])
    place = ["--data", str(tmp_path / "data")]
    done = run("ingest", str(events), *place, "--json", variables=installed)
    assert done.returncode == 0, done.stderr
    assert sorted((one["applied"], one["source"].split("-")[0]) for one in json.loads(done.stdout)["sources"]) == [
        (1, "acme"),
        (1, "changes"),
    ]
    found = json.loads(run("changes", "shop", *place, "--json", variables=installed).stdout)["changes"]
    assert {one["id"] for one in found} == {"1", "acme:7"}
    done = run("ingest", str(events), "--connector", "broken", *place, "--json", variables=installed)
    assert done.returncode == 1
    (row,) = json.loads(done.stdout)["sources"]
    assert "a module of its own is missing" in row["problem"]


def test_the_guides_connector_takes_webhooks_that_it_proves(tmp_path: Path, installed: dict[str, str]) -> None:
    config, data = tmp_path / "precedent.toml", str(tmp_path / "data")
    config.write_text(
        'embedder = "none"\n[[webhooks]]\nname = "acme"\nconnector = "acme"\nsecrets = ["env:ACME"]\n'
        '[[webhooks]]\nname = "broken"\nconnector = "broken"\nsecrets = ["env:ACME"]\n'
    )
    body = json.dumps(ROLLOUT).encode()
    digest = hmac.new(b"anvil", body, hashlib.sha256).hexdigest()
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "service.cli",
        "serve",
        "--config",
        str(config),
        "--data",
        data,
        "--port",
        "0",
        "--json",
    ]
    environment = {"PATH": "/usr/bin:/bin", "ACME": "anvil", **installed}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=environment) as server:
        assert server.stdout
        address = json.loads(server.stdout.readline())["address"]
        until(lambda: healthy(address), 60)
        for name, signature, status in (("acme", digest, 202), ("acme", "0" * 64, 401), ("broken", digest, 403)):
            head = {"x-acme-signature": f"sha256={signature}"}
            request = urllib.request.Request(f"{address}/v1/hooks/{name}", body, head)
            try:
                with urllib.request.urlopen(request) as answer:
                    assert answer.status == status
            except urllib.error.HTTPError as error:
                error.close()
                assert error.code == status
        until(lambda: "acme:7" in fetched(f"{address}/v1/changes"), 10)
        server.terminate()


def fetched(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return str(answer.read().decode())


WILD = """
from dataclasses import replace
from datetime import datetime
from graph.values import Trust
from ingest.connectors import connector
from ingest.contract import Connector
from ingest.fields import deliveries

class Wild(Exception):
    "A failure that nobody else knows."

def transform(record):
    if "raise" in record.body:
        raise Wild("it went wild")
    (change,) = connector("changes").transform(record)
    yield replace(change, at=datetime(2026, 1, 1))

def split(raw, meta):
    if b"cut" in raw:
        raise Wild("it cannot be cut")
    yield from deliveries(lambda body, meta: str(body["id"]), lambda body: None)(raw, meta)

CONNECTOR = Connector(name="wild", summary="", trust=Trust.OBSERVED, snapshot=False, split=split, transform=transform)
"""


def test_whatever_a_connector_does_wrong_stops_no_other_record(tmp_path: Path, installed: dict[str, str]) -> None:
    place = Path(installed["PYTHONPATH"])
    (place / "wild_precedent.py").write_text(WILD)
    info = place / "wild-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wild\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[precedent.connectors]\nwild = wild_precedent:CONNECTOR\n")
    (tmp_path / "w").mkdir()
    for name in ("raise", "naive", "cut"):
        (tmp_path / "w" / f"{name}.json").write_text(json.dumps({"id": name, "at": "2026-01-01T00:00:00Z"}))
    (tmp_path / "rows.jsonl").write_text(CHANGES.splitlines()[0])
    (tmp_path / "sources.toml").write_text(
        '[[sources]]\nname = "wild"\nconnector = "wild"\npath = "w"\n'
        '[[sources]]\nname = "rows"\nconnector = "changes"\npath = "rows.jsonl"\n'
    )
    data = ["--data", str(tmp_path / "data")]
    done = run("ingest", str(tmp_path / "sources.toml"), *data, "--json", variables=installed)
    assert "Traceback" not in done.stderr
    wild, rows = json.loads(done.stdout)["sources"]
    assert (wild["new"], wild["applied"], wild["quarantined"]) == (3, 0, 3)
    assert (rows["applied"], rows["quarantined"]) == (1, 0)
    held = json.loads(run("sources", *data, "--json").stdout)["quarantine"]
    assert [
        any(says in one["reason"] for one in held) for says in ("it went wild", "needs a zone", "it cannot be cut")
    ] == [True] * 3
