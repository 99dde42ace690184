"""
What agents pay: the tokens of the list of tools and of ten answers, and the time of an answer over MCP beside REST.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
from mcp_types.version import LATEST_MODERN_VERSION

from service.demo import FOLDER, alerts, load
from service.mcp.budget import BUDGETS, TOKENIZER, size, tokens
from service.settings import Settings
from tests.bench.figures import ROOT, Figure

ANSWERS = 10
ROUNDS = 200


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """
    Over a server of its own, with the demo organisation.
    """
    with tempfile.TemporaryDirectory() as place:
        data = Path(place) / "data"
        load(Settings(data=data)).close()
        command = [sys.executable, "-m", "service.cli", "serve", "--data", str(data), "--port", "0", "--json"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            address = json.loads(server.stdout.readline())["address"]
            try:
                with httpx2.Client(base_url=address, timeout=30) as line:
                    yield from _asked(line, min(options.rounds, ROUNDS))
            finally:
                server.terminate()


def payloads() -> list[Any]:
    """
    Ten real deliveries, each of another alert.
    """
    lines = (FOLDER / "alertmanager/2026-10.jsonl").read_text().splitlines()
    found = {json.loads(one)["alerts"][0]["labels"]["alertname"]: json.loads(one) for one in lines}
    found |= {path.stem: json.loads(path.read_text()) for path in alerts()}
    return list(found.values())[-ANSWERS:]


def _asked(line: httpx2.Client, rounds: int) -> Iterator[Figure]:
    tools = _call(line, "tools/list", {})["tools"]
    unit = f"tokens ({TOKENIZER})"
    yield Figure("list of tools over MCP", size(tools), 1500, unit)
    for number, payload in enumerate(payloads(), 1):
        found = _context(line, payload)
        whole = size(found["structuredContent"]) + tokens(found["content"][0]["text"])
        yield Figure(f"answer {number} over MCP", whole, BUDGETS["normal"], unit)
    alert = payloads()[-1]
    yield from _times("alert_context over MCP", rounds, lambda: _context(line, alert))
    yield from _times("POST /v1/context", rounds, lambda: line.post("/v1/context", json=alert).raise_for_status())


def _context(line: httpx2.Client, payload: object) -> Any:
    return _call(line, "tools/call", {"name": "alert_context", "arguments": {"alert": payload}})


def _call(line: httpx2.Client, method: str, params: dict[str, object]) -> Any:
    """
    One request of the protocol, as its clients send it.
    """
    meta = {
        "io.modelcontextprotocol/protocolVersion": LATEST_MODERN_VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    headers = {"accept": "application/json", "mcp-protocol-version": LATEST_MODERN_VERSION, "mcp-method": method}
    headers |= {"mcp-name": str(params["name"])} if "name" in params else {}
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    return line.post("/mcp", json=body, headers=headers).raise_for_status().json()["result"]


def _times(name: str, rounds: int, ask: Callable[[], object]) -> Iterator[Figure]:
    taken = []
    for _ in range(rounds + 10):
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1000)
    cuts = statistics.quantiles(taken[10:], n=100)
    yield Figure(f"{name} p50", cuts[49], 100, "ms")
    yield Figure(f"{name} p99", cuts[98], 500, "ms")
