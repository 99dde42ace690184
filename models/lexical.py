"""
BM25 by tantivy, over words as operations people write them: `KubePodCrashLooping` is also kube, pod, crash, looping.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np

from graph.searching import Hit, Row, Scope
from graph.values import Labels, View
from models.errors import IndexDamaged
from models.rows import Mask, Rows

if TYPE_CHECKING:
    import tantivy

ANALYSIS = 1
"""The version of how texts become terms; another one makes snapshots worthless."""
MAX_TERMS = 48
OVER_FETCH = 4
_WORD = re.compile(r"[^\W_]+(?:[-_./:][^\W_]+)*", re.UNICODE)
_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_a-zA-Z]+")
_STOP = frozenset([
    "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "did", "do", "for", "from", "had",
    "has", "have", "he", "her", "his", "how", "if", "in", "into", "is", "it", "its", "more", "not", "of",
    "on", "or", "our", "so", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this",
    "to", "was", "we", "were", "what", "when", "which", "while", "who", "will", "with", "you", "your",
])  # fmt: skip


@cache
def _stemmer() -> tantivy.TextAnalyzer:
    import tantivy

    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
    return builder.filter(tantivy.Filter.lowercase()).filter(tantivy.Filter.stemmer("english")).build()


def words(text: str) -> list[str]:
    """
    The terms of a text: each word stemmed, a compound name whole and in its parts.
    """
    found: list[str] = []
    for match in _WORD.finditer(text):
        word = match[0]
        parts = _PARTS.findall(word)
        if len(parts) > 1:
            found.append(word.lower()[:60])
        found += [part for part in parts if part.lower() not in _STOP and (len(part) > 1 or part.isdigit())]
    return [term for term in _stemmer().analyze(" ".join(found)) if len(term) < 80] if found else []


@lru_cache(maxsize=256)
def asked(text: str) -> tuple[str, ...]:
    """
    The terms of a question, which is asked of several kinds of documents and several times in a row.
    """
    return tuple(dict.fromkeys(words(text)))


def chosen(counts: Mapping[str, int]) -> dict[str, int]:
    """
    The most telling of a question's terms, given how many rows have each: known ones, rarest first where there are too
    many.
    """
    known = {term: count for term, count in counts.items() if count}
    if len(known) <= MAX_TERMS:
        return known
    return dict(sorted(known.items(), key=lambda one: one[1])[:MAX_TERMS])


def most(size: int, counts: Mapping[str, int]) -> float:
    """
    About what one of `size` rows could score that has all of these terms: twice their rarities in nats, never 0.
    """
    return 2.0 * sum(math.log(1 + (max(1, size) - count + 0.5) / (count + 0.5)) for count in counts.values()) or 1.0


class _Shard:
    """
    The rows of one set of labels: their own index, so that words which a reader may not see don't weigh in his scores.
    """

    def __init__(self, schema: tantivy.Schema) -> None:
        import tantivy

        self.index = tantivy.Index(schema)
        self.frequency: Counter[str] = Counter()
        self.size = 0

    def write(self, found: Sequence[tuple[int, str, str]]) -> None:
        """
        Add (row, kind, terms) and make them searchable.
        """
        import tantivy

        writer = self.index.writer(heap_size=64_000_000, num_threads=1)
        for number, kind, text in found:
            self.frequency.update(set(text.split(" ")) if text else ())
            document = tantivy.Document()
            document.add_text("terms", text)
            document.add_text("kind", kind)
            document.add_integer("row", number)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        self.index.reload()
        self.size += len(found)

    def search(self, query: tantivy.Query, limit: int, mask: Mask) -> list[tuple[int, float]]:
        """
        (row, score) of the best rows within the mask. Asks for more and more until enough of them pass.
        """
        searcher = self.index.searcher()
        wanted = min(limit, int(mask.sum()))
        asked = limit * OVER_FETCH
        while wanted:
            found = searcher.search(query, asked).hits
            numbers = searcher.fast_field_values("row", [address for _, address in found])
            # rows that came after the mask was made are not in it
            seen = mask[np.minimum(numbers, len(mask) - 1)] & (np.asarray(numbers) < len(mask)) if found else ()
            passed = [(number, score) for number, (score, _), may in zip(numbers, found, seen, strict=True) if may]
            if len(passed) >= wanted or len(found) < asked:
                return passed[:limit]
            asked *= 4
        return []


class LexicalIndex:
    """
    Rows with text in memory; any text is a legal question. Safe to share between threads.
    """

    def __init__(self) -> None:
        import tantivy

        self.rows = Rows()
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("terms", stored=False, tokenizer_name="whitespace", index_option="freq")
        builder.add_text_field("kind", stored=False, tokenizer_name="raw", index_option="basic")
        builder.add_integer_field("row", stored=False, indexed=False, fast=True)
        self._schema = builder.build()
        self._shards: dict[Labels, _Shard] = {}
        self._terms: list[str] = []
        self.reached = 0
        self._lock = RLock()

    def add(self, rows: Sequence[Row]) -> None:
        """
        Add rows and make them searchable.
        """
        if not rows:
            return
        terms = [" ".join(words(row.text)) for row in rows]
        with self._lock:
            first = self.rows.add(rows)[0]
            self._write(first, terms)

    def _write(self, first: int, terms: Sequence[str]) -> None:
        parts: dict[Labels, list[tuple[int, str, str]]] = {}
        for number, text in enumerate(terms, first):
            kind = self.rows.entries[number].kind.value
            self.reached = max(self.reached, self.rows.entries[number].statement)
            parts.setdefault(self.rows.labels_of(number), []).append((number, kind, text))
        self._fill(parts)
        self._terms += terms

    def _fill(self, parts: Mapping[Labels, Sequence[tuple[int, str, str]]]) -> None:
        for labels, found in parts.items():
            if labels not in self._shards:
                self._shards[labels] = _Shard(self._schema)
            self._shards[labels].write(found)

    def upto(self, statement: int) -> LexicalIndex:
        """
        The same rows, of which those up to a statement are found and weighed. It is to be asked, not to be added to.
        """
        found = LexicalIndex()
        parts: dict[Labels, list[tuple[int, str, str]]] = {}
        with self._lock:
            found.rows = self.rows
            for number, (entry, text) in enumerate(zip(self.rows.entries, self._terms, strict=True)):
                if entry.statement <= statement and self.rows.alive[number]:
                    parts.setdefault(self.rows.labels_of(number), []).append((number, entry.kind.value, text))
        found._fill(parts)
        return found

    def state(self) -> dict[str, bytes]:
        """
        Rows and their terms, for `restore`.
        """
        with self._lock:
            kept = [text for text, alive in zip(self._terms, self.rows.alive, strict=True) if alive]
            return {"rows.json": self.rows.state(), "terms.txt": "\n".join(kept).encode()}

    def restore(self, state: Mapping[str, bytes]) -> None:
        """
        Fill an empty index. Raises IndexDamaged where rows and terms do not match.
        """
        rows = Rows.restored(state["rows.json"])
        terms = state["terms.txt"].decode().split("\n") if len(rows) else []
        if len(terms) != len(rows):
            raise IndexDamaged(f"{len(rows)} rows have {len(terms)} texts")
        with self._lock:
            self.rows = rows
            self._write(0, terms)

    def close_rows(self, statement: int, known_to: datetime) -> None:
        """
        The statement is no longer claimed from `known_to` on.
        """
        with self._lock:
            self.rows.close(statement, known_to)

    def remove(self, statement: int) -> None:
        """
        Forget a statement's rows.
        """
        with self._lock:
            self.rows.remove(statement)

    def search(self, text: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """
        Best rows first.
        """
        query = self._query(text, scope)
        if query is None:
            return ()
        with self._lock:
            mask = self.rows.mask(scope)
            shards = [(mask & self.rows.labelled(labels), shard) for labels, shard in self._seen(scope.view)]
        found = [one for part, shard in shards for one in shard.search(query, limit, part)]
        if len(shards) > 1:
            found.sort(key=lambda one: (-one[1], one[0]))
        return tuple(self.rows.hit(number, score) for number, score in found[:limit])

    def _seen(self, view: View) -> list[tuple[Labels, _Shard]]:
        return [(labels, shard) for labels, shard in list(self._shards.items()) if labels <= view.visibility]

    def _query(self, text: str, scope: Scope) -> tantivy.Query | None:
        import tantivy

        terms = self._chosen(text, scope.view)
        if not terms:
            return None
        should = [(tantivy.Occur.Should, self._term("terms", term)) for term in terms]
        if not scope.kinds:
            return tantivy.Query.boolean_query(should)
        kinds = [(tantivy.Occur.Should, self._term("kind", kind.value)) for kind in scope.kinds]
        filtered = tantivy.Query.const_score_query(tantivy.Query.boolean_query(kinds), 0.0)
        return tantivy.Query.boolean_query(
            [(tantivy.Occur.Must, tantivy.Query.boolean_query(should)), (tantivy.Occur.Must, filtered)]
        )

    def _term(self, field: str, value: str) -> tantivy.Query:
        import tantivy

        return tantivy.Query.term_query(self._schema, field, value)

    def _chosen(self, text: str, view: View) -> dict[str, int]:
        """
        The most telling terms of a question, with how many visible rows have each.
        """
        shards = self._seen(view)
        return chosen({term: sum(shard.frequency.get(term, 0) for _, shard in shards) for term in asked(text)})

    def most(self, text: str, view: View) -> float:
        """
        About what a row could score that has every known term of a text.
        """
        size = sum(shard.size for _, shard in self._seen(view))
        return most(size, self._chosen(text, view))
