"""
PagerDuty's webhooks, change events and REST objects.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from graph.values import Alert, Change, ChangeKind, EntityKind, Fact, FactKind, Incident, Item, Span, entity_id
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, RECEIVED, facts, read

RAW = (DATA / "pagerduty.json").read_bytes()
BEGAN, ENDED = datetime(2026, 3, 2, 14, 10, tzinfo=UTC), datetime(2026, 3, 2, 14, 40, tzinfo=UTC)


def sample(shared: Path, name: str) -> list[Item]:
    """
    What a real payload states.
    """
    return read("pagerduty", (shared / f"samples/pagerduty/{name}.json").read_bytes())


def test_an_incident_is_told_from_its_beginning_to_its_end() -> None:
    begun, ended = [item for item in read("pagerduty", RAW) if isinstance(item, Incident)]
    assert begun == Incident(
        id="pagerduty:QINC1",
        title="Basket answers 500",
        at=BEGAN,
        detected_at=BEGAN,
        severity="P1",
        services=("service:basket",),
        url="https://acme.pagerduty.com/incidents/QINC1",
        attributes={
            "status": "triggered", "number": "31", "urgency": "high", "key": "basket-5xx", "policy": "Shop ladder",
            "teams": "Shop", "assignees": "Lena Orr",
        },
    )  # fmt: skip
    assert (ended.id, ended.at, ended.resolved_at) == (begun.id, BEGAN, ENDED)


def test_events_of_an_incident_share_a_part_and_a_note_does_not() -> None:
    pieces = list(connector("pagerduty").split(RAW, {}))
    assert [piece.part for piece in pieces[:4]] == [
        "incident:QINC1",
        "incident:QINC1",
        "incident_note:EV3",
        "pagey_ping:EV4",
    ]
    assert pieces[0].occurred_at == BEGAN
    assert pieces[1].occurred_at == ENDED.replace(microsecond=2)


def test_owners_ladders_and_who_is_on_call() -> None:
    items = read("pagerduty", RAW)
    week = Span(datetime(2026, 3, 2, 8, tzinfo=UTC), datetime(2026, 3, 9, 8, tzinfo=UTC))
    assert {
        (one.kind, one.subject, one.object, one.attributes.get("level"))
        for one in items
        if isinstance(one, Fact) and one.kind in (FactKind.OWNED_BY, FactKind.ESCALATES_TO)
    } == {
        (FactKind.OWNED_BY, "service:basket", "team:shop", None),
        (FactKind.OWNED_BY, "service:pay", "team:shop ladder", None),
        (FactKind.ESCALATES_TO, "service:basket", "team:shop ladder", "0"),
        (FactKind.ESCALATES_TO, "service:pay", "team:shop ladder", "0"),
        (FactKind.ESCALATES_TO, "team:shop ladder", "team:shop rota", "1"),
        (FactKind.ESCALATES_TO, "team:shop ladder", "person:max ill", "2"),
    }
    assert [
        (one.subject, one.object, one.valid)
        for one in items
        if isinstance(one, Fact) and one.kind is FactKind.ON_CALL_FOR
    ] == [
        ("person:lena orr", "team:shop ladder", week),
        ("person:lena orr", "team:shop rota", week),
    ]
    assert (FactKind.SAME_AS, "service:qsrv1", "service:basket") in facts(items)


def test_a_change_event_keeps_no_key() -> None:
    (change,) = [item for item in read("pagerduty", RAW) if isinstance(item, Change)]
    assert (change.kind, change.title, change.services) == (ChangeKind.DEPLOY, "Deployed basket 7", ("service:basket",))
    assert (change.environment, change.revision, change.url) == ("production", "7", "https://ship.example/7")
    assert [piece.part for piece in connector("pagerduty").split(RAW, {}) if "R0UT1NGKEY" in piece.body] == []


def test_one_may_ask_about_a_webhook_of_an_incident() -> None:
    ask = connector("pagerduty").alerts
    assert ask is not None
    begun, ended = (ask(event, RECEIVED) for event in orjson.loads(RAW)[:2])
    assert [(one.name, one.at, one.status, one.labels["service"], one.labels["severity"]) for one in begun] == [
        ("Basket answers 500", BEGAN, "firing", "basket", "P1")
    ]
    assert [(one.status, one.ended_at) for one in ended] == [("resolved", ENDED)]
    assert [*ask(orjson.loads(RAW)[2], RECEIVED)] == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            {"event": {"event_type": "moon.landed", "resource_type": "moon", "data": {"type": "moon"}}},
            "PagerDuty's event 'moon.landed' is not read; the delivery is kept",
        ),
        (
            {"event": {"event_type": "incident.triggered", "data": {"type": "incident"}}},
            "an incident of PagerDuty has no `id`",
        ),
        ({"colour": "red"}, "is no object of PagerDuty that is read"),
        ({"alerts": [{"id": "A", "type": "alert"}]}, "`created_at` of the alert A is missing"),
    ],
)
def test_what_cannot_be_read_says_why(body: object, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        read("pagerduty", orjson.dumps(body))


@pytest.mark.parametrize(
    "name",
    [
        "webhook.v3.incident.priority_updated",
        "webhook.v3.signed-body",
        "webhook.v3.data.incident",
        "superplane.on_incident",
        "superplane.on_incident_annotated",
    ],
)
def test_real_incidents(shared: Path, name: str) -> None:
    (incident,) = sample(shared, name)
    assert isinstance(incident, Incident)
    assert (incident.id, incident.title, incident.services) == (
        "pagerduty:PGR0VU2",
        "A little bump in the road",
        ("service:api service",),
    )
    assert incident.severity == ("high" if name.endswith("annotated") else "P1")
    assert incident.at == (None if name.endswith("signed-body") else datetime(2020, 4, 9, 15, 16, 27, tzinfo=UTC))
    assert (incident.resolved_at, incident.attributes["teams"]) == (None, "Engineering")


def test_real_incidents_of_the_api(shared: Path) -> None:
    moment = datetime(2015, 10, 6, 21, 30, 42, tzinfo=UTC)
    (got,), (listed,) = sample(shared, "rest.incident.get"), sample(shared, "rest.incidents.list")
    assert isinstance(got, Incident)
    assert isinstance(listed, Incident)
    assert (got.id, got.at, got.resolved_at, got.severity, got.environment) == (
        "pagerduty:PT4KHLK",
        moment,
        None,
        "P2",
        "production",
    )
    assert (listed.at, listed.resolved_at) == (moment, datetime(2015, 10, 6, 21, 38, 23, tzinfo=UTC))
    (alert,) = sample(shared, "rest.incident.alerts")
    assert isinstance(alert, Alert)
    assert (alert.name, alert.status, alert.labels["service"]) == (
        "The server is on fire.",
        "resolved",
        "My Mail Service",
    )


def test_real_changes(shared: Path) -> None:
    for name, count in (
        ("events.v2.change", 1),
        ("rest.change_events.list", 2),
        ("rest.incident.related_change_events", 2),
    ):
        found = [item for item in sample(shared, name) if isinstance(item, Change)]
        assert len(found) == count
        assert {one.status for one in found} == {"passed"}
        assert {one.services for one in found} == {() if name.startswith("events") else ("service:peysgrv",)}


def test_real_owners_and_ladders(shared: Path) -> None:
    services = facts(sample(shared, "rest.services.list"))
    assert (FactKind.OWNED_BY, "service:my application service", "team:engineering") in services
    assert (FactKind.ESCALATES_TO, "service:my application service", "team:another escalation policy") in services
    policies = facts(sample(shared, "rest.escalation_policies.list"))
    assert (FactKind.ESCALATES_TO, "team:engineering escalation policy", "person:pagerduty admin") in policies
    assert (FactKind.ESCALATES_TO, "team:engineering escalation policy", "team:daily engineering rotation") in policies
    recorded = facts(sample(shared, "recorded.services"))
    assert (FactKind.ON_CALL_FOR, "person:jane smith", "service:api gateway mtbf test") in recorded
    assert (FactKind.OWNED_BY, "service:api gateway mtbf test", "team:backend escalation policy") in recorded
    ladder = sample(shared, "recorded.escalation_policies")
    assert len([one for one in ladder if isinstance(one, Fact) and one.kind is FactKind.ESCALATES_TO]) == 42
    (turn, _) = sample(shared, "rest.oncalls.list")
    assert isinstance(turn, Fact)
    assert (turn.subject, turn.object) == ("person:tim wright", "team:engineering escalation policy")
    assert turn.valid == Span(
        datetime(2015, 3, 6, 20, 28, 51, tzinfo=UTC), datetime(2015, 3, 7, 20, 28, 51, tzinfo=UTC)
    )
    assert (FactKind.MEMBER_OF, "person:pagerduty admin", "team:daily engineering rotation") in facts(
        sample(shared, "rest.schedules.list")
    )
    assert facts(sample(shared, "rest.service_dependencies.technical")) == {
        (FactKind.DEPENDS_ON, "service:p99dj6", "service:p7ad56"),
        (FactKind.DEPENDS_ON, "service:p7ad56", "service:r87dk4"),
    }
    assert (FactKind.OWNED_BY, "service:cross-tier business service", "team:pq9k7i8") in facts(
        sample(shared, "rest.business_services.list")
    )
    for name, kind, subject in (
        ("rest.teams.list", EntityKind.TEAM, "Engineering"),
        ("rest.users.list", EntityKind.PERSON, "Kyler Kuhn"),
        ("webhook.v3.service.updated", EntityKind.SERVICE, "testing service updates"),
        ("webhook.v3.data.service", EntityKind.SERVICE, "testing service updates"),
    ):
        assert (FactKind.ENTITY, entity_id(kind, subject), "") in facts(sample(shared, name))


def test_what_comes_without_its_incident_states_nothing(shared: Path) -> None:
    names = ("action_invocation", "conference_bridge", "field_values", "note", "role_assignment", "workflow_instance")
    for name in (
        *(f"webhook.v3.data.incident_{one}" for one in names),
        "rest.incident.log_entries",
        "rest.incident.notes",
        "rest.incident.past_incidents",
    ):
        assert sample(shared, name) == [], name


def test_alert_events_go_through_their_own_reader(shared: Path) -> None:
    (alert,) = sample(shared, "events.v2.trigger")
    assert isinstance(alert, Alert)
    assert (alert.id, alert.name) == ("pagerduty:event:samplekeyhere", "Example alert on host1.example.com")
    for name in ("events.v2.acknowledge.1", "events.v2.resolve.2"):
        assert sample(shared, name) == []


def test_deliveries_are_recognised(shared: Path) -> None:
    for path in sorted((shared / "samples/pagerduty").glob("*.json")):
        found = recognise(orjson.loads(path.read_bytes()), {})
        name = found.name if found else None
        if path.name.startswith(
            ("webhook.v3.incident", "webhook.v3.service", "webhook.v3.signed", "superplane", "events.v2.change")
        ):
            assert name == "pagerduty", path.name
        elif path.name.startswith("events.v2"):
            assert name == "pagerduty_alert_v2", path.name
        else:
            assert name in (None, "pagerduty"), path.name


def test_a_maintenance_window_is_a_change_of_its_services() -> None:
    window = {
        "id": "QMNT1",
        "type": "maintenance_window",
        "start_time": "2026-03-02T20:00:00Z",
        "end_time": "2026-03-02T22:00:00Z",
        "description": "Move the database",
        "services": [{"id": "QSRV1", "type": "service_reference", "summary": "Basket"}],
    }
    (change,) = read("pagerduty", orjson.dumps({"maintenance_windows": [window]}))
    assert change == Change(
        id="pagerduty:maintenance:QMNT1",
        kind=ChangeKind.INFRASTRUCTURE,
        at=datetime(2026, 3, 2, 20, tzinfo=UTC),
        ended_at=datetime(2026, 3, 2, 22, tzinfo=UTC),
        title="Move the database",
        services=("service:basket",),
        status="maintenance",
    )


def test_what_only_stands_there_is_as_new_as_its_reading() -> None:
    pieces = {piece.part: piece.occurred_at for piece in connector("pagerduty").split(RAW, {})}
    assert pieces["service:QSRV1"] is None
    assert pieces["escalation_policy:QPOL1"] is None
    service = {"id": "QSRV1", "type": "service", "name": "Basket", "created_at": "2015-01-01T00:00:00Z"}
    assert next(iter(connector("pagerduty").split(orjson.dumps({"services": [service]}), {}))).occurred_at is None
