"""
On a Neo4j server of its own, with its data: loading, what changed, context, and webhooks to several processes.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from neo4j import Driver, GraphDatabase
from pydantic import SecretStr

from graph.contract import Store, Yield
from graph.opening import open_store
from graph.replica import Replica
from graph.resolved import neighbours
from graph.values import RecordState, Trust, View
from service.settings import Settings
from service.wiring import open_memory
from tests.bench import plain, similar
from tests.bench.figures import ROOT, Figure, Server, ask, quantile
from tests.bench.made import alert
from tests.bench.population import END, START, Stated, catalogue, changes, incidents, names_of

BATCH = 5_000
RAW_SHARE = 10
"""One row in so many is written plainly too, to compare with."""
WINDOW = timedelta(hours=6)
RATE = 100
"""Webhooks a second."""
HOME = (
    "env",
    "-u",
    "PRECEDENT_TEST_NEO4J_URI",
    "NEO4J_HOME_NAME=bench",
    "NEO4J_HEAP=1g",
    "NEO4J_PAGECACHE=1g",
    "scripts/neo4j",
)
PORTS = (8097, 8098)


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where the server is, and who may use it.
    """

    url: str
    user: str
    password: str

    def store(self) -> Store:
        """
        The store on it.
        """
        return open_store(self.url, user=self.user, password=self.password)

    def driver(self) -> Driver:
        """
        A driver beside the store's.
        """
        return GraphDatabase.driver(self.url, auth=(self.user, self.password), telemetry_disabled=True)

    def settings(self, data: Path) -> Settings:
        """
        Settings of a process that uses it, with its own data directory.
        """
        return Settings(data=data, store=self.url, store_user=self.user, store_password=SecretStr(self.password))

    def config(self, folder: Path, name: str, **more: object) -> Path:
        """
        A file of settings for a process that uses it.
        """
        values = {"store": self.url, "store_user": self.user, "store_password": self.password, **more}
        path = folder / f"{name}.toml"
        path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
        return path


@contextmanager
def server() -> Iterator[Place]:
    """
    A server with empty data of its own; it ends with the block.
    """
    _neo4j("wipe")
    told = dict(line.split("=", 1) for line in _neo4j("start").splitlines())
    try:
        yield Place(*(told[f"PRECEDENT_TEST_NEO4J_{name}"] for name in ("URI", "USER", "PASSWORD")))
    finally:
        _neo4j("wipe")


