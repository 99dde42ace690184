"""
A writer killed at any moment: what it acknowledged is there, and the state is that of an undisturbed run.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

from graph.contract import Store, Yield
from graph.opening import open_store
from graph.values import Change, Fact, Item, Record, Statement, Trust
from tests.contract.making import deploy, owned, record, tallied, view

KILLS = 50
DEEDS = 4000


def deed(number: int) -> tuple[Record, Yield]:
    """
    The nth record of the run and what it yields; every third one is a snapshot that replaces an owner.
    """
    if number % 3 == 0:
        made = record(f"r{number}", number, part=str(number % 6))
        items: tuple[Item, ...] = (owned(f"x{number % 6}", str(number % 5)), owned("shared", "a"))
        return made, Yield(record=made.id, items=items, trust=Trust.DECLARED, snapshot=True)
    made = record(f"r{number}", number, source="deploys", part=str(number))
    return made, Yield(record=made.id, items=(deploy(str(number % 40), number, "x"),), trust=Trust.OBSERVED)


def work(store: Store, first: int, last: int, *, aloud: bool = False) -> None:
    """
    Append, then apply, record by record; each acknowledgement goes to standard output at once.
    """
    for number in range(first, last):
        made, yielded = deed(number)
        store.append([made])
        if aloud:
            print("a", number, flush=True)
        store.apply([yielded])
        if aloud:
            print("b", number, flush=True)


def _killed(folder: Path, first: int, wait: float) -> list[tuple[str, int]]:
    """
    What a child acknowledged, from `first` on, until it was killed so many seconds after its first word.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.test_store_kill", str(folder), str(first)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout is not None
    said = child.stdout.readline()
    try:
        child.wait(timeout=wait)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
    said += child.stdout.read()
    child.wait()
    child.stdout.close()
    # A line cut short was not acknowledged.
    return [(line[0], int(line[2:])) for line in said.split("\n")[:-1] if line]


def _told(store: Store) -> list[tuple[object, ...]]:
    items: list[Statement[Fact] | Statement[Change]] = [
        *store.facts(view(DEEDS)),
        *store.changes(view(DEEDS), limit=DEEDS),
    ]
    ended: list[Fact] = [one.item for one in store.facts(view(DEEDS), valid=False)]
    return [(one.seq, one.item, one.record, one.known) for one in items] + [(one,) for one in ended]


def test_nothing_acknowledged_is_lost_at_fifty_kills_and_the_rest_is_as_undisturbed(tmp_path: Path) -> None:
    draw = random.Random(11)
    reached = 0
    for _ in range(KILLS):
        said = _killed(tmp_path / "store", reached, draw.random() * 0.06)
        store = open_store(f"sqlite:///{tmp_path / 'store'}")
        records = store.records(limit=DEEDS)
        assert store.tally() == tallied(records)
        there = {one.id: one.state.value for one in records}
        assert all(f"r{number}" in there for _, number in said)
        assert all(there[f"r{number}"] == "applied" for letter, number in said if letter == "b")
        reached = max(len(there) - 1, 0)
        store.close()
    store = open_store(f"sqlite:///{tmp_path / 'store'}")
    undisturbed = open_store(f"sqlite:///{tmp_path / 'other'}")
    work(store, reached, reached + 1)
    work(undisturbed, 0, reached + 1)
    assert reached > KILLS
    assert _told(store) == _told(undisturbed)
    assert store.changes_since(0, 100_000) == undisturbed.changes_since(0, 100_000)
    store.close()
    undisturbed.close()


def main() -> None:
    """
    The child: work until it is killed.
    """
    store = open_store(f"sqlite:///{sys.argv[1]}")
    work(store, int(sys.argv[2]), DEEDS, aloud=True)


if __name__ == "__main__":
    main()
