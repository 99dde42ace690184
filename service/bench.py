"""
`scripts/bench`: speeds and sizes on this machine, each beside the limit that the project sets itself.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PORT = 8099


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One measurement beside its limit; the ratio is what counts, the digits belong to the machine.
    """

    name: str
    value: float
    limit: float
    unit: str

    def line(self) -> str:
        """
        `name value unit (limit, ratio)`.
        """
        mark = "ok  " if self.value <= self.limit else "OVER"
        ratio = self.value / self.limit
        return f"{mark} {self.name:44} {self.value:10.2f} {self.unit:4} limit {self.limit:g} ({ratio:.2f} of it)"


def organisation(folder: Path, services: int, changes: int, incidents: int, seed: int = 7) -> Path:
    """
    A made organisation of a size, in the formats that connectors read.
    """
    rng = random.Random(seed)  # noqa: S311 - made data, not a secret
    names = [f"{a}-{b}-{n}" for n, (a, b) in enumerate(_pairs(rng, services))]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalog-info.yaml").write_text("---\n".join(_component(rng, names, name) for name in names))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with (folder / "changes.jsonl").open("w") as stream:
        for number in range(changes):
            at = start + timedelta(seconds=number * 86400 * 240 / changes)
            stream.write(json.dumps(_change(rng, names, number, at)) + "\n")
    reports = folder / "postmortems"
    reports.mkdir(exist_ok=True)
    for number in range(incidents):
        at = start + timedelta(seconds=number * 86400 * 240 / max(1, incidents))
        (reports / f"inc-{number:05}.md").write_text(_postmortem(rng, names, number, at))
    return folder


_FIRST = [
    "order",
    "cart",
    "price",
    "stock",
    "media",
    "login",
    "ledger",
    "quote",
    "route",
    "parcel",
    "label",
    "vault",
    "frame",
    "signal",
    "batch",
]
_SECOND = ["api", "worker", "store", "sync", "gate", "cache", "index", "feed", "score", "engine"]
_SYMPTOMS = (
    "connection pool exhausted",
    "certificate has expired",
    "queue backlog grows",
    "p99 latency above two seconds",
    "out of memory",
    "disk almost full",
    "replica lag",
    "unknown key id",
    "schema mismatch",
    "rate limited by provider",
)
_FIXES = (
    "Rolled back `{service}` to the release before.",
    "Restarted `{service}`.",
    "Scaled `{service}` from 4 to 12.",
    "Reverted the configuration of `{service}`.",
    "Failed over to the second provider.",
    "Turned the flag off.",
)


def _pairs(rng: random.Random, count: int) -> Iterator[tuple[str, str]]:
    for _ in range(count):
        yield rng.choice(_FIRST), rng.choice(_SECOND)


def _component(rng: random.Random, names: Sequence[str], name: str) -> str:
    needs = "".join(
        f"    - component:{other}\n" for other in rng.sample(list(names), min(5, len(names))) if other != name
    )
    return (
        f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: service\n"
        f"  lifecycle: production\n  owner: team-{rng.randrange(40)}\n  dependsOn:\n{needs}"
    )


def _change(rng: random.Random, names: Sequence[str], number: int, at: datetime) -> dict[str, object]:
    name = rng.choice(names)
    return {
        "id": f"c{number}",
        "at": at.isoformat(),
        "kind": rng.choice(["deploy", "deploy", "config", "flag"]),
        "service": name,
        "environment": "production",
        "actor": f"dev{rng.randrange(200)}",
        "title": f"Change {rng.choice(_SYMPTOMS).split()[0]} of {name}",
        "files": [f"services/{name}/main.py"],
    }


def _postmortem(rng: random.Random, names: Sequence[str], number: int, at: datetime) -> str:
    name, symptom = rng.choice(names), rng.choice(_SYMPTOMS)
    end = at + timedelta(minutes=rng.randrange(10, 90))
    return (
        f"---\nid: INC-{number}\ntitle: {name} {symptom}\nstarted: {at.isoformat()}\nresolved: {end.isoformat()}\n"
        f"services: [{name}]\nseverity: sev2\n---\n# {name}: {symptom}\n\n## Impact\n\nRequests to {name} failed.\n\n"
        f"## Detection\n\nAn alert said: {symptom} on {name} ({rng.randrange(10**6)}).\n\n## Root cause\n\n"
        f"A change of {name} led to it.\n\n## Resolution\n\n{rng.choice(_FIXES).format(service=name)}\n"
    )


def quantile(values: Sequence[float], share: float) -> float:
    """
    The value below which `share` of them lie.
    """
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


