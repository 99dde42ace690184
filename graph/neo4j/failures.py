"""
The driver's errors in the words of `graph.errors`.
"""

from __future__ import annotations

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

_ELSEWHERE = "Neo.ClientError.Transaction.TransactionTimedOut", "Neo.ClientError.Transaction.TransactionMarkedAsFailed"
"""The server's words for a question that took too long, and for one that was ended from outside."""


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
    if isinstance(error, theirs.Neo4jError) and (error.code or "").startswith(_ELSEWHERE):
        return StoreUnavailable
    return next((TRANSLATIONS[kind] for kind in type(error).__mro__ if kind in TRANSLATIONS), None)


def _told(error: theirs.GqlError) -> str:
    text = str(getattr(error, "message", "") or error).strip()
    return f"{type(error).__name__}: {' '.join(text.split())[:300]}"
