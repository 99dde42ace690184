"""
What a store must do: domain words and domain values, in and out. Every backend passes the same contract suite.

Writing goes record by record: `append` makes records durable, `claim` hands out the unapplied ones, `apply` puts what
a transform made of a record into the store and marks the record applied, in one transaction. Doing any of them twice
is doing it once. Reading takes a `View`; visibility and both times are filtered inside the query.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol

from graph.values import (
    Alert,
    AlertRule,
    Change,
    EntityId,
    Fact,
    FactKind,
    Incident,
    Item,
    ItemKind,
    Labels,
    Record,
    RecordState,
    Runbook,
    Statement,
    Trust,
    View,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """
    The journal's answer: the record is durable. `duplicate`: it was there already and is not applied again.
    """

    record: str
    duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Yield:
    """
    What a transform made of one record. `snapshot`: what an older record of the same source and part stated and this
    one does not is no longer stated.
    """

    record: str
    items: tuple[Item, ...]
    trust: Trust
    snapshot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """
    What `apply` or `sweep` did, in statements.
    """

    stated: int = 0
    unchanged: int = 0
    closed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraction:
    """
    What rested on a record: its statements' seqs, and the kept things (answers, vectors) that used it, as (shelf, key).
    """

    record: str
    statements: tuple[int, ...]
    kept: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """
    One line of the store's feed: a statement was opened, closed or erased. `seq` is the watermark after it.
    """

    seq: int
    op: str
    """`opened`, `closed` or `erased`; of an erased one only `statement_seq` remains."""
    statement_seq: int
    statement: Statement[Item] | None


class Excerpt(NamedTuple):
    """
    What a citation shows of a record: where it came from, and how its body begins.
    """

    id: str
    source: str
    connector: str
    part: str
    digest: str
    known_at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    The record that stands for a part: of those pending or applied the one that counts last (`graph.hands.rank_of`).
    `path` is where it was read.
    """

    record: str
    part: str
    digest: str
    received_at: datetime
    known_at: datetime
    visibility: Labels
    path: str
    lapsed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """
    A source's records by state, and when its newest one was received, became known, and, of those that are applied, was
    received: where `last_applied` is before `last_received`, the newest records wait or are set aside.
    """

    source: str
    connector: str
    states: dict[RecordState, int] = field(default_factory=dict, hash=False)
    last_received: datetime | None = None
    last_known: datetime | None = None
    last_applied: datetime | None = None


class Journal(Protocol):
    """
    Records: durable before they are acknowledged, handed out until they are settled.
    """

    def append(self, records: Sequence[Record]) -> tuple[Receipt, ...]:
        """
        Make records durable, in one commit. A record whose id is there already is a duplicate.
        """
        ...

    def claim(
        self, limit: int, *, source: str | None = None, lease: timedelta = timedelta(minutes=5)
    ) -> tuple[Record, ...]:
        """
        Pending records in the order of arrival, not claimed by another; a claim lapses after `lease`.
        """
        ...

    def quarantine(self, record: str, reason: str) -> None:
        """
        Set a record aside with the reason; nothing that it stated before is touched.
        """
        ...

    def release(self, *, source: str | None = None, records: Collection[str] = ()) -> int:
        """
        Make quarantined records pending again (all, a source's, or those named); the number of them.
        """
        ...

    def records(
        self,
        ids: Collection[str] = (),
        *,
        source: str | None = None,
        state: RecordState | None = None,
        visibility: Labels | None = None,
        limit: int = 1000,
    ) -> tuple[Record, ...]:
        """
        Records by id, or by source and state, oldest first. `visibility` None sees all.
        """
        ...

    def excerpts(self, ids: Collection[str], *, visibility: Labels, length: int) -> tuple[Excerpt, ...]:
        """
        Of the records with these ids that a reader sees, oldest first, no more than a citation needs: at most `length`
        characters of the body.
        """
        ...

    def lapsed(self, ids: Collection[str]) -> frozenset[str]:
        """
        Of these applied records, the snapshots that do not count any more: a newer one of their part was applied, or
        their part was swept. The same content seen again after that needs a new record to be stated again.
        """
        ...

    def standing(self, source: str, parts: Collection[str]) -> tuple[Standing, ...]:
        """
        Of each of these parts of a source, the record that stands for it; none for a part that has none.
        """
        ...

    def labelled(self, source: str) -> frozenset[Labels]:
        """
        All sets of labels that records of a source carry.
        """
        ...

    def restrict(self, records: Collection[str], labels: Labels) -> None:
        """
        Records carry these labels too from now on; what they stated is left as it is.
        """
        ...

    def tally(self) -> tuple[Tally, ...]:
        """
        Every source with its counts, which are kept: asking is cheap, however many records there are.
        """
        ...


