"""
Runbooks in Markdown: a page, its sections, and the alerts and services that it says it is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from graph.values import EntityKind, Item, Record, Runbook, Trust, entity_id
from ingest.contract import Connector, Piece
from ingest.markdown import Document, parse
from ingest.parsing import text_of, texts_of, unpack

_ALERT_NAME = re.compile(r"^`?([A-Z][a-z0-9]+(?:[A-Z0-9][a-z0-9]*){1,}|[a-z0-9]+(?:_[a-z0-9]+){2,})`?$")
_ALERT_LINE = re.compile(r"(?im)^\s*(?:[-*]\s*)?(?:\*\*)?alert(?:s|name)?(?:\*\*)?\s*:\s*`?([A-Za-z0-9_ ,`]+)")
_SUFFIX = re.compile(r"(\.html)?\.(md|markdown|txt|erb)(\.(txt|erb))?$")
_KEPT = ("last_reviewed_on", "review_in", "weight", "layout", "section", "owner", "owner_slack", "type")


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    One piece a page.
    """
    path = meta.get("path", "page.md")
    yield Piece(part=path, body=text_of(unpack(raw, path), path))


def transform(record: Record) -> Iterator[Item]:
    """
    The page as a Runbook; its id is its path within the source.
    """
    path = record.meta.get("path", record.part)
    document = parse(record.body, path)
    yield runbook_of(document, path, record.meta)


def runbook_of(document: Document, path: str, meta: Mapping[str, str]) -> Runbook:
    """
    A parsed page as a Runbook.
    """
    front = document.front
    url = front.get("url") or (
        meta["url_prefix"].rstrip("/") + "/" + _SUFFIX.sub("", path) if "url_prefix" in meta else None
    )
    return Runbook(
        id=path,
        title=document.title or title_of_path(path),
        sections=document.sections,
        services=tuple(
            entity_id(EntityKind.SERVICE, name)
            for key in ("service", "services", "app", "applications")
            for name in texts_of(front.get(key))
        ),
        alerts=tuple(sorted(_alerts(document, path))),
        approved=front.get("approved") is True or str(front.get("status", "")).lower() == "approved",
        url=str(url) if url else None,
        attributes={key: str(front[key]) for key in _KEPT if front.get(key) is not None},
    )


def _alerts(document: Document, path: str) -> Iterator[str]:
    for key in ("alert", "alerts", "alertname", "alert_rules"):
        yield from texts_of(document.front.get(key))
    for section in document.sections:
        named = _ALERT_NAME.match(section.heading)
        if named:
            yield named[1]
    stem = _SUFFIX.sub("", PurePosixPath(path).name)
    if re.fullmatch(r"[A-Z][a-z0-9]+(?:[A-Z0-9][a-z0-9]*)+", stem):
        yield stem
    for line in _ALERT_LINE.finditer("\n".join(section.text for section in document.sections[:3])):
        yield from (name for name in re.findall(r"[A-Za-z0-9_]+", line[1]) if _ALERT_NAME.match(name))


def title_of_path(path: str) -> str:
    """
    A title for a page without one, from its file's name.
    """
    return re.sub(r"[-_]+", " ", _SUFFIX.sub("", PurePosixPath(path).name)).strip()


CONNECTOR = Connector(
    name="runbooks",
    summary="runbooks as Markdown pages",
    trust=Trust.DECLARED,
    snapshot=True,
    split=split,
    transform=transform,
    patterns=("*runbook*/*.md*", "runbooks/*", "playbooks/*.md*"),
)
