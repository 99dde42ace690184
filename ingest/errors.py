"""
What can go wrong on the way in.
"""

from __future__ import annotations

UNEXPECTED = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError, OSError)
"""What a reader of foreign bytes may raise that met what it did not expect: of its own file alone, of no other."""


class IngestError(Exception):
    """
    Base of the errors of this package.
    """


class BadRecord(IngestError):
    """
    A record cannot be read. The message says what, where and what to do; it goes to quarantine with it.
    """


class TooLarge(BadRecord):
    """
    What came is larger than allowed, or would be when unpacked.
    """


class BadSource(IngestError):
    """
    A source is configured wrongly, or is not there.
    """


def failure(what: str, error: Exception) -> str:
    """
    An unexpected error as a reason that a person can read.
    """
    return f"{what} failed: {type(error).__name__}: {error}"


class NotAllowed(IngestError):
    """
    The sender may not write what he asked to.
    """
