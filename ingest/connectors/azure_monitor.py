"""
Azure Monitor's alerts: the common alert schema (metric, log, activity log and the others), and the older schemas of
metric, log and activity log alerts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from urllib.parse import quote

from graph.values import Alert, Item, Record, Trust
from ingest.contract import Body, Connector, Headers
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, list_at, moment_at, objects_at, text, text_at
from ingest.parsing import mapping_of
from ingest.tags import labelled, noted

_COMMON = "azureMonitorCommonAlertSchema"
_OLDER = frozenset({"AzureMonitorMetricAlert", "Microsoft.Insights/LogAlert", "Microsoft.Insights/activityLogs"})
_ENDED = frozenset({"resolved", "deactivated"})
_KINDS = {
    "microsoft.compute/virtualmachines": "host",
    "microsoft.web/sites": "app",
    "microsoft.app/containerapps": "app",
    "microsoft.insights/components": "app",
    "microsoft.containerservice/managedclusters": "cluster",
    "microsoft.sql/servers/databases": "database",
    "microsoft.servicebus/namespaces/queues": "queue",
    "microsoft.servicebus/namespaces/topics": "topic",
}
"""Types of resources that have a label of their own; any other is a `resource`."""
_PORTAL = "https://portal.azure.com/#blade/Microsoft_Azure_Monitoring/AlertDetailsTemplateBlade/alertId"
_SIGNS = {"GreaterThan": ">", "GreaterThanOrEqual": ">=", "LessThan": "<", "LessThanOrEqual": "<=", "Equals": "=="}


def _essentials(body: Body) -> Body:
    found = at(body, "data", "essentials")
    return found if isinstance(found, dict) else {}


def _older(body: Body) -> Body:
    """
    The context of an older schema, whatever it is called there.
    """
    for path in (("data", "context", "activityLog"), ("data", "context"), ("context",), ("data",)):
        found = at(body, *path)
        if isinstance(found, dict):
            return found
    return {}


def _state(body: Body) -> str:
    status = first(_essentials(body).get("monitorCondition"), at(body, "data", "status"), body.get("status"))
    return (status or "Fired").lower()


def _part(body: Body, meta: Mapping[str, str]) -> str:
    """
    The rule on its target since it fired: what is fired and what is resolved share it.
    """
    essentials = _essentials(body)
    if essentials:
        mark = first(essentials.get("originAlertId"), essentials.get("alertId"), essentials.get("alertRule"))
        return f"{(mark or digest_of(body)).lower()}@{text_at(essentials, 'firedDateTime') or ''}"
    older = _older(body)
    rule = first(older.get("id"), older.get("AlertRuleName"), older.get("eventDataId"), older.get("name")) or digest_of(
        older
    )
    began = "" if "conditionType" in older else f"@{_stamp(older)}"
    return f"{rule.lower()}/{(first(older.get('resourceId')) or '').lower()}{began}"


def _stamp(older: Body) -> str:
    names = ("SearchIntervalEndtimeUtc", "eventTimestamp", "timestamp")
    return first(*(older.get(name) for name in names)) or ""


def _occurred(body: Body) -> datetime | None:
    ended = _state(body) in _ENDED
    essentials = _essentials(body)
    if essentials:
        paths = (("resolvedDateTime",), ("firedDateTime",)) if ended else (("firedDateTime",),)
        moment = moment_at(essentials, *paths)
    else:
        moment = _told(_older(body))
    return moment and moment + timedelta(microseconds=ended)


def _told(older: Body) -> datetime | None:
    return moment_at(older, ("timestamp",), ("SearchIntervalEndtimeUtc",), ("eventTimestamp",))


def transform(record: Record) -> Iterator[Item]:
    """
    The alert.
    """
    body = body_of(record)
    if _essentials(body):
        yield _alert(body, record)
    elif text_at(body, "schemaId") in _OLDER or isinstance(body.get("context"), dict):
        yield _classic(body, record)
    else:
        raise BadRecord(
            f"Azure's schema {text_at(body, 'schemaId')!r} is not read; enable the common alert schema in the action "
            "group"
        )


def _alert(body: Body, record: Record) -> Alert:
    essentials = _essentials(body)
    ended = _state(body) in _ENDED
    began = moment_at(essentials, ("firedDateTime",)) or record.received_at
    name = text_at(essentials, "alertRule") or "alert"
    identity = text_at(essentials, "alertId")
    context = at(body, "data", "alertContext")
    return Alert(
        id=f"azure:{record.part}",
        name=name,
        at=began,
        ended_at=(moment_at(essentials, ("resolvedDateTime",)) or record.received_at) if ended else None,
        status="resolved" if ended else "firing",
        labels=labelled(
            at(body, "data", "customProperties"),
            at(context, "labels"),
            _dimensions(context),
            _target(first(*list_at(essentials, "alertTargetIDs"))),
            {
                "resource": first(*list_at(essentials, "configurationItems")),
                "severity": essentials.get("severity"),
                "signal": essentials.get("signalType"),
                "monitoring_service": essentials.get("monitoringService"),
                "metric": next((one["metricName"] for one in _criteria(context) if one.get("metricName")), None),
            },
        ),
        annotations=noted(
            title=name,
            description=first(essentials.get("description"), at(context, "annotations", "description")),
            runbook_url=at(context, "annotations", "runbook_url"),
            operation=at(context, "operationName"),
            status=at(context, "status"),
            search_url=first(*(at(one, "linkToSearchResultsUI") for one in (*_criteria(context), context))),
        ),
        expr=_expression(context),
        vendor="azure_monitor",
        url=f"{_PORTAL}/{quote(identity, safe='')}" if identity else None,
    )


def _criteria(context: object) -> list[Body]:
    alone = at(context, "condition")
    single = [alone] if isinstance(alone, dict) and "metricName" in alone else []
    return [*objects_at(context, "condition", "allOf"), *objects_at(context, "allOf"), *single]


def _dimensions(context: object) -> list[object]:
    """
    Dimensions by name; ids of Azure's own say nothing.
    """
    found = [one for each in _criteria(context) for one in objects_at(each, "dimensions")]
    found += objects_at(context, "Dimensions")
    own = ("resourceid", "microsoft.resourceid")
    return [one for one in found if (text_at(one, "name") or "").lower() not in own]


def _target(arm: str | None) -> dict[str, object]:
    """
    What an ARM id says: `/subscriptions/S/resourceGroups/G/providers/TYPE/NAME`, in any case.
    """
    words = [word for word in (arm or "").split("/") if word]
    low = [word.lower() for word in words]
    found: dict[str, object] = {}
    for name, label in (("subscriptions", "subscription"), ("resourcegroups", "resource_group")):
        if name in low[:-1]:
            found[label] = words[low.index(name) + 1]
    if "providers" in low:
        rest = low[low.index("providers") + 1 :]
        kind = "/".join([*rest[:1], *rest[1::2]])
        if len(rest) >= 3:
            found |= {"resource_type": kind, _KINDS.get(kind, "resource"): words[-1]}
    return found


def _expression(context: object) -> str:
    names = ("searchQuery", "SearchQuery", "expression")
    queries = [first(*(at(one, name) for name in names)) for one in (*_criteria(context), context)]
    return ", ".join([*(query for query in queries if query), *(_criterion(one) for one in _criteria(context))])


def _criterion(one: Body) -> str:
    sign = text_at(one, "operator") or ""
    measured = text_at(one, "metricName") or text_at(one, "metricMeasureColumn") or "rows"
    limit = f"{_SIGNS.get(sign, sign)} {text_at(one, 'threshold') or ''}"
    return f"{text_at(one, 'timeAggregation') or 'value'}({measured}) {limit}".strip()


def _classic(body: Body, record: Record) -> Alert:
    older = _older(body)
    ended = _state(body) in _ENDED
    moment = _told(older) or record.received_at
    name = first(older.get("name"), older.get("AlertRuleName"), older.get("operationName")) or "alert"
    properties = first_mapping(at(body, "data", "properties"), body.get("properties"))
    criteria = at(older, "condition")
    return Alert(
        id=f"azure:{record.part}",
        name=name,
        at=moment,
        ended_at=moment if ended else None,
        status="resolved" if ended else "firing",
        labels=labelled(
            properties if "conditionType" in older or "AlertRuleName" in older else None,
            _dimensions({"condition": criteria}),
            _target(text(older.get("resourceId"))),
            {
                "region": older.get("resourceRegion"),
                "severity": first(older.get("severity"), older.get("Severity"), older.get("level")),
                "resource": older.get("resourceName"),
                "resource_group": older.get("resourceGroupName"),
            },
        ),
        annotations=noted(
            title=name,
            description=first(older.get("description"), older.get("Description")),
            operation=older.get("operationName"),
        ),
        expr=_expression({"condition": criteria, "SearchQuery": older.get("SearchQuery")}),
        vendor="azure_monitor",
        url=first(older.get("portalLink"), older.get("LinkToSearchResults")),
    )


def first_mapping(*values: object) -> Body:
    """
    The first object among values.
    """
    return next((mapping_of(one, "properties") for one in values if isinstance(one, dict)), {})


def recognises(payload: Body, headers: Headers) -> bool:
    """
    By the schema that it names, or by the context of the oldest metric alerts.
    """
    if text_at(payload, "schemaId") in {_COMMON, *_OLDER}:
        return True
    context = payload.get("context")
    return (
        text_at(payload, "status") in ("Activated", "Resolved")
        and isinstance(context, dict)
        and "resourceId" in context
    )


CONNECTOR = Connector(
    name="azure_monitor",
    summary="Azure Monitor's common alert schema, and the older schemas of metric, log and activity log alerts",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred),
    transform=transform,
    patterns=("azure_monitor/*.json*",),
    recognises=recognises,
)
