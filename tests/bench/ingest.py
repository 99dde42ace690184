"""
The way in: webhooks over HTTP until they are durable, and a file of changes until it is facts.

Both are told beside what the machine gives at that time: a bare flush to disk, and the same rows written to a bare file.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from graph.contract import Store
from graph.opening import open_store
from graph.sqlite.connecting import connect, migrate
from graph.sqlite.copying import FILE_NAME
from graph.values import RecordState, View
from ingest.contract import Source
from ingest.pipeline import ingest
from tests.bench.figures import Figure, Server, ask, quantile
from tests.bench.made import organisation

RATE = 500
"""Webhooks a second."""
LANES = 8
"""Connections."""
WARM = 2
"""Seconds before it is measured."""
TABLES = ("label_sets", "sources", "records", "statements", "names", "entries", "feed", "supports")
COMMIT = 512
"""Rows of a bare commit."""


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """
    Webhooks, then a file.
    """
    with tempfile.TemporaryDirectory(prefix="precedent-bench-") as work:
        yield from webhooks(Path(work), min(options.seconds, 20))
        yield from bulk(Path(work), options.changes or 50_000)


@dataclass(slots=True)
class Sent:
    """
    What was acknowledged: milliseconds of each from when it was due, and how many were refused.
    """

    times: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    refused: int = 0


def webhooks(work: Path, seconds: int) -> list[Figure]:
    """
    Deployments at a steady rate over several connections, client and server on this machine; what was not durable.
    """
    server = Server(work / "served")
    try:
        server.wait()
        _send(WARM, 0)
        used, own, began = server.cpu(), time.process_time(), time.perf_counter()
        sent = _send(seconds, RATE * WARM)
        took = time.perf_counter() - began
        used, own = server.cpu() - used, time.process_time() - own
        waited = _applied(server)
        flush = flushes(work)
    finally:
        server.stop()
    with closing(open_store(f"sqlite:///{work / 'served'}")) as store:
        kept = len(store.changes(View.now(), limit=10**6)) - RATE * WARM
    count = len(sent.times)
    print(
        f"     webhooks: {count} acknowledged in {took:.1f} s, {sent.refused} refused; all applied {waited:.1f} s after the"
        f" last; processor {used / count * 1e6:.0f} us each in the server, applied and indexed, {own / count * 1e6:.0f} us"
        f" in the client; a bare flush to disk p50 {quantile(flush, 0.5):.2f} ms, p99 {quantile(flush, 0.99):.2f} ms",
        flush=True,
    )
    return [
        Figure("webhooks a second, wanted over acknowledged", RATE * took / max(1, count), 1.02, "x"),
        Figure("acknowledgement p50, from when it was due", quantile(sent.times, 0.5), 20, "ms"),
        Figure("acknowledgement p99, from when it was due", quantile(sent.times, 0.99), 50, "ms"),
        Figure("webhooks acknowledged and not stated", count - kept, 0.5, ""),
    ]


def _send(seconds: int, first: int) -> Sent:
    sent, lock = Sent(), threading.Lock()
    began = time.perf_counter()

    def lane(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", 8099, timeout=30)
        times: list[float] = []
        refused = 0
        for nth in range(number, RATE * seconds, LANES):
            due = began + nth / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            body = deployment(first + nth)
            while ask(connection, "/v1/ingest/github", body)[0] != 202:
                refused += 1
                time.sleep(0.05)
            times.append((time.perf_counter() - due) * 1000)
        connection.close()
        with lock:
            sent.times += times
            sent.refused += refused

    lanes = [threading.Thread(target=lane, args=(number,)) for number in range(LANES)]
    for thread in lanes:
        thread.start()
    for thread in lanes:
        thread.join()
    return sent


def deployment(number: int) -> bytes:
    """
    A delivery of about 3 kB, most of it links, as the vendor sends them.
    """
    place = f"https://api.example/repos/acme/svc-{number % 100}"
    return json.dumps(
        {
            "action": "created",
            "deployment": {
                "id": number,
                "sha": f"{number:040x}",
                "ref": "main",
                "task": "deploy",
                "environment": "production",
                "description": f"Release {number}",
                "created_at": "2026-08-20T10:00:00Z",
                "updated_at": "2026-08-20T10:00:00Z",
                "creator": {"login": f"dev{number % 40}", "type": "User"},
                "url": f"{place}/deployments/{number}",
            },
            "repository": {
                "full_name": f"acme/svc-{number % 100}",
                "name": f"svc-{number % 100}",
                **{f"{what}_url": f"{place}/{what}{{/id}}" for what in _LINKS},
            },
            "sender": {"login": f"dev{number % 40}"},
        }
    ).encode()


_LINKS = tuple(f"{one}{other}" for one in ("", "archived_", "open_") for other in (
    "branches", "tags", "commits", "issues", "pulls", "releases", "labels", "forks", "hooks", "teams",
    "events", "assignees", "blobs", "trees",
))  # fmt: skip


def _applied(server: Server) -> float:
    began = time.perf_counter()
    while time.perf_counter() - began < 120:
        if json.loads(server.request("GET", "/readyz?verbose=true")[1]).get("pending") == 0:
            break
        time.sleep(0.05)
    return time.perf_counter() - began


def flushes(work: Path, count: int = 200) -> list[float]:
    """
    Milliseconds of bare writes of 8 kB that are flushed to disk one by one.
    """
    times = []
    with (work / "flushed").open("wb", buffering=0) as stream:
        for _ in range(count):
            began = time.perf_counter()
            stream.write(b"x" * 8192)
            os.fsync(stream.fileno())
            times.append((time.perf_counter() - began) * 1000)
    return times


def bulk(work: Path, count: int) -> list[Figure]:
    """
    A file of changes through parsing, redaction, journal and statements; then its rows into a bare file, for comparison.
    """
    path = organisation(work / "organisation", 100, count, 0) / "changes.jsonl"
    with closing(open_store(f"sqlite:///{work / 'bulk'}")) as store:
        began, used = time.perf_counter(), time.process_time()
        ingest(store, [Source(name="changes", connector="changes", path=str(path))])
        took, used = time.perf_counter() - began, time.process_time() - used
        _require_all(store, count)
    rows, bare, bare_used = plainly(work, work / "bulk")
    print(
        f"     bulk: {count} changes in {took:.1f} s, {count / took:.0f} a second, processor {used / count * 1e6:.0f} us"
        f" each; their {rows} rows into a bare file: {bare:.1f} s, {count / bare:.0f} changes a second, processor"
        f" {bare_used / count * 1e6:.0f} us each",
        flush=True,
    )
    return [
        Figure("bulk ingest, time of a change", took / count * 1e6, 200, "us"),
        Figure("bulk ingest, processor of a change", used / count * 1e6, 200, "us"),
        Figure("bulk ingest, time over bare rows", took / bare, 8, "x"),
    ]


def _require_all(store: Store, count: int) -> None:
    (tally,) = store.tally()
    if tally.states != {RecordState.APPLIED: count}:
        raise SystemExit(f"not everything was applied: {tally}")


def plainly(work: Path, full: Path) -> tuple[int, float, float]:
    """
    The rows of a store into an empty file of the same schema and settings, in commits as large as ours and nothing else:
    how many, and the seconds of time and of processor that writing took.
    """
    source = connect(full / FILE_NAME, write=False)
    (work / "bare").mkdir()
    target = connect(work / "bare" / FILE_NAME, write=True)
    migrate(target)
    total, took, used = 0, 0.0, 0.0
    for table in TABLES:
        rows = source.execute(f"select * from {table}").fetchall()  # noqa: S608 - our own tables
        began, used_before = time.perf_counter(), time.process_time()
        _insert(target, table, rows)
        took, used = took + time.perf_counter() - began, used + time.process_time() - used_before
        total += len(rows)
    source.close()
    target.close()
    return total, took, used


def _insert(target: apsw.Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    marks = ", ".join("?" * len(rows[0]))
    for first in range(0, len(rows), COMMIT):
        target.execute("begin immediate")
        target.executemany(f"insert into {table} values ({marks})", rows[first : first + COMMIT])  # noqa: S608
        target.execute("commit")
