"""
LaunchDarkly's audit log in its three shapes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, read

RAW = (DATA / "launchdarkly.json").read_bytes()


def test_flags_and_segments_are_changes_and_members_are_not() -> None:
    flag, segment = read("launchdarkly", RAW)
    assert flag == Change(
        id="launchdarkly:66aa01",
        kind=ChangeKind.FLAG,
        at=datetime(2026, 3, 2, 14, tzinfo=UTC),
        title="Lena Orr turned off the flag Fast pay in Production",
        services=("service:basket",),
        environment="production",
        revision="12",
        previous="11",
        actor="Lena Orr",
        status="turned off the flag",
        text="Errors rise",
        url="https://app.launchdarkly.com/shop/production/features/fast-pay",
        attributes={
            "flag": "fast-pay",
            "name": "Fast pay",
            "project": "shop",
            "action": "updateOn",
            "resource": "flag",
        },
    )
    assert isinstance(segment, Change)
    assert (segment.environment, segment.actor, segment.automated) == ("staging", "ci", True)
    assert (segment.attributes["segment"], segment.attributes["resource"]) == ("beta", "segment")


def test_each_entry_is_a_part_of_its_own_and_one_alone_is_recognised() -> None:
    assert [piece.part for piece in connector("launchdarkly").split(RAW, {})] == [
        "entry:66aa01",
        "entry:66aa02",
        "entry:66aa03",
    ]
    found = recognise(orjson.loads(RAW)["items"][0], {})
    assert found is not None
    assert found.name == "launchdarkly"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"kind": "teapot", "_id": "1", "date": 1772460000000}, "LaunchDarkly's event 'teapot' is not read"),
        ({"_id": "1"}, "has no `kind`"),
        ({"_id": "1", "kind": "flag"}, "`date` of the entry is missing"),
    ],
)
def test_what_cannot_be_read_says_why(body: object, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        read("launchdarkly", orjson.dumps(body))


@pytest.mark.parametrize(
    ("name", "identity", "kind", "environment", "status", "flag"),
    [
        (
            "environment.update",
            "5e38c50906121dba45ba0f42",
            ChangeKind.CONFIG,
            "local-dev",
            "updated the environment",
            None,
        ),
        ("flag.create", "5e38c1f006121d8aaf15392d", ChangeKind.FLAG, None, "created the flag", "a-brand-new-flag"),
        (
            "flag.targeting-rule-update",
            "5e38c0d506121d8aaf15392b",
            ChangeKind.FLAG,
            "production",
            "updated the flag",
            "demo-flag",
        ),
        ("flag.toggle", "5e38bf6706121d8aaf15392a", ChangeKind.FLAG, "production", "turned on the flag", "demo-flag"),
        (
            "on_feature_flag_change.superplane",
            "entry:e2a93d99b934f746",
            ChangeKind.FLAG,
            "test",
            "turned off the flag",
            "another-toggle-feature",
        ),
    ],
)
def test_real_entries(
    shared: Path, name: str, identity: str, kind: ChangeKind, environment: str | None, status: str, flag: str | None
) -> None:
    raw = (shared / f"samples/launchdarkly/{name}.json").read_bytes()
    (change,) = read("launchdarkly", raw)
    assert isinstance(change, Change)
    assert (change.id, change.kind, change.environment) == (f"launchdarkly:{identity}", kind, environment)
    assert (change.status, change.attributes.get("flag"), change.automated) == (status, flag, False)
    assert "mailto" not in change.title
    found = recognise(orjson.loads(raw), {})
    assert found is not None
    assert found.name == "launchdarkly"
