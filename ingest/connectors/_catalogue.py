"""
What connectors of catalogues have in common: cutting files of documents into records, and stating what an entity is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import urlsplit

import orjson

from graph.values import EntityId, EntityKind, Fact, FactKind, entity_id
from ingest.contract import Body, Piece, Split
from ingest.errors import BadRecord
from ingest.fields import digest_of, named, text, text_at
from ingest.parsing import json_lines, load_json, load_yaml_documents, text_of, unpack

Entries = Callable[[object], Iterable[object]]
"""The entries of a document: itself, those of a list, those in an API's wrapper."""

_RUNBOOK = re.compile(r"run-?_?\s?books?|play-?_?\s?books?", re.IGNORECASE)
_DASHBOARD = re.compile(r"dashboards?|\bmetrics\b|\bobservability\b|\bgrafana\b", re.IGNORECASE)
_ON_CALL = re.compile(r"\bon[-_ ]?call\b|\bincidents?\b|pagerduty|opsgenie|\bescalation", re.IGNORECASE)
_FORGES = ("github", "gitlab", "bitbucket", "gitea", "codeberg")
_PAGED = re.compile(r"https?://[^/]*\bpagerduty\.com/(?:service-directory|services)/([\w-]+)/?(?:[?#].*)?")
_OPSGENIE = re.compile(r"https?://[^/]*\bopsgenie\.com/service/([\w-]+)(?:/.*)?")


def entries(document: object) -> Iterable[object]:
    """
    A list's entries, anything else as it is.
    """
    return document if isinstance(document, list) else [document]


def documents(what: str, name: Callable[[Body], str], found: Entries = entries) -> Split:
    """
    A split of files of YAML (any number of documents), JSON, and JSON lines: a piece an entry, whose part is the file
    and the entry's `name` in it. What cannot be read leaves the rest of the file alone, where it can be cut.
    """

    def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
        path = meta.get("path") or what
        number = 0
        for value in documents_of(raw, path):
            if isinstance(value, Piece):
                yield value
                continue
            for entry in found(value):
                number += 1
                yield piece(entry, path, number, name)

    return split


def piece(entry: object, path: str, number: int, name: Callable[[Body], str]) -> Piece:
    """
    One entry of a file; with its problem where it is no object, or holds what JSON cannot.
    """
    try:
        body = orjson.dumps(entry, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError) as error:
        return Piece(part=f"{path}#{digest_of(repr(entry))}", body=repr(entry), problem=f"{path}: {error}")
    if not isinstance(entry, dict):
        return Piece(part=f"{path}#{digest_of(body)}", body=body, problem=f"{path}: an entry should be an object")
    return Piece(part=f"{path}#{name(entry)}".lower(), body=body, meta={"row": str(number)})


def documents_of(raw: bytes, path: str) -> Iterator[object]:
    """
    The documents of a file of JSON, JSON lines or YAML, packed or not; a Piece with its problem for each that cannot be
    read, where the others can.
    """
    body = unpack(raw, path)
    plain = path.removesuffix(".gz")
    if plain.endswith((".jsonl", ".ndjson")):
        for number, line in json_lines(body):
            where = f"line {number} of {path}"
            try:
                yield load_json(text_of(line, where), where)
            except BadRecord as error:
                yield Piece(part=f"{path}#{number}", body=line.decode("utf-8", "replace"), problem=str(error))
        return
    text = text_of(body, path)
    if plain.endswith(".json") or text.lstrip()[:1] in ("{", "["):
        yield load_json(text, path)
        return
    yield from _of_yaml(text, path)


def _of_yaml(text: str, path: str) -> Iterator[object]:
    try:
        yield from load_yaml_documents(text, path)
        return
    except BadRecord as whole:
        parts = re.split(r"(?m)^---[ \t]*(?:#.*)?$", text)
        if len(parts) < 2:
            raise whole from None
    for number, part in enumerate(parts, 1):
        try:
            yield from load_yaml_documents(part, f"document {number} of {path}")
        except BadRecord as error:
            yield Piece(part=f"{path}#document-{number}", body=part, problem=str(error))


def described(subject: EntityId, links: Iterable[tuple[str, object]] = (), **fields: object) -> Fact:
    """
    That an entity exists, with its fields that say something, and its (what about, URL) links.
    """
    found = {key: said for key, value in fields.items() if (said := named(_joined(value)))}
    return Fact(kind=FactKind.ENTITY, subject=subject, attributes={**found, **sorted_links(links)})


def _joined(value: object) -> object:
    if isinstance(value, list | tuple):
        return ",".join(said for one in value if (said := text(one)))
    return value


