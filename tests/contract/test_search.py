"""
Search in a store that can do so itself finds what the indexes in memory find, and forgets what the store forgets.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from graph.contract import Store
from graph.neo4j import rows as rows_module
from graph.searching import Hit, RowSet, Scope, Searchable
from graph.values import Incident, ItemKind, Labels, Runbook, Section
from models import shared as shared_module
from models.contract import Matrix, Search
from models.facets import ROWS
from models.indexer import Indexer
from models.lexical import ANALYSIS
from models.shared import SharedSearch
from service.settings import Settings, SettingsError
from service.wiring import open_memory
from tests import server
from tests.contract.making import day, record, state, view

SECRET: Labels = frozenset({"secret"})
QUESTIONS = (
    "walrus on the loose",
    "pool exhausted",
    "email_alert_api",
    'no "such\\ (thing) AND OR NOT ~*?',
    "ocelot",
    "",
)
SCOPES: Mapping[str, Scope] = {
    "plain": Scope(view=view(50)),
    "cleared": Scope(view=view(50, labels=SECRET)),
    "earlier": Scope(view=view(50), before=day(3)),
    "as known then": Scope(view=view(50, known=2)),
    "hidden": Scope(view=view(50, hidden=["r1"])),
    "incidents": Scope(view=view(50), kinds=(ItemKind.INCIDENT,)),
    "sections": Scope(view=view(50), facets=("section",)),
}


@dataclass(slots=True)
class Bag:
    """
    An embedder of words without meaning; counts what it embeds.
    """

    model: str = "bag"
    dimension: int = 24
    made: int = 0

    def embed(self, texts: Sequence[str]) -> Matrix:
        self.made += len(texts)
        return np.stack([self._one(text) for text in texts])

    def _one(self, text: str) -> Matrix:
        vector = np.full(self.dimension, 0.1, dtype=np.float32)
        for word in text.lower().split():
            vector += np.random.default_rng(zlib.crc32(word.encode())).normal(size=self.dimension).astype(np.float32)
        found: Matrix = vector / np.linalg.norm(vector)
        return found


def incident(number: int, title: str, at: float | None = None) -> Incident:
    return Incident(id=f"i{number}", title=title, at=None if at is None else day(at))


def fill(store: Store) -> None:
    page = Runbook(
        id="p", title="Pool", sections=(Section(anchor="a", level=2, heading="Ocelot", text="pool is exhausted"),)
    )
    titles = [
        "walrus in the pool",
        "email-alert-api is slow",
        "ocelot ate the disk",
        "pool exhausted",
        "walrus, walrus",
    ]
    for number, title in enumerate(titles):
        labels = SECRET if number > 3 else frozenset[str]()
        given = record(f"r{number}", number, part=f"{number}", labels=labels)
        state(store, given, incident(number, title, at=number))
    state(store, record("pages", 1, part="pages"), page)


@pytest.fixture
def store() -> Iterator[Store]:
    found = server.emptied()
    fill(found)
    yield found
    found.close()


def rows_of(store: Store) -> RowSet:
    assert isinstance(store, Searchable)
    return store.rows_of(f"bag, words {ANALYSIS}, rows {ROWS}", 24)


def searching(store: Store) -> SharedSearch:
    assert isinstance(store, Searchable)
    found = SharedSearch(store, store, Bag())
    found.follow()
    return found


def hits(search: Search, question: str, scope: Scope) -> list[dict[tuple[int, str], float]]:
    def scored(found: Sequence[Hit]) -> dict[tuple[int, str], float]:
        return {(hit.statement, hit.facet): hit.score for hit in found}

    return [scored(search.search_dense(question, 20, scope)), scored(search.search_lexical(question, 20, scope))]


@pytest.mark.parametrize("few", [1, 1000], ids=["indexed", "compared"])
@pytest.mark.parametrize("name", SCOPES)
def test_it_finds_what_the_indexes_in_memory_find_with_the_same_scores(
    store: Store, name: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_module, "INDEXED_FROM", few)
    monkeypatch.setattr(rows_module, "LEAST_ASKED", 3)
    monkeypatch.setattr(rows_module, "OVER_FETCH", 1)
    local = Indexer(store, Bag(), keep=False)
    local.follow()
    shared, scope = searching(store), SCOPES[name]
    for question in QUESTIONS:
        for mine, theirs in zip(hits(shared, question, scope), hits(local, question, scope), strict=True):
            assert mine == pytest.approx(theirs, abs=1e-5), question
        assert shared.most(question, scope.view) == local.most(question, scope.view), question


def test_hits_come_best_first_and_no_more_than_asked_for(store: Store) -> None:
    found = searching(store).search_lexical("pool exhausted", 2, SCOPES["plain"])
    assert len(found) == 2
    assert found[0].score >= found[1].score


def test_where_few_of_many_may_be_seen_they_are_found(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(100, 140):
        state(store, record(f"r{number}", 1, part=f"{number}"), incident(number, "pool exhausted", at=40))
    monkeypatch.setattr(rows_module, "INDEXED_FROM", 10)
    monkeypatch.setattr(rows_module, "LEAST_ASKED", 2)
    monkeypatch.setattr(rows_module, "OVER_FETCH", 1)
    shared = searching(store)
    for most in (4, 400):
        monkeypatch.setattr(rows_module, "MOST_ASKED", most)
        dense, lexical = hits(shared, "pool exhausted", replace(SCOPES["earlier"], kinds=(ItemKind.INCIDENT,)))
        assert len(dense) == 3
        assert len({statement for statement, _ in lexical}) == 1
    near = shared.search_dense("pool exhausted", 5, SCOPES["incidents"])
    assert [round(hit.score, 5) for hit in near] == [1] * 5


def test_what_is_closed_in_the_store_is_closed_at_once(store: Store) -> None:
    shared = searching(store)
    store.retract("r1", day(20), "wrong")
    assert shared.search_lexical("email", 5, SCOPES["plain"]) == ()
    then = shared.search_lexical("email", 5, Scope(view=view(50, known=10)))
    assert {hit.facet for hit in then} == {"title", "symptoms"}
    assert len({hit.statement for hit in then}) == 1


def test_what_is_erased_leaves_neither_rows_nor_words(store: Store) -> None:
    shared = searching(store)
    before = rows_of(store).size()
    store.erase("r2")
    assert rows_of(store).size() < before
    assert shared.search_lexical("ocelot ate", 5, SCOPES["incidents"]) == ()
    assert rows_of(store).frequencies(["ate"], view(50))[1] == {}
    shared.follow()
    assert shared.search_lexical("ocelot ate", 5, SCOPES["incidents"]) == ()
    with server.driver().session() as session:
        left = session.run("MATCH (n) WHERE any(key IN keys(n) WHERE toStringOrNull(n[key]) CONTAINS 'ate ') RETURN n")
        assert left.values() == []


def test_following_twice_makes_nothing_twice(store: Store) -> None:
    first = searching(store)
    size, bag = rows_of(store).size(), Bag()
    assert isinstance(store, Searchable)
    second = SharedSearch(store, store, bag)
    second.follow()
    assert (rows_of(store).size(), bag.made) == (size, 0)
    assert not second.status().behind
    assert first.status() == second.status()


def test_followers_at_once_make_each_row_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(store, Searchable)
    # a lease that ends before it begins keeps nobody off
    monkeypatch.setattr(shared_module, "LEASE", timedelta(seconds=-1))
    others = [SharedSearch(store, store, Bag()) for _ in range(4)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(SharedSearch.follow, others))
    whole = Indexer(store, None, keep=False)
    whole.follow()
    assert rows_of(store).size() == whole.status().lexical_rows


def test_one_follower_leads_until_its_lease_ends(store: Store) -> None:
    found = rows_of(store)
    assert found.lead("one", timedelta(minutes=1))
    assert found.lead("one", timedelta(0))
    assert found.lead("two", timedelta(minutes=1))
    assert not found.lead("one", timedelta(minutes=1))


def test_without_an_embedder_words_alone_are_searched(store: Store) -> None:
    assert isinstance(store, Searchable)
    shared = SharedSearch(store, store, None)
    shared.follow()
    dense, lexical = hits(shared, "walrus", SCOPES["plain"])
    assert not dense
    assert len({statement for statement, _ in lexical}) == 1


def test_a_reader_of_the_store_makes_no_rows(store: Store) -> None:
    searching(store)
    state(store, record("late", 1, part="late"), incident(9, "walrus again", at=1))
    reader = server.opened()
    assert isinstance(reader, Searchable)
    shared = SharedSearch(reader, reader, Bag(), keep=False)
    shared.follow()
    assert shared.status().behind
    reader.close()


def test_an_embedded_store_is_told_that_it_has_no_search_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="use local"):
        open_memory(Settings(data=tmp_path, search="server", embedder="none"))
