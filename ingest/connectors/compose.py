"""
Docker Compose: which services a project has and which of them need which, by `depends_on`, `links`, shared namespaces
and the variables that hold addresses.

A service whose image is a database, cache, queue or the like is a resource. Names are local to the project: where it
has a name, its resources carry it. Networks say what could reach what; they are kept as an attribute and make no edge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import orjson

from graph.values import EntityId, EntityKind, Fact, FactKind, Item, Record, Trust, entity_id
from ingest.connectors._catalogue import alias, described, documents_of, ident
from ingest.contract import Body, Connector, Piece
from ingest.errors import BadRecord
from ingest.fields import at, body_of, first, list_at, named, text, text_at
from ingest.parsing import mapping_of

_STORES = frozenset(
    ("postgres", "postgresql", "postgis", "timescaledb", "mysql", "mariadb", "percona", "mongo", "mongodb", "redis",
     "valkey", "keydb", "memcached", "kafka", "redpanda", "zookeeper", "rabbitmq", "nats", "activemq", "pulsar",
     "elasticsearch", "opensearch", "cassandra", "scylla", "clickhouse", "cockroachdb", "minio", "neo4j", "influxdb",
     "etcd", "mssql", "couchdb", "dynamodb", "localstack", "solr", "qdrant", "milvus", "weaviate")
)  # fmt: skip
_TOOLS = frozenset(
    ("exporter", "ui", "admin", "commander", "express", "operator", "insight", "manager", "connect", "rest", "registry",
     "init", "migrate", "migration", "migrations", "backup", "proxy", "dashboard", "dashboards", "setup", "client",
     "consumer", "seed", "loader")
)  # fmt: skip
_ADDRESS = re.compile(
    r"^(.*?)_?(ADDR|ADDRESS|URL|URI|HOST|HOSTNAME|HOSTS|ENDPOINT|ENDPOINTS|SERVER|SERVERS|DSN|BROKER|BROKERS"
    r"|CONNECTION|CONNECTION_STRING|SERVICE|UPSTREAM|TARGET)$",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?:(:?[-?+])((?:[^{}]|\$\{[^{}]*\})*))?\}|\$(\w+)")
_DEFAULTS = ("-", ":-")
_USER = re.compile(r"//[^/@\s]*@")
_AUTHORITY = re.compile(r"//([^/?\s]+)")
_SETTING = re.compile(r"(?:server|host|hostname|data source|addr|address|endpoint)\s*=\s*([^;,\s]+)", re.IGNORECASE)
_PROTOCOL = re.compile(r"\w\(([^()]+)\)")
_HOST = re.compile(r"(\$\{\w+[^}]*\}|\$\w+|[A-Za-z0-9_][\w.-]*)(?::.*)?")


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece a project: what a name in it means, its other names say.
    """
    path = meta.get("path") or "compose"
    number = 0
    for value in documents_of(raw, path):
        if isinstance(value, Piece):
            yield value
            continue
        number += 1
        body = mapping_of(value, path)
        project = meta.get("project") or named(body.get("name"))
        found = {"name": project, "services": _services(body, path)}
        text = orjson.dumps(found, option=orjson.OPT_NON_STR_KEYS).decode()
        yield Piece(part=f"{path}#{project or number}".lower(), body=text)


def _services(body: Body, path: str) -> Body:
    found = body.get("services")
    if isinstance(found, dict):
        return found
    plain = {key: one for key, one in body.items() if isinstance(one, dict) and {"image", "build"} & set(one)}
    if not plain or "apiVersion" in body:
        raise BadRecord(f"{path} has no `services`; expected a Compose file")
    return plain


def transform(record: Record) -> Iterator[Item]:
    """
    What a project states of each of its services.
    """
    body = body_of(record)
    project = named(body.get("name"))
    services = {
        str(key): one for key, one in mapping_of(body.get("services"), "services").items() if isinstance(one, dict)
    }
    ids = {name: _id(name, one, project) for name, one in services.items()}
    for name, one in services.items():
        yield from _described(ids[name], name, one, project)
        for other, reasons in sorted(_needs(name, one, services).items()):
            attributes = {"stated_as": ", ".join(dict.fromkeys(reasons)), "source_kind": "declared"}
            yield Fact(kind=FactKind.DEPENDS_ON, subject=ids[name], object=ids[other], attributes=attributes)


def _id(name: str, one: Body, project: str | None) -> EntityId:
    if not _stores(name, text_at(one, "image")):
        return entity_id(EntityKind.SERVICE, name)
    return entity_id(EntityKind.RESOURCE, f"{project}/{name}" if project else name)


def _stores(name: str, image: str | None) -> bool:
    """
    Whether an image is that of a store; of one that only a variable names, whether the variable or the service is, and
    of one that is built here, whether the service is.
    """
    told = resolved(image) if image else name
    plain = told.split("@")[0].rpartition("/")[2].partition(":")[0]
    if image and "$" in told:
        plain = " ".join(found[1] or found[4] or "" for found in _VARIABLE.finditer(image)) + " " + name
    words = [word for word in re.split(r"[^a-z0-9]+", plain.lower()) if word]
    return bool(words) and not _STORES.isdisjoint(words) and _TOOLS.isdisjoint(words)


