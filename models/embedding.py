"""
The shipped embedder: int8 ONNX on the CPU, with the runtime and the tokenizer alone.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from models.contract import Matrix
from models.errors import WeightsDamaged
from models.parameters import WEIGHTS

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer

MAX_TOKENS = 256
CACHED = 2048


class OnnxEmbedder:
    """
    all-MiniLM-L6-v2, 384 numbers a text, texts cut at 256 tokens. Safe to share between threads.

    Raises WeightsDamaged when a file of `folder` is not the one that its manifest names.
    """

    def __init__(self, folder: Path = WEIGHTS, threads: int = 2) -> None:
        manifest = _manifest(folder)
        name = next(file for file in manifest.files if file.endswith(".onnx"))
        self.model = f"{manifest.model}:{manifest.files[name][:12]}"
        self.dimension = manifest.dimension
        self._session = _session(folder / name)
        self._tokenizer = _tokenizer(folder / "tokenizer.json")
        self._cache: OrderedDict[str, Future[Matrix]] = OrderedDict()
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="embed")

    def embed(self, texts: Sequence[str]) -> Matrix:
        """
        Unit vectors, one a text. Each text is run by itself: activations are quantised by what runs together, so a
        batch would make a text's vector depend on its neighbours. Several run side by side.
        """
        if len(texts) == 1:
            # a question mostly: it needs no other thread, and gives the interpreter's lock away only to the model
            return self._run(self._tokenizer.encode(_cut(texts[0])).ids)[None, :]
        rows = [one.ids for one in self._tokenizer.encode_batch([_cut(text) for text in texts])]
        found = list(self._pool.map(self._run, rows))
        return np.stack(found) if found else np.zeros((0, self.dimension), dtype=np.float32)

    def embed_one(self, text: str) -> Matrix:
        """
        One text's vector of shape (dimension,), made once and remembered for a while: a question is asked of several
        indexes, perhaps at the same time.
        """
        with self._lock:
            found = self._cache.get(text)
            mine = found is None
            if found is None:
                found = self._cache[text] = Future()
                while len(self._cache) > CACHED:
                    self._cache.popitem(last=False)
            self._cache.move_to_end(text)
        if mine:
            try:
                found.set_result(self.embed([text])[0])
            except BaseException as error:  # noqa: BLE001 - every waiter raises it
                found.set_exception(error)
                with self._lock:
                    self._cache.pop(text, None)
        return found.result()

    def _run(self, row: Sequence[int]) -> Matrix:
        ids = np.array([row], dtype=np.int64)
        found: Matrix = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]
        return found


def _cut(text: str) -> str:
    return text[:8000] or " "


@dataclass(frozen=True, slots=True)
class _Manifest:
    model: str
    dimension: int
    files: Mapping[str, str]


def _manifest(folder: Path) -> _Manifest:
    path = folder / "embedder.json"
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        manifest = _Manifest(str(read["model"]), int(read["dimension"]), dict(read["files"]))
        for name, wanted in manifest.files.items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != wanted:
                raise WeightsDamaged(
                    f"{folder / name} is not the published file (SHA-256); restore it from the release"
                )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsDamaged(f"{path}: {error}; restore the weights from the release") from error
    return manifest


def _session(path: Path) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # several threads on one short text wait for each other: it takes as long, and half as much again of the processor
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # the arena keeps the memory of the oddest shape for ever
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _tokenizer(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer
