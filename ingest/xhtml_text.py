"""
A tree of XHTML as Markdown: headings, lists, tables, code. Of wiki macros no text is lost: what a panel or an expander
holds stands where it stood, below its title in bold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import parse_qs, urlsplit

from ingest.xhtml import Node

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SILENT = {
    "head", "script", "style", "template", "svg", "noscript", "ac:parameter", "ac:default-parameter",
    "ac:placeholder", "ac:adf-fallback", "ac:adf-attribute", "ac:adf-mark", "ac:task-id", "ac:task-uuid",
    "ac:task-status", "colgroup", "nav",
}  # fmt: skip
_BLOCKS = {
    *_HEADINGS, "p", "div", "ul", "ol", "dl", "table", "pre", "blockquote", "hr", "section", "article", "main", "body",
    "html", "header", "footer", "figure", "details", "summary", "ac:structured-macro", "ac:macro", "ac:rich-text-body",
    "ac:layout", "ac:layout-section", "ac:layout-cell", "ac:task-list", "ac:adf-extension", "ac:adf-node",
    "ac:adf-content", "address", "aside", "center", "form", "fieldset",
}  # fmt: skip
_BOLD, _ITALIC, _CODE = {"strong", "b"}, {"em", "i"}, {"code", "tt", "kbd", "samp"}
_MACROS = {"ac:structured-macro", "ac:macro"}
_CODE_MACROS = {"code", "noformat", "codeblock", "sql", "html", "markdown"}
_INLINE_MACROS = {"status": "title", "jira": "key", "jiraissues": "key", "anchor": "", "toc": "", "children": ""}
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")
_LIKE_MARKDOWN = re.compile(r"(?m)^([ \t]*)(#{1,6}(?=\s|$)|=+[ \t]*$|-{2,}[ \t]*$|\+{3}[ \t]*$)")
_FENCE = re.compile(r"(?m)^[ \t]*(?:```|~~~)")
_SAFE = ("http://", "https://", "mailto:", "/", "#")


def markdown_of(node: Node) -> str:
    """
    The tree as Markdown.
    """
    return joined(_blocks(node))


def joined(blocks: Iterable[str]) -> str:
    """
    Blocks with an empty line between.
    """
    return "\n\n".join(block for block in blocks if block.strip())


def paragraph(text: str) -> str:
    """
    A text that is a paragraph and stays one: what looks like a heading or an open fence is none.
    """
    if len(_FENCE.findall(text)) % 2:
        text = text.replace("```", "'''").replace("~~~", "'''")
    elif _FENCE.search(text):
        return text.strip()
    return _LIKE_MARKDOWN.sub(lambda mark: f"{mark[1]}\\{mark[2]}", text).strip()


def fenced(code: str, language: str = "") -> str:
    """
    A block of code.
    """
    mark = "```"
    while mark in code:
        mark += "`"
    return f"{mark}{re.sub(r'[^a-z0-9+#-]', '', language.lower())}\n{code.strip(chr(10))}\n{mark}"


def row(cells: Iterable[str]) -> str:
    """
    A row of a table.
    """
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def table(rows: list[list[str]]) -> str:
    """
    A table whose first row is its head.
    """
    rows = [cells for cells in rows if cells]
    if not rows:
        return ""
    return "\n".join([row(rows[0]), row(["---"] * len(rows[0])), *map(row, rows[1:])])


def link(text: str, target: str) -> str:
    """
    A link, or its text alone where its target is none that a person may follow.
    """
    real = parse_qs(urlsplit(target).query).get("q", [target])[0] if "://www.google.com/url?" in target else target
    if not real.startswith(_SAFE) or not text or text == real.removeprefix("mailto:"):
        return text or (real if real.startswith(_SAFE) else "")
    return f"[{text}]({real.replace(' ', '%20').replace(')', '%29')})"


def _blocks(node: Node) -> Iterator[str]:
    run: list[Node | str] = []
    for child in node.children:
        if isinstance(child, Node) and _is_block(child):
            yield paragraph(_inline(run))
            run = []
            yield from _block(child)
        else:
            run.append(child)
    yield paragraph(_inline(run))


def _is_block(node: Node) -> bool:
    if node.name in _MACROS:
        return node.attributes.get("ac:name", "") not in _INLINE_MACROS
    return node.name in _BLOCKS or (node.name not in _SILENT and node.holds_blocks)


def _block(node: Node) -> Iterator[str]:
    name = node.name
    if name in _SILENT:
        return
    made = _MADE.get(name)
    if name in _HEADINGS or (name == "p" and node.attributes.get("class") in ("title", "page-title")):
        text = " ".join(_inline(node.children).replace("**", "").split())
        yield f"{'#' * _HEADINGS.get(name, 1)} {text}" if text else ""
    elif made:
        yield from made(node)
    else:
        yield from _blocks(node)


def _list(node: Node, depth: int = 0) -> Iterator[str]:
    yield "\n".join(_items(node))


def _items(node: Node) -> Iterator[str]:
    number = 0
    for item in node.elements():
        if item.name in ("ul", "ol"):
            yield from (f"  {line}" for line in _items(item))
            continue
        number += 1
        mark = f"{number}. " if node.name == "ol" else "- "
        lines = joined_tight(_blocks(item)).split("\n")
        yield mark + lines[0]
        yield from (f"{' ' * len(mark)}{line}" if line else "" for line in lines[1:])


def joined_tight(blocks: Iterable[str]) -> str:
    """
    Blocks right below one another, as in an item of a list.
    """
    return "\n".join(block for block in blocks if block.strip())


def _definitions(node: Node) -> Iterator[str]:
    for one in node.elements():
        text = joined_tight(_blocks(one))
        yield f"**{text}**" if one.name == "dt" and text else text


def _table(node: Node) -> Iterator[str]:
    parts = [node, *node.elements("thead", "tbody", "tfoot")]
    rows = [one.elements("td", "th") for part in parts for one in part.elements("tr")]
    if node.all(*_HEADINGS):
        # a table that lays out a page
        for cell in (cell for cells in rows for cell in cells):
            yield from _blocks(cell)
        return
    yield table([[" ".join(joined_tight(_blocks(cell)).split("\n")) for cell in cells] for cells in rows])


def _pre(node: Node) -> Iterator[str]:
    yield fenced(node.text())


def _quote(node: Node) -> Iterator[str]:
    text = joined(_blocks(node))
    yield text if node.all(*_HEADINGS) else "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _rule(_: Node) -> Iterator[str]:
    yield "***"


def _tasks(node: Node) -> Iterator[str]:
    lines = []
    for task in node.elements("ac:task"):
        done = any(one.text().strip() == "complete" for one in task.elements("ac:task-status"))
        body = [joined_tight(_blocks(one)) for one in task.elements("ac:task-body")]
        lines.append(f"- [{'x' if done else ' '}] {' '.join(' '.join(body).split())}")
    yield "\n".join(lines)


def _macro(node: Node) -> Iterator[str]:
    name = node.attributes.get("ac:name", "").lower()
    given = {one.attributes.get("ac:name", ""): one.text().strip() for one in node.elements("ac:parameter")}
    title = given.get("title", "")
    if title:
        yield f"**{title}**"
    for body in node.elements("ac:plain-text-body"):
        yield fenced(body.text(), given.get("language", ""))
    for body in node.elements("ac:rich-text-body"):
        yield from ([fenced(body.text())] if name in _CODE_MACROS else _blocks(body))


_MADE: dict[str, Callable[[Node], Iterator[str]]] = {
    "ul": _list, "ol": _list, "dl": _definitions, "table": _table, "pre": _pre, "blockquote": _quote, "hr": _rule,
    "ac:task-list": _tasks, "ac:structured-macro": _macro, "ac:macro": _macro,
}  # fmt: skip


def _inline(children: Iterable[Node | str]) -> str:
    text = "".join(_word(one) for one in children)
    return "\n".join(_SPACE.sub(" ", line).strip() for line in text.split("\v"))


def _word(one: Node | str) -> str:
    """
    A piece of a line; a vertical tab stands for a line's end.
    """
    if isinstance(one, str):
        return _SPACE.sub(" ", one)
    if one.name in _SILENT:
        return ""
    if one.name == "br":
        return "\v"
    if one.name in _MACROS:
        wanted = _INLINE_MACROS.get(one.attributes.get("ac:name", "").lower(), "")
        return " ".join(
            p.text() for p in one.elements("ac:parameter") if wanted and p.attributes.get("ac:name") == wanted
        )
    special = _SPECIAL.get(one.name)
    if special:
        return special(one)
    inner = "".join(_word(child) for child in one.children)
    return _marked(one.name, inner)


def _marked(name: str, inner: str) -> str:
    mark = "**" if name in _BOLD else "_" if name in _ITALIC else "`" if name in _CODE else ""
    body = inner.strip()
    if not mark or not body or mark in body or "\v" in body:
        return inner
    before, after = inner[: len(inner) - len(inner.lstrip())], inner[len(inner.rstrip()) :]
    return f"{before}{mark}{body}{mark}{after}"


def _anchor(node: Node) -> str:
    inner = _SPACE.sub(" ", "".join(_word(child) for child in node.children)).strip()
    return link(inner, node.attributes.get("href", ""))


def _wiki_link(node: Node) -> str:
    bodies = node.elements("ac:link-body", "ac:plain-text-link-body")
    text = " ".join("".join(_word(child) for child in body.children) for body in bodies).strip()
    return text or " ".join(filter(None, map(_reference, node.elements()))) or node.attributes.get("ac:anchor", "")


def _reference(node: Node) -> str:
    given = node.attributes
    person = given.get("ri:account-id") or given.get("ri:username") or given.get("ri:userkey")
    return f"@{person}" if person else given.get("ri:content-title") or given.get("ri:filename") or ""


def _image(node: Node) -> str:
    given = node.attributes
    said = given.get("alt") or given.get("ac:alt") or given.get("ac:title") or ""
    return said or " ".join(filter(None, map(_reference, node.elements())))


def _time(node: Node) -> str:
    return node.text().strip() or node.attributes.get("datetime", "")


def _emoticon(node: Node) -> str:
    return node.attributes.get("ac:emoji-fallback") or ""


_SPECIAL: dict[str, Callable[[Node], str]] = {
    "a": _anchor, "ac:link": _wiki_link, "ac:image": _image, "img": _image, "time": _time, "ac:emoticon": _emoticon,
}  # fmt: skip
