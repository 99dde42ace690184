"""
What a source wrote, made safe to show beside what we say: to an agent, to a terminal, in a text.

A reader that takes instructions must be able to tell our words from a source's. So prose leaves only as `Untrusted`: an
object of its own, cleaned of what no reader sees (control, bidirectional, tag and zero-width characters) and of what
acts by being shown (HTML, images, addresses), and of bounded length. A name, which stands among our own words, leaves
as it is only where it cannot be read as a sentence; else a handle stands for it, and the name itself is `Untrusted`.

Nothing here decides what is hostile: that cannot be known. It decides where a source's words may stand.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from typing import TypedDict

LONGEST = 400
"""Characters of a text, where no other length is asked for."""
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Cn"}
"""Controls, formats (bidirectional, zero-width, tags), private, lone halves, and what is no character."""
_BLANK = dict.fromkeys(
    [
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
        *(*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0000, 0xE1000)),
    ]
)
"""Letters and marks that show as nothing: fillers, variation selectors, all that lies among the tags."""
_LINES = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_ACTIVE = re.compile(r"(?is)<(script|style|svg|iframe|object)\b.*?(?:</\1\s*>|$)")
_COMMENT = re.compile(r"(?s)<!--.*?(?:-->|$)")
# quantifiers give nothing back where giving back could not help: a text must not cost more than its length
_TOKEN = re.compile(r"(?s)<!\[CDATA\[|\]\]>|<\|.{0,80}?\|>|\[/?(?:INST|SYS|TOOL_(?:CALLS|RESULTS))\]|<</?SYS>>")
"""What models use among themselves to mark who speaks."""
_AUTOLINK = re.compile(r"<((?:[a-z][a-z0-9+.-]{1,15}:|www\.)[^<>\s]*)>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z!?][^<>]{0,2000}+>")
_OPENING = re.compile(r"<(?=[A-Za-z/!?|<])")
_IMAGE = re.compile(r"!\[[^\[\]\n]{0,500}+\](?:\([^()\n]{0,2000}+\)|\[[^\[\]\n]{0,200}+\])?")
_DEFINITION = re.compile(r"(?m)^[ \t]{0,3}\[[^\[\]\n]{1,200}+\]:[ \t]*+\S.*$")
_LINK = re.compile(r"\[([^\[\]\n]{0,500}+)\]\(([^()\n]{0,2000}+)\)")
_ADDRESS = re.compile(
    r"\b(?:[a-z][a-z0-9+.-]{1,15}://|(?:https?|ftp|data|javascript|vbscript|mailto|file|blob):(?=\S)|www\.)[^\s<>\"'`]*",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@#+-]{0,79}")
_WORD = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{2,}(?![a-z])")
_HANDLE = re.compile(r"~[0-9a-f]{10}")
WORDS = 6
"""Of a service's, team's or person's name at most; more of them may be a sentence."""
WORDS_OF_ID = 3
"""Likewise of an id, which may come from the name of a file; more than one only beside a number."""


class Untrusted(TypedDict, total=False):
    """
    A source's words, and where they come from. They are data, whatever they say.
    """

    text: str
    source: str
    author: str
    trust: str
    record: str | None


def untrusted(
    text: str, *, source: str, trust: str, record: str | None, author: str | None = None, limit: int = LONGEST
) -> Untrusted:
    """
    A source's words as an object; who wrote them is among what the source says.
    """
    found = Untrusted(text=clean(text, limit), source=safe(source), trust=trust, record=record)
    if author:
        found["author"] = clean(author, 80)
    return found


def clean(text: str, limit: int = LONGEST) -> str:
    """
    Only what a reader sees, without anything that acts by being shown; cut to a length.
    """
    text = _seen(text[: 4 * limit + 1000])
    for _ in range(4):
        # what was written for HTML once more is only met when it is read once
        before, text = text, _plain(_seen(html.unescape(text)))
        if text == before:
            break
    text = _OPENING.sub("‹", text).replace("![", "[")
    text = re.sub(r"[^\S\n]+", " ", text)
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r" ?\n ?", "\n", text)).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _seen(text: str) -> str:
    text = unicodedata.normalize("NFC", _LINES.sub("\n", text)).translate(_BLANK)
    return "".join(one for one in text if one in "\n\t" or unicodedata.category(one) not in _HIDDEN)


def _plain(text: str) -> str:
    for pattern in (_ACTIVE, _COMMENT, _TOKEN, _IMAGE, _DEFINITION):
        text = pattern.sub("", text)
    text = _AUTOLINK.sub(lambda found: link(found[1]), text)
    text = _TAG.sub("", text)
    text = _LINK.sub(lambda found: f"{found[1]} {link(found[2].strip(' <>'))}".strip(), text)
    return _ADDRESS.sub(lambda found: link(found[0]), text)


def link(address: str) -> str:
    """
    What stands for an address: the same for the same one, and nothing that can be followed.
    """
    return f"[link:{_digest(address)[:8]}]"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def is_name(text: str) -> bool:
    """
    Whether a text is a name by its looks: of few words, without blanks.
    """
    plain = _NAME.fullmatch(text) and "://" not in text and not text.lower().startswith("www.")
    return bool(plain) and len(_WORD.findall(text)) <= WORDS


def is_id(text: str) -> bool:
    """
    Whether a text is an id by its looks: a name of one word, or of a few and a number.
    """
    words = len(_WORD.findall(text))
    return is_name(text) and (words <= 1 or (words <= WORDS_OF_ID and any(one.isdigit() for one in text)))


def safe(name: str) -> str:
    """
    A name as it is, or its handle.
    """
    return name if is_name(name) else handle(name)


def safe_id(text: str) -> str:
    """
    An id as it is, or its handle.
    """
    return text if is_id(text) else handle(text)


def handle(name: str) -> str:
    """
    What stands for a name that may not: always the same.
    """
    return f"~{_digest(name)[:10]}"


def is_handle(text: str) -> bool:
    """
    Whether a text stands for a name.
    """
    return bool(_HANDLE.fullmatch(text))


def quoted(text: str, limit: int = LONGEST) -> str:
    """
    A source's words within a line of ours: between double quotation marks, of which there are none within.
    """
    line = re.sub(r"\s+", " ", clean(text, limit))
    return '"' + re.sub(r'["“”„‟″＂]', "'", line) + '"'


def label(name: str | None) -> str:
    """
    A name within a line of ours: as it is, or quoted.
    """
    return "?" if not name else name if is_name(name) else quoted(name, 80)


def label_id(text: str) -> str:
    """
    An id within a line of ours: as it is, or quoted.
    """
    return text if is_id(text) else quoted(text, 80)


def block(text: str, lines: int, limit: int = 1500) -> list[str]:
    """
    A source's words as lines of their own, each behind a bar.
    """
    return [f"| {line}" for line in clean(text, limit).splitlines() if line.strip()][:lines]
