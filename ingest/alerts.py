"""
Any alert, as a tool sent it, to Alert values: the connector that recognises the payload reads it; what none recognises
is read by the names of its fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from graph.values import Alert, Record
from ingest.connectors import recognise
from ingest.contract import Connector
from ingest.errors import UNEXPECTED, BadRecord, failure
from ingest.fields import digest_of, texts, unwrapped
from ingest.parsing import (
    EARLIEST,
    LATEST,
    asked_time,
    is_unended,
    is_unset,
    load_json,
    mapping_of,
    text_of,
    unpack,
)

_NAMES = ("name", "alertname", "alert", "title", "monitor", "rule", "metric", "summary")
_TEXTS = ("text", "summary", "description", "detail", "message", "body", "title")
_BEGINNINGS = ("startsAt", "activeAt")
_TIMES = ("at", "time", "timestamp", "starts_at", "startsAt", "fired_at", "triggered_at", "date", "activeAt")
_LABELS = (
    "service", "environment", "env", "region", "severity", "team", "namespace", "pod", "job", "host", "instance",
    "cluster", "metric",
)  # fmt: skip
_EXPECTED = "expected a monitoring tool's payload, or an object with a name or a text (docs/reference/api.md)"
_SCALAR = re.compile(r"null|true|false|-?[0-9.]+([eE][+-]?[0-9]+)?")
PLAIN = "plain"
"""The format of what no connector recognises."""
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """
    The alerts of a payload, firing ones first, and the format that the first was recognised as: a connector's name, or
    PLAIN.
    """

    alerts: tuple[Alert, ...]
    format: str


def untold(gap: str) -> None:
    """
    Nobody wants to know.
    """


def read_alerts(
    payload: bytes, headers: Mapping[str, str], now: datetime | None = None, tell: Tell = untold
) -> tuple[Alert, ...]:
    """
    The alerts alone.
    """
    return read_payload(payload, headers, now, tell).alerts


def read_payload(payload: bytes, headers: Mapping[str, str], now: datetime | None = None, tell: Tell = untold) -> Asked:
    """
    The alerts of a payload. Raises BadRecord where it holds none, with the format that it is of.

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
        return Asked((_plain({"title": text.split("\n")[0][:200], "text": text}, moment, tell),), PLAIN)
    lowered = {name.lower(): value for name, value in headers.items()}
    found = list(_of(load_json(text, "the alert"), lowered, moment, tell))
    found.sort(key=lambda one: one[0].status == "resolved")
    return Asked(tuple(alert for alert, _ in found), found[0][1])


def _unquoted(text: str) -> str:
    """
    What a text in JSON says; a text that merely begins and ends with a quotation, as it is.
    """
    try:
        return str(load_json(text, "the alert"))
    except BadRecord:
        return text


def _of(value: object, headers: Mapping[str, str], now: datetime, tell: Tell) -> Iterator[tuple[Alert, str]]:
    """
    Each alert with its format; at least one.
    """
    if isinstance(value, list):
        if not value:
            raise BadRecord(f"the list of alerts is empty; {_EXPECTED}")
        for item in value:
            yield from _of(item, headers, now, tell)
        return
    body = _begun(mapping_of(value, "the alert"), now, tell)
    found = recognise(body, headers)
    if found:
        for alert in _stated(found, body, headers, now, tell):
            yield alert, found.name
        return
    if body.get("alerts") == []:
        raise BadRecord(f"the webhook has no alerts; {_EXPECTED}")
    inner = body.get("alert")
    if isinstance(inner, dict):
        yield from _of(inner, headers, now, tell)
        return
    yield _plain(body, now, tell), PLAIN


def _begun(body: Mapping[str, object], now: datetime, tell: Tell) -> Mapping[str, object]:
    """
    A body whose alerts all say when they began: `now` where they don't.
    """
    alerts = body.get("alerts")
    if isinstance(alerts, list):
        return {**body, "alerts": [_dated(one, now, tell) if isinstance(one, dict) else one for one in alerts]}
    labels = body.get("labels")
    return _dated(body, now, tell) if isinstance(labels, dict) and "alertname" in labels else body


def _dated(alert: Mapping[str, object], now: datetime, tell: Tell) -> Mapping[str, object]:
    if not isinstance(alert.get("labels"), dict) or any(alert.get(name) for name in set(_TIMES) - {*_BEGINNINGS}):
        return alert
    at = _onset(alert, _BEGINNINGS, now, tell)
    return {**alert, "startsAt": now.isoformat()} if at is now else alert


def _stated(
    found: Connector, body: Mapping[str, object], headers: Mapping[str, str], now: datetime, tell: Tell
) -> Sequence[Alert]:
    """
    What a connector reads of a body. One alert that cannot be read leaves the others alone.
    """
    try:
        if found.alerts:
            alerts: Sequence[Alert] = found.alerts(unwrapped(body), now)
        else:
            alerts = _transformed(found, body, headers, now, tell)
    except BadRecord as error:
        raise BadRecord(f"this is {found.name}'s format: {error}") from error
    except UNEXPECTED as error:
        raise BadRecord(failure(f"the connector {found.name}", error)) from error
    if not alerts:
        raise BadRecord(f"this is {found.name}'s format ({found.summary}), but it holds no alert to ask about")
    beyond = next((one for one in alerts if not EARLIEST <= one.at < LATEST), None)
    if beyond:
        raise BadRecord(
            f"this is {found.name}'s format: the time of {beyond.name!r} ({beyond.at.isoformat()}) lies outside the "
            f"years {EARLIEST.year} to {LATEST.year - 1}"
        )
    return alerts


def _transformed(
    found: Connector, body: Mapping[str, object], headers: Mapping[str, str], now: datetime, tell: Tell
) -> Sequence[Alert]:
    meta = {"path": "the alert", **{name: headers[name] for name in found.headers if name in headers}}
    alerts: list[Alert] = []
    problems: list[str] = []
    for piece in found.split(orjson.dumps(body), meta):
        record = Record(
            id="", source="", connector=found.name, part=piece.part, body=piece.body, digest="", received_at=now,
            meta={**meta, **piece.meta},
        )  # fmt: skip
        try:
            if piece.problem:
                raise BadRecord(piece.problem)
            alerts += [one for one in found.transform(record) if isinstance(one, Alert)]
        except BadRecord as error:
            problems.append(str(error))
    if problems and not alerts:
        raise BadRecord(problems[0])
    for problem in problems:
        tell(f"an alert of the payload is left out: {problem}")
    return alerts


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
    labels = texts(body.get("labels")) | {
        key: str(body[key]) for key in _LABELS if isinstance(body.get(key), str | int)
    }
    annotations = texts(body.get("annotations"))
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
        id=str(body.get("id") or body.get("fingerprint") or digest_of([name, dict(labels)])) + f"@{at.isoformat()}",
        name=re.sub(r"\s+", " ", name or next(iter(annotations.values())))[:200],
        at=at,
        ended_at=_end(body, "ended_at", "endsAt"),
        status=str(body.get("status") or "firing"),
        labels=labels,
        annotations=annotations,
        expr=str(body.get("expr") or body.get("query") or ""),
        vendor=PLAIN,
        url=str(body["url"]) if body.get("url") else None,
    )
