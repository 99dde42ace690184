"""
The fix is read out of prose with its words, or not at all.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from graph.values import FixAction, Incident, Record, SectionKind
from ingest.connectors.postmortems import CONNECTOR
from ingest.prose import extract_fixes, section_kind


@pytest.mark.parametrize(
    ("text", "action", "target"),
    [
        ("Rolled back `checkout` to 1.2.", FixAction.ROLLBACK, "checkout"),
        ("We reverted the DNS change and traffic recovered.", FixAction.REVERT, "DNS change"),
        ("Restarted the ingress controller pods.", FixAction.RESTART, "ingress controller pods"),
        ("Scaled `web` from 20 to 60 pods.", FixAction.SCALE, "web"),
        ("Turned the flag `home-v3` off.", FixAction.FLAG_OFF, "home-v3"),
        ("Failed over to the second provider.", FixAction.FAIL_OVER, "second provider"),
        ("Renewed the wildcard certificate.", FixAction.ROTATE, "wildcard certificate"),
    ],
)
def test_an_action_its_target_and_its_words(text: str, action: FixAction, target: str) -> None:
    fix = extract_fixes({SectionKind.RESOLUTION: text})[0]
    assert (fix.action, fix.quote, fix.worked) == (action, text, True)
    assert target in fix.target


def test_what_did_not_help_is_kept_as_such() -> None:
    found = extract_fixes(
        {SectionKind.RESOLUTION: "Restarting the nodes did not help. Rolled back the release and errors ended."}
    )
    assert [(fix.action, fix.worked) for fix in found] == [(FixAction.ROLLBACK, True), (FixAction.RESTART, False)]


@pytest.mark.parametrize(
    "text",
    ["We should restart it next time.", "", "The team met on Monday.", "Investigate larger nodes in the future."],
)
def test_plans_and_talk_are_no_fixes(text: str) -> None:
    assert extract_fixes({SectionKind.RESOLUTION: text}) == ()


def test_action_items_are_no_fixes() -> None:
    assert extract_fixes({SectionKind.ACTION_ITEMS: "- Rolled back the old chart\n- Restarted the docs site"}) == ()


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("Root Cause(s)", SectionKind.CAUSE), ("What went well", SectionKind.LESSONS), ("Review actions", SectionKind.ACTION_ITEMS),
        ("Identified", SectionKind.DETECTION), ("User-facing impact", SectionKind.IMPACT), ("Mitigation", SectionKind.RESOLUTION),
        ("TL;DR", SectionKind.SUMMARY), ("Timeline (UTC)", SectionKind.TIMELINE), ("Zebras", SectionKind.OTHER),
    ],
)  # fmt: skip
def test_headings_are_recognised(heading: str, kind: SectionKind) -> None:
    assert section_kind(heading) is kind


def read(text: bytes, path: str) -> list[Incident]:
    found = []
    for piece in CONNECTOR.split(text, {"path": path}):
        record = Record(
            id="r", source="s", connector="postmortems", part=piece.part, body=piece.body, digest="",
            received_at=datetime.now(UTC), meta={"path": path, **piece.meta},
        )  # fmt: skip
        found += [item for item in CONNECTOR.transform(record) if isinstance(item, Incident)]
    return found


def test_a_log_of_many_incidents_is_cut(shared: Path) -> None:
    path = shared / "samples/postmortems/moj.incident-log.2024.md"
    found = read(path.read_bytes(), path.name)
    assert len(found) >= 5
    assert all(incident.at and SectionKind.RESOLUTION in incident.sections for incident in found)
    assert len({incident.id for incident in found}) == len(found)


@pytest.mark.parametrize("organisation", ["2i2c", "moj-cloud-platform"])
def test_most_real_incidents_have_a_fix_in_their_own_words(shared: Path, organisation: str) -> None:
    path = shared / "data" / organisation / "incidents.jsonl"
    found = read(path.read_bytes(), path.name)
    with_fix = [incident for incident in found if any(fix.worked is not False for fix in incident.fixes)]
    assert len(with_fix) >= 0.85 * len(found)
    for incident in found:
        assert all(any(fix.quote in text for text in incident.sections.values()) for fix in incident.fixes)


def test_a_page_without_headings_leaves_gaps_not_guesses() -> None:
    incident = read(b"Something broke on Monday.", "note.md")[0]
    assert incident.fixes == ()
    assert incident.attributes["gaps"] == "cause,resolution"
