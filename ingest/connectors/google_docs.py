"""
Google Docs: the API's document (with or without tabs, in an answer of Drive too), and its export as HTML or Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from graph.values import Trust
from ingest.contract import Body, Connector, Headers, Piece
from ingest.errors import BadRecord
from ingest.fields import at, first, list_at, moment_at, objects_at, text_at
from ingest.pages import Page, piece_of, stated
from ingest.parsing import json_lines, load_json, mapping_of, text_of, unpack
from ingest.xhtml import tree_of
from ingest.xhtml_text import joined, link, markdown_of, paragraph, table

TOOL = "google_docs"
_HEADING = re.compile(r"HEADING_([1-6])$")
_ORDERED = {"DECIMAL", "ZERO_DECIMAL", "ALPHA", "UPPER_ALPHA", "ROMAN", "UPPER_ROMAN"}
MAX_TABS = 8
"""Levels of tabs below tabs."""


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece a document.
    """
    path = meta.get("path", "the document")
    body = unpack(raw, path)
    name = path.removesuffix(".gz")
    if name.endswith((".html", ".htm", ".md", ".markdown", ".txt")):
        yield piece_of(_exported(text_of(body, path), name), meta)
    elif name.endswith((".jsonl", ".ndjson")):
        for number, line in json_lines(body):
            try:
                yield from _pieces(load_json(line, f"line {number} of {path}"), path, meta)
            except BadRecord as error:
                yield Piece(part=f"{path}#{number}", body=line.decode("utf-8", "replace"), problem=str(error))
    else:
        yield from _pieces(load_json(text_of(body, path), path), path, meta)


def _pieces(value: object, path: str, meta: Mapping[str, str]) -> Iterator[Piece]:
    for one in value if isinstance(value, list) else [value]:
        body = mapping_of(one, path)
        inner = [*objects_at(body, "documents"), *objects_at(body, "data")]
        for each in inner or [body]:
            yield piece_of(page_of(each, path), meta)


def page_of(body: Body, path: str) -> Page:
    """
    A document, alone or beside what Drive says of its file.
    """
    document = next((found for key in ("document", "doc") if isinstance(found := body.get(key), dict)), body)
    file = next((found for key in ("file", "metadata") if isinstance(found := body.get(key), dict)), body)
    if "body" not in document and "tabs" not in document:
        raise BadRecord(
            f"{path} is no document of Google Docs: it has neither `body` nor `tabs`; send documents.get's answer"
        )
    identity = first(document.get("documentId"), file.get("id")) or PurePosixPath(path).stem
    return Page(
        tool=TOOL,
        id=identity,
        title=first(document.get("title"), file.get("name")) or "",
        text=document_text(document),
        url=first(file.get("webViewLink")) or f"https://docs.google.com/document/d/{identity}/edit",
        version=first(document.get("revisionId"), file.get("version")) or "",
        edited_at=moment_at(file, ["modifiedTime"], ["modifiedDate"]),
        parents=tuple(one for one in (first(file.get("parentName"), file.get("folder")),) if one),
    )


def document_text(document: Body) -> str:
    """
    The text of a document, tab by tab; where there are several, each below its title.
    """
    tabs = list(_tabs(document.get("tabs"), 1))
    if not tabs:
        return joined([*_content(document, document), *_footnotes(document)])
    alone = len(tabs) == 1
    return joined(
        joined(["" if alone else f"# {title}", *_content(inner, inner), *_footnotes(inner)])
        for title, inner in tabs
        if isinstance(inner, dict)
    )


def _footnotes(document: Body) -> Iterator[str]:
    notes = document.get("footnotes")
    for note in notes.values() if isinstance(notes, dict) else ():
        if isinstance(note, dict):
            yield from _content(note, document)


def _tabs(value: object, level: int) -> Iterator[tuple[str, object]]:
    for tab in value if isinstance(value, list) and level <= MAX_TABS else []:
        yield text_at(tab, "tabProperties", "title") or "Tab", at(tab, "documentTab")
        yield from _tabs(at(tab, "childTabs"), level + 1)


def _content(holder: Body, document: Body) -> Iterator[str]:
    """
    The blocks of a body or a cell; `document` knows the lists.
    """
    items: list[str] = []
    elements = objects_at(holder, "body", "content") or objects_at(holder, "content")
    for element in elements:
        written, listed = _element(element, document)
        if listed:
            items.append(written)
            continue
        if written:
            yield "\n".join(items)
            items = []
            yield written
    yield "\n".join(items)


