"""
The driver's errors in the words of `graph.errors`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from neo4j import exceptions as theirs

from graph.errors import GraphError, InvalidValue, StoreRefused, StoreUnavailable

TRANSLATIONS: Mapping[type[theirs.GqlError], type[GraphError]] = MappingProxyType(
    {
        theirs.AuthError: StoreRefused,
        theirs.TokenExpired: StoreRefused,
        theirs.Forbidden: StoreRefused,
        theirs.AuthConfigurationError: StoreRefused,
        theirs.CertificateConfigurationError: StoreRefused,
        theirs.ConfigurationError: InvalidValue,
        theirs.UnsupportedServerProduct: InvalidValue,
        theirs.TransientError: StoreUnavailable,
        theirs.DatabaseUnavailable: StoreUnavailable,
        theirs.NotALeader: StoreUnavailable,
        theirs.ForbiddenOnReadOnlyDatabase: StoreUnavailable,
        theirs.DatabaseError: StoreUnavailable,
        theirs.ServiceUnavailable: StoreUnavailable,
        theirs.RoutingServiceUnavailable: StoreUnavailable,
        theirs.WriteServiceUnavailable: StoreUnavailable,
        theirs.ReadServiceUnavailable: StoreUnavailable,
        theirs.IncompleteCommit: StoreUnavailable,
        theirs.SessionExpired: StoreUnavailable,
        theirs.ConnectionPoolError: StoreUnavailable,
        theirs.ConnectionAcquisitionTimeoutError: StoreUnavailable,
        theirs.ResultFailedError: StoreUnavailable,
    }
)
"""What a user can meet. The errors not named here are mistakes of this package and are left as they are."""

_ELSEWHERE = (
    "Neo.ClientError.Transaction.TransactionTimedOut",
    "Neo.ClientError.Transaction.TransactionMarkedAsFailed",
    "Neo.ClientError.Database.DatabaseNotFound",
)
"""The server's words for a question that took too long, for one that was ended from outside, for a wrong URL."""
_SECURITY = "Neo.ClientError.Security."
"""What the driver has no class for, too: expired credentials, too many wrong passwords."""
_PLAIN = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        ("Connection refused", "nothing listens there"),
        ("DNS resolve", "no such host is known; check the store's URL"),
        ("looks like HTTP|incorrect port", "what listens there does not speak Bolt; check the port of the store's URL"),
        (
            "SSL|encrypted|certificate",
            "no encrypted line; check the server's certificate and the scheme of the store's URL",
        ),
        ("handshake response|[Tt]imed out|obtain a connection", "no answer in time"),
        ("defunct|incomplete handshake", "the line broke"),
        ("routing information", "no member of the cluster answers"),
        ("authentication token|authentication failure", "wrong user or password"),
        ("Graph not found", "the server has no such database; check the path of the store's URL"),
    )
)
"""What the driver says of common faults, and what it comes to."""


@contextmanager
def translated(subject: str) -> Iterator[None]:
    """
    Raise the driver's errors as ours; `subject` says which store.
    """
    try:
        yield
    except theirs.GqlError as error:
        kind = _kind_of(error)
        if kind is None:
            raise
        raise kind(f"{subject} ({_told(error)})") from error
    except UnicodeEncodeError as error:
        raise InvalidValue(repr(error.object[error.start : error.end]), "The text is not valid Unicode") from error
    except OSError as error:
        raise StoreUnavailable(f"{subject} ({error})") from error


def _kind_of(error: theirs.GqlError) -> type[GraphError] | None:
    code = (error.code or "") if isinstance(error, theirs.Neo4jError) else ""
    if code.startswith(_ELSEWHERE):
        return StoreUnavailable
    if code.startswith(_SECURITY):
        return StoreRefused
    return next((TRANSLATIONS[kind] for kind in type(error).__mro__ if kind in TRANSLATIONS), None)


def _told(error: theirs.GqlError) -> str:
    text = str(getattr(error, "message", "") or error).strip()
    plain = next((words for pattern, words in _PLAIN if pattern.search(text)), None)
    if plain is not None:
        return plain
    return f"{type(error).__name__}: {' '.join(text.split())[:300]}"
