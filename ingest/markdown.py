"""
Markdown to sections: front matter, headings with the exact source text below each. Built on markdown-it-py's tokens.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from mdit_py_plugins.front_matter import front_matter_plugin

from graph.values import Section
from ingest.errors import BadRecord
from ingest.parsing import anchor, load_yaml_documents

MAX_TEXT = 2 * 1024 * 1024
_LABEL = re.compile(
    r"^[ \t]*(?:(?:[-*+]|\d{1,2}[.)])[ \t]+)?(?:[^\w\s*<>|#-]{1,4}[ \t]*)?"
    r"(?:\*\*|__)([^*_\n]{2,60}?)[ \t]*:?[ \t]*(?:\*\*|__)[ \t]*:?[ \t]*",
    re.MULTILINE,
)
_TOML = re.compile(r"\A\ufeff?\+\+\+[ \t]*\r?\n(.*?)^\+\+\+[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE)
_ERB = re.compile(r"<%[^%\n]*%>")
"""Of Middleman, whose pages have their title as their heading."""
_MARKS = re.compile(r"`|\*\*|__|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)")
_LINK = re.compile(r"!?\[([^\]]*)\]\((?:[^()\s]|\([^)]*\))*(?:\s+\"[^\"]*\")?\)")


@dataclass(frozen=True, slots=True)
class Document:
    """
    A parsed document: its front matter, title, and sections in order (the first may have no heading).
    """

    front: dict[str, object]
    title: str
    sections: tuple[Section, ...]


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).use(front_matter_plugin)


def parse(text: str, where: str = "the document") -> Document:
    """
    Sections with the exact source below their heading. Raises BadRecord for a document that is too large.
    """
    if len(text) > MAX_TEXT:
        raise BadRecord(f"{where} is longer than {MAX_TEXT} characters; split it")
    text, front = _toml_front(text, where)
    lines = text.split("\n")
    heads: list[tuple[int, int, int, str]] = []
    tokens = _parser().parse(text)
    for place, token in enumerate(tokens):
        if token.type == "front_matter":
            front = front or _front(token.content, where)
            heads.append((0, token.map[1] if token.map else 0, 0, ""))
        elif token.type == "heading_open" and token.map and token.level == 0:
            heads.append((token.map[0], token.map[1], int(token.tag[1]), plain(tokens[place + 1].content)))
    return _document(lines, heads, front)


def _toml_front(text: str, where: str) -> tuple[str, dict[str, object]]:
    """
    The text with front matter between +++ taken out, and that front matter; its tables' fields count as its own.
    """
    found = _TOML.match(text)
    if not found:
        return text, {}
    try:
        fields = tomllib.loads(found[1])
    except tomllib.TOMLDecodeError as error:
        raise BadRecord(f"the front matter of {where} is not TOML: {error}") from error
    inner = [(key, one) for table in fields.values() if isinstance(table, dict) for key, one in table.items()]
    own = [(key, one) for key, one in fields.items() if not isinstance(one, dict)]
    return text[found.end() :], {str(key).lower(): one for key, one in [*inner, *own]}


def _front(text: str, where: str) -> dict[str, object]:
    documents = load_yaml_documents(text, f"the front matter of {where}")
    first = documents[0] if documents else {}
    return {str(key).lower(): value for key, value in first.items()} if isinstance(first, dict) else {}


def _document(lines: list[str], heads: list[tuple[int, int, int, str]], front: dict[str, object]) -> Document:
    if not heads or heads[0][0] > 0:
        heads = [(0, 0, 0, ""), *heads]
    sections: list[Section] = []
    seen: dict[str, int] = {}
    for number, (_, body_from, level, written) in enumerate(heads):
        heading = _ERB.sub(str(front.get("title") or ""), written).strip()
        body_to = heads[number + 1][0] if number + 1 < len(heads) else len(lines)
        text = "\n".join(lines[body_from:body_to]).strip("\n")
        mark = anchor(heading)
        seen[mark] = seen.get(mark, -1) + 1
        unique = f"{mark}-{seen[mark]}" if seen[mark] else mark
        if heading or text.strip():
            sections.append(Section(heading=heading, anchor=unique, level=level, text=text))
    named = str(front.get("title") or "")
    first = next((section.heading for section in sections if section.heading), "")
    return Document(front, named or first, tuple(sections))


def plain(text: str) -> str:
    """
    Inline Markdown as a person reads it: links by their text, marks dropped.
    """
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", text)).split())


def labelled(text: str, known: Callable[[str], bool] = bool) -> list[tuple[str, str]]:
    """
    (label, text) of a body that is structured by bold labels (`**Impact**: ...`), in order, cut at those that are
    known (all, where nothing says which). What stands before the first has no label; empty where no label is known.
    """
    marks = [mark for mark in _LABEL.finditer(text) if known(mark[1].strip(" :"))]
    if not marks:
        return []
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    cut = [(mark[1].strip(" :"), text[mark.end() : end].strip("\n")) for mark, end in zip(marks, ends, strict=True)]
    before = text[: marks[0].start()].strip("\n")
    return [("", before), *cut] if before.strip() else cut
