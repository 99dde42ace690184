"""
Helm: what `helm history`, `status`, `list` and `get metadata` print as JSON or YAML. Each revision of a release is a
change.

A history does not name its release: the option `release` of the source does, or the file's name
(`checkout.history.json`, `NAMESPACE_checkout.history.json`); of another file nobody knows the service. A rollback is a
new revision that says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

import orjson

from graph.values import Change, ChangeKind, Item, Record, Trust
from ingest.commits import ranked
from ingest.connectors._kubernetes_objects import environment_of
from ingest.contract import Body, Connector, Piece
from ingest.errors import BadRecord
from ingest.fields import at, body_of, first, lower, moment_at, objects_at, present, service, text_at
from ingest.parsing import load_json, load_yaml_documents, mapping_of, named_time, text_of, unpack

_PENDING = {"pending-install", "pending-upgrade", "pending-rollback", "uninstalling"}
_STATES = (("pending-install", "pending-upgrade", "pending-rollback"), ("failed", "deployed"), ("superseded",), (
    "uninstalling",), ("uninstalled", "unknown"))  # fmt: skip
_ROLLBACK = re.compile(r"^Rollback to (\d+)", re.IGNORECASE)
_CHART = re.compile(r"^(?P<name>.+?)-(?P<version>v?\d+\.\d+\.\d+(?:[+-].*)?|v?\d+(?:\.\d+)?)$")
_FILE = re.compile(
    r"^(?:(?P<namespace>[a-z\d-]+)_)?(?P<name>[a-z\d](?:[a-z\d.-]*[a-z\d])?)[._-](?:helm[._-])?(?:history|releases?)$"
)
_REQUEST = "helm.json"
"""The path of a request that names none."""
_NO_NAME = {"helm", "history", "release", "releases", "get", "output"}


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece a revision, beside its release's name and namespace.
    """
    path = meta.get("path", "the output of helm")
    text = text_of(unpack(raw, path), path)
    value = load_json(text, path) if text.lstrip()[:1] in ("{", "[") else (load_yaml_documents(text, path) or [None])[0]
    for revision in _revisions(value, path, meta):
        moment = _moment(revision)
        yield Piece(
            part=f"{revision.get('namespace') or ''}/{revision.get('name') or path}/{revision.get('revision') or ''}",
            body=orjson.dumps(revision, default=str).decode(),
            occurred_at=ranked(moment, _status(revision), _STATES),
        )


def _revisions(value: object, path: str, meta: Mapping[str, str]) -> Iterator[Body]:
    """
    The revisions of an output, each with its release and the revision before it.
    """
    whole = value if isinstance(value, list) else [mapping_of(value, path)]
    listed = [mapping_of(one, f"a release of {path}") for one in whole]
    if any("releases" in one or "Releases" in one for one in listed):
        listed = [inner for one in listed for inner in (*objects_at(one, "releases"), *objects_at(one, "Releases"))]
    ordered = sorted(listed, key=lambda one: int(number) if (number := _number(one)) and number.isdecimal() else 0)
    history = len(ordered) > 1 and not any(one.get("name") for one in ordered)
    for place, one in enumerate(ordered):
        before = ordered[place - 1] if history and place else None
        yield {**_flat(one, path, meta), "previous": _version(before) if before else None}


def _flat(one: Body, path: str, meta: Mapping[str, str]) -> Body:
    """
    The one form of the four outputs.
    """
    name, namespace = _named(path)
    chart = _CHART.match(text_at(one, "chart") or "")
    metadata = at(one, "chart", "metadata")
    return {
        "name": first(one.get("name"), one.get("Name"), meta.get("release"), name),
        "namespace": first(one.get("namespace"), one.get("Namespace"), meta.get("namespace"), namespace),
        "revision": _number(one),
        "updated": first(
            at(one, "info", "last_deployed"), one.get("updated"), one.get("Updated"), one.get("deployedAt")
        ),
        "first": text_at(one, "info", "first_deployed"),
        "status": first(at(one, "info", "status"), one.get("status"), one.get("Status")),
        "chart": first(chart["name"] if chart else None, at(metadata, "name"), one.get("chart")),
        "version": _version(one),
        "app_version": first(one.get("app_version"), one.get("appVersion"), at(metadata, "appVersion")),
        "description": first(at(one, "info", "description"), one.get("description")),
        "rollback_revision": first(one.get("rollback_revision"), at(one, "info", "rollback_revision")),
    }


