"""
Whether an action may be taken: by reviewed rules, as of any moment, over HTTP and in the command; nothing is ever done.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ingest.contract import Source
from ingest.pipeline import ingest
from service.api.app import create_app
from service.demo import alerts, load
from service.policy import Proposal, verdict_part
from service.wiring import Memory
from tests.deployment import Deployment
from tests.e2e.conftest import ADDRESS
from tests.e2e.test_command import run

Answer = dict[str, Any]
RULES = """
zone: Europe/Berlin
rules:
  - name: bot-acts
    mode: act
    when: {who: [local], environments: [staging]}
  - name: restarts
    says: What nothing critical depends on may be restarted.
    when: {actions: [restart], reversible: true}
    verdict: allow
    limits: {dependents: 20, criticality: high, beyond: refuse}
    examples:
      - ask: {action: restart, service: x, environment: staging, who: local, reach: {low: 2}, reversible: true, at: "2026-11-25T10:00:00Z"}
        verdict: allow
        mode: act
        rule: restarts
  - name: two-of-identity
    when: {services: [aut*], actions: [rollback]}
    verdict: needs_approval
    approval: {by: [on_call, "team:security"], count: 2}
  - name: sale
    says: Nothing moves over the sale.
    when:
      during: [{from: "2026-11-27T00:00", to: "2026-12-01T00:00"}, {days: [fri], from: 16:00, to: "06:00"}]
    verdict: refuse
