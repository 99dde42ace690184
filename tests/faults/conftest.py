"""
A line to a real server through a proxy that misbehaves on demand.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests import server
from tests.faults.proxy import Proxy


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """
    What a test leaves to the collector is no other test's warning.
    """
    yield
    gc.collect()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """
    In front of an empty store.
    """
    server.emptied().close()
    found = Proxy(server.URI)
    yield found
    found.close()
