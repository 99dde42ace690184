"""
Opsgenie's webhooks and REST objects.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from graph.values import Alert, Fact, FactKind, Incident, SectionKind, Span
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, RECEIVED, facts, read

RAW = (DATA / "opsgenie.json").read_bytes()
BEGAN = datetime(2026, 3, 2, 14, 10, tzinfo=UTC)


def test_an_alert_from_its_making_to_its_end() -> None:
    begun, ended = [item for item in read("opsgenie", RAW) if isinstance(item, Alert)]
    assert begun == Alert(
        id="opsgenie:og-1",
        name="Basket answers 500",
        at=BEGAN,
        labels={
            "service": "basket", "entity": "basket-api", "environment": "Production", "priority": "P1", "alias": "basket-5xx",
            "tags": "env:Production,vip", "source": "Watch",
        },
        annotations={"summary": "Basket answers 500", "service": "basket"},
        vendor="opsgenie",
    )  # fmt: skip
    assert (ended.id, ended.at, ended.status, ended.ended_at) == (begun.id, BEGAN, "resolved", BEGAN.replace(minute=40))
    parts = [piece.part for piece in connector("opsgenie").split(RAW, {})]
    assert parts[:3] == ["alert:og-1", "alert:og-1", "incident:inc-1"]


def test_an_incident_of_services_named_by_their_ids() -> None:
    (incident,) = [item for item in read("opsgenie", RAW) if isinstance(item, Incident)]
    assert (incident.id, incident.services, incident.severity) == ("opsgenie:incident:inc-1", ("service:srv-1",), "P1")
    assert (incident.at, incident.detected_at) == (BEGAN, BEGAN.replace(minute=12))
    assert incident.resolved_at == BEGAN.replace(hour=15, minute=0)
    assert incident.sections == {SectionKind.SUMMARY: "Customers cannot pay."}


def test_owners_ladders_and_who_is_on_call() -> None:
    items = read("opsgenie", RAW)
    found = facts(items)
    assert {
        (FactKind.OWNED_BY, "service:checkout", "team:tm-1"),
        (FactKind.SAME_AS, "team:tm-1", "team:shop"),
        (FactKind.SAME_AS, "service:srv-1", "service:checkout"),
        (FactKind.MEMBER_OF, "person:lena", "team:shop"),
        (FactKind.ESCALATES_TO, "team:shop", "team:shop ladder"),
        (FactKind.ESCALATES_TO, "team:shop ladder", "team:shop rota"),
        (FactKind.ESCALATES_TO, "team:shop ladder", "person:max"),
    } <= found
    (turn,) = [item for item in items if isinstance(item, Fact) and item.kind is FactKind.ON_CALL_FOR]
    assert (turn.subject, turn.object) == ("person:lena", "team:shop rota")
    assert turn.valid == Span(RECEIVED, RECEIVED + timedelta(days=1))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            {"action": "Create", "alert": {"message": "x"}, "integrationName": "x"},
            "an alert of Opsgenie has no `alertId`",
        ),
        ({"colour": "red"}, "is no object of Opsgenie that is read"),
    ],
)
def test_what_cannot_be_read_says_why(body: object, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        read("opsgenie", orjson.dumps(body))


def test_real_payloads(shared: Path) -> None:
    folder = shared / "samples/opsgenie"
    raw = {path.stem: path.read_bytes() for path in folder.glob("*.json")}
    (created,) = read("opsgenie", raw["webhook.create"])
    assert isinstance(created, Alert)
    assert (created.name, created.at, created.labels["priority"]) == (
        "another alert",
        datetime(2017, 8, 14, 11, 25, 56, 288000, UTC),
        "P3",
    )
    (alert,) = read("opsgenie", raw["rest.alert"])
    assert isinstance(alert, Alert)
    assert (alert.name, alert.status, alert.labels["priority"]) == ("Example alert", "firing", "P3")
    (incident,) = read("opsgenie", raw["rest.incident"])
    assert isinstance(incident, Incident)
    assert (incident.title, incident.services) == (
        "Example Token Incident",
        ("service:aaaaaaaa-bbbb-cccc-dddd-eeeeeeee0052",),
    )
    assert incident.resolved_at == datetime(2023, 9, 26, 17, 45, 25, 719000, UTC)
    owned = (FactKind.OWNED_BY, "service:test escalation service", "team:aaaaaaaa-bbbb-cccc-dddd-eeeeeeee0012")
    assert owned in facts(read("opsgenie", raw["rest.service"]))
    assert (FactKind.SAME_AS, "team:aaaaaaaa-bbbb-cccc-dddd-eeeeeeee0012", "team:data science team") in facts(
        read("opsgenie", raw["rest.team"])
    )
    for name in ("rest.schedule", "rest.schedule-oncall"):
        found = facts(read("opsgenie", raw[name]))
        assert (FactKind.ESCALATES_TO, "team:devops team", "team:devops team_schedule") in found
        assert ((FactKind.MEMBER_OF, "person:user1", "team:devops team_schedule") in found) == (name == "rest.schedule")
    known = recognise(orjson.loads(raw["webhook.create"]), {})
    assert known is not None
    assert known.name == "opsgenie"


def test_an_action_that_a_customer_named_leaves_the_alert_as_it_is() -> None:
    body = {**orjson.loads(RAW)[0], "action": "Restart Basket"}
    (alert,) = read("opsgenie", orjson.dumps(body))
    assert isinstance(alert, Alert)
    assert (alert.id, alert.status) == ("opsgenie:og-1", "firing")
