"""
Confluence's pages are told apart and lose no text, in every form in which they come.
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

OWN = (DATA / "confluence.json").read_bytes()


def storage(body: str, title: str = "Page", **more: object) -> bytes:
    """
    A REST content with this body.
    """
    return orjson.dumps({"id": "1", "type": "page", "title": title, "body": {"storage": {"value": body}}, **more})


def runbook(raw: bytes, **meta: str) -> Runbook:
    (found,) = read("confluence", raw, **meta)
    assert isinstance(found, Runbook)
    return found


def incident(raw: bytes, **meta: str) -> Incident:
    (found,) = read("confluence", raw, **meta)
    assert isinstance(found, Incident)
    return found


def test_a_list_of_pages_states_a_postmortem_and_a_runbook() -> None:
    review, page = read("confluence", OWN)
    assert isinstance(review, Incident)
    assert (review.id, review.severity, review.services) == (
        "confluence:7001", "SEV2", ("service:parcel-tracker", "service:label-printer"),
    )  # fmt: skip
    assert review.at == datetime(2026, 3, 2, 14, 5, tzinfo=UTC)
    assert review.resolved_at == datetime(2026, 3, 2, 15, 40, tzinfo=UTC)
    assert review.url == "https://parcels.example/wiki/spaces/OPS/pages/7001/x"
    assert [(fix.action, fix.target, fix.worked) for fix in review.fixes] == [
        (FixAction.ROLLBACK, "parcel-tracker", True)
    ]
    assert (
        review.sections[SectionKind.CAUSE]
        == "**In one line**\n\nRelease 4.18 opened a connection for each scan <and> never closed it."
    )
    assert review.sections[SectionKind.RESOLUTION].endswith(
        "**Commands**\n\n```bash\nhelm rollback parcel-tracker 41 # <- the one before\n"
        'if [ $? -gt 0 ]; then echo "no"; fi\n```'
    )
    assert review.sections[SectionKind.TIMELINE] == "- 14:05 errors begin\n- 14:20 @712020:aa-11 paged"
    assert review.sections[SectionKind.ACTION_ITEMS] == "- [ ] Pool connections (Pooling)\n- [x] Alert on open sockets"
    assert (review.attributes["version"], review.attributes["parent"]) == ("3", "Reviews")
    assert isinstance(page, Runbook)
    assert (page.id, page.title, page.alerts) == ("confluence:7002", "Parcel queue is stuck", ("ParcelQueueStuck",))
    assert [(one.level, one.heading, one.text) for one in page.sections[1:]] == [
        (1, "Meaning", "The queue of scans grows."),
        (1, "Diagnosis", "1. Open the [board](https://grafana.example/d/parcels)\n2. Look for **lag**\n   over 10 min"),
        (1, "Mitigation", "Never purge the queue.\n\nRestart the consumer."),
    ]


def test_a_page_is_known_by_its_id_and_since_its_version() -> None:
    pieces = list(connector("confluence").split(OWN, {"path": "x.json"}))
    assert [piece.part for piece in pieces] == ["page:7001", "page:7002", "page:7003"]
    assert pieces[0].published_at == datetime(2026, 3, 5, 10, 11, 12, 345000, tzinfo=UTC)
    assert pieces[0].occurred_at == datetime(2026, 3, 5, 10, 11, 12, 345003, tzinfo=UTC)
    assert pieces[1].published_at == datetime(2026, 2, 1, 7, tzinfo=UTC)


def test_version_2_pages_and_their_trees_are_read() -> None:
    tree = {"type": "doc", "version": 1, "content": [
        {"type": "heading", "attrs": {"level": 2}, "content": [{"type": "text", "text": "Mitigation"}]},
        {"type": "paragraph", "content": [{"type": "text", "text": "Restart it."}]},
    ]}  # fmt: skip
    body = {"results": [{
        "id": "9", "status": "current", "title": "Queue", "spaceId": "4", "parentId": "2",
        "version": {"number": 2, "createdAt": "2026-01-02T03:04:05Z"},
        "body": {"atlas_doc_format": {"representation": "atlas_doc_format", "value": orjson.dumps(tree).decode()}},
        "_links": {"webui": "/spaces/OPS/pages/9/Queue"},
    }], "_links": {"next": "/wiki/api/v2/pages?cursor=abc", "base": "https://parcels.example/wiki"}}  # fmt: skip
    found = recognise(body, {})
    assert found is not None
    assert found.name == "confluence"
    page = runbook(orjson.dumps(body))
    assert page.url == "https://parcels.example/wiki/spaces/OPS/pages/9/Queue"
    assert [(one.heading, one.text) for one in page.sections] == [("Mitigation", "Restart it.")]


@pytest.mark.parametrize(
    ("title", "more", "kind"),
    [
        ("Postmortem: checkout down", {}, Incident),
        ("2026-03-01 Incident review", {}, Incident),
        ("INC-123 checkout errors", {}, Incident),
        ("Checkout", {"metadata": {"labels": {"results": [{"name": "rca"}]}}}, Incident),
        ("Checkout", {"ancestors": [{"title": "Home"}, {"title": "Incident reviews"}]}, Incident),
        ("Postmortem: checkout down", {"metadata": {"labels": {"results": [{"name": "runbook"}]}}}, Runbook),
        ("How to write a postmortem", {"ancestors": [{"title": "Postmortems"}]}, Runbook),
        ("Incident response playbook", {}, Runbook),
        ("Checkout", {}, Runbook),
    ],
)
def test_labels_then_title_then_parents_tell_what_a_page_is(title: str, more: dict[str, object], kind: type) -> None:
    (found,) = read("confluence", storage("<h2>Overview</h2><p>It was slow on the day.</p>", title, **more))
    assert type(found) is kind


def test_sections_tell_what_a_page_is_where_nothing_else_does() -> None:
    body = "<h2>Root cause</h2><p>A loop.</p><h2>Timeline</h2><p>10:00 down</p><h2>Lessons</h2><p>Test it.</p>"
    assert incident(storage(body, "Checkout, Monday")).sections[SectionKind.CAUSE] == "A loop."


def test_a_sources_option_outranks_all_signs() -> None:
    assert incident(storage("<p>It fell over.</p>", "Runbook"), **{"as": "postmortem"}).title == "Runbook"
    with pytest.raises(BadRecord, match="write runbook or postmortem"):
        read("confluence", OWN, **{"as": "page"})


def test_a_page_without_its_text_says_what_to_ask_for(shared: Path) -> None:
    for name, count in (("rest.v1.content.json", 1), ("rest.v1.contents.json", 3)):
        raw = (shared / "samples/confluence" / name).read_bytes()
        pieces = list(connector("confluence").split(raw, {"path": name}))
        assert [("expand=body.storage" in one.problem) for one in pieces] == [True] * count
        found = recognise(orjson.loads(raw), {})
        assert found is not None
        assert found.name == "confluence"


def test_real_fragments_keep_their_sections_and_text(shared: Path) -> None:
    folder = shared / "samples/confluence"
    heads = {
        path.name: [
            (one.level, one.heading) for one in runbook(path.read_bytes(), path=path.name).sections if one.heading
        ]
        for path in sorted(folder.glob("*.xml.txt"))
    }
    assert heads == {
        "storage.basic.xml.txt": [(2, "Basic features")],
        "storage.collapsed.xml.txt": [(2, "Collapsed sections")],
        "storage.panel.xml.txt": [(2, "Admonitions")],
        "storage.sections.xml.txt": [
            (1, "Sections"), (2, "Section 1"), (2, "Section 2"), (2, "Section 3"), (3, "Subsection 3.1"),
            (4, "Subsection 3.1.1"), (3, "Subsection 3.2"),
        ],
        "storage.table.xml.txt": [(2, "Tables")],
    }  # fmt: skip
    collapsed = runbook((folder / "storage.collapsed.xml.txt").read_bytes(), path="c.xml").sections[-1].text
    assert "**Tips for collapsed sections**\n\nYou can add text" in collapsed
    assert '```ruby\nputs "Hello World"\n```' in collapsed
    assert (
        "| 1986 | MCMLXXXVI |"
        in runbook((folder / "storage.table.xml.txt").read_bytes(), path="t.xml").sections[-1].text
    )
    panel = runbook((folder / "storage.panel.xml.txt").read_bytes(), path="p.xml").sections[-1].text
    assert "This is the second paragraph with a [link](https://example.com/)." in panel


def test_a_fragment_reads_like_the_markdown_it_came_from(shared: Path) -> None:
    folder = shared / "samples/confluence"
    made = runbook((folder / "storage.sections.xml.txt").read_bytes(), path="s.xml").sections
    source = runbook((folder / "source-of.sections.md").read_bytes(), path="s.md").sections
    flat = [
        [(one.heading, " ".join(one.text.split())) for one in sections if one.heading] for sections in (made, source)
    ]
    assert flat[0] == flat[1]


def test_an_html_export_gives_title_id_and_body() -> None:
    text = (
        "<!DOCTYPE html><html><head><title>Operations : Belt stops</title><style>p {}</style></head><body>"
        '<ol id="breadcrumbs"><li class="first"><a href="index.html">Operations</a></li></ol>'
        '<div id="main-content" class="wiki-content group"><h1>Steps</h1><p>Stop the feed.</div><div>Footer</div></body></html>'
    )
    page = runbook(text.encode(), path="export/Belt-stops_70100.html")
    assert (page.id, page.title) == ("confluence:70100", "Belt stops")
    assert [(one.heading, one.text) for one in page.sections] == [("Steps", "Stop the feed.")]


def test_a_space_export_states_its_current_pages() -> None:
    text = """<?xml version="1.0" encoding="UTF-8"?><hibernate-generic datetime="2026-01-01 00:00:00">
