"""
Any alert, as a tool sent it, to Alert values: the vendor's shape is recognised, and taken off.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import orjson

from graph.values import Alert
from ingest.connectors import alertmanager
from ingest.errors import BadRecord
from ingest.parsing import asked_time, is_unended, is_unset, load_json, mapping_of, text_of, unpack

_NAMES = ("name", "alertname", "alert", "title", "monitor", "rule", "metric", "summary")
_TEXTS = ("text", "summary", "description", "detail", "message", "body", "title")
_TIMES = ("at", "time", "timestamp", "starts_at", "startsAt", "fired_at", "triggered_at", "date", "activeAt")
_LABELS = (
    "service", "environment", "env", "region", "severity", "team", "namespace", "pod", "job", "host", "instance",
    "cluster", "metric",
)  # fmt: skip
_EXPECTED = "expected Alertmanager's webhook, or an object with a name or a text (docs/reference/api.md)"
_SCALAR = re.compile(r"null|true|false|-?[0-9.]+([eE][+-]?[0-9]+)?")
Tell = Callable[[str], None]


def untold(gap: str) -> None:
    """
    Nobody wants to know.
    """


def read_alerts(
    payload: bytes, headers: Mapping[str, str], now: datetime | None = None, tell: Tell = untold
) -> tuple[Alert, ...]:
    """
    The alerts of a payload, firing ones first. Raises BadRecord where it is none.

    A plain text is an alert by itself. What carries no time fires `now`; what carries one that is not set does too, and
    `tell` hears of it.
    """
    moment = now or datetime.now(UTC)
    text = text_of(unpack(payload, "the alert"), "the alert").strip()
    if text[:1] == text[-1:] == '"':
        text = _unquoted(text).strip()
    if not text:
        raise BadRecord(f"the alert is empty; {_EXPECTED}")
    if _SCALAR.fullmatch(text):
        raise BadRecord(f"the alert is nothing but `{text[:40]}`; {_EXPECTED}")
    if text[0] not in "{[":
        return (_plain({"title": text.split("\n")[0][:200], "text": text}, moment, tell),)
    value = load_json(text, "the alert")
    found = _of(value, moment, tell)
    return tuple(sorted(found, key=lambda alert: alert.status == "resolved"))


def _unquoted(text: str) -> str:
    """
    What a text in JSON says; a text that merely begins and ends with a quotation, as it is.
    """
    try:
        return str(load_json(text, "the alert"))
    except BadRecord:
        return text


def _of(value: object, now: datetime, tell: Tell) -> tuple[Alert, ...]:
    if isinstance(value, list):
        if not value:
            raise BadRecord(f"the list of alerts is empty; {_EXPECTED}")
        return tuple(alert for item in value for alert in _of(item, now, tell))
    body = mapping_of(value, "the alert")
    data = body.get("data")
    if isinstance(data, dict) and isinstance(data.get("alerts"), list):
        body = data
    alerts = body.get("alerts")
    if isinstance(alerts, list):
        if not alerts:
            raise BadRecord(f"the webhook has no alerts; {_EXPECTED}")
        return tuple(_occurrence(mapping_of(alert, "an alert"), body, now, tell) for alert in alerts)
    inner = body.get("alert")
    if isinstance(inner, dict):
        return _of(inner, now, tell)
    if isinstance(body.get("labels"), dict) and "alertname" in mapping_of(body["labels"], "labels"):
        return (_occurrence(body, {}, now, tell),)
    return (_plain(body, now, tell),)


def _occurrence(alert: Mapping[str, object], common: Mapping[str, object], now: datetime, tell: Tell) -> Alert:
    at = _onset(alert, ("startsAt", "activeAt"), now, tell)
    _end(alert, "endsAt")
    if at is now:
        # an alert that says when it began keeps its words, which are a part of its name
        alert = {**alert, "startsAt": now.isoformat()}
    return alertmanager.alert_of(alert, common)


def _onset(body: Mapping[str, object], fields: Sequence[str], now: datetime, tell: Tell) -> datetime:
    name = next((name for name in fields if body.get(name)), None)
    if name is None:
        return now
    if is_unset(body[name]):
        tell(f"the alert's `{name}` is not set ({str(body[name])[:40]}); it is taken as now")
        return now
    return asked_time(body[name], name)


def _end(body: Mapping[str, object], *fields: str) -> datetime | None:
    name = next((name for name in fields if body.get(name)), None)
    return None if name is None or is_unended(body[name]) else asked_time(body[name], name)


def _plain(body: Mapping[str, object], now: datetime, tell: Tell) -> Alert:
    labels = _texts(body.get("labels")) | {
        key: str(body[key]) for key in _LABELS if isinstance(body.get(key), str | int)
    }
    annotations = _texts(body.get("annotations"))
    for key in _TEXTS:
        if isinstance(body.get(key), str) and body[key]:
            annotations.setdefault(key, str(body[key]))
    name = labels.get("alertname") or next(
        (str(body[key]) for key in _NAMES if isinstance(body.get(key), str) and body[key]), ""
    )
    if not name and not annotations:
        raise BadRecord(f"this JSON has neither a name nor a text; {_EXPECTED}")
    if name and not annotations and (" " in name or not labels):
        # a sentence is a text, whatever the field is called
        annotations = {"text": name, "title": name}
    at = _onset(body, _TIMES, now, tell)
    return Alert(
        id=str(body.get("id") or body.get("fingerprint") or _digest(name, labels)) + f"@{at.isoformat()}",
        name=re.sub(r"\s+", " ", name or next(iter(annotations.values())))[:200],
        at=at,
        ended_at=_end(body, "ended_at", "endsAt"),
        status=str(body.get("status") or "firing"),
        labels=labels,
        annotations=annotations,
        expr=str(body.get("expr") or body.get("query") or ""),
        vendor="plain",
        url=str(body["url"]) if body.get("url") else None,
    )


def _digest(name: str, labels: Mapping[str, str]) -> str:
    return hashlib.sha256(orjson.dumps([name, dict(labels)], option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {
        str(key): item if isinstance(item, str) else orjson.dumps(item).decode()
        for key, item in value.items()
        if item is not None
    }
