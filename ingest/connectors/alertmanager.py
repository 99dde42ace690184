"""
Alertmanager's webhook (versions 3 and 4): each alert of a delivery is one Alert.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import orjson

from graph.values import Alert, Item, Record, Trust
from ingest.contract import Connector, Piece
from ingest.errors import BadRecord
from ingest.parsing import (
    json_lines,
    load_json,
    mapping_of,
    named_end,
    named_time,
    parse_end,
    parse_time,
    text_of,
    unpack,
)


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    A piece an alert, from one webhook body or a file of such bodies, one a line. The part is the occurrence, so that
    its end replaces its beginning.
    """
    path = meta.get("path", "webhook")
    body = unpack(raw, path)
    lines = [line for _, line in json_lines(body)] if path.endswith((".jsonl", ".jsonl.gz")) else [body]
    for number, line in enumerate(lines, 1):
        try:
            payload = mapping_of(load_json(text_of(line, path), path), path)
            alerts = payload.get("alerts")
            if not isinstance(alerts, list):
                raise BadRecord(f"{path} has no list `alerts`; expected Alertmanager's webhook")
        except BadRecord as error:
            if len(lines) == 1:
                raise
            yield Piece(part=f"{path}#{number}", body=line.decode("utf-8", "replace"), problem=str(error))
            continue
        common = {
            key: payload.get(key)
            for key in ("commonLabels", "commonAnnotations", "receiver", "truncatedAlerts", "externalURL")
        }
        for alert in alerts:
            merged = {"alert": alert, "common": common}
            moment = _moment(alert) if isinstance(alert, dict) else None
            published = moment if path.endswith((".jsonl", ".jsonl.gz")) else None
            yield Piece(
                part=_identity(alert), body=orjson.dumps(merged).decode(), published_at=published, occurred_at=moment
            )


def _moment(alert: Mapping[str, object]) -> datetime | None:
    try:
        return parse_end(alert.get("endsAt")) or parse_time(alert.get("startsAt"))
    except BadRecord:
        return None


def _identity(alert: object) -> str:
    if not isinstance(alert, dict):
        return hashlib.sha256(repr(alert).encode()).hexdigest()[:16]
    labels = alert.get("labels") if isinstance(alert.get("labels"), dict) else {}
    mark = (
        alert.get("fingerprint") or hashlib.sha256(orjson.dumps(labels, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    )
    return f"{mark}@{alert.get('startsAt', '')}"


def transform(record: Record) -> Iterator[Item]:
    """
    The alert, common labels and annotations merged in.
    """
    body = mapping_of(load_json(record.body, record.part), record.part)
    yield alert_of(
        mapping_of(body.get("alert"), "an alert"), mapping_of(body.get("common") or {}, "common"), record.part
    )


def alert_of(alert: Mapping[str, object], common: Mapping[str, object], identity: str = "") -> Alert:
    """
    One alert of Alertmanager's or Prometheus's shape. Raises BadRecord without a start.
    """
    labels = {**_texts(common.get("commonLabels")), **_texts(alert.get("labels"))}
    annotations = {**_texts(common.get("commonAnnotations")), **_texts(alert.get("annotations"))}
    cut = common.get("truncatedAlerts")
    if isinstance(cut, int) and cut > 0:
        annotations.setdefault("truncated_alerts", str(cut))
    url = str(alert.get("generatorURL") or "") or None
    name = labels.get("alertname") or "alert"
    return Alert(
        id=identity or _identity(dict(alert)),
        name=name,
        at=named_time(alert.get("startsAt") or alert.get("activeAt"), f"`startsAt` of alert {name}"),
        ended_at=named_end(alert.get("endsAt"), f"`endsAt` of alert {name}"),
        status=str(alert.get("status") or alert.get("state") or "firing"),
        labels=labels,
        annotations=annotations,
        expr=_expression(url),
        vendor="alertmanager",
        url=url,
    )


def _expression(url: str | None) -> str:
    try:
        return parse_qs(urlsplit(url or "").query).get("g0.expr", [""])[0]
    except ValueError:
        return ""


def _texts(value: object) -> dict[str, str]:
    return {str(key): str(item) for key, item in value.items() if item is not None} if isinstance(value, dict) else {}


def recognises(payload: Mapping[str, object], headers: Mapping[str, str]) -> bool:
    """
    A list of alerts with labels and starts.
    """
    alerts = payload.get("alerts")
    return (
        isinstance(alerts, list)
        and bool(alerts)
        and isinstance(alerts[0], dict)
        and {"labels", "startsAt"} <= set(alerts[0])
    )


CONNECTOR = Connector(
    name="alertmanager",
    summary="Alertmanager's webhook, versions 3 and 4",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=split,
    transform=transform,
    patterns=("alertmanager/*.json*",),
    recognises=recognises,
)
