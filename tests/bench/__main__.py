"""
`scripts/bench`: what is named, or all that needs no server.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence

from tests.bench import agents, embedded, ingest, owner, server, size
from tests.bench.figures import Figure


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Exit 0 always: a bench tells, it does not judge.
    """
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measure this machine's speeds against limits and peers."
    )
    parser.add_argument(
        "what",
        nargs="*",
        choices=("context", "ingest", "owner", "size", "mcp", "neo4j", "similar", []),
        default=["context", "size"],
    )
    parser.add_argument("--services", type=int)
    parser.add_argument("--changes", type=int)
    parser.add_argument("--incidents", type=int)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=60, help="of webhooks (ingest, neo4j)")
    options = parser.parse_args(arguments)
    parts: dict[str, Callable[[argparse.Namespace], Iterable[Figure]]] = {
        "context": embedded.context,
        "ingest": ingest.measure,
        "owner": owner.measure,
        "size": size.installed_size,
        "mcp": agents.measure,
        "neo4j": server.measure,
        "similar": server.similar_alone,
    }
    for name in options.what:
        for figure in parts[name](options):
            print(figure.line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
