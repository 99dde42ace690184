"""
What a heading announces, and which facts a label names.
"""

from __future__ import annotations

import pytest

from graph.values import SectionKind
from ingest.prose import day_in, named_field, section_kind, sorted_sections

NAMES = {
    SectionKind.SUMMARY: "Summary, Executive Summary, Issue Summary, Overview, TL;DR, tldr, Background, Incident Summary, What happened, Outage Description",
    SectionKind.IMPACT: "Impact, Customer impact, End User Impact, Summary of impact, Affected users, Productivity Impact, User-facing impact",
    SectionKind.TRIGGER: "Trigger, Trigger(s), What caused the incident?",
    SectionKind.CAUSE: "Root Cause(s), Root cause and mitigation, Root Cause of the Outage, Contributing Conditions Analysis, Contributing factors, Fault, Five whys, Process Breakdown(s), Root cause identification: the five whys",
    SectionKind.DETECTION: "Detection, Identified, First detected, Incident Detected By, Time to Detect",
    SectionKind.RESOLUTION: "Resolution, Resolution and recovery, Recovery, Mitigation & Resolution, Repaired, Mitigation",
    SectionKind.TIMELINE: "Timeline, Incident Timeline, Chain of Events, Context, Key events, Lead-up, Leadup, Timeline (UTC)",
    SectionKind.ACTION_ITEMS: "Action Items, Next steps, Corrective and Preventative Measures, Recommendations, Review actions, Follow-up(s), Remediation items, Corrective actions",
    SectionKind.LESSONS: "Lessons Learned, Lessons Learnt, What went well, What went wrong, What could have gone better, Where we got lucky, Where did we get lucky, Why surprised, why_surprised",
    SectionKind.OTHER: "Date, Authors, Status, Severity, Incident Number, Postmortem Lead, Facilitator, Start Date/Time, End Date/Time, Duration, Time to repair, Time to resolve, Owner team, Zebras",
}
FORMS = ("{}", "1. {}", "2.1 {}", "3) {}", "IV. {}", "🔥 {}", "⏱️ {}:", "{} 🚒", "{}:", "**{}**")


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, names in NAMES.items() for name in names.split(", ")]
)
def test_headings_are_recognised_in_every_dress(kind: SectionKind, name: str) -> None:
    assert {form: section_kind(form.format(name)) for form in FORMS} == dict.fromkeys(FORMS, kind)


@pytest.mark.parametrize(
    ("label", "field"),
    [
        ("Date", "date"), ("Authors", "authors"), ("Status", "status"), ("Incident Severity", "severity"), ("Incident Number", "number"),
        ("Postmortem Lead", "authors"), ("Facilitator", "authors"), ("Start Date/Time", "started"), ("End Date/Time", "resolved"), ("Duration", "duration"),
        ("Time to repair", "duration"), ("owner_team", "team"), ("Affected services", "services"), ("Start time:", "started"), ("The start", None),
    ],
)  # fmt: skip
def test_labels_name_facts(label: str, field: str | None) -> None:
    assert named_field(label) == field


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("on 2026-03-02 at noon", "2026-03-02"), ("Monday 7 January 2019", "2019-01-07"), ("March 2nd, 2026", "2026-03-02"), ("Sept 4 2025", "2025-09-04"),
        ("blog/2023/07/21/x", "2023-07-21"), ("2026-13-40", None), ("version 3.2.2026", None), ("may 2026", None),
    ],
)  # fmt: skip
def test_days_are_read(text: str, day: str | None) -> None:
    assert day_in(text) == day


def test_what_happened_is_the_cause_only_where_nothing_else_is() -> None:
    story = ("What happened", SectionKind.SUMMARY, "It fell.")
    cause, summary = ("Root cause", SectionKind.CAUSE, "A loop."), ("Summary", SectionKind.SUMMARY, "Short.")
    assert sorted_sections([story, cause]) == {SectionKind.SUMMARY: "It fell.", SectionKind.CAUSE: "A loop."}
    assert sorted_sections([summary, story]) == {SectionKind.SUMMARY: "Short.", SectionKind.CAUSE: "It fell."}
    assert sorted_sections([story]) == {SectionKind.SUMMARY: "It fell."}
