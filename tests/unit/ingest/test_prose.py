"""
What a heading announces.
"""

from __future__ import annotations

import pytest

from graph.values import SectionKind
from ingest.prose import section_kind


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