def _version(one: Body) -> str | None:
    """
    The chart's version: its own field, else what follows the chart's name.
    """
    chart = _CHART.match(text_at(one, "chart") or "")
    named = text_at(one, "version") if isinstance(one.get("version"), str) else None
    return first(named, at(one, "chart", "metadata", "version"), chart["version"] if chart else None)


def _number(one: Body) -> str | None:
    """
    The revision. The API's own form of a release calls it `version`.
    """
    own = one.get("version") if isinstance(one.get("version"), int) else None
    return first(one.get("revision"), one.get("Revision"), own)


def _named(path: str) -> tuple[str | None, str | None]:
    """
    Release and namespace of a file's name that says so.
    """
    stem = path.rpartition("/")[2].removesuffix(".gz").rpartition(".")[0].lower()
    found = _FILE.match(stem)
    return (found["name"], found["namespace"]) if found and found["name"] not in _NO_NAME else (None, None)


def _moment(revision: Body) -> datetime | None:
    return moment_at(revision, ("updated",))


def _status(revision: Body) -> str | None:
    return lower(revision.get("status"))


def transform(record: Record) -> Iterator[Item]:
    """
    One revision of a release.
    """
    body = body_of(record)
    name, space, number = (text_at(body, key) for key in ("name", "namespace", "revision"))
    path = record.meta.get("path", "")
    if not name and path in ("", _REQUEST):
        raise BadRecord(
            f"{record.part}: a history does not say whose it is; name it by ?path=RELEASE.history.json, or give the "
            "source the option `release`"
        )
    description, status = text_at(body, "description") or "", _status(body)
    target = first(body.get("rollback_revision"), found[1] if (found := _ROLLBACK.match(description)) else None)
    chart, version = text_at(body, "chart"), text_at(body, "version")
    home = f"helm:{space or ''}/{name or path}/"
    moment = named_time(body.get("updated"), f"the time of revision {number} of {name or path}")
    verb = "Roll back" if target else "Uninstall" if status in ("uninstalled", "uninstalling") else "Release"
    yield Change(
        id=f"{home}{number or f'{moment:%Y%m%dT%H%M%S}'}",
        kind=ChangeKind.ROLLBACK if target else ChangeKind.DEPLOY,
        at=moment,
        ended_at=None if status in _PENDING else moment,
        title=" ".join(
            part for part in (verb, name, f"to {target}" if target else "", _titled(chart, version)) if part
        ),
        services=service(name),
        environment=environment_of({"metadata": {"namespace": space}}),
        revision=version,
        previous=text_at(body, "previous"),
        status=status,
        text=description,
        reverts=f"{home}{int(number) - 1}" if target and number and number.isdecimal() else None,
        attributes=present(
            namespace=space, chart=chart, app_version=text_at(body, "app_version"), helm_revision=number, back_to=target
        ),
    )


def _titled(chart: str | None, version: str | None) -> str:
    return f"({chart} {version})" if chart and version else f"({chart or version})" if chart or version else ""


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By the fields of a release, as lists and metadata name them.
    """
    keys = payload.keys()
    return {"revision", "status", "chart"} <= keys and bool({"app_version", "appVersion"} & keys)


CONNECTOR = Connector(
    name="helm",
    summary="Helm's history, status, list and metadata: a change a revision, rollbacks recognised",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    recognises=recognises,
    patterns=("helm/*.json", "helm/*.y*ml", "*.helm-history.json", "*helm*history*.json"),
)