class Server:
    """
    The served product in a process of its own, ended by its pid.
    """

    def __init__(self, data: Path) -> None:
        self.data = data
        command = [sys.executable, "-m", "service.cli", "serve", "--data", str(data), "--port", str(PORT)]
        self.started = time.perf_counter()
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # noqa: S603 - our own program

    def wait(self, path: str = "/readyz", seconds: float = 120) -> float:
        """
        Seconds from the start until it answers that it is ready.
        """
        while time.perf_counter() - self.started < seconds:
            try:
                if self.request("GET", path)[0] == 200:
                    return time.perf_counter() - self.started
            except OSError:
                pass
            if self.process.poll() is not None:
                raise SystemExit(f"the server ended: {(self.process.stderr or sys.stdin).read()[-2000:]!r}")
            time.sleep(0.02)
        raise SystemExit("the server did not become ready")

    def request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """
        One request on a connection of its own.
        """
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def stop(self) -> None:
        """
        End the process.
        """
        self.process.terminate()
        self.process.wait(30)


def alert(rng: random.Random, services: Sequence[str]) -> bytes:
    """
    An alert of about 40 tokens, as a monitoring tool would send it.
    """
    name = rng.choice(services)
    return json.dumps(
        {
            "name": "HighErrorRate",
            "at": "2026-08-20T12:00:00Z",
            "labels": {"service": name, "env": "production"},
            "annotations": {"summary": f"{rng.choice(_SYMPTOMS)} on {name}, 5 % of requests fail for 5 minutes"},
        }
    ).encode()


def latency(server: Server, services: Sequence[str], rounds: int) -> list[Figure]:
    """
    Context by HTTP on loopback, one client on one connection, warm.
    """
    rng = random.Random(3)  # noqa: S311 - made questions
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

    rng = random.Random(5)  # noqa: S311 - made questions
    embedder, redactor = OnnxEmbedder(), Redactor()
    times = []
    for _ in range(120):
        text = alert_text(question_of(alert(rng, services), {}, LOCAL, redactor).alert)
        began = time.perf_counter()
        embedder.embed([text])
        times.append((time.perf_counter() - began) * 1000)
    return quantile(times[20:], 0.5)


def installed_size() -> list[Figure]:
    """
    The base install in a new environment, without torch.
    """
    with tempfile.TemporaryDirectory() as place:
        environment = Path(place) / "venv"
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)  # noqa: S603 - our own interpreter
        before = _size(environment)
        pip = [str(environment / "bin/python"), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        subprocess.run([*pip, "-r", str(ROOT / "requirements/base.txt")], check=True)  # noqa: S603 - our own pins
        # pip itself comes with any environment
        size = _size(environment) - before
        torch = any(environment.glob("lib/*/site-packages/torch"))
        size += sum(path.stat().st_size for path in (ROOT / "models/weights").rglob("*") if path.is_file())
    return [
        Figure("installed size of the base", size / 2**20, 350, "MiB"),
        Figure("torch in the base", float(torch), 0.5, ""),
    ]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def context(options: argparse.Namespace) -> list[Figure]:
    """
    Ingest a made organisation, serve it, ask.
    """
    work = Path(tempfile.mkdtemp(prefix="precedent-bench-"))
    try:
        folder = organisation(work / "organisation", options.services, options.changes, options.incidents)
        began = time.perf_counter()
        ingest = [sys.executable, "-m", "service.cli", "ingest", str(folder), "--data", str(work / "data")]
        subprocess.run(ingest, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
        seconds = time.perf_counter() - began
        rows = options.services + options.changes + options.incidents
        print(f"     ingest of {rows} records: {seconds:.0f} s, {rows / seconds:.0f} a second", flush=True)
        names = [
            line.split(": ")[1].strip() for line in (folder / "catalog-info.yaml").open() if line.startswith("  name: ")
        ]
        server = Server(work / "data")
        try:
            server.wait()
            server.request("POST", "/v1/context", alert(random.Random(1), names))  # noqa: S311 - a made question
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


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Exit 0 always: a bench tells, it does not judge.
    """
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measure this machine's speeds against our limits."
    )
    parser.add_argument("what", nargs="*", choices=("context", "size", []), default=["context", "size"])
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--changes", type=int, default=50_000)
    parser.add_argument("--incidents", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=1000)
    options = parser.parse_args(arguments)
    parts: dict[str, Callable[[], list[Figure]]] = {"context": lambda: context(options), "size": installed_size}
    for name in options.what:
        for figure in parts[name]():
            print(figure.line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
