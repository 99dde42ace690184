"""
The follow-up actions of a postmortem that it says are still open: checkboxes, tables, lists with a status.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 160
_OPEN = r"open|to.?do|in.progress|pending|not.started|backlog|outstanding|new|planned|proposed|blocked"
_DONE = r"done|closed|completed?|resolved|merged|fixed|shipped|finished|cancell?ed|won'?t (?:do|fix)|yes"
_BOX = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])?\s*\[(?P<mark>[ xX])\]\s*(?P<text>.+)$")
_ITEM = re.compile(r"^\s*(?:[-*+]|(?P<number>\d{1,3})[.)])\s+(?P<text>.+)$")
_STATUS = re.compile(rf"(?:\bstatus\W{{1,4}}|[(\[]\s*)(?P<status>{_OPEN}|{_DONE})\b\s*[)\]]?", re.IGNORECASE)
_OWNER = re.compile(
    r"\b(?:owner|assignee|assigned to|owned by|responsible)\W{1,4}"
    r"(?P<owner>@?[\w][\w .&/-]{0,40}?)(?=[,;.)\]|]|\s+-|$)",
    re.IGNORECASE,
)
_ASIDE = re.compile(rf"\((?P<owner>[^(),]{{2,40}}),\s*(?P<status>{_OPEN}|{_DONE})\)", re.IGNORECASE)
"""(Team X, open): whose it is, and how it stands."""
_NAME = re.compile(r"(?<![\w/])(?P<name>#\d{1,7}|[A-Z][A-Z0-9]{1,9}-\d{1,7})\b")
_COLUMNS: tuple[tuple[str, str], ...] = (
    ("text", r"action(?: items?)?|items?|task|description|what|todo|follow.?up|title|summary"),
    ("owner", r"owner|assignee|who|responsible|team|owning team"),
    ("status", r"status|state|done\??|completed?\??"),
    ("name", r"ticket|issue|jira|bug|id|ref|link|#|tracking"),
)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """
    One open action: what, its ticket or number, and whose it is, as the document says.
    """

    text: str
    name: str = ""
    owner: str = ""

    @property
    def row(self) -> dict[str, str]:
        """
        What is known of it.
        """
        told = {"says": self.text, "name": self.name, "owner": self.owner}
        return {name: value for name, value in told.items() if value}


@lru_cache(maxsize=256)
def open_actions(text: str) -> tuple[FollowUp, ...]:
    """
    Those that the text says are open, in its order; what has no state is left out.
    """
    found: list[FollowUp] = []
    columns: Sequence[str] = ()
    for line in text.split("\n"):
        if line.lstrip().startswith("|"):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if all(re.fullmatch(r":?-*:?", cell) for cell in cells):
                continue
            heads = [_column(cell) for cell in cells]
            if "text" in heads and ("status" in heads or "owner" in heads):
                columns = heads
            elif columns:
                found += _row(dict(zip(columns, cells, strict=False)))
            continue
        columns = ()
        found += _line(line)
    return tuple(found)


def _column(head: str) -> str:
    bare = re.sub(r"[*_`:]", "", head).strip()
    return next((name for name, rule in _COLUMNS if re.fullmatch(rule, bare, re.IGNORECASE)), "")


def _row(cells: Mapping[str, str]) -> Iterator[FollowUp]:
    status = cells.get("status", "")
    if cells.get("text") and re.match(rf"\W*(?:{_OPEN}|no)\b", status, re.IGNORECASE):
        yield _made(cells["text"], cells.get("name", ""), cells.get("owner", ""))


def _line(line: str) -> Iterator[FollowUp]:
    box, item = _BOX.match(line), _ITEM.match(line)
    if box:
        if box["mark"] == " ":
            yield _made(box["text"])
        return
    if not item:
        return
    if item["text"].startswith("{"):
        yield from _object(item["text"])
        return
    text, number = item["text"], item["number"] or ""
    aside = _ASIDE.search(text)
    if aside:
        if re.fullmatch(_OPEN, aside["status"], re.IGNORECASE):
            yield _made(_ASIDE.sub("", text), owner=aside["owner"], number=number)
        return
    status = _STATUS.search(text)
    if status and re.fullmatch(_OPEN, status["status"], re.IGNORECASE):
        yield _made(_STATUS.sub("", text), number=number)


def _object(text: str) -> Iterator[FollowUp]:
    try:
        given = json.loads(text)
    except ValueError:
        return
    cells = {_column(str(key)): str(value) for key, value in given.items() if isinstance(value, str | int)}
    yield from _row(cells)


def _made(text: str, name: str = "", owner: str = "", number: str = "") -> FollowUp:
    named, owned = _NAME.search(name or text), _OWNER.search(text)
    return FollowUp(
        text=re.sub(r"\s+", " ", re.sub(r"[*_`]", "", text)).strip(" -:.")[:LONGEST],
        name=named["name"] if named else name[:40] or number,
        owner=(owner or (owned["owner"] if owned else "")).strip(" *_`")[:60],
    )
