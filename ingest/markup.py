"""
Texts of ticket and wiki tools as our Markdown: the storage format of Confluence (and HTML), Atlassian's document trees,
and Jira's wiki markup. Headings become headings, so that one reader of sections serves all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from ingest.errors import BadRecord
from ingest.fields import at, first, objects_at, text_at
from ingest.parsing import load_json
from ingest.xhtml import tree_of
from ingest.xhtml_text import fenced, joined, joined_tight, link, markdown_of, paragraph, row, table

Body = Mapping[str, object]


def storage_text(xhtml: str, where: str = "the page") -> str:
    """
    Confluence's storage format, or HTML. BadRecord for one that defines entities, or is too long or too deep.
    """
    return markdown_of(tree_of(xhtml, where))


def adf_text(value: object) -> str:
    """
    An Atlassian document, as an object or as JSON text. Any other text is what it is, any other value nothing.
    """
    if isinstance(value, str):
        if not value.lstrip().startswith("{"):
            return value
        try:
            return adf_text(load_json(value))
        except BadRecord:
            return value
    return joined(_nodes(value)) if isinstance(value, dict) else ""


def _nodes(node: Body) -> Iterator[str]:
    run: list[Body] = []
    for child in objects_at(node, "content"):
        if child.get("type") in _INLINE:
            run.append(child)
            continue
        yield paragraph(_line(run))
        run = []
        yield from _node(child)
    yield paragraph(_line(run))


def _node(node: Body) -> Iterator[str]:
    kind = str(node.get("type"))
    made = _MADE.get(kind)
    if made:
        yield from made(node)
        return
    title = text_at(node, "attrs", "title")
    if title:
        yield f"**{title}**"
    yield from _nodes(node)


def _heading(node: Body) -> Iterator[str]:
    level, text = at(node, "attrs", "level"), " ".join(_line(objects_at(node, "content")).replace("**", "").split())
    yield f"{'#' * (level if isinstance(level, int) and 1 <= level <= 6 else 2)} {text}" if text else ""


def _listed(node: Body) -> Iterator[str]:
    lines: list[str] = []
    for number, item in enumerate(objects_at(node, "content"), 1):
        mark = f"{number}. " if node.get("type") == "orderedList" else "- "
        if item.get("type") in ("taskItem", "decisionItem"):
            done = text_at(item, "attrs", "state") in ("DONE", "DECIDED")
            mark = f"- [{'x' if done else ' '}] "
        inner = joined_tight(_node(item) if item.get("type") in _LISTS else _nodes(item)).split("\n")
        lines.append(mark + inner[0])
        lines += [f"  {line}" if line else "" for line in inner[1:]]
    yield "\n".join(lines)


def _code(node: Body) -> Iterator[str]:
    code = "".join(text_at_raw(child) for child in objects_at(node, "content"))
    yield fenced(code, text_at(node, "attrs", "language") or "")


def text_at_raw(node: Body) -> str:
    """
    The text of a node with its outer space.
    """
    found = node.get("text")
    return found if isinstance(found, str) else ""


def _quoted(node: Body) -> Iterator[str]:
    yield "\n".join(f"> {line}".rstrip() for line in joined(_nodes(node)).split("\n"))


def _rows(node: Body) -> Iterator[str]:
    rows = [objects_at(one, "content") for one in objects_at(node, "content")]
    yield table([[" ".join(joined_tight(_nodes(cell)).split("\n")) for cell in cells] for cells in rows])


def _card(node: Body) -> Iterator[str]:
    yield _word(node)


def _ruled(_: Body) -> Iterator[str]:
    yield "***"


_LISTS = {"bulletList", "orderedList", "taskList", "decisionList"}
_MADE: dict[str, Callable[[Body], Iterator[str]]] = {
    "heading": _heading, "codeBlock": _code, "blockquote": _quoted, "table": _rows, "rule": _ruled,
    "blockCard": _card, "embedCard": _card, "media": _card, "extension": _card, **dict.fromkeys(_LISTS, _listed),
}  # fmt: skip
_INLINE = {
    "text", "hardBreak", "mention", "emoji", "inlineCard", "date", "status", "inlineExtension", "mediaInline",
    "placeholder",
}  # fmt: skip


def _line(nodes: list[Body] | tuple[Body, ...] | object) -> str:
    return "".join(_word(node) for node in nodes) if isinstance(nodes, list) else ""


def _word(node: Body) -> str:
    kind = node.get("type")
    if kind == "text":
        return _marked(text_at_raw(node), objects_at(node, "marks"))
    if kind == "hardBreak":
        return "\n"
    if kind == "placeholder":
        return ""
    if kind == "date":
        return _day(text_at(node, "attrs", "timestamp"))
    attributes = node.get("attrs")
    said = first(*(at(attributes, key) for key in ("text", "shortName", "url", "alt")))
    if kind == "mention" and said is None:
        said = text_at(attributes, "id")
    return f"@{said.lstrip('@')}" if kind == "mention" and said else said or ""


def _day(epoch: str | None) -> str:
    try:
        return datetime.fromtimestamp(int(epoch or "") / 1000, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return epoch or ""


def _marked(text: str, marks: object) -> str:
    body = text.strip()
    if not body or not isinstance(marks, list):
        return text
    kinds = {str(mark.get("type")): mark for mark in marks}
    made = f"`{body}`" if "code" in kinds and "`" not in body else body
    if "link" in kinds:
        made = link(made, text_at(kinds["link"], "attrs", "href") or "")
    if "strong" in kinds and "**" not in made:
        made = f"**{made}**"
    start = text.index(body)
    return f"{text[:start]}{made}{text[start + len(body) :]}"


_VERBATIM = re.compile(r"\{(code|noformat)((?::[^{}\n]*)?)\}")
_MACRO = re.compile(r"\{(panel|quote|color|info|note|warning|tip|expand|anchor|section|column|toc)((?::[^{}\n]*)?)\}")
_TITLE = re.compile(r"title=([^|}]+)")
_HEAD = re.compile(r"^\s*h([1-6])\.\s*(.*)$")
_ITEM = re.compile(r"^\s*([*#-]+)\s+(.*)$")
_BOLD = re.compile(r"(?<![\w*])\*(\S(?:[^*\n]*[^\s*])?)\*(?![\w*])")
_MONO = re.compile(r"\{\{([^{}\n]+)\}\}")
_LINKED = re.compile(r"\[([^\[\]|\n]+)\|([^\[\]|\n]+)(?:\|[^\[\]\n]*)?\]")
_PLAIN_LINK = re.compile(r"\[((?:https?://|mailto:)[^\[\]|\n]+)\]")
_PERSON = re.compile(r"\[~(?:accountid:)?([^\[\]\n]+)\]")
_PICTURE = re.compile(r"!([^\s!|]+\.\w{2,4})(?:\|[^!\n]*)?!")


def wiki_text(text: str) -> str:
    """
    Jira's wiki markup.
    """
    blocks: list[str] = []
    marks = list(_VERBATIM.finditer(text))
    at_, place = 0, 0
    while place < len(marks):
        opened = marks[place]
        closing = next((n for n in range(place + 1, len(marks)) if marks[n][1] == opened[1]), None)
        blocks.append(_wiki(text[at_ : opened.start()]))
        end = len(text) if closing is None else marks[closing].start()
        language = opened[2].lstrip(":").split("|")[0]
        blocks.append(fenced(text[opened.end() : end], "" if "=" in language or opened[1] == "noformat" else language))
        at_ = end if closing is None else marks[closing].end()
        place = len(marks) if closing is None else closing + 1
    blocks.append(_wiki(text[at_:]))
    return joined(block.strip("\n") for block in blocks)


def _wiki(text: str) -> str:
    text = _MACRO.sub(
        lambda mark: f"\n*{title[1].strip()}*\n" if (title := _TITLE.search(mark[2])) else _gone(mark[1]), text
    )
    lines = text.replace("\r\n", "\n").split("\n")
    return re.sub(
        r"\n{3,}", "\n\n", "\n".join(_wiki_line(line, lines[n - 1] if n else "") for n, line in enumerate(lines))
    )


def _gone(macro: str) -> str:
    return "" if macro in ("color", "anchor", "toc") else "\n"


def _wiki_line(line: str, before: str) -> str:
    heading = _HEAD.match(line)
    if heading:
        return (
            f"\n{'#' * int(heading[1])} {_wiki_words(heading[2]).replace('**', '').strip()}\n"
            if heading[2].strip()
            else ""
        )
    if re.fullmatch(r"\s*-{4,}\s*", line):
        return "\n***\n"
    if line.lstrip().startswith("|"):
        return _wiki_row(line.strip(), first_row=not before.lstrip().startswith("|"))
    item = _ITEM.match(line)
    if item:
        mark = "1. " if item[1][-1] == "#" else "- "
        return f"{'  ' * (len(item[1]) - 1)}{mark}{_wiki_words(item[2])}"
    if line.startswith("bq. "):
        return f"> {_wiki_words(line[4:])}"
    return paragraph(_wiki_words(line)) if line.strip() else ""


def _wiki_row(line: str, *, first_row: bool) -> str:
    cells = [_wiki_words(cell.strip()) for cell in re.split(r"\|+", line.strip("|"))]
    return "\n".join([row(cells), row(["---"] * len(cells))] if first_row else [row(cells)])


def _wiki_words(text: str) -> str:
    text = _LINKED.sub(lambda mark: link(mark[1].strip(), mark[2].strip()), text)
    text = _PERSON.sub(r"@\1", _PLAIN_LINK.sub(r"\1", text))
    text = _PICTURE.sub(r"\1", _MONO.sub(r"`\1`", _BOLD.sub(r"**\1**", text)))
    return text.replace("\\\\", "\n").replace("\\{", "{").replace("\\[", "[")
