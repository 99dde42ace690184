"""
What is there is documented: routes, verbs, settings, connectors.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from ingest.connectors import NAMES
from service.api.app import create_app
from service.cli import app
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


def test_every_connector_is_documented() -> None:
    assert [name for name in NAMES if f"| `{name}` |" not in text("connectors.md")] == []