def _element(element: Body, document: Body) -> tuple[str, bool]:
    if "table" in element:
        rows = objects_at(element, "table", "tableRows")
        cells = [
            [" ".join("\n".join(_content(cell, document)).split("\n")) for cell in objects_at(row, "tableCells")]
            for row in rows
        ]
        return table(cells), False
    written = element.get("paragraph")
    if not isinstance(written, dict):
        return "", False
    line = "".join(_run(one) for one in objects_at(written, "elements")).replace("\v", "\n").strip("\n")
    style = text_at(written, "paragraphStyle", "namedStyleType") or ""
    heading = _HEADING.match(style)
    if heading or style == "TITLE":
        title = " ".join(line.replace("**", "").split())
        return (f"{'#' * int(heading[1] if heading else 1)} {title}" if title else ""), False
    bullet = written.get("bullet")
    if isinstance(bullet, dict) and line.strip():
        return _bullet(bullet, document, line.strip()), True
    return paragraph(line), False


def _bullet(bullet: Body, document: Body, line: str) -> str:
    level = at(bullet, "nestingLevel")
    depth = level if isinstance(level, int) and 0 <= level < 9 else 0
    kinds = list_at(document, "lists", text_at(bullet, "listId") or "", "listProperties", "nestingLevels")
    glyph = text_at(kinds[depth], "glyphType") if depth < len(kinds) else None
    return f"{'  ' * depth}{'1. ' if glyph in _ORDERED else '- '}{line}"


def _run(element: Body) -> str:
    """
    A run of text, or a chip (a person, a link, a day). What is only suggested is not there yet.
    """
    run = element.get("textRun")
    if not isinstance(run, dict):
        return _chip(element)
    said = run.get("content")
    if not isinstance(said, str) or run.get("suggestedInsertionIds"):
        return ""
    body = said.strip()
    if not body or "```" in body:
        return said
    target = text_at(run, "textStyle", "link", "url")
    made = link(body, target) if target else body
    made = f"**{made}**" if at(run, "textStyle", "bold") is True and "**" not in made and "\n" not in made else made
    start = said.index(body)
    return f"{said[:start]}{made}{said[start + len(body) :]}"


def _chip(element: Body) -> str:
    person = at(element, "person", "personProperties")
    rich = at(element, "richLink", "richLinkProperties")
    day = at(element, "dateElement", "dateElementProperties")
    if isinstance(rich, dict):
        return link(text_at(rich, "title") or "", text_at(rich, "uri") or "")
    return first(at(person, "name"), at(day, "displayText"), at(day, "timestamp")) or ""


def _exported(written: str, path: str) -> Page:
    stem = PurePosixPath(path).stem
    name = stem.replace("_", " ").replace("-", " ") if " " not in stem else stem
    if path.endswith((".html", ".htm")):
        root = tree_of(written, path)
        titles = [one.text() for one in root.all("title")]
        titles += [one.text() for one in root.all("p", "h1") if "title" in one.attributes.get("class", "").split()]
        title, text = " ".join(next(filter(str.strip, titles), "").split()), markdown_of(root)
    else:
        title, text = "", written.replace("\r\n", "\n")
        first_line = text.lstrip().split("\n", 1)[0]
        title = first_line.lstrip("# ").replace("**", "").strip() if first_line.startswith("# ") else ""
    return Page(tool=TOOL, id=stem, title=title or name, text=text, parents=PurePosixPath(path).parts[-2:-1])


def recognises(body: Body, headers: Headers) -> bool:
    """
    Whether it is a document of the API.
    """
    document = body.get("document") if isinstance(body.get("document"), dict) else body
    return bool(at(document, "documentId")) and (
        at(document, "body", "content") is not None or isinstance(at(document, "tabs"), list)
    )


CONNECTOR = Connector(
    name=TOOL,
    summary="Google Docs: documents of the API with their tabs, and the HTML and Markdown export",
    trust=Trust.DECLARED,
    snapshot=True,
    split=split,
    transform=stated,
    patterns=("google_docs/*.json*", "google_docs/*.html", "*.gdoc.json"),
    recognises=recognises,
)
