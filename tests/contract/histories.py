"""
Drawn histories: deeds on a store, in the order in which they happen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from graph.contract import Store, Yield
from graph.values import Change, Fact, FactKind, Item, Labels, Record, Trust
from tests.contract.making import day, deploy, fact, owned, record

SECRET: Labels = frozenset({"secret"})


@dataclass(frozen=True)
class Act:
    """
    A drawn deed: what, on which source and part, how many days after the one before, and with which items; of an event
    how late it is told, and on which day it occurred.
    """

    what: str
    source: str
    part: str
    wait: int
    late: int
    occurred: int | None
    secret: bool
    trust: Trust
    items: tuple[Item, ...]
    pick: int


_FACTS = st.builds(
    owned,
    st.sampled_from(("x", "y")),
    st.sampled_from(("a", "b")),
    start=st.sampled_from((None, None, None, 2)),
    end=st.sampled_from((None, None, None, 6)),
    note=st.sampled_from(("", "changed")),
) | st.builds(
    fact,
    st.just(FactKind.SAME_AS),
    st.just("service:x"),
    st.just("service:y"),
    verdict=st.sampled_from(("accepted", "rejected")),
)
_CHANGES = st.builds(
    deploy,
    st.sampled_from(("1", "2")),
    st.integers(0, 8),
    st.sampled_from(("x", "y")),
    title=st.sampled_from(("pending", "done")),
)
_ITEMS: st.SearchStrategy[Item] = st.one_of(_FACTS, _FACTS, _CHANGES)


def _run(begin: int, end: int | None, untold: bool, title: str) -> Change:
    """
    A deploy that goes on or is over, and then may not say when it began.
    """
    if end is None:
        return deploy("1", begin, "x", title=title)
    return deploy("1", end if untold else min(begin, end), "x", title=title, end=end)


RUNS: st.SearchStrategy[Item] = st.builds(
    _run, st.integers(0, 8), st.sampled_from((None, *range(1, 9))), st.booleans(), st.sampled_from(("", "again"))
)


def _thing(item: Item) -> object:
    return (item.kind, item.subject, item.object, item.valid.start) if isinstance(item, Fact) else item


def acts(what: tuple[str, ...], items: st.SearchStrategy[Item] = _ITEMS) -> st.SearchStrategy[Act]:
    """
    Deeds of these sorts.
    """
    return st.builds(
        Act,
        what=st.sampled_from(what),
        source=st.sampled_from(("catalog", "paging")),
        part=st.sampled_from(("p", "q")),
        wait=st.integers(1, 3),
        late=st.integers(0, 6),
        occurred=st.sampled_from((None, None, *range(9))),
        secret=st.sampled_from((False, False, True)),
        trust=st.sampled_from((Trust.DECLARED, Trust.DECLARED, Trust.OBSERVED)),
        items=st.lists(
            items, max_size=3, unique_by=lambda item: _thing(item) if isinstance(item, Fact) else item.id
        ).map(tuple),
        pick=st.integers(0, 20),
    )


@dataclass
class History:
    """
    Deeds done to several stores at once, which all have to answer them the same.
    """

    clock: int = 0
    count: int = 0
    records: list[Record] = field(default_factory=list)

    def do(self, stores: Sequence[Store], acts: Sequence[Act]) -> None:
        for act in acts:
            self.clock += act.wait
            told = self._record(stores, act) if act.what in ("snapshot", "event") else self._other(stores, act)
            assert [one for one in told if one != told[0]] == [], act

    def _record(self, stores: Sequence[Store], act: Act) -> list[object]:
        snapshot = act.what == "snapshot"
        at = self.clock if snapshot else self.clock - act.late + self.count / 1000
        labels = SECRET if act.secret else frozenset[str]()
        source = act.source if snapshot else "deploys"
        occurred = None if snapshot else act.occurred
        made = record(f"r{self.count}", at, source=source, part=act.part, labels=labels, occurred=occurred)
        self.count += 1
        self.records.append(made)
        told: list[object] = []
        for store in stores:
            store.append([made])
            # some wait
            given = () if act.pick % 5 == 0 else (act.items,)
            told.append(
                [
                    store.apply([Yield(record=made.id, items=items, trust=act.trust, snapshot=snapshot)])
                    for items in given
                ]
            )
        return told

    def _other(self, stores: Sequence[Store], act: Act) -> list[object]:
        at = day(self.clock)
        if act.what == "sweep":
            return [store.sweep(act.source, (act.part,), at) for store in stores]
        if not self.records:
            return []
        chosen = self.records[act.pick % len(self.records)].id
        if act.what == "erase":
            self.records = [one for one in self.records if one.id != chosen]
        deeds: Mapping[str, Callable[[Store], object]] = {
            "retract": lambda store: store.retract(chosen, at, "wrong"),
            "erase": lambda store: store.erase(chosen),
            "quarantine": lambda store: store.quarantine(chosen, "no YAML"),
            "release": lambda store: store.release(),
            "restrict": lambda store: store.restrict([chosen], frozenset({"one", "another"})),
            "keep": lambda store: store.keep("answers", [(f"k{act.pick % 3}", bytes([act.pick]))], [chosen]),
        }
        return [deeds[act.what](store) for store in stores]
