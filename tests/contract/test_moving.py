"""
A store that was moved answers as the one it came from, and goes on as that one would have.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graph.contract import Store
from graph.errors import MigrationRefused, NotFound, StoreUnfinished
from graph.moving import Census, KeptRow, Key, Kind, Migration, Movable, Row, census, move
from graph.opening import open_movable, open_store
from graph.values import Alert, AlertRule, Fact, FactKind, Incident, Item, Runbook, Trust
from tests import server
from tests.contract.histories import SECRET, Act, History
from tests.contract.histories import acts as drawn
from tests.contract.making import day, deploy, fact, owned, record, state, tallied, view

ALL = drawn(
    ("snapshot", "snapshot", "event", "event", "sweep", "retract", "erase", "quarantine", "release", "restrict", "keep")
)
LONG = "é" * 5000
EVERY: tuple[Item, ...] = (
    fact(FactKind.ENTITY, "service:x", title="X"),
    fact(FactKind.ALIAS, "service:x", LONG, seen_in="label"),
    fact(FactKind.DEPENDS_ON, "service:x", "service:y", start=1, end=3),
    deploy("placed", 1, "x", "y", "x", revision="abc"),
    deploy("unplaced", 2),
    Incident(id="i", title="down", at=day(1)),
    Runbook(id="b.md", title="restart", services=("service:x",)),
    AlertRule(id="g/Down", name="Down"),
    Alert(id="a", name="Down", at=day(2)),
)


@dataclass(frozen=True)
class Side:
    """
    A backend, and the URL of an empty store of its kind.
    """

    name: str
    fresh: Callable[[Path], str]


def _server(_: Path) -> str:
    server.require()
    server.empty()
    return server.URI


SQLITE = Side("sqlite", lambda folder: f"sqlite:///{folder}")
NEO4J = Side("neo4j", _server)
WAYS = [(SQLITE, SQLITE), (SQLITE, NEO4J), (NEO4J, SQLITE)]
ways = pytest.mark.parametrize(
    ("one", "other"), WAYS, ids=lambda side: side.name if isinstance(side, Side) else str(side)
)


def opened(url: str) -> Store:
    return open_store(url, user=server.USER, password=server.PASSWORD)


def movable(url: str, *, target: bool = True) -> Movable:
    return open_movable(url, target=target, user=server.USER, password=server.PASSWORD)


def silent(what: str, done: int, total: int) -> None:
    """
    Nobody watches.
    """


def moved(source: str, target: str, page: int = 5) -> None:
    with closing(movable(source, target=False)) as one, closing(movable(target)) as other:
        compared = move(one, other, silent, page)
    assert [each for each in compared if not each.same] == []


def counted(url: str) -> dict[Kind, Census]:
    with closing(movable(url)) as store:
        return {kind: census(store, kind, silent, 50) for kind in Kind}


def told(store: Store) -> dict[str, object]:
    """
    All that a store answers.
    """
    records = store.records(limit=1000)
    assert store.tally() == tallied(records)
    views = [
        view(at, known, labels=labels)
        for at, known in ((1, 99), (5, 5), (99, 99), (9, 3))
        for labels in (frozenset[str](), SECRET)
    ]
    return {
        "records": records,
        "lapsed": store.lapsed([one.id for one in records]),
        "standing": {one for source in ("catalog", "paging") for one in store.standing(source, ("p", "q", "a.yaml"))},
        "labelled": [store.labelled(source) for source in ("catalog", "paging", "deploys")],
        "tally": store.tally(),
        "facts": [store.facts(seen) for seen in views],
        "changes": [store.changes(seen, services=services) for seen in views for services in (None, ["service:x", ""])],
        "by name": [store.changes(view(99), ids=["abc", "1"]), store.facts(view(99), objects=[LONG])],
        "documents": [
            (store.incidents(seen), store.runbooks(seen), store.alert_rules(seen), store.alerts(seen)) for seen in views
        ],
        "services": store.services_changed(),
        "feed": store.changes_since(0, 10_000),
        "end": store.watermark(),
        "kept": [store.kept(shelf) for shelf in ("answers", "store")],
    }


def answers(url: str) -> dict[str, object]:
    with closing(opened(url)) as store:
        return told(store)


@contextmanager
def folders() -> Iterator[tuple[Path, Path, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder, "a"), Path(folder, "b"), Path(folder, "c")


@ways
@given(acts=st.lists(ALL, max_size=12), later=st.lists(ALL, max_size=8))
# a history on a server takes a second, so none is shrunk
@settings(max_examples=12, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
def test_there_and_back_it_answers_and_goes_on_the_same(
    one: Side, other: Side, acts: list[Act], later: list[Act]
) -> None:
    history = History()
    with folders() as (first, second, third), ExitStack() as open_stores:
        source, between = one.fresh(first), other.fresh(second)
        with closing(opened(source)) as store:
            state(store, record("every", 0), *EVERY)
            store.keep("store", [("name", b"n")])
            history.do([store], acts)
            expected = told(store)
        there = counted(source)
        moved(source, between)
        assert answers(between) == expected
        # a server is emptied by this
        back = one.fresh(third)
        moved(between, back)
        assert counted(back) == there
        assert answers(back) == expected
        stores = [open_stores.enter_context(closing(opened(url))) for url in dict.fromkeys((source, between, back))]
        history.do(stores, later)
        final = [told(store) for store in stores]
        assert [name for name, answer in final[0].items() if any(each[name] != answer for each in final)] == []


def filled(url: str, seed: int = 1) -> None:
    draw = random.Random(seed)
    with closing(opened(url)) as store:
        for number in range(12):
            items: list[Item] = [
                owned(f"x{draw.randint(0, 3)}", str(draw.randint(0, 2))),
                deploy(str(number), number, "x"),
            ]
            state(store, record(f"r{number}", number, part=str(number % 3)), *items, snapshot=number % 2 == 0)
            store.keep("answers", [(f"k{number}", b"v")], [f"r{number}"])
        store.sweep("catalog", ["0", "1"], day(20))
        store.retract("r3", day(21), "wrong")
        store.erase("r11")


class Breaking:
    """
    A target that breaks off, before a page or when it is loaded and nobody heard, after so many pages.
    """

    def __init__(self, target: Movable, pages: int, heard: bool) -> None:
        self._target = target
        self._pages = pages
        self._heard = heard
        self.url = target.url

    def load(self, rows: Sequence[Row], was: Migration | None, now: Migration | None) -> None:
        self._pages -= 1
        if self._pages < 0 and self._heard:
            raise ConnectionAbortedError
        self._target.load(rows, was, now)
        if self._pages < 0:
            raise ConnectionAbortedError

    def migration(self) -> Migration | None:
        return self._target.migration()

    def counts(self) -> Mapping[Kind, int]:
        return self._target.counts()

    def dump(self, kind: Kind, after: Key, limit: int) -> Sequence[Row]:
        return self._target.dump(kind, after, limit)

    def kept(self, shelf: str, keys: Collection[str] | None = None) -> dict[str, bytes]:
        return self._target.kept(shelf, keys)

    def close(self) -> None:
        self._target.close()


@ways
def test_an_interrupted_move_goes_on_where_it_was(one: Side, other: Side, tmp_path: Path) -> None:
    source, target = one.fresh(tmp_path / "a"), other.fresh(tmp_path / "b")
    filled(source)
    draw = random.Random(3)
    breaks = 0
    for _ in range(100):
        with closing(movable(source, target=False)) as out, closing(movable(target)) as into:
            try:
                compared = move(out, Breaking(into, draw.randint(1, 7), draw.random() < 0.5), silent, 4)
            except ConnectionAbortedError:
                breaks += 1
                continue
            break
    assert breaks > 3
    assert all(each.same for each in compared)
    assert answers(target) == answers(source)


def broken_off(source: str, target: str) -> None:
    with (
        closing(movable(source, target=False)) as out,
        closing(movable(target)) as into,
        pytest.raises(ConnectionAbortedError),
    ):
        move(out, Breaking(into, 4, heard=True), silent, 4)


@ways
def test_what_is_half_moved_is_not_opened_for_use(one: Side, other: Side, tmp_path: Path) -> None:
    source, target = one.fresh(tmp_path / "a"), other.fresh(tmp_path / "b")
    filled(source)
    broken_off(source, target)
    for read_only in (False, True):
        with (
            pytest.raises(StoreUnfinished, match="not finished"),
            closing(open_store(target, read_only=read_only, user=server.USER, password=server.PASSWORD)) as store,
        ):
            store.watermark()
    with (
        closing(movable(target, target=False)) as out,
        closing(movable(f"sqlite:///{tmp_path / 'c'}")) as into,
        pytest.raises(StoreUnfinished),
    ):
        move(out, into, silent)
    moved(source, target)
    assert answers(target) == answers(source)


@ways
def test_another_source_does_not_go_on_with_a_move(one: Side, other: Side, tmp_path: Path) -> None:
    source, target = one.fresh(tmp_path / "a"), other.fresh(tmp_path / "b")
    filled(source)
    broken_off(source, target)
    with closing(opened(source)) as store:
        state(store, record("new", 50), owned("x", "new"))
    with (
        closing(movable(source, target=False)) as out,
        closing(movable(target)) as into,
        pytest.raises(MigrationRefused, match="unfinished migration of another"),
    ):
        move(out, into, silent)


@ways
def test_a_store_that_is_not_empty_is_left_as_it_is(one: Side, other: Side, tmp_path: Path) -> None:
    source, target = one.fresh(tmp_path / "a"), other.fresh(tmp_path / "b")
    filled(source)
    with closing(opened(target)) as store:
        store.append([record("mine")])
        before = told(store)
    with (
        closing(movable(source, target=False)) as out,
        closing(movable(target)) as into,
        pytest.raises(MigrationRefused, match="not empty"),
    ):
        move(out, into, silent)
    assert answers(target) == before


def test_a_server_that_is_written_meanwhile_is_told(tmp_path: Path) -> None:
    source = NEO4J.fresh(tmp_path)
    filled(source)
    writer = opened(source)

    def write(what: str, done: int, total: int) -> None:
        if what == "moving kept" and done == total:
            state(writer, record("meanwhile", 60), owned("x", "meanwhile"))

    target = f"sqlite:///{tmp_path / 'b'}"
    with (
        closing(writer),
        closing(movable(source, target=False)) as out,
        closing(movable(target)) as into,
        pytest.raises(MigrationRefused, match="written meanwhile"),
    ):
        move(out, into, write)
    with pytest.raises(StoreUnfinished):
        opened(target)


def test_a_difference_is_seen_and_keeps_the_target_shut(tmp_path: Path) -> None:
    source, target = f"sqlite:///{tmp_path / 'a'}", f"sqlite:///{tmp_path / 'b'}"
    filled(source)

    class Losing(Breaking):
        def load(self, rows: Sequence[Row], was: Migration | None, now: Migration | None) -> None:
            self._target.load([row for row in rows if not isinstance(row, KeptRow) or row.key != "k1"], was, now)

    with closing(movable(source, target=False)) as out, closing(movable(target)) as into:
        compared = move(out, Losing(into, 0, heard=True), silent, 3)
    assert [each.kind for each in compared if not each.same] == [Kind.KEPT]
    with pytest.raises(StoreUnfinished):
        opened(target)


def test_nothing_is_made_of_a_source_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        movable(f"sqlite:///{tmp_path / 'none'}", target=False)
    assert not (tmp_path / "none").exists()


def graph() -> list[str]:
    """
    All nodes and relationships on the server, but for the turns of writers and claims, and for how tallies lie in two nodes.
    """
    with server.driver().session() as session:
        nodes = session.run("MATCH (n) WHERE NOT n:Counter AND NOT n:Tally RETURN labels(n), properties(n)").values()
        edges = session.run(
            "MATCH (a)-[e]->(b) RETURN labels(a), coalesce(a.seq, a.id, a.key), type(e), properties(e),"
            " coalesce(b.seq, b.id)"
        ).values()
    return sorted(str([sorted(one.items()) if isinstance(one, dict) else one for one in row]) for row in nodes + edges)


def test_a_server_gets_the_graph_that_statements_make(tmp_path: Path) -> None:
    source, between = NEO4J.fresh(tmp_path), f"sqlite:///{tmp_path / 'b'}"
    filled(source)
    with closing(opened(source)) as store:
        state(store, record("every", 30), *EVERY)
    before = graph()
    moved(source, between)
    moved(between, NEO4J.fresh(tmp_path))
    assert graph() == before


def test_an_embedded_store_gets_the_names_that_statements_make(tmp_path: Path) -> None:
    import apsw

    source, target = f"sqlite:///{tmp_path / 'a'}", f"sqlite:///{tmp_path / 'b'}"
    filled(source)
    moved(source, target)
    query = "select n.field, n.text, e.at, e.statement from entries e join names n on n.id = e.name order by 1, 2, 3, 4"
    found = [
        apsw.Connection(str(tmp_path / name / "precedent.db"), flags=apsw.SQLITE_OPEN_READONLY)
        .execute(query)
        .fetchall()
        for name in ("a", "b")
    ]
    assert found[0]
    assert found[0] == found[1]


def test_facts_of_a_moved_store_are_stated_once(tmp_path: Path) -> None:
    source, target = f"sqlite:///{tmp_path / 'a'}", f"sqlite:///{tmp_path / 'b'}"
    said: Fact = owned("x", "a")
    with closing(opened(source)) as store:
        state(store, record("r", 1), said, snapshot=True)
    moved(source, target)
    with closing(opened(target)) as store:
        assert store.append([record("r", 1)])[0].duplicate
        assert state(store, record("s", 2), said, snapshot=True, trust=Trust.DECLARED).unchanged == 1
