"""
ServiceNow's tables, with bare values, display values and both.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind, Fact, FactKind, FixAction, Incident, SectionKind
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, RECEIVED, facts, read

RAW = (DATA / "servicenow.json").read_bytes()


def test_a_change_under_way_is_a_change_and_a_plan_is_not() -> None:
    (change,) = [item for item in read("servicenow", RAW) if isinstance(item, Change)]
    assert change == Change(
        id="servicenow:change:11111111111111111111111111111111",
        kind=ChangeKind.DEPLOY,
        at=datetime(2026, 3, 2, 14, tzinfo=UTC),
        title="CHG0040007: Roll out basket 7",
        services=("service:basket",),
        actor="Lena Orr",
        status="implement",
        attributes={"number": "CHG0040007", "type": "Normal", "risk": "Moderate", "category": "Software"},
    )


def test_an_incident_keeps_its_times_its_texts_and_its_cause() -> None:
    (incident,) = [item for item in read("servicenow", RAW) if isinstance(item, Incident)]
    assert (incident.at, incident.resolved_at) == (
        datetime(2026, 3, 2, 14, 10, tzinfo=UTC),
        datetime(2026, 3, 2, 14, 40, tzinfo=UTC),
    )
    assert (incident.severity, incident.services) == ("1 - Critical", ("service:basket",))
    assert incident.sections == {
        SectionKind.SUMMARY: "Customers cannot pay.",
        SectionKind.RESOLUTION: "Rolled back basket to version 6.",
    }
    assert incident.caused_by == ("servicenow:change:11111111111111111111111111111111",)
    assert [(fix.action, fix.worked) for fix in incident.fixes] == [(FixAction.ROLLBACK, True)]


def test_the_cmdb_says_who_owns_what_and_whose_an_id_is() -> None:
    found = facts(read("servicenow", RAW))
    assert (FactKind.OWNED_BY, "service:basket", "team:shop sre") in found
    assert (FactKind.SAME_AS, "service:22222222222222222222222222222222", "service:basket") in found
    assert (FactKind.SAME_AS, "team:66666666666666666666666666666666", "team:shop sre") in found
    relation = {
        "parent": {"display_value": "Shop"},
        "child": {"display_value": "Basket"},
        "type": {"display_value": "Depends on::Used by"},
    }
    assert facts(read("servicenow", orjson.dumps(relation))) == {
        (FactKind.DEPENDS_ON, "service:shop", "service:basket")
    }


def test_a_business_rules_webhook_is_the_same_record() -> None:
    record = orjson.loads(RAW)["result"][2]
    del record["sys_class_name"]
    sent = orjson.dumps({"table": "incident", "operation": "update", "record": record})
    (incident,) = read("servicenow", sent)
    assert isinstance(incident, Incident)
    assert incident.id == "servicenow:incident:55555555555555555555555555555555"
    found = recognise(orjson.loads(sent), {})
    assert found is not None
    assert found.name == "servicenow"


def test_of_two_states_in_one_second_the_later_update_counts() -> None:
    record = orjson.loads(RAW)["result"][2]
    one, two = (
        next(iter(connector("servicenow").split(orjson.dumps({**record, "sys_mod_count": count}), {})))
        for count in ("3", "4")
    )
    assert one.part == two.part == "incident:55555555555555555555555555555555"
    assert one.occurred_at is not None
    assert two.occurred_at == one.occurred_at + timedelta(microseconds=1)


def test_what_cannot_be_read_says_why() -> None:
    with pytest.raises(BadRecord, match=r"a table of ServiceNow that is not read \(alm_asset\)"):
        read("servicenow", b'{"sys_class_name": "alm_asset", "sys_id": "1"}')
    with pytest.raises(BadRecord, match="`work_start` of CHG1 is missing"):
        read("servicenow", b'{"sys_class_name": "change_request", "number": "CHG1", "state": "3"}')


def test_real_records(shared: Path) -> None:
    folder = shared / "samples/servicenow"
    (change,) = read("servicenow", (folder / "change_request.json").read_bytes())
    assert isinstance(change, Change)
    assert (change.title, change.status, change.kind) == (
        "CHG0000023: Decommission server",
        "closed",
        ChangeKind.INFRASTRUCTURE,
    )
    assert (change.at, change.ended_at) == (
        datetime(2015, 7, 6, 18, 17, 41, tzinfo=UTC),
        datetime(2015, 7, 6, 18, 18, 34, tzinfo=UTC),
    )
    (incident,) = read("servicenow", (folder / "incident.json").read_bytes())
    assert isinstance(incident, Incident)
    assert (incident.attributes["number"], incident.resolved_at) == (
        "INC0000013",
        datetime(2020, 9, 24, 19, 54, 48, tzinfo=UTC),
    )
    (opened,) = read("servicenow", (folder / "incident.superplane.json").read_bytes())
    assert isinstance(opened, Incident)
    assert (opened.title, opened.at, opened.resolved_at) == (
        "Server is unresponsive",
        datetime(2026, 1, 19, 12, tzinfo=UTC),
        None,
    )
    items = read("servicenow", (folder / "configuration_item.json").read_bytes())
    assert all(isinstance(item, Fact) for item in items)
    assert facts(items) == {
        (FactKind.ENTITY, "resource:thinkstation s20", ""),
        (FactKind.ALIAS, "resource:thinkstation s20", "01a9ec0d3790200044e0bfc8bcbe5dc3"),
        (FactKind.SAME_AS, "resource:01a9ec0d3790200044e0bfc8bcbe5dc3", "resource:thinkstation s20"),
    }


def test_one_may_ask_about_an_incident_and_not_about_a_change() -> None:
    ask = connector("servicenow").alerts
    assert ask is not None
    (alert,) = ask(orjson.loads(RAW), RECEIVED)
    assert (alert.name, alert.status) == ("Basket answers 500", "resolved")
    assert (alert.labels["service"], alert.labels["number"]) == ("basket", "INC0070001")
    assert [*ask({"result": orjson.loads(RAW)["result"][0]}, RECEIVED)] == []
