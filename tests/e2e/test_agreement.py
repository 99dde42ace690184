"""
An embedded store and one on a server, fed alike and asked alike, give the same answers, wherever search lives.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.contract import Store
from graph.values import Alert, RecordState, View
from ingest.alerts import read_alerts
from ingest.contract import Source
from ingest.pipeline import drain, ingest
from ingest.sources import read_sources
from models.facets import alert_text
from models.precedents import PrecedentQuestion
from service import demo
from service.context import Question, assemble
from service.settings import Settings
from service.wiring import Memory, open_memory
from tests import server
from tests.quality import read_answers

Answer = dict[str, Any]

ASKED_BEFORE = timedelta(days=3)
"""How long before an alert a change still counts; the others only make the loading longer."""
ROUNDING = 1e-5
"""The server's search counts in single precision."""
OF_THE_READING = {"timings_ms", "answer_id"}


@dataclass(frozen=True, slots=True)
class Organisation:
    """
    What is loaded, and what is asked of it.
    """

    sources: Sequence[Source]
    alerts: Sequence[Alert]


def demonstration(_: Path, __: Callable[[], Path]) -> Organisation:
    asked = [read_alerts(path.read_bytes(), {})[0] for path in demo.alerts()]
    return Organisation(read_sources(demo.FOLDER), asked)


def real(folder: Path, shared: Callable[[], Path]) -> Organisation:
    """
    2i2c, with the changes shortly before what is asked.
    """
    data = shared() / "data" / "2i2c"
    asked = [alert for alert, _ in read_answers.questions("2i2c", 15)]
    part = folder / "changes.jsonl"
    part.write_text("".join(lines_before(data / "changes.jsonl.gz", [alert.at for alert in asked])), encoding="utf-8")
    sources = [
        replace(one, path=str(part if one.name == "commits" else data / Path(one.path).relative_to(read_answers.HERE)))
        for one in read_sources(read_answers.HERE / "2i2c.toml")
    ]
    return Organisation(sources, asked)


def lines_before(path: Path, moments: Sequence[datetime]) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            at = datetime.fromisoformat(json.loads(line)["ts"])
            if any(moment - ASKED_BEFORE < at < moment for moment in moments):
                yield line


@pytest.fixture(params=[demonstration, real], ids=["demo", "2i2c"])
def organisation(request: pytest.FixtureRequest, tmp_path: Path) -> Organisation:
    found: Organisation = request.param(tmp_path, lambda: request.getfixturevalue("shared"))
    return found


@pytest.fixture
def memories(organisation: Organisation, tmp_path: Path) -> Iterator[tuple[Memory, Memory, Memory]]:
    """
    With the organisation in them: on the embedded store, on the server, and on the server with its own search.
    """
    server.emptied().close()
    patient = {"part_budget_ms": 60_000}
    distant = patient | {"store": server.URI, "store_user": server.USER, "store_password": server.PASSWORD}
    opened = (
        open_memory(Settings.model_validate(patient | {"data": tmp_path / "embedded"})),
        open_memory(Settings.model_validate(distant | {"data": tmp_path / "distant"})),
        open_memory(Settings.model_validate(distant | {"data": tmp_path / "nothing", "search": "server"})),
    )
    assert ingest(opened[0].store, organisation.sources).ok
    copy(opened[0].store, opened[1].store)
    for memory in opened:
        memory.follow()
    yield opened
    for memory in opened:
        memory.close()


def copy(store: Store, other: Store) -> None:
    """
    The same records, received at the same moments, are applied there too.
    """
    found = store.records(limit=1_000_000)
    for start in range(0, len(found), 1000):
        other.append([replace(one, state=RecordState.PENDING) for one in found[start : start + 1000]])
    drain(other)


def test_all_give_the_same_answers(organisation: Organisation, memories: tuple[Memory, Memory, Memory]) -> None:
    now = datetime.now(UTC)
    for alert in organisation.alerts:
        embedded, distant, searching = (asked(memory, alert, now) for memory in memories)
        assert distant == embedded, alert.name
        assert searching.pop("ten") == pytest.approx(embedded.pop("ten"), abs=ROUNDING), alert.name
        assert searching == embedded, alert.name


def asked(memory: Memory, alert: Alert, now: datetime) -> Answer:
    """
    The answer as of the alert, with ten precedents, which is more than it shows.
    """
    view = View(as_of=alert.at, known_at=now)
    answer = assemble(memory, Question(alert=alert, as_of=view.as_of, known_at=view.known_at))
    services = {one.id: one.probability for one in memory.resolver.resolve(alert, view).candidates}
    question = PrecedentQuestion(text=alert_text(alert), at=alert.at, services=services, alert=alert.name)
    ranked = memory.precedents.rank(question, view, 10).candidates
    kept = {name: value for name, value in answer.items() if name not in OF_THE_READING}
    return kept | {"ten": {one.id: one.probability for one in ranked}}
