"""
Google Docs: headings by their style, tabs one after another, chips by their names.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import Incident, Runbook, SectionKind
from ingest.connectors import recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, read

OWN = (DATA / "google_docs.json").read_bytes()


def test_a_document_with_tabs_is_one_runbook() -> None:
    (page,) = read("google_docs", OWN)
    assert isinstance(page, Runbook)
    assert (page.id, page.title) == ("google_docs:1AbCdEf", "Runbook: sorting belt stops")
    assert page.url == "https://docs.google.com/document/d/1AbCdEf/edit"
    assert page.attributes == {"version": "ALm37BV"}
    assert [(one.level, one.heading, one.text) for one in page.sections] == [
        (1, "Steps", ""),
        (1, "Sorting belt stops", ""),
        (1, "Symptoms", "BeltStopped fires."),
        (1, "Mitigation", "1. Stop the feed\n  - both lanes\n1. **Clear the jam**\n\n| Lane | Switch |\n| --- | --- |\n| A | S\\|1 |"),
        (1, "People", "Ada Byron owns it, see [the board](https://docs.google.com/spreadsheets/d/x)"),
    ]  # fmt: skip


def test_an_exported_page_is_read_and_its_links_are_the_real_ones() -> None:
    text = (
        '<html><head><meta content="text/html"><style>.c1{}</style></head><body class="c2"><p class="c3 title"><span>Incident review: belt</span></p>'
        '<h2 class="c4"><span>Root cause:</span></h2><p class="c1"><span>A label jammed it, see </span><span class="c5">'
        '<a href="https://www.google.com/url?q=https://parcels.example/x&amp;sa=D">the log</a></span><span>.</span></p>'
        "<h2>Timeline</h2><ul class='lst'><li><span>2026-03-02 10:00 stopped</span></li></ul></body></html>"
    )
    (review,) = read("google_docs", text.encode(), path="docs/Belt_review.html")
    assert isinstance(review, Incident)
    assert (review.id, review.title) == ("google_docs:Belt_review", "Incident review: belt")
    assert review.sections[SectionKind.CAUSE] == "A label jammed it, see [the log](https://parcels.example/x)."
    assert review.sections[SectionKind.TIMELINE] == "- 2026-03-02 10:00 stopped"


def test_the_markdown_export_is_read() -> None:
    (page,) = read("google_docs", b"# **Belt stops**\r\n\r\n## Steps\r\n\r\nStop it.\r\n", path="Belt.md")
    assert isinstance(page, Runbook)
    assert (page.title, page.sections[-1].heading, page.sections[-1].text) == ("Belt stops", "Steps", "Stop it.")


def test_a_real_document_has_its_sections(shared: Path) -> None:
    raw = (shared / "samples/google_docs/document.readme.json").read_bytes()
    (page,) = read("google_docs", raw)
    assert isinstance(page, Runbook)
    assert (page.id, page.title) == ("google_docs:readme_doc_full_v3", "GDoc-Scribe README")
    assert [one.heading for one in page.sections] == [
        "GDoc-Scribe", "Features", "Installation", "Browser Usage (CDN)", "Usage Example", "Sensitive Data Example", "License",
    ]  # fmt: skip
    assert page.sections[2].text == "```bash\nnpm install gdoc-scribe\n```"
    assert page.sections[1].text.startswith("- 🚀 **Dual Support**: Works seamlessly")
    found = recognise(orjson.loads(raw), {})
    assert found is not None
    assert found.name == "google_docs"


def test_what_is_no_document_is_refused() -> None:
    with pytest.raises(BadRecord, match="neither `body` nor `tabs`"):
        read("google_docs", b'{"documentId": "x"}')


def test_footnotes_stand_at_the_end() -> None:
    def said(text: str) -> dict[str, object]:
        return {"content": [{"paragraph": {"elements": [{"textRun": {"content": text}}]}}]}

    raw = orjson.dumps(
        {"documentId": "f", "title": "Belt", "body": said("Stop it.\n"), "footnotes": {"kix.1": said(" Both lanes.\n")}}
    )
    (page,) = read("google_docs", raw)
    assert isinstance(page, Runbook)
    assert page.sections[0].text == "Stop it.\n\nBoth lanes."
