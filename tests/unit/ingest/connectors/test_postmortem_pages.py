"""
Postmortems as people write them: templates filled and blank, front matter of every kind, logs, and plain prose.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from graph.values import Incident, Runbook, SectionKind
from ingest.connectors import connector
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import read


def incident(text: str, path: str = "x.md", **meta: str) -> Incident:
    (found,) = read("postmortems", text.encode(), path=path, **meta)
    assert isinstance(found, Incident)
    return found


BLANK = {
    "azure.md": "nothing below them", "elastic.md": "nothing below them", "google-api-infra.md": "nothing below them",
    "howie.report.md": "tells its reader how to write", "michael.kehoe.md": "is a template", "pagerduty.writing.md": "tells its reader how to write",
    "srebook.md": "nothing below them", "thecloudbook.md": "nothing below them",
}  # fmt: skip


@pytest.mark.parametrize("name", BLANK)
def test_a_blank_template_or_a_guide_is_set_aside(shared: Path, name: str) -> None:
    with pytest.raises(BadRecord, match=BLANK[name]):
        read("postmortems", (shared / "samples/postmortem_templates" / name).read_bytes(), path=name)


@pytest.mark.parametrize("name", [name for name in BLANK if BLANK[name] == "nothing below them"] + ["michael.kehoe.md"])
def test_the_same_template_filled_in_has_its_sections(shared: Path, name: str) -> None:
    lines = (shared / "samples/postmortem_templates" / name).read_text(encoding="utf-8").split("\n")
    filled = "\n".join(
        f"{line}\n\nThe pool of checkout was empty." if line.startswith("##") and "Date" not in line else line
        for line in lines
    ).replace("Postmortem Template", "Checkout down")
    found = incident(filled)
    wanted = {
        "azure.md": "summary_of impact cause action_items", "elastic.md": "summary timeline cause resolution impact action_items",
        "google-api-infra.md": "summary timeline cause resolution action_items", "srebook.md": "summary impact cause trigger resolution detection action_items lessons timeline",
        "thecloudbook.md": "summary impact timeline cause lessons action_items", "michael.kehoe.md": "summary timeline impact trigger cause resolution lessons action_items",
    }  # fmt: skip
    missing = {
        kind
        for kind in wanted[name].replace("summary_of ", "").split()
        if "The pool" not in found.sections.get(SectionKind(kind), "")
    }
    assert missing == set()


def test_facts_stand_in_sections_labels_and_tables() -> None:
    by_sections = incident(
        "# Checkout down\n\n### Date\n\nMarch 2, 2026\n\n### Start Date/Time\n\n14:05 PST\n\n### Severity\n\nSEV1\n\n### Impact\n\nAll.\n"
    )
    assert (by_sections.severity, by_sections.at) == ("SEV1", datetime(2026, 3, 2, 22, 5, tzinfo=UTC))
    by_labels = incident(
        "# Checkout down\n\n**Severity:** SEV2  \n**Start time:** 2026-03-02 14:05 UTC\n- Resolved: 2 March 2026 3:40 pm +01:00\n\n## Impact\n\nAll.\n"
    )
    assert (by_labels.severity, by_labels.at) == ("SEV2", datetime(2026, 3, 2, 14, 5, tzinfo=UTC))
    assert by_labels.resolved_at == datetime(2026, 3, 2, 14, 40, tzinfo=UTC)
    by_table = incident(
        "# Checkout down\n\n## Summary\n\n| Date | Severity | Services |\n|---|---|---|\n| 2026-03-02 | P1 | pay, cart (partly) |\n\n## Impact\n\nAll.\n"
    )
    assert (by_table.severity, by_table.services) == ("P1", ("service:pay", "service:cart"))
    assert (by_table.at, by_table.day_only) == (datetime(2026, 3, 3, tzinfo=UTC), True)
    pairs = incident(
        "# Checkout down\n\n| Incident Number | 42 | Incident Severity | 2 |\n|--|--|--|--|\n| Duration | 3h | Status | done |\n\n## Impact\n\nAll.\n"
    )
    assert (pairs.severity, pairs.attributes["number"], pairs.attributes["duration"], pairs.attributes["status"]) == (
        "2",
        "42",
        "3h",
        "done",
    )


def test_bold_stands_for_headings_and_no_text_is_lost() -> None:
    found = incident(
        "# Checkout down 2026-03-02\n\nIt was slow.\n\n**1. Impact**\n\nAll users.\n\n🔥 **Root cause:**\nA loop.\n\n**Note**: it was Monday.\n\n- **Resolution**: We restarted pay.\n"
    )
    assert dict(found.sections) == {
        SectionKind.SUMMARY: "It was slow.", SectionKind.IMPACT: "All users.", SectionKind.CAUSE: "A loop.\n\n**Note**: it was Monday.",
        SectionKind.RESOLUTION: "We restarted pay.",
    }  # fmt: skip


def test_what_stands_below_an_unknown_heading_belongs_to_the_one_above() -> None:
    found = incident(
        "# Down\n\n## Timeline\n\n### 2026-03-02\n\n10:00 down\n\n## Root cause\n\n### The pool\n\nToo small.\n"
    )
    assert dict(found.sections) == {
        SectionKind.TIMELINE: "**2026-03-02**\n\n10:00 down", SectionKind.CAUSE: "**The pool**\n\nToo small.",
    }  # fmt: skip


def test_front_matter_of_toml_gives_title_and_day(shared: Path) -> None:
    folder = shared / "samples/postmortems"
    dns = incident(
        (folder / "rust.dns-outage-portmortem.md").read_text(encoding="utf-8"), "rust.dns-outage-portmortem.md"
    )
    assert (dns.title, dns.at, dns.day_only) == ("DNS Outage on 2023-01-25", datetime(2023, 1, 26, tzinfo=UTC), True)
    assert set(dns.sections) >= {SectionKind.CAUSE, SectionKind.RESOLUTION}
    raw = (folder / "rust.crates-io-postmortem.md").read_bytes()
    crates = incident(raw.decode(), "rust.crates-io-postmortem.md")
    assert crates.title == "crates-io Postmortem: Broken Crate Downloads"
    assert set(crates.sections) == {
        SectionKind.SUMMARY, SectionKind.TIMELINE, SectionKind.CAUSE, SectionKind.IMPACT, SectionKind.DETECTION, SectionKind.RESOLUTION,
        SectionKind.LESSONS, SectionKind.ACTION_ITEMS, SectionKind.OTHER,
    }  # fmt: skip
    assert next(connector("postmortems").split(raw, {"path": "c.md"})).published_at == datetime(2023, 7, 23, tzinfo=UTC)
    with pytest.raises(BadRecord, match="is not TOML"):
        incident("+++\ntitle = \n+++\n# x\n")


def test_a_page_without_front_matter_says_its_day_in_its_first_lines(shared: Path) -> None:
    name = "zalando.jan-2019-dns-outage.md"
    found = incident((shared / "samples/postmortems" / name).read_text(encoding="utf-8"), name)
    assert (found.title, found.at, found.day_only) == (
        "Total DNS outage in Kubernetes cluster",
        datetime(2019, 1, 8, tzinfo=UTC),
        True,
    )
    assert set(found.sections) == {
        SectionKind.SUMMARY, SectionKind.TIMELINE, SectionKind.CAUSE, SectionKind.LESSONS, SectionKind.ACTION_ITEMS,
    }  # fmt: skip


def test_a_log_of_many_incidents_states_each(shared: Path) -> None:
    for name, first in (
        ("moj.incident-log.2024.md", "2024-09-20 11:24"),
        ("moj.incident-log.older.md", "2020-09-21 18:27"),
    ):
        raw = (shared / "samples/postmortems" / name).read_bytes()
        found = [one for one in read("postmortems", raw, path=name) if isinstance(one, Incident)]
        assert (len(found), len({one.id for one in found})) == (8, 8)
        assert found[0].at == datetime.fromisoformat(f"{first}+00:00")
        assert all(one.fixes and one.resolved_at and "Time to repair" not in str(one.sections) for one in found)


def test_a_blank_entry_of_a_log_leaves_the_others_alone() -> None:
    text = "# Log\n\n## Outage of 3 March 2026\n\n**Impact**: all\n\n## INC-12 Postmortem template\n\n## Incident 7: slow pay\n\n**Resolution**: We restarted pay.\n"
    pieces = list(connector("postmortems").split(text.encode(), {"path": "log.md"}))
    assert [(piece.part, piece.problem != "") for piece in pieces] == [
        ("log.md#outage-of-3-march-2026", False), ("log.md#inc-12-postmortem-template", True), ("log.md#incident-7-slow-pay", False),
    ]  # fmt: skip


def test_a_page_of_prose_is_its_summary() -> None:
    found = incident(
        "On 4 May 2025 the shop was down for an hour. A release held every connection. We rolled back the release and it recovered.\n"
    )
    assert (found.at, list(found.sections)) == (datetime(2025, 5, 5, tzinfo=UTC), [SectionKind.SUMMARY])
    assert [fix.action.value for fix in found.fixes] == ["rollback"]


def test_runbooks_of_middleman_have_their_front_matters_title(shared: Path) -> None:
    folder = shared / "samples/runbooks"
    (page,) = read(
        "runbooks", (folder / "moj.elasticsearch-storage-issues.html.md.txt").read_bytes(), path="e.html.md.erb"
    )
    assert isinstance(page, Runbook)
    assert (page.title, page.attributes["last_reviewed_on"], page.attributes["review_in"]) == (
        "Elasticsearch Storage Issues",
        "2024-08-29",
        "6 months",
    )
    assert [one.heading for one in page.sections][:2] == ["Elasticsearch Storage Issues", "Hot/Warm Node Parity"]
    (alert,) = read(
        "runbooks", (folder / "govuk.RouterErrorRatioTooHigh.md").read_bytes(), path="RouterErrorRatioTooHigh.md"
    )
    assert isinstance(alert, Runbook)
    assert (alert.title, alert.alerts, alert.attributes["owner_slack"]) == (
        "Router error ratio too high", ("RouterErrorRatioTooHigh",), "#govuk-platform-engineering-team",
    )  # fmt: skip


def test_a_record_of_morgue_has_its_columns_read() -> None:
    row = b'{"id": 7, "title": "Search down", "summary": "Slow.", "tldr": "A loop.", "why_surprised": "No alert.", "starttime": 1772409900, "endtime": 1772413500, "detecttime": 1772410000, "severity": 2, "owner_team": "search"}'
    (found,) = read("postmortems", row, path="morgue.json")
    assert isinstance(found, Incident)
    assert (found.at, found.severity, found.attributes["owner_team"]) == (
        datetime(2026, 3, 2, 0, 5, tzinfo=UTC),
        "2",
        "search",
    )
    assert dict(found.sections) == {SectionKind.SUMMARY: "Slow.\n\nA loop.", SectionKind.LESSONS: "No alert."}
