"""
The catalogue of names follows the feed, for each reader by what he may see.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.contract import Store
from graph.opening import open_store
from graph.values import FactKind, Incident, SectionKind, View
from models.catalogue import Catalogue
from tests.contract.making import day, deploy, fact, record, state, view

SECRET = frozenset({"secret"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}")
    yield opened
    opened.close()


def _known(catalogue: Catalogue, store: Store, seen: View) -> set[str]:
    catalogue.follow(store)
    return set(catalogue.directory(seen).services)


def test_a_service_that_only_changes_name_is_known_as_long_as_its_reader_sees_one(store: Store) -> None:
    catalogue = Catalogue()
    public, insider = view(50), view(50, labels=SECRET)
    state(store, record("r"), deploy("1", 1, "z"))
    assert _known(catalogue, store, public) == _known(catalogue, store, insider) == {"service:z"}
    state(store, record("s", labels=SECRET, part="b"), deploy("2", 2, "z"), deploy("3", 3, "hidden"))
    assert _known(catalogue, store, public) == {"service:z"}
    assert _known(catalogue, store, insider) == {"service:z", "service:hidden"}
    store.erase("r")
    assert _known(catalogue, store, public) == set()
    assert _known(catalogue, store, insider) == {"service:z", "service:hidden"}


def test_readers_without_end_are_all_answered(store: Store) -> None:
    catalogue = Catalogue()
    state(store, record("r"), deploy("1", 1, "z"))
    for number in range(40):
        hiding = view(50, hidden=[f"x{number}", *(["r"] if number % 2 else [])])
        assert _known(catalogue, store, hiding) == (set() if number % 2 else {"service:z"})


def test_replays_that_hide_incidents_share_a_directory_unless_their_records_name_services(store: Store) -> None:
    catalogue = Catalogue()
    state(store, record("a", 1), _incident("1"))
    state(store, record("b", 2, part="b"), _incident("2"), fact(FactKind.ENTITY, "service:told"))
    state(store, record("c", 3, part="c"), fact(FactKind.ENTITY, "service:cart"))
    catalogue.follow(store)
    whole = catalogue.directory(view(50))
    assert catalogue.directory(view(50, hidden=["a"])) is whole
    assert set(whole.services) == {"service:told", "service:cart"}
    assert set(catalogue.directory(view(50, hidden=["a", "b"])).services) == {"service:cart"}


def test_incidents_in_memory_are_those_of_the_store(store: Store) -> None:
    """
    By id and by alert, whoever looks from whenever, after statements were replaced, hidden, taken back and erased.
    """
    catalogue = Catalogue()
    state(store, record("a", 1), _incident("1", alerts=("Down",)), _incident("2"))
    state(store, record("b", 2, source="other"), _incident("1", title="as others say", alerts=("Up",)))
    state(store, record("c", 3, labels=SECRET, part="c"), _incident("3", alerts=("Down",)))
    state(store, record("d", 4, part="d"), _incident("2", title="again", alerts=("Down",)))
    state(store, record("e", 5, part="e"), _incident("4", alerts=("Down",)))
    store.retract("e", day(6), "wrong")
    catalogue.follow(store)
    _as_the_store(catalogue, store)
    store.erase("b")
    store.erase("c")
    catalogue.follow(store)
    _as_the_store(catalogue, store)


def _as_the_store(catalogue: Catalogue, store: Store) -> None:
    for known in (1, 2, 3, 4, 5, 6, 50):
        for labels in (frozenset[str](), SECRET):
            for hidden in ((), ("d",)):
                seen = view(50, known, labels=labels, hidden=hidden)
                for ids in (None, ["1"], ["2", "3"], ["1", "2", "3", "4"], []):
                    wanted = [(one.seq, one.item.id, one.record) for one in store.incidents(seen, ids)]
                    assert [
                        (one.seq, one.item.id, one.record) for one in catalogue.incidents.incidents(seen, ids)
                    ] == wanted


def _incident(name: str, *, title: str = "", alerts: tuple[str, ...] = ()) -> Incident:
    return Incident(id=name, title=title, at=day(0), alerts=alerts, sections={SectionKind.CAUSE: "long"})


def test_an_alerts_incidents_are_those_that_the_view_sees(store: Store) -> None:
    catalogue = Catalogue()
    state(store, record("a", 1), _incident("1", alerts=("Down",)), _incident("2", alerts=("Up",)))
    state(store, record("b", 2, labels=SECRET, part="b"), _incident("3", alerts=("Up", "Down")))
    catalogue.follow(store)

    def told(seen: View) -> list[str]:
        return [one.item.id for one in catalogue.incidents.of_alert("Down", seen)]

    assert told(view(50)) == ["1"]
    assert told(view(50, labels=SECRET)) == ["1", "3"]
    assert told(view(50, 0, labels=SECRET)) == []
    store.erase("a")
    catalogue.follow(store)
    assert told(view(50, labels=SECRET)) == ["3"]
