"""
XHTML and HTML to a tree, in time linear in the text, without a parser that knows entities of its own or fetches.

Fragments with several roots, prefixes that nobody declared and tags that nobody closed are read as they stand. A text
that defines entities, or names a foreign document type, is refused.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from ingest.errors import BadRecord

MAX_TEXT = 8 << 20
MAX_DEPTH = 100
MAX_ELEMENTS = 200_000
_TAG = re.compile(r"<(/?)([A-Za-z][\w:.-]*)((?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*)>|<(/?)([A-Za-z][\w:.-]*)([^<>]*)>")
_ATTRIBUTE = re.compile(r"([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_VOID = {"br", "hr", "img", "col", "meta", "link", "input", "wbr", "area", "base", "source"}
_RAW = {"script", "style"}
_BLOCKS = {"h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "table", "pre"}
_ENDED_BY = {
    "p": {"p", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "div"}, "li": {"li"},
    "td": {"td", "th", "tr"}, "th": {"td", "th", "tr"}, "tr": {"tr"}, "dt": {"dt", "dd"}, "dd": {"dt", "dd"},
}  # fmt: skip
"""Elements that people leave open, and what ends them."""


@dataclass(slots=True)
class Node:
    """
    An element: its name in lower case, its attributes, and texts and elements inside.
    """

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)
    holds_blocks: bool = False
    """Whether a heading, paragraph, list, table or code stands anywhere below."""

    def elements(self, *names: str) -> list[Node]:
        """
        The elements right inside, of these names (of any, where none is named).
        """
        return [one for one in self.children if isinstance(one, Node) and (not names or one.name in names)]

    def all(self, *names: str) -> list[Node]:
        """
        All elements below of these names, in order.
        """
        found: list[Node] = []
        waiting = [self]
        while waiting:
            one = waiting.pop()
            if one.name in names and one is not self:
                found.append(one)
            waiting += reversed(one.elements())
        return found

    def text(self) -> str:
        """
        All text below.
        """
        parts: list[str] = []
        waiting: list[Node | str] = [self]
        while waiting:
            one = waiting.pop()
            if isinstance(one, str):
                parts.append(one)
            else:
                waiting += reversed(one.children)
        return "".join(parts)


def tree_of(text: str, where: str = "the page", most: int = MAX_TEXT, elements: int = MAX_ELEMENTS) -> Node:
    """
    The tree of a fragment or document. Raises BadRecord for one that is too long, too deep, or defines entities.
    """
    if len(text) > most:
        raise BadRecord(f"{where} is longer than {most >> 20} MiB; split it")
    return _Reader(text, where, elements).read()


class _Reader:
    """
    One reading. What no closing mark follows is looked for once, so that no text is walked twice.
    """

    def __init__(self, text: str, where: str, most: int) -> None:
        self._text, self._where, self._most = text, where, most
        self._root = Node("")
        self._open = [self._root]
        self._unended: set[str] = set()
        self._elements = 0

    def read(self) -> Node:
        """
        The root, with all that is in the text.
        """
        at = 0
        while (start := self._text.find("<", at)) >= 0:
            self._say(html.unescape(self._text[at:start]))
            at = self._mark(start)
        self._say(html.unescape(self._text[at:]))
        return self._root

    def _mark(self, start: int) -> int:
        """
        Read what begins with < there; where the text goes on.
        """
        text = self._text
        if text.startswith("<!--", start):
            return self._end_of("-->", start + 4, start) + 3
        if text.startswith("<![CDATA[", start):
            end = self._end_of("]]>", start + 9, start)
            self._say(text[start + 9 : end])
            return end + 3
        if text.startswith("<?", start):
            return self._end_of(">", start, start) + 1
        if text.startswith("<!", start):
            return self._declaration(start)
        found = _TAG.match(text, start)
        if found is None:
            self._say("<")
            return start + 1
        closing, name, rest = (found[1], found[2], found[3]) if found[2] else (found[4], found[5], found[6])
        if closing:
            self._close(name.lower())
            return found.end()
        return self._opened(name.lower(), rest, found.end())

    def _declaration(self, start: int) -> int:
        end = self._end_of(">", start, start)
        said = self._text[start : min(end + 1, start + 500)]
        kind = re.match(r"<!\s*doctype\s+([\w:.-]+)([^>\[]*)(\[)?", said, re.IGNORECASE)
        harmless = kind and not kind[3] and (kind[1].lower() == "html" or not kind[2].strip())
        if not harmless and re.match(r"<!\s*(?:doctype|entity|element|attlist|notation)", said, re.IGNORECASE):
            raise BadRecord(
                f"{self._where} declares a document type or entities, which are not read; export it without"
            )
        return end + 1

    def _end_of(self, mark: str, start: int, whole: int) -> int:
        end = -1 if mark in self._unended else self._text.find(mark, start)
        if end < 0:
            self._unended.add(mark)
            if mark == "]]>":
                self._say(self._text[start:])
            return len(self._text)
        return max(end, whole)

    def _opened(self, name: str, rest: str, at: int) -> int:
        current = self._open[-1].name
        while current in _ENDED_BY and name in _ENDED_BY[current]:
            self._open.pop()
            current = self._open[-1].name
        attributes = {
            mark[1].lower(): html.unescape(mark[2] or mark[3] or mark[4] or "") for mark in _ATTRIBUTE.finditer(rest)
        }
        node = Node(name, attributes)
        self._open[-1].children.append(node)
        self._elements += 1
        if self._elements > self._most:
            raise BadRecord(f"{self._where} has more than {self._most} elements; split it")
        if name in _BLOCKS:
            self._mark_above()
        if rest.rstrip().endswith("/") or name in _VOID:
            return at
        if name in _RAW:
            mark = f"</{name}"
            end = self._end_of(mark, at, at)
            return self._end_of(">", end, end) + 1
        if len(self._open) > MAX_DEPTH:
            raise BadRecord(f"{self._where} is nested more than {MAX_DEPTH} deep")
        self._open.append(node)
        return at

    def _mark_above(self) -> None:
        for one in reversed(self._open):
            if one.holds_blocks:
                return
            one.holds_blocks = True

    def _close(self, name: str) -> None:
        for place in range(len(self._open) - 1, 0, -1):
            if self._open[place].name == name:
                del self._open[place:]
                return

    def _say(self, text: str) -> None:
        if text:
            self._open[-1].children.append(text)
