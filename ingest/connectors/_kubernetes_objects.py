"""
Kubernetes objects out of YAML (any number of documents), JSON, lists of `kubectl` and events of a watch; and what their
labels, images and conditions say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import orjson

from graph.values import EntityId, EntityKind, entity_id
from ingest.contract import Body, Piece, Split
from ingest.errors import BadRecord
from ingest.fields import at, digest_of, first, moment_at, objects_at, text_at, unwrapped
from ingest.parsing import json_lines, load_json, load_yaml_documents, mapping_of, text_of, unpack

_WATCH = {"ADDED", "MODIFIED", "DELETED"}
_QUIET_WATCH = {"BOOKMARK", "ERROR"}
_DOCUMENT = re.compile(r"^---(?:[ \t].*)?\r?$", re.MULTILINE)
_SERVICE_LABELS = ("backstage.io/kubernetes-id", "tags.datadoghq.com/service", "app.kubernetes.io/name")
_ENVIRONMENT_LABELS = ("tags.datadoghq.com/env", "environment", "env", "app.kubernetes.io/environment")
_ENVIRONMENT_WORD = re.compile(
    r"(?:^|[-_./])(prod(?:uction)?|stag(?:e|ing)|dev(?:elopment)?|test(?:ing)?|qa|uat|sandbox|pre-?prod(?:uction)?|canary"
    r"|integration|demo)(?:$|[-_./\d])",
    re.IGNORECASE,
)
_ENVIRONMENTS = re.compile(
    r"^(?:prod(?:uction)?|live|stag(?:e|ing)|pre-?prod(?:uction)?|dev(?:elopment)?|test(?:ing)?|qa|uat|sandbox|demo)$"
)
NO_VERSION = frozenset({"latest", "head", "main", "master", "stable", "unknown", "none", "null", ""})
"""Tags that name no version."""
DELETED = "precedent/deleted"
"""The key by which an object that a watch saw go is marked."""


def manifests(
    part: Callable[[Body, Mapping[str, str]], str],
    occurred: Callable[[Body], datetime | None],
    parts: Callable[[Sequence[Body]], Iterator[Body]] | None = None,
) -> Split:
    """
    A split of files and requests of objects. `part` and `occurred` are as of `deliveries`; `parts` makes of all
    objects of a payload the bodies that become records.

    In a file with a document that cannot be read, the others are read, and that one is a piece with its problem.
    """

    def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
        path = meta.get("path", "the delivery")
        lined = path.removesuffix(".gz").endswith((".jsonl", ".ndjson"))
        bodies: list[Body] = []
        for value, problem, given in _documents(unpack(raw, path), path, lined=lined):
            if problem:
                yield Piece(part=f"{path}#{digest_of(given)}", body=given, problem=problem)
            else:
                bodies += _objects(value, path)
        for body in parts(bodies) if parts else bodies:
            moment = occurred(body)
            yield Piece(
                part=part(body, meta),
                body=orjson.dumps(body, default=str, option=orjson.OPT_NON_STR_KEYS).decode(),
                published_at=moment if lined else None,
                occurred_at=moment,
            )

    return split


def _documents(raw: bytes, path: str, *, lined: bool) -> Iterator[tuple[object, str, str]]:
    """
    (value, why it cannot be read, its text) of each document.
    """
    if lined:
        for number, line in json_lines(raw):
            yield from _each([line.decode("utf-8", "replace")], f"line {number} of {path}", load_json)
        return
    text = text_of(raw, path)
    if text.lstrip()[:1] in ("{", "["):
        try:
            yield load_json(text, path), "", ""
            return
        except BadRecord:
            # several JSON documents behind one another, or YAML in flow style
            pass
    try:
        for document in load_yaml_documents(text, path):
            yield document, "", ""
    except BadRecord:
        documents = [one for one in _DOCUMENT.split(text) if one.strip()]
        if len(documents) < 2:
            raise
        yield from _each(documents, path, _yaml)


def _each(texts: Sequence[str], path: str, load: Callable[[str, str], object]) -> Iterator[tuple[object, str, str]]:
    for number, text in enumerate(texts, 1):
        where = path if len(texts) == 1 else f"document {number} of {path}"
        try:
            yield load(text, where), "", ""
        except BadRecord as error:
            yield None, str(error), text


def _yaml(text: str, where: str) -> object:
    documents = load_yaml_documents(text, where)
    return documents[0] if documents else []


def _objects(value: object, where: str) -> Iterator[Body]:
    """
    The single objects in a document: of lists, watch events and envelopes.
    """
    if isinstance(value, list):
        for one in value:
            yield from _objects(one, where)
        return
    body = unwrapped(mapping_of(value, f"a document of {where}"))
    kind = text_at(body, "kind") or ""
    event = text_at(body, "type")
    if isinstance(body.get("items"), list) and (kind.endswith("List") or not kind):
        of = kind.removesuffix("List")
        for one in objects_at(body, "items"):
            missing = {"kind": of, "apiVersion": body.get("apiVersion")} if of else {}
            yield from _objects({**missing, **one}, where)
    elif event in _QUIET_WATCH and "object" in body:
        return
    elif event in _WATCH and isinstance(body.get("object"), dict):
        inner = mapping_of(body["object"], where)
        yield {**inner, DELETED: True} if event == "DELETED" else inner
    else:
        yield body


def labels_of(body: object) -> Mapping[str, str]:
    """
    Annotations and, over them, labels, as texts.
    """
    found: dict[str, str] = {}
    for kind in ("annotations", "labels"):
        given = at(body, "metadata", kind)
        if isinstance(given, dict):
            found |= {
                str(key): value.strip() for key, value in given.items() if isinstance(value, str) and value.strip()
            }
    return found


def name_of(body: object) -> str | None:
    """
    The object's own name.
    """
    return first(at(body, "metadata", "name"))


def service_name(body: object) -> str | None:
    """
    The service that a workload is: by the labels that say so, else by its name.
    """
    labels = labels_of(body)
    return first(*(labels.get(key) for key in _SERVICE_LABELS), name_of(body))


def service_id(body: object) -> EntityId | None:
    """
    The same as an entity.
    """
    found = service_name(body)
    return entity_id(EntityKind.SERVICE, found) if found else None


def environment_of(body: object) -> str | None:
    """
    The environment that a label names, or a namespace that is named as one; in lower case.
    """
    labels = labels_of(body)
    named = first(*(labels.get(key) for key in _ENVIRONMENT_LABELS))
    space = (text_at(body, "metadata", "namespace") or "").lower()
    return named.lower() if named else space if _ENVIRONMENTS.match(space) else None


def environment_in(*names: str | None) -> str | None:
    """
    The environment that is a word of one of these names (`prod` of `checkout-prod`), the first that has one.
    """
    found = (_ENVIRONMENT_WORD.search(name) for name in names if name)
    return next((word[1].lower() for word in found if word), None)


def image_of(template: object) -> str | None:
    """
    The image of a pod template's first container.
    """
    return text_at(template, "spec", "containers", 0, "image")


def version_of(image: str | None) -> str | None:
    """
    The tag, else the digest of an image; None where it names no version (`latest`).
    """
    name, _, digest = (image or "").partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag if tag.lower() not in NO_VERSION else digest or None


def condition(body: object, kind: str) -> Body | None:
    """
    A condition of an object's status.
    """
    return next((one for one in objects_at(body, "status", "conditions") if one.get("type") == kind), None)


def spec_written(body: object, before: datetime | None) -> tuple[datetime | None, str | None]:
    """
    When and by which tool the pod template was last written, by the managed fields, not after a moment.
    """
    written = [
        (moment, text_at(one, "manager"))
        for one in objects_at(body, "metadata", "managedFields")
        if isinstance(at(one, "fieldsV1", "f:spec", "f:template"), dict)
        and (moment := moment_at(one, ("time",)))
        and (before is None or moment <= before)
    ]
    return max(written, key=lambda one: one[0], default=(None, None))
