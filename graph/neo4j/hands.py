"""
`graph.hands.Hands` over one transaction on a server: a working set.

A question a row would be a round trip a row. So what a batch will ask for is fetched at once, the rules work on that in
memory, and what differs afterwards is written at once, by `flush`. Only one transaction at a time has such a set: it
begins by taking the store's turn, a lock that the server frees when the transaction ends. So numbers are given in the
order of commits, and the feed has no gaps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from graph.counting import Counts
from graph.encoding import decode, encode
from graph.hands import Evidence, Head, Rank, Stored, Support, Version, part_name, rank_of, span
from graph.keys import OPEN
from graph.neo4j.connecting import Row, Transaction, one, rows
from graph.neo4j.journal import count
from graph.neo4j.properties import stand_of, statement_row, stored_of, thing_of
from graph.neo4j.rows import forget
from graph.values import Fact, Item, ItemKind, RecordState


@dataclass(frozen=True, slots=True)
class _Witness:
    """
    A record that states something.
    """

    place: int
    id: str
    part: str
    known_at: int
    rank: Rank
    state: RecordState


@dataclass(slots=True)
class _Held:
    """
    A statement in hand: as it is now, and as it was found (`new`: it was not there).
    """

    row: Stored
    evidence: _Witness
    item: Item | None = None
    body: bytes = b""
    opened: int = 0
    supports: dict[tuple[str, int], Support] = field(default_factory=dict)
    found_supports: frozenset[tuple[str, int]] = frozenset()
    found_end: int = OPEN
    new: bool = False


class Neo4jHands:
    """
    Within a transaction that the caller commits, after `flush`.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        rows(transaction, "store_turn")
        # the turn is held now: what is read from here on is what the last writer left
        ends: list[int] = one(transaction, "store_ends")
        self._statements, self._feed = ends
        self._heads: dict[str, Head] = {}
        self._witnesses: dict[int, _Witness] = {}
        self._looked: set[tuple[str, str]] = set()
        self._swept: set[str] = set()
        self._known: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._held: dict[int, _Held] = {}
        self._things: dict[str, list[int]] = {}
        self._parts: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._lines: list[dict[str, object]] = []
        self._settled: dict[int, tuple[RecordState, str]] = {}
        self._lapsed: list[int] = []
        self._newest: dict[str, int] = {}
        self._erased: list[int] = []
        self._forgotten: list[Head] = []

    def expect_records(self, records: Collection[str], snapshots: Collection[str]) -> None:
        for row in one(self._transaction, "record_heads", ids=sorted(records), whole=sorted(snapshots))[0]:
            identity, place, source, part, received_at, known_at, occurred_at, digest, labels, state, *looks = row
            swept, seen, known = looks
            rank = rank_of(known_at, occurred_at, digest)
            self._heads[identity] = Head(
                id=identity,
                place=place,
                source=source,
                part=part,
                received_at=received_at,
                known_at=known_at,
                rank=rank,
                labels=frozenset(labels),
                state=RecordState(state),
            )
            self._witnesses[place] = _Witness(place, identity, part, known_at, rank, RecordState(state))
            if swept:
                self._swept.add(source)
            if seen:
                self._looked.add((source, part))
            if known:
                self._known[source, part] = known

    def expect_things(self, things: Collection[tuple[str, bytes]], parts: Collection[tuple[str, str]]) -> None:
        stands = [stand_of(source, part.removeprefix("=")) for source, part in parts]
        stated = [seq for (seq,) in rows(self._transaction, "stated_by_parts", stands=stands)] if stands else []
        self._load_statements(stated)
        wanted = {thing_of(source, key) for source, key in things}
        self._load_things(wanted | self._things_of(stated))

    def head(self, record: str) -> Head | None:
        if record not in self._heads:
            self.expect_records([record], ())
        return self._heads.get(record)

    def looked(self, source: str, part: str) -> bool:
        return source in self._swept or (source, part) in self._looked

    def next_of(self, source: str, part: str, at: int) -> int | None:
        return min((known for known in self._known[source, part] if known > at), default=None)

    def settle(self, head: Head, state: RecordState, reason: str = "") -> None:
        self._settled[head.place] = (state, reason)
        witness = self._witnesses[head.place]
        self._witnesses[head.place] = replace(witness, state=state)
        head = self._heads[witness.id]
        self._heads[witness.id] = replace(head, state=state)
        if state is RecordState.APPLIED:
            self._looked.add((head.source, head.part))
            self._known[head.source, head.part].append(head.known_at)

    def lapse(self, place: int) -> None:
        self._lapsed.append(place)

    def lapse_older(self, source: str, part: str, place: int) -> None:
        self._newest[stand_of(source, part)] = place

    def swept(self, source: str, seen: Collection[str]) -> None:
        rows(self._transaction, "source_swept", source=source, seen=sorted(seen))

    def versions(self, source: str, key: bytes | None) -> list[Version]:
        if key is None:
            return []
        found = [(seq, self._held[seq]) for seq in self._things.get(thing_of(source, key), ())]
        versions = [
            Version(
                seq, held.row.digest, held.row.known_from, held.row.known_to, held.row.valid_from, held.evidence.rank
            )
            for seq, held in found
        ]
        return sorted(versions, key=lambda version: (version.known_from, version.seq))

    def get(self, seq: int) -> Stored:
        return self._held[seq].row

    def insert(self, row: Stored, item: Item, body: bytes) -> int:
        self._statements += 1
        seq = self._statements
        self._held[seq] = _Held(
            row, self._witnesses[row.record], item, body, opened=self._line(None, seq), found_end=row.known_to, new=True
        )
        if row.key is not None:
            self._things.setdefault(thing_of(row.source, row.key), []).append(seq)
        if row.known_to != OPEN:
            self._line("closed", seq)
        return seq

    def item(self, seq: int) -> Item:
        held = self._held[seq]
        if held.item is None:
            body = one(self._transaction, "statement_body", seq=seq)[0]
            held.item = decode(ItemKind(held.row.kind), body.encode())
        return held.item

    def copy(self, seq: int, row: Stored) -> int:
        item = self.item(seq)
        if isinstance(item, Fact):
            item = replace(item, valid=span(row.valid_from, row.valid_to))
        return self.insert(row, item, encode(item))

    def close(self, seq: int, at: int) -> None:
        held = self._held[seq]
        held.row = replace(held.row, known_to=max(at, held.row.known_from))
        self._line("closed", seq)

    def erase(self, seq: int) -> None:
        held = self._held[seq]
        for part, record in list(held.supports):
            self._unlink(seq, part, record)
        if held.row.key is not None:
            # it is no version of its thing any more, before it is written too
            self._things[thing_of(held.row.source, held.row.key)].remove(seq)
        self._erased.append(seq)
        self._line("erased", seq)

    def supports(self, seq: int) -> list[Support]:
        return sorted(self._held[seq].supports.values(), key=lambda support: (support.known_at, support.record))

    def support(self, seq: int, part: str, record: int) -> None:
        witness = self._witnesses[record]
        self._link(seq, Support(part, record, witness.known_at, witness.rank))

    def support_anew(self, seq: int, part: str, record: int) -> None:
        for support in self.supports(seq):
            if support.part == part and support.record != record:
                self._unlink(seq, part, support.record)
        self.support(seq, part, record)

    def unsupport_part(self, seq: int, part: str) -> None:
        for support in self.supports(seq):
            if support.part == part:
                self._unlink(seq, part, support.record)

    def unsupport_record(self, seq: int, record: int) -> None:
        for support in self.supports(seq):
            if support.record == record:
                self._unlink(seq, support.part, record)

    def unsupport_parts(self, seq: int) -> None:
        for support in self.supports(seq):
            if support.part:
                self._unlink(seq, support.part, support.record)

    def move_supports(self, seq: int, target: int) -> None:
        for support in self.supports(seq):
            self._unlink(seq, support.part, support.record)
            self._link(target, support)

    def stated_by(self, source: str, part: str) -> list[int]:
        return sorted(self._parts[source, part])

    def unseen(self, source: str, seen: Collection[str]) -> list[tuple[int, str]]:
        found = rows(self._transaction, "stated_by_unseen", source=source, seen=sorted(seen))
        seqs = {seq for seq, _ in found}
        self._load_statements(seqs)
        self._load_things(self._things_of(seqs))
        return [(seq, part_name(part)) for seq, part in found]

    def evidence(self, seq: int) -> Evidence:
        witness = self._witnesses[self._held[seq].evidence.place]
        return Evidence(
            place=witness.place, part=witness.part, known_at=witness.known_at, rank=witness.rank, state=witness.state
        )

    def resting_on(self, place: int) -> list[int]:
        seqs = [seq for (seq,) in rows(self._transaction, "resting_on_record", record=place)]
        self._load_statements(seqs)
        self._load_things(self._things_of(seqs))
        return seqs

    def kept_of(self, place: int) -> tuple[tuple[str, str], ...]:
        return tuple((shelf, key) for shelf, key in rows(self._transaction, "kept_of_record", record=place))

    def unkeep(self, shelf: str, key: str) -> None:
        rows(self._transaction, "kept_delete", shelf=shelf, key=key)

    def forget(self, head: Head) -> None:
        self._forgotten.append(head)

    def flush(self) -> None:
        """
        Write what differs from what was found. The records' states come last: their lock holds up who claims.
        """
        self._write_new()
        self._write_differences()
        if self._erased:
            forget(self._transaction, self._erased)
        self._write("statements_erase", [{"statement": seq} for seq in self._erased])
        self._write("lines_add", self._lines)
        rows(self._transaction, "store_numbered", statements=self._statements, feed=self._feed)
        if self._settled:
            self._settle()

    def _settle(self) -> None:
        rows(self._transaction, "states_turn")
        counts = Counts()
        applied = [place for place, (state, _) in self._settled.items() if state is RecordState.APPLIED]
        retracted = [
            {"seq": place, "reason": reason}
            for place, (state, reason) in self._settled.items()
            if state is not RecordState.APPLIED
        ]
        for query, state, given in (
            ("records_apply", RecordState.APPLIED, applied),
            ("records_retract", RecordState.RETRACTED, retracted),
        ):
            for source, before, received_at in self._write(query, given):
                counts.moved(source, RecordState(before), state, received_at)
        self._write("parts_lapse", [{"stand": stand, "seq": place} for stand, place in self._newest.items()])
        if self._lapsed:
            rows(self._transaction, "records_lapse", seqs=self._lapsed)
        for head in self._forgotten:
            rows(self._transaction, "record_forget", seq=head.place)
            counts.went(head.source, RecordState.RETRACTED, head.received_at, head.known_at)
        count(self._transaction, counts, by="claims")

    def _write(self, query: str, given: Sequence[object]) -> list[Row]:
        return rows(self._transaction, query, rows=given) if given else []

    def _write_new(self) -> None:
        groups: dict[str, list[list[object]]] = defaultdict(list)
        for seq, held in self._held.items():
            if held.new and held.item is not None:
                # the evidence's own support goes in with the statement, the others with the differences
                own = next((key for key in held.supports if key[1] == held.evidence.place), None)
                held.found_supports = frozenset((own,) if own else ())
                group, made = statement_row(
                    seq, held.row, held.item, held.body, held.evidence.id, held.opened, bool(own[0]) if own else None
                )
                groups[group].append(made)
        for group, given in groups.items():
            self._write(group, given)

    def _write_differences(self) -> None:
        closed, added, dropped = [], [], []
        for seq, held in self._held.items():
            if held.row.known_to != held.found_end and seq not in self._erased:
                closed.append({"seq": seq, "known_to": held.row.known_to})
            added += [_support_row(seq, key) for key in held.supports.keys() - held.found_supports]
            dropped += [_support_row(seq, key) for key in held.found_supports - held.supports.keys()]
        self._write("statements_close", closed)
        self._write("supports_drop", dropped)
        self._write("supports_add", added)

    def _line(self, op: str | None, seq: int) -> int:
        """
        The next line of the feed; an opening is told by the statement itself.
        """
        self._feed += 1
        if op is not None:
            self._lines.append({"seq": self._feed, "op": op, "statement": seq})
        return self._feed

    def _link(self, seq: int, support: Support) -> None:
        held = self._held[seq]
        held.supports[support.part, support.record] = support
        if support.part:
            self._parts[held.row.source, support.part].add(seq)

    def _unlink(self, seq: int, part: str, record: int) -> None:
        held = self._held[seq]
        held.supports.pop((part, record), None)
        if part and not any(key[0] == part for key in held.supports):
            self._parts[held.row.source, part].discard(seq)

    def _things_of(self, seqs: Iterable[int]) -> set[str]:
        held = [self._held[seq].row for seq in seqs]
        return {thing_of(row.source, row.key) for row in held if row.key is not None}

    def _load_things(self, things: Collection[str]) -> None:
        wanted = sorted(set(things) - self._things.keys())
        if wanted:
            self._take(rows(self._transaction, "versions_of_things", things=wanted))
            for thing in wanted:
                self._things[thing] = []
            for seq, held in self._held.items():
                if held.row.key is not None and (name := thing_of(held.row.source, held.row.key)) in wanted:
                    self._things[name].append(seq)

    def _load_statements(self, seqs: Collection[int]) -> None:
        wanted = sorted(set(seqs) - self._held.keys())
        if wanted:
            self._take(rows(self._transaction, "statements_with_supports", seqs=wanted))

    def _take(self, found: Iterable[Row]) -> None:
        for stored, evidence, supports in found:
            seq = stored["seq"]
            if seq in self._held:
                continue
            held = _Held(stored_of(stored), self._met(*evidence), found_end=stored["known_to"])
            self._held[seq] = held
            for snapshot, *record in supports:
                by = self._met(*record)
                self._link(seq, Support(part_name(by.part) if snapshot else "", by.place, by.known_at, by.rank))
            held.found_supports = frozenset(held.supports)

    def _met(
        self, place: int, identity: str, part: str, known_at: int, occurred_at: int | None, digest: str, state: str
    ) -> _Witness:
        rank = rank_of(known_at, occurred_at, digest)
        return self._witnesses.setdefault(place, _Witness(place, identity, part, known_at, rank, RecordState(state)))


def _support_row(seq: int, key: tuple[str, int]) -> dict[str, object]:
    return {"statement": seq, "snapshot": bool(key[0]), "record": key[1]}
