"""
Score's `score.yaml`: a workload, and the resources that it asks the platform for.

A resource without an id is the workload's own, and carries its name; one with an id is shared. Variables and the image
are the platform's business, and an `environment` is none.
"""

from __future__ import annotations

from collections.abc import Iterator

from graph.values import EntityId, EntityKind, Fact, FactKind, Item, Record, Trust, entity_id
from ingest.connectors._catalogue import described, documents, edge, ident, once
from ingest.contract import Body, Connector
from ingest.errors import BadRecord
from ingest.fields import at, body_of, first, named, text, text_at
from ingest.parsing import mapping_of

_NO_NEED = frozenset({"environment"})
_WORKLOADS = frozenset({"service-port", "service", "workload"})
_OWNERS = frozenset({"owner", "team", "owned-by"})


def _name(body: Body) -> str:
    return text_at(body, "metadata", "name") or "?"


def transform(record: Record) -> Iterator[Item]:
    """
    What one workload states.
    """
    body = body_of(record)
    name = named(at(body, "metadata", "name"))
    if not name or not str(body.get("apiVersion", "")).startswith("score.dev/"):
        raise BadRecord(
            f"{record.part} is no workload of Score: `apiVersion: score.dev/v1b1` and metadata.name are needed"
        )
    own = entity_id(EntityKind.SERVICE, name)
    yield described(own, name=name, image=_images(body))
    yield from once(_edges(own, name, body))


def _images(body: Body) -> list[str]:
    containers = mapping_of(body.get("containers") or {}, "containers")
    images = (text_at(one, "image") for one in containers.values())
    return [image for image in images if image and image != "." and "$" not in image]


def _edges(own: EntityId, name: str, body: Body) -> Iterator[Fact]:
    annotations = at(body, "metadata", "annotations")
    for key, value in annotations.items() if isinstance(annotations, dict) else ():
        if str(key).rpartition("/")[2].lower() in _OWNERS:
            yield from edge(FactKind.OWNED_BY, own, ident(EntityKind.TEAM, value), str(key))
    for key, one in mapping_of(body.get("resources") or {}, "resources").items():
        kind = (text_at(one, "type") or "").lower()
        if not kind or kind in _NO_NEED:
            continue
        other = first(at(one, "params", "workload")) if kind in _WORKLOADS else None
        if other:
            yield from edge(FactKind.DEPENDS_ON, own, ident(EntityKind.SERVICE, other), f"resources.{key}")
            continue
        shared = text(at(one, "id"))
        target = ident(EntityKind.RESOURCE, shared or f"{name}/{key}")
        if target:
            yield described(target, name=shared or key, type=text_at(one, "type"))
            yield from edge(FactKind.DEPENDS_ON, own, target, f"resources.{key}", type=text_at(one, "type"))


CONNECTOR = Connector(
    name="score",
    summary="Score workloads and the resources that they need",
    trust=Trust.DECLARED,
    snapshot=True,
    split=documents("score.yaml", _name),
    transform=transform,
    patterns=("score/*.y*ml", "*score.y*ml"),
)
