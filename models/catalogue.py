"""
Who and what there is, for looking up names: services, aliases, owners, and the alerts that are known.

A derived index in memory that follows the store's feed. `directory(view)` is what one view sees of it. A directory is
kept as long as no statement that it could rest on was opened, closed or erased, for every view between the same two
moments at which anything began or ended: so it answers exactly what a fresh one would.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from threading import RLock

from graph.contract import Store
from graph.identity import Identity
from graph.values import (
    IDENTITY_KINDS,
    Alert,
    AlertRule,
    EntityId,
    Fact,
    FactKind,
    Incident,
    Item,
    ItemKind,
    Statement,
    View,
)
from models.directory import SERVICE_LABELS, TEAM_LABELS, Directory
from models.matching import Names
from models.parameters import Parameters, load

FEED = 5000
KEPT_VIEWS = 16
KINDS = (ItemKind.FACT, ItemKind.ALERT_RULE, ItemKind.ALERT, ItemKind.INCIDENT)
_KINDS = {FactKind.ENTITY, FactKind.ALIAS, FactKind.OWNED_BY, FactKind.BUILT_FROM, *IDENTITY_KINDS}


class Catalogue:
    """
    Follows the feed; safe to share between threads. `parameters` are those of `resolution` (None: the shipped ones).
    """

    def __init__(self, parameters: Parameters | None = None) -> None:
        self._weights: Mapping[str, float] = (parameters or load("resolution")).numbers("lookup")
        self._facts: dict[int, Statement[Fact]] = {}
        self._rules: dict[int, Statement[AlertRule]] = {}
        self._alerts: dict[int, Statement[Alert]] = {}
        self._sayings: dict[tuple[str, ...], int] = {}
        self._store: Store | None = None
        self._seen: frozenset[EntityId] = frozenset()
        self._paged: dict[str, dict[int, Statement[Incident]]] = defaultdict(dict)
        self._at = 0
        self._bounds: list[datetime] = []
        self._views: OrderedDict[tuple[object, ...], Directory] = OrderedDict()
        self._lock = RLock()

    @property
    def watermark(self) -> int:
        """
        How far the feed was followed.
        """
        return self._at

    def follow(self, store: Store) -> None:
        """
        Catch up with the feed.
        """
        with self._lock:
            self._store = store
            end = store.watermark()
            if end <= self._at:
                return
            changed = False
            while events := store.changes_since(self._at, FEED, KINDS):
                for event in events:
                    changed = self._take(event.op, event.statement_seq, event.statement) or changed
                self._at = events[-1].seq
            self._at = max(self._at, end)
            seen = store.services_changed()
            changed = changed or seen != self._seen
            self._seen = seen
            if changed:
                self._views.clear()
                self._bounds = sorted(set(self._moments()))

    def _take(self, op: str, seq: int, statement: Statement[Item] | None) -> bool:
        if op == "erased" or statement is None:
            for found in self._paged.values():
                found.pop(seq, None)
            held = (self._facts.pop(seq, None), self._rules.pop(seq, None), self._alerts.pop(seq, None))
            return any(one is not None for one in held)
        item = statement.item
        if isinstance(item, Fact) and item.kind in _KINDS:
            self._facts[seq] = statement  # type: ignore[assignment]  # the item was tested
            return True
        if isinstance(item, Incident):
            for name in item.alerts:
                self._paged[name][seq] = statement  # type: ignore[assignment]  # the item was tested
            return False
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
        for fact in self._facts.values():
            spans = (fact.known, fact.item.valid)
            yield from (moment for span in spans for moment in (span.start, span.end) if moment)
        for known in [one.known for one in self._rules.values()] + [one.known for one in self._alerts.values()]:
            yield from (moment for moment in (known.start, known.end) if moment)

    def incidents_of(self, alert: str, view: View) -> list[Statement[Incident]]:
        """
        Incidents in which an alert of this name fired, in commit order, one of each id.
        """
        with self._lock:
            seen = [one for one in self._paged.get(alert, {}).values() if view.sees(one)]
        return list({one.item.id: one for one in sorted(seen, key=lambda one: one.seq)}.values())

    def directory(self, view: View) -> Directory:
        """
        What the view sees.
        """
        with self._lock:
            places = (bisect_right(self._bounds, view.as_of), bisect_right(self._bounds, view.known_at))
            mark = (*places, view.visibility, view.hidden)
            if mark not in self._views:
                self._views[mark] = self._build(view)
                while len(self._views) > KEPT_VIEWS:
                    self._views.popitem(last=False)
            self._views.move_to_end(mark)
            return self._views[mark]

    def _build(self, view: View) -> Directory:
        facts = [one for one in self._facts.values() if view.sees(one) and one.item.valid.holds(view.as_of)]
        found = Directory(Names(self._weights), Identity(one for one in facts if one.item.kind in IDENTITY_KINDS))
        for fact in facts:
            found.state(fact)
        found.adopt(sorted(self._store.services_changed(view)) if self._store and self._seen else ())
        for rule in self._rules.values():
            if view.sees(rule):
                found.rule(rule)
        for alert in self._alerts.values():
            if view.sees(alert):
                found.alert(alert)
        return found
