"""
Grafana's webhook contact point: unified alerting (each alert of a delivery is one Alert), and the legacy alerts of
dashboards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from graph.values import Alert, Item, Record, Trust
from ingest.connectors import alertmanager
from ingest.contract import Body, Connector, Headers
from ingest.fields import at, body_of, deliveries, first, objects_at, text, text_at
from ingest.parsing import mapping_of
from ingest.signing import TimedHmac
from ingest.tags import filled, labelled, noted

_PRIVATE = "__"
"""Before the names of Grafana's own labels and annotations that say nothing to a person."""
_ENDED = frozenset({"ok", "paused"})


def _parts(body: Body) -> Iterator[Body]:
    if _legacy(body):
        yield body
    else:
        yield from alertmanager.occurrences(body)


def _legacy(body: Body) -> bool:
    return {"ruleName", "state"} <= set(body) and bool({"evalMatches", "ruleUrl"} & set(body))


def _part(body: Body, meta: Mapping[str, str]) -> str:
    """
    A legacy notification carries no time: only the last state of its rule is kept.
    """
    if not _legacy(body):
        return alertmanager.identity(body, meta)
    return f"org:{text_at(body, 'orgId') or '1'}/rule:{first(body.get('ruleId'), body.get('ruleName'))}"


def _occurred(body: Body) -> datetime | None:
    return None if _legacy(body) else alertmanager.occurred(body)


def transform(record: Record) -> Iterator[Item]:
    """
    The alert. A test of the contact point states nothing.
    """
    body = body_of(record)
    if _legacy(body):
        yield from _of_rule(body, record)
        return
    alert = mapping_of(body.get("alert"), "an alert")
    if text_at(alert, "labels", "alertname") == "TestAlert" and text_at(alert, "labels", "instance") == "Grafana":
        return
    yield _unified(alert, mapping_of(body.get("common") or {}, "common"), record.part)


def _unified(alert: Body, common: Body, part: str) -> Alert:
    found = alertmanager.alert_of(alert, common, part)
    links = noted(
        dashboard_url=alert.get("dashboardURL"),
        panel_url=alert.get("panelURL"),
        values=alert.get("valueString"),
    )
    return replace(
        found,
        labels={key: value for key, value in found.labels.items() if not key.startswith(_PRIVATE)},
        annotations={key: value for key, value in found.annotations.items() if not key.startswith(_PRIVATE)} | links,
        vendor="grafana",
        url=found.url or text(alert.get("panelURL")) or text(alert.get("dashboardURL")),
    )


def _of_rule(body: Body, record: Record) -> Iterator[Alert]:
    name = first(body.get("ruleName"), body.get("title")) or "alert"
    state = (text_at(body, "state") or "alerting").lower()
    if state == "pending" or (text_at(body, "ruleId") in (None, "0") and name == "Test notification"):
        return
    ended = state in _ENDED
    yield Alert(
        id=record.part,
        name=name,
        at=record.received_at,
        ended_at=record.received_at if ended else None,
        status="resolved" if ended else "firing",
        labels=labelled(body.get("tags"), _shared(body), {"state": state}),
        annotations=noted(
            title=body.get("title"),
            description=body.get("message"),
            values=", ".join(_values(body)),
        ),
        vendor="grafana",
        url=text_at(body, "ruleUrl"),
    )


def _shared(body: Body) -> dict[str, object]:
    """
    The metric and the tags in which all series that matched agree.
    """
    series = [{"metric": one.get("metric"), **_tags(one)} for one in objects_at(body, "evalMatches")]
    if not series:
        return {}
    return {key: value for key, value in series[0].items() if all(one.get(key) == value for one in series)}


def _tags(match: Body) -> dict[str, object]:
    tags = at(match, "tags")
    return {key: value for key, value in tags.items() if not key.startswith(_PRIVATE)} if isinstance(tags, dict) else {}


def _values(body: Body) -> Iterator[str]:
    for one in objects_at(body, "evalMatches"):
        value = filled(one.get("value"))
        if value is not None:
            yield f"{text_at(one, 'metric') or 'value'}={value}"


def recognises(payload: Body, headers: Headers) -> bool:
    """
    Alertmanager's shape with Grafana's own fields, or a rule's name and state beside its link.
    """
    if _legacy(payload):
        return True
    alerts = objects_at(payload, "alerts")
    shaped = {"labels", "startsAt"} <= set(alerts[0]) if alerts else alertmanager.lone(payload)
    return shaped and alertmanager.of_grafana(payload)


CONNECTOR = Connector(
    name="grafana_alerts",
    summary="Grafana's webhook contact point: unified and legacy alerting",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("grafana_alerts/*.json*",),
    recognises=recognises,
    signing=TimedHmac(
        header="x-grafana-alerting-signature", stamp="x-grafana-alerting-timestamp", separator=":", required=False
    ),
)
