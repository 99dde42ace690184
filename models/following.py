"""
What a memory beside the store has in common: it follows the feed, and finds what happened by key and time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from datetime import datetime
from threading import Lock

from graph.contract import Event
from graph.values import Item, Statement


class Following(ABC):
    """
    Holds what it wants of the feed's statements. Whoever reads takes the lock: it is safe to share between threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()

    def take(self, events: Iterable[Event]) -> None:
        """
        Follow these lines of the feed; lines of other things do no harm.
        """
        with self._lock:
            for event in events:
                if event.op == "erased" or event.statement is None:
                    self._forget(event.statement_seq)
                else:
                    self._hold(event.statement)

    @abstractmethod
    def _hold(self, statement: Statement[Item]) -> None:
        """
        A statement was opened, or closed.
        """

    @abstractmethod
    def _forget(self, seq: int) -> None:
        """
        A statement was erased; it may be one that was never held.
        """


class Moments:
    """
    The seqs of statements by key, in order of when what they tell of happened.
    """

    def __init__(self) -> None:
        self._places: dict[str, list[tuple[float, int]]] = {}

    def put(self, key: str, at: datetime, seq: int) -> None:
        """
        Add one.
        """
        insort(self._places.setdefault(key, []), (at.timestamp(), seq))

    def drop(self, key: str, at: datetime, seq: int) -> None:
        """
        Take one out that was put so.
        """
        places = self._places[key]
        del places[bisect_left(places, (at.timestamp(), seq))]
        if not places:
            del self._places[key]

    def between(self, key: str, start: datetime, end: datetime) -> Iterator[int]:
        """
        Those of `start <= at <= end`, in order.
        """
        places = self._places.get(key, ())
        first, last = (start.timestamp(), -1), (end.timestamp(), 1 << 62)
        return (seq for _, seq in places[bisect_left(places, first) : bisect_right(places, last)])

    def any_after(self, key: str, moment: datetime) -> bool:
        """
        Whether one is later than that.
        """
        places = self._places.get(key)
        return places is not None and places[-1][0] > moment.timestamp()
