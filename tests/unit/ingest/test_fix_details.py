"""
When, by whom, from what to what, by which runbook: only where the document says so; and what is stated as fields.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from graph.values import Fix, FixAction, Incident, SectionKind
from ingest.connectors.postmortems import incident_of_json
from ingest.fixes.clocks import entries
from ingest.fixes.details import detailed
from ingest.fixes.extraction import extract_fixes

BEGAN = datetime(2026, 3, 2, 23, 40, tzinfo=UTC)


def fixes_of(resolution: str, timeline: str = "") -> tuple[Fix, ...]:
    sections = {SectionKind.RESOLUTION: resolution, SectionKind.TIMELINE: timeline}
    incident = Incident(id="1", title="t", at=BEGAN, resolved_at=datetime(2026, 3, 3, 2, tzinfo=UTC), sections=sections)
    return detailed(extract_fixes(sections), incident)


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("- 23:50 Rolled back", datetime(2026, 3, 2, 23, 50, tzinfo=UTC)),
        ("00:15 - Rolled back", datetime(2026, 3, 3, 0, 15, tzinfo=UTC)),
        ("* **12:15 AM UTC**: Rolled back", datetime(2026, 3, 3, 0, 15, tzinfo=UTC)),
        ("2026-03-03 01:15:30Z | Rolled back", datetime(2026, 3, 3, 1, 15, 30, tzinfo=UTC)),
        ("| 2026-03-03 02:15 CET | Rolled back |", datetime(2026, 3, 3, 1, 15, tzinfo=UTC)),
        ('- {"time": "2026-03-03T01:00:00Z", "event": "Rolled back"}', datetime(2026, 3, 3, 1, tzinfo=UTC)),
        ("- March 3, 01:15 Rolled back", datetime(2026, 3, 3, 1, 15, tzinfo=UTC)),
    ],
)
def test_an_entry_has_its_moment_and_its_words(line: str, at: datetime) -> None:
    (entry,) = entries(line, BEGAN)
    assert (entry.at, entry.text.startswith("Rolled back")) == (at, True)


def test_an_entry_without_a_clock_has_no_moment_and_one_that_goes_on_is_one() -> None:
    found = list(entries("- 23:50 Rolled back\n  with some pain\n- Somebody slept", BEGAN))
    assert [(one.text, one.at is None) for one in found] == [
        ("Rolled back\nwith some pain", False),
        ("Somebody slept", True),
    ]


def test_the_timeline_tells_when_what_the_resolution_says_was_done() -> None:
    (first, *_) = fixes_of(
        "Rolled back `checkout` to 1.2 and errors ended.", "- 23:45 Looked\n- 00:20 Rolled back `checkout`"
    )
    assert (first.at, first.parameters) == (datetime(2026, 3, 3, 0, 20, tzinfo=UTC), "to 1.2")


def test_a_moment_outside_the_incident_is_not_taken() -> None:
    (first, *_) = fixes_of("", "- 2026-03-09 10:00 Rolled back `checkout` and errors ended.")
    assert first.at is None


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("The node pool was scaled by the platform team and it recovered.", "by", "platform team"),
        ("@ann restarted the workers and it recovered.", "by", "@ann"),
        ("The storage team failed over to the replica, which fixed it.", "by", "storage team"),
        ("Fixed by restarting the workers.", "by", None),
        ("Prometheus was restarted and recovered.", "by", None),
        ("Scaled `web` from 20 to 60 pods.", "parameters", "from 20 to 60 pods"),
        ("Increased the timeout from 3 to 6 seconds.", "parameters", "from 3 to 6 seconds"),
        ("Rolled back to version 0.0.7.", "parameters", "to version 0.0.7"),
        ("Rolled back `shop` and errors ended at 13:10.", "parameters", ""),
        ("Following the cart runbook, we restarted the pods and it recovered.", "runbook", "cart runbook"),
        ("Restarted the pods as the [queue runbook](https://wiki.example/rb/queue) says at step 3.", "runbook", "https://wiki.example/rb/queue"),
        ("Restarted the pods as the [queue runbook](https://wiki.example/rb/queue) says at step 3.", "step", "step 3"),
        ("Restarted the pods.", "runbook", None),
    ],
)  # fmt: skip
def test_a_detail_is_the_documents_own_words(text: str, name: str, value: object) -> None:
    (first, *_) = fixes_of(text)
    assert getattr(first, name) == value
    assert not value or str(value) in text


def test_fields_come_before_prose_and_keep_what_failed() -> None:
    rows: list[dict[str, object]] = [
        {"action": "restart", "target": "till", "description": "Restarted all tills", "success": False, "at": "2026-03-02T23:50:00Z"},
        {"action": "Roll back", "target": "ledger", "description": "Took ledger to the release before", "by": "ann",
         "change": "c-9", "outcome": "resolved", "runbook": "ledger.md", "step": "2"},
        {"action": "pray", "description": "Hoped for the best"},
    ]  # fmt: skip
    found = incident_of_json(
        {"id": "i", "title": "t", "fixes": rows, "resolution": "Flushed the cache and it recovered."}, "x.json", {}
    ).fixes
    assert [(one.action, one.target, one.worked, one.stated_as) for one in found[:2]] == [
        (FixAction.ROLLBACK, "ledger", True, "field"), (FixAction.RESTART, "till", False, "field"),
    ]  # fmt: skip
    assert (found[0].by, found[0].reverts, found[0].runbook, found[0].step) == ("ann", "c-9", "ledger.md", "2")
    assert FixAction.CLEAR in {one.action for one in found[2:]}
    assert not any("Hoped" in one.quote for one in found)
