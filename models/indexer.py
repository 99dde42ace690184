"""
Keeps the dense and the lexical index in step with the store's feed, and with nothing else.

The indexes live in memory, with verified snapshots on disk (`models.snapshots`). What is costly to make, the vectors,
lies in the store by the digest of their text, so that a lost snapshot costs no embedding again, and erasing a record
erases its vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path
from threading import Lock
from uuid import uuid4

from graph.contract import Event, Store
from graph.searching import Hit, Scope
from graph.values import ItemKind, View
from models.contract import Embedder, Matrix, Progress, Status, silent
from models.dense import DenseIndex
from models.errors import IndexDamaged
from models.facets import ROWS, embedded, rows
from models.lexical import ANALYSIS, LexicalIndex
from models.snapshots import Snapshot, drop, read, save
from models.vectors import question_vector, vectors_of

FEED = 2000
KINDS = (ItemKind.INCIDENT, ItemKind.RUNBOOK)
SAVED_ROWS = 2000
"""Rows that may be missing from a snapshot; few, and it is left as it is."""


class Indexer:
    """
    `follow` catches up; searches may run meanwhile. Without an embedder, the lexical index works alone. With a
    `folder`, snapshots of the indexes are kept there. Over a store that is open for reading, `keep` is False, and
    nothing is kept.
    """

    def __init__(
        self, store: Store, embedder: Embedder | None, *, keep: bool = True, folder: Path | None = None
    ) -> None:
        self._store = store
        self._keeps = keep
        self._folder = folder
        self.embedder = embedder
        self.dense = DenseIndex(embedder.dimension if embedder else 1)
        self.lexical = LexicalIndex()
        self.problems: list[str] = []
        """What was wrong with the snapshots of this start."""
        self._at = {"lexical": 0, "dense": 0}
        self._unsaved = {"lexical": 0, "dense": 0}
        self._restored = False
        self._lock = Lock()

    def follow(self, progress: Progress = silent) -> None:
        """
        Catch up with the feed: the lexical index first, which is quick, then the vectors.
        """
        with self._lock:
            if not self._restored:
                self._restore()
            self._catch_up("lexical", "words", progress)
            if self.embedder:
                self._catch_up("dense", "vectors", progress)

    def _catch_up(self, name: str, says: str, progress: Progress) -> None:
        end = self._store.watermark()
        while self._at[name] < end:
            events = self._store.changes_since(self._at[name], FEED, KINDS)
            if events:
                self._apply(name, events)
                self._at[name] = events[-1].seq
                progress(says, self._at[name], end)
            else:
                # nothing of ours up to there
                self._at[name] = end
        index = self.lexical if name == "lexical" else self.dense
        if self._unsaved[name] > max(SAVED_ROWS, len(index.rows) // 10):
            self._save(name)

    def _apply(self, name: str, events: Sequence[Event]) -> None:
        index = self.lexical if name == "lexical" else self.dense
        opened = [
            row
            for event in events
            if event.op == "opened" and event.statement and event.statement_seq not in index.rows.by_statement
            for row in rows(event.statement)
        ]
        if index is self.lexical:
            self.lexical.add(opened)
        elif any(map(embedded, opened)):
            if self.embedder is None:
                raise ValueError("no embedder")
            near = [row for row in opened if embedded(row)]
            self.dense.add_vectors(near, vectors_of(self.embedder, self._store, near, keep=self._keeps))
        self._unsaved[name] += len(opened)
        for event in events:
            if event.op == "closed" and event.statement and event.statement.known.end:
                index.close_rows(event.statement_seq, event.statement.known.end)
                self._unsaved[name] += 1
            elif event.op == "erased" and event.statement_seq in index.rows.by_statement:
                index.remove(event.statement_seq)
                self._forget(name)

    def _forget(self, name: str) -> None:
        """
        What was erased must not stay in a snapshot.
        """
        if self._folder and self._keeps:
            drop(self._folder / name)
        self._unsaved[name] += 1

    def save(self) -> None:
        """
        Keep what snapshots do not have yet, so that the next start is quick.
        """
        with self._lock:
            for name, count in self._unsaved.items():
                if count:
                    self._save(name)

    def _save(self, name: str) -> None:
        if self._folder is None or not self._keeps:
            return
        index = self.lexical if name == "lexical" else self.dense
        at = self._at[name]
        save(
            self._folder / name,
            Snapshot(watermark=at, anchor=self._anchor(at), made_by=self._made_by(name), files=index.state()),
        )
        self._unsaved[name] = 0

    def _restore(self) -> None:
        """
        From snapshots, where they are whole and of this very store; else the indexes begin empty.
        """
        self._restored = True
        for name in ("lexical", *(("dense",) if self.embedder else ())):
            try:
                found = read(self._folder / name, self._made_by(name)) if self._folder else None
                if found and found.anchor == self._anchor(found.watermark):
                    (self.lexical if name == "lexical" else self.dense).restore(found.files)
                    self._at[name] = found.watermark
            except (IndexDamaged, ValueError, KeyError, TypeError) as error:
                self.problems.append(f"the {name} index was damaged and is made anew: {error}")

    def _made_by(self, name: str) -> dict[str, str | int]:
        if name == "lexical" or self.embedder is None:
            return {"index": "lexical", "analysis": ANALYSIS, "rows": ROWS}
        return {"index": "dense", "model": self.embedder.model, "dimension": self.embedder.dimension, "rows": ROWS}

    def _anchor(self, watermark: int) -> str:
        """
        What tells this feed from another: the store's name, and its line at a position, since a store may have been
        restored from an older backup.
        """
        line = self._store.changes_since(watermark - 1, 1)
        if not line or line[0].seq != watermark:
            return "" if watermark else "start"
        record = line[0].statement.record if line[0].statement else ""
        return f"{self._name()} {line[0].op} {line[0].statement_seq} {record}"

    def _name(self) -> str:
        """
        A random name that the store has for good.
        """
        found = self._store.kept("store", {"name"})
        if not found and self._keeps:
            self._store.keep("store", [("name", uuid4().hex.encode())])
            found = self._store.kept("store", {"name"})
        return found.get("name", b"").decode()

    def vector(self, text: str) -> Matrix | None:
        """
        The question's vector, or None without an embedder.
        """
        return question_vector(self.embedder, text)

    def search_dense(self, text: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """
        Nearest rows; none while there is no embedder.
        """
        vector = self.vector(text)
        return () if vector is None else self.dense.search_vector(vector, limit, scope)

    def search_lexical(self, text: str, limit: int, scope: Scope) -> tuple[Hit, ...]:
        """
        Best rows by words.
        """
        return self.lexical.search(text, limit, scope)

    @property
    def dense_lags(self) -> bool:
        """
        Whether the dense index is behind the lexical one.
        """
        return self.embedder is not None and self._at["dense"] < self._at["lexical"]

    @property
    def reached(self) -> int:
        """
        The newest statement whose words are found.
        """
        return self.lexical.reached

    def upto(self, statement: int) -> Indexer:
        """
        The same with its words weighed as when this statement was the newest: what came later has no part in how rare
        a word is. It is to be asked, not to follow.
        """
        found = copy(self)
        found.lexical = self.lexical.upto(statement)
        return found

    def most(self, text: str, view: View) -> float:
        """
        About what a row could score by words that has every known one of a text.
        """
        return self.lexical.most(text, view)

    def status(self) -> Status:
        """
        How far the indexes are.
        """
        dense = self._at["dense" if self.embedder else "lexical"]
        return Status(self._store.watermark(), self._at["lexical"], dense, len(self.dense.rows), len(self.lexical.rows))
