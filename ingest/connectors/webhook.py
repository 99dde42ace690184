"""
Any JSON that a tool sends, by a mapping file: as `mapping` reads files, but deliveries are events and are observed.
"""

from __future__ import annotations

from graph.values import Trust
from ingest.connectors import mapping
from ingest.contract import Connector

CONNECTOR = Connector(
    name="webhook",
    summary="any JSON delivery, by a mapping file",
    trust=Trust.OBSERVED,
    snapshot=False,
    split=mapping.split,
    transform=mapping.transform,
)
