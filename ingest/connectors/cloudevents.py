"""
CloudEvents 1.0: an envelope, structured, in batches, or binary (its attributes in `ce-` headers).

Where the type names a vendor that has a connector (`dev.cdevents.…`, `com.dynatrace.…`, source `aws.…`), the data go
through that connector. Else the words of the type say what was altered (`com.acme.checkout.deployed`), and the data
name service, environment, revision and so on, as columns of `changes` do. Any other event is kept, and states
nothing.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

import orjson

from graph.values import Item, Record, Trust
from ingest.connectors import NAMES, connector
from ingest.connectors._generic import generic_change, kind_of
from ingest.contract import Body, Connector, Piece
from ingest.errors import BadRecord
from ingest.fields import body_of, deliveries, digest_of, moment_at, text_at
from ingest.parsing import load_json

ATTRIBUTES = ("id", "source", "type", "specversion", "time", "subject", "datacontenttype", "dataschema")
_VENDORS = {
    "cdevents": "cdevents", "dynatrace": "dynatrace", "amazonaws": "aws_changes", "aws": "aws_changes", "flux": "flux",
    "fluxcd": "flux", "github": "github", "gitlab": "gitlab", "bitbucket": "bitbucket", "argocd": "argocd",
    "argoproj": "argocd", "jenkins": "jenkins", "jenkinsci": "jenkins", "launchdarkly": "launchdarkly",
    "unleash": "unleash", "getunleash": "unleash", "flagsmith": "flagsmith", "pagerduty": "pagerduty",
    "opsgenie": "opsgenie", "rootly": "rootly", "firehydrant": "firehydrant", "statuspage": "statuspage",
    "jira": "jira", "servicenow": "servicenow", "mlflow": "mlflow", "octopus": "octopus", "spinnaker": "spinnaker",
    "circleci": "circleci", "terraform": "terraform", "sentry": "sentry", "newrelic": "newrelic", "zabbix": "zabbix",
    "alertmanager": "alertmanager",
}  # fmt: skip
_WHOLE = frozenset({"dynatrace"})
"""Those whose data lack the time, which their connectors take from the envelope."""
_EVENTS = {"github": "x-github-event", "gitlab": "x-gitlab-event", "bitbucket": "x-event-key"}
"""Headers that carry an event's name, which a relay puts at the end of the type."""


def _part(body: Body, meta: Mapping[str, str]) -> str:
    source, identity = text_at(body, "source") or "", text_at(body, "id")
    return f"{source}#{identity or digest_of(body)}"


def _occurred(body: Body) -> datetime | None:
    return moment_at(body, ("time",))


_each = deliveries(_part, _occurred)


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece an event; of an event of a vendor, the pieces that its connector makes of the data.
    """
    if meta.get("ce-type") and meta.get("ce-id"):
        raw = orjson.dumps(_binary(raw, meta))
    for piece in _each(raw, meta):
        if piece.problem:
            yield piece
            continue
        body = load_json(piece.body, piece.part)
        vendor = _vendor(body) if isinstance(body, dict) else ""
        if vendor and isinstance(body, dict):
            yield from _of_vendor(vendor, body, piece, meta)
        else:
            yield piece


def _binary(raw: bytes, meta: Mapping[str, str]) -> dict[str, object]:
    body: dict[str, object] = {name: meta[f"ce-{name}"] for name in ATTRIBUTES if f"ce-{name}" in meta}
    body["datacontenttype"] = meta.get("content-type", "")
    if not raw.strip():
        return body
    try:
        return body | {"data": orjson.loads(raw)}
    except orjson.JSONDecodeError:
        return body | {"data_base64": base64.b64encode(raw).decode()}


def _vendor(body: Body) -> str:
    """
    The connector of whose vendor an event is; empty where there is none.
    """
    event, source = text_at(body, "type") or "", text_at(body, "source") or ""
    words = re.split(r"[.:/_-]+", event.lower()) + re.split(r"[.:/]+", source.lower())[:1]
    found = next((_VENDORS[word] for word in words if word in _VENDORS), "")
    return found if found in NAMES and isinstance(_data(body), dict | list) else ""


def _of_vendor(vendor: str, body: Body, whole: Piece, meta: Mapping[str, str]) -> Iterator[Piece]:
    data = _data(body)
    if vendor == "aws_changes" and isinstance(data, dict) and "detail" not in data:
        data = {
            "detail-type": text_at(body, "type"),
            "source": text_at(body, "source"),
            "id": text_at(body, "id"),
            "time": text_at(body, "time"),
            "detail": data,
        }
    if vendor in _WHOLE:
        data = {**body, "data": data}
    given = dict(meta)
    if vendor in _EVENTS:
        given.setdefault(_EVENTS[vendor], (text_at(body, "type") or "").rpartition(".")[2])
    for piece in connector(vendor).split(orjson.dumps(data), given):
        kept = {name: given[name] for name in _EVENTS.values() if name in given}
        yield replace(
            piece,
            part=f"{vendor}/{piece.part}",
            published_at=piece.published_at or whole.published_at,
            occurred_at=piece.occurred_at or whole.occurred_at,
            meta={**kept, **piece.meta, "reader": vendor},
        )


def _data(body: Body) -> object:
    """
    The data of an event, out of base64 and out of JSON within a text.
    """
    data = body.get("data")
    packed = body.get("data_base64")
    if data is None and isinstance(packed, str):
        try:
            data = base64.b64decode(packed, validate=True).decode()
        except ValueError:
            return None
    if isinstance(data, str) and data.lstrip()[:1] in ("{", "["):
        try:
            return load_json(data, "the data of the event")
        except BadRecord:
            return data
    return data


def transform(record: Record) -> Iterator[Item]:
    """
    What the event says was changed.
    """
    reader = record.meta.get("reader", "")
    if reader in NAMES and reader != "cloudevents":
        part = record.part.removeprefix(f"{reader}/")
        yield from connector(reader).transform(replace(record, part=part, connector=reader))
        return
    body = body_of(record)
    event = text_at(body, "type")
    if not event:
        raise BadRecord(f"{record.part} has no `type`; a CloudEvent needs `id`, `source`, `type` and `specversion`")
    kind, data = kind_of(event), _data(body)
    if kind is None or not isinstance(data, dict):
        why = "its type does not say what was changed" if kind is None else "its data are no JSON object"
        raise BadRecord(
            f"the event {event!r} of {text_at(body, 'source')} is kept, and states nothing: {why}; give it a type such "
            "as com.acme.checkout.deployed with data {service, environment, revision}, or use the connector mapping"
        )
    named = dict(data)
    if text_at(body, "subject") and not any(
        key in named for key in ("service", "services", "app", "application", "component")
    ):
        named["service"] = (text_at(body, "subject") or "").rpartition("/")[2]
    moment = _occurred(body) or record.received_at
    yield generic_change(f"cloudevents:{_part(body, {})}", event, kind, named, moment, f"the event {event}")


def recognises(payload: Body, headers: Mapping[str, str]) -> bool:
    """
    By the attributes that every CloudEvent has, in the body or in headers.
    """
    if "ce-specversion" in headers and "ce-type" in headers:
        return True
    return "specversion" in payload and all(isinstance(payload.get(key), str) for key in ("id", "source", "type"))


CONNECTOR = Connector(
    name="cloudevents",
    summary="CloudEvents 1.0: vendors' data by their own connectors, else changes by the words of the type",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("cloudevents/*.json*",),
    recognises=recognises,
    headers=("content-type", *(f"ce-{name}" for name in ATTRIBUTES if name != "datacontenttype")),
    delivery=("ce-source", "ce-id"),
)
