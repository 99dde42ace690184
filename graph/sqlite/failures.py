"""
The driver's errors in the words of `graph.errors`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import apsw

from graph.errors import (
    DiskFull,
    GraphError,
    InvalidValue,
    StoreDamaged,
    StoreLocked,
    StoreUnavailable,
)

TRANSLATIONS: Mapping[type[apsw.Error], type[GraphError]] = MappingProxyType(
    {
        apsw.FullError: DiskFull,
        apsw.CorruptError: StoreDamaged,
        apsw.NotADBError: StoreDamaged,
        apsw.FormatError: StoreDamaged,
        apsw.BusyError: StoreLocked,
        apsw.LockedError: StoreLocked,
        apsw.ProtocolError: StoreLocked,
        apsw.IOError: StoreUnavailable,
        apsw.CantOpenError: StoreUnavailable,
        apsw.PermissionsError: StoreUnavailable,
        apsw.ReadOnlyError: StoreUnavailable,
        apsw.AuthError: StoreUnavailable,
        apsw.NoLFSError: StoreUnavailable,
        apsw.NoMemError: StoreUnavailable,
        apsw.InterruptError: StoreUnavailable,
        apsw.AbortError: StoreUnavailable,
        apsw.ConnectionClosedError: StoreUnavailable,
        apsw.CursorClosedError: StoreUnavailable,
        apsw.ExtensionLoadingError: StoreUnavailable,
        apsw.VFSFileClosedError: StoreUnavailable,
        apsw.TooBigError: InvalidValue,
        apsw.MismatchError: InvalidValue,
        apsw.RangeError: InvalidValue,
    }
)
"""What a user can meet. The errors not named here are mistakes of this package and are left as they are."""

_DAMAGED_PAGE = 8202
"""SQLITE_IOERR_DATA: a page does not agree with its checksum."""


@contextmanager
def translated(subject: str) -> Iterator[None]:
    """
    Raise the driver's errors as ours; `subject` says which store.
    """
    try:
        yield
    except apsw.Error as error:
        kind = _kind_of(error)
        if kind is None:
            raise
        raise kind(f"{subject} ({error})") from error
    except UnicodeEncodeError as error:
        raise InvalidValue(repr(error.object[error.start : error.end]), "The text is not valid Unicode") from error


def _kind_of(error: apsw.Error) -> type[GraphError] | None:
    if isinstance(error, apsw.IOError) and getattr(error, "extendedresult", 0) == _DAMAGED_PAGE:
        return StoreDamaged
    return next((ours for theirs, ours in TRANSLATIONS.items() if isinstance(error, theirs)), None)
