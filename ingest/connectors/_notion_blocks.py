"""
Notion's blocks as Markdown, once a payload's pages and blocks are sorted by what they stand below.
"""

from __future__ import annotations

import re

from ingest.contract import Body
from ingest.fields import at, first, list_at, text, text_at, unwrapped
from ingest.xhtml_text import fenced, link, paragraph, table

_MARK = {"bulleted_list_item": "- ", "numbered_list_item": "1. ", "to_do": "- [ ] ", "quote": "> "}
MAX_DEPTH = 40
"""Of blocks below blocks."""
HEADING = re.compile(r"heading_([1-4])$")
_LEAVES = {"child_database", "breadcrumb", "table_of_contents", "unsupported", "template"}


class Found:
    """
    The pages of a payload, and its blocks by what they stand below (empty: nothing says so).
    """

    def __init__(self) -> None:
        self.pages: list[Body] = []
        self.blocks: dict[str, list[Body]] = {}
        self.block_ids: set[str] = set()
        self.others = 0

    def take(self, value: object, above: str = "") -> None:
        """
        Whatever an API answers, in lists, in wrappers, or with blocks put under their page.
        """
        if isinstance(value, list):
            for one in value:
                self.take(one, above)
        elif isinstance(value, dict):
            self._object(unwrapped(value), above)

    def _object(self, body: Body, above: str) -> None:
        kind = body.get("object")
        if kind == "block" or (
            kind is None and isinstance(body.get(str(body.get("type"))), dict) and "entity" not in body
        ):
            self._block(body, above)
            return
        if kind == "page" or ("properties" in body and "parent" in body and kind is None):
            self.pages.append(body)
            above = plain_id(body.get("id"))
        elif kind in ("database", "data_source", "user", "comment") or "entity" in body or "verification_token" in body:
            self.others += 1
            self._event(body)
            return
        page = body.get("page")
        if isinstance(page, dict) and "id" in page:
            self.take(page)
            above = plain_id(page.get("id"))
        for key in ("results", "blocks", "children", "content", "pages"):
            inner = body.get(key)
            if isinstance(inner, list | dict):
                self.others += kind == "list"
                self.take(inner, above)

    def _block(self, body: Body, above: str) -> None:
        parent = body.get("parent")
        key = above or plain_id(first(at(parent, "page_id"), at(parent, "block_id")))
        self.blocks.setdefault(key, []).append(body)
        own = plain_id(body.get("id"))
        inner = [
            *list_at(body, "children"),
            *list_at(body, str(body.get("type")), "children"),
            *list_at(body, "children", "results"),
        ]
        if inner:
            self.block_ids.add(own)
            self.take(inner, own or above)
        elif body.get("has_children"):
            self.block_ids.add(own)

    def _event(self, body: Body) -> None:
        kind, identity = text_at(body, "type") or "", text_at(body, "entity", "id")
        if identity and text_at(body, "entity", "type") == "page":
            self.pages.append({"id": identity, "event": kind, "last_edited_time": body.get("timestamp")})


def plain_id(value: object) -> str:
    """
    An id without hyphens, as names of exported files have it.
    """
    return (text(value) or "").replace("-", "")


def blocks_text(blocks: list[Body], found: Found) -> str:
    """
    Blocks with those below them.
    """
    return _blocks(blocks, found, set(), MAX_DEPTH)


def _blocks(blocks: list[Body], found: Found, shown: set[str], depth: int) -> str:
    """
    `shown` are those whose inner blocks stand already: each stands once, whatever the payload says.
    """
    made: list[str] = []
    for block in blocks:
        own = plain_id(block.get("id"))
        inner = [] if not own or own in shown or not depth else found.blocks.get(own, [])
        shown.add(own)
        written = _block(block, inner, found, shown, depth - 1)
        if written.strip():
            tight = bool(made) and str(block.get("type")) in _MARK and _item(made[-1])
            made.append(("\n" if tight else "\n\n" if made else "") + written)
    return "".join(made)


def _item(written: str) -> bool:
    return written.lstrip("\n").startswith(("- ", "1. ", "> "))


def _block(block: Body, inner: list[Body], found: Found, shown: set[str], depth: int) -> str:
    kind = str(block.get("type"))
    if kind in _LEAVES:
        return ""
    heading = HEADING.match(kind)
    below = "" if kind == "table" else _blocks(inner, found, shown, depth)
    said = said_of(block)
    if heading:
        title = " ".join(said.replace("**", "").split())
        return "\n\n".join(filter(None, [f"{'#' * int(heading[1])} {title}" if title else "", below]))
    if kind == "code":
        return fenced(said.replace("**", ""), text_at(block, kind, "language") or "")
    if kind == "table":
        rows = [one for one in inner if one.get("type") == "table_row"]
        return table([[rich_text(cell) for cell in list_at(one, "table_row", "cells")] for one in rows])
    if kind == "divider":
        return "***"
    if kind in _MARK:
        done = at(block, kind, "checked") is True
        lines = "\n".join(filter(None, [said.strip(), below])).split("\n")
        mark = "- [x] " if done else _MARK[kind]
        return "\n".join([mark + lines[0], *(f"  {line}" if line else "" for line in lines[1:])])
    return "\n\n".join(filter(None, [paragraph(said), below]))


def said_of(block: Body) -> str:
    """
    A block's own text.
    """
    kind = str(block.get("type"))
    inner = block.get(kind)
    rich = rich_text(at(inner, "rich_text") or at(inner, "text") or at(inner, "caption"))
    if kind in ("bookmark", "embed", "link_preview", "link_to_page"):
        return link(rich, text_at(inner, "url") or "")
    return rich or first(at(inner, "title"), at(inner, "expression")) or ""


def rich_text(value: object) -> str:
    """
    Runs of text, put together again.
    """
    parts = value if isinstance(value, list) else []
    return "".join(_run(one) for one in parts if isinstance(one, dict))


def _run(one: Body) -> str:
    given = first(at(one, "plain_text"), at(one, "text", "content"), at(one, "equation", "expression"))
    raw = at(one, "text", "content") if at(one, "type") == "text" else None
    said = raw if isinstance(raw, str) else given or ""
    body = said.strip()
    if not body:
        return said
    target = first(one.get("href"), at(one, "text", "link", "url")) or ""
    made = f"`{body}`" if at(one, "annotations", "code") is True and "`" not in body else body
    made = link(made, target) if target else made
    made = f"**{made}**" if at(one, "annotations", "bold") is True and "**" not in made else made
    start = said.index(body)
    return f"{said[:start]}{made}{said[start + len(body) :]}"
