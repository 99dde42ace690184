"""
HashiCorp Consul: services of its catalogue, health and agent APIs and of definition files, the upstreams that their
proxies declare, and intentions, which permit calls and show none.

An instance is not a service, and a sidecar is its service's. A denied or wildcard intention makes no edge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import orjson

from graph.values import EntityId, EntityKind, Fact, FactKind, Item, Record, Trust, entity_id
from ingest.connectors._catalogue import alias, described, documents_of, edge, once
from ingest.connectors._topology import version
from ingest.contract import Body, Connector, Piece
from ingest.errors import BadRecord
from ingest.fields import body_of, named, text

_PROXIES = ("connect-proxy", "mesh-gateway", "terminating-gateway", "ingress-gateway", "api-gateway")
_SIDECAR = "-sidecar-proxy"
_REGISTERED = frozenset({"id", "port", "address", "check", "checks", "connect", "proxy"})
"""What a service that registers itself says beside its name."""


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece a service, with what all its instances say, and a piece a pair of services that an intention is about.
    """
    path = meta.get("path") or "consul"
    services: dict[str, list[Body]] = defaultdict(list)
    pairs: dict[str, Body] = {}
    for value in documents_of(raw, path):
        if isinstance(value, Piece):
            yield value
            continue
        for one in _entries(_plain(value)):
            if "sourcename" in one:
                pairs[f"{one.get('sourcename')}->{one.get('destinationname')}"] = one
            elif name := _owner(one):
                services[name].append(one)
    if not services and not pairs:
        raise BadRecord(f"{path} holds neither services nor intentions of Consul")
    for name, found in sorted(services.items()):
        yield _piece(f"{path}#service:{name}", _merged(name, found))
    for pair, one in sorted(pairs.items()):
        yield _piece(f"{path}#intention:{pair}", one)


def _piece(part: str, body: Body) -> Piece:
    return Piece(part=part.lower(), body=orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode())


