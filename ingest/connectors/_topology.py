"""
What connectors of observed topology have in common: a graph that is gathered of one payload, and its records.

A record is one edge, or what is known of one node, under a part that names it for good. So what is seen again is the
same record, in whatever file or order it comes, and a new file takes nothing away from what another one showed. Of an
edge the day on which it was last seen is kept, no finer: a stream of traces makes one version a day. When it was first
seen the store knows by itself. Of counts their magnitude is kept, and only where the source counts over a window. The
record of a node says the day on which it was seen, that of a node in an environment the hour, so that a version that
comes back after another one is news; what they state says neither.
"""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

import orjson

from graph.values import EntityId, EntityKind, Fact, FactKind, Item, Record, entity_id
from ingest.contract import Piece
from ingest.errors import BadRecord
from ingest.fields import at, body_of, list_at, named, texts
from ingest.parsing import mapping_of

PSEUDO = frozenset({"unknown", "passthroughcluster", "blackholecluster", "inaccessible", "*", "-"})
"""Nodes by which tools stand for whoever they do not know."""
NO_VERSION = frozenset({"latest", "head", "main", "master", "unknown"})
_CLUSTER_NAME = re.compile(r"([a-z0-9-]+)\.[a-z0-9-]+\.svc(?:\..+)?", re.IGNORECASE)
_HERE = frozenset({"localhost", "host.docker.internal", "localhost.localdomain"})


def service(name: object) -> EntityId | None:
    """
    The service of a node's name; None for those that are none.
    """
    found = named(name)
    if not found or found.lower() in PSEUDO or found.lower().startswith("unknown_service"):
        return None
    return entity_id(EntityKind.SERVICE, found)


def resource(name: object) -> EntityId | None:
    """
    The resource of a name; None where it names none.
    """
    found = named(name)
    return entity_id(EntityKind.RESOURCE, found) if found and found.lower() not in PSEUDO else None


def host_of(address: object) -> str | None:
    """
    The host of an address or URL; None for an IP address and for this very machine, which name nobody.
    """
    found = named(address)
    if not found:
        return None
    bare = re.sub(r"^[a-z][a-z0-9+.-]*://", "", found, flags=re.IGNORECASE).split("/")[0].rpartition("@")[2]
    if bare.startswith("[") or bare.count(":") > 1:
        return None
    host = bare.partition(":")[0].rstrip(".")
    if not host or host.lower() in _HERE:
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host
    return None


def peer(address: object) -> EntityId | None:
    """
    Who answers at an address: a service by its bare name or its name in the cluster, else something outside.
    """
    found = named(address)
    return _peer(found) if found else None


@lru_cache(maxsize=65536)
def _peer(address: str) -> EntityId | None:
    host = host_of(address)
    if not host:
        return None
    inside = _CLUSTER_NAME.fullmatch(host)
    if inside or "." not in host:
        return service(inside[1] if inside else host)
    return resource(host)


def version(value: object) -> str | None:
    """
    A version that is one.
    """
    found = named(value)
    return None if found is None or found.lower() in NO_VERSION else found


def magnitude(count: float) -> str:
    """
    A count to its power of ten (`10+`), so that a counter which grows makes no new version each time; empty for none.
    """
    return f"{10 ** (len(str(int(count))) - 1)}+" if 1 <= count < 1e18 else ""


@dataclass(slots=True)
class _Seen:
    """
    What a payload shows of one thing: when last, how often, and its attributes with all their values.
    """

    last: datetime | None = None
    count: float = 0
    attributes: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def note(self, moment: datetime | None, count: float, attributes: Mapping[str, object]) -> None:
        if moment and (self.last is None or moment > self.last):
            self.last = moment
        self.count += count
        for key, value in attributes.items():
            if said := named(value):
                self.attributes[key].add(said)

    def until(self, unit: str) -> dict[str, str]:
        """
        When it was seen, to the hour or day; nothing where the source has no times.
        """
        return {"seen": self.last.isoformat(timespec="hours")[: 13 if unit == "hours" else 10]} if self.last else {}

    @property
    def told(self) -> dict[str, str]:
        return {key: ", ".join(sorted(found)) for key, found in sorted(self.attributes.items())}


