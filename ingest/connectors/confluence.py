"""
Confluence's pages: REST v1 content and v2 pages (one, a list, search results), webhooks, files of the storage format,
the pages of an HTML export, and the `entities.xml` of a space export.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from graph.values import Trust
from ingest.contract import Body, Connector, Headers, Piece
from ingest.errors import BadRecord
from ingest.fields import at, first, moment_at, objects_at, text, text_at
from ingest.markdown import parse
from ingest.markup import adf_text, storage_text, wiki_text
from ingest.pages import Page, piece_of, stated
from ingest.parsing import json_lines, load_json, mapping_of, text_of, unpack
from ingest.signing import Hmac
from ingest.xhtml import Node, tree_of
from ingest.xhtml_text import markdown_of

TOOL = "confluence"
EXPORT = 64 << 20
"""Characters, and elements, of a space export."""
_PAGES = {"page", "blogpost", "live", "None"}
_LIVE = {"current", "None"}
_FORMS = ("storage", "export_view", "view", "styled_view", "editor2", "editor", "anonymous_export_view")
_GONE = re.compile(r"(?:page|blog)_(?:removed|trashed|deleted|archived)$")
_ID = re.compile(r"[_-](\d{3,})$|^(\d{3,})$")
_SUFFIX = re.compile(r"(?:\.(?:storage|xml|x?html?|txt))+$")


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece a page. What is no page (a comment, an attachment) is none.
    """
    path = meta.get("path", "the delivery")
    body = unpack(raw, path)
    name = path.removesuffix(".gz")
    if name.endswith((".jsonl", ".ndjson")):
        for number, line in json_lines(body):
            try:
                yield from _pieces(load_json(line, f"line {number} of {path}"), meta)
            except BadRecord as error:
                yield Piece(part=f"{path}#{number}", body=line.decode("utf-8", "replace"), problem=str(error))
        return
    written = text_of(body, path)
    if written.lstrip()[:1] in ("{", "["):
        yield from _pieces(load_json(written, path), meta)
    elif name.endswith((".md", ".markdown")):
        named = PurePosixPath(name)
        yield piece_of(
            Page(tool=TOOL, id=str(named), title=parse(written, path).title or named.stem, text=written), meta
        )
    elif PurePosixPath(name).name == "entities.xml" or "<hibernate-generic" in written[:2000]:
        yield from (piece_of(page, meta) for page in _exported(tree_of(written, path, EXPORT, EXPORT)))
    else:
        yield piece_of(_page_of_markup(written, path), meta)


def _pieces(value: object, meta: Mapping[str, str]) -> Iterator[Piece]:
    for body, base in _contents(value, ""):
        if str(body.get("type")) in _PAGES:
            yield from _piece(body, base, meta)


def _contents(value: object, base: str) -> Iterator[tuple[Body, str]]:
    """
    (content, address of the site) of one content, a page of a list, a search, a webhook, or any nest of lists of them.
    """
    if isinstance(value, list):
        for one in value:
            yield from _contents(one, base)
        return
    body = mapping_of(value, "a page")
    base = text_at(body, "_links", "base") or base
    for key in ("results", "pages", "page", "blog", "blogpost", "content", "data"):
        inner = body.get(key)
        if isinstance(inner, list) or (isinstance(inner, dict) and key != "data" and "title" in inner):
            event = text(body.get("webhookEvent") or body.get("event") or body.get("eventType"))
            yield from _contents({**inner, "event": event} if event and isinstance(inner, dict) else inner, base)
            return
    if "title" not in body and "body" not in body:
        raise BadRecord("it is no page of Confluence: it has neither `title` nor `body`; send content of the REST API")
    yield body, base


def _piece(body: Body, base: str, meta: Mapping[str, str]) -> Iterator[Piece]:
    page = page_of(body, base)
    if page.gone or at(body, "body") is not None:
        yield piece_of(page, meta)
        return
    yield Piece(
        part=f"page:{page.id}",
        body=page.title,
        problem=f"the page {page.title or page.id} came without its text; ask with expand=body.storage,version,space,"
        "ancestors,metadata.labels (v2: body-format=storage), or read the space by files",
    )


def page_of(body: Body, base: str) -> Page:
    """
    A content of the REST API (v1 or v2) as a page.
    """
    identity = first(body.get("id"), at(body, "content", "id")) or "page"
    parents = [text_at(one, "title") for one in reversed(objects_at(body, "ancestors"))]
    space = first(at(body, "space", "name"), at(body, "space", "key"), body.get("spaceKey"))
    labels = [*objects_at(body, "metadata", "labels", "results"), *objects_at(body, "labels", "results")]
    return Page(
        tool=TOOL,
        id=identity,
        title=text_at(body, "title") or "",
        text=_text(body),
        url=_url(body, base),
        version=first(at(body, "version", "number"), body.get("version")) or "",
        edited_at=moment_at(
            body,
            ["version", "when"],
            ["version", "createdAt"],
            ["history", "lastUpdated", "when"],
            ["modificationDate"],
            ["history", "createdDate"],
            ["createdAt"],
        ),
        labels=tuple(found for one in labels if (found := first(one.get("name"), one.get("label")))),
        parents=tuple(one for one in [*parents, space] if one),
        gone=str(body.get("status")) not in _LIVE or bool(_GONE.search(str(body.get("event") or ""))),
    )