def _plain(value: object) -> object:
    """
    The same with keys in one spelling, as the API (`ServiceName`) and files (`service_name`) differ.
    """
    if isinstance(value, dict):
        return {str(key).lower().replace("_", ""): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _entries(value: object) -> Iterator[Body]:
    """
    The instances and intentions of any answer of the API, or of a definition.
    """
    if isinstance(value, list):
        for one in value:
            yield from _entries(one)
    if not isinstance(value, dict):
        return
    inner, many = value.get("service"), value.get("services")
    if "sources" in value or isinstance(value.get("spec"), dict):
        yield from _intentions(value)
    elif "sourcename" in value or "servicename" in value or isinstance(inner, str):
        yield value
    elif isinstance(inner, dict):
        yield {"datacenter": value.get("datacenter"), **_definition(inner)}
    elif isinstance(many, list | dict):
        for one in many.values() if isinstance(many, dict) else many:
            if isinstance(one, dict):
                yield _definition(one)
    elif named(value.get("name")) and not _REGISTERED.isdisjoint(value):
        yield _definition(value)
    elif value and all(isinstance(one, dict) and "service" in one for one in value.values()):
        yield from value.values()
    elif value and all(isinstance(one, list) for one in value.values()):
        for name, found in value.items():
            if any(isinstance(one, dict) for one in found):
                yield from _entries(found)
            else:
                yield {"servicename": name, "servicetags": found}


def _definition(one: Body) -> Body:
    return one if "service" in one else {**one, "service": one.get("name")}


def _intentions(value: Body) -> Iterator[Body]:
    """
    The pairs of a config entry `service-intentions`, also as Kubernetes' ServiceIntentions.
    """
    spec = value.get("spec")
    rules: Body = spec if isinstance(spec, dict) else value
    target = rules.get("destination")
    destination = target.get("name") if isinstance(target, dict) else value.get("name")
    sources = rules.get("sources")
    for one in sources if isinstance(sources, list) else []:
        if isinstance(one, dict):
            yield {**one, "sourcename": one.get("name"), "destinationname": destination}


def _proxy(one: Body) -> Body:
    found = one.get("proxy") or one.get("serviceproxy")
    return found if isinstance(found, dict) else {}


def _owner(one: Body) -> str | None:
    """
    The service of an instance; of a sidecar the one that it stands before.
    """
    own = named(one.get("servicename")) or named(one.get("service"))
    if own is None:
        return None
    kind = str(one.get("kind") or one.get("servicekind") or "")
    before = named(_proxy(one).get("destinationservicename"))
    if before:
        return before
    if kind in _PROXIES[1:]:
        return own
    return own.removesuffix(_SIDECAR) if kind == _PROXIES[0] or own.endswith(_SIDECAR) else own


def _merged(name: str, instances: list[Body]) -> Body:
    """
    What the instances of a service say together: no address, no node, so that a restart changes nothing.
    """
    own = [one for one in instances if not named(_proxy(one).get("destinationservicename"))]
    meta = [found for one in own if isinstance(found := one.get("meta") or one.get("servicemeta"), dict)]
    return {
        "service": name,
        "tags": _union(found for one in own for found in _list(one.get("tags") or one.get("servicetags"))),
        "datacenters": _union(one.get("datacenter") for one in instances),
        "namespace": next((found for one in own if (found := named(one.get("namespace")))), None),
        "kind": next((found for one in own if (found := named(one.get("kind") or one.get("servicekind")))), None),
        "versions": _union(version(found.get("version")) for found in meta),
        "upstreams": _union(found for one in instances for found in _upstreams(one)),
    }


def _upstreams(one: Body) -> Iterator[str]:
    connect = one.get("connect")
    sidecar = connect.get("sidecarservice") if isinstance(connect, dict) else None
    inner = sidecar.get("proxy") if isinstance(sidecar, dict) else None
    for proxy in (_proxy(one), inner if isinstance(inner, dict) else {}):
        for upstream in _list(proxy.get("upstreams")):
            kind = str(upstream.get("destinationtype") or "service") if isinstance(upstream, dict) else ""
            if isinstance(upstream, dict) and kind == "service" and (name := named(upstream.get("destinationname"))):
                yield name


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _union(values: Iterator[object] | Iterator[str]) -> list[str]:
    return sorted({found for one in values if (found := text(one))})


def transform(record: Record) -> Iterator[Item]:
    """
    What one service or one intention states.
    """
    body = body_of(record)
    yield from once(_permitted(body) if "sourcename" in body else _service(body))


def _service(body: Body) -> Iterator[Fact]:
    own = _id(body.get("service"))
    if not own:
        return
    space = named(body.get("namespace"))
    yield described(
        own,
        name=body.get("service"),
        tags=body.get("tags"),
        type=body.get("kind"),
        datacenter=body.get("datacenters"),
        namespace=None if space == "default" else space,
        version=body.get("versions"),
    )
    if space and space != "default":
        yield from alias(own, f"{space}/{body.get('service')}", "namespace")
    for name in _list(body.get("upstreams")):
        yield from edge(FactKind.DEPENDS_ON, own, _id(name), "upstream")


def _permitted(body: Body) -> Iterator[Fact]:
    rules = [one for one in _list(body.get("permissions")) if isinstance(one, dict)]
    actions = {str(one.get("action")).lower() for one in (body, *rules)}
    if "allow" in actions:
        source, target = _id(body.get("sourcename")), _id(body.get("destinationname"))
        about = text(body.get("description"))
        yield from edge(FactKind.DEPENDS_ON, source, target, "intention", source_kind="permitted", description=about)


def _id(name: object) -> EntityId | None:
    found = named(name)
    return entity_id(EntityKind.SERVICE, found) if found and found != "*" else None


CONNECTOR = Connector(
    name="consul",
    summary="HashiCorp Consul's catalogue, declared upstreams, and intentions (permitted calls)",
    trust=Trust.DECLARED,
    snapshot=True,
    split=split,
    transform=transform,
    patterns=("consul/*.json", "*consul*.json", "*intention*.json"),
)