@dataclass(slots=True)
class Graph:
    """
    Gathers what one payload shows, in any order; `pieces` are its records.
    """

    _edges: dict[tuple[EntityId, EntityId], _Seen] = field(default_factory=lambda: defaultdict(_Seen))
    _nodes: dict[EntityId, _Seen] = field(default_factory=lambda: defaultdict(_Seen))
    _names: dict[EntityId, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    _places: dict[tuple[EntityId, EntityId], _Seen] = field(default_factory=lambda: defaultdict(_Seen))

    def edge(
        self,
        client: EntityId | None,
        server: EntityId | None,
        moment: datetime | None = None,
        count: float = 0,
        **attributes: object,
    ) -> None:
        """
        A call was seen; from nobody, to nobody and to oneself there is none.
        """
        if client and server and client != server:
            self._edges[client, server].note(moment, count, attributes)

    def node(self, entity: EntityId | None, moment: datetime | None = None, **attributes: object) -> None:
        """
        A node was seen.
        """
        if entity:
            self._nodes[entity].note(moment, 0, attributes)

    def name(self, entity: EntityId | None, name: object, seen_in: str) -> None:
        """
        Another name of a node that was seen.
        """
        found = named(name)
        if entity and found and found.lower() != entity.partition(":")[2]:
            self._names[entity].add((found, seen_in))

    def place(
        self, entity: EntityId | None, environment: object, moment: datetime | None = None, **attributes: object
    ) -> None:
        """
        A node was seen in an environment.
        """
        found = named(environment)
        if entity and found:
            self._places[entity, entity_id(EntityKind.ENVIRONMENT, found)].note(moment, 0, attributes)

    def pieces(self, *, published: bool = False) -> Iterator[Piece]:
        """
        A record a node, an environment of it, and an edge. `published`: the payload is a file of old ones, which were
        known when they were seen.
        """
        for entity, seen in sorted(self._nodes.items()):
            names = sorted(list(pair) for pair in self._names[entity])
            body: dict[str, object] = {"entity": entity, "attributes": seen.told, "names": names}
            yield _piece(entity, body | seen.until("days"), seen, published)
        for (entity, environment), seen in sorted(self._places.items()):
            body = {"kind": "runs_in", "subject": entity, "object": environment, "attributes": seen.told}
            yield _piece(f"{entity} in {environment}", body | seen.until("hours"), seen, published)
        for (client, server), seen in sorted(self._edges.items()):
            found = {"source_kind": "observed", **seen.told}
            if seen.last:
                found["last_seen"] = seen.last.date().isoformat()
            if samples := magnitude(seen.count):
                found["samples"] = samples
            body = {"kind": "depends_on", "subject": client, "object": server, "attributes": found}
            yield _piece(f"{client} -> {server}", body, seen, published)


def _piece(part: str, body: Mapping[str, object], seen: _Seen, published: bool) -> Piece:
    text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()
    return Piece(part=part, body=text, published_at=seen.last if published else None, occurred_at=seen.last)


def transform(record: Record) -> Iterator[Item]:
    """
    What a record of a graph states.
    """
    body = body_of(record)
    attributes = texts(body.get("attributes"))
    if entity := named(body.get("entity")):
        yield Fact(kind=FactKind.ENTITY, subject=entity, attributes=attributes)
        for name in list_at(body, "names"):
            said, seen_in = at(name, 0), at(name, 1)
            yield Fact(kind=FactKind.ALIAS, subject=entity, object=str(said), attributes={"seen_in": str(seen_in)})
        return
    subject, target = named(body.get("subject")), named(body.get("object"))
    kinds = {"runs_in": FactKind.RUNS_IN, "depends_on": FactKind.DEPENDS_ON}
    kind = kinds.get(str(body.get("kind")))
    if not subject or not target or kind is None:
        raise BadRecord(f"{record.part} is neither a node nor an edge; send the payload again")
    yield Fact(kind=kind, subject=subject, object=target, attributes=attributes)


def objects(value: object, where: str) -> list[Mapping[str, object]]:
    """
    An object, or the objects of a list; BadRecord for anything else.
    """
    return [mapping_of(one, where) for one in (value if isinstance(value, list) else [value])]
