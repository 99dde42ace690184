"""
Who owns a service and who answers now, on generated organisations with faults put in, and in single cases.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson

from graph.contract import Event
from graph.replica import Replica
from graph.resolved import identity
from graph.values import Change, ChangeKind, Fact, FactKind, Record, Span, Statement, Trust, View
from ingest.connectors import connector
from service.activity import Activity
from service.owners import Owner, owner

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
NOW = datetime(2026, 6, 3, 12, tzinfo=UTC)
Told = tuple[Fact, str, Trust, Span]


def replica(told: list[Told]) -> Replica:
    found = Replica()
    for seq, (fact, source, trust, known) in enumerate(told, 1):
        said = Statement(seq=seq, item=fact, record=f"r{seq}", source=source, trust=trust, known=known)
        found.take([Event(seq=seq, op="opened", statement_seq=seq, statement=said)])
    return found


def asked(facts: Replica, service: str, at: datetime = NOW) -> Owner:
    view = View(as_of=at, known_at=NOW)
    return owner(facts, Activity(), view, f"service:{service}", identity(facts, view))


def stated(kind: FactKind, subject: str, object_: str = "", source: str = "catalog", **attributes: str) -> Told:
    fact = Fact(kind=kind, subject=subject, object=object_, attributes=attributes)
    return fact, source, Trust.DECLARED, Span(START)


def schedule(name: str, people: list[str], *, end: str | None = None) -> Iterator[Told]:
    layer = {
        "name": "Layer 1", "start": START.isoformat(), "end": end, "rotation_virtual_start": START.isoformat(),
        "rotation_turn_length_seconds": 604800,
        "users": [{"user": {"id": f"U-{one}", "type": "user_reference", "summary": one}} for one in people],
    }  # fmt: skip
    body = {
        "schedules": [
            {
                "id": f"S-{name}",
                "type": "schedule",
                "name": name,
                "time_zone": "Europe/Berlin",
                "schedule_layers": [layer],
            }
        ]
    }
    reader = connector("pagerduty")
    for piece in reader.split(orjson.dumps(body), {}):
        record = Record(
            id="r",
            source="paging",
            connector="pagerduty",
            part=piece.part,
            body=piece.body,
            digest="",
            received_at=START,
        )
        for item in reader.transform(record):
            assert isinstance(item, Fact)
            yield item, "paging", Trust.DECLARED, Span(START)


def organisation(dice: random.Random, services: int) -> tuple[list[Told], dict[str, set[str]], dict[str, str]]:
    """
    Services with a team, a ladder and a rota each, and the faults that were put in, with the team that really answers.
    """
    told: list[Told] = []
    truth: dict[str, set[str]] = {}
    teams: dict[str, str] = {}
    for number in range(services):
        name, team = f"s{number}", f"t{number}"
        people = [f"{team}-{one}" for one in ("ann", "bob", "cid")]
        faults: set[str] = set()
        told.append(stated(FactKind.OWNED_BY, f"service:{name}", f"team:{team}"))
        label = f"t{(number + 1) % services}" if dice.random() < 0.2 else team
        fact = Fact(kind=FactKind.OWNED_BY, subject=f"service:{name}", object=f"team:{label}")
        told.append((fact, "labels", Trust.OBSERVED, Span(START)))
        if label != team:
            faults.add("conflict")
        told.append(stated(FactKind.ESCALATES_TO, f"service:{name}", f"team:{name}-policy", "paging", level="0"))
        told.append(stated(FactKind.ESCALATES_TO, f"team:{name}-policy", f"team:{name}-rota", "paging", level="1"))
        empty = dice.random() < 0.2
        told += schedule(f"{name}-rota", people, end="2026-05-01T00:00:00Z" if empty else None)
        if empty:
            faults.add("empty_rota")
        gone = dice.choice(people) if not empty and dice.random() < 0.3 else ""
        for one in people:
            known, more = Span(START), {}
            if one == gone:
                faults.add("departed")
                if dice.random() < 0.5:
                    known = Span(START, NOW - timedelta(days=3))
                else:
                    more = {"active": "false"}
            fact = Fact(kind=FactKind.ENTITY, subject=f"person:{one}", attributes=more)
            told.append((fact, "directory", Trust.DECLARED, known))
            member = Fact(kind=FactKind.MEMBER_OF, subject=f"person:{one}", object=f"team:{team}")
            told.append((member, "directory", Trust.DECLARED, known))
        truth[name], teams[name] = faults, team
    return told, truth, teams


def test_faults_that_were_put_in_are_flagged_and_the_others_are_not() -> None:
    told, truth, teams = organisation(random.Random(7), 300)
    facts = replica(told)
    hits = flagged = put_in = right = 0
    sure = 0.0
    for name, faults in truth.items():
        found = asked(facts, name)
        kinds = {one.kind for one in found.faults}
        # where everybody whose turn it is left, the rota is empty too
        kinds -= {"empty_rota"} if "departed" in faults and "empty_rota" not in faults else set()
        hits, flagged, put_in = hits + len(kinds & faults), flagged + len(kinds), put_in + len(faults)
        right += found.team == f"team:{teams[name]}"
        sure += found.confidence
        assert found.answering.people
        assert not any(one.departed for one in found.answering.people)
    recall, precision = hits / put_in, hits / flagged
    print(
        f"recall {recall:.3f}, precision {precision:.3f}, of {put_in}; owners {right}/300, confidence {sure / 300:.3f}"
    )
    assert recall >= 0.95
    assert precision >= 0.9
    assert right == 300


def test_an_empty_rota_falls_back_to_the_members() -> None:
    told = [*schedule("rota", ["ann"], end="2026-05-01T00:00:00Z")]
    told += [
        stated(FactKind.OWNED_BY, "service:x", "team:t"), stated(FactKind.ESCALATES_TO, "team:t", "team:rota", level="1"),
        stated(FactKind.MEMBER_OF, "person:bob", "team:t"), stated(FactKind.MEMBER_OF, "person:lea", "team:t", role="lead"),
    ]  # fmt: skip
    found = asked(replica(told), "x").answering
    assert ([one.person for one in found.people], found.via) == (["person:lea"], "lead")
    assert [(one.kind, one.subject) for one in found.faults] == [("empty_rota", "team:rota")]
    then = asked(replica(told), "x", datetime(2026, 4, 1, tzinfo=UTC)).answering
    assert ([one.person for one in then.people], then.via) == (["person:ann"], "rota")


def test_the_team_above_answers_for_a_team_without_anybody() -> None:
    told = [
        stated(FactKind.OWNED_BY, "service:x", "team:t"), stated(FactKind.PART_OF, "team:t", "team:above"),
        stated(FactKind.MEMBER_OF, "person:zoe", "team:above"),
    ]  # fmt: skip
    found = asked(replica(told), "x").answering
    assert ([one.person for one in found.people], found.via) == (["person:zoe"], "parent team")


def test_an_override_answers_with_its_end_as_the_next_hand_off() -> None:
    span = Span(NOW - timedelta(hours=1), NOW + timedelta(hours=2))
    over = Fact(
        kind=FactKind.ON_CALL_FOR, subject="person:gus", object="team:rota", valid=span,
        attributes={"stated_as": "override"},
    )  # fmt: skip
    told = [*schedule("rota", ["ann", "bob"]), (over, "paging", Trust.DECLARED, Span(START))]
    told += [
        stated(FactKind.OWNED_BY, "service:x", "team:t"),
        stated(FactKind.ESCALATES_TO, "team:t", "team:rota", level="1"),
    ]
    found = asked(replica(told), "x").answering
    assert [(one.person, one.by) for one in found.people] == [("person:gus", "override")]
    assert found.next_hand_off == span.end


def test_owners_of_the_code_are_a_claim_and_agreement_makes_sure() -> None:
    built = stated(FactKind.BUILT_FROM, "service:x", "repository:acme/x")
    code = stated(FactKind.OWNED_BY, "repository:acme/x", "team:pay-team", "codeowners", pattern="*", line="1")
    alone = asked(replica([built, code]), "x")
    assert (alone.team, alone.conflicts) == ("team:pay-team", ())
    both = asked(replica([built, code, stated(FactKind.OWNED_BY, "service:x", "team:pay")]), "x")
    assert (both.team, both.conflicts) == ("team:pay", ())
    assert both.confidence > 0.9 > alone.confidence
    against = asked(replica([built, code, stated(FactKind.OWNED_BY, "service:x", "team:web")]), "x")
    assert (against.team, against.conflicts) == ("team:web", ("team:pay-team",))
    assert against.confidence < alone.confidence


def test_commits_that_a_reader_may_not_see_push_out_none_that_he_may_and_tell_nothing_of_who_left() -> None:
    activity, legal = Activity(), frozenset({"legal"})
    repository = "repository:shop"

    def committed(seq: int, actor: str, at: datetime, labels: frozenset[str]) -> Event:
        change = Change(id=f"c{seq}", kind=ChangeKind.CODE, at=at, actor=actor, repository=repository)
        said = Statement(
            seq=seq, item=change, record=f"r{seq}", source="git", trust=Trust.OBSERVED, known=Span(at), visibility=labels
        )  # fmt: skip
        return Event(seq=seq, op="opened", statement_seq=seq, statement=said)

    activity.take([committed(1, "ada", NOW - timedelta(days=9), frozenset())])
    activity.take([committed(seq, "nemo", NOW - timedelta(hours=1), legal) for seq in range(2, 200)])
    activity.take([committed(200, "ada", NOW - timedelta(hours=2), legal)])
    reader, lawyer = View(as_of=NOW, known_at=NOW), View(as_of=NOW, known_at=NOW, visibility=legal)
    assert [(who, len(found)) for who, found in activity.committers(reader, [repository]).items()] == [
        ("person:ada", 1)
    ]
    assert set(activity.committers(lawyer, [repository])) == {"person:ada", "person:nemo"}
    assert activity.last("person:ada", frozenset()) == NOW - timedelta(days=9)
    assert activity.last("person:ada", legal) == NOW - timedelta(hours=2)
    assert activity.last("person:nemo", frozenset()) is None
