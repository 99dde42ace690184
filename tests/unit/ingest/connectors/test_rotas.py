"""
Schedules of the paging tools as rules: who they put on call at which moment.
"""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from graph.rota import hand_off, on_call, read_rota
from graph.values import Fact, FactKind, Item, Span
from tests.unit.ingest.connectors.reading import read


def rules(items: list[Item]) -> str:
    (found,) = [one.attributes["rota"] for one in items if isinstance(one, Fact) and "rota" in one.attributes]
    return found


def at(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_layers_of_pagerduty_stand_the_first_before_the_others() -> None:
    users = [{"user": {"id": one, "type": "user_reference", "summary": one}} for one in ("Ann", "Bob")]
    layer = {"start": "2026-03-02T09:00:00+01:00", "rotation_virtual_start": "2026-03-02T09:00:00+01:00"}
    nights = {
        "type": "weekly_restriction",
        "start_day_of_week": 5,
        "start_time_of_day": "20:00:00",
        "duration_seconds": 7200,
    }
    body = {
        "type": "schedule", "id": "S1", "name": "Rota", "time_zone": "Europe/Berlin",
        "schedule_layers": [
            layer | {"name": "L2", "rotation_turn_length_seconds": 86400, "users": users[1:], "restrictions": [nights]},
            layer | {"name": "L1", "rotation_turn_length_seconds": 604800, "users": users},
        ],
        "overrides_subschedule": {"rendered_schedule_entries": [
            {"start": "2026-03-10T00:00:00Z", "end": "2026-03-11T00:00:00Z", "user": {"id": "C", "summary": "Cid"}}
        ]},
    }  # fmt: skip
    items = read("pagerduty", orjson.dumps(body))
    rota = read_rota(rules(items))
    assert on_call(rota, at(3, 4)).people == {"person:ann"}
    # a Friday's evening
    assert on_call(rota, at(3, 6, 19, 30)).people == {"person:bob"}
    # a week later it is summer time
    assert hand_off(rota, at(3, 29, 12)) == at(3, 30, 7)
    (over,) = [one for one in items if isinstance(one, Fact) and one.kind is FactKind.ON_CALL_FOR]
    assert (over.subject, over.attributes["stated_as"]) == ("person:cid", "override")
    assert over.valid == Span(at(3, 10), at(3, 11))


def test_rotations_of_opsgenie_are_on_call_side_by_side_in_their_hours() -> None:
    body = {
        "id": "og", "name": "Rota", "timezone": "Europe/Berlin", "rotations": [
            {"name": "all", "startDate": "2026-03-02T08:00:00Z", "type": "daily", "length": 1,
             "participants": [{"type": "user", "username": "ann@a.example"}, {"type": "user", "username": "bob@a.example"}]},
            {"name": "office", "startDate": "2026-03-02T08:00:00Z", "type": "weekly", "length": 1,
             "participants": [{"type": "user", "username": "cid@a.example"}],
             "timeRestriction": {"type": "weekday-and-time-of-day", "restrictions": [
                 {"startDay": "monday", "startHour": 9, "startMin": 0, "endDay": "tuesday", "endHour": 17, "endMin": 30}]}},
        ],
    }  # fmt: skip
    rota = read_rota(rules(read("opsgenie", orjson.dumps({"data": body}))))
    assert on_call(rota, at(3, 2, 12)).people == {"person:ann", "person:cid"}
    assert on_call(rota, at(3, 3, 16, 29)).people == {"person:bob", "person:cid"}
    assert on_call(rota, at(3, 3, 16, 30)).people == {"person:bob"}


def test_an_override_of_opsgenie_names_its_rotation() -> None:
    body = {
        "_parent": {"id": "og", "name": "Rota"}, "alias": "x", "user": {"type": "user", "username": "dan@a.example"},
        "startDate": "2026-03-02T08:00:00Z", "endDate": "2026-03-03T08:00:00Z", "rotations": [{"id": "1", "name": "all"}],
    }  # fmt: skip
    (fact,) = [one for one in read("opsgenie", orjson.dumps({"data": [body]})) if isinstance(one, Fact)]
    assert (fact.subject, fact.object, dict(fact.attributes)) == (
        "person:dan", "team:rota", {"stated_as": "override", "layer": "all"},
    )  # fmt: skip


def test_shifts_of_grafana_keep_the_clock_of_their_schedule() -> None:
    shift = {
        "id": "O1", "name": "days", "type": "rolling_users", "level": 1, "start": "2026-03-02T09:00:00", "duration": 28800,
        "frequency": "weekly", "interval": 1, "week_start": "MO", "by_day": ["MO", "TU"], "time_zone": None,
        "rolling_users": [["ann"], ["bob"]], "start_rotation_from_user_index": 1,
    }  # fmt: skip
    rota = read_rota(rules(read("grafana_oncall", orjson.dumps({"results": [shift]}))), "America/New_York")
    assert on_call(rota, at(3, 2, 14)).people == {"person:bob"}
    assert on_call(rota, at(3, 2, 22)).people == frozenset()
    # New York changed its clock on the eighth
    assert on_call(rota, at(3, 9, 13)).people == {"person:ann"}
    schedule = {
        "id": "S1",
        "name": "Rota",
        "type": "calendar",
        "time_zone": "America/New_York",
        "shifts": ["O1"],
        "on_call_now": [],
    }
    parts = [one for one in read("grafana_oncall", orjson.dumps({"results": [schedule]})) if isinstance(one, Fact)]
    (part,) = [one for one in parts if one.kind is FactKind.PART_OF]
    assert (part.subject, part.object) == ("resource:grafana_oncall/shift/o1", "team:rota")
    assert part.attributes == {"time_zone": "America/New_York"}


def test_a_rule_that_cannot_be_told_makes_the_rota_partial() -> None:
    shift = {
        "id": "O1",
        "type": "recurrent_event",
        "start": "2026-03-02T09:00:00",
        "duration": 60,
        "frequency": "monthly",
        "users": ["a"],
    }
    assert read_rota(rules(read("grafana_oncall", orjson.dumps({"results": [shift]})))).partial
    body = {
        "type": "schedule",
        "id": "S1",
        "name": "Rota",
        "time_zone": "Mars/Base",
        "schedule_layers": [{"name": "L"}],
    }
    assert read_rota(rules(read("pagerduty", orjson.dumps(body)))).partial