def _neo4j(verb: str) -> str:
    return subprocess.run([*HOME, verb], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """
    All of it, on one server.
    """
    names = names_of(options.services or 10_000)
    with server() as place, tempfile.TemporaryDirectory(prefix="precedent-bench-") as work:
        yield from loading(place, names, options.changes or 1_000_000, options.incidents or 20_000)
        yield from what_changed(place, names, options.rounds)
        yield from webhooks(place, Path(work), options.seconds)
        yield from context(place, Path(work), names, options.rounds)
        yield from similar.measure(place.settings(Path(work) / "context"), Path(work), names)


def similar_alone(options: argparse.Namespace) -> Iterator[Figure]:
    """
    Similar incidents beside the peer, without the changes.
    """
    names = names_of(options.services or 10_000)
    with server() as place, tempfile.TemporaryDirectory(prefix="precedent-bench-") as work:
        count, store = options.incidents or 20_000, place.store()
        try:
            load(store, "services with five dependencies", catalogue(names), len(names))
            load(store, "incidents", incidents(names, count), count)
        finally:
            store.close()
        settings = place.settings(Path(work))
        memory = open_memory(settings)
        memory.indexer.follow(
            lambda what, done, total: print(f"\r     {what}: {done} of {total}   ", end="", flush=True)
        )
        memory.close()
        print(flush=True)
        yield from similar.measure(settings, Path(work), names)


def load(store: Store, what: str, given: Iterator[Stated], total: int) -> float:
    """
    Append and apply all; the seconds that the store took (making the data is not counted).
    """
    taken, done = 0.0, 0
    while batch := [one for _, one in zip(range(BATCH), given, strict=False)]:
        began = time.perf_counter()
        store.append([record for record, _ in batch])
        store.apply([Yield(record=record.id, items=items, trust=Trust.OBSERVED) for record, items in batch])
        taken += time.perf_counter() - began
        done += len(batch)
        print(f"\r     {what}: {done} of {total}, {done / taken:.0f} a second   ", end="", flush=True)
    print(flush=True)
    return taken


def loading(place: Place, names: Sequence[str], count: int, hurt: int) -> list[Figure]:
    """
    Load everything, and a share of the changes plainly.
    """
    store, driver = place.store(), place.driver()
    try:
        load(store, "services with five dependencies", catalogue(names), len(names))
        load(store, "incidents", incidents(names, hurt), hurt)
        ours = load(store, "changes", changes(names, count), count) / count
        # as many records again would blur what is asked later, so the peer's rows are of a source of their own, and go
        sample = list(changes(names, count // RAW_SHARE, seed=60, source="plain"))
        peer = plain.write(driver, sample, BATCH) / len(sample)
        plain.remove(driver)
    finally:
        store.close()
        driver.close()
    print(f"     changes: {1 / ours:.0f} a second; plain UNWINDs of such rows: {1 / peer:.0f} a second", flush=True)
    return [Figure("loading, time over a plain UNWIND's", ours / peer, 2, "x")]


def what_changed(place: Place, names: Sequence[str], rounds: int) -> list[Figure]:
    """
    The changes within six hours on a service and all within two steps of what it depends on: one round trip.
    """
    store, driver = place.store(), place.driver()
    rng = random.Random(9)
    try:
        facts = _replica(store)
        past = START + (END - START) / 2

        def asked(view: View, before: datetime) -> Callable[[], object]:
            service = f"service:{rng.choice(names)}"
            near = neighbours(facts, view, [service], depth=2, limit=200)
            services = [service, *(one.entity for one in near if all(step.outgoing for step in one.path))]
            return lambda: store.changes(view, services=services, start=before - WINDOW, end=before, limit=200)

        with driver.session() as session:
            bare = _median(rounds, lambda: lambda: session.run("RETURN 1").consume())
        now = _median(rounds, lambda: asked(View.now(), END - timedelta(hours=rng.random() * 1000)))
        then = _median(
            rounds, lambda: asked(View(as_of=past, known_at=past), past - timedelta(hours=rng.random() * 1000))
        )
    finally:
        store.close()
        driver.close()
    print(
        f"     RETURN 1: {bare:.2f} ms; what changed: {now:.2f} ms; as of a past time: {then:.2f} ms (p50)", flush=True
    )
    return [
        Figure("what changed now, p50 over a bare RETURN 1", now / bare, 6, "x"),
        Figure("as of a past time, p50 over now", then / now, 3, "x"),
    ]


def _replica(store: Store) -> Replica:
    facts, at = Replica(), 0
    while events := store.changes_since(at, 5000):
        facts.take(events)
        at = events[-1].seq
        if len(facts) and events[-1].statement and events[-1].statement.source != "catalog":
            break
    return facts


def _median(rounds: int, make: Callable[[], Callable[[], object]]) -> float:
    """
    Milliseconds at the middle, after as many rounds to warm up; making a question is not counted.
    """
    times = []
    for number in range(2 * rounds):
        question = make()
        began = time.perf_counter()
        question()
        if number >= rounds:
            times.append((time.perf_counter() - began) * 1000)
    return quantile(times, 0.5)


def webhooks(place: Place, work: Path, seconds: int) -> list[Figure]:
    """
    Two API processes take webhooks that two workers apply; one worker is killed in the middle. What is lost or doubled.
    """
    with ExitStack() as ending:
        apis = []
        for port in PORTS:
            config = place.config(work, f"api-{port}", apply=False, embedder="none", inflight_ingest=16)
            apis.append(Server(work / f"api-{port}", port=port, config=config))
            ending.callback(apis[-1].stop)
        for api in apis:
            api.wait("/healthz")
        workers = [_worker(place, work, number) for number in (1, 2)]
        for worker in workers:
            ending.callback(_end, worker)
        sent, times, refused = _send(seconds, lambda: workers[0].kill())
        store = place.store()
        ending.callback(store.close)
        waited = _settled(store)
        found = Counter(one.item.id for one in store.changes(View.now(), services=["service:hooked"], limit=10**6))
    lost = len(sent - found.keys())
    doubled = sum(count > 1 for count in found.values()) + len(found.keys() - sent)
    print(
        f"     webhooks: {len(sent)} acknowledged, {refused} refused and sent again; a worker killed half way; "
        f"all applied {waited:.1f} s after the last",
        flush=True,
    )
    return [
        Figure("webhooks lost or doubled", lost + doubled, 0.5, ""),
        Figure("webhooks a second, wanted over acknowledged", RATE * seconds / max(1, len(sent)), 1.01, "x"),
        Figure("acknowledgement p99", quantile(times, 0.99), 2000, "ms"),
    ]


def _worker(place: Place, work: Path, number: int) -> subprocess.Popen[bytes]:
    config = place.config(work, f"worker-{number}")
    command = [
        sys.executable,
        "-m",
        "service.cli",
        "work",
        "--data",
        str(work / f"worker-{number}"),
        "--config",
        str(config),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(30)


def _send(seconds: int, halfway: Callable[[], None]) -> tuple[set[str], list[float], int]:
    """
    Changes at the rate, to the two in turn; the ids that were acknowledged, milliseconds of each, how many were refused.
    """
    sent: set[str] = set()
    times: list[float] = []
    refused = [0]
    lock = threading.Lock()
    began = time.perf_counter()

    def send(lane: int, lanes: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", PORTS[lane % len(PORTS)], timeout=30)
        for number in range(lane, RATE * seconds, lanes):
            time.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            name = f"hook-{number}"
            body = json.dumps(
                {"id": name, "at": "2026-08-20T10:00:00Z", "kind": "deploy", "service": "hooked", "title": name}
            ).encode()
            started = time.perf_counter()
            while ask(connection, "/v1/ingest/changes?source=hooks", body)[0] != 202:
                with lock:
                    refused[0] += 1
                time.sleep(0.2)
            with lock:
                sent.add(name)
                times.append((time.perf_counter() - started) * 1000)
        connection.close()

    lanes = [threading.Thread(target=send, args=(lane, 8)) for lane in range(8)]
    for thread in lanes:
        thread.start()
    time.sleep(seconds / 2)
    halfway()
    for thread in lanes:
        thread.join()
    return sent, times, refused[0]


def _settled(store: Store) -> float:
    """
    Seconds until nothing is pending; a killed worker's claims come free after their lease.
    """
    began = time.perf_counter()
    while time.perf_counter() - began < 120 and store.records(state=RecordState.PENDING, limit=1):
        time.sleep(0.1)
    return time.perf_counter() - began


def context(place: Place, work: Path, names: Sequence[str], rounds: int) -> list[Figure]:
    """
    Context by HTTP on loopback, one client, once the indexes have caught up.
    """
    config = place.config(work, "context", part_budget_ms=5000)
    api = Server(work / "context", port=PORTS[0], config=config)
    try:
        ready = api.wait(seconds=600)
        print(f"     ready to answer after {ready:.0f} s from nothing", flush=True)
        began = time.perf_counter()
        while (
            b"search by meaning is catching up" in api.request("POST", "/v1/context", alert(random.Random(1), names))[1]
        ):
            time.sleep(2)
        print(f"     meaning has caught up {time.perf_counter() - began:.0f} s after that", flush=True)
        rng, times = random.Random(3), []
        connection = http.client.HTTPConnection("127.0.0.1", PORTS[0], timeout=30)
        for number in range(rounds + 100):
            body = alert(rng, names)
            started = time.perf_counter()
            status, text = ask(connection, "/v1/context", body)
            if status != 200:
                raise SystemExit(f"context answered {status}: {text[:500]!r}")
            if number >= 100:
                times.append((time.perf_counter() - started) * 1000)
        connection.close()
    finally:
        api.stop()
    return [
        Figure("context over Neo4j, p50", quantile(times, 0.5), 60, "ms"),
        Figure("context over Neo4j, p99", quantile(times, 0.99), 200, "ms"),
    ]
