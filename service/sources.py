"""
The sources: those that are configured and those that were seen, and whether each still tells us something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from graph.contract import Store, Tally
from graph.values import Labels, RecordState
from service.arrivals import Arrivals, recent
from service.deliveries import Seen, deliveries
from service.parts import stamp
from service.readings import Read, readings
from service.webhooks import SILENT_AFTER, Webhook

QUARANTINE = 50
"""Records in quarantine that a listing spells out."""
_OWN = frozenset({"feedback", "identity"})
"""Sources of our own, which may be silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """
    All that is known of one source.
    """

    name: str
    webhook: Webhook | None
    tally: Tally | None
    read: Read | None
    seen: Seen
    arrivals: Arrivals | None

    @property
    def kind(self) -> str:
        """
        How it comes: `webhook` (configured), `files`, or `http`.
        """
        return "webhook" if self.webhook else "files" if self.read else "http"

    @property
    def connector(self) -> str:
        """
        What reads it.
        """
        found = (self.webhook.source if self.webhook else None) or self.read or self.tally
        return found.connector if found else ""

    @property
    def last_success(self) -> datetime | None:
        """
        When it was last read wholly, or a delivery of it was last taken.
        """
        if self.read and not self.webhook:
            return self.read.succeeded_at
        received = self.tally.last_received if self.tally else None
        return max((at for at in (self.seen.accepted_at, received) if at), default=None)

    def count(self, state: RecordState) -> int:
        """
        Its records in a state.
        """
        return self.tally.states.get(state, 0) if self.tally else 0


def known(store: Store, webhooks: Sequence[Webhook], now: datetime) -> Mapping[str, Known]:
    """
    Every source, by name.
    """
    tallies = {one.source: one for one in store.tally()}
    hooks = {one.source.name: one for one in webhooks}
    read, seen = readings(store), deliveries(store)
    lately = recent(store, tallies.values(), now)
    return {
        name: Known(
            name=name,
            webhook=hooks.get(name),
            tally=tallies.get(name),
            read=read.get(name),
            seen=seen.get(name, Seen()),
            arrivals=lately.get(name),
        )
        for name in sorted(tallies.keys() | hooks.keys() | read.keys())
    }


def listing(
    store: Store, webhooks: Sequence[Webhook], now: datetime, visibility: Labels | None = None
) -> dict[str, object]:  # fmt: skip
    """
    The sources and what is in quarantine, for a reader with these labels; None sees all. Of a source that holds
    anything which a reader may not see he sees nothing.
    """
    every = known(store, webhooks, now).values()
    found = [one for one in every if _visible(store, one, visibility)]
    # where the counts say that there is none, a store need not look for one among all its records
    some = any(one.count(RecordState.QUARANTINED) for one in every)
    held = store.records(state=RecordState.QUARANTINED, visibility=visibility, limit=QUARANTINE) if some else ()
    return {
        "sources": [row(one, now) for one in found],
        "quarantine": [
            {"source": one.source, "part": one.part, "reason": one.reason, "record": one.id} for one in held
        ],
    }  # fmt: skip


def _visible(store: Store, one: Known, visibility: Labels | None) -> bool:
    if visibility is None:
        return True
    if one.webhook and not one.webhook.source.visibility <= visibility:
        return False
    return all(labels <= visibility for labels in store.labelled(one.name))


def row(one: Known, now: datetime) -> dict[str, object]:
    """
    One source for a reader.
    """
    state, says = standing(one, now)
    tally = one.tally
    newest = tally.last_known if tally else None
    return {
        "source": one.name,
        "connector": one.connector,
        "kind": one.kind,
        "state": state,
        "says": says,
        "lag_seconds": max(0, round((now - newest).total_seconds())) if newest else None,
        "last_success": stamp(one.last_success) if one.last_success else None,
        "last_received": stamp(tally.last_received) if tally and tally.last_received else None,
        "records_per_hour": one.arrivals.per_hour if one.arrivals else None,
        **{state.value: one.count(state) for state in RecordState},
    }


def standing(one: Known, now: datetime) -> tuple[str, str]:
    """
    `ok`, `silent`, `failing` or `off`, and why.
    """
    if one.webhook and one.webhook.off:
        return "off", one.webhook.off
    if problem := _failing(one):
        return "failing", problem
    after = one.webhook.silent_after if one.webhook else timedelta(hours=SILENT_AFTER)
    last = one.last_success
    if last is None:
        return "silent", "nothing has come yet"
    if now - last > after and one.connector not in _OWN:
        return "silent", f"nothing since {stamp(last)}"
    return "ok", ""


def _failing(one: Known) -> str:
    if one.read and one.read.problem:
        return one.read.problem
    refused, accepted = one.seen.refused_at, one.seen.accepted_at
    if one.webhook and refused and (accepted is None or refused > accepted):
        return f"a delivery was refused at {stamp(refused)}: {one.seen.reason}"
    held = one.count(RecordState.QUARANTINED)
    lately = one.arrivals
    if lately and lately.quarantined * 2 >= lately.records > 0 and lately.quarantined:
        hours = max(1, round(lately.hours))
        return f"{lately.quarantined} of {lately.records} records of the last {hours} h are in quarantine"
    if held and not one.count(RecordState.APPLIED) and not one.count(RecordState.PENDING):
        return f"all its {held} records are in quarantine"
    return ""