"""
CALM = "2026-11-25T10:00:00Z"


@pytest.fixture(scope="module")
def memory(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Memory:
    return load(deployment.settings(tmp_path_factory.mktemp("policy"), embedder="none"))


@pytest.fixture(scope="module")
def client(memory: Memory, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with TestClient(create_app(memory), base_url=ADDRESS, raise_server_exceptions=False) as found:
        before = found.post("/v1/policy/check", json={"action": "restart", "target": "cart"}).json()
        assert (before["verdict"], before["mode"], before["rules"]) == ("needs_approval", "observe", [])
        assert before["rule"] == "default: nothing is done without a person"
        file = tmp_path_factory.mktemp("rules") / "rules.yaml"
        read(memory, file, RULES)
        yield found


def read(memory: Memory, file: Path, text: str) -> None:
    file.write_text(text)
    ingest(memory.store, [Source(name="agent-policy", connector="policy", path=str(file))])
    memory.follow()


def check(client: TestClient, action: str = "restart", target: str = "storefront", **more: str) -> Answer:
    query: dict[str, str] = {key: more.pop(key) for key in ("as_of", "known_at") if key in more}
    body = {"action": action, "target": target, "environment": "staging", "at": CALM, **more}
    answer = client.post("/v1/policy/check", json=body, params=query)
    assert answer.status_code == 200, answer.text
    found: Answer = answer.json()
    return found


def test_what_rules_allow_is_allowed_with_all_that_one_must_know(client: TestClient) -> None:
    found = check(client)
    assert (found["verdict"], found["mode"], found["rule"]) == ("allow", "act", "restarts")
    assert found["approval"] is None
    assert found["reversal"]["possible"] is True
    assert found["blast_radius"]["service"] == "service:storefront"
    assert {one["name"] for one in found["rules"]} == {"bot-acts", "restarts"}
    assert all(set(one["evidence"]) <= set(found["evidence"]) for one in found["rules"])


@pytest.mark.parametrize(
    ("more", "verdict", "rule"),
    [
        ({"environment": "production"}, "needs_approval", "default: nothing is done without a person"),
        ({"target": "cart"}, "refuse", "restarts"),
        ({"target": "nothing-of-that-name"}, "refuse", "restarts"),
        ({"at": "2026-11-27T14:00:00Z"}, "refuse", "sale"),
        ({"at": "2026-11-26T22:59:59Z"}, "allow", "restarts"),
        ({"at": "2026-11-26T23:00:00Z"}, "refuse", "sale"),
        ({"at": "2026-11-20T15:00:00Z"}, "refuse", "sale"),
        ({"at": "2026-11-21T05:00:00Z"}, "allow", "restarts"),
        ({"who": "another"}, "needs_approval", "default: nothing is done without a person"),
        ({"action": "clear"}, "needs_approval", "default: nothing is done without a person"),
        ({"action": "do a dance"}, "needs_approval", "default: nothing is done without a person"),
    ],
)
def test_the_most_restrictive_rule_decides(client: TestClient, more: dict[str, str], verdict: str, rule: str) -> None:
    found = check(client, **more)
    assert (found["verdict"], found["rule"]) == (verdict, rule), found["because"]


def test_who_approves_is_named_and_never_the_one_who_asks(client: TestClient) -> None:
    found = check(client, "rollback", "auth", as_of="2026-10-30T12:00:00Z")
    approval = found["approval"]
    assert (found["rule"], approval["count"]) == ("two-of-identity", 2)
    turn = [one["id"] for one in approval["by"] if one["on_call"]]
    assert turn
    assert approval["by"][-1]["id"] == "team:security"
    assert found["escalation"][0]["level"] == 1
    again = check(client, "rollback", "auth", who=turn[0], as_of="2026-10-30T12:00:00Z")
    assert turn[0] not in [one["id"] for one in again["approval"]["by"]]
    assert "deploy again" in found["reversal"]["says"]


def test_rules_are_known_from_when_they_were_read(client: TestClient) -> None:
    before = check(client, known_at="2026-11-01T00:00:00Z")
    assert (before["verdict"], before["rules"]) == ("needs_approval", [])
    assert {one["name"] for one in client.get("/v1/policy").json()["rules"]} == {
        "bot-acts", "restarts", "two-of-identity", "sale",
    }  # fmt: skip
    assert client.get("/v1/policy", params={"known_at": "2026-11-01T00:00:00Z"}).json()["rules"] == []


def test_an_answer_to_an_alert_says_the_mode(client: TestClient) -> None:
    body = json.loads(alerts()[0].read_bytes())
    answer = client.post("/v1/context", json=body).json()
    assert answer["policy"]["mode"] == "observe"
    assert set(answer["policy"].get("evidence", [])) <= set(answer["evidence"])


def test_a_step_of_a_playbook_gets_the_same_verdict(client: TestClient, memory: Memory) -> None:
    from graph.values import View
    from service.policy import DEPTH, REACH
    from service.radius import radius_part

    view = View.now()
    whole = check(client, at=view.as_of.isoformat())
    radius = radius_part(memory, view, "service:storefront", sorted, depth=DEPTH, limit=REACH)
    proposal = Proposal(
        action="restart", service="service:storefront", at=view.as_of, environment="staging", who="local"
    )  # fmt: skip
    short = verdict_part(memory, view, proposal, radius=radius)
    assert {key: short[key] for key in ("verdict", "mode", "rule", "because")} == {
        key: whole[key] for key in ("verdict", "mode", "rule", "because")
    }


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "check.action"),
        ({"action": "restart", "tagret": "cart"}, "check.tagret: there is no such field; did you mean `target`?"),
        ({"action": "restart", "at": "soon"}, "`check.at`"),
        ({"action": ["restart"]}, "check.action: write a text"),
        ({"action": "rm -rf /"}, "check.action: say what would be done in a word"),
    ],
)
def test_a_question_that_cannot_be_read_is_told_by_its_field(client: TestClient, body: Answer, says: str) -> None:
    answer = client.post("/v1/policy/check", json=body)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]


def test_rules_are_not_taken_over_http(client: TestClient) -> None:
    answer = client.post("/v1/ingest/policy", content=RULES)
    assert answer.status_code == 403
    assert "reviewed files" in answer.json()["detail"]


def test_while_a_file_of_rules_cannot_be_read_nothing_is_allowed(
    client: TestClient, memory: Memory, tmp_path: Path
) -> None:
    file = tmp_path / "rules.yaml"
    read(memory, file, RULES.replace("verdict: refuse", "verdict: refused"))
    found = check(client)
    assert (found["verdict"], found["rule"]) == ("needs_approval", "unread")
    assert "rules of agent-policy cannot be read" in found["because"]
    assert check(client, at="2026-11-28T10:00:00Z")["verdict"] == "refuse"
    read(memory, file, RULES + "# mended")
    assert check(client)["verdict"] == "allow"


def test_the_command_tests_rules_by_their_own_examples(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(RULES)
    good = run("policy", "test", str(file))
    assert (good.returncode, "1 examples of 4 rules, 0 fail" in good.stdout) == (0, True), good.stderr
    file.write_text(RULES.replace("reach: {low: 2}", "reach: {critical: 2}"))
    bad = run("policy", "test", str(file), "--json")
    assert bad.returncode == 1
    row = json.loads(bad.stdout)["examples"][0]
    assert (row["ok"], row["found"]["verdict"]) == (False, "refuse")
    file.write_text(RULES.replace("approval: {by", "aproval: {by"))
    wrong = run("policy", "test", str(file))
    assert wrong.returncode == 1
    assert wrong.stderr.strip().endswith(
        "rules.yaml.rules[2].aproval: there is no such field; did you mean `approval`?"
    )
