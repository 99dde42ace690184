"""
The folders' arrows, and where heavy or backend packages may be named.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("graph", "models", "ingest", "service")
ALLOWED = {
    "graph": {"graph"},
    "models": {"models", "graph"},
    "ingest": {"ingest", "graph", "models"},
    "service": set(PACKAGES),
}
BACKENDS = {"apsw": "graph/sqlite/", "neo4j": "graph/neo4j/"}
"""Drivers, and the only folder that may import each."""
HEAVY = {
    *("torch", "sentence_transformers", "faiss", "onnxruntime", "tantivy", "tokenizers", "neo4j"),
    *("mcp", "mcp_types", "httpx2", "cryptography", "jsonschema"),
}
"""Imported inside a function only, so that the command starts at once."""
DISTANT = ("graph/neo4j/", "service/mcp/protocol.py")
"""
Loaded whole, with a driver when a server's store is opened, with the protocol's SDK when an agent asks; so nothing
outside names them at import time.
"""
ENVIRONMENT_READERS = {"service/settings.py"}


def modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module


def at_import_time(tree: ast.Module) -> Iterator[ast.AST]:
    """
    Nodes that run when the module is imported: not those inside functions or `if TYPE_CHECKING`.
    """
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        waiting.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_its_arrows_allow(package: str) -> None:
    wrong = [
        f"{path}: {name}"
        for path, tree in modules(package)
        for node in ast.walk(tree)
        for name in imported(node)
        if name.split(".")[0] in PACKAGES and name.split(".")[0] not in ALLOWED[package]
    ]
    assert wrong == []


def test_models_know_nothing_of_a_store_behind_its_contract() -> None:
    wrong = [
        f"{path}: {name}"
        for path, tree in modules("models")
        for node in ast.walk(tree)
        for name in imported(node)
        if name.startswith(("graph.sqlite", "graph.neo4j", "graph.opening"))
    ]
    assert wrong == []


def test_drivers_are_imported_by_their_backend_alone() -> None:
    wrong = [
        f"{path}: {name}"
        for path, tree in modules(*PACKAGES)
        for node in ast.walk(tree)
        for name in imported(node)
        if name.split(".")[0] in BACKENDS and not path.startswith(BACKENDS[name.split(".")[0]])
    ]
    assert wrong == []


def test_nobody_uses_the_standard_librarys_sqlite() -> None:
    everywhere = [name for _, tree in modules(*PACKAGES) for node in ast.walk(tree) for name in imported(node)]
    assert "sqlite3" not in everywhere


def test_heavy_packages_are_imported_lazily() -> None:
    wrong = [
        f"{path}: {name}"
        for path, tree in modules(*PACKAGES)
        for node in at_import_time(tree)
        for name in imported(node)
        if (name.split(".")[0] in HEAVY or name.startswith(("graph.neo4j", "service.mcp.protocol")))
        and not path.startswith(DISTANT)
    ]
    assert wrong == []


def test_the_environment_is_read_in_settings_alone() -> None:
    wrong = [
        path
        for path, tree in modules(*PACKAGES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"} and path not in ENVIRONMENT_READERS
    ]
    assert wrong == []


def test_every_module_imports_in_an_empty_environment() -> None:
    """
    With no variables and no torch, importing all modules neither fails nor loads what is heavy.
    """
    paths = [path for path, _ in modules(*PACKAGES) if not path.startswith(DISTANT)]
    names = [path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in paths]
    program = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        f"heavy = sorted({HEAVY!r} & set(sys.modules))\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
