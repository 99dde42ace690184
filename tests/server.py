"""
The Neo4j server that tests run on: named in the environment by `scripts/test`, which starts one. Without it, they skip.

A server of the community edition has one database, so a test begins by emptying it.
"""

from __future__ import annotations

import atexit
import os
from functools import cache

import pytest
from neo4j import Driver, GraphDatabase, Session

from graph.contract import Store
from graph.opening import open_store

URI = os.environ.get("PRECEDENT_TEST_NEO4J_URI", "")
USER = os.environ.get("PRECEDENT_TEST_NEO4J_USER", "neo4j")
PASSWORD = os.environ.get("PRECEDENT_TEST_NEO4J_PASSWORD", "")


def require() -> None:
    """
    Skip the test where there is no server.
    """
    if not URI:
        pytest.skip("no Neo4j server (scripts/test starts one; or set PRECEDENT_TEST_NEO4J_URI, _USER and _PASSWORD)")


def emptied() -> Store:
    """
    An empty store on the server; what was in it is gone.
    """
    require()
    empty()
    return opened()


def opened(url: str = URI) -> Store:
    """
    The store on the server, as it is.
    """
    return open_store(url, user=USER, password=PASSWORD)


def empty() -> None:
    """
    Remove all that the store holds; its schema stays. A server that held something before the first test is left alone.
    """
    with driver().session() as session:
        _claim(session)
        session.run(
            "MATCH (n) WHERE NOT n:Schema AND NOT n:Counter AND NOT n:Disposable CALL (n) { DETACH DELETE n } IN TRANSACTIONS"
        ).consume()
        session.run("MATCH (c:Counter) SET c.statements = 0, c.feed = 0, c.records = 0, c.turn = 0").consume()


def _claim(session: Session) -> None:
    if not session.run("MATCH (n:Disposable) RETURN count(n) > 0").values()[0][0]:
        if session.run("MATCH (n) WHERE NOT n:Schema AND NOT n:Counter RETURN count(n) > 0").values()[0][0]:
            pytest.exit(f"{URI} holds data of somebody; tests remove what is there, so name an empty server", 4)
        session.run("CREATE (:Disposable)").consume()


@cache
def driver() -> Driver:
    """
    A driver of the tests' own, for what no store does.
    """
    found = GraphDatabase.driver(URI, auth=(USER, PASSWORD), telemetry_disabled=True)
    atexit.register(found.close)
    return found
