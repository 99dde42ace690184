"""
The frame of an evaluation: questions are answered and the answers written down before any truth is opened.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np

from graph.contract import Store
from graph.opening import open_store
from models.contract import Embedder, Matrix
from models.parameters import Parameters, load

Metrics = dict[str, dict[str, float | None]]
"""variant -> measure -> number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """
    One answer: `ranked` ids with probabilities, best first; `extra` are further fields of the written line.
    """

    question: str
    variant: str
    ranked: tuple[tuple[str, float | None], ...] = ()
    none_p: float | None = None
    abstained: bool = False
    extra: Mapping[str, object] = field(default_factory=dict, hash=False)

    def line(self) -> str:
        """
        The answer as one line of JSON.
        """
        ranked = [{"id": found, "p": p} for found, p in self.ranked]
        body = {
            "question": self.question,
            "variant": self.variant,
            "ranked": ranked,
            "none_p": self.none_p,
            "abstained": self.abstained,
        }
        return json.dumps(body | dict(self.extra), ensure_ascii=False)

    @property
    def ids(self) -> list[str]:
        """
        The ids alone, best first.
        """
        return [found for found, _ in self.ranked]


class Remembering:
    """
    An embedder that makes each text's vector once: variants of a corpus share most of their texts.
    """

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner
        self._known: dict[str, Matrix] = {}
        self.model, self.dimension = inner.model, inner.dimension

    def embed(self, texts: Sequence[str]) -> Matrix:
        """
        Unit vectors, one a text.
        """
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            self._known.update(zip(missing, self._inner.embed(missing), strict=True))
        return np.stack([self._known[text] for text in texts]) if texts else self._inner.embed([])


class Lab:
    """
    Temporary stores, the embedder and the parameters for one evaluation of one directory.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.digests = digests(directory)
        self.seen = False
        self._exits = ExitStack()
        self._root = Path(self._exits.enter_context(tempfile.TemporaryDirectory(prefix="precedent-evaluate-")))
        self._embedder: Embedder | None = None
        self._stores = 0

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()

    def folder(self, name: str) -> Path:
        """
        A folder that goes with the lab.
        """
        path = self._root / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def store(self) -> Store:
        """
        A fresh, empty store.
        """
        self._stores += 1
        store = open_store(f"sqlite:///{self.folder(f'store-{self._stores}')}")
        self._exits.callback(store.close)
        return store

    def embedder(self) -> Embedder:
        """
        The embedder that the product ships.
        """
        if self._embedder is None:
            from models.embedding import OnnxEmbedder

            self._embedder = Remembering(OnnxEmbedder())
        return self._embedder

    def parameters(self, name: str, without: frozenset[str] | None = None) -> Parameters:
        """
        Shipped parameters, without what they learned from this directory, or from these digests alone.
        """
        parameters = load(name, without=self.digests if without is None else without)
        self.seen = self.seen or bool(parameters.seen)
        return parameters

    def progress(self, text: str) -> None:
        """
        Tell a person on standard error how far the work is.
        """
        print(text, file=sys.stderr, flush=True)


class Evaluation(Protocol):
    """
    A module of this package, one per set.
    """

    def predict(self, directory: Path, lab: Lab) -> Iterator[Prediction]:
        """Answer every question; never opens the truth."""
        ...

    def score(self, directory: Path, predictions: Sequence[Prediction]) -> tuple[Metrics, int]:
        """
        Open the truth; measures by variant, and the number of questions of `whole`. Where measures rest on
        different questions, each has its number beside it as measure `n_MEASURE`.
        """
        ...


def read_lines(path: Path) -> Iterator[dict[str, object]]:
    """
    The objects of a JSON lines file, plain or gzip. Lines end at newline characters alone.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as stream:
        for line in stream:
            if line.strip():
                yield json.loads(line)


def data_file(directory: Path, *names: str) -> Path | None:
    """
    The first of these files that the directory has, plain or with .gz.
    """
    for name in names:
        for path in (directory / name, directory / f"{name}.gz"):
            if path.is_file():
                return path
    return None


def digests(directory: Path) -> frozenset[str]:
    """
    SHA-256 of each data file of a directory (unpacked), one level deep: what parameters may have learned from.
    """
    found = set()
    for path in sorted([*directory.glob("*"), *directory.glob("*/alert.json")]):
        if path.is_file() and (path.name == "alert.json" or {".jsonl", ".csv"} & set(path.suffixes)):
            raw = path.read_bytes()
            found.add(hashlib.sha256(gzip.decompress(raw) if path.suffix == ".gz" else raw).hexdigest())
    return frozenset(found)


def by_variant(predictions: Iterable[Prediction]) -> dict[str, dict[str, Prediction]]:
    """
    variant -> question -> its first prediction.
    """
    table: dict[str, dict[str, Prediction]] = defaultdict(dict)
    for prediction in predictions:
        table[prediction.variant].setdefault(prediction.question, prediction)
    return table
