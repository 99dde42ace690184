"""
The connectors by name. One format, one file.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

from ingest.contract import Connector, Piece, Split
from ingest.errors import UNEXPECTED, BadRecord, BadSource, failure

NAMES = (
    "backstage",
    "codeowners",
    "runbooks",
    "postmortems",
    "changes",
    "git",
    "github",
    "prometheus_rules",
    "alertmanager",
    "mapping",
    "feedback",
)


@cache
def connector(name: str) -> Connector:
    """
    The connector of a name, or BadSource with the names that there are.
    """
    if name not in NAMES:
        raise BadSource(f"there is no connector {name!r}; there are: {', '.join(NAMES)}")
    module = importlib.import_module(f"ingest.connectors.{name}")
    found = module.CONNECTOR
    if not isinstance(found, Connector):
        raise TypeError(f"{module.__name__}.CONNECTOR is not a Connector")
    return replace(found, split=_told(name, found.split))


def _told(name: str, split: Split) -> Split:
    """
    A split whose unexpected failures are told like any bad record, so that they stop nothing but their own payload.
    """

    def told(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
        try:
            yield from split(raw, meta)
        except UNEXPECTED as error:
            raise BadRecord(failure(f"the connector {name}", error)) from error

    return told


def connectors() -> tuple[Connector, ...]:
    """
    All of them.
    """
    return tuple(connector(name) for name in NAMES)


def recognise(payload: Mapping[str, object], headers: Mapping[str, str]) -> Connector | None:
    """
    The connector whose webhook this is, by its body and its lower-cased headers.
    """
    return next((found for found in connectors() if found.recognises and found.recognises(payload, headers)), None)
