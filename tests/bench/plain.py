"""
The same rows as ours, written by two plain UNWINDs a batch as one would write them by hand: the peer of loading.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from neo4j import Driver, ManagedTransaction

from graph.encoding import micros
from graph.keys import BEGINNING, OPEN, claims
from graph.neo4j.properties import stand_of, thing_of
from graph.values import PUBLIC, Change, Item, Record, Trust
from tests.bench.population import Stated

FIRST = 1_000_000_000
"""Numbers that the store has not reached."""
RECORDS = "UNWIND $rows AS row CREATE (r:Record) SET r = row"
CHANGES = (
    "UNWIND $rows AS row MATCH (r:Record {seq: row.statement.evidence}) "
    "CREATE (s:Statement:Change) SET s = row.statement CREATE (r)-[:STATES {snapshot: false}]->(s) "
    "MERGE (e:Entity {id: row.service}) CREATE (s)-[:CHANGED {service: row.service, at: row.statement.at}]->(e)"
)


def write(driver: Driver, given: Sequence[Stated], batch: int) -> float:
    """
    Seconds that the server and its driver took; making the rows is not counted.
    """
    made = [_rows(FIRST + nth, *one) for nth, one in enumerate(given)]
    taken = 0.0
    with driver.session() as session:
        for start in range(0, len(made), batch):
            part = made[start : start + batch]
            began = time.perf_counter()
            for query, rows in ((RECORDS, [one for one, _ in part]), (CHANGES, [other for _, other in part])):
                session.execute_write(partial(_run, query, rows))
            taken += time.perf_counter() - began
    return taken


def _run(query: str, rows: Sequence[object], transaction: ManagedTransaction) -> None:
    transaction.run(query, rows=rows).consume()


def remove(driver: Driver) -> None:
    """
    Take all of it out again.
    """
    with driver.session() as session:
        for label in ("Statement", "Record"):
            session.run(
                f"MATCH (n:{label}) WHERE n.seq >= $first CALL (n) {{ DETACH DELETE n }} IN TRANSACTIONS OF 5000 ROWS",
                first=FIRST,
            ).consume()


def _rows(number: int, record: Record, items: Sequence[Item]) -> tuple[dict[str, object], dict[str, object]]:
    (change,) = items
    assert isinstance(change, Change)
    known = micros(record.known_at)
    (claim,) = claims((change,), Trust.OBSERVED, PUBLIC)
    return {
        "id": record.id,
        "seq": number,
        "source": record.source,
        "connector": record.connector,
        "part": record.part,
        "stand": stand_of(record.source, record.part),
        "body": record.body,
        "digest": record.digest,
        "received_at": known,
        "known_at": known,
        "meta": "{}",
        "labels": [],
        "state": "applied",
        "reason": "",
        "claimed_until": 0,
        "lapsed": False,
    }, {
        "service": change.services[0],
        "statement": {
            "seq": number,
            "thing": thing_of(record.source, claim.key),
            "source": record.source,
            "digest": claim.digest.hex(),
            "kind": "change",
            "trust": int(Trust.OBSERVED),
            "labels": [],
            "record": record.id,
            "evidence": number,
            "known_from": known,
            "known_to": OPEN,
            "valid_from": BEGINNING,
            "valid_to": OPEN,
            "opened": number,
            "body": claim.body.decode(),
            "name": change.id,
            "at": micros(change.at),
        },
    }