def _text(body: Body) -> str:
    said = body.get("body")
    value, form = text_at(said, "value"), text_at(said, "representation") or "storage"
    if isinstance(said, str):
        value, form = said, "storage"
    for name in (*_FORMS, "atlas_doc_format", "wiki"):
        found = text_at(said, name, "value")
        if value is None and found:
            value, form = found, name
    if value is None:
        return ""
    reader = {"atlas_doc_format": adf_text, "wiki": wiki_text}.get(form)
    return reader(value) if reader else storage_text(value, text_at(body, "title") or "the page")


def _url(body: Body, base: str) -> str:
    web = first(at(body, "_links", "webui"), body.get("url"), body.get("self")) or ""
    site = text_at(body, "_links", "base") or base
    if web.startswith("/") and not site:
        site = (text_at(body, "_links", "self") or "").partition("/rest/api/")[0].partition("/api/v2/")[0]
    return site.rstrip("/") + web if web.startswith("/") else web


def _page_of_markup(written: str, path: str) -> Page:
    """
    A file of the storage format, or a page of an HTML export: its name ends in the page's id.
    """
    root = tree_of(written, path)
    named = _SUFFIX.sub("", PurePosixPath(path).name)
    number = _ID.search(named)
    main = [one for one in root.all("div") if one.attributes.get("id") == "main-content"]
    crumbs = [one.text().strip() for one in root.all("li") if _within(one, "crumb", "breadcrumb")]
    title = next((" ".join(one.text().split()) for one in root.all("title")), "")
    space, _, own = title.partition(" : ")
    return Page(
        tool=TOOL,
        id=next(filter(None, number.groups()), named) if number else str(PurePosixPath(path).with_name(named)),
        title=own or title or (_heading(root) or named.replace("-", " ").replace("_", " ")),
        text=markdown_of(main[0] if main else root),
        labels=tuple(one.text().strip() for one in root.all("a") if _within(one, "aui-label-split-main", "label")),
        parents=tuple(one for one in [*reversed(crumbs), space if own else ""] if one),
    )


def _within(node: Node, *marks: str) -> bool:
    return any(mark in node.attributes.get("class", "").split() or node.attributes.get("id") == mark for mark in marks)


def _heading(root: Node) -> str:
    heads = root.all("h1")
    return " ".join(heads[0].text().split()) if len(heads) == 1 else ""


def _exported(root: Node) -> Iterator[Page]:
    """
    The current pages of a space export: objects of class Page with the body that names them.
    """
    objects = root.all("object")
    bodies = {_reference(one, "content"): _property(one, "body") for one in objects if _class(one) == "BodyContent"}
    titles = {_identity(one): _property(one, "title") for one in objects if _class(one) == "Page"}
    for one in objects:
        identity = _identity(one)
        if (
            _class(one) not in ("Page", "BlogPost")
            or _property(one, "originalVersion")
            or _reference(one, "originalVersion")
        ):
            continue
        yield Page(
            tool=TOOL,
            id=identity,
            title=_property(one, "title"),
            text=storage_text(bodies.get(identity, ""), _property(one, "title") or identity),
            version=_property(one, "version"),
            edited_at=moment_at({"at": _property(one, "lastModificationDate")}, ["at"]),
            parents=tuple(filter(None, [titles.get(_reference(one, "parent"), "")])),
            gone=_property(one, "contentStatus") not in ("", "current"),
        )


def _class(node: Node) -> str:
    return node.attributes.get("class", "")


def _identity(node: Node) -> str:
    return next((one.text().strip() for one in node.elements("id")), "")


def _property(node: Node, name: str) -> str:
    found = [one for one in node.elements("property") if one.attributes.get("name") == name and not one.elements("id")]
    return found[0].text().strip() if found else ""


def _reference(node: Node, name: str) -> str:
    found = [one for one in node.elements("property") if one.attributes.get("name") == name]
    return _identity(found[0]) if found else ""


def recognises(body: Body, headers: Headers) -> bool:
    """
    Whether it is content of the REST API or a webhook of Confluence.
    """
    listed = objects_at(body, "results")
    one: object = listed[0] if listed else at(body, "page") or at(body, "blog") or body
    web = text_at(one, "_links", "webui") or text_at(one, "self") or ""
    return "title" in (one if isinstance(one, dict) else {}) and bool(
        re.search(r"/(?:spaces|display|pages)/|pageId=", web)
        and (
            at(one, "body") is not None
            or at(one, "_expandable") is not None
            or at(one, "spaceId")
            or at(one, "spaceKey")
        )
    )


CONNECTOR = Connector(
    name=TOOL,
    summary="Confluence's pages: REST v1 and v2, webhooks, storage format, HTML and XML exports of a space",
    trust=Trust.DECLARED,
    snapshot=True,
    split=split,
    transform=stated,
    patterns=(
        "confluence/*.json*",
        "confluence/*.html",
        "confluence/*.xml",
        "confluence/*.xml.txt",
        "entities.xml",
        "*.storage.xml",
    ),
    recognises=recognises,
    headers=("x-atlassian-webhook-identifier",),
    delivery=("x-atlassian-webhook-identifier",),
    signing=Hmac(header="x-hub-signature", prefix="sha256="),
)
