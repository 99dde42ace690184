"""
Fixtures that every test may use.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.deployment import DEPLOYMENTS, Deployment

if TYPE_CHECKING:
    from playwright.sync_api import Browser

settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")


@pytest.fixture(scope="session")
def shared() -> Path:
    """
    The folder of real organisations and vendor payloads beside the checkout; a clone without it skips these tests.
    """
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("the real data sets (../shared/data) are not beside this checkout")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """
    The browser of this machine; without one the test is skipped.
    """
    from tests.browsing import chromium

    with chromium() as found:
        yield found


@pytest.fixture(scope="module", params=DEPLOYMENTS, ids=lambda found: found.name)
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """
    Each way of deploying in turn. A server has one database: a module's tests share what is in it.
    """
    found: Deployment = request.param
    found.empty()
    return found
