"""
Notion's pages: properties and blocks of the API (one answer or several together, nested blocks, data bases), webhooks,
and the Markdown or HTML export, whose files end in a page's 32 digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from graph.values import SectionKind, Trust
from ingest.connectors._notion_blocks import HEADING, Found, blocks_text, plain_id, rich_text, said_of
from ingest.contract import Body, Connector, Headers, Piece
from ingest.errors import BadRecord
from ingest.fields import at, first, moment_at, objects_at, text, text_at
from ingest.pages import Page, piece_of, stated
from ingest.parsing import json_lines, load_json, text_of, unpack
from ingest.prose import named_field, section_kind
from ingest.signing import Hmac
from ingest.xhtml import tree_of
from ingest.xhtml_text import markdown_of, paragraph

TOOL = "notion"
_ID = re.compile(r"([0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$")
_PROPERTY = re.compile(r"^([^\n:]{1,60}): (.+)$")
_LABELS = {"tags", "tag", "labels", "type", "category", "kind"}


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece a page: what is together in one payload (a page, its blocks, blocks below blocks) becomes one.
    """
    path = meta.get("path", "the delivery")
    body = unpack(raw, path)
    name = path.removesuffix(".gz")
    if name.endswith((".md", ".markdown", ".html")):
        yield piece_of(_exported(text_of(body, path), name), meta)
    elif name.endswith((".jsonl", ".ndjson")):
        yield from _pieces([load_json(line, f"line {number} of {path}") for number, line in json_lines(body)], meta)
    else:
        yield from _pieces(load_json(text_of(body, path), path), meta)


def _pieces(value: object, meta: Mapping[str, str]) -> Iterator[Piece]:
    found = Found()
    found.take(value)
    if not (found.pages or found.blocks or found.others):
        raise BadRecord("it holds neither a page nor blocks of Notion; send answers of its API or its Markdown export")
    for page in found.pages:
        yield _piece(page, found, meta)
    known = {plain_id(page.get("id")) for page in found.pages}
    loose = [key for key in found.blocks if key not in known and key not in found.block_ids]
    for key in loose:
        if not (key == "" and len(found.pages) == 1):
            named = key or PurePosixPath(meta.get("path", "page")).stem
            yield piece_of(_page_of_blocks(named, found, key), meta)


def _piece(body: Body, found: Found, meta: Mapping[str, str]) -> Piece:
    page = _page(body)
    event = text_at(body, "event")
    if page.gone:
        return piece_of(page, meta)
    identity = page.id
    blocks = found.blocks.get(identity) or (found.blocks.get("", []) if len(found.pages) == 1 else [])
    written = [blocks_text(blocks, found), page.text]
    page = replace(page, text="\n\n".join(filter(None, written)))
    if event or not (page.text or "date" in {named_field(key) for key in page.facts}):
        return Piece(
            part=f"page:{identity}",
            body=page.title,
            problem=f"the page {page.title or identity} came without its blocks; put the answer of its block children "
            "under `blocks` beside it, or send the Markdown export",
        )
    return piece_of(page, meta)


def _page(body: Body) -> Page:
    properties = body.get("properties")
    pairs = list(properties.items()) if isinstance(properties, dict) else []
    title = next((_value(one) for _, one in pairs if at(one, "type") == "title" or at(one, "id") == "title"), "")
    values = [(str(key), _value(one)) for key, one in pairs if at(one, "type") != "title" and at(one, "id") != "title"]
    parent = body.get("parent")
    gone = body.get("archived") is True or body.get("in_trash") is True or text_at(body, "event") == "page.deleted"
    page = Page(
        tool=TOOL,
        id=plain_id(body.get("id")) or "page",
        title=title,
        text="",
        url=text_at(body, "url") or "",
        version=text_at(body, "last_edited_time") or "",
        edited_at=moment_at(body, ["last_edited_time"], ["created_time"]),
        parents=tuple(filter(None, [first(at(parent, "title"), at(parent, "name"), body.get("database_title"))])),
        gone=gone,
    )
    return _with_properties(page, values)


def _with_properties(page: Page, values: list[tuple[str, str]]) -> Page:
    """
    Properties: labels, facts that an incident has, and texts that announce a section.
    """
    facts: dict[str, str] = {}
    sections = []
    labels = list(page.labels)
    for key, value in values:
        field = named_field(key)
        if not value:
            continue
        if key.lower() in _LABELS:
            labels += [one.strip() for one in value.split(",")]
        elif field:
            facts |= _spanned(field, value)
        elif section_kind(key) is not SectionKind.OTHER:
            sections.append(f"## {key}\n\n{paragraph(value)}")
    written = "\n\n".join(filter(None, [page.text, *sections]))
    return replace(page, labels=tuple(labels), facts={**page.facts, **facts}, text=written)


