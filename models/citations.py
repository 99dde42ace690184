"""
Which changes a text cites, as people write it: a hash, a pull request's number or address, a version, a quoted id.

The phrases that say what a commit mends ("Fixes: 1a2b3c4", "regression from", "introduced in") and what it takes back
("This reverts commit") are those of the Linux kernel's and GitHub's conventions, and of plain prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_HASH = r"[0-9a-f]{7,40}"
_REFERENCE = (
    rf"`?(?:(?:[\w.-]+/[\w.-]+@)?{_HASH}\b|(?:[\w.-]+/[\w.-]+)?[#!]\d+\b"
    r"|https?://[^\s)>\]]+/(?:commits?|pull|merge_requests)/[\w-]+)"
)
_MENDS = re.compile(
    r"\b(?:fixes:?\s+(?:commit\s+|regressions?\s+(?:from|in|of)\s+)?|regress(?:ed|ion)\s+(?:from|in|of|by|since|introduced\s+(?:in|by))\s+"
    r"|(?:introduced|caused|broken|broke)\s+(?:in|by|since|with)\s+|since\s+|follow.?up\s+(?:to|of)\s+|amends\s+)"
    rf"(?:commit|change|pr|pull request|merge request)?\s*\(?({_REFERENCE})",
    re.IGNORECASE,
)
_TAKES_BACK = re.compile(
    r"\b(?:this\s+)?(?:reverts?|reverting|rolls?\s+back|undoes|backs?\s+out)\s+(?:the\s+)?"
    rf"(?:commit|change|pr|pull request|merge request)?\s*\(?({_REFERENCE})",
    re.IGNORECASE,
)
_TITLE = re.compile(r"^\W*revert\w*:?\s+[\"'“](.{4,300}?)[\"'”]\s*(?:\(#\d+\))?\s*$", re.IGNORECASE)
_BRANCH = re.compile(r"\bfrom [\w.-]+/revert-(\d+)-")
"""The branch that GitHub makes for taking back a pull request."""
_CLAUSE = re.compile(r"[.;!?]\s|\n")
_SAID_TO_MEND = re.compile(
    r"\b(?:hot.?)?fix\w*|\b(?:resolv|restor|mitigat|revert|remed|recover|repair|undo|undid|work.?around|roll(?:ed|ing)?.back"
    r"|rollback|stop|prevent|address(?:ed|es|ing))\w*",
    re.IGNORECASE,
)
_SAID_TO_HARM = re.compile(
    r"\b(?:caus|introduc|broke|break|regress|trigger|culprit|led to|due to|because of|merging|deploying|releasing"
    r"|upgrading)\w*|\b(?:was|were|is|got|been|after|we) (?:\w+ ){0,2}(?:merged|deployed|released|rolled out|applied"
    r"|upgraded|enabled|switched)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"/(?:commits?|pull|merge_requests)/([\w-]+)")
_NUMBER = re.compile(r"(?:\(#|\(!|pull request #|merge request !|/pull/|/merge_requests/)(\d+)\b", re.IGNORECASE)
_ANY = re.compile(
    rf"/(?:commits?)/({_HASH})\b|/(?:pull|merge_requests)/(\d+)\b|(?<![\w/#&-])[#!](\d+)\b|\b({_HASH})\b|`([^`\n]{{3,80}})`|\b(v?\d+\.\d+\.\d+[\w.+-]*)"
)


def mended(text: str) -> list[str]:
    """
    What a change says it mends: hashes, and numbers as `#12`. "Fixes #12" is left out: that is the number of an issue.
    """
    return [
        found
        for match in _MENDS.finditer(text)
        if (found := _bare(match[1])) and not (found.startswith("#") and match[0].lower().startswith("fix"))
    ]


def taken_back(text: str) -> list[str]:
    """
    What a change says it takes back.
    """
    return [
        *(found for match in _TAKES_BACK.finditer(text) if (found := _bare(match[1]))),
        *(f"#{number}" for number in _BRANCH.findall(text)),
    ]


def reverted_title(title: str) -> str | None:
    """
    The title of what `Revert "title"` takes back.
    """
    found = _TITLE.match(title)
    return found[1].strip() if found else None


def number_of(title: str, url: str | None) -> str | None:
    """
    The number of the pull or merge request that a commit came with, as `#12`.
    """
    found = _NUMBER.findall(f"{title.splitlines()[0] if title else ''} {url or ''}")
    return f"#{found[-1]}" if found else None


def cited(text: str) -> Iterator[tuple[str, int]]:
    """
    (what is cited, its place) of all that may name a change in prose; what is none of ours is found by nobody.
    """
    for match in _ANY.finditer(text):
        commit, pull, number, bare, quoted, version = match.groups()
        if pull or number:
            yield f"#{pull or number}", match.start()
        elif bare and not _hash_like(bare):
            continue
        else:
            yield (commit or bare or quoted or version or "").strip(), match.start()


def role_at(text: str, place: int) -> str:
    """
    What the clause around a citation says of it: `fix`, `cause`, or nothing. What mends was deployed, too, so that
    counts last.
    """
    start = max(0, place - 300)
    start = max((match.end() for match in _CLAUSE.finditer(text, start, place)), default=start)
    end = _CLAUSE.search(text, place)
    clause = _ADDRESS.sub(" ", text[start : end.start() if end else place + 200])
    if _SAID_TO_MEND.search(clause):
        return "fix"
    return "cause" if _SAID_TO_HARM.search(clause) else ""


def _hash_like(text: str) -> bool:
    """
    Words like `defaced` and numbers are written in the same characters.
    """
    return any(char.isdigit() for char in text) and any(char.isalpha() for char in text)


def _bare(reference: str) -> str:
    text = reference.strip("`()")
    address = _ADDRESS.search(text)
    if address:
        return f"#{address[1]}" if address[1].isdigit() and "/commit" not in text else address[1]
    numbered = re.search(r"[#!](\d+)$", text)
    text = f"#{numbered[1]}" if numbered else text.rpartition("@")[2]
    return text if text.startswith("#") or _hash_like(text) else ""
