"""
Alertmanager's webhook (versions 3 and 4), the alerts of its API and of Prometheus's: each alert is one Alert.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from graph.values import Alert, Item, Record, Trust
from ingest.contract import Body, Connector, Headers
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, moment_at, objects_at, text, text_at, texts
from ingest.parsing import mapping_of, named_end, named_time

_COMMON = ("commonLabels", "commonAnnotations", "receiver", "truncatedAlerts", "externalURL")
_STATUS = {"active": "firing", "unprocessed": "firing", "suppressed": "firing", "inactive": "resolved"}
_MARKS = ("startsAt", "activeAt", "fingerprint", "generatorURL")
_GRAFANA = frozenset({"silenceURL", "dashboardURL", "panelURL", "valueString"})


def occurrences(body: Body) -> Iterator[Body]:
    """
    The alerts of a webhook or of an answer of the API, each beside what is common to all; a lone alert as it is.
    """
    places = (body.get("alerts"), at(body, "data", "alerts"), body.get("data"))
    alerts = next((found for found in places if isinstance(found, list)), None)
    if alerts is None and not isinstance(body.get("labels"), dict):
        raise BadRecord("there is no list `alerts`; expected Alertmanager's webhook")
    common = {key: body.get(key) for key in _COMMON}
    for alert in [body] if alerts is None else alerts:
        yield {"alert": alert, "common": common}


def identity(body: Body, meta: Mapping[str, str]) -> str:
    """
    The occurrence, so that its end replaces its beginning.
    """
    alert = body.get("alert")
    if not isinstance(alert, dict):
        return digest_of(alert)
    labels = alert.get("labels") if isinstance(alert.get("labels"), dict) else {}
    return f"{alert.get('fingerprint') or digest_of(labels)}@{alert.get('startsAt') or alert.get('activeAt') or ''}"


def occurred(body: Body) -> datetime | None:
    """
    When it began; when it ended, of one that is resolved.
    """
    alert = body.get("alert")
    ended = isinstance(alert, dict) and status_of(alert) == "resolved"
    first = (("alert", "endsAt"),) if ended else ()
    return moment_at(body, *first, ("alert", "startsAt"), ("alert", "activeAt"))


def status_of(alert: Body) -> str:
    """
    `firing` or `resolved`; `pending` of a rule whose alert does not fire yet.
    """
    given = text_at(alert, "status", "state") or text_at(alert, "status") or text_at(alert, "state") or "firing"
    return _STATUS.get(given.lower(), given.lower())


def transform(record: Record) -> Iterator[Item]:
    """
    The alert, common labels and annotations merged in.
    """
    body = body_of(record)
    common = mapping_of(body.get("common") or {}, "common")
    yield alert_of(mapping_of(body.get("alert"), "an alert"), common, record.part)


def alert_of(alert: Body, common: Body, part: str) -> Alert:
    """
    One alert of Alertmanager's or Prometheus's shape. Raises BadRecord without a start.
    """
    labels = {**texts(common.get("commonLabels")), **texts(alert.get("labels"))}
    annotations = {**texts(common.get("commonAnnotations")), **texts(alert.get("annotations"))}
    cut = common.get("truncatedAlerts")
    if isinstance(cut, int) and cut > 0:
        annotations.setdefault("truncated_alerts", str(cut))
    url = text(alert.get("generatorURL"))
    name = labels.get("alertname") or "alert"
    status = status_of(alert)
    return Alert(
        id=part,
        name=name,
        at=named_time(alert.get("startsAt") or alert.get("activeAt"), f"`startsAt` of alert {name}"),
        ended_at=named_end(alert.get("endsAt"), f"`endsAt` of alert {name}") if status == "resolved" else None,
        status=status,
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


def lone(body: Body) -> bool:
    """
    Whether a body is an alert by itself.
    """
    named = text_at(body, "labels", "alertname") is not None
    return "alerts" not in body and named and any(body.get(key) for key in _MARKS)


def of_grafana(body: Body) -> bool:
    """
    Whether a webhook of this shape is Grafana's.
    """
    return "orgId" in body or any(_GRAFANA & set(one) for one in (body, *objects_at(body, "alerts")))


def recognises(payload: Body, headers: Headers) -> bool:
    """
    A list of alerts with labels and a start, or a lone one with a name.
    """
    if "alerts" not in payload and isinstance(payload.get("labels"), dict):
        return lone(payload) and not of_grafana(payload)
    for found in (objects_at(payload, "alerts"), objects_at(payload, "data", "alerts"), objects_at(payload, "data")):
        if found and isinstance(found[0].get("labels"), dict):
            return bool({"startsAt", "activeAt"} & set(found[0])) and not of_grafana(payload)
    return False


CONNECTOR = Connector(
    name="alertmanager",
    summary="Alertmanager's webhook, versions 3 and 4, and the alerts of its API and of Prometheus's",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(identity, occurred, occurrences),
    transform=transform,
    patterns=("alertmanager/*.json*",),
    recognises=recognises,
)