def _spanned(field: str, value: str) -> dict[str, str]:
    start, _, end = value.partition(" → ")
    if field not in ("date", "started") or "T" not in start:
        return {field: start if end else value}
    return {"started": start} | ({"resolved": end} if end else {})


def _value(value: object) -> str:
    """
    A property's value as text, whatever its type.
    """
    kind = text_at(value, "type") or ""
    inner = at(value, kind)
    if kind in ("title", "rich_text"):
        return rich_text(inner).strip()
    if kind in ("multi_select", "people", "relation", "files"):
        return ", ".join(filter(None, (text_at(one, "name") for one in objects_at(value, kind))))
    if kind in ("select", "status"):
        return text_at(inner, "name") or ""
    if kind == "date":
        return " → ".join(filter(None, [text_at(inner, "start"), text_at(inner, "end")]))
    if kind == "rollup":
        return ", ".join(map(_value, objects_at(inner, "array"))) or _value(inner)
    if kind == "formula":
        return _value(inner)
    return text(inner) or ""


def _page_of_blocks(identity: str, found: Found, key: str) -> Page:
    blocks = found.blocks[key]
    heads = [one for one in blocks if HEADING.match(str(one.get("type")))]
    edits = [moment for one in blocks if (moment := moment_at(one, ["last_edited_time"]))]
    return Page(
        tool=TOOL,
        id=identity,
        title=said_of(heads[0]).strip() if heads else identity.replace("_", " "),
        text=blocks_text(blocks, found),
        edited_at=max(edits, default=None),
    )


def _exported(written: str, path: str) -> Page:
    """
    A file of the export: its title, `Name: value` lines of properties, and its text.
    """
    stem = PurePosixPath(path).stem
    number = _ID.search(stem)
    named = stem[: number.start()].strip() if number else stem
    if path.endswith(".html"):
        root = tree_of(written, path)
        heads = [one for one in root.all("h1") if "page-title" in one.attributes.get("class", "").split()]
        articles = [one.attributes.get("id", "") for one in root.all("article")]
        rows = [
            (one.elements("th"), one.elements("td"))
            for one in root.all("tr")
            if "property-row" in one.attributes.get("class", "")
        ]
        values = [(head[0].text().strip(), cell[0].text().strip()) for head, cell in rows if head and cell]
        title = heads[0].text().strip() if heads else named
        bodies = [one for one in root.all("div") if "page-body" in one.attributes.get("class", "").split()]
        text_, own = markdown_of(bodies[0] if bodies else root), next(filter(None, articles), "")
    else:
        title, values, text_ = _properties(written)
        own = ""
    folders = [_ID.sub("", folder).strip() for folder in reversed(PurePosixPath(path).parts[:-1])]
    page = Page(
        tool=TOOL,
        id=plain_id(number[1] if number else own) or stem,
        title=title or named,
        text=text_,
        parents=tuple(folder for folder in folders if folder and folder != "/"),
    )
    return _with_properties(page, values)


def _properties(written: str) -> tuple[str, list[tuple[str, str]], str]:
    lines = written.replace("\r\n", "\n").split("\n")
    title = lines[0][2:].strip() if lines[0].startswith("# ") else ""
    rest = lines[1:] if title else lines
    while rest and not rest[0].strip():
        rest = rest[1:]
    values = []
    while title and rest and (mark := _PROPERTY.match(rest[0])):
        values.append((mark[1], mark[2].strip()))
        rest = rest[1:]
    if rest and rest[0].strip() and values:
        # the lines were prose that only began like properties
        return title, [], "\n".join(lines[1:]).strip()
    return title, values, "\n".join(rest).strip()


def recognises(body: Body, headers: Headers) -> bool:
    """
    Whether it is an answer or a webhook of Notion.
    """
    if "x-notion-signature" in headers:
        return True
    listed = objects_at(body, "results")
    one: Body = listed[0] if body.get("object") == "list" and listed else body
    return one.get("object") in ("page", "block") and "last_edited_time" in one


CONNECTOR = Connector(
    name=TOOL,
    summary="Notion's pages: properties with their blocks from the API, webhooks, the Markdown and HTML export",
    trust=Trust.DECLARED,
    snapshot=True,
    split=split,
    transform=stated,
    patterns=("notion/*.json*", "notion/*.md", "notion/*.html", f"* {'[0-9a-f]' * 32}.md"),
    recognises=recognises,
    headers=("x-notion-signature",),
    signing=Hmac(header="x-notion-signature", prefix="sha256="),
)
