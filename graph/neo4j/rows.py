"""
`graph.searching.RowSet` on a server: rows are nodes beside their statements, under vector and full-text indexes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from functools import partial

from graph.encoding import micros
from graph.keys import BEGINNING, OPEN
from graph.neo4j.access import Access
from graph.neo4j.connecting import Row, Transaction, one, rows
from graph.neo4j.shards import Shard, digest, shards_of, sizes, within
from graph.searching import Entry, Hit, Scope
from graph.values import ItemKind, View

PART = 500
"""Rows in one transaction."""
INDEXED_FROM = 1000
"""Fewer are compared one by one. An index that is built over many rows at once is several times quicker than one that
grew with them, so it is also made after the first filling, not before."""
INDEX_SECONDS = 300
LEAST_ASKED = 100
"""A vector index finds its nearest only among those that it is asked for: with ten it would lose some of the ten."""
OVER_FETCH = 2
AGAIN = 4
MOST_ASKED = 4000
"""Where a view sees too few of so many, all that it sees are compared."""
_BY_WORDS = (
    "CREATE FULLTEXT INDEX {name} IF NOT EXISTS FOR (r:{name}) ON EACH [r.terms, r.kind] "
    "OPTIONS {{indexConfig: {{`fulltext.analyzer`: 'whitespace'}}}}"
)
_BY_VECTOR = (
    "CREATE VECTOR INDEX {name} IF NOT EXISTS FOR (r:{name}) ON (r.vector) "
    "OPTIONS {{indexConfig: {{`vector.dimensions`: {dimension}, "
    "`vector.similarity_function`: 'cosine', `vector.quantization.enabled`: false}}}}"
)
SATURATION = 2.2
"""The library leaves the factor k1 + 1 out of BM25, as it changes no order."""


class Neo4jRows:
    """
    The rows of a maker. Thread-safe.
    """

    def __init__(self, maker: str, dimension: int, access: Access) -> None:
        self._maker = maker
        self._dimension = dimension
        self._access = access

    def watermark(self) -> int:
        reached: int = self._access.read(lambda transaction: one(transaction, "rows_watermark", maker=self._maker))[0]
        return reached

    def size(self) -> int:
        return sum(shard.rows for shard in self._access.read(partial(shards_of, maker=self._maker)))

    def lead(self, who: str, lease: timedelta) -> bool:
        def work(transaction: Transaction) -> bool:
            rows(transaction, "rows_turn", maker=self._maker)
            milliseconds = round(lease.total_seconds() * 1000)
            return bool(rows(transaction, "rows_lead", maker=self._maker, who=who, lease=milliseconds))

        return self._access.write(work)

    def put(self, entries: Sequence[Entry]) -> None:
        for start in range(0, len(entries), PART):
            self._access.write(partial(self._put, entries=entries[start : start + PART]))

    def reach(self, watermark: int) -> None:
        self._access.write(lambda transaction: rows(transaction, "rows_reach", maker=self._maker, watermark=watermark))

    def index(self) -> None:
        shards = self._access.read(partial(shards_of, maker=self._maker))
        size = sizes(shards)
        words = {shard.words for shard in shards if not shard.indexed}
        near = {shard.near for shard in shards if not shard.near_indexed and size[shard.near] >= INDEXED_FROM}
        commands = [*(_BY_WORDS.format(name=name) for name in sorted(words))]
        commands += [_BY_VECTOR.format(name=name, dimension=self._dimension) for name in sorted(near)]
        for command in commands:
            self._access.command(command)
        if commands:
            self._access.command(f"CALL db.awaitIndexes({INDEX_SECONDS})", INDEX_SECONDS)
            there = sorted(words | near)
            self._access.write(lambda one: rows(one, "shards_indexed", maker=self._maker, indexes=there))

    def nearest(self, vector: Sequence[float], limit: int, scope: Scope) -> tuple[Hit, ...]:
        values = _filters(scope) | {"vector": list(vector), "limit": limit}

        def work(transaction: Transaction) -> list[Row]:
            shards = shards_of(transaction, self._maker)
            size = sizes(shards)
            indexed = {shard.near for shard in shards if shard.near_indexed}
            seen = sorted({shard.near for shard in within(shards, scope.view, scope.kinds)})
            most = {name: min(size[name], MOST_ASKED) if name in indexed else 0 for name in seen}
            return [row for name in seen for row in _nearest(transaction, name, most[name], limit, values)]

        return _hits(self._access.read(work), limit, lambda score: 2 * score - 1)

    def match(self, terms: Collection[str], limit: int, scope: Scope) -> tuple[Hit, ...]:
        values = _filters(scope) | {"words": _words(terms, scope.kinds), "limit": limit}

        def work(transaction: Transaction) -> list[Row]:
            shards = shards_of(transaction, self._maker)
            size = sizes(shards)
            seen = {shard.words for shard in within(shards, scope.view, scope.kinds) if shard.indexed}
            return [row for name in sorted(seen) for row in _matching(transaction, name, size[name], limit, values)]

        return _hits(self._access.read(work), limit, lambda score: SATURATION * score) if terms else ()

    def frequencies(self, terms: Collection[str], view: View) -> tuple[int, dict[str, int]]:
        def work(transaction: Transaction) -> tuple[int, dict[str, int]]:
            shards = within(shards_of(transaction, self._maker), view)
            indexes = sorted({shard.words for shard in shards})
            found = rows(transaction, "terms_of", words=indexes, texts=list(terms))
            return sum(shard.rows for shard in shards), {str(term): int(count) for term, count in found}

        return self._access.read(work)

    def _shard(self, entry: Entry) -> Shard:
        return Shard.of(self._maker, entry.row.kind, entry.row.visibility)

    def _put(self, transaction: Transaction, entries: Sequence[Entry]) -> None:
        rows(transaction, "rows_turn", maker=self._maker)
        keyed = {self._key(entry): entry for entry in entries}
        there = {key for (key,) in rows(transaction, "rows_there", keys=list(keyed))}
        missing = [self._row(key, entry) for key, entry in keyed.items() if key not in there]
        added = [keyed[key] for (key,) in rows(transaction, "rows_add", rows=missing)]
        shards = Counter(self._shard(entry) for entry in added)
        terms = Counter((self._shard(entry).words, term) for entry in added for term in set(entry.terms))
        given = [{"shard": shard.properties, "more": more} for shard, more in shards.items()]
        rows(transaction, "shards_add", rows=given)
        counted = [{"words": words, "text": text, "more": more} for (words, text), more in terms.items()]
        rows(transaction, "terms_add", rows=counted)

    def _key(self, entry: Entry) -> str:
        return f"{digest(self._maker)} {entry.row.statement} {entry.place}"

    def _row(self, key: str, entry: Entry) -> dict[str, object]:
        row, shard = entry.row, self._shard(entry)
        properties = {
            "key": key,
            "statement": row.statement,
            "place": entry.place,
            "kind": row.kind.value,
            "document": row.document,
            "facet": row.facet,
            "terms": " ".join(entry.terms),
            # what has no moment is never too late
            "at": BEGINNING if row.at is None else micros(row.at),
            "shard": shard.key,
            "near": shard.near,
            "words": shard.words,
        }
        vectors = [] if entry.vector is None else [list(entry.vector)]
        return {"row": properties, "types": [shard.near, shard.words], "vectors": vectors}


def forget(transaction: Transaction, statements: Sequence[int]) -> None:
    """
    Remove the rows of statements that are being erased, and what they counted for.
    """
    rows(transaction, "rows_stop")
    gone = rows(transaction, "rows_drop", seqs=list(statements))
    shards = Counter(shard for shard, _, _ in gone)
    terms = Counter((words, term) for _, words, text in gone for term in set(text.split()))
    rows(transaction, "shards_less", rows=[{"key": key, "less": less} for key, less in shards.items()])
    counted = [{"words": words, "text": text, "less": less} for (words, text), less in terms.items()]
    rows(transaction, "terms_less", rows=counted)


def _filters(scope: Scope) -> dict[str, object]:
    return {
        "known_at": micros(scope.view.known_at),
        "labels": sorted(scope.view.visibility),
        "hidden": sorted(scope.view.hidden),
        "before": OPEN if scope.before is None else micros(scope.before),
        "facets": sorted(scope.facets),
        "any_facet": not scope.facets,
    }


def _words(terms: Collection[str], kinds: Collection[ItemKind]) -> str:
    """
    A question in the index's language. Each term is quoted, and the kind adds nothing to the score.
    """
    quoted = " ".join('"{}"'.format(term.replace("\\", "\\\\").replace('"', '\\"')) for term in terms)
    wanted = " ".join(kind.value for kind in kinds)
    return f"+terms:({quoted}) +kind:({wanted})^0" if wanted else f"terms:({quoted})"


def _asking(limit: int, below: int) -> Iterator[int]:
    """
    How many to ask for, again and again while too few of them are seen.
    """
    asked = max(LEAST_ASKED, limit * OVER_FETCH)
    while asked < below:
        yield asked
        asked *= AGAIN


def _nearest(transaction: Transaction, index: str, most: int, limit: int, values: dict[str, object]) -> list[Row]:
    for asked in _asking(limit, most):
        _, seen = one(transaction, "rows_nearest", index=index, asked=asked, **values)
        if len(seen) >= limit:
            return list(seen)
    return rows(transaction, "rows_compared", index=index, **values)


def _matching(transaction: Transaction, index: str, size: int, limit: int, values: dict[str, object]) -> list[Row]:
    for asked in (*_asking(limit, size), size):
        found, seen = one(transaction, "rows_matching", index=index, asked=asked, **values)
        if len(seen) >= limit or found < asked:
            break
    return list(seen)


def _hits(found: Sequence[Row], limit: int, scale: Callable[[float], float]) -> tuple[Hit, ...]:
    best = sorted(found, key=lambda row: -row[4])[:limit]
    return tuple(
        Hit(statement=statement, document=document, kind=ItemKind(kind), facet=facet, score=scale(score))
        for statement, document, kind, facet, score in best
    )
