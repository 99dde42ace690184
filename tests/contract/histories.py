"""
Drawn histories: deeds on a store, in the order in which they happen.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from graph.values import Fact, FactKind, Item, Trust
from tests.contract.making import deploy, fact, owned


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


def _thing(item: Item) -> object:
    return (item.kind, item.subject, item.object, item.valid.start) if isinstance(item, Fact) else item


def acts(what: tuple[str, ...]) -> st.SearchStrategy[Act]:
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
            _ITEMS, max_size=3, unique_by=lambda item: _thing(item) if isinstance(item, Fact) else item.id
        ).map(tuple),
        pick=st.integers(0, 20),
    )
