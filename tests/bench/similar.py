"""
Similar incidents beside neo4j-graphrag on the same server, with the same texts and vectors, in alternating rounds.
"""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from graph.resolved import ownership
from graph.values import Incident, View
from models.facets import rows
from models.precedents import PrecedentQuestion
from service.settings import Settings
from service.wiring import Memory, open_memory
from tests.bench.figures import ROOT, Figure, quantile
from tests.bench.made import SYMPTOMS

PEER = "neo4j-graphrag==1.22.0"
ROUNDS = 5
QUESTIONS = 100


def measure(settings: Settings, work: Path, names: Sequence[str]) -> Iterator[Figure]:
    """
    The ten most similar incidents of a text whose vector is there, ours with fixes and owners too.
    """
    memory = open_memory(settings, read_only=True)
    try:
        memory.follow()
        texts = _texts(names)
        assert memory.indexer.embedder is not None
        vectors = {text: memory.indexer.embedder.embed([text])[0] for text in texts}
        # the vector costs neither side
        memory.indexer.vector = lambda text: vectors[text]  # type: ignore[method-assign]  # made before
        path = work / "questions.json"
        path.write_text(json.dumps(_given(memory, settings, vectors)))
        with subprocess.Popen(
            [str(_environment()), str(Path(__file__).with_name("graphrag_retriever.py")), str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as peer:
            assert peer.stdin
            assert peer.stdout
            peer.stdout.readline()
            ours: list[float] = []
            theirs: list[float] = []
            for number in range(ROUNDS + 1):
                peer.stdin.write("round\n")
                peer.stdin.flush()
                found = json.loads(peer.stdout.readline())
                made = [_asked(memory, text) for text in texts]
                if number:
                    theirs += found
                    ours += made
            peer.stdin.close()
    finally:
        memory.close()
    mine, other = quantile(ours, 0.5), quantile(theirs, 0.5)
    print(f"     similar incidents: ours {mine:.2f} ms, {PEER} {other:.2f} ms (p50)", flush=True)
    yield Figure("similar incidents, p50 over the peer's", mine / other, 1, "x")


def _environment() -> Path:
    place = ROOT / ".cache" / "graphrag"
    python = place / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", PEER], check=True)
    return python


def _texts(names: Sequence[str]) -> list[str]:
    rng = random.Random(11)
    return [f"{rng.choice(SYMPTOMS)} on {rng.choice(names)}, 5 % of requests fail ({n})" for n in range(QUESTIONS)]


def _given(memory: Memory, settings: Settings, vectors: dict[str, np.ndarray]) -> dict[str, object]:
    """
    What the peer needs: of each incident its title and symptoms, and their vector, as our index has them.
    """
    embedder = memory.indexer.embedder
    assert embedder is not None
    titles = {
        row.document: row.text
        for one in memory.store.incidents(View.now())
        for row in rows(one)
        if row.facet == "symptoms"
    }
    assert len(titles) > QUESTIONS
    keys = {hashlib.sha256(text.encode()).hexdigest(): text for text in titles.values()}
    kept = memory.store.kept(f"vectors:{embedder.model}", set(keys))
    found = {keys[key]: np.frombuffer(body, dtype=np.float32).tolist() for key, body in kept.items()}
    return {
        "url": settings.store,
        "user": settings.store_user,
        "password": settings.store_password.get_secret_value(),
        "rows": [{"id": name, "text": text, "vector": found[text]} for name, text in titles.items()],
        "questions": [{"text": text, "vector": vector.tolist()} for text, vector in vectors.items()],
    }


def _asked(memory: Memory, text: str) -> float:
    began = time.perf_counter()
    view = View.now()
    ranking = memory.precedents.rank(PrecedentQuestion(text=text), view, 10)
    found = memory.store.statements([one.statement for one in ranking.candidates if one.statement is not None], view)
    owners = [
        ownership(memory.facts, view, one)
        for each in found
        if isinstance(each.item, Incident)
        for one in each.item.services
    ]
    assert owners
    return (time.perf_counter() - began) * 1000