def sorted_links(links: Iterable[tuple[str, object]]) -> dict[str, str]:
    """
    All links, and of them those to runbooks, dashboards and the tool that pages, by what is said about each.
    """
    told = [(f"{about} {url}", url) for about, given in links if (url := _url(given))]
    found = {
        "links": [url for _, url in told],
        "runbooks": [url for about, url in told if _RUNBOOK.search(about)],
        "dashboards": [url for about, url in told if _DASHBOARD.search(about)],
        "on_call": [url for about, url in told if _ON_CALL.search(about)],
    }
    return {key: " ".join(dict.fromkeys(urls)) for key, urls in found.items() if urls}


def _url(value: object) -> str | None:
    found = text(value)
    return found if found and not re.search(r"\s", found) else None


def words(link: Body, *keys: str) -> str:
    """
    What a link says it is about.
    """
    return " ".join(said for key in keys if (said := text_at(link, key)))


def alias(subject: EntityId | None, name: object, seen_in: str) -> Iterator[Fact]:
    """
    Another name of an entity; none where it names nothing or is the entity's own.
    """
    found = named(name)
    if subject and found and found.lower() != subject.partition(":")[2]:
        yield Fact(kind=FactKind.ALIAS, subject=subject, object=found, attributes={"seen_in": seen_in})


def edge(
    kind: FactKind, subject: EntityId | None, target: EntityId | None, stated_as: str, **attributes: str | None
) -> Iterator[Fact]:
    """
    An edge that a source declares; none from nothing, to nothing, or to itself.
    """
    if not subject or not target or subject == target:
        return
    found = {key: value for key, value in attributes.items() if value}
    declared = {"source_kind": "declared"} if kind is FactKind.DEPENDS_ON else {}
    yield Fact(kind=kind, subject=subject, object=target, attributes={"stated_as": stated_as, **declared, **found})


def ident(kind: EntityKind, name: object) -> EntityId | None:
    """
    The entity of a name; None where it names nothing.
    """
    found = named(name)
    return entity_id(kind, found) if found else None


def person(name: object) -> EntityId | None:
    """
    A person; of a mail address only the part before the @ is kept.
    """
    found = named(name)
    return ident(EntityKind.PERSON, found.removeprefix("@").partition("@")[0]) if found else None


def built_from(subject: EntityId, repository: object, path: object = None, *, only: bool = True) -> Iterator[Fact]:
    """
    The repository of an entity. Its name is another name of the entity, where nothing else is built from it.
    """
    name, inside = named(repository), (text(path) or "").strip("/.")
    if not name:
        return
    attributes = {"path": inside} if inside else {}
    target = entity_id(EntityKind.REPOSITORY, name)
    yield Fact(kind=FactKind.BUILT_FROM, subject=subject, object=target, attributes=attributes)
    if only and not inside:
        yield from alias(subject, name, "repo")


def built_from_all(subject: EntityId, urls: Iterable[object]) -> Iterator[Fact]:
    """
    The repositories of those addresses that are some.
    """
    found = list(dict.fromkeys(one for url in urls if (one := repository_in(url))))
    for name, path in found:
        yield from built_from(subject, name, path, only=len(found) == 1)


def repository_in(url: object) -> tuple[str, str] | None:
    """
    (full name, folder) of a repository's address: `https://host/owner/name/tree/branch/folder`, `git@host:owner/name`.
    """
    given = text(url)
    if not given:
        return None
    if ssh := re.fullmatch(r"(?:ssh://)?[\w.-]+@([\w.-]+)(?::\d+)?[:/](.+?)(?:\.git)?/?", given):
        return (ssh[2], "") if "/" in ssh[2] else None
    try:
        address = urlsplit(given)
    except ValueError:
        return None
    if address.scheme not in ("http", "https") or not any(forge in address.netloc for forge in _FORGES):
        return None
    way = re.fullmatch(r"(.+?)(?:\.git)?(?:/-)?(?:/(?:tree|blob|src)/[^/]+(?:/(.*))?)?", address.path.strip("/"))
    if not way or way[1].count("/") < 1:
        return None
    deep = "gitlab" in address.netloc
    name = way[1] if deep else "/".join(way[1].split("/")[:2])
    return name, (way[2] or "").strip("/")


def paged_by(subject: EntityId, url: object) -> Iterator[Fact]:
    """
    The id of the entity in the paging tool to whose page an address leads.
    """
    given = text(url) or ""
    if found := _PAGED.fullmatch(given):
        yield from alias(subject, found[1], "pagerduty")
    if found := _OPSGENIE.fullmatch(given):
        yield from alias(subject, found[1], "opsgenie")


def once(facts: Iterable[Fact]) -> Iterator[Fact]:
    """
    Each edge as it was stated first.
    """
    seen = set()
    for fact in facts:
        mark = (fact.kind, fact.subject, fact.object)
        if mark not in seen:
            seen.add(mark)
            yield fact
