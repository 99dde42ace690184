"""
The store's facts in memory, kept in step by the feed alone: answered from dictionaries, and while the store cannot be
reached.

A fact is found by its kind, by kind and subject, and by kind and object, each under a key with None for "any". The
keys hold seqs in commit order and one table the statements, so closing a fact is one assignment, and erasing it takes
it and its words out of everything.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import product
from threading import Lock
from typing import TypeAlias, cast

from graph.contract import Event
from graph.values import EntityId, Fact, FactKind, Statement, View

_Key: TypeAlias = tuple[FactKind, EntityId | None, str | None]
"""Kind, subject and object; None stands for any."""


class Replica:
    """
    A `graph.contract.Facts`. Safe to share between threads.
    """

    def __init__(self) -> None:
        self._facts: dict[int, Statement[Fact]] = {}
        self._found_by: dict[_Key, list[int]] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._facts)

    def take(self, events: Iterable[Event]) -> frozenset[FactKind]:
        """
        Follow these lines of the feed; lines of other things than facts do no harm. The kinds of the facts that were
        opened, closed or erased.
        """
        with self._lock:
            return frozenset(fact.kind for event in events if (fact := self._take(event)) is not None)

    def _take(self, event: Event) -> Fact | None:
        if event.op == "erased" or event.statement is None:
            return self._erase(event.statement_seq)
        if not isinstance(event.statement.item, Fact):
            return None
        statement = cast("Statement[Fact]", event.statement)
        if statement.seq not in self._facts:
            for key in _keys(statement.item):
                insort(self._found_by.setdefault(key, []), statement.seq)
        self._facts[statement.seq] = statement
        return statement.item

    def _erase(self, seq: int) -> Fact | None:
        erased = self._facts.pop(seq, None)
        if erased is None:
            return None
        for key in _keys(erased.item):
            seqs = self._found_by[key]
            del seqs[bisect_left(seqs, seq)]
            if not seqs:
                del self._found_by[key]
        return erased.item

    def facts(
        self,
        view: View,
        *,
        kinds: Collection[FactKind] = (),
        subjects: Collection[EntityId] = (),
        objects: Collection[str] = (),
        valid: bool = True,
    ) -> tuple[Statement[Fact], ...]:
        """
        What `Store.facts` answers to the same question, of what the feed has told so far.
        """
        with self._lock:
            places = [self._found_by[key] for key in _asked(kinds, subjects, objects) if key in self._found_by]
            seqs = places[0] if len(places) == 1 else sorted(seq for found in places for seq in found)
            found = [self._facts[seq] for seq in seqs]
        return tuple(
            one
            for one in found
            if view.sees(one)
            and (not valid or one.item.valid.holds(view.as_of))
            and not (subjects and objects and one.item.object not in objects)
        )

    def any(self, kind: FactKind) -> bool:
        """
        Whether a fact of this kind was ever stated.
        """
        return (kind, None, None) in self._found_by

    def former(self, view: View, kind: FactKind, subjects: Collection[EntityId]) -> tuple[Statement[Fact], ...]:
        """
        What was once said of these and had been taken back by the view's time, as far as the reader may see it.
        """
        with self._lock:
            places = [self._found_by.get((kind, subject, None), ()) for subject in frozenset(subjects)]
            found = [self._facts[seq] for seq in sorted(seq for seqs in places for seq in seqs)]
        return tuple(
            one
            for one in found
            if one.known.end is not None
            and one.known.end <= view.known_at
            and one.visibility <= view.visibility
            and one.record not in view.hidden
        )

    def records(self, kinds: Collection[FactKind]) -> set[str]:
        """
        The records that state facts of these kinds.
        """
        with self._lock:
            return {self._facts[seq].record for kind in kinds for seq in self._found_by.get((kind, None, None), ())}

    def moments(self, kinds: Collection[FactKind]) -> set[datetime]:
        """
        All times at which a fact of these kinds begins or ends, to hold or to be known: between two of them every view
        sees the same of them.
        """
        with self._lock:
            places = [self._found_by.get((kind, None, None), ()) for kind in kinds]
            found = [self._facts[seq] for seqs in places for seq in seqs]
        spans = [span for one in found for span in (one.known, one.item.valid)]
        return {moment for span in spans for moment in (span.start, span.end) if moment}


def _keys(fact: Fact) -> tuple[_Key, ...]:
    return (fact.kind, None, None), (fact.kind, fact.subject, None), (fact.kind, None, fact.object)


def _asked(kinds: Collection[FactKind], subjects: Collection[EntityId], objects: Collection[str]) -> Iterator[_Key]:
    """
    The keys of a question, each once; a fact is found by one of them at most.
    """
    among = frozenset(kinds) or frozenset(FactKind)
    if subjects:
        return ((kind, subject, None) for kind, subject in product(among, frozenset(subjects)))
    if objects:
        return ((kind, None, object_) for kind, object_ in product(among, frozenset(objects)))
    return ((kind, None, None) for kind in among)
