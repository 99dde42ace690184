"""
Fixtures that every test may use.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

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
