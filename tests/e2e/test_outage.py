"""
While the store cannot be reached, an answer still says who owns the service, whom it escalates to and what is near.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from graph.values import View
from ingest.alerts import read_alerts
from service.context import Question, assemble
from service.demo import alerts, load
from service.settings import Settings


def test_what_rests_on_facts_is_answered_without_the_store_and_the_rest_is_a_gap(tmp_path: Path) -> None:
    memory = load(Settings(data=tmp_path))
    alert = read_alerts(alerts()[0].read_bytes(), {})[0]
    before: dict[str, Any] = assemble(memory, Question(alert=alert))
    memory.store.close()
    during: dict[str, Any] = assemble(memory, Question(alert=alert))
    assert during["owner"] == before["owner"]
    assert during["owner"]["escalation"]
    assert during["blast_radius"] == before["blast_radius"]
    assert during["service"] == before["service"]
    told = [gap for gap in during["gaps"] if "The store" in gap]
    assert len(told) == 1
    assert all(
        word in told[0] for word in ("without ", "changes", "history", "precedents", "runbooks", "cited records")
    )
    memory.close()


def test_names_are_looked_up_without_the_store_at_any_time(tmp_path: Path) -> None:
    memory = load(Settings(data=tmp_path))
    memory.store.close()
    assert memory.resolver.lookup("user-profile", View.now()).candidates
    early = datetime(2026, 10, 1, tzinfo=UTC)
    assert memory.resolver.lookup("checkout", View(as_of=early, known_at=early)).candidates
    memory.close()
