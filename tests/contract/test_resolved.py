"""
Resolved answers over any store: one owner with every disagreement, entities under one name, neighbours with paths.
"""

from __future__ import annotations

from graph.contract import Store
from graph.resolved import entities, entity, neighbours, ownership
from graph.values import EntityKind, Fact, FactKind, Trust
from tests.contract.making import fact, owned, record, state, view

NOW = view(50)


def _needs(one: str, other: str) -> Fact:
    return fact(FactKind.DEPENDS_ON, f"service:{one}", f"service:{other}")


def test_the_most_trusted_source_names_the_owner_and_the_others_stay(store: Store) -> None:
    state(store, record("r", 1), owned("x", "declared"))
    state(store, record("s", 9, source="logs"), owned("x", "observed"), trust=Trust.OBSERVED)
    answer = ownership(store, NOW, "service:x")
    assert (answer.team, answer.trust) == ("team:declared", Trust.DECLARED)
    assert answer.conflicts == ("team:observed",)
    assert [one.record for one in answer.statements] == ["r", "s"]


def test_of_equal_trust_the_later_knowledge_names_the_owner(store: Store) -> None:
    state(store, record("r", 1), owned("x", "old"))
    state(store, record("s", 2, source="paging"), owned("x", "new"))
    assert ownership(store, NOW, "service:x").team == "team:new"
    assert ownership(store, view(1), "service:x").team == "team:old"


def test_nobody_owns_what_no_source_names(store: Store) -> None:
    answer = ownership(store, NOW, "service:x")
    assert (answer.service, answer.team, answer.statements) == ("service:x", None, ())


def test_a_renamed_service_keeps_its_owner_from_the_rename_on(store: Store) -> None:
    state(store, record("r", 1), owned("old", "a"), fact(FactKind.RENAMED_TO, "service:old", "service:new", start=5))
    assert ownership(store, NOW, "service:new").team == "team:a"
    assert ownership(store, NOW, "service:old").service == "service:new"
    assert ownership(store, view(3), "service:new").team is None


def test_one_team_under_two_names_is_no_conflict(store: Store) -> None:
    same = fact(FactKind.SAME_AS, "team:pay", "team:payments")
    state(store, record("r", 1), owned("x", "pay"), owned("x", "payments"), same)
    answer = ownership(store, NOW, "service:x")
    assert (answer.team, answer.conflicts) == ("team:payments", ())


def test_who_is_on_call_and_whom_it_escalates_to_come_with_the_owner(store: Store) -> None:
    state(
        store,
        record("r", 1),
        owned("x", "a"),
        fact(FactKind.ON_CALL_FOR, "person:mia", "team:a", start=40, end=60),
        fact(FactKind.ON_CALL_FOR, "person:leo", "team:a", start=60),
        fact(FactKind.ESCALATES_TO, "team:a", "person:boss", level="2"),
        fact(FactKind.ESCALATES_TO, "team:a", "person:lead", level="1"),
        fact(FactKind.ESCALATES_TO, "person:boss", "team:a"),
    )
    answer = ownership(store, NOW, "service:x")
    assert [one.item.subject for one in answer.on_call] == ["person:mia"]
    assert [one.item.object for one in answer.escalation] == ["person:lead", "person:boss"]


def test_who_is_on_call_for_the_ladder_of_a_service_answers_where_nobody_is_for_its_team(store: Store) -> None:
    state(
        store,
        record("r", 1),
        owned("x", "a"),
        fact(FactKind.ESCALATES_TO, "service:x", "team:ladder", level="0"),
        fact(FactKind.ESCALATES_TO, "team:ladder", "team:rota", level="1"),
        fact(FactKind.ON_CALL_FOR, "person:mia", "team:ladder", level="1"),
        fact(FactKind.ON_CALL_FOR, "person:boss", "team:ladder", level="2"),
        fact(FactKind.ON_CALL_FOR, "person:leo", "team:rota"),
    )
    answer = ownership(store, NOW, "service:x")
    assert [one.item.subject for one in answer.on_call] == ["person:mia"]
    assert [one.item.object for one in answer.escalation] == ["team:ladder", "team:rota"]


def test_entities_come_under_one_name_with_the_most_trusted_attributes(store: Store) -> None:
    state(
        store,
        record("r", 1),
        fact(FactKind.ENTITY, "service:x", title="X", tier="1"),
        fact(FactKind.ENTITY, "team:a", title="A"),
        fact(FactKind.SAME_AS, "service:x-prod", "service:x"),
    )
    state(
        store,
        record("s", 2, source="logs"),
        fact(FactKind.ENTITY, "service:x-prod", title="x?", host="h"),
        trust=Trust.OBSERVED,
    )
    (only,) = entities(store, NOW, EntityKind.SERVICE)
    assert only.id == "service:x"
    assert only.members == {"service:x", "service:x-prod"}
    assert only.attributes == {"title": "X", "tier": "1", "host": "h"}
    assert entity(store, NOW, "service:x-prod") == only
    assert entity(store, NOW, "service:none") is None


def test_neighbours_are_found_both_ways_with_their_path(store: Store) -> None:
    state(store, record("r"), _needs("web", "api"), _needs("api", "db"), _needs("job", "db"), _needs("db", "web"))
    found = neighbours(store, NOW, ["service:api"], depth=2)
    assert [(one.entity, one.distance) for one in found] == [
        ("service:db", 1),
        ("service:web", 1),
        ("service:job", 2),
    ]
    assert [(step.entity, step.outgoing) for step in found[2].path] == [("service:db", True), ("service:job", False)]
    assert found[2].start == "service:api"
    assert store.statements([found[2].path[0].statement])[0].item == _needs("api", "db")
    assert neighbours(store, NOW, ["service:api"], depth=2, limit=1) == found[:1]
    assert neighbours(store, NOW, ["service:api"], depth=0) == ()


def test_neighbours_cross_merged_names_and_only_asked_kinds(store: Store) -> None:
    runs = fact(FactKind.RUNS_IN, "service:api", "environment:prod")
    merged = fact(FactKind.SAME_AS, "service:api-v2", "service:api")
    state(store, record("r"), _needs("web", "api-v2"), _needs("api", "db"), merged, runs)
    assert [one.entity for one in neighbours(store, NOW, ["service:web"])] == ["service:api", "service:db"]
    found = neighbours(store, NOW, ["service:api-v2"], kinds=[FactKind.RUNS_IN])
    assert [one.entity for one in found] == ["environment:prod"]
