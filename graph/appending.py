"""
Appending in groups: records of callers that come at the same time become durable in one commit.

Whoever finds nobody at work commits for all that wait, and then hands the lead to the first of those who came
meanwhile; the others wait until theirs is durable. So a commit costs its callers once, and nobody leads for long.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from graph.contract import Receipt
from graph.errors import InvalidValue
from graph.values import Record

LARGEST_GROUP = 2000
"""Records of a commit; a single call may bring more."""


@dataclass(slots=True)
class _Turn:
    records: Sequence[Record]
    receipts: tuple[Receipt, ...] | None = None
    error: BaseException | None = None
    called: threading.Event = field(default_factory=threading.Event)
    """It is done, or has to lead."""

    @property
    def done(self) -> bool:
        return self.receipts is not None or self.error is not None


class Appending:
    """
    Thread-safe. `commit` makes records durable and returns the places of those that were there already.
    """

    def __init__(self, commit: Callable[[Sequence[Record]], set[int]]) -> None:
        self._commit = commit
        self._lock = threading.Lock()
        self.waiting: list[_Turn] = []
        """Who will be part of a later commit."""
        self._working = False

    def append(self, records: Sequence[Record]) -> tuple[Receipt, ...]:
        """
        Receipts, once durable; or what went wrong. InvalidValue of a record fails its own call alone.
        """
        turn = _Turn(records)
        with self._lock:
            self.waiting.append(turn)
            leads = not self._working
            self._working = True
        if not leads:
            turn.called.wait()
        if not turn.done:
            self._lead(turn)
        if turn.error is not None:
            raise turn.error
        return turn.receipts or ()

    def _lead(self, turn: _Turn) -> None:
        group = [turn]
        try:
            group = self._next()
            self._together(group)
        except BaseException as error:
            # whatever ended the leader, nobody waits for a commit that will not come, nor takes it for done
            for one in group:
                if not one.done:
                    one.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            with self._lock:
                following = self.waiting[:1]
                self._working = bool(following)
            for one in [*group, *following]:
                one.called.set()

    def _next(self) -> list[_Turn]:
        """
        Who comes now: the leader, which waited longest, and those behind it.
        """
        group: list[_Turn] = []
        size = 0
        with self._lock:
            while self.waiting and (not group or size + len(self.waiting[0].records) <= LARGEST_GROUP):
                size += len(self.waiting[0].records)
                group.append(self.waiting.pop(0))
        return group

    def _together(self, group: Sequence[_Turn]) -> None:
        try:
            known = self._commit([record for turn in group for record in turn.records])
        except InvalidValue:
            if len(group) == 1:
                raise
            for turn in group:
                self._alone(turn)
            return
        place = 0
        for turn in group:
            turn.receipts = tuple(
                Receipt(record=record.id, duplicate=nth in known) for nth, record in enumerate(turn.records, place)
            )
            place += len(turn.records)

    def _alone(self, turn: _Turn) -> None:
        try:
            self._together([turn])
        except Exception as error:  # noqa: BLE001 - raised again where the turn is waited for
            turn.error = error
