"""
Which names are proposed to be one, and which are not.
"""

from __future__ import annotations

from graph.contract import Event
from graph.identity import Identity
from graph.replica import Replica
from graph.values import Fact, FactKind, Span, Statement, Trust
from models.proposals import Proposal, proposals
from tests.contract.making import day, fact, view

E = FactKind.ENTITY


def stated(*facts: tuple[str, Fact]) -> Replica:
    found = Replica()
    found.take(
        Event(
            seq=number,
            op="opened",
            statement_seq=number,
            statement=Statement(
                seq=number, item=one, record=f"r-{number}", source=source, trust=Trust.DECLARED, known=Span(day(0))
            ),
        )
        for number, (source, one) in enumerate(facts, 1)
    )
    return found


def proposed(facts: Replica, *joins: Fact) -> tuple[Proposal, ...]:
    decided = [
        Statement(seq=900 + n, item=one, record="d", source="identity", trust=Trust.REVIEWED, known=Span(day(0)))
        for n, one in enumerate(joins)
    ]
    return proposals(facts, view(10), Identity(decided))


def alias(name: str, other: str, seen_in: str) -> Fact:
    return fact(FactKind.ALIAS, name, other, seen_in=seen_in)


PAGED = (
    ("catalog", fact(E, "service:checkout")),
    ("catalog", alias("service:checkout", "P31598", "pagerduty")),
    ("pagerduty", fact(E, "service:buying errors")),
    ("pagerduty", alias("service:buying errors", "P31598", "pagerduty")),
)


def test_one_id_in_the_paging_tool_makes_two_names_likely_one() -> None:
    (one,) = proposed(stated(*PAGED))
    assert (one.other, one.keep, one.action, one.disputed) == (
        "service:buying errors",
        "service:checkout",
        "confirm",
        False,
    )
    assert one.probability > 0.5
    assert [term.says for term in one.terms if term.name == "same_id"] == ["sources know both as 'p31598'"]
    assert {"r-2", "r-4"} <= set(one.evidence)


def test_names_of_one_structure_in_two_sources_are_proposed() -> None:
    facts = stated(("catalog", fact(E, "service:order-events")), ("traces", fact(E, "service:order_events_prod")))
    assert [(one.keep, one.other) for one in proposed(facts)] == [("service:order-events", "service:order_events_prod")]


def test_where_one_catalogue_has_both_it_speaks_against_and_is_told() -> None:
    both = (("catalog", fact(E, "service:order-events")), ("catalog", fact(E, "service:orderevents")))
    assert proposed(stated(*both)) == ()
    paged = (("catalog", alias(f"service:{name}", "P1", "pagerduty")) for name in ("order-events", "orderevents"))
    (one,) = proposed(stated(*both, *paged))
    (apart,) = proposed(
        stated(
            both[0],
            ("traces", both[1][1]),
            ("a", alias("service:order-events", "P1", "pagerduty")),
            ("b", alias("service:orderevents", "P1", "pagerduty")),
        )
    )
    assert (one.disputed, apart.disputed, one.probability < apart.probability) == (True, False, True)


def test_what_ended_where_another_began_was_renamed() -> None:
    repository = "repository:acme/users"
    facts = stated(
        ("catalog", fact(E, "service:customer-api", end=4)),
        ("catalog", fact(FactKind.BUILT_FROM, "service:customer-api", repository, end=4)),
        ("catalog", fact(E, "service:user-profile", start=4)),
        ("catalog", fact(FactKind.BUILT_FROM, "service:user-profile", repository, start=4)),
    )
    (one,) = proposed(facts)
    assert (one.action, one.other, one.keep, one.at) == (
        "rename",
        "service:customer-api",
        "service:user-profile",
        day(4),
    )
    assert one.probability > 0.5


def test_a_name_in_another_namespace_is_a_move() -> None:
    facts = stated(
        ("catalog", fact(E, "service:media/artist", end=4)), ("catalog", fact(E, "service:content/artist", start=4))
    )
    (one,) = proposed(facts)
    assert (one.action, one.keep, one.probability > 0.5) == ("rename", "service:content/artist", True)


def test_a_shared_repository_alone_says_little() -> None:
    facts = stated(*(
        ("catalog", one)
        for name in ("cart", "pricing", "checkout", "orders", "search", "users")
        for one in (fact(E, f"service:{name}"), fact(FactKind.BUILT_FROM, f"service:{name}", "repository:acme/shop"))
    ))  # fmt: skip
    assert proposed(facts) == ()


def test_a_rejected_or_confirmed_pair_is_not_proposed_again() -> None:
    for verdict in ("rejected", "confirmed"):
        said = fact(FactKind.SAME_AS, "service:checkout", "service:buying errors", verdict=verdict)
        assert proposed(stated(*PAGED), said) == ()
    assert proposed(
        stated(*PAGED), fact(FactKind.SAME_AS, "service:checkout", "service:buying errors", verdict="undone")
    )


def test_a_team_and_a_service_of_one_name_are_two_things() -> None:
    assert proposed(stated(("a", fact(E, "service:search")), ("b", fact(E, "team:search")))) == ()