<object class="Page" package="p"><id name="id">5</id><property name="title"><![CDATA[Belt stops]]></property>
<property name="version">2</property><property name="lastModificationDate">2026-01-02 03:04:05.678</property>
<property name="contentStatus"><![CDATA[current]]></property>
<property name="parent" class="Page" package="p"><id name="id">6</id></property></object>
<object class="Page" package="p"><id name="id">4</id><property name="title"><![CDATA[Belt]]></property>
<property name="originalVersion" class="Page" package="p"><id name="id">5</id></property></object>
<object class="BodyContent" package="p"><id name="id">8</id><property name="body"><![CDATA[<h2>Steps</h2><p>Use
<ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[stop]]]]><![CDATA[></ac:plain-text-body></ac:structured-macro></p>]]></property>
<property name="content" class="Page" package="p"><id name="id">5</id></property></object></hibernate-generic>"""
    page = runbook(text.encode(), path="entities.xml")
    assert (page.id, page.title, page.attributes["version"]) == ("confluence:5", "Belt stops", "2")
    assert [(one.heading, one.text) for one in page.sections] == [("Steps", "Use\n\n```\nstop\n```")]


def test_a_removed_page_states_nothing_and_an_update_without_text_is_kept() -> None:
    page = {
        "id": 12,
        "title": "Belt",
        "spaceKey": "OPS",
        "version": 3,
        "self": "https://p.example/wiki/spaces/OPS/pages/12",
    }
    gone = orjson.dumps({"event": "page_trashed", "timestamp": 1, "page": page})
    assert read("confluence", gone) == []
    (piece,) = connector("confluence").split(orjson.dumps({"event": "page_updated", "page": page}), {})
    assert (piece.part, "came without its text" in piece.problem) == ("page:12", True)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY b "&lol;&lol;">]><p>&b;</p>', "declares a document type or entities"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><p>&x;</p>', "declares a document type or entities"),
        ('<!ENTITY xxe SYSTEM "http://10.0.0.1/x">', "declares a document type or entities"),
        ("<div>" * 200, "nested more than 100 deep"),
        ("<b></b>" * 200_001, "more than 200000 elements"),
    ],
)  # fmt: skip
def test_hostile_markup_is_refused(body: str, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        read("confluence", storage(body))


def test_a_blank_template_states_nothing() -> None:
    body = (
        "<h2>Summary</h2><p><ac:placeholder>What happened?</ac:placeholder></p><h2>Root cause</h2><p/><h2>Timeline</h2>"
    )
    with pytest.raises(BadRecord, match="nothing below them"):
        read("confluence", storage(body, "Postmortem: "))
    with pytest.raises(BadRecord, match="is a template"):
        read("confluence", storage("<h2>Impact</h2><p>How many users were hurt?</p>", "Incident report template"))


def test_comments_and_attachments_are_no_pages() -> None:
    one = {
        "id": "3",
        "title": "Re: x",
        "body": {"storage": {"value": "<p>hi</p>"}},
        "_links": {"webui": "/spaces/OPS/pages/1"},
    }
    assert (
        read("confluence", orjson.dumps({"results": [{**one, "type": "comment"}, {**one, "type": "attachment"}]})) == []
    )


def test_search_results_hold_their_pages() -> None:
    content = orjson.loads(storage("<h2>Steps</h2><p>Stop.</p>", "Belt"))
    body = {
        "results": [{"content": content, "title": "Belt", "url": "/x", "entityType": "content"}],
        "_links": {"base": "https://p.example/wiki"},
    }
    assert runbook(orjson.dumps(body)).title == "Belt"
