"""
What scripts/neo4j says where it cannot start a server. That it can, scripts/test shows by using it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "neo4j"
OURS = ("PRECEDENT_", "NEO4J_", "JAVA_HOME")


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """
    The script's end, with nothing but `environment` to tell it where a server or a Java is.
    """
    rest = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return subprocess.run(
        [SCRIPT, *words],
        env=rest | {"NEO4J_HOME_NAME": "never-started"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_unknown_verb_is_wrong_use() -> None:
    for words in ((), ("restart",)):
        found = run(*words)
        assert (found.returncode, found.stdout) == (2, "")
        assert found.stderr.startswith("usage: scripts/neo4j start|stop|")


def test_a_name_that_leads_out_of_its_folder_is_wrong_use() -> None:
    assert run("wipe", NEO4J_HOME_NAME="../..").returncode == 2
    assert run("wipe", NEO4J_VERSION="..").returncode == 2


def test_without_java_maven_and_containers_it_says_what_to_install(tmp_path: Path) -> None:
    for tool in ("bash", "dirname", "mkdir", "sed"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    found = run("start", PATH=str(tmp_path))
    assert (found.returncode, found.stdout) == (1, "")
    assert "needs Java 17 or newer (found: none) and mvn (found: none)" in found.stderr
    assert "apt-get install maven openjdk-17-jre-headless" in found.stderr


def test_an_older_java_is_told_with_the_one_that_is_needed(tmp_path: Path) -> None:
    for tool in ("bash", "dirname", "mkdir", "sed"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    java = tmp_path / "java"
    java.write_text("#!/usr/bin/env bash\necho '    java.specification.version = 1.8' >&2\n", encoding="utf-8")
    java.chmod(0o755)
    found = run("start", PATH=str(tmp_path), NEO4J_VERSION="2026.08.1")
    assert found.returncode == 1
    assert "Neo4j 2026.08.1 needs Java 21 or newer (found: 1)" in found.stderr


def test_a_named_server_that_does_not_answer_is_told() -> None:
    for address in ("bolt://127.0.0.1:1", "nonsense"):
        found = run("start", PRECEDENT_TEST_NEO4J_URI=address)
        assert (found.returncode, found.stdout) == (1, "")
        assert f"{address} does not answer" in found.stderr
        assert "unset it" in found.stderr


def test_what_was_never_started_is_not_running_and_stops_in_peace() -> None:
    assert run("status").returncode == 1
    assert run("stop").returncode == 0


def test_the_compose_file_runs_the_version_that_is_tested() -> None:
    services = yaml.safe_load((ROOT / "docs" / "how-to" / "neo4j-compose.yaml").read_text(encoding="utf-8"))["services"]
    assert (ROOT / "requirements" / f"{services['neo4j']['image'].replace(':', '-')}.sha256").is_file()
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert len(published) == 4
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []
