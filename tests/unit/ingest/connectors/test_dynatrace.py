"""
Dynatrace's problems.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.values import Alert
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.alerting import alerts, bare, brief, data, latest, recognised, sample, when


def test_a_problem_is_one_alert_until_it_is_resolved() -> None:
    firing, resolved = alerts("dynatrace", *data("dynatrace"))
    assert bare(firing) == Alert(
        id="dynatrace:problem:-77_1775400000000V2",
        name="Failure rate increase",
        at=when("2026-04-05T14:40"),
        vendor="dynatrace",
        url="https://dt.example/#problems/P-2604",
    )
    assert firing.labels == {
        "environment": "prod", "team": "money", "tags": "edge", "service": "pricing", "severity": "ERROR", "impact": "SERVICE",
    }  # fmt: skip
    assert firing.annotations["problem"] == "P-2604"
    assert brief(resolved) == (firing.name, "resolved", firing.at, when("2026-04-05T14:50"))
    for order in (data("dynatrace"), data("dynatrace")[::-1]):
        assert [(one.id, one.status) for one in latest("dynatrace", order)] == [(firing.id, "resolved")]
    assert {recognised(body) for body in data("dynatrace")} == {"dynatrace"}


PROBLEM = {
    "problemId": "p1", "displayId": "P-1", "title": "Slow", "impactLevel": "SERVICES", "severityLevel": "PERFORMANCE", "status": "OPEN",
    "startTime": 1775400000000, "endTime": -1, "rootCauseEntity": {"entityId": {"id": "S-2", "type": "SERVICE"}, "name": "stock"},
    "impactedEntities": [{"entityId": {"id": "S-1", "type": "SERVICE"}, "name": "basket"}], "affectedEntities": [],
    "entityTags": [{"context": "CONTEXTLESS", "key": "team", "value": "depot", "stringRepresentation": "team:depot"}], "managementZones": [],
}  # fmt: skip


def test_a_list_of_the_api_names_the_root_cause() -> None:
    body = {"totalCount": 2, "problems": [PROBLEM, {**PROBLEM, "problemId": "p2", "rootCauseEntity": None}]}
    first, second = alerts("dynatrace", body)
    assert (first.labels["service"], first.labels["team"]) == ("stock", "depot")
    assert second.labels["service"] == "basket"
    assert recognised(body) == "dynatrace"


def test_several_services_without_a_root_cause_name_none() -> None:
    entities = [{"entityId": {"type": "SERVICE"}, "name": name} for name in ("a", "b")]
    (one,) = alerts("dynatrace", {**PROBLEM, "rootCauseEntity": None, "impactedEntities": entities})
    assert "service" not in one.labels


def test_a_merged_problem_has_ended() -> None:
    (one,) = alerts("dynatrace", {**data("dynatrace")[1], "State": "MERGED"})
    assert brief(one)[1:] == ("resolved", when("2026-04-05T14:40"), when("2026-04-05T14:50"))


@pytest.mark.parametrize(
    "words",
    [{"PID": "TESTID"}, {"ProblemID": "999"}, {"PID": "{PID}", "ProblemID": "{ProblemID}"}, {"ProblemTitle": "Dynatrace problem notification test run"}],
)  # fmt: skip
def test_a_test_states_nothing(words: dict[str, str]) -> None:
    assert alerts("dynatrace", {**data("dynatrace")[0], **words}) == []


def test_what_is_no_problem_says_so() -> None:
    with pytest.raises(BadRecord, match="no problem of Dynatrace"):
        alerts("dynatrace", {"State": "OPEN"})


def test_real_problems(shared: Path) -> None:
    (closed,) = sample(shared, "dynatrace", "problem.closed.cloudevent.json")
    assert brief(closed) == (
        "Browser monitor global outage", "resolved", when("2022-01-03T15:24:51.837"), when("2022-01-03T15:29:26.597"),
    )  # fmt: skip
    assert (closed.labels["service"], closed.labels["environment"]) == ("carts", "production")
    assert sample(shared, "dynatrace", "problem.open.cloudevent.json") == []
    (listed,) = sample(shared, "dynatrace", "problemsv2.get.json")
    assert brief(listed) == ("Mobile app slow user actions", "firing", when("2021-11-30T11:22"), None)
    assert listed.labels["management_zone"] == "Easytravel,allTypes"
