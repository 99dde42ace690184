"""
Flagsmith's feature webhook and audit log.
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


def test_flags_before_and_after_and_entries_of_the_log() -> None:
    updated, one, deleted, logged = read("flagsmith", (DATA / "flagsmith.json").read_bytes())
    assert isinstance(updated, Change)
    assert (updated.title, updated.kind, updated.environment) == (
        "fast_pay disabled in Production",
        ChangeKind.FLAG,
        "production",
    )
    assert (updated.revision, updated.previous, updated.actor) == ("off: v2", "on: v1", "lena@example.org")
    assert updated.attributes == {"flag": "fast_pay", "project": "Shop"}
    assert isinstance(one, Change)
    assert (one.title, one.attributes["scope"]) == ("fast_pay enabled in Production for one identity", "identity")
    assert "4711" not in repr(one)
    assert isinstance(deleted, Change)
    assert (deleted.title, deleted.status, deleted.previous) == ("old_pay deleted in Production", "FLAG_DELETED", "on")
    assert logged == Change(
        id="flagsmith:log:31",
        kind=ChangeKind.CONFIG,
        at=datetime(2026, 3, 2, 14, 3, tzinfo=UTC),
        title="Environment updated: Production",
        environment="production",
        actor="Lena Orr",
        status="ENVIRONMENT",
        attributes={"project": "Shop", "object": "3"},
    )


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"event_type": "MOON", "data": {"new_state": {}}}, "Flagsmith's event 'MOON' is not read"),
        ({"event_type": "FLAG_UPDATED", "data": {}}, "`data.timestamp` of the delivery is missing"),
        ({"related_object_type": "MOON", "log": "x"}, "Flagsmith's event 'MOON' is not read"),
    ],
)
def test_what_cannot_be_read_says_why(body: object, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        read("flagsmith", orjson.dumps(body))


def test_real_deliveries(shared: Path) -> None:
    folder = shared / "samples/flagsmith"
    (logged,) = read("flagsmith", (folder / "audit_log.json").read_bytes())
    assert isinstance(logged, Change)
    assert (logged.title, logged.actor, logged.environment) == (
        "New Flag / Remote Config created: my_feature",
        "Kyle Johnson",
        None,
    )
    assert logged.attributes == {"project": "Project name", "flag": "my_feature", "object": "6"}
    (flag,) = read("flagsmith", (folder / "flag_updated.0.json").read_bytes())
    assert isinstance(flag, Change)
    assert (flag.title, flag.environment) == ("butter_bar enabled in Development", "development")
    assert flag.at == datetime(2021, 6, 18, 7, 50, 26, 595298, UTC)
    for path in folder.glob("*.json"):
        found = recognise(orjson.loads(path.read_bytes()), {})
        assert found is not None, path.name
        assert found.name == "flagsmith"
