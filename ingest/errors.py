"""
What can go wrong on the way in.
"""

from __future__ import annotations


class IngestError(Exception):
    """
    Base of the errors of this package.
    """


class BadRecord(IngestError):
    """
    A record cannot be read. The message says what, where and what to do; it goes to quarantine with it.
    """


class BadSource(IngestError):
    """
    A source is configured wrongly, or is not there.
    """
