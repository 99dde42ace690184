"""
A served memory with the demo organisation, asked through HTTP as clients do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from service.api.app import create_app
from service.demo import load
from service.settings import Settings

ADDRESS = "http://127.0.0.1:8080"


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """
    The API over the demo organisation.
    """
    data: Path = tmp_path_factory.mktemp("demo")
    memory = load(Settings(data=data))
    with TestClient(create_app(memory), base_url=ADDRESS, raise_server_exceptions=False) as found:
        yield found
