"""
Notion's pages: properties and blocks become one document.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from graph.values import FixAction, Incident, Runbook, SectionKind
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, read

OWN = orjson.loads((DATA / "notion.json").read_bytes())
DIGITS = "1f2e3d4c5b6a47988899aabbccddeeff"


def test_a_page_with_its_blocks_is_a_postmortem_by_its_type() -> None:
    (review,) = read("notion", orjson.dumps(OWN))
    assert isinstance(review, Incident)
    assert (review.id, review.title, review.severity) == (f"notion:{DIGITS}", "Labels printed twice", "SEV3")
    assert (review.at, review.resolved_at) == (
        datetime(2026, 4, 1, 7, 30, tzinfo=UTC), datetime(2026, 4, 1, 9, tzinfo=UTC),
    )  # fmt: skip
    assert review.services == ("service:label-printer",)
    assert dict(review.sections) == {
        SectionKind.SUMMARY: "Draft until Friday",
        SectionKind.RESOLUTION: "We disabled the `retry_labels` flag.\n\nHow\n\n- open the console\n- switch it off\n"
        "  ```shell\n  flags off retry_labels\n  ```",
        SectionKind.ACTION_ITEMS: "- [ ] Make printing idempotent\n- [x] Tell support",
        SectionKind.CAUSE: "The job was sent again after a timeout.",
    }
    assert [(fix.action, fix.target) for fix in review.fixes] == [(FixAction.FLAG_OFF, "retry_labels flag")]
    assert review.url == f"https://www.notion.so/Label-printer-{DIGITS}"


def test_pages_and_blocks_of_lines_find_one_another() -> None:
    rows = [OWN["page"], {**OWN["blocks"], "results": list(reversed(OWN["blocks"]["results"]))[:2]}]
    (review,) = read("notion", b"\n".join(map(orjson.dumps, rows)), path="dump.jsonl")
    assert isinstance(review, Incident)
    assert review.sections[SectionKind.SUMMARY] == "- [x] Tell support\n- [ ] Make printing idempotent"


def test_blocks_alone_are_a_document_of_their_page() -> None:
    (page,) = read("notion", orjson.dumps(OWN["blocks"]))
    assert isinstance(page, Runbook)
    assert (page.id, page.title) == (f"notion:{DIGITS}", "Resolution")


def test_nested_blocks_given_apart_are_put_below_their_parent() -> None:
    page = {**OWN["page"], "properties": {"Name": {"id": "title", "type": "title", "title": [{"plain_text": "Belt"}]}}}
    above = {
        "object": "block",
        "id": "b1",
        "type": "paragraph",
        "has_children": True,
        "paragraph": {"rich_text": [{"plain_text": "Stop it"}]},
        "parent": {"page_id": page["id"]},
    }
    below = {
        "object": "block",
        "id": "b2",
        "type": "paragraph",
        "paragraph": {"rich_text": [{"plain_text": "both lanes"}]},
        "parent": {"block_id": "b1"},
    }
    (found,) = read("notion", orjson.dumps([page, {"results": [above]}, {"results": [below]}]))
    assert isinstance(found, Runbook)
    assert [one.text for one in found.sections] == ["Stop it\n\nboth lanes"]


def test_the_markdown_export_has_its_id_in_its_name() -> None:
    text = "# Belt stopped\n\nSeverity: SEV1\nDate: March 2, 2026\nTags: postmortem, belts\n\n## What happened\n\nIt jammed.\n\n## Root cause\n\nA label.\n"
    (review,) = read("notion", text.encode(), path=f"Reviews 0{'1' * 31}/Belt stopped {DIGITS}.md")
    assert isinstance(review, Incident)
    assert (review.id, review.title, review.severity, review.day_only) == (
        f"notion:{DIGITS}",
        "Belt stopped",
        "SEV1",
        True,
    )
    assert review.at == datetime(2026, 3, 3, tzinfo=UTC)
    assert dict(review.sections) == {SectionKind.SUMMARY: "It jammed.", SectionKind.CAUSE: "A label."}


def test_the_html_export_is_read_too() -> None:
    text = (
        f'<html><head><title>Belt</title></head><body><article id="{DIGITS[:8]}-{DIGITS[8:12]}-{DIGITS[12:16]}-{DIGITS[16:20]}-{DIGITS[20:]}" class="page sans">'
        '<header><h1 class="page-title">Belt</h1><table class="properties"><tbody><tr class="property-row property-row-select">'
        '<th>Type</th><td><span class="selected-value">Runbook</span></td></tr></tbody></table></header>'
        '<div class="page-body"><h2>Steps</h2><ul class="bulleted-list"><li>Stop</li></ul></div></article></body></html>'
    )
    (page,) = read("notion", text.encode(), path="Belt.html")
    assert isinstance(page, Runbook)
    assert (page.id, page.attributes["labels"]) == (f"notion:{DIGITS}", "Runbook")
    assert [(one.heading, one.text) for one in page.sections] == [("Steps", "- Stop")]


def test_an_archived_page_and_a_deleted_one_state_nothing() -> None:
    assert read("notion", orjson.dumps({**OWN["page"], "archived": True})) == []
    event = {
        "id": "e",
        "type": "page.deleted",
        "timestamp": "2026-04-03T00:00:00.000Z",
        "entity": {"id": OWN["page"]["id"], "type": "page"},
    }
    (piece,) = connector("notion").split(orjson.dumps(event), {})
    assert piece.part == f"page:{DIGITS}"
    assert read("notion", orjson.dumps(event)) == []
    assert read("notion", b'{"verification_token": "secret_x"}') == []


def test_an_event_without_text_is_kept_with_its_reason() -> None:
    event = {"id": "e", "type": "page.content_updated", "entity": {"id": "ab", "type": "page"}}
    (piece,) = connector("notion").split(orjson.dumps(event), {})
    assert "came without its blocks" in piece.problem


def test_real_answers_state_what_they_hold(shared: Path) -> None:
    folder = shared / "samples/notion"
    (page,) = read("notion", (folder / "block_get_children.json").read_bytes(), path="block_get_children.json")
    assert isinstance(page, Runbook)
    assert (page.title, [(one.heading, one.text) for one in page.sections]) == (
        "Heading1",
        [("Heading1", "- [x] todo")],
    )
    for name, title in (("page_get.json", "Hello"), ("database_query.json", "ba"), ("search.json", "hello")):
        (piece,) = connector("notion").split((folder / name).read_bytes(), {"path": name})
        assert piece.problem.startswith(f"the page {title} came without its blocks"), name
        found = recognise(orjson.loads((folder / name).read_bytes()), {})
        assert found is not None
        assert found.name == "notion"


def test_what_is_no_answer_of_notion_is_refused() -> None:
    with pytest.raises(BadRecord, match="neither a page nor blocks"):
        read("notion", b'{"hello": 1}')


def test_blocks_that_hold_one_another_end() -> None:
    rows = [
        {
            "object": "block",
            "id": f"b{n}",
            "type": "paragraph",
            "has_children": True,
            "paragraph": {"rich_text": [{"plain_text": f"p{n}"}]},
            "parent": {"block_id": f"b{n - 1}"} if n else {"page_id": "ab"},
        }
        for n in range(300)
        for _ in range(2)
    ]
    loop = {**rows[0], "id": "b0", "parent": {"block_id": "b299"}}
    (found,) = read("notion", b"\n".join(map(orjson.dumps, [*rows, loop])), path="dump.jsonl")
    assert isinstance(found, Runbook)
    assert len(found.sections[0].text) < 1000
