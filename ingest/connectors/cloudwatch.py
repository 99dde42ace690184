"""
CloudWatch's alarms: by SNS (JSON in the text of a notification, over HTTP or in Lambda's records), by EventBridge, as a
Lambda alarm action, and as DescribeAlarms gives them. Metric alarms and composite ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import quote

import orjson

from graph.values import Alert, Item, Record, Trust
from ingest.contract import Body, Connector, Headers
from ingest.errors import BadRecord
from ingest.fields import at, body_of, deliveries, digest_of, first, moment_at, objects_at, text, text_at
from ingest.parsing import load_json, mapping_of
from ingest.signing_sns import Sns
from ingest.tags import labelled, noted

_CONFIRMATIONS = frozenset({"SubscriptionConfirmation", "UnsubscribeConfirmation"})
_CHANGED = "CloudWatch Alarm State Change"
_ARN = re.compile(r"arn:aws[\w-]*:\w+:(?P<region>[a-z0-9-]+):(?P<account>\d+):")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_DIMENSIONS = {
    "functionname": "function_name",
    "bucketname": "bucket_name",
    "streamname": "stream",
    "topicname": "topic",
    "dbclusteridentifier": "database",
    "apiname": "app",
    "instanceid": "instance",
    "taskdefinitionfamily": "task",
    "apppoolname": "app",
}
_SIGNS = {"GreaterThan": ">", "GreaterThanOrEqualTo": ">=", "LessThan": "<", "LessThanOrEqualTo": "<="}


def _parts(body: Body) -> Iterator[Body]:
    """
    Out of SNS's envelopes; what SNS says beside stays under `Sns`.
    """
    if isinstance(body.get("Records"), list):
        for record in objects_at(body, "Records"):
            yield from _parts(mapping_of(at(record, "Sns"), "`Sns` of a record"))
    elif isinstance(body.get("MetricAlarms"), list) or isinstance(body.get("CompositeAlarms"), list):
        yield from [*objects_at(body, "MetricAlarms"), *objects_at(body, "CompositeAlarms")]
    elif text_at(body, "Type") == "Notification":
        beside = {key: body.get(key) for key in ("MessageId", "TopicArn", "Subject", "Timestamp")}
        yield {**_message(body), "Sns": beside}
    else:
        yield body


def _message(body: Body) -> Body:
    message = body.get("Message")
    if isinstance(message, dict):
        return message
    try:
        return mapping_of(load_json(text(message) or "", "the message"), "the message")
    except BadRecord as error:
        topic = text_at(body, "TopicArn")
        raise BadRecord(
            f"SNS's message of {topic} is no alarm in JSON; subscribe to the topic of the alarms"
        ) from error


def _state(body: Body) -> tuple[str, datetime | None]:
    """
    The alarm's state, and since when.
    """
    return (
        first(*(at(body, *path) for path in _STATES)) or "",
        moment_at(
            body, ("StateChangeTime",), ("detail", "state", "timestamp"), ("alarmData", "state", "timestamp"),
            ("StateTransitionedTimestamp",), ("StateUpdatedTimestamp",), ("time",), ("Sns", "Timestamp"),
        ),
    )  # fmt: skip


_STATES = (("NewStateValue",), ("detail", "state", "value"), ("alarmData", "state", "value"), ("StateValue",))


def _began(body: Body) -> datetime | None:
    """
    Of an alarm that is OK again, since when it was not: only EventBridge and Lambda tell.
    """
    for place in ("detail", "alarmData"):
        if text_at(body, place, "previousState", "value") in ("ALARM", "INSUFFICIENT_DATA"):
            return moment_at(body, (place, "previousState", "timestamp"))
    return None


def _alarm(body: Body) -> str:
    arns = at(body, "resources", 0) if "detail" in body else None
    return first(body.get("AlarmArn"), body.get("alarmArn"), arns, *_names(body)) or digest_of(body)


def _names(body: Body) -> tuple[object, ...]:
    return body.get("AlarmName"), at(body, "detail", "alarmName"), at(body, "alarmData", "alarmName")


def _part(body: Body, meta: Mapping[str, str]) -> str:
    if text_at(body, "Type") in _CONFIRMATIONS:
        return f"{text_at(body, 'Type')}:{text_at(body, 'TopicArn')}"
    state, since = _state(body)
    began = (_began(body) if state == "OK" else None) or since
    return f"{_alarm(body)}@{began.isoformat() if began else state}"


def _occurred(body: Body) -> datetime | None:
    return _state(body)[1]


def transform(record: Record) -> Iterator[Item]:
    """
    The alarm as an alert: OK ends it. An alarm that was never else than OK, as the API lists it, states nothing.
    """
    body = body_of(record)
    kind = text_at(body, "Type")
    if kind in _CONFIRMATIONS:
        raise BadRecord(
            f"SNS's {kind} of {text_at(body, 'TopicArn')}: confirm by hand; nothing is fetched "
            "(give the SubscribeURL to `aws sns confirm-subscription` or the console)"
        )
    name = first(*_names(body))
    if "detail-type" in body and body["detail-type"] != _CHANGED:
        if body.get("source") == "aws.cloudwatch":
            return
        raise BadRecord(f"the event {body['detail-type']!r} is no alarm; the delivery is kept")
    if not name:
        raise BadRecord("there is no alarm in this message; expected CloudWatch's AlarmName")
    state, since = _state(body)
    if not state or ("StateValue" in body and state == "OK"):
        return
    moment = since or record.received_at
    ended = state == "OK"
    yield Alert(
        id=f"cloudwatch:{record.part}",
        name=name,
        at=(_began(body) or moment) if ended else moment,
        ended_at=moment if ended else None,
        status="resolved" if ended else "firing",
        labels=_labels(body, state),
        annotations=noted(
            title=at(body, "Sns", "Subject"),
            description=first(body.get("AlarmDescription"), *(at(one, "description") for one in _configurations(body))),
            reason=first(
                body.get("NewStateReason"), body.get("StateReason"), at(body, "detail", "state", "reason"),
                at(body, "alarmData", "state", "reason"),
            ),
        ),
        expr=_expression(body),
        vendor="cloudwatch",
        # an end tells only EventBridge and Lambda when it began
        series=f"cloudwatch:{_alarm(body)}" if "NewStateValue" in body else "",
        url=_console(body, name),
    )  # fmt: skip


def _configurations(body: Body) -> tuple[object, ...]:
    return at(body, "detail", "configuration"), at(body, "alarmData", "configuration")


def _metrics(body: Body) -> Iterator[Body]:
    """
    The metrics of an alarm, in one shape.
    """
    trigger = mapping_of(body.get("Trigger") or {}, "Trigger")
    single = trigger if trigger.get("MetricName") else body if body.get("MetricName") else None
    if single is not None:
        yield {
            "name": single.get("MetricName"), "namespace": single.get("Namespace"),
            "dimensions": single.get("Dimensions"), "stat": single.get("Statistic") or single.get("ExtendedStatistic"),
        }  # fmt: skip
    for one in [*objects_at(trigger, "Metrics"), *objects_at(body, "Metrics")]:
        metric = at(one, "MetricStat", "Metric")
        yield {
            "name": at(metric, "MetricName"), "namespace": at(metric, "Namespace"),
            "dimensions": at(metric, "Dimensions"), "stat": at(one, "MetricStat", "Stat"),
            "expression": one.get("Expression"),
        }  # fmt: skip
    for configuration in _configurations(body):
        for one in objects_at(configuration, "metrics"):
            metric = at(one, "metricStat", "metric")
            yield {
                "name": at(metric, "name"), "namespace": at(metric, "namespace"),
                "dimensions": at(metric, "dimensions"), "stat": at(one, "metricStat", "stat"),
                "expression": one.get("expression"),
            }  # fmt: skip


def _labels(body: Body, state: str) -> dict[str, str]:
    given = list(_metrics(body))
    dimensions = [labelled(one.get("dimensions")) for one in given]
    renamed = [{_DIMENSIONS.get(key.lower(), key): value for key, value in one.items()} for one in dimensions]
    arn = _ARN.match(_alarm(body)) or _ARN.match(text_at(body, "Sns", "TopicArn") or "")
    return labelled(
        *renamed,
        {
            "metric": next((one["name"] for one in given if one.get("name")), None),
            "metric_namespace": next((one["namespace"] for one in given if one.get("namespace")), None),
            "region": text(body.get("region")) or (arn["region"] if arn else body.get("Region")),
            "account": first(body.get("AWSAccountId"), body.get("account"), body.get("accountId"))
            or (arn["account"] if arn else None),
            "state": state,
        },
    )


def _expression(body: Body) -> str:
    rule = first(body.get("AlarmRule"), *(at(one, "alarmRule") for one in _configurations(body)))
    if rule:
        return rule
    found = [
        text(one.get("expression"))
        or f"{first(one.get('stat')) or 'value'}({first(one.get('namespace'))}/{first(one.get('name'))})"
        for one in _metrics(body)
    ]
    trigger = body.get("Trigger") if isinstance(body.get("Trigger"), dict) else body
    sign = _SIGNS.get((text_at(trigger, "ComparisonOperator") or "").removesuffix("Threshold"))
    limit = text_at(trigger, "Threshold")
    return ", ".join(found) + (f" {sign} {limit}" if found and sign and limit else "")


def _console(body: Body, name: str) -> str | None:
    region = _labels(body, "").get("region", "")
    if not _REGION.fullmatch(region):
        return None
    host = f"https://{region}.console.aws.amazon.com/cloudwatch/home"
    return f"{host}?region={region}#alarmsV2:alarm/{quote(name, safe='')}"


def recognises(payload: Body, headers: Headers) -> bool:
    """
    SNS around an alarm or asking for a confirmation, or an alarm of EventBridge, Lambda or the API.
    """
    records = objects_at(payload, "Records")
    if records:
        inner = at(records[0], "Sns")
        return isinstance(inner, dict) and recognises(inner, headers)
    if {"Type", "TopicArn", "MessageId"} <= set(payload):
        given = payload.get("Message")
        message = given if isinstance(given, str) else orjson.dumps(given).decode()
        return text_at(payload, "Type") in _CONFIRMATIONS or '"AlarmName"' in message or "aws.cloudwatch" in message
    if payload.get("source") == "aws.cloudwatch":
        return "detail" in payload or "alarmData" in payload
    return {"AlarmName", "NewStateValue"} <= set(payload) or isinstance(payload.get("MetricAlarms"), list)


CONNECTOR = Connector(
    name="cloudwatch",
    summary="CloudWatch alarms by SNS, EventBridge and Lambda, and DescribeAlarms",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=deliveries(_part, _occurred, _parts),
    transform=transform,
    patterns=("cloudwatch/*.json*",),
    recognises=recognises,
    headers=("x-amz-sns-message-type", "x-amz-sns-message-id"),
    delivery=("x-amz-sns-message-id",),
    signing=Sns(),
)
