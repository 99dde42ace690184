"""
Decisions in any order, at any times, seen from anywhere, against a model that keeps a list and looks everything up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.contract import Store
from graph.errors import NotFound
from graph.opening import open_store
from graph.resolved import identity
from graph.values import Fact, FactKind, Trust
from ingest.errors import BadRecord
from service.identities import decide
from tests.contract.making import day, fact, record, state, view

NAMES = ("service:a", "service:b", "service:c", "service:d")
Pair = tuple[str, str]


def pair_of(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


@dataclass
class Said:
    """
    One decision: what it says of each pair, since when it holds in the world, and when it was made.
    """

    id: str
    action: str
    names: tuple[str, ...]
    at: float | None
    known: float
    undone: float | None = None

    def pairs(self) -> dict[Pair, tuple[str, str]]:
        return {pair_of(self.names[0], other): (self.names[0], other) for other in self.names[1:]}


@dataclass
class Model:
    """
    All decisions, and what a source declared before any of them.
    """

    declared: list[Fact]
    said: list[Said] = field(default_factory=list)

    def counting(self, pair: Pair, known: float) -> Said | None:
        alive = [
            one for one in self.said
            if one.known <= known and (one.undone is None or one.undone > known) and pair in one.pairs()
        ]  # fmt: skip
        return alive[-1] if alive else None

    def since(self, pair: Pair, known: float) -> float:
        """
        Since when the decision that counts has been counting.
        """
        moments = sorted({one.known for one in self.said} | {one.undone for one in self.said if one.undone is not None})
        now, found = self.counting(pair, known), known
        for moment in reversed([one for one in moments if one <= known]):
            if self.counting(pair, moment) is not now:
                break
            found = moment
        return found

    def joins(self, as_of: float, known: float) -> tuple[list[Pair], set[Pair], dict[Pair, tuple[str, str]]]:
        """
        Pairs to join in the order in which they are tried, pairs that stay apart, and splits.
        """
        reviewed, apart, splits = [], set(), {}
        decided: set[Pair] = set()
        for pair in combinations(NAMES, 2):
            one = self.counting(pair, known)
            if one is None or (one.at is not None and one.at > as_of):
                continue
            if one.action == "split":
                splits[pair] = one.pairs()[pair]
                continue
            decided.add(pair)
            if one.action == "reject":
                apart.add(pair)
            else:
                reviewed.append((self.since(pair, known), pair))
        lesser = []
        for stated in self.declared:
            pair = pair_of(stated.subject, stated.object)
            if stated.valid.start is not None and stated.valid.start > day(as_of):
                continue
            if stated.kind is FactKind.SPLIT_INTO:
                if pair not in apart and pair not in splits:
                    splits[pair] = (stated.subject, stated.object)
            elif pair not in decided:
                lesser.append(pair)
        ordered = [pair for _, pair in sorted(reviewed)] + sorted(set(lesser))
        return ordered, apart, splits

    def groups(self, as_of: float, known: float) -> dict[str, set[str]]:
        ordered, apart, _ = self.joins(as_of, known)
        group = {one: {one} for one in NAMES}
        for one, other in ordered:
            whole = group[one] | group[other]
            if not any(pair in apart for pair in combinations(sorted(whole), 2)):
                for member in whole:
                    group[member] = whole
        return group

    def ancestors(self, name: str, as_of: float, known: float) -> set[str]:
        group, splits = self.groups(as_of, known), self.joins(as_of, known)[2]
        found: set[str] = set()
        waiting = set(group[name])
        while waiting:
            parents = {parent for parent, part in splits.values() if part in waiting}
            waiting = {one for parent in parents for one in group[parent]} - group[name] - found
            found |= waiting
        return found


KINDS = st.sampled_from(["confirm", "reject", "rename", "split", "undo"])
STEP = st.tuples(
    KINDS, st.permutations(NAMES), st.integers(2, 3), st.integers(1, 4), st.none() | st.integers(-3, 30), st.integers(0, 9)
)  # fmt: skip
DECLARED = st.tuples(
    st.sampled_from([FactKind.SAME_AS, FactKind.RENAMED_TO, FactKind.SPLIT_INTO]), st.permutations(NAMES), st.none() | st.integers(0, 20)
)  # fmt: skip
MOMENT = st.integers(-400, 4000).map(lambda hundredths: hundredths / 100)
LOOK = st.tuples(MOMENT, MOMENT.map(abs))


def names_of(one: tuple[FactKind, list[str], int | None]) -> Pair:
    return pair_of(one[1][0], one[1][1])


def prepared(folder: str, declared: list[Fact]) -> Store:
    store = open_store(f"sqlite:///{folder}")
    described = [fact(FactKind.ENTITY, name) for name in NAMES]
    state(store, record("r-0", -9, part="catalogue"), *described, *declared)
    return store


@given(
    steps=st.lists(STEP, max_size=9),
    declared=st.lists(DECLARED, max_size=3, unique_by=names_of),
    looks=st.lists(LOOK, min_size=4, max_size=8),
)
@settings(max_examples=60)
def test_any_decisions_seen_from_anywhere_are_as_the_model_says(
    steps: list[tuple[str, list[str], int, int, int | None, int]],
    declared: list[tuple[FactKind, list[str], int | None]],
    looks: list[tuple[float, float]],
) -> None:
    stated = [fact(kind, names[0], names[1], start=start) for kind, names, start in declared]
    with TemporaryDirectory() as folder:
        store, model, now = prepared(folder, stated), Model(stated), 0.0
        for action, names, count, pause, at, which in steps:
            now += pause
            if action == "undo":
                undo(store, model, which, now)
                continue
            chosen = tuple(names[: count if action == "split" else 2])
            moment = float(at) if at is not None and action in ("rename", "split") else None
            asked: dict[str, object] = {"action": action, "names": list(chosen)}
            made = decide(
                store, asked | ({"at": day(moment).isoformat()} if moment is not None else {}), "ann", now=day(now)
            )
            if not made["duplicate"]:
                moment = now if moment is None and action in ("rename", "split") else moment
                model.said.append(Said(str(made["id"]), action, chosen, moment, now))
        for as_of, known in [*looks, (now, now)]:
            names_then = identity(store, view(as_of, known))
            for name in NAMES:
                assert names_then.same(name) == model.groups(as_of, known)[name]
                assert names_then.inherited(name).keys() == model.ancestors(name, as_of, known)
                assert names_then.canonical(name) in names_then.same(name)
        store.close()


def undo(store: Store, model: Model, which: int, now: float) -> None:
    if not model.said:
        with pytest.raises(NotFound):
            decide(store, {"action": "undo", "id": "d-none"}, "ann", now=day(now))
        return
    one = model.said[which % len(model.said)]
    made = decide(store, {"action": "undo", "id": one.id}, "ann", now=day(now))
    assert made["duplicate"] is (one.undone is not None)
    if one.undone is None:
        one.undone = now


def test_what_was_undone_is_decided_anew_and_not_by_undoing_that(tmp_path: Path) -> None:
    store = prepared(str(tmp_path), [])
    first = decide(store, {"action": "confirm", "names": ["a", "b"]}, "ann")
    undone = decide(store, {"action": "undo", "id": first["id"]}, "bob")
    assert (undone["by"], undone["of"]) == ("bob", first["id"])
    with pytest.raises(BadRecord, match="decide it anew"):
        decide(store, {"action": "undo", "id": undone["id"]}, "ann")
    store.close()


def test_a_decision_is_reviewed_and_no_source_closes_it(tmp_path: Path) -> None:
    store = prepared(str(tmp_path), [])
    decide(store, {"action": "confirm", "names": ["a", "b"]}, "ann")
    state(store, record("r-1", 5, part="catalogue"), *(fact(FactKind.ENTITY, name) for name in NAMES), snapshot=True)
    store.sweep("identity", [], day(9))
    (stated,) = store.facts(view(400), kinds=(FactKind.SAME_AS,))
    assert (stated.trust, stated.item.attributes["verdict"]) == (Trust.REVIEWED, "confirmed")
    store.close()
