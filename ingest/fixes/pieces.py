"""
A text cut into its sentences, list items and timeline entries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ENTRY = (
    r"(?:\d{4}-\d{2}-\d{2}[ T]*)?\d{1,2}[:.]\d{2}(?::\d{2})?(?:\s*[ap]m\b)?"
    r"(?:\s*(?:UTC|GMT|BST|[ECMP][SD]?T|CES?T|IST)\b)?"
)
_BARE_HEADING = (
    r"(?:user |customer )?impact|summary|overview|resolution|mitigation|remediation|timeline"
    r"|root causes?|what happened\??|detection|action items|lessons learned"
    r"|background|what (?:went|did)[^\n.]{0,30}|where we got lucky"
)
_SENTENCE = re.compile(
    r"```.*?(?:```|\Z)|^#{1,6}[ \t][^\n]*$|^(?:"
    + _BARE_HEADING
    + r")[ \t]*:?[ \t]*$|(?<!e\.g\.)(?<!i\.e\.)(?<!approx\.)(?<=[.!?])[\"')\]]*\s+(?-i:(?=[A-Z`*\"'(\[]))"
    r"|(?:\A|\n)[ \t]*(?:[-*+•]|\d{1,2}[.)])[ \t]+|\n\s*(?=\n)|\n(?=[ \t]*" + _ENTRY + r"[^\n]*\w)",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
_LABEL = re.compile(
    r"^(?:[\s>–—-]+|" + _ENTRY + r"\s*[-–—:]*\s+|\d{4}-\d{2}-\d{2}\s*[-–—:]*\s+|\*\*[^*\n]{1,40}\*\*\s*:?\s*"
    r"|(?:update|resolution|fix|mitigation|note|resolution note|message|description)\s*:\s+)+",
    re.IGNORECASE,
)
_LISTED = re.compile(r"(?:\A|\n)[ \t]*(?:[-*+•]|\d{1,2}[.)])[ \t]+\Z")


@dataclass(frozen=True, slots=True)
class Piece:
    """
    A sentence, list item or timeline entry.
    """

    text: str
    listed: bool
    fix: bool
    """Its own label, or a heading in the text, says that it is the resolution: "**Resolution**: ..."."""


def pieces_of(text: str) -> Iterator[Piece]:
    """
    The sentences, list items and timeline entries of a text, exact substrings of it, without their heading or clock,
    with what their place says of them: an item of a list, the resolution.
    """
    start, ending, listed = 0, False, False
    for mark in [*_SENTENCE.finditer(text), None]:
        end = mark.start() if mark else len(text)
        if mark and mark[0].strip(" \t\n)]'\"") == "" and mark[0][:1] in "\"')]":
            end += len(mark[0].rstrip())
        for line in _entries(text[start:end]):
            label = _LABEL.match(line.strip())
            piece = line.strip()[label.end() if label else 0 :].strip()
            named = bool(label and re.search(r"resol|fix|mitigat|remed", label[0], re.IGNORECASE))
            if piece:
                yield Piece(piece, listed, ending or named)
        if mark and re.fullmatch(_BARE_HEADING + r"[ \t]*:?[ \t]*", mark[0], re.IGNORECASE):
            ending = bool(re.match(r"resol|mitigat|remed", mark[0], re.IGNORECASE))
        start, listed = (mark.end(), bool(_LISTED.search(mark[0]))) if mark else (end, False)


def _entries(block: str) -> list[str]:
    """
    A block's lines where each is an entry of its own, else the block: prose is wrapped within a hundred-odd columns.
    """
    lines = [line for line in block.strip().split("\n") if line.strip()]
    capital = all(line.lstrip()[:1].isupper() or line.lstrip()[:1].isdigit() for line in lines)
    return lines if capital and len(lines) > 1 and (max(map(len, lines)) > 120 or len(lines) > 2) else [block]
