"""
Jira's texts as Markdown: the trees of the Atlassian Document Format (REST v3), and wiki markup (v2, webhooks).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.fields import at, first, list_at, text, text_at

_HEADING = re.compile(r"(?m)^h([1-6])\.[ \t]*")
_BOLD_LABEL = re.compile(r"(?m)^\*([^*\n]{2,60})\*(?=[ \t]*:|:?[ \t]*$)|^\*([^*\n]{2,60}:)\*")
_BLOCKS = (
    "paragraph",
    "heading",
    "codeBlock",
    "rule",
    "tableRow",
    "mediaSingle",
    "blockCard",
    "embedCard",
    "decisionItem",
    "taskItem",
)


def markdown(value: object) -> str | None:
    """
    A text of either kind as Markdown; None where there is none.
    """
    if isinstance(value, dict):
        found = "\n\n".join(block for block in _blocks(value) if block.strip())
        return found or None
    wiki = text(value)
    if wiki is None:
        return None
    headed = _HEADING.sub(lambda mark: "#" * int(mark[1]) + " ", wiki)
    return _BOLD_LABEL.sub(lambda mark: f"**{mark[1] or mark[2]}**", headed)


def _blocks(node: object, bullet: str = "") -> Iterator[str]:
    kind = text_at(node, "type")
    if kind in ("bulletList", "orderedList", "taskList", "decisionList"):
        yield "\n".join(_items(node, bullet))
    elif kind in _BLOCKS:
        yield _block(node, kind)
    elif kind == "text" or not isinstance(node, dict):
        yield _inline(node)
    elif kind in ("expand", "nestedExpand") and text_at(node, "attrs", "title"):
        yield f"### {text_at(node, 'attrs', 'title')}"
        for child in list_at(node, "content"):
            yield from _blocks(child)
    else:
        for child in list_at(node, "content"):
            yield from _blocks(child)


def _block(node: object, kind: str) -> str:
    told = "".join(_inline(child) for child in list_at(node, "content"))
    if kind == "heading":
        level = at(node, "attrs", "level")
        return f"{'#' * (level if isinstance(level, int) and 1 <= level <= 6 else 2)} {told}"
    if kind == "codeBlock":
        return f"```\n{told}\n```"
    if kind == "tableRow":
        cells = [" ".join(block for block in _blocks(cell)) for cell in list_at(node, "content")]
        return " | ".join(cells)
    return told or _inline(node)


def _items(node: object, bullet: str) -> Iterator[str]:
    for child in list_at(node, "content"):
        parts = [part for block in list_at(child, "content") for part in _blocks(block, bullet + "  ")]
        if text_at(child, "type") in ("taskItem", "decisionItem"):
            parts = ["".join(_inline(one) for one in list_at(child, "content"))]
        for number, part in enumerate(part for part in parts if part.strip()):
            yield f"{bullet}- {part}" if number == 0 else part


def _inline(node: object) -> str:
    kind = text_at(node, "type")
    if kind == "text":
        body = at(node, "text")
        told = body if isinstance(body, str) else ""
        strong = any(text_at(mark, "type") == "strong" for mark in list_at(node, "marks"))
        return f"**{told.strip()}**{' ' if told.endswith(' ') else ''}" if strong and told.strip() else told
    if kind == "hardBreak":
        return "\n"
    found = first(*(at(node, "attrs", key) for key in ("text", "url", "shortName")))
    return found or "".join(_inline(child) for child in list_at(node, "content"))
