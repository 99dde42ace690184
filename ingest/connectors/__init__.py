"""
The connectors by name: one format, one file here, or an entry point of another package.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from ingest.contract import Body, Connector, Headers, Piece, Recognises, Split
from ingest.errors import BadRecord, BadSource, IngestError, failure
from ingest.fields import unwrapped

GROUP = "precedent.connectors"
"""The group of entry points by which a package adds a connector of its own: its name = "module:CONNECTOR"."""
_FIRST = ("backstage", "codeowners", "runbooks", "postmortems", "changes", "git")
"""Those whose names of files say more than others'."""


@cache
def _added() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _names() -> tuple[str, ...]:
    own = {module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")}
    return (*_FIRST, *sorted((own | set(_added())) - set(_FIRST)))


NAMES = _names()


@cache
def connector(name: str) -> Connector:
    """
    The connector of a name, or BadSource with the names that there are.
    """
    if name not in NAMES:
        raise BadSource(f"there is no connector {name!r}; there are: {', '.join(NAMES)}")
    place = f"ingest.connectors.{name}"
    added = _added().get(name)
    found = _loaded(added) if added else importlib.import_module(place).CONNECTOR
    if not isinstance(found, Connector):
        raise BadSource(f"the connector {name!r}: {added.value if added else place} is not a Connector")
    return replace(found, name=name, split=_told(name, found.split), recognises=_tolerant(found.recognises))


def _loaded(point: EntryPoint) -> object:
    """
    What another package offers. BadSource where it cannot be loaded, whatever it does then.
    """
    try:
        return point.load()
    except Exception as error:
        raise BadSource(failure(f"loading the connector {point.name!r} from {point.value}", error)) from error


def _told(name: str, split: Split) -> Split:
    """
    A split whose unexpected failures are told like any bad record, so that they stop nothing but their own payload.
    """

    def told(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
        try:
            yield from split(raw, meta)
        except IngestError:
            raise
        except Exception as error:
            raise BadRecord(failure(f"the connector {name}", error)) from error

    return told


def _tolerant(recognises: Recognises | None) -> Recognises | None:
    """
    A connector is asked about everybody's bodies: one that fails it, it does not recognise.
    """
    if recognises is None:
        return None

    def recognised(body: Body, headers: Headers) -> bool:
        try:
            return recognises(body, headers)
        except Exception:  # noqa: BLE001 - it may be of any package, and must not stop the others
            return False

    return recognised


def connectors() -> tuple[Connector, ...]:
    """
    All that can be loaded: another package's that cannot is told by whoever asks for it by name.
    """
    return tuple(found for name in NAMES if (found := _whole(name)))


@cache
def _whole(name: str) -> Connector | None:
    try:
        return connector(name)
    except BadSource:
        return None


def recognise(payload: Mapping[str, object], headers: Mapping[str, str]) -> Connector | None:
    """
    The connector whose webhook this is, by its body and its lower-cased headers; a relay's envelope is looked into.
    """
    for body in (payload, inner) if (inner := unwrapped(payload)) is not payload else (payload,):
        for found in connectors():
            if found.recognises and found.recognises(body, headers):
                return found
    return None
