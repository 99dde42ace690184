"""
Any model of sentence-transformers (the `torch` extra), on the CPU or a GPU, behind the same protocol.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.contract import Matrix
from models.errors import ExtraMissing


class SentenceEmbedder:
    """
    `name` is a model's name or a folder that holds one; `device` is `cpu`, `cuda` or `cuda:N`.
    """

    def __init__(self, name: str, device: str = "cpu") -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise ExtraMissing("sentence-transformers is not installed; install precedent[torch]") from error
        self._model = SentenceTransformer(name, device=device)
        self.model = f"sentence-transformers:{name.rstrip('/').rpartition('/')[2]}"
        self.dimension = int(self._model.get_embedding_dimension())

    def embed(self, texts: Sequence[str]) -> Matrix:
        """
        Unit vectors, one a text.
        """
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        found = self._model.encode(
            list(texts), normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return np.asarray(found, dtype=np.float32)

    def embed_one(self, text: str) -> Matrix:
        """
        One text's vector of shape (dimension,).
        """
        vector: Matrix = self.embed([text])[0]
        return vector
