"""
What a store promises that several processes share: nothing is claimed twice, applied twice, or skipped.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from graph.contract import Store, Yield
from graph.neo4j.queries import queries
from graph.values import RecordState, Trust
from tests import server
from tests.contract.making import day, deploy, owned, record, state, tallied, view

WRITERS = 4


@pytest.fixture
def stores() -> Iterator[list[Store]]:
    """
    One memory through several stores, as several processes have it.
    """
    first = server.emptied()
    found = [first, *(server.opened() for _ in range(WRITERS - 1))]
    yield found
    for one in found:
        one.close()


def side_by_side(work: Callable[[int], None]) -> None:
    errors: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - raised again where the thread is waited for
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        raise error


def test_no_record_is_claimed_by_two(stores: list[Store]) -> None:
    stores[0].append([record(f"r{number:03}", part=str(number)) for number in range(200)])
    claimed: list[list[str]] = [[] for _ in range(WRITERS)]

    def claim(number: int) -> None:
        while batch := stores[number].claim(7):
            claimed[number] += [one.id for one in batch]

    side_by_side(claim)
    together = [one for batch in claimed for one in batch]
    assert sorted(together) == sorted(set(together)) == [f"r{number:03}" for number in range(200)]


def test_a_dead_workers_claims_are_taken_over_and_applied_once(stores: list[Store]) -> None:
    dead, alive, *_ = stores
    dead.append([record("r")])
    assert len(dead.claim(1, lease=timedelta(milliseconds=50))) == 1
    assert alive.claim(1) == ()
    while not (taken := alive.claim(1)):
        pass
    assert [one.id for one in taken] == ["r"]
    yielded = Yield(record="r", items=(owned("x", "a"),), trust=Trust.DECLARED)
    assert alive.apply([yielded]).stated == 1
    # it was not dead but slow
    assert dead.apply([yielded]).stated == 0
    assert [one.op for one in alive.changes_since(0)] == ["opened"]


def test_a_follower_beside_writers_of_several_processes_misses_nothing(stores: list[Store]) -> None:
    seen: list[int] = []

    def write(number: int) -> None:
        if number == 0:
            while len(seen) < 20 * (WRITERS - 1):
                seen.extend(one.seq for one in stores[0].changes_since(seen[-1] if seen else 0, limit=5))
            return
        for nth in range(20):
            name = f"{number}-{nth}"
            state(stores[number], record(name, source=f"s{number}", part=name), owned(name, "a"))

    side_by_side(write)
    assert seen == list(range(1, 20 * (WRITERS - 1) + 1))


def test_one_thing_stated_by_many_at_once_is_stated_once(stores: list[Store]) -> None:
    def write(number: int) -> None:
        for nth in range(10):
            made = record(f"{number}-{nth}", nth, source="deploys", part=f"{number}-{nth}")
            state(stores[number], made, deploy("1", 1, "x", title="same"))

    side_by_side(write)
    (only,) = stores[0].changes(view(50))
    assert (only.item.title, stores[0].watermark()) == ("same", 1)


def test_records_that_come_at_once_are_all_durable_and_each_new_once(stores: list[Store]) -> None:
    new: list[int] = []

    def append(number: int) -> None:
        for nth in range(40):
            receipts = stores[0].append(
                [record(f"r{nth}", part=str(nth)), record(f"{number}-{nth}", part=f"{number}-{nth}")]
            )
            new.append(sum(not receipt.duplicate for receipt in receipts))

    side_by_side(append)
    assert sum(new) == 40 + 40 * WRITERS == len(stores[1].records(state=RecordState.PENDING, limit=1000))


def test_of_one_things_events_applied_by_many_at_once_the_last_counts(stores: list[Store]) -> None:
    made = [
        record(f"r{nth}", 100 - nth, source="deploys", part=str(nth % 3), occurred=nth) for nth in range(10 * WRITERS)
    ]
    stores[0].append(made)

    def apply(number: int) -> None:
        for nth in range(number, len(made), WRITERS):
            item = deploy("1", 1, "x", title=str(nth))
            stores[number].apply([Yield(record=made[nth].id, items=(item,), trust=Trust.OBSERVED)])

    side_by_side(apply)
    (only,) = stores[0].changes(view(200))
    assert only.item.title == str(len(made) - 1)


def test_tallies_are_right_whoever_does_what_at_once(stores: list[Store]) -> None:
    """
    Records come, are applied, set aside and let go side by side, some by two workers that both claimed them.
    """
    made = [record(f"r{nth}", nth, source=f"s{nth % 2}", part=str(nth)) for nth in range(80)]
    stores[0].append(made[:40])

    def write(number: int) -> None:
        if number == 0:
            for one in made[40:]:
                stores[0].append([one])
            return
        for one in made[:40]:
            if number == 1:
                stores[1].quarantine(one.id, "bad")
            elif number == 2:
                stores[2].apply([Yield(record=one.id, items=(owned("x", one.id),), trust=Trust.DECLARED)])
            else:
                stores[3].release(records=[one.id])

    side_by_side(write)
    assert stores[1].tally() == tallied(stores[1].records())
    for one in made[:40:7]:
        stores[0].erase(one.id)
    assert stores[1].tally() == tallied(stores[1].records())


def test_an_older_store_is_counted_once_when_its_schema_comes_up(stores: list[Store]) -> None:
    state(stores[0], record("r", 1), owned("x", "a"))
    stores[0].append([record("s", 2), record("t", 3, source="other")])
    stores[0].retract("t", day(4), "wrong")
    with server.driver().session() as session:
        session.run("MATCH (t:Tally) DETACH DELETE t").consume()
        session.run("MATCH (c:Counter) REMOVE c.tallied").consume()
        session.run("MATCH (v:Schema) SET v.version = 2").consume()
    found: list[Store] = [server.opened() for _ in range(WRITERS)]

    def begin(number: int) -> None:
        found[number].append([record(f"new{number}", 5)])

    side_by_side(begin)
    assert found[0].tally() == tallied(found[0].records())
    for one in found:
        one.close()


ALL_OF_THEM = {"records_any", "move_counts", "services_named", "services_seen", "record_forget"}
"""Queries that are about everything there is."""


@pytest.mark.parametrize("name", sorted(queries().keys() - ALL_OF_THEM))
def test_no_question_looks_at_all_nodes_of_a_kind(name: str) -> None:
    """
    A store of a million records answers as one of a hundred: each query begins at an index.
    """
    server.emptied().close()
    text = queries()[name]
    if "db.index" in text:
        pytest.skip("an index is asked by its name")
    with server.driver().session() as session:
        # the planner needs to know the parameters' kinds alone
        plan = session.run(f"EXPLAIN {text}", dict.fromkeys(re.findall(r"\$(\w+)", text))).consume().plan
    assert plan is not None
    scans = {"NodeByLabelScan", "AllNodesScan", "DirectedRelationshipTypeScan", "UndirectedRelationshipTypeScan"}
    small = {"Counter", "Schema", "Shard", "RowSet", "Source", "Tally"}
    found = [
        one
        for one in operators(plan)
        if one["operatorType"].partition("@")[0] in scans
        and not any(f":{label}" in str(one["args"].get("Details")) for label in small)
    ]
    assert [one["args"].get("Details") for one in found] == []


def operators(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("children", ()):
        yield from operators(child)
