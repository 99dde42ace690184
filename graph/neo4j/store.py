"""
The store beyond one machine: the contract over a Neo4j server that any number of processes share.

Opening touches no network: the schema is brought up by the first call that reaches the server. Every call is one
managed transaction, tried again for a short while where the fault may pass; each bears being tried again after a commit
whose word got lost.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar, cast

from graph.appending import Appending
from graph.contract import Applied, Event, Excerpt, Receipt, Retraction, Standing, Tally, Yield
from graph.decoded import Decoded
from graph.documents import best_of_each
from graph.encoding import micros
from graph.errors import NotSupported
from graph.keys import BEGINNING, OPEN
from graph.neo4j import journal, shelves
from graph.neo4j.access import Access
from graph.neo4j.connecting import DEFAULT_LIMITS, Limits, Line, Row, Transaction, one, rows
from graph.neo4j.hands import Neo4jHands
from graph.neo4j.properties import indexed, statement_of_row
from graph.neo4j.rows import Neo4jRows
from graph.recoveries import recovered
from graph.retracting import Retracting
from graph.stating import Stating
from graph.values import (
    UNPLACED,
    Alert,
    AlertRule,
    Change,
    EntityId,
    Fact,
    FactKind,
    Incident,
    Item,
    ItemKind,
    ItemT,
    Labels,
    Record,
    RecordState,
    Runbook,
    Statement,
    View,
)

T = TypeVar("T")


class Neo4jStore:
    """
    A `graph.contract.Store`. Thread-safe; any number of processes read and write.
    """

    def __init__(
        self,
        url: str,
        *,
        user: str = "",
        password: str = "",
        read_only: bool = False,
        whole: bool = True,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._line = Line(url, user, password, limits)
        self._access = Access(self._line, writes=not read_only, whole=whole)
        self._decoded = Decoded()
        self._appending = Appending(
            lambda records: self._access.write(lambda transaction: journal.append(transaction, records))
        )
        self._claims = journal.Claims()

    def append(self, records: Sequence[Record]) -> tuple[Receipt, ...]:
        return self._appending.append(records) if records else ()

    def claim(
        self, limit: int, *, source: str | None = None, lease: timedelta = timedelta(minutes=5)
    ) -> tuple[Record, ...]:
        # whoever waits for work asks often, and a claim that finds none would be a commit
        if not self._access.read(lambda transaction: one(transaction, "records_pending"))[0]:
            return ()
        return self._claims.claim(self._access.write, limit, source, lease)

    def quarantine(self, record: str, reason: str) -> None:
        with self._claims.settling():
            self._access.write(lambda transaction: journal.quarantine(transaction, record, reason))

    def release(self, *, source: str | None = None, records: Collection[str] = ()) -> int:
        return self._access.write(lambda transaction: journal.release(transaction, source, records))

    def records(
        self,
        ids: Collection[str] = (),
        *,
        source: str | None = None,
        state: RecordState | None = None,
        visibility: Labels | None = None,
        limit: int = 1000,
    ) -> tuple[Record, ...]:
        return self._access.read(lambda transaction: journal.find(transaction, ids, source, state, visibility, limit))

    def excerpts(self, ids: Collection[str], *, visibility: Labels, length: int) -> tuple[Excerpt, ...]:
        return self._access.read(lambda transaction: journal.excerpts(transaction, ids, visibility, length))

    def lapsed(self, ids: Collection[str]) -> frozenset[str]:
        return self._access.read(lambda transaction: journal.lapsed(transaction, ids))

    def standing(self, source: str, parts: Collection[str]) -> tuple[Standing, ...]:
        return self._access.read(lambda transaction: journal.standing(transaction, source, parts))

    def labelled(self, source: str) -> frozenset[Labels]:
        return self._access.read(lambda transaction: journal.labelled(transaction, source))

    def restrict(self, records: Collection[str], labels: Labels) -> None:
        self._access.write(lambda transaction: journal.restrict(transaction, records, labels))

    def tally(self) -> tuple[Tally, ...]:
        return self._access.read(journal.tally)

    def apply(self, yields: Sequence[Yield]) -> Applied:
        with self._claims.settling():
            return self._stating(lambda hands: Stating(hands).apply(yields)) if yields else Applied()

    def sweep(self, source: str, seen: Collection[str], at: datetime) -> Applied:
        return self._stating(lambda hands: Stating(hands).sweep(source, seen, micros(at)))

    def resting(self, record: str) -> Retraction:
        return self._stating(lambda hands: Retracting(hands).resting(record))

    def retract(self, record: str, at: datetime, reason: str) -> Retraction:
        return self._stating(lambda hands: Retracting(hands).retract(record, micros(at), reason))

    def erase(self, record: str) -> Retraction:
        retraction = self._stating(lambda hands: Retracting(hands).erase(record))
        self._decoded.forget()
        return retraction

    def facts(
        self,
        view: View,
        *,
        kinds: Collection[FactKind] = (),
        subjects: Collection[EntityId] = (),
        objects: Collection[str] = (),
        valid: bool = True,
    ) -> tuple[Statement[Fact], ...]:
        query = "facts_of_subjects" if subjects else "facts_of_objects" if objects else "facts_of_kinds"
        values = _eyes(view) | {
            "kinds": [kind.value for kind in dict.fromkeys(kinds)] or [kind.value for kind in FactKind],
            "texts": _texts(subjects or objects),
            "any_time": not valid,
            "as_of": micros(view.as_of),
        }
        found = self._statements(Fact, query, values)
        if subjects and objects:
            return tuple(one for one in found if one.item.object in objects)
        return found

    def changes(
        self,
        view: View,
        *,
        services: Collection[EntityId] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        ids: Collection[str] = (),
        limit: int = 1000,
    ) -> tuple[Statement[Change], ...]:
        if services is not None and not services:
            return ()
        query = "changes_of_ids" if ids else "changes_within" if services is None else "changes_of_services"
        values = _eyes(view) | {
            "ids": _texts(ids),
            "services": _texts(services or ()),
            "start": BEGINNING if start is None else micros(start),
            "end": OPEN if end is None else micros(end),
            "limit": limit,
        }
        found = self._statements(Change, query, values)
        if ids and services is not None:
            found = tuple(one for one in found if not frozenset(services).isdisjoint(one.item.services or (UNPLACED,)))
        return found[:limit]

    def incidents(self, view: View, ids: Collection[str] | None = None) -> tuple[Statement[Incident], ...]:
        return best_of_each(self._documents(view, ids, Incident, ItemKind.INCIDENT))

    def runbooks(self, view: View, ids: Collection[str] | None = None) -> tuple[Statement[Runbook], ...]:
        return self._documents(view, ids, Runbook, ItemKind.RUNBOOK)

    def alert_rules(self, view: View, names: Collection[str] | None = None) -> tuple[Statement[AlertRule], ...]:
        return self._documents(view, names, AlertRule, ItemKind.ALERT_RULE)

    def _documents(
        self, view: View, names: Collection[str] | None, _: type[ItemT], kind: ItemKind
    ) -> tuple[Statement[ItemT], ...]:
        if names is not None and not names:
            return ()
        query = "documents_of_kind" if names is None else "documents_of_names"
        return self._statements(_, query, _eyes(view) | {"kind": kind.value, "names": _texts(names or ())})

    def alerts(
        self, view: View, *, names: Collection[str] = (), start: datetime | None = None, limit: int = 1000
    ) -> tuple[Statement[Alert], ...]:
        values = _eyes(view) | {
            "names": _texts(names),
            "start": BEGINNING if start is None else micros(start),
            "limit": limit,
        }
        return recovered(self._statements(Alert, "alerts_of_names" if names else "alerts_since", values))

    def statements(self, seqs: Collection[int], view: View | None = None) -> tuple[Statement[Item], ...]:
        found: tuple[Statement[Item], ...] = self._statements(
            cast("type[Item]", object), "statements_by_seq", {"seqs": sorted(set(seqs))}
        )
        return tuple(one for one in found if view is None or view.sees(one))

    def _statements(self, _: type[ItemT], query: str, values: dict[str, object]) -> tuple[Statement[ItemT], ...]:
        found = self._decode(self._access.read(lambda transaction: rows(transaction, query, **values)))
        # The query is of one kind of item.
        return cast("tuple[Statement[ItemT], ...]", found)

    def _decode(self, found: Sequence[Row]) -> tuple[Statement[Item], ...]:
        known = self._decoded.get((row[0], row[7]) for row in found)
        statements = []
        for row in found:
            statement = known.get(row[0])
            if statement is None:
                statement = statement_of_row(row)
                self._decoded.put(statement, row[7], len(row[2]))
            statements.append(statement)
        return tuple(statements)

    def services_changed(self, view: View | None = None) -> frozenset[EntityId]:
        query, values = ("services_named", {}) if view is None else ("services_seen", _eyes(view))
        found = self._access.read(lambda transaction: rows(transaction, query, **values))
        return frozenset(name for (name,) in found) - {UNPLACED}

    def changes_since(self, watermark: int, limit: int = 1000, kinds: Collection[ItemKind] = ()) -> tuple[Event, ...]:
        wanted = [kind.value for kind in kinds or ItemKind]
        found = self._access.read(
            lambda transaction: rows(transaction, "feed_after", watermark=watermark, limit=limit, kinds=wanted)
        )
        there = self._decode([row[3:] for row in found if row[3] is not None])
        statements = {one.seq: one for one in there}
        return tuple(
            Event(seq=seq, op=op, statement_seq=statement, statement=statements.get(statement))
            for seq, op, statement, *_ in found
        )

    def watermark(self) -> int:
        end: int = self._access.read(lambda transaction: one(transaction, "feed_end"))[0]
        return end

    def keep(self, shelf: str, bodies: Iterable[tuple[str, bytes]], records: Collection[str] = ()) -> None:
        given = tuple(bodies)
        self._access.write(lambda transaction: shelves.keep(transaction, shelf, given, records))

    def kept(self, shelf: str, keys: Collection[str] | None = None) -> dict[str, bytes]:
        return self._access.read(lambda transaction: shelves.kept(transaction, shelf, keys))

    def rows_of(self, maker: str, dimension: int) -> Neo4jRows:
        return Neo4jRows(maker, dimension, self._access)

    def backup(self, target: Path) -> None:
        raise NotSupported(
            self._line.url,
            "A server is backed up by its own tools; `precedent migrate` copies it into an embedded store",
        )

    def close(self) -> None:
        self._line.close()

    def _stating(self, rules: Callable[[Neo4jHands], T]) -> T:
        def work(transaction: Transaction) -> T:
            hands = Neo4jHands(transaction)
            told = rules(hands)
            hands.flush()
            return told

        return self._access.write(work)


def _eyes(view: View) -> dict[str, object]:
    return {
        "known_at": micros(view.known_at),
        "labels": sorted(view.visibility),
        "hidden": sorted(view.hidden),
    }


def _texts(texts: Collection[str]) -> list[str]:
    return sorted({indexed(text) for text in texts})
