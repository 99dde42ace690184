"""
The embedded store: context over HTTP, and the time until it is ready.
"""

from __future__ import annotations

import argparse
import http.client
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.figures import PORT, ROOT, Figure, Server, quantile
from tests.bench.made import alert, organisation


def context(options: argparse.Namespace) -> list[Figure]:
    """
    Ingest a made organisation, serve it, ask.
    """
    work = Path(tempfile.mkdtemp(prefix="precedent-bench-"))
    try:
        services, changes, incidents = options.services or 1000, options.changes or 50_000, options.incidents or 5000
        folder = organisation(work / "organisation", services, changes, incidents)
        began = time.perf_counter()
        ingest = [sys.executable, "-m", "service.cli", "ingest", str(folder), "--data", str(work / "data")]
        subprocess.run(ingest, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
        rows = services + changes + incidents
        print(f"     ingest of {rows} records: {seconds:.0f} s, {rows / seconds:.0f} a second", flush=True)
        names = [
            line.split(": ")[1].strip() for line in (folder / "catalog-info.yaml").open() if line.startswith("  name: ")
        ]
        server = Server(work / "data")
        try:
            server.wait()
            server.request("POST", "/v1/context", alert(random.Random(1), names))
            figures = latency(server, names, options.rounds)
        finally:
            server.stop()
        again = Server(work / "data")
        try:
            figures.append(Figure("ready to answer after a restart", again.wait(), 3, "s"))
        finally:
            again.stop()
        return figures
    finally:
        shutil.rmtree(work)


def latency(server: Server, services: Sequence[str], rounds: int) -> list[Figure]:
    """
    Context by HTTP on loopback, one client on one connection, warm.
    """
    rng = random.Random(3)
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    times = []
    for number in range(rounds + 50):
        body = alert(rng, services)
        began = time.perf_counter()
        connection.request("POST", "/v1/context", body, {"content-type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"context answered {answer.status}: {text[:500]!r}")
        if number >= 50:
            times.append((time.perf_counter() - began) * 1000)
    connection.close()
    return [
        Figure("the question's vector alone, p50", embedding(services), 3, "ms"),
        Figure("context p50", quantile(times, 0.5), 12, "ms"),
        Figure("context p99", quantile(times, 0.99), 40, "ms"),
    ]


def embedding(services: Sequence[str]) -> float:
    """
    Milliseconds for the vector of such a question by itself, in this process: what any search by meaning costs here,
    and so how quick this machine is today.
    """
    from ingest.redaction import Redactor
    from models.embedding import OnnxEmbedder
    from models.facets import alert_text
    from service.api.app import question_of
    from service.tokens import LOCAL

    rng = random.Random(5)
    embedder, redactor = OnnxEmbedder(), Redactor()
    times = []
    for _ in range(120):
        text = alert_text(question_of(alert(rng, services), {}, LOCAL, redactor).alert)
        began = time.perf_counter()
        embedder.embed([text])
        times.append((time.perf_counter() - began) * 1000)
    return quantile(times[20:], 0.5)