class Facts(Protocol):
    """
    What is asked for facts: a store, or a replica of its facts.
    """

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
        Facts as they were stated, in commit order; empty filters mean any; `valid` False drops the test of `as_of`.
        """
        ...


class Store(Journal, Facts, Protocol):
    """
    The memory: statements with both times, what is kept beside them, and the feed that indexes follow.
    """

    def apply(self, yields: Sequence[Yield]) -> Applied:
        """
        State what the records yielded and mark them applied, all or nothing.
        """
        ...

    def sweep(self, source: str, seen: Collection[str], at: datetime) -> Applied:
        """
        Close, known `at`, what a snapshot source stated in parts that are not among `seen` any more.
        """
        ...

    def resting(self, record: str) -> Retraction:
        """
        What rests on a record, with nothing done. For a writer alone, since it asks under the writer's turn.
        """
        ...

    def retract(self, record: str, at: datetime, reason: str) -> Retraction:
        """
        Close all that the record stated, and tell what rested on it. The record stays, as retracted.
        """
        ...

    def erase(self, record: str) -> Retraction:
        """
        Remove the record, its statements and what was kept of it, bytes included.
        """
        ...

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
        """
        Changes with `start <= at < end`, newest first, on any of `services` (None: all; `UNPLACED` stands for those
        that name no service), or by id or revision.
        """
        ...

    def incidents(self, view: View, ids: Collection[str] | None = None) -> tuple[Statement[Incident], ...]:
        """
        Incidents by id (None: all), in commit order; one of several sources' statements of an id each.
        """
        ...

    def runbooks(self, view: View, ids: Collection[str] | None = None) -> tuple[Statement[Runbook], ...]:
        """
        Runbooks by id (None: all).
        """
        ...

    def alert_rules(self, view: View, names: Collection[str] | None = None) -> tuple[Statement[AlertRule], ...]:
        """
        Alert rules by name (None: all).
        """
        ...

    def alerts(
        self, view: View, *, names: Collection[str] = (), start: datetime | None = None, limit: int = 1000
    ) -> tuple[Statement[Alert], ...]:
        """
        Occurrences by alert name, newest first, those of a series with the end that its recoveries tell.
        """
        ...

    def statements(self, seqs: Collection[int], view: View | None = None) -> tuple[Statement[Item], ...]:
        """
        Statements by seq; with a view only what it sees.
        """
        ...

    def services_changed(self, view: View | None = None) -> frozenset[EntityId]:
        """
        The ids of all services that changes name, declared or not; with a view, of those that its reader may see,
        whenever they became known.
        """
        ...

    def changes_since(self, watermark: int, limit: int = 1000, kinds: Collection[ItemKind] = ()) -> tuple[Event, ...]:
        """
        The feed after `watermark`, in commit order and without gaps; with `kinds`, those of such items alone, and
        whatever was erased, since its kind is forgotten.
        """
        ...

    def watermark(self) -> int:
        """
        The feed's end.
        """
        ...

    def keep(self, shelf: str, bodies: Iterable[tuple[str, bytes]], records: Collection[str] = ()) -> None:
        """
        Put bytes on a shelf (`answers`, `vectors:MODEL`, `sources`, `store`) by key; `records` are what they rest on.
        """
        ...

    def kept(self, shelf: str, keys: Collection[str] | None = None) -> dict[str, bytes]:
        """
        What a shelf holds of these keys (None: all).
        """
        ...

    def backup(self, target: Path) -> None:
        """
        A consistent copy while others read and write.
        """
        ...

    def close(self) -> None:
        """
        Let go of the store; the writer's lock with it.
        """
        ...


def kind_of(item: Item) -> ItemKind:
    """
    The kind under which an item is stored.
    """
    return _KINDS[type(item)]


_KINDS: dict[type, ItemKind] = {
    Fact: ItemKind.FACT,
    Change: ItemKind.CHANGE,
    Incident: ItemKind.INCIDENT,
    Runbook: ItemKind.RUNBOOK,
    AlertRule: ItemKind.ALERT_RULE,
    Alert: ItemKind.ALERT,
}
