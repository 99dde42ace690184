"""
Google Cloud Monitoring's webhook, incident schema 1.0 to 1.2 (and its envelope of Pub/Sub).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from graph.values import Alert, Item, Record, Trust
from ingest.contract import Body, Connector, Headers
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, moment_at, objects_at, text_at
from ingest.parsing import load_json, mapping_of
from ingest.tags import labelled, noted

_TEST = "test"
_OWN = {
    "module_id": "service", "service_id": "service", "location": "region", "zone": "region",
    "database_id": "database", "subscription_id": "queue", "topic_id": "topic", "instance_id": "instance",
}  # fmt: skip
"""Labels of monitored resources whose meaning a common name has."""
_QUERIES = (
    ("conditionThreshold", "filter"), ("conditionAbsent", "filter"), ("conditionMatchedLog", "filter"),
    ("conditionMonitoringQueryLanguage", "query"), ("conditionPrometheusQueryLanguage", "query"),
    ("conditionSql", "query"),
)  # fmt: skip


def _parts(body: Body) -> Iterator[Body]:
    packed = text_at(body, "message", "data")
    if packed and "incident" not in body:
        try:
            yield mapping_of(load_json(base64.b64decode(packed, validate=True)), "the message")
        except (binascii.Error, ValueError) as error:
            raise BadRecord(
                "`message.data` is not base64 of a notification; subscribe to the topic of alerts"
            ) from error
        return
    yield body


def _incident(body: Body) -> Body:
    found = body.get("incident")
    if not isinstance(found, dict):
        raise BadRecord("there is no `incident`; expected a notification of Cloud Monitoring")
    return found


def _part(body: Body, meta: Mapping[str, str]) -> str:
    return f"incident:{text_at(body, 'incident', 'incident_id') or digest_of(body)}"


def _ended(incident: Body) -> bool:
    return (text_at(incident, "state") or "").lower() == "closed"


def _occurred(body: Body) -> datetime | None:
    incident = mapping_of(body.get("incident") or {}, "incident") if isinstance(body.get("incident"), dict) else {}
    ended = _ended(incident)
    moment = moment_at(incident, *((("ended_at",), ("started_at",)) if ended else (("started_at",),)))
    return moment and moment + timedelta(microseconds=ended)


def transform(record: Record) -> Iterator[Item]:
    """
    The incident as an alert. A test of the channel states nothing.
    """
    body = body_of(record)
    incident = _incident(body)
    if _test(body, incident):
        return
    ended = _ended(incident)
    policy, condition = text_at(incident, "policy_name"), text_at(incident, "condition_name")
    name = policy if policy and not policy.startswith("projects/") else condition
    yield Alert(
        id=f"gcp:{record.part}",
        name=name or first(at(incident, "condition", "displayName"), policy) or "incident",
        at=moment_at(incident, ("started_at",)) or record.received_at,
        ended_at=(moment_at(incident, ("ended_at",)) or record.received_at) if ended else None,
        status="resolved" if ended else "firing",
        labels=_labels(incident, condition),
        annotations=noted(
            title=first(at(incident, "documentation", "subject"), incident.get("summary")),
            summary=incident.get("summary"),
            description=at(incident, "documentation", "content"),
            value=incident.get("observed_value"),
            runbook_url=next((one.get("url") for one in objects_at(incident, "documentation", "links")), None),
        ),
        expr=_expression(incident),
        vendor="gcp_monitoring",
        url=text_at(incident, "url"),
    )


def _test(body: Body, incident: Body) -> bool:
    said = text_at(incident, "documentation", "content") or ""
    return _TEST in (
        text_at(body, "version"),
        text_at(incident, "incident_id"),
        text_at(incident, "policy_name"),
    ) or said.startswith("TEST ALERT")


def _labels(incident: Body, condition: str | None) -> dict[str, str]:
    resource = at(incident, "resource", "labels")
    renamed = {_OWN.get(str(key), key): value for key, value in resource.items()} if isinstance(resource, dict) else {}
    return labelled(
        incident.get("policy_user_labels"),
        at(incident, "metadata", "user_labels"),
        renamed,
        at(incident, "metric", "labels"),
        at(incident, "metadata", "system_labels"),
        {
            "severity": incident.get("severity"),
            "resource": first(at(incident, "resource_display_name"), incident.get("resource_name")),
            "resource_type": at(incident, "resource", "type"),
            "instance": incident.get("resource_id"),
            "project": first(incident.get("scoping_project_id"), at(incident, "resource", "labels", "project_id")),
            "metric": at(incident, "metric", "type"),
            "condition": condition,
        },
    )


def _expression(incident: Body) -> str:
    query = next((found for path in _QUERIES if (found := text_at(incident, "condition", *path))), "")
    limit = text_at(incident, "condition", "conditionThreshold", "thresholdValue")
    sign = {"COMPARISON_GT": ">", "COMPARISON_LT": "<", "COMPARISON_GE": ">=", "COMPARISON_LE": "<="}.get(
        text_at(incident, "condition", "conditionThreshold", "comparison") or ""
    )
    return f"{query} {sign} {limit}" if query and sign and limit else query


def recognises(payload: Body, headers: Headers) -> bool:
    """
    An incident of a policy's condition beside the version of the schema.
    """
    return "version" in payload and {"incident_id", "policy_name", "state"} <= set(_inner(payload))


def _inner(payload: Body) -> Body:
    found = payload.get("incident")
    return found if isinstance(found, dict) else {}


CONNECTOR = Connector(
    name="gcp_monitoring",
    summary="Google Cloud Monitoring's webhook, schema 1.0 to 1.2",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("gcp_monitoring/*.json*",),
    recognises=recognises,
)
