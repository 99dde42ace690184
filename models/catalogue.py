"""
Who and what there is, for looking up names: services, aliases, owners, and the alerts that are known.

A derived index in memory that follows the store's feed, and hands it on to the replicas of facts and incidents.
`directory(view)` is what one view sees of it. A directory is kept as long as no statement that it could rest on was
opened, closed or erased, for every view between the same two moments at which anything began or ended: so it answers
exactly what a fresh one would.

Which services changes name depends on who looks. It is asked of the store once for each reader, and again when the feed
moves, so that whoever asks does not wait for the store.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from threading import Lock, RLock
from typing import TypeAlias

from graph.contract import Event, Store
from graph.identity import Identity
from graph.replica import Replica
from graph.values import (
    IDENTITY_KINDS,
    PUBLIC,
    Alert,
    AlertRule,
    EntityId,
    FactKind,
    Item,
    ItemKind,
    Labels,
    Statement,
    View,
)
from models.aftermath import Aftermath
from models.directory import SERVICE_LABELS, TEAM_LABELS, Directory
from models.incidents import Incidents
from models.matching import Names
from models.parameters import Parameters, load

FEED = 5000
KEPT_VIEWS = 16
KEPT_READERS = 8
KEPT_FACTS = 4
KINDS = (ItemKind.FACT, ItemKind.ALERT_RULE, ItemKind.ALERT, ItemKind.INCIDENT)
_Reader: TypeAlias = tuple[Labels, frozenset[str]]
"""What decides which records one may see: his labels, and the records that are hidden from him."""
_KINDS = {FactKind.ENTITY, FactKind.ALIAS, FactKind.OWNED_BY, FactKind.BUILT_FROM, *IDENTITY_KINDS}


class Catalogue:
    """
    Follows the feed; safe to share between threads. `parameters` are those of `resolution` (None: the shipped ones).
    """

    def __init__(self, parameters: Parameters | None = None) -> None:
        self._weights: Mapping[str, float] = (parameters or load("resolution")).numbers("lookup")
        self.facts = Replica()
        self.incidents = Incidents()
        self.aftermath = Aftermath()
        self._rules: dict[int, Statement[AlertRule]] = {}
        self._alerts: dict[int, Statement[Alert]] = {}
        self._sayings: dict[tuple[str, ...], int] = {}
        self._store: Store | None = None
        self._named: OrderedDict[_Reader, frozenset[EntityId]] = OrderedDict({(PUBLIC, frozenset()): frozenset()})
        self._at = 0
        self._bounds: list[datetime] | None = None
        self._speaking: frozenset[str] | None = None
        self._views: OrderedDict[tuple[object, ...], Directory] = OrderedDict()
        self._named_alike: OrderedDict[tuple[object, ...], Directory] = OrderedDict()
        self._bags: dict[int, dict[str, float]] = {}
        self._lock = RLock()
        self._following = Lock()

    @property
    def watermark(self) -> int:
        """
        How far the feed was followed.
        """
        return self._at

    def follow(self, store: Store) -> None:
        """
        Catch up with the feed. Questions are answered meanwhile, from what is known so far.
        """
        with self._following:
            self._store = store
            end = store.watermark()
            if end <= self._at:
                return
            at = self._at
            while events := store.changes_since(at, FEED, KINDS):
                self._take(events)
                at = events[-1].seq
            named = self._named_again(store)
            with self._lock:
                self._named = named
                self._at = max(at, end)

    def _named_again(self, store: Store) -> OrderedDict[_Reader, frozenset[EntityId]]:
        """
        The same object where nothing changed, since directories are kept by it.
        """
        with self._lock:
            before = list(self._named.items())
        pairs = [(reader, known, _services_named(store, reader)) for reader, known in before]
        return OrderedDict((reader, known if known == found else found) for reader, known, found in pairs)

    def _take(self, events: Sequence[Event]) -> None:
        with self._lock:
            changed = not _KINDS.isdisjoint(self.facts.take(events))
            self.incidents.take(events)
            self.aftermath.take(events)
            for event in events:
                changed = self._take_one(event.op, event.statement_seq, event.statement) or changed
            if changed:
                self._views.clear()
                self._named_alike.clear()
                self._bounds = None
                self._speaking = None

    def _take_one(self, op: str, seq: int, statement: Statement[Item] | None) -> bool:
        if op == "erased" or statement is None:
            held = (self._rules.pop(seq, None), self._alerts.pop(seq, None))
            self._bags.pop(seq, None)
            return any(one is not None for one in held)
        item = statement.item
        if isinstance(item, AlertRule):
            self._rules[seq] = statement  # type: ignore[assignment]  # the item was tested
            return True
        return isinstance(item, Alert) and self._take_alert(op, seq, statement)

    def _take_alert(self, op: str, seq: int, statement: Statement[Item]) -> bool:
        """
        Keep the first occurrence of each saying whose an alert is; the thousandth teaches nothing.
        """
        item = statement.item
        assert isinstance(item, Alert)  # noqa: S101 - narrows the type
        whose = [item.labels.get(label, "") for label in (*SERVICE_LABELS, *TEAM_LABELS)]
        first = self._sayings.setdefault((item.name, *whose, *sorted(statement.visibility)), seq)
        if not any(whose) or (seq != first and seq not in self._alerts):
            return False
        self._alerts[seq] = statement  # type: ignore[assignment]  # the item was tested
        return True

    def _moments(self) -> Iterator[datetime]:
        yield from self.facts.moments(_KINDS)
        for known in [one.known for one in self._rules.values()] + [one.known for one in self._alerts.values()]:
            yield from (moment for moment in (known.start, known.end) if moment)

    def directory(self, view: View) -> Directory:
        """
        What the view sees.
        """
        view = self._as_told(view)
        named = self._named_for(view)
        with self._lock:
            if self._bounds is None:
                self._bounds = sorted(set(self._moments()))
            places = (bisect_right(self._bounds, view.as_of), bisect_right(self._bounds, view.known_at))
            mark = (*places, view.visibility, view.hidden, named)
            if mark not in self._views:
                self._views[mark] = self._build(view, named)
                while len(self._views) > KEPT_VIEWS:
                    self._views.popitem(last=False)
            self._views.move_to_end(mark)
            return self._views[mark]

    def _as_told(self, view: View) -> View:
        """
        The view without hidden records of incidents that say nothing here: each replay hides others. (A record of an
        incident states no changes, whose names would count too.)
        """
        if not view.hidden:
            return view
        with self._lock:
            if self._speaking is None:
                rules, alerts = self._rules.values(), self._alerts.values()
                told = {one.record for one in rules} | {one.record for one in alerts}
                self._speaking = frozenset(self.facts.records(_KINDS) | told)
            mute = self.incidents.records(view.hidden) - self._speaking
        return replace(view, hidden=view.hidden - mute) if mute else view

    def _named_for(self, view: View) -> frozenset[EntityId]:
        """
        The services that changes name, as far as the view's reader may see.
        """
        reader = (view.visibility, view.hidden)
        with self._lock:
            at, found = self._at, self._named.get(reader)
            if found is not None:
                self._named.move_to_end(reader)
                return found
        if self._store is None:
            return frozenset()
        found = _services_named(self._store, reader)
        with self._lock:
            # an answer from before the feed moved would never be asked for again
            if self._at == at:
                self._named[reader] = found
                while len(self._named) > KEPT_READERS:
                    self._named.popitem(last=False)
        return found

    def _build(self, view: View, named: frozenset[EntityId]) -> Directory:
        found = self._names(view, named).untaught(self._bags)
        for rule in self._rules.values():
            if view.sees(rule):
                found.rule(rule)
        for alert in self._alerts.values():
            if view.sees(alert):
                found.alert(alert)
        return found

    def _names(self, view: View, named: frozenset[EntityId]) -> Directory:
        """
        A directory of the facts alone, the same for all views that see the same facts: most moments differ in alerts.
        """
        facts = self.facts.facts(view, kinds=_KINDS)
        mark = (tuple(one.seq for one in facts), named)
        if mark not in self._named_alike:
            identity = Identity(one for one in facts if one.item.kind in IDENTITY_KINDS)
            found = Directory(Names(self._weights), identity)
            # what joins two names comes last: how their own sources call them says more
            for fact in sorted(facts, key=lambda one: one.item.kind in IDENTITY_KINDS):
                found.state(fact)
            found.adopt(sorted(named))
            self._named_alike[mark] = found
            while len(self._named_alike) > KEPT_FACTS:
                self._named_alike.popitem(last=False)
        self._named_alike.move_to_end(mark)
        return self._named_alike[mark]


def _services_named(store: Store, reader: _Reader) -> frozenset[EntityId]:
    labels, hidden = reader
    return store.services_changed(replace(View.now(labels), hidden=hidden))
