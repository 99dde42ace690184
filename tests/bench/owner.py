"""
Who owns it, by HTTP on loopback: one client on one connection, over 10,000 services, by each way of asking.
"""

from __future__ import annotations

import argparse
import http.client
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlencode

from graph.contract import Yield
from graph.opening import open_store
from graph.values import Fact, FactKind, Item, Trust
from tests.bench.figures import PORT, Figure, Server, quantile
from tests.bench.population import catalogue, changes

LIMIT_MS = 5.0
WORDS = ["cart", "order", "stock", "price", "user", "login", "mail", "search", "basket", "parcel", "ledger", "fraud", "route", "label", "image", "video", "report", "alert", "quota", "audit"]  # fmt: skip
ROLES = ["api", "worker", "web", "gateway", "store", "sync", "cache"]
Query = dict[str, str]


def names_of(count: int) -> list[str]:
    """
    Names as people give them: words that many services share, and a role.
    """
    rng = random.Random(12)
    found: dict[str, None] = {}
    while len(found) < count:
        found["-".join((*rng.sample(WORDS, rng.choice((1, 2, 2, 3))), rng.choice(ROLES)))] = None
    return list(found)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """
    Fill a store, serve it, ask.
    """
    names = names_of(options.services or 10_000)
    work = Path(tempfile.mkdtemp(prefix="precedent-bench-"))
    try:
        _fill(work / "data", names)
        server = Server(work / "data")
        try:
            print(f"     ready after {server.wait():.1f} s", flush=True)
            for way, query in WAYS.items():
                yield from _asked(server, way, query, names, options.rounds)
        finally:
            server.stop()
    finally:
        shutil.rmtree(work)


def _fill(data: Path, names: Sequence[str]) -> None:
    store = open_store(f"sqlite:///{data}")
    try:
        stated = [(record, (*items, *_more(record.part))) for record, items in catalogue(names)]
        for start in range(0, len(stated), 5000):
            batch = stated[start : start + 5000]
            store.append([record for record, _ in batch])
            store.apply([Yield(record=record.id, items=items, trust=Trust.DECLARED) for record, items in batch])
        deploys = list(changes(names, len(names)))
        store.append([record for record, _ in deploys])
        store.apply([Yield(record=record.id, items=items, trust=Trust.OBSERVED) for record, items in deploys])
    finally:
        store.close()


def _more(name: str) -> tuple[Item, ...]:
    """
    An id in the paging tool, and the repository with a line of CODEOWNERS.
    """
    service, repository = f"service:{name}", f"repository:shop/{name}"
    alias = Fact(kind=FactKind.ALIAS, subject=service, object=f"P{name.upper()}", attributes={"seen_in": "pagerduty"})
    line = {"pattern": "/src/", "line": "1"}
    return (
        alias,
        Fact(kind=FactKind.BUILT_FROM, subject=service, object=repository),
        Fact(kind=FactKind.OWNED_BY, subject=repository, object="team:readers", attributes=line),
    )


WAYS: dict[str, Callable[[str, random.Random], Query]] = {
    "service": lambda name, rng: {"service": name},
    "alias": lambda name, rng: {"alias": f"P{name.upper()}"},
    "drifted name": lambda name, rng: {"service": f"{name.title().replace('-', '_')}_prod"},
    "labels": lambda name, rng: {
        "label.alertname": "HighErrorRate",
        "label.pod": f"{name}-{rng.randrange(16**8):08x}-x7k2p",
        "label.namespace": "shop",
    },
    "file": lambda name, rng: {"repository": f"shop/{name}", "path": f"src/{rng.randrange(1000)}.py"},
    "host": lambda name, rng: {"host": f"{name}.shop.svc.cluster.local:8443"},
}


def _asked(
    server: Server, way: str, query: Callable[[str, random.Random], Query], names: Sequence[str], rounds: int
) -> Iterator[Figure]:
    """
    Every service at most once, so that nothing is remembered from the question before.
    """
    rng = random.Random(4)
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    asked = [query(name, rng) for name in rng.sample(list(names), min(len(names), rounds + 50))]
    times, busy = [], 0.0
    for number, one in enumerate(asked):
        if number == 50:
            busy = server.cpu()
        began = time.perf_counter()
        connection.request("GET", f"/v1/owner?{urlencode(one)}")
        answer = connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 404):
            raise SystemExit(f"owner answered {answer.status}: {text[:500]!r}")
        if number >= 50:
            times.append((time.perf_counter() - began) * 1000)
    connection.close()
    spent = (server.cpu() - busy) * 1000 / len(times)
    print(f"     owner by {way}: p50 {quantile(times, 0.5):.2f} ms, processor {spent:.2f} ms a request", flush=True)
    yield Figure(f"owner by {way} p99", quantile(times, 0.99), LIMIT_MS, "ms")
