"""
What can go wrong in models and indexes.
"""

from __future__ import annotations


class ModelError(Exception):
    """
    Base of the errors of this package.
    """


class WeightsDamaged(ModelError):
    """
    The weights are missing or are not the published ones (SHA-256).
    """


class IndexDamaged(ModelError):
    """
    An index's file does not match its manifest.
    """


class ExtraMissing(ModelError):
    """
    An optional package is not installed; the message says which extra brings it.
    """
