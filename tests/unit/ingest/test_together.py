"""
Deliveries taken in together end as those taken in one by one.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from graph.contract import Receipt
from graph.errors import DiskFull
from graph.sqlite.store import SqliteStore
from graph.values import PUBLIC, Record, View
from ingest.contract import Source
from ingest.errors import NotAllowed
from ingest.journal import Admission, admit
from ingest.pipeline import drain
from ingest.redaction import Redactor
from ingest.together import Delivery, admit_together

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
HR = frozenset({"hr"})
REDACTOR = Redactor(b"key")


@dataclass(frozen=True)
class Sent:
    """
    What is drawn: a source, the things that a body is about, what it says of them, and a mark of the delivery.
    """

    source: str
    things: tuple[int, ...]
    says: str
    mark: str

    def delivery(self, minute: int) -> Delivery:
        rows = [
            {"id": f"c{thing}", "at": START.isoformat(), "service": "pay", "title": self.says} for thing in self.things
        ]
        body = "\n".join(json.dumps(row) for row in rows) if self.says != "broken" else "{"
        return Delivery(
            source=Source(name=self.source, connector="changes"),
            payload=body.encode(),
            meta={"path": "hook.jsonl", **({"webhook-id": self.mark} if self.mark else {})},
            sender=PUBLIC,
            received_at=START + timedelta(minutes=minute),
        )


SENT = st.builds(
    Sent,
    source=st.sampled_from(("one", "two", "restricted")),
    things=st.sets(st.integers(0, 2), max_size=2).map(tuple),
    says=st.sampled_from(("a", "b", "a", "b", "broken")),
    mark=st.sampled_from(("", "", "m1", "m2")),
)


def one_by_one(store: SqliteStore, deliveries: Sequence[Delivery]) -> list[Admission | str]:
    found: list[Admission | str] = []
    for one in deliveries:
        try:
            found.append(admit(store, one.source, one.payload, one.meta, one.received_at, one.sender, REDACTOR))
        except NotAllowed as error:
            found.append(str(error))
    return found


def together(store: SqliteStore, deliveries: Sequence[Delivery]) -> list[Admission | str]:
    found = admit_together(store, deliveries, REDACTOR)
    return [one if isinstance(one, Admission) else str(one) for one in found]


def opened(folder: str, kind: type[SqliteStore] = SqliteStore) -> SqliteStore:
    store = kind(Path(folder))
    restricted = Source(name="restricted", connector="changes", visibility=HR)
    admit(store, restricted, Sent("", (9,), "x", "").delivery(0).payload, {"path": "hook.jsonl"}, START)
    return store


@given(groups=st.lists(st.lists(SENT, min_size=1, max_size=6), min_size=1, max_size=4))
@settings(max_examples=60)
def test_together_is_one_by_one(groups: list[list[Sent]]) -> None:
    minute = 0
    with (
        tempfile.TemporaryDirectory() as first,
        tempfile.TemporaryDirectory() as second,
        closing(opened(first)) as one,
        closing(opened(second)) as other,
    ):
        for group in groups:
            deliveries = [sent.delivery(minute + nth) for nth, sent in enumerate(group, 1)]
            minute += len(group)
            assert together(other, deliveries) == one_by_one(one, deliveries)
            if minute % 2:
                drain(one)
                drain(other)
        drain(one)
        drain(other)
        assert {record.id: record for record in one.records()} == {record.id: record for record in other.records()}
        now = View.now(HR)
        said = [[(change.item, change.source) for change in store.changes(now)] for store in (one, other)]
        assert sorted(map(repr, said[0])) == sorted(map(repr, said[1]))


class Full(SqliteStore):
    """
    A store that has no room for one record.
    """

    def append(self, records: Sequence[Record]) -> tuple[Receipt, ...]:
        if any('"full"' in record.body for record in records):
            raise DiskFull("the disk")
        return super().append(records)


def test_what_cannot_be_kept_fails_its_own_delivery_alone() -> None:
    with tempfile.TemporaryDirectory() as folder, closing(opened(folder, Full)) as store:
        given_order = [Sent("one", (nth,), says, "").delivery(nth) for nth, says in enumerate(("a", "full", "b"))]
        first, second, third = admit_together(store, given_order, REDACTOR)
        assert isinstance(second, DiskFull)
        assert [one.new for one in (first, third) if isinstance(one, Admission)] == [1, 1]


class Counting(SqliteStore):
    """
    A store that counts commits of records.
    """

    commits = 0

    def append(self, records: Sequence[Record]) -> tuple[Receipt, ...]:
        Counting.commits += 1
        return super().append(records)


def test_what_comes_together_shares_a_commit() -> None:
    with tempfile.TemporaryDirectory() as folder, closing(opened(folder, Counting)) as store:
        Counting.commits = 0
        found = admit_together(store, [Sent("one", (nth,), "a", "").delivery(nth) for nth in range(8)], REDACTOR)
        assert [one.new for one in found if isinstance(one, Admission)] == [1] * 8
    assert Counting.commits == 1
