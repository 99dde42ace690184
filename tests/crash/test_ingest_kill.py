"""
Killed at any point, an ingest goes on where it was: nothing acknowledged is lost, nothing is applied twice.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from graph.opening import open_store
from graph.values import RecordState, View

ROOT = Path(__file__).resolve().parents[2]
KILLS = 50
CHILD = """
import sys
from pathlib import Path
from graph.opening import open_store
from ingest.pipeline import ingest
from ingest.sources import read_sources
store = open_store("sqlite:///" + sys.argv[1])
print("open", flush=True)
ingest(store, read_sources(Path(sys.argv[2])))
print("done", flush=True)
store.close()
"""


def organisation(folder: Path) -> Path:
    folder.mkdir()
    (folder / "catalog-info.yaml").write_text(
        "---\n".join(f"kind: Component\nmetadata: {{name: s{n}}}\nspec: {{owner: t{n % 5}}}\n" for n in range(150))
    )
    with (folder / "changes.jsonl").open("w") as stream:
        for n in range(1500):
            stream.write(
                f'{{"id": "c{n}", "at": "2026-01-01T{n // 60 % 24:02}:{n % 60:02}:00Z", "service": "s{n % 150}", "kind": "deploy"}}\n'
            )
    (folder / "postmortems").mkdir()
    for n in range(60):
        text = f"---\nid: I{n}\nstarted: 2026-01-02T00:{n:02}:00Z\n---\n# I{n}\n\n## Resolution\n\nRestarted `s{n}`.\n"
        (folder / "postmortems" / f"i{n}.md").write_text(text)
    return folder


def state(data: Path) -> tuple[object, ...]:
    store = open_store(f"sqlite:///{data}")
    view = View.now()
    found = (
        sorted((one.record, str(one.item)) for one in store.facts(view)),
        sorted((one.record, str(one.item)) for one in store.changes(view, limit=100_000)),
        sorted((one.record, str(one.item)) for one in store.incidents(view)),
        sorted((record.id, record.state) for record in store.records(limit=100_000)),
    )
    store.close()
    return found


def start(data: Path, sources: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CHILD, str(data), str(sources)], cwd=ROOT, stdout=subprocess.PIPE)


def test_fifty_kills_change_nothing(tmp_path: Path) -> None:
    sources = organisation(tmp_path / "organisation")
    calm = start(tmp_path / "calm", sources)
    began = time.perf_counter()
    assert calm.communicate()[0].endswith(b"done\n")
    length = time.perf_counter() - began
    rng = random.Random(3)
    acknowledged: set[str] = set()
    for _ in range(KILLS):
        child = start(tmp_path / "killed", sources)
        assert child.stdout is not None
        assert child.stdout.readline() == b"open\n"
        try:
            child.wait(rng.random() * length / 4)
        except subprocess.TimeoutExpired:
            os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        store = open_store(f"sqlite:///{tmp_path / 'killed'}")
        durable = {record.id for record in store.records(limit=100_000)}
        store.close()
        assert acknowledged <= durable
        acknowledged = durable
    assert start(tmp_path / "killed", sources).communicate()[0].endswith(b"done\n")
    assert state(tmp_path / "killed") == state(tmp_path / "calm")
    store = open_store(f"sqlite:///{tmp_path / 'killed'}")
    assert store.records(state=RecordState.PENDING) == ()
    store.close()
