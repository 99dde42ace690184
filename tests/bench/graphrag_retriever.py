"""
The peer of similar incidents: neo4j-graphrag's HybridCypherRetriever. An environment of its own, which has that
package, runs it: `python graphrag_retriever.py QUESTIONS.json`, with a line on standard input for each round.

QUESTIONS.json: {"url", "user", "password", "rows": [{"id", "text", "vector"}], "questions": [{"text", "vector"}]}. The rows
are put beside the store's under a label of their own, and both indexes are made. After that, each line read is answered by
the milliseconds of all questions.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import neo4j
from neo4j_graphrag.embeddings.base import Embedder
from neo4j_graphrag.retrievers import HybridCypherRetriever

LOAD = "UNWIND $rows AS row CREATE (p:Peer {id: row.id, text: row.text, embedding: row.vector})"
VECTORS = (
    "CREATE VECTOR INDEX peer_vectors IF NOT EXISTS FOR (p:Peer) ON (p.embedding) OPTIONS {indexConfig: "
    "{`vector.dimensions`: 384, `vector.similarity_function`: 'cosine', `vector.quantization.enabled`: false}}"
)
WORDS = "CREATE FULLTEXT INDEX peer_words IF NOT EXISTS FOR (p:Peer) ON EACH [p.text]"
FOUND = "OPTIONAL MATCH (s:Statement {kind: 'incident', name: node.id}) RETURN node.id AS id, s.body AS body, score"


class Known(Embedder):  # type: ignore[misc]  # the package is in the peer's own environment
    """
    Vectors that are there already: embedding costs neither side.
    """

    def __init__(self, vectors: dict[str, list[float]]) -> None:
        self._vectors = vectors

    def embed_query(self, text: str, **_: Any) -> list[float]:
        return self._vectors[text]


def main() -> None:
    """
    Load, then answer rounds until the input ends.
    """
    given = json.loads(Path(sys.argv[1]).read_text())
    with neo4j.GraphDatabase.driver(given["url"], auth=(given["user"], given["password"])) as driver:
        for start in range(0, len(given["rows"]), 500):
            driver.execute_query(LOAD, rows=given["rows"][start : start + 500])
        for text in (VECTORS, WORDS, "CALL db.awaitIndexes(600)"):
            driver.execute_query(text)
        embedder = Known({one["text"]: one["vector"] for one in given["questions"]})
        retriever = HybridCypherRetriever(driver, "peer_vectors", "peer_words", FOUND, embedder=embedder)
        print("ready", flush=True)
        for _ in sys.stdin:
            times = []
            for one in given["questions"]:
                began = time.perf_counter()
                found = retriever.search(query_text=one["text"], top_k=10)
                assert len(found.items) == 10, len(found.items)
                times.append((time.perf_counter() - began) * 1000)
            print(json.dumps(times), flush=True)


if __name__ == "__main__":
    main()