def _described(own: EntityId, name: str, one: Body, project: str | None) -> Iterator[Fact]:
    variables = _variables(one)
    image = resolved(text_at(one, "image") or "")
    yield described(
        own,
        name=name,
        image=None if "$" in image else image,
        project=project,
        profiles=at(one, "profiles"),
        networks=sorted(str(key) for key in networks)
        if isinstance(networks := at(one, "networks"), list | dict)
        else None,
    )
    if project and (part := ident(EntityKind.RESOURCE, project)):
        yield Fact(kind=FactKind.PART_OF, subject=own, object=part, attributes={"stated_as": "project"})
    seen = {own.partition(":")[2]}
    for other, seen_in in (
        (text_at(one, "container_name"), "container"),
        (text_at(one, "hostname"), "hostname"),
        (variables.get("OTEL_SERVICE_NAME"), "traces"),
        (variables.get("DD_SERVICE"), "datadog"),
    ):
        told = resolved(other) if other else None
        if told and "$" not in told and told.lower() not in seen:
            seen.add(told.lower())
            yield from alias(own, told, seen_in)


def _needs(name: str, one: Body, services: Mapping[str, Body]) -> dict[str, list[str]]:
    """
    The other services of the project that one needs, each with where that stands.
    """
    called = _callable(services)
    found: dict[str, list[str]] = {}
    for target, reason in (*_declared(one), *_addressed(one, called)):
        other = called.get(target.lower())
        if other and other != name:
            found.setdefault(other, []).append(reason)
    return found


def _callable(services: Mapping[str, Body]) -> dict[str, str]:
    """
    The names under which services reach each other.
    """
    found: dict[str, str] = {}
    for name, one in services.items():
        networks = at(one, "networks")
        inside = networks.values() if isinstance(networks, dict) else ()
        aliases = [alias for network in inside for alias in list_at(network, "aliases")]
        for other in (text_at(one, "container_name"), text_at(one, "hostname"), *aliases):
            if known := text(other):
                found.setdefault(resolved(known).lower(), name)
    return found | {name.lower(): name for name in services}


def _declared(one: Body) -> Iterator[tuple[str, str]]:
    needed = at(one, "depends_on")
    for name in needed if isinstance(needed, list | dict) else []:
        yield str(name), "depends_on"
    for key in ("links", "volumes_from"):
        for link in list_at(one, key):
            yield str(link).removeprefix("container:").partition(":")[0], key
    for key in ("network_mode", "pid", "ipc"):
        kind, _, name = str(at(one, key) or "").partition(":")
        if kind == "service":
            yield name, key


def _addressed(one: Body, called: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """
    (name, variable) of services whose addresses are given to one. A variable without a value comes from elsewhere; then
    its own name says whose address it is (`CART_ADDR`).
    """
    for key, value in sorted(_variables(one).items()):
        way, whole = _ADDRESS.match(key), resolved(value)
        if whole and (way or "//" in whole or re.search(r":\d", whole)):
            for host in _hosts(whole):
                yield _of_variable(host) if host.startswith("$") else host, key
        elif way and not whole and (name := _of_variable(key)) in called:
            yield name, key


def _hosts(value: str) -> Iterator[str]:
    """
    The hosts in an address, a list of them, or a connection string; neither users nor paths.
    """
    plain = _USER.sub("//", value)
    told = [part for found in _AUTHORITY.findall(plain) for part in found.split(",")]
    told += [*_SETTING.findall(plain), *_PROTOCOL.findall(plain)]
    if not told and "=" not in plain:
        told = re.split(r"[,;\s]+", plain)
    yield from (found[1] for part in told if (found := _HOST.fullmatch(part)))


def _of_variable(name: str) -> str:
    """
    The service after which a variable is named: `PRODUCT_CATALOG_ADDR` is product-catalog's.
    """
    found = _ADDRESS.match(name.strip("${}"))
    return found[1].lower().replace("_", "-") if found else ""


def _variables(one: Body) -> dict[str, str]:
    """
    The environment of a service, as an object or a list of `NAME=value`; empty for those without a value here.
    """
    given = at(one, "environment")
    if isinstance(given, dict):
        return {str(key): _said(value) for key, value in given.items()}
    pairs = [str(entry).partition("=") for entry in given] if isinstance(given, list) else []
    return {key.strip(): value.strip() for key, _, value in pairs}


def _said(value: object) -> str:
    return first(value) or ""


def resolved(value: str) -> str:
    """
    A value with what can be known of its variables: `${X:-x}` is x; one without a default stays as it is.
    """

    def fill(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return resolved(found[3] or "") if found[2] in _DEFAULTS else found[0]

    return _VARIABLE.sub(fill, value)


CONNECTOR = Connector(
    name="compose",
    summary="Docker Compose files: services, resources and what they need",
    trust=Trust.DECLARED,
    snapshot=True,
    split=split,
    transform=transform,
    patterns=("compose/*.y*ml", "*compose*.y*ml", "compose/*.json"),
)
