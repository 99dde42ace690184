"""
CODEOWNERS of GitHub and GitLab: who owns which paths of a repository. The last matching line wins.

GitHub anchors a pattern with a slash inside, and a line without owners means nobody. GitLab's has sections, which all
apply: a line without owners has its section's, what `!` excludes stays excluded in its section, and a pattern without a
leading slash is looked for in every folder. A file with a section or an exclusion is read as GitLab's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from graph.values import EntityId, EntityKind, Fact, FactKind, Item, Record, Trust, entity_id
from ingest.contract import Connector, Piece
from ingest.errors import BadRecord
from ingest.parsing import text_of, unpack

_SECTION = re.compile(r"^(\^)?\[([^\]]+)\](?:\[(\d+)\])?(?:\s+(.*))?$")
_MAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One line: a pattern and its owners, in a section (empty: none), at a line number.
    """

    pattern: str
    owners: tuple[str, ...]
    section: str
    line: int
    excludes: bool = False
    optional: bool = False
    gitlab: bool = False
    """Whether GitLab's meaning of patterns counts."""


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    One piece a file; its order is its meaning. The repository is the option `repository`, else the folder's name.
    """
    path = meta.get("path", "CODEOWNERS")
    yield Piece(part=path, body=text_of(unpack(raw, path), path), meta={"repository": _repository(path, meta)})


def _repository(path: str, meta: Mapping[str, str]) -> str:
    if meta.get("repository"):
        return meta["repository"]
    folders = [part for part in PurePosixPath(path).parts[:-1] if part not in (".github", ".gitlab", "docs", "/", ".")]
    return folders[-1] if folders else "repository"


def rules(text: str) -> Iterator[Rule]:
    """
    The lines that mean something, in order.
    """
    section, optional = "", False
    inherited: tuple[str, ...] = ()
    gitlab = is_gitlab(text)
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        head = _SECTION.match(line)
        if head:
            inherited = tuple(word for word in _words(head[4] or "") if "@" in word)
            section, optional = head[2].strip(), bool(head[1])
            continue
        words = _words(line)
        owners = tuple(word for word in words[1:] if "@" in word)
        excludes = words[0].startswith("!")
        pattern = words[0].removeprefix("!")
        yield Rule(pattern, owners or (() if excludes else inherited), section, number, excludes, optional, gitlab)


def is_gitlab(text: str) -> bool:
    """
    Whether a file has what only GitLab's knows: sections or exclusions.
    """
    lines = (line.strip() for line in text.split("\n"))
    return any(line.startswith("!") or _SECTION.match(line) for line in lines)


def _words(line: str) -> list[str]:
    bare = re.split(r"\s#", line, maxsplit=1)[0]
    return [word.replace("\\ ", " ").removeprefix("\\") for word in re.split(r"(?<!\\)\s+", bare.strip())]


def owner_id(owner: str) -> EntityId:
    """
    `@org/team` is a team, `@user` and a mail address are persons (of an address only the part before the @ is kept). Of
    a group in a group (`@org/area/team`) all but the organisation is its name. A role (`@@maintainer`) is nobody.
    """
    if owner.startswith("@@"):
        return ""
    if _MAIL.match(owner):
        return entity_id(EntityKind.PERSON, owner.partition("@")[0])
    name = owner.removeprefix("@")
    return entity_id(EntityKind.TEAM, name.partition("/")[2]) if "/" in name else entity_id(EntityKind.PERSON, name)


def transform(record: Record) -> Iterator[Item]:
    """
    Each line and owner as ownership of the repository, narrowed to its pattern.
    """
    repository = entity_id(EntityKind.REPOSITORY, record.meta.get("repository", "repository"))
    found = False
    for rule in rules(record.body):
        found = True
        attributes = {"pattern": rule.pattern, "line": str(rule.line)}
        if rule.section:
            attributes["section"] = rule.section
        if rule.optional:
            attributes["optional"] = "true"
        if rule.gitlab:
            attributes["dialect"] = "gitlab"
        if not rule.owners:
            attributes["excludes" if rule.excludes else "nobody"] = "true"
        for owner in rule.owners or ("",):
            target = owner_id(owner) if owner else ""
            yield Fact(kind=FactKind.OWNED_BY, subject=repository, object=target, attributes=attributes | {"as": owner})
    if not found:
        raise BadRecord(f"{record.part} has no line with a pattern and owners")


def owners_of(path: str, found: Sequence[Rule]) -> tuple[str, ...]:
    """
    The owners of a path: the last matching rule of each section, sections in order. Sections of one name are one.
    """
    winners: dict[str, tuple[str, ...]] = {}
    excluded = set()
    for rule in found:
        section = rule.section.lower()
        if section not in excluded and matches(rule.pattern, path, gitlab=rule.gitlab):
            winners[section] = () if rule.excludes else rule.owners
            if rule.excludes:
                excluded.add(section)
    return tuple(dict.fromkeys(owner for owners in winners.values() for owner in owners))


def matches(pattern: str, path: str, *, gitlab: bool = False) -> bool:
    """
    Whether a CODEOWNERS pattern covers a path: as in .gitignore, without character classes and negation; on GitLab in
    every folder where no slash leads, and below a folder only where a slash ends it.
    """
    rooted = pattern.startswith("/") or (not gitlab and "/" in pattern.rstrip("/"))
    body = pattern.strip("/")
    regex = "".join(_piece(part) for part in re.split(r"(\*\*/|/\*\*|\*|\?)", body))
    start = r"\A" if rooted else r"(?:\A|.*/)"
    deep = "/.*" if pattern.endswith("/") else "" if gitlab else r"(?:/.*)?"
    if body.endswith("*") and not body.endswith("**") and rooted:
        # `docs/*` covers the files of docs alone, not those of folders below
        deep = ""
    return re.match(start + regex + deep + r"\Z", path.strip("/")) is not None


def _piece(part: str) -> str:
    return {"**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "?": "[^/]"}.get(part) or re.escape(part)


CONNECTOR = Connector(
    name="codeowners",
    summary="CODEOWNERS of GitHub and GitLab (last matching line wins)",
    trust=Trust.DECLARED,
    snapshot=True,
    split=split,
    transform=transform,
    patterns=("CODEOWNERS", "*CODEOWNERS", "*CODEOWNERS.txt", "codeowners/*.txt"),
)
