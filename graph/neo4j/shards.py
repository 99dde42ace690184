"""
Rows of a kind with the same labels, and the indexes that they are in.

A vector index is one for each kind of document, so that the other kinds don't crowd out what is asked for. A full-text
index is one for each set of labels, so that words which a reader may not see don't weigh in his scores.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from graph.neo4j.connecting import Transaction, rows
from graph.values import ItemKind, Labels, View


@dataclass(frozen=True, slots=True)
class Shard:
    """
    `near` and `words` name its indexes, and the nodes in them.
    """

    maker: str
    kind: ItemKind
    labels: Labels
    near: str
    words: str
    rows: int = 0
    indexed: bool = False
    """Whether its full-text index is there."""
    near_indexed: bool = False
    """Whether its vector index is there; few rows do without."""

    @classmethod
    def of(cls, maker: str, kind: ItemKind, labels: Labels) -> Shard:
        """
        Without its rows.
        """
        return cls(maker, kind, labels, f"Near_{digest(maker, kind.value)}", f"Words_{digest(maker, *sorted(labels))}")

    @property
    def key(self) -> str:
        """
        The name of a shard.
        """
        return f"{self.near} {self.words}"

    @property
    def properties(self) -> dict[str, object]:
        """
        Those of its node but for the rows.
        """
        return {
            "key": self.key,
            "maker": self.maker,
            "kind": self.kind.value,
            "labels": sorted(self.labels),
            "near": self.near,
            "words": self.words,
        }


def shards_of(transaction: Transaction, maker: str) -> list[Shard]:
    """
    All that a maker has.
    """
    return [
        Shard(maker, ItemKind(kind), frozenset(labels), near, words, count, indexed, near_indexed)
        for kind, labels, near, words, count, indexed, near_indexed in rows(transaction, "shards_of", maker=maker)
    ]


def within(shards: Sequence[Shard], view: View, kinds: Collection[ItemKind] = ()) -> list[Shard]:
    """
    Those whose labels a reader may see.
    """
    return [one for one in shards if one.rows and one.labels <= view.visibility and (not kinds or one.kind in kinds)]


def sizes(shards: Sequence[Shard]) -> Counter[str]:
    """
    How many rows each index has.
    """
    found: Counter[str] = Counter()
    for shard in shards:
        found[shard.near] += shard.rows
        found[shard.words] += shard.rows
    return found


def digest(*texts: str) -> str:
    """
    A short name of texts.
    """
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
