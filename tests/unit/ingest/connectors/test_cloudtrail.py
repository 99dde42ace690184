"""
CloudTrail's log files.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from graph.values import Alert, Change, ChangeKind
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, read

RAW = (DATA / "cloudtrail.json").read_bytes()


def test_only_calls_that_altered_something_are_changes() -> None:
    scaled, parameter = read("cloudtrail", RAW)
    assert scaled == Change(
        id="cloudtrail:c-1",
        kind=ChangeKind.SCALING,
        at=datetime(2026, 3, 2, 14, tzinfo=UTC),
        ended_at=datetime(2026, 3, 2, 14, tzinfo=UTC),
        title="UpdateService on ecs (basket, main)",
        services=("service:basket",),
        region="eu-west-1",
        actor="Deployer/lena",
        status="done",
        attributes={
            "account": "111122223333",
            "source": "ecs.amazonaws.com",
            "event": "UpdateService",
            "resources": "basket, main",
        },
    )
    assert isinstance(parameter, Change)
    assert (parameter.kind, parameter.actor, parameter.automated) == (
        ChangeKind.CONFIG,
        "appconfig.amazonaws.com",
        True,
    )


def test_neither_addresses_nor_keys_nor_parameters_are_carried() -> None:
    told = repr(read("cloudtrail", RAW))
    assert [word for word in ("203.0.113.9", "ASIAEXAMPLE", "s3cr3t", "aws-cli") if word in told] == []


def test_each_entry_is_its_event_also_from_a_look_up() -> None:
    assert [piece.part for piece in connector("cloudtrail").split(RAW, {})][:2] == ["event:c-1", "event:c-2"]
    found = orjson.dumps(
        {"Events": [{"EventId": "c-1", "CloudTrailEvent": orjson.dumps(orjson.loads(RAW)["Records"][0]).decode()}]}
    )
    assert read("cloudtrail", found) == read("cloudtrail", RAW)[:1]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"Records": [{"eventVersion": "1"}]}, "expected an entry of CloudTrail"),
        (
            {"Records": [{"eventName": "RunInstances", "eventSource": "ec2.amazonaws.com"}]},
            "`eventTime` of RunInstances is missing",
        ),
    ],
)
def test_what_cannot_be_read_says_why(body: object, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        read("cloudtrail", orjson.dumps(body))


@pytest.mark.parametrize(
    ("name", "title", "at"),
    [
        ("2.StartInstances", "StartInstances on ec2 (i-ebeaf9e2)", datetime(2014, 3, 6, 21, 22, 54, tzinfo=UTC)),
        ("3.StopInstances", "StopInstances on ec2 (i-ebeaf9e2)", datetime(2014, 3, 6, 21, 1, 59, tzinfo=UTC)),
        ("5.CreateUser", "CreateUser on iam (Bob)", datetime(2014, 3, 24, 21, 11, 59, tzinfo=UTC)),
        ("6.AddUserToGroup", "AddUserToGroup on iam (Bob, admin)", datetime(2014, 3, 25, 21, 8, 14, tzinfo=UTC)),
        ("7.CreateRole", "CreateRole on iam (TestRole)", datetime(2014, 3, 25, 20, 17, 37, tzinfo=UTC)),
    ],
)
def test_real_entries(shared: Path, name: str, title: str, at: datetime) -> None:
    raw = (shared / f"samples/cloudtrail/{name}.json").read_bytes()
    (change,) = read("cloudtrail", raw)
    assert isinstance(change, Change)
    assert (change.title, change.at, change.actor, change.kind) == (title, at, "Alice", ChangeKind.INFRASTRUCTURE)
    found = recognise(orjson.loads(raw), {})
    assert found is not None
    assert found.name == "cloudtrail"


def test_an_insight_is_an_alert_that_ends(shared: Path) -> None:
    raw = (shared / "samples/cloudtrail/9.AwsCloudTrailInsight.json").read_bytes()
    begun, ended = read("cloudtrail", raw)
    assert isinstance(begun, Alert)
    assert isinstance(ended, Alert)
    assert begun.id == ended.id == "cloudtrail:insight:EXAMPLE2-1729-42f1-b735-5d8c0EXAMPLE"
    assert begun.at == ended.at == datetime(2019, 11, 14, 0, 51, tzinfo=UTC)
    assert (begun.status, ended.status, ended.ended_at) == (
        "firing",
        "resolved",
        datetime(2019, 11, 14, 0, 52, tzinfo=UTC),
    )


def test_a_notification_of_s3_is_none_of_its_entries() -> None:
    entry = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventTime": "2026-03-02T14:00:00Z",
        "awsRegion": "eu-west-1",
        "eventName": "ObjectCreated:Put",
    }
    assert recognise({"Records": [entry]}, {}) is None
