"""
What is there is documented: routes, verbs, settings, connectors.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from fastapi import FastAPI

from ingest.connectors import NAMES
from service import VERSION
from service.api.app import create_app
from service.cli import app
from service.mcp.tools import TOOLS
from service.settings import Settings
from service.wiring import open_memory

DOCS = Path(__file__).resolve().parents[2] / "docs"


def text(name: str) -> str:
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


def test_every_route_is_documented(tmp_path: Path) -> None:
    memory = open_memory(Settings(data=tmp_path, embedder="none"))
    found: FastAPI = create_app(memory)
    paths = found.openapi()["paths"]
    memory.close()
    assert paths
    assert [path for path in paths if path.split("{")[0].rstrip("/") not in text("api.md")] == []


def test_every_verb_is_documented() -> None:
    verbs = [command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands]
    assert len(verbs) >= 20
    assert [verb for verb in verbs if f"`{verb}" not in text("cli.md")] == []


def test_every_setting_is_documented_with_its_default() -> None:
    rows = [f"| `{name}` | `{field.default}` | {field.description} |" for name, field in Settings.model_fields.items()]
    assert [row for row in rows if row not in text("settings.md")] == []


def test_every_tool_of_agents_is_documented_with_its_arguments() -> None:
    rows = {line.split("|")[1].strip(): line for line in text("mcp.md").splitlines() if line.startswith("| `")}
    missing = [
        f"{tool.name}: {name}"
        for tool in TOOLS.values()
        for name in tool.takes.model_fields
        if f"`{name}`" not in rows[f"`{tool.name}`"]
    ]
    assert missing == []


def test_the_entry_for_the_registry_of_servers_keeps_to_its_format() -> None:
    entry = json.loads((DOCS.parent / "server.json").read_text(encoding="utf-8"))
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert entry["version"] == project["version"] == VERSION
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", entry["name"])
    assert 0 < len(entry["description"]) <= 100
    assert entry["$schema"].endswith("/schemas/2025-12-11/server.schema.json")
    remote = entry["remotes"][0]
    assert remote["type"] == "streamable-http"
    assert set(re.findall(r"{(\w+)}", remote["url"])) == set(remote["variables"])


def test_every_connector_is_documented() -> None:
    assert [name for name in NAMES if f"| `{name}` |" not in text("connectors.md")] == []
