"""
What can go wrong in the store: your mistake, not there, cannot reach it.
"""

from __future__ import annotations


class GraphError(Exception):
    """
    Base of the errors of this package; the docstring is the default message.
    """

    def __init__(self, subject: str = "", message: str | None = None) -> None:
        self.subject = subject
        text = (message or type(self).__doc__ or "").strip().rstrip("." if subject else "")
        super().__init__(f"{text}: {subject}" if subject else text)


class InvalidValue(GraphError):
    """The value cannot be stored."""


class NotFound(GraphError):
    """There is no such thing in the store."""


class NotSupported(GraphError):
    """This kind of store cannot do that."""


class StoreUnavailable(GraphError):
    """The store cannot be reached."""


class StoreLocked(StoreUnavailable):
    """Another process writes to this data directory."""


class StoreNotWritable(StoreUnavailable):
    """This user may not write to the data directory."""


class StoreRefused(StoreUnavailable):
    """The store's server refuses this user; check the user, the password and what the user may do."""


class StoreDamaged(StoreUnavailable):
    """The store's file is damaged; restore a backup."""


class StoreTooNew(StoreUnavailable):
    """The store was written by a newer version."""


class StoreUnfinished(StoreUnavailable):
    """A migration into this store is not finished; give the same `precedent migrate` again, or empty the store."""


class MigrationRefused(GraphError):
    """The one store cannot be migrated into the other."""


class DiskFull(StoreUnavailable):
    """There is no space left for the store."""
