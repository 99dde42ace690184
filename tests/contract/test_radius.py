"""
How far harm reaches over any store: directions, kinds and ages of edges, what fades, what is only permitted, circles.
"""

from __future__ import annotations

import pytest

from graph.contract import Store
from graph.radius import all_edges, cycles, reach
from graph.resolved import identity
from graph.values import Fact, FactKind, Trust
from tests.contract.making import day, fact, record, state, view

NOW = view(100)


def needs(one: str, other: str, **attributes: str) -> Fact:
    return Fact(kind=FactKind.DEPENDS_ON, subject=f"service:{one}", object=f"service:{other}", attributes=attributes)


def seen(one: str, other: str, days_ago: int) -> Fact:
    return needs(one, other, source_kind="observed", last_seen=day(100 - days_ago).date().isoformat())


def names(found: object) -> list[str]:
    return [one.entity.removeprefix("service:") for one in getattr(found, "reached")]  # noqa: B009


def test_each_direction_is_walked_by_itself(store: Store) -> None:
    state(store, record("r"), needs("web", "api"), needs("api", "db"), needs("job", "db"), needs("api", "queue"))
    assert names(reach(store, NOW, ["service:api"], outgoing=True)) == ["db", "queue"]
    assert names(reach(store, NOW, ["service:api"], outgoing=False)) == ["web"]
    needed = reach(store, NOW, ["service:db"], outgoing=False)
    assert [(one.entity, len(one.path)) for one in needed.reached] == [
        ("service:api", 1), ("service:job", 1), ("service:web", 2),
    ]  # fmt: skip
    assert [(edge.subject, edge.object) for edge in needed.reached[2].path] == [
        ("service:api", "service:db"), ("service:web", "service:api"),
    ]  # fmt: skip


def test_what_is_only_permitted_is_no_dependency_and_stands_apart(store: Store) -> None:
    state(store, record("r"), needs("web", "api", source_kind="permitted"), needs("api", "db", source_kind="declared"))
    found = reach(store, NOW, ["service:api"], outgoing=False)
    assert (found.reached, [edge.subject for edge in found.permitted]) == ((), ["service:web"])
    state(store, record("s", source="traces"), seen("web", "api", 1), trust=Trust.OBSERVED)
    found = reach(store, NOW, ["service:api"], outgoing=False)
    assert (names(found), found.permitted) == (["web"], ())
    assert found.reached[0].path[0].kinds == ("observed", "permitted")


def test_an_observed_edge_fades_and_what_is_declared_stays(store: Store) -> None:
    stated = seen("a", "db", 0), seen("b", "db", 60), seen("c", "db", 120)
    state(store, record("r", source="traces"), *stated, trust=Trust.OBSERVED)
    state(store, record("s"), needs("d", "db", source_kind="declared"))
    found = reach(store, NOW, ["service:db"], outgoing=False)
    assert {one.entity[-1]: round(one.strength, 2) for one in found.reached} == {"a": 1.0, "b": 0.26, "d": 0.9}
    assert [edge.subject for edge in found.faded] == ["service:c"]
    state(store, record("t", source="catalog", part="b"), needs("c", "db", source_kind="declared"))
    assert names(reach(store, NOW, ["service:db"], outgoing=False)) == ["a", "b", "c", "d"]
    early = reach(store, view(0.5), ["service:db"], outgoing=False)
    assert not early.faded, "an edge is as old as it was then"


@pytest.mark.parametrize(
    ("trust", "kind"), [(Trust.DECLARED, "declared"), (Trust.OBSERVED, "observed"), (Trust.UNTRUSTED, "inferred")]
)
def test_without_a_kind_the_trust_says_how_an_edge_is_known(store: Store, trust: Trust, kind: str) -> None:
    state(store, record("r"), needs("web", "api"), trust=trust)
    (edge,) = all_edges(store, view(1), identity(store, view(1)))
    assert (edge.kinds, edge.sayings[0].since) == ((kind,), day(0))


def test_depth_and_limit_are_told(store: Store) -> None:
    state(store, record("r"), needs("a", "b"), needs("b", "c"), needs("c", "d"))
    whole = reach(store, NOW, ["service:a"], outgoing=True, depth=3)
    assert (names(whole), whole.cut) == (["b", "c", "d"], False)
    short = reach(store, NOW, ["service:a"], outgoing=True, depth=2)
    assert (names(short), short.cut) == (["b", "c"], True)
    few = reach(store, NOW, ["service:a"], outgoing=True, depth=3, limit=1)
    assert (names(few), few.cut) == (["b"], True)
    assert reach(store, NOW, ["service:a"], outgoing=True, depth=0).reached == ()


def test_a_circle_ends_and_is_told_once(store: Store) -> None:
    state(store, record("r"), needs("a", "b"), needs("b", "c"), needs("c", "a"), needs("b", "a"), needs("a", "a"))
    needed, back = (reach(store, NOW, ["service:a"], outgoing=way, depth=3) for way in (True, False))
    assert (names(needed), needed.cut) == (["b", "c"], False)
    assert cycles("service:a", needed.reached, back.reached) == (
        ("service:a", "service:b"), ("service:a", "service:b", "service:c"),
    )  # fmt: skip


def test_a_renamed_service_is_one_node(store: Store) -> None:
    state(store, record("r"), needs("web", "old"), needs("new", "db"))
    state(store, record("s", part="b"), fact(FactKind.RENAMED_TO, "service:old", "service:new"))
    found = reach(store, NOW, ["service:db"], outgoing=False)
    assert names(found) == ["new", "web"]
    assert reach(store, NOW, ["service:old"], outgoing=False).reached[0].start == "service:new"
