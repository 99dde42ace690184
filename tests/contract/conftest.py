"""
A fresh store of every backend for each test of the suite.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.contract import Store
from tests.contract.backends import BACKENDS, OPT_OUTS, Backend


@pytest.fixture(params=BACKENDS, ids=lambda backend: backend.name)
def backend(request: pytest.FixtureRequest) -> Backend:
    """
    Each backend in turn, unless it opted out of the test.
    """
    chosen: Backend = request.param
    reason = OPT_OUTS.get((chosen.name, request.node.originalname))
    if reason:
        pytest.skip(reason)
    return chosen


@pytest.fixture
def store(backend: Backend, tmp_path: Path) -> Iterator[Store]:
    """
    An empty store, closed after the test.
    """
    opened = backend.open(tmp_path / "store")
    yield opened
    opened.close()
