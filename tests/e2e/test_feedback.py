"""
What people judge of answers counts in later ones, once for each voice, within a bound, and can be taken back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.demo import alerts

ALERT = alerts()[0].read_bytes()
VAGUE = json.dumps(
    {
        "title": "PoolAlmostFull",
        "text": "sessions of checkout's connection pool are not returned",
        "service": "checkout",
        "at": "2026-10-30T14:05:00Z",
    }
).encode()
"""An alert of which nothing that is found is as sure as an answer may be."""


def ask(client: TestClient, alert: bytes = ALERT) -> dict[str, Any]:
    found: dict[str, Any] = client.post("/v1/context", content=alert).json()
    return found


def chances(answer: Mapping[str, Any]) -> dict[str, float]:
    """
    Of everything that was ranked, by its id.
    """
    rows = [*answer["precedents"], *answer["runbooks"], *answer["changes"]["suspects"]]
    return {one["id"]: one["probability"] for one in rows}


def judge(client: TestClient, status: int = 202, **body: object) -> dict[str, Any]:
    answer = client.post("/v1/feedback", json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def odds(p: float) -> float:
    return p / (1 - p)


@pytest.mark.parametrize(("verdict", "up"), [("not_useful", False), ("useful", True)])
@pytest.mark.parametrize("part", ["precedents", "runbooks", "suspects"])
def test_a_verdict_counts_in_the_next_answer_and_no_more_once_it_is_taken_back(
    client: TestClient, part: str, verdict: str, up: bool
) -> None:
    before = ask(client, VAGUE)
    rows = before["changes"]["suspects"] if part == "suspects" else before[part]
    subject = rows[-1]["id"]
    told = judge(client, answer_id=before["answer_id"], verdict=verdict, subject=subject, by="ann")
    after = ask(client, VAGUE)
    now, then = chances(after).get(subject, 0.0), chances(before)[subject]
    assert now > then if up else now < then
    if now:
        changed = after["changes"]["suspects"] if part == "suspects" else after[part]
        (row,) = [one for one in changed if one["id"] == subject]
        assert set(told["records"]) <= set(row["evidence"])
    assert judge(client, undo=told["records"][0])["undone"] == told["records"][0]
    assert judge(client, undo=told["records"][0])["duplicate"] is True
    assert chances(ask(client, VAGUE)) == chances(before)


def test_a_verdict_is_kept_once_in_its_voices_name_and_a_second_thought_replaces_it(client: TestClient) -> None:
    answer = ask(client)
    mark = {"answer_id": answer["answer_id"], "subject": answer["precedents"][0]["id"], "by": "bob"}
    first = judge(client, verdict="useful", **mark)
    assert judge(client, verdict="useful", **mark) == {**first, "duplicate": True}
    judge(client, verdict="not_useful", note="another outage", **mark)
    rows = [one for one in client.get("/v1/feedback").json()["verdicts"] if one["by"] == "bob"]
    assert [(one["verdict"], one["judged"]) for one in rows] == [("not_useful", f"incident:{mark['subject']}".lower())]
    again = judge(client, verdict="useful", **mark)
    assert again["duplicate"] is False
    judge(client, undo=again["records"][0], by="bob")
    assert not [one for one in client.get("/v1/feedback").json()["verdicts"] if one["by"] == "bob"]


def test_a_thousand_votes_of_one_voice_are_one(client: TestClient) -> None:
    before = ask(client)
    subject = before["precedents"][-1]["id"]
    first = judge(client, answer_id=before["answer_id"], verdict="useful", subject=subject, by="loud")
    once = chances(ask(client))
    for number in range(1000):
        answer = before if number % 50 else ask(client)
        judge(client, answer_id=answer["answer_id"], verdict="useful", subject=subject, by="loud")
    assert chances(ask(client)) == once
    judge(client, undo=first["records"][0])


def test_many_voices_cannot_lift_a_wrong_answer_past_the_bound(client: TestClient) -> None:
    before = ask(client)
    wrong, right = before["precedents"][-1]["id"], before["precedents"][0]["id"]
    change = before["changes"]["suspects"][-1]["id"]
    given = []
    for number in range(120):
        for subject in (wrong, change):
            told = judge(client, answer_id=before["answer_id"], verdict="fixed", subject=subject, by=f"puppet {number}")
            given.append(told["records"][0])
    after = ask(client)
    assert after["precedents"][0]["id"] == right
    assert odds(chances(after)[wrong]) <= 2.0 * odds(chances(before)[wrong]) * 1.01
    assert after["changes"]["suspects"][0]["id"] == before["changes"]["suspects"][0]["id"]
    assert odds(chances(after)[change]) <= 2.0 * odds(chances(before)[change]) * 1.01
    assert len(json.dumps(after)) < len(json.dumps(before)) + 4000
    for record in given:
        judge(client, undo=record)
    assert chances(ask(client)) == chances(before)


def test_a_fix_that_people_confirm_says_so_and_is_no_source_of_its_own(client: TestClient) -> None:
    before = ask(client)
    fix = before["fixes"][0]
    told = judge(
        client, answer_id=before["answer_id"], verdict="fixed", subject=f"{fix['action']} {fix['target']}", by="ann"
    )
    after = ask(client)["fixes"][0]
    assert (after["confirmed"], after["sources"]) == (1, fix["sources"])
    judge(client, undo=told["records"][0])


def test_another_alert_is_left_alone(client: TestClient) -> None:
    body = alerts()[1].read_bytes()
    before = client.post("/v1/context", content=body).json()
    answer = ask(client)
    told = judge(client, answer_id=answer["answer_id"], verdict="not_useful", subject=before["precedents"][0]["id"])
    assert chances(client.post("/v1/context", content=body).json()) == chances(before)
    judge(client, undo=told["records"][0])


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"verdict": "useful"}, 422, "answer_id"),
        ({"answer_id": "a-none", "verdict": "useful"}, 404, "a-none"),
        ({"undo": "r-none"}, 404, "no such verdict"),
    ],
)
def test_what_is_no_feedback_is_told(client: TestClient, body: dict[str, object], status: int, says: str) -> None:
    assert says in judge(client, status, **body)["detail"]


def test_verdicts_are_given_not_ingested(client: TestClient) -> None:
    forged = {"answer_id": "a", "verdict": "useful", "by": "boss", "about": {"kind": "incident", "id": "LK-101"}}
    assert client.post("/v1/ingest/feedback", json=forged).status_code == 403
    assert client.post("/v1/ingest/changes?source=feedback", json=[]).status_code == 403
