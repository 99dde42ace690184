"""
Vectors of rows and of questions. Those of rows lie in the store by the digest of their text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from graph.contract import Store
from graph.searching import Row
from models.contract import Embedder, Matrix

PART = 256
"""Texts that are embedded at a time."""


def vectors_of(embedder: Embedder, store: Store, rows: Sequence[Row], *, keep: bool) -> Matrix:
    """
    From the store where they are, else made, and with `keep` kept there.
    """
    shelf = f"vectors:{embedder.model}"
    keys = [hashlib.sha256(row.text.encode("utf-8", "surrogatepass")).hexdigest() for row in rows]
    kept = store.kept(shelf, set(keys))
    missing = {key: row for key, row in zip(keys, rows, strict=True) if key not in kept}
    places = sorted(missing, key=lambda key: len(missing[key].text))
    for start in range(0, len(places), PART):
        part = places[start : start + PART]
        vectors = embedder.embed([missing[key].text for key in part])
        made = {key: vector.astype(np.float32).tobytes() for key, vector in zip(part, vectors, strict=True)}
        kept |= made
        if keep:
            _keep(store, shelf, made, missing)
    return np.stack([np.frombuffer(kept[key], dtype=np.float32) for key in keys])


def _keep(store: Store, shelf: str, made: dict[str, bytes], rows: dict[str, Row]) -> None:
    by_record: dict[str, list[tuple[str, bytes]]] = {}
    for key, body in made.items():
        by_record.setdefault(rows[key].record, []).append((key, body))
    for record, bodies in by_record.items():
        store.keep(shelf, bodies, [record])


def question_vector(embedder: Embedder | None, text: str) -> Matrix | None:
    """
    A question's vector, or None without an embedder.
    """
    if embedder is None:
        return None
    one = getattr(embedder, "embed_one", None)
    found: Matrix = one(text) if one else embedder.embed([text])[0]
    return found
