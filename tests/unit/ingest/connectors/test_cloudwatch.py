"""
CloudWatch's alarms on each of their ways.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import Alert
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.alerting import alerts, bare, brief, data, latest, recognised, sample, when

ARN = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:orders-db-cpu"


def test_eventbridge_pairs_alarm_and_ok() -> None:
    firing, fine = alerts("cloudwatch", *data("cloudwatch"))
    assert bare(firing) == Alert(
        id=f"cloudwatch:{ARN}@2026-04-03T06:00:00.500000+00:00",
        name="orders-db-cpu",
        at=when("2026-04-03T06:00:00.500"),
        expr="Average(AWS/RDS/CPUUtilization)",
        vendor="cloudwatch",
        url="https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#alarmsV2:alarm/orders-db-cpu",
    )
    assert firing.labels == {
        "DBInstanceIdentifier": "orders-db", "metric": "CPUUtilization", "metric_namespace": "AWS/RDS",
        "region": "eu-central-1", "account": "111122223333", "state": "ALARM",
    }  # fmt: skip
    assert firing.annotations == {"description": "CPU of the orders database", "reason": "Threshold Crossed"}
    assert brief(fine) == (firing.name, "resolved", firing.at, when("2026-04-03T06:20:00.500"))
    for order in (data("cloudwatch"), data("cloudwatch")[::-1]):
        assert [(one.id, one.status) for one in latest("cloudwatch", order)] == [(firing.id, "resolved")]


def notification(**message: object) -> dict[str, object]:
    """
    An alarm as SNS posts it.
    """
    alarm = {
        "AlarmName": "pay-errors", "AlarmArn": ARN, "StateChangeTime": "2026-04-03T05:00:00.000+0000", "Region": "EU (Frankfurt)",
        "NewStateValue": "ALARM", "OldStateValue": "OK", "AWSAccountId": "111122223333",
    }  # fmt: skip
    return {
        "Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:eu-central-1:111122223333:alarms", "Subject": "s",
        "Message": orjson.dumps(alarm | message).decode(), "Timestamp": "2026-04-03T05:00:00.100Z",
    }  # fmt: skip


def test_a_composite_alarm_has_its_rule() -> None:
    body = notification(AlarmRule='ALARM("a") OR ALARM("b")', AlarmDescription="either")
    (one,) = alerts("cloudwatch", body)
    assert (one.expr, one.annotations["description"]) == ('ALARM("a") OR ALARM("b")', "either")
    assert recognised(body) == "cloudwatch"


@pytest.mark.parametrize(
    ("state", "status"), [("ALARM", "firing"), ("INSUFFICIENT_DATA", "firing"), ("OK", "resolved")]
)
def test_sns_does_not_say_at_ok_when_the_alarm_began(state: str, status: str) -> None:
    (one,) = alerts("cloudwatch", notification(NewStateValue=state))
    moment = when("2026-04-03T05:00")
    assert brief(one) == ("pay-errors", status, moment, moment if status == "resolved" else None)
    assert one.labels["state"] == state


def test_dimensions_come_in_both_spellings_and_metrics_in_a_list() -> None:
    dimensions = {"name": "FunctionName", "value": "refund"}
    metric = {"MetricName": "Errors", "Namespace": "AWS/Lambda", "Dimensions": [dimensions]}
    body = notification(Trigger={"Metrics": [{"Id": "m1", "MetricStat": {"Metric": metric, "Stat": "Sum"}}]})
    (one,) = alerts("cloudwatch", body)
    assert (one.labels["function_name"], one.expr) == ("refund", "Sum(AWS/Lambda/Errors)")


def test_described_alarms_state_those_that_fire() -> None:
    alarm = {"AlarmName": "a", "AlarmArn": ARN, "StateValue": "ALARM", "StateUpdatedTimestamp": "2026-04-03T05:00:00Z",
             "MetricName": "Errors", "Namespace": "X", "Statistic": "Sum", "Threshold": 3.0,
             "ComparisonOperator": "GreaterThanThreshold", "Dimensions": [{"Name": "ServiceName", "Value": "pay"}]}  # fmt: skip
    body = {"MetricAlarms": [alarm, {**alarm, "AlarmArn": f"{ARN}2", "StateValue": "OK"}], "CompositeAlarms": []}
    (one,) = alerts("cloudwatch", body)
    assert (one.labels["service"], one.expr) == ("pay", "Sum(X/Errors) > 3.0")
    assert recognised(body) == "cloudwatch"


@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_a_confirmation_is_left_to_a_person(kind: str) -> None:
    body = {
        "Type": kind,
        "MessageId": "m",
        "TopicArn": "arn:aws:sns:eu-west-1:1:t",
        "Token": "t",
        "Message": "You have chosen",
    }
    assert recognised(body) == "cloudwatch"
    with pytest.raises(
        BadRecord, match=f"SNS's {kind} of arn:aws:sns:eu-west-1:1:t: confirm by hand; nothing is fetched"
    ):
        alerts("cloudwatch", body)


def test_a_message_may_be_an_object_or_an_event() -> None:
    body = {
        **notification(),
        "Message": {"AlarmName": "pay-errors", "NewStateValue": "ALARM", "StateChangeTime": "2026-04-03T05:00:00Z"},
    }
    assert [one.name for one in alerts("cloudwatch", body)] == ["pay-errors"]
    assert recognised(body) == "cloudwatch"
    routed = {**notification(), "Message": orjson.dumps(data("cloudwatch")[0]).decode()}
    assert [one.name for one in alerts("cloudwatch", routed)] == ["orders-db-cpu"]
    assert recognised(routed) == "cloudwatch"


def test_what_is_no_alarm_says_so() -> None:
    with pytest.raises(BadRecord, match="is no alarm in JSON"):
        alerts("cloudwatch", {**notification(), "Message": "hello"})
    changed = {**data("cloudwatch")[0], "detail-type": "CloudWatch Alarm Configuration Change"}
    assert alerts("cloudwatch", changed) == []


def test_real_alarms(shared: Path) -> None:
    (direct,) = sample(shared, "cloudwatch", "cloudWatchAlarmEventSingleMetric.json")
    assert brief(direct) == ("Test alert", "firing", when("2024-02-17T11:53:08.431"), None)
    assert (direct.labels["region"], direct.annotations["description"]) == ("eu-west-1", "This is description **here**")
    (records,) = sample(shared, "cloudwatch", "cloudwatch-alarm-sns-payload-single-metric.json")
    assert brief(records) == ("EXAMPLE", "firing", when("2015-06-03T17:43:27.123"), None)
    assert (records.labels["instance"], records.expr) == ("TestInstance", "AVERAGE(AWS/EC2/NetworkOut) > 0.0")
    (posted,) = sample(shared, "cloudwatch", "sns.http.notification.json")
    assert brief(posted) == ("bucketbytesAlarm", "firing", when("2019-02-15T23:53:45.093"), None)
    assert (posted.labels["bucket_name"], posted.labels["region"]) == ("try.alerta.io", "eu-west-1")
    with pytest.raises(BadRecord, match="confirm by hand; nothing is fetched"):
        sample(shared, "cloudwatch", "sns.http.subscription_confirmation.json")
