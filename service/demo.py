"""
The demo organisation, loaded and asked.
"""

from __future__ import annotations

from pathlib import Path

import ingest
from ingest.alerts import read_alerts
from ingest.pipeline import ingest as run
from ingest.sources import read_sources
from service.context import Question, assemble
from service.settings import Settings
from service.wiring import Memory, open_memory

FOLDER = Path(ingest.__file__).parent / "demo"


def load(settings: Settings) -> Memory:
    """
    A memory with the demo organisation in it; loading twice is loading once.
    """
    memory = open_memory(settings)
    run(memory.store, read_sources(FOLDER))
    memory.follow()
    return memory


def alerts() -> list[Path]:
    """
    The demo's questions, in order.
    """
    return sorted((FOLDER / "alerts").glob("*.json"))


def answers(memory: Memory) -> list[dict[str, object]]:
    """
    The answer to each.
    """
    found = []
    for path in alerts():
        asked = read_alerts(path.read_bytes(), {})
        found.append(assemble(memory, Question(alert=asked[0], others=asked[1:])))
    return found
