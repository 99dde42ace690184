"""
Markup of other tools becomes our Markdown, whole and in bounded time.
"""

from __future__ import annotations

import time
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import BadRecord
from ingest.incident_pages import read_page, why_empty
from ingest.markdown import parse
from ingest.markup import adf_text, storage_text, wiki_text


def test_wiki_markup_becomes_markdown() -> None:
    text = """h2. Root cause
The *pool* was {{exhausted}}, see [the board|https://g.example/x] and [~bob].
* one
** two
# three
{code:java|title=x}
int a = 1; // h1. no heading, {panel}
{code}
||Time||What||
|10:00|down|
{panel:title=Impact}
Users were {color:red}hurt{color}.
{panel}
----
bq. it is slow
{noformat}
raw *text*
"""
    assert wiki_text(text) == (
        "## Root cause\n\nThe **pool** was `exhausted`, see [the board](https://g.example/x) and @bob.\n- one\n  - two\n1. three\n\n"
        "```java\nint a = 1; // h1. no heading, {panel}\n```\n\n"
        "| Time | What |\n| --- | --- |\n| 10:00 | down |\n\n**Impact**\n\nUsers were hurt.\n\n***\n\n> it is slow\n\n"
        "```\nraw *text*\n```"
    )


def test_a_document_tree_becomes_markdown() -> None:
    def text(said: str, *marks: dict[str, object]) -> dict[str, object]:
        return {"type": "text", "text": said, **({"marks": list(marks)} if marks else {})}

    def node(kind: str, *content: dict[str, object], **attrs: object) -> dict[str, object]:
        return {"type": kind, "content": list(content), **({"attrs": attrs} if attrs else {})}

    tree = node(
        "doc",
        node("heading", text("Root cause"), level=2),
        node("paragraph", text("The "), text("pool", {"type": "strong"}), text(" of "), node("mention", id="1", text="@bob"), node("hardBreak"), text("see "), text("it", {"type": "link", "attrs": {"href": "https://g.example"}})),
        node("panel", node("paragraph", text("Careful")), panelType="warning"),
        node("expand", node("codeBlock", text("a = 1\n# b"), language="python"), title="Code"),
        node("taskList", node("taskItem", text("Test it"), state="DONE"), node("taskItem", text("Fix it"), state="TODO")),
        node("orderedList", node("listItem", node("paragraph", text("one")), node("bulletList", node("listItem", node("paragraph", text("two")))))),
        node("table", node("tableRow", node("tableHeader", node("paragraph", text("At"))), node("tableHeader", node("paragraph", text("What")))), node("tableRow", node("tableCell", node("paragraph", node("date", timestamp="1772409600000"))), node("tableCell", node("paragraph", node("status", text="DOWN"))))),
        node("rule"),
    )  # fmt: skip
    wanted = (
        "## Root cause\n\nThe **pool** of @bob\nsee [it](https://g.example)\n\nCareful\n\n**Code**\n\n```python\na = 1\n# b\n```\n\n"
        "- [x] Test it\n- [ ] Fix it\n\n1. one\n  - two\n\n| At | What |\n| --- | --- |\n| 2026-03-02 | DOWN |\n\n***"
    )
    assert adf_text(tree) == wanted
    assert adf_text(orjson.dumps(tree).decode()) == wanted
    assert (adf_text("plain {text}"), adf_text(None), adf_text([1])) == ("plain {text}", "", "")


def test_a_real_ticket_is_read_whole(shared: Path) -> None:
    issue = orjson.loads((shared / "samples/jira/rest.issue.v3.json").read_bytes())
    text = adf_text(issue["fields"]["description"])
    assert text.startswith(
        "**Description**: This bucket/blob container/storage account has an overly permissive policy"
    )
    assert text.endswith("Source Automation Rule: High or Critical finding discovered")


def test_what_looks_like_markdown_in_a_paragraph_is_no_heading() -> None:
    assert [one.heading for one in parse(storage_text("<p># not one</p><p>nor<br/>---</p><h2>One</h2>")).sections] == [
        "",
        "One",
    ]


def test_no_address_that_runs_is_kept() -> None:
    assert storage_text('<a href="javascript:alert(1)">x</a> <a href="data:text/html,x">y</a>') == "x y"


@pytest.mark.parametrize(
    "piece",
    [
        "<", "<a ", "<!--", "<![CDATA[", "<!DOCTYPE", "<?", '<a b="', "<p>", "<li>", "</p>", "&lt", "<b><i>", "<td><table>", "{code}", "[", "[a|", "*a", "{{",
        "!a.", "|", "h1. ", "\\\\", "<script>", "**a", "- **", "[ ", "{panel:title=", "<ul><li>",
    ],
)  # fmt: skip
def test_no_text_takes_long(piece: str) -> None:
    started = time.process_time()
    for reader in (storage_text, wiki_text):
        try:
            reader(piece * (400_000 // len(piece)))
        except BadRecord as error:
            assert "more than" in str(error) or "declares" in str(error)
    assert time.process_time() - started < 8


@given(st.text(alphabet="<>/!-[]CDATA&;= \"'abplih1{}|*#\n", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for reader in (storage_text, wiki_text, adf_text):
        try:
            found = reader(text)
        except BadRecord:
            continue
        read_page(parse(found))
        why_empty(parse(found), "page")
