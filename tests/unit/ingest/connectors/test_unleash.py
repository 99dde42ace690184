"""
Unleash's events, from its API and its webhook.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, read


def test_what_alters_how_a_flag_is_served_is_a_change() -> None:
    enabled, strategy, segment = read("unleash", (DATA / "unleash.json").read_bytes())
    assert enabled == Change(
        id="unleash:701",
        kind=ChangeKind.FLAG,
        at=datetime(2026, 3, 2, 14, tzinfo=UTC),
        title="feature-environment-enabled fast-pay Production",
        environment="production",
        actor="lena",
        status="feature-environment-enabled",
        attributes={"flag": "fast-pay", "project": "shop"},
    )
    assert isinstance(strategy, Change)
    assert strategy.text == 'parameters: {"rollout":"10"} to {"rollout":"50"}'
    assert strategy.automated
    assert isinstance(segment, Change)
    assert segment.attributes == {"segment": "beta"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            {"id": 1, "type": "moon-landed", "createdAt": "2026-03-02T14:00:00Z"},
            "Unleash's event 'moon-landed' is not read",
        ),
        ({"id": 1}, "has no `type`"),
        ({"id": 1, "type": "feature-created"}, "`createdAt` of the event is missing"),
    ],
)
def test_what_cannot_be_read_says_why(body: object, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        read("unleash", orjson.dumps(body))


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("webhook.feature-created", "feature-created some-toggle"),
        ("webhook.body-template", "some@user.com created some-toggle in project default"),
    ],
)
def test_real_webhooks(shared: Path, name: str, title: str) -> None:
    raw = (shared / f"samples/unleash/{name}.json").read_bytes()
    (change,) = read("unleash", raw)
    assert isinstance(change, Change)
    assert (change.id, change.title, change.at) == ("unleash:1", title, datetime(2024, 7, 24, tzinfo=UTC))
    assert (change.environment, change.automated, change.attributes) == (
        None,
        True,
        {"flag": "some-toggle", "project": "default"},
    )
    found = recognise(orjson.loads(raw), {})
    assert found is not None
    assert found.name == "unleash"
