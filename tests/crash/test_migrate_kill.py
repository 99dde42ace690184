"""
A migration killed at any moment goes on where it was, and ends with the same store.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from graph.errors import StoreUnfinished
from graph.moving import move
from graph.opening import open_movable, open_store
from tests.crash.test_store_kill import work

KILLS = 8
DEEDS = 600


def _killed(source: str, target: str, pages: int) -> bool:
    """
    Whether a child was killed after so many pages, before it ended.
    """
    command = [sys.executable, "-m", "tests.crash.test_migrate_kill", source, target]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as child:
        assert child.stdout is not None
        for _ in range(pages):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        return child.wait() == -signal.SIGKILL


def test_a_killed_migration_goes_on(tmp_path: Path) -> None:
    source, target = f"sqlite:///{tmp_path / 'a'}", f"sqlite:///{tmp_path / 'b'}"
    with closing(open_store(source)) as store:
        work(store, 0, DEEDS)
        told = store.changes_since(0, 10 * DEEDS)
    draw = random.Random(5)
    for _ in range(KILLS):
        assert _killed(source, target, draw.randint(1, 20))
        with pytest.raises(StoreUnfinished):
            open_store(target)
    main(source, target)
    with closing(open_store(target)) as store:
        assert store.changes_since(0, 10 * DEEDS) == told


def main(source: str, target: str) -> None:
    """
    The child: move page by page, and say so.
    """
    with closing(open_movable(source, target=False)) as one, closing(open_movable(target, target=True)) as other:
        compared = move(one, other, lambda *done: print(*done, flush=True), 10)
    assert all(each.same for each in compared)


if __name__ == "__main__":
    main(*sys.argv[1:])
