"""
Sources are read again and again: nothing of one place touches another's, and nothing is closed or replaced unseen.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from service.api.app import create_app
from service.cli import app
from service.wiring import open_memory
from tests.deployment import Deployment

Verb = Callable[..., str]


@pytest.fixture
def verb(deployment: Deployment, tmp_path: Path) -> Verb:
    """
    What the command prints, of one data directory, or of an emptied server.
    """
    deployment.empty()

    def say(*arguments: str) -> str:
        given = [*arguments, "--data", str(tmp_path / "data")]
        done = CliRunner().invoke(app, given, env=deployment.environment)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    return say


def rows(verb: Verb, path: Path, *flags: str) -> dict[str, dict[str, object]]:
    """
    The report of an ingest by connector (unnamed sources) or name.
    """
    found = json.loads(verb("ingest", str(path), "--json", *flags))
    return {row["source"].partition("-")[0]: row for row in found["sources"]}


def service(name: str, owner: str = "blue") -> str:
    return f"kind: Component\nmetadata: {{name: {name}}}\nspec: {{owner: {owner}}}\n"


def catalogue(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "catalog-info.yaml").write_text("---\n".join(service(name) for name in names))
    return folder


def services(verb: Verb) -> set[str]:
    return {row["service"].removeprefix("service:") for row in json.loads(verb("readiness", "--json"))["services"]}


def titles(verb: Verb, text: str) -> set[str]:
    return {row["title"] for row in json.loads(verb("runbooks", text, "--json"))["runbooks"]}


def test_a_second_folder_or_file_leaves_the_first_alone(verb: Verb, tmp_path: Path) -> None:
    one, two = catalogue(tmp_path / "one", "alpha"), catalogue(tmp_path / "two", "beta")
    rows(verb, one)
    assert rows(verb, two)["backstage"]["closed"] == 0
    (tmp_path / "three").mkdir()
    rows(verb, catalogue(tmp_path / "three", "gamma") / "catalog-info.yaml")
    verb("ingest", str(catalogue(tmp_path / "four", "delta") / "catalog-info.yaml"), "--connector", "backstage")
    assert services(verb) == {"alpha", "beta", "gamma", "delta"}
    again = rows(verb, one)["backstage"]
    assert (again["new"], again["duplicates"], again["closed"]) == (0, 1, 0)


@pytest.mark.parametrize("named", [False, True])
def test_what_came_over_http_stays_when_a_folder_is_read(
    verb: Verb, deployment: Deployment, tmp_path: Path, named: bool
) -> None:
    folder = tmp_path / "docs"
    (folder / "runbooks").mkdir(parents=True)
    (folder / "runbooks" / "disk.md").write_text("# Disk full\n\nEmpty the disk.\n")
    (folder / "runbooks" / "queue.md").write_text("# Queue stuck\n\nDrain the queue.\n")
    if named:
        text = '[[sources]]\nname = "runbooks"\nconnector = "runbooks"\npath = "runbooks"\n'
        (folder / "sources.toml").write_text(text)
    memory = open_memory(deployment.settings(tmp_path / "data", embedder="none"))
    with TestClient(create_app(memory), base_url="http://127.0.0.1:8080") as client:
        posted = client.post("/v1/ingest/runbooks", params={"path": "net.md"}, content=b"# Net down\n\nPlug it in.\n")
        assert posted.status_code == 202
    assert rows(verb, folder)["runbooks"]["closed"] == 0
    (folder / "runbooks" / "queue.md").unlink()
    assert rows(verb, folder)["runbooks"]["closed"] == 1
    assert titles(verb, "net disk queue") == {"Net down", "Disk full"}


def test_a_file_that_cannot_be_read_keeps_what_it_last_stated(verb: Verb, tmp_path: Path) -> None:
    folder = catalogue(tmp_path / "one", "alpha", "beta")
    (folder / "catalog").mkdir()
    (folder / "catalog" / "more.yaml").write_text(service("gamma") + "---\n" + service("delta"))
    rows(verb, folder)
    (folder / "catalog-info.yaml").write_text("kind: Component\nmetadata: {name: [\n")
    (folder / "catalog" / "more.yaml").write_text(service("gamma"))
    for _ in range(2):
        rows(verb, folder)
        assert services(verb) == {"alpha", "beta", "gamma"}
    catalogue(folder, "alpha")
    assert rows(verb, folder)["backstage"]["closed"]
    assert services(verb) == {"alpha", "gamma"}


def test_one_broken_document_keeps_its_entity_too(verb: Verb, tmp_path: Path) -> None:
    folder = catalogue(tmp_path / "one", "alpha", "beta")
    rows(verb, folder)
    (folder / "catalog-info.yaml").write_text(service("alpha") + "---\nkind: Component\nmetadata: {name: beta\n")
    row = rows(verb, folder)["backstage"]
    assert (row["quarantined"], row["closed"]) == (1, 0)
    assert services(verb) == {"alpha", "beta"}


def test_many_that_vanish_at_once_are_not_closed_unless_forced(verb: Verb, tmp_path: Path) -> None:
    folder = catalogue(tmp_path / "one", *(f"s{n}" for n in range(29)))
    rows(verb, folder)
    catalogue(folder, "s0")
    row = rows(verb, folder)["backstage"]
    assert (row["closed"], "28 of 29 parts are gone" in str(row["problem"])) == (0, True)
    assert "--force" in str(row["problem"])
    assert len(services(verb)) == 29
    assert rows(verb, folder, "--force")["backstage"]["closed"]
    assert services(verb) == {"s0"}
    assert rows(verb, folder)["backstage"]["problem"] == ""


def test_a_few_that_vanish_are_closed_and_never_counted_again(verb: Verb, tmp_path: Path) -> None:
    names = [f"s{n}" for n in range(12)]
    folder = catalogue(tmp_path / "one", *names)
    rows(verb, folder)
    while len(names) > 1:
        del names[:3]
        row = rows(verb, catalogue(folder, *(names or ["last"])))["backstage"]
        assert row["problem"] == ""
    assert services(verb) == set(names or ["last"])


@pytest.mark.parametrize("configured", [False, True])
def test_the_last_file_of_a_source_is_missed(verb: Verb, tmp_path: Path, configured: bool) -> None:
    folder = tmp_path / "docs"
    (folder / "runbooks").mkdir(parents=True)
    page = folder / "runbooks" / "disk.md"
    page.write_text("# Disk full\n\nEmpty the disk.\n")
    if configured:
        text = '[[sources]]\nname = "runbooks-ours"\nconnector = "runbooks"\npath = "runbooks"\n'
        (folder / "sources.toml").write_text(text)
    rows(verb, folder)
    page.unlink()
    row = rows(verb, folder)["runbooks"]
    assert (row["files"], row["closed"], row["problem"]) == (0, 1, "")
    assert titles(verb, "disk full") == set()
    (folder / "changes.jsonl").write_text('{"id": 1, "at": "2026-01-01"}')
    assert ("runbooks" in rows(verb, folder)) is configured
    if configured:
        (folder / "runbooks").rmdir()
        assert "is not there" in str(rows(verb, folder)["runbooks"]["problem"])


def test_a_vanished_source_does_not_read_the_files_of_others(verb: Verb, tmp_path: Path) -> None:
    folder = catalogue(tmp_path / "one", "alpha")
    (folder / "runbooks").mkdir()
    (folder / "runbooks" / "disk.md").write_text("# Disk full\n\nEmpty the disk.\n")
    rows(verb, folder)
    (folder / "runbooks" / "disk.md").unlink()
    found = rows(verb, folder)
    assert (found["runbooks"]["files"], found["runbooks"]["closed"], found["backstage"]["closed"]) == (0, 1, 0)


def quarantine(verb: Verb) -> list[str]:
    return [one["reason"] for one in json.loads(verb("sources", "--json"))["quarantine"]]


def change(identity: str, title: str) -> str:
    return f"{identity},2026-01-01T00:00:00Z,shop,{title}\n"


def test_two_files_that_state_one_change_differently_are_told(verb: Verb, tmp_path: Path) -> None:
    folder, head = catalogue(tmp_path / "one", "shop"), "id,at,service,title\n"
    first, second = folder / "a-deploys.csv", folder / "b-deploys.csv"
    first.write_text(head + change("1", "Ship left"))
    second.write_text(head + change("1", "Ship right") + change("2", "Ship more"))
    row = rows(verb, folder)["changes"]
    assert (row["applied"], row["quarantined"], row["closed"]) == (2, 1, 0)
    (reason,) = quarantine(verb)
    assert "row 2 of b-deploys.csv and row 2 of a-deploys.csv both state change `1`" in reason
    # nor does a retry or the next reading let it through
    verb("ingest", "retry")
    assert rows(verb, folder)["changes"]["new"] == 0
    assert "Ship left" in verb("changes", "shop")
    # a corrected row still replaces, and what is alone again counts
    first.write_text(head + change("1", "Ship well"))
    rows(verb, folder)
    assert "Ship well" in verb("changes", "shop")
    first.write_text(head + change("3", "Ship else"))
    assert rows(verb, folder)["changes"]["applied"] == 2
    assert "Ship right" in verb("changes", "shop")


def test_a_rival_that_comes_later_is_told_too(verb: Verb, tmp_path: Path) -> None:
    folder = tmp_path / "postmortems"
    folder.mkdir()
    (folder / "a.md").write_text("---\nid: X1\n---\n# Left\n\n## Resolution\n\nRestarted it.\n")
    rows(verb, folder, "--connector", "postmortems")
    (folder / "b.md").write_text("---\nid: X1\n---\n# Right\n\n## Resolution\n\nRolled it back.\n")
    row = rows(verb, folder, "--connector", "postmortems")["postmortems"]
    assert (row["applied"], row["quarantined"]) == (0, 1)
    assert "b.md and a.md both state incident `X1`" in quarantine(verb)[0]


def test_one_entity_twice_in_a_file_is_told(verb: Verb, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "catalog-info.yaml").write_text(service("alpha", "blue") + "---\n" + service("alpha", "red"))
    for quarantined in (1, 0):
        row = rows(verb, folder)["backstage"]
        assert (row["quarantined"], row["closed"]) == (quarantined, 0)
        assert "blue" in verb("owner", "alpha")
    assert "entity 2 of catalog-info.yaml and entity 1 of catalog-info.yaml" in quarantine(verb)[0]


def test_an_alert_that_ends_replaces_its_beginning_in_one_file(verb: Verb, tmp_path: Path) -> None:
    folder = tmp_path / "one" / "alertmanager"
    folder.mkdir(parents=True)
    alert = {"labels": {"alertname": "Slow"}, "startsAt": "2026-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z"}
    ended = alert | {"endsAt": "2026-01-01T01:00:00Z"}
    text = "".join(json.dumps({"alerts": [one]}) + "\n" for one in (alert, ended))
    (folder / "log.jsonl").write_text(text)
    row = rows(verb, folder.parent)["alertmanager"]
    assert (row["applied"], row["quarantined"]) == (2, 0)


def test_what_is_wrong_with_one_file_stops_no_other(verb: Verb, tmp_path: Path) -> None:
    folder = catalogue(tmp_path / "one", "alpha")
    (folder / "a-deploys.csv").write_text('{"id":"t","at":"2026","service":"s"}\n')
    (folder / "runbooks").mkdir()
    (folder / "runbooks" / "good.md").write_text("# Disk full\n\nEmpty it.\n")
    Path(os.fsdecode(os.fsencode(folder / "runbooks") + b"/b\xff.md")).write_text("# Bad name\n")
    found = rows(verb, folder)
    assert (found["backstage"]["applied"], found["runbooks"]["applied"]) == (1, 1)
    assert found["changes"]["quarantined"] == 1
    assert r"b\udcff.md is not UTF-8; rename the file" in str(found["runbooks"]["problem"])
    assert "put a text that holds commas or quotes in quotes" in quarantine(verb)[0]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('path = "a"\nvisibility = "security"', 'write visibility = ["security"]'),
        ('path = "a"\nvisibility = {team = "security"}', "should be a list of labels"),
        ('path = "a"\nvisibility = [""]', "should be a list of labels"),
        ("", "needs a `path`"),
        ('path = ""', "needs a `path`"),
        ("path = 3", "needs a `path`"),
    ],
)
def test_a_wrong_configuration_is_refused_with_what_to_write(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(f'[[sources]]\nname = "a"\nconnector = "backstage"\n{line}\n')
    done = CliRunner().invoke(app, ["ingest", str(file), "--data", str(tmp_path / "data")])
    assert done.exit_code == 1
    assert says in str(done.exception)
