"""
What the store on a server promises without one: errors in our words, URLs without secrets, queries that are used.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from neo4j import exceptions as theirs

from graph.errors import GraphError, InvalidValue, StoreRefused, StoreUnavailable
from graph.neo4j.addresses import split
from graph.neo4j.failures import TRANSLATIONS, translated
from graph.neo4j.queries import queries
from graph.neo4j.watching import PATIENCE, Watch
from graph.opening import open_store

SOURCES = "".join(path.read_text() for path in sorted(Path("graph/neo4j").glob("*.py")))
OURS_TO_MEND = {
    theirs.BrokenRecordError,
    theirs.ClientError,
    theirs.ConstraintError,
    theirs.CypherSyntaxError,
    theirs.CypherTypeError,
    theirs.ResultConsumedError,
    theirs.ResultError,
    theirs.ResultNotSingleError,
    theirs.SessionError,
    theirs.TransactionError,
    theirs.TransactionNestingError,
}
"""Errors of the driver that a user can do nothing about: they are mistakes of ours and stay visible as such."""
ROOTS = {theirs.GqlError, theirs.Neo4jError, theirs.DriverError}


def _errors() -> set[type[theirs.GqlError]]:
    every = {one for one in vars(theirs).values() if isinstance(one, type) and issubclass(one, theirs.GqlError)}
    return {one for one in every if not one.__name__.startswith("_")} - ROOTS


def test_every_error_of_the_driver_is_translated_or_known_as_ours() -> None:
    assert _errors() == set(TRANSLATIONS) | OURS_TO_MEND


@pytest.mark.parametrize(("kind", "ours"), TRANSLATIONS.items(), ids=str)
def test_a_driver_error_becomes_ours_and_names_the_store(kind: type[theirs.GqlError], ours: type[GraphError]) -> None:
    with pytest.raises(ours, match="bolt://there"), translated("bolt://there"):
        raise _made(kind)


@pytest.mark.parametrize("kind", sorted(OURS_TO_MEND, key=str), ids=str)
def test_a_mistake_of_ours_stays_visible(kind: type[theirs.GqlError]) -> None:
    with pytest.raises(kind), translated("bolt://there"):
        raise _made(kind)


def _made(kind: type[theirs.GqlError]) -> theirs.GqlError:
    # some want the result or the session that failed, which nobody looks at
    wants_it = (theirs.ResultError, theirs.SessionError, theirs.TransactionError)
    return kind(None, "details") if issubclass(kind, wants_it) else kind("details")


@pytest.mark.parametrize(
    ("code", "ours", "says"),
    [
        ("Neo.ClientError.Security.Unauthorized", StoreRefused, "check the user, the password"),
        ("Neo.ClientError.Security.Forbidden", StoreRefused, "what the user may do"),
        ("Neo.ClientError.Security.AuthenticationRateLimit", StoreRefused, "check the user, the password"),
        ("Neo.ClientError.Security.CredentialsExpired", StoreRefused, "check the user, the password"),
        ("Neo.ClientError.Database.DatabaseNotFound", StoreUnavailable, "bolt://there"),
        ("Neo.ClientError.General.ForbiddenOnReadOnlyDatabase", StoreUnavailable, "bolt://there"),
        ("Neo.ClientError.Transaction.TransactionTimedOut", StoreUnavailable, "bolt://there"),
        ("Neo.ClientError.Cluster.NotALeader", StoreUnavailable, "bolt://there"),
        ("Neo.TransientError.General.DatabaseUnavailable", StoreUnavailable, "bolt://there"),
        ("Neo.DatabaseError.General.UnknownError", StoreUnavailable, "bolt://there"),
    ],
)
def test_what_a_server_says_is_told_with_what_to_do(code: str, ours: type[GraphError], says: str) -> None:
    with pytest.raises(ours, match=says), translated("bolt://there"):
        raise theirs.Neo4jError._hydrate_neo4j(code=code, message="details")


def test_common_faults_are_told_in_plain_words() -> None:
    url = "bolt://127.0.0.1:1"
    store = open_store(url)
    with pytest.raises(StoreUnavailable) as told:
        store.watermark()
    assert str(told.value) == f"The store cannot be reached: {url} (nothing listens there)"
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.watermark()


@pytest.mark.parametrize(
    "url",
    ["bolt://neo4j:marzipan@host", "neo4j+s://neo4j:marzipan@host:7687/db", "bolt+ssc://:marzipan@host", "bolt://a:marzipan@"],
)  # fmt: skip
def test_a_url_with_credentials_is_refused_without_showing_them(url: str) -> None:
    with pytest.raises(InvalidValue, match="settings of their own") as told:
        open_store(url)
    assert "marzipan" not in str(told.value)


@pytest.mark.parametrize("url", ["bolt://", "neo4j+x://host", "bolt://host:port", "bolt://host:0", "bolt://host:99999"])
def test_a_url_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue, match=re.escape("bolt://")):
        open_store(url)


def test_a_url_may_name_a_database() -> None:
    assert split("neo4j+s://host:7687/other") == ("neo4j+s://host:7687", "other")
    assert split("bolt://host") == ("bolt://host", None)


def test_every_query_has_a_purpose_and_is_used() -> None:
    for name, text in queries().items():
        assert text.startswith("// "), name
        assert f'"{name}"' in SOURCES, f"{name} is never used"


def test_every_query_that_is_used_is_there() -> None:
    named = re.findall(r'\b(?:rows|one)\(\s*(?:self\._)?transaction,\s*"(\w+)"', SOURCES)
    named += re.findall(r'\b(?:cypher|self\._write)\(\s*"(\w+)"', SOURCES)
    named += re.findall(r'"((?:facts|changes|documents|alerts|statements|records|services)_\w+)"', SOURCES)
    assert len(set(named)) > len(queries()) * 0.8
    assert set(named) <= set(queries())


@pytest.fixture
def life() -> Iterator[_Life]:
    found = _Life()
    yield found
    found.watch.stop()


class _Life:
    """
    A server that answers a watch or not.
    """

    def __init__(self) -> None:
        self.answers = True
        self.ended = threading.Event()
        self.watch = Watch(self._ask, self.ended.set)

    def _ask(self) -> None:
        if not self.answers:
            raise StoreUnavailable("there")


def test_a_long_call_is_ended_where_there_is_no_sign_of_life(life: _Life) -> None:
    life.answers = False
    with life.watch.over(60):
        assert life.ended.wait(PATIENCE * 4)
    assert isinstance(life.watch.away, StoreUnavailable)
    life.answers = True
    deadline = time.monotonic() + 5
    while life.watch.away:
        assert time.monotonic() < deadline


def test_a_long_call_goes_on_where_there_is_one_until_its_time_is_up(life: _Life) -> None:
    with life.watch.over(PATIENCE * 3):
        assert not life.ended.wait(PATIENCE * 2)
        assert life.watch.away is None
        assert life.ended.wait(PATIENCE * 4)
