"""
A served memory with the demo organisation, asked through HTTP as clients do, in each way of deploying it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from service.api.app import create_app
from service.demo import load
from tests.deployment import OPT_OUTS, Deployment

ADDRESS = "http://127.0.0.1:8080"


@pytest.fixture(autouse=True)
def opt_out(request: pytest.FixtureRequest) -> None:
    """
    Leave out what a deployment cannot do.
    """
    if "deployment" in request.fixturenames:
        deployment: Deployment = request.getfixturevalue("deployment")
        reason = OPT_OUTS.get((deployment.name, request.node.originalname))
        if reason:
            pytest.skip(reason)


@pytest.fixture(scope="module")
def client(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """
    The API over the demo organisation.
    """
    memory = load(deployment.settings(tmp_path_factory.mktemp("demo")))
    with TestClient(create_app(memory), base_url=ADDRESS, raise_server_exceptions=False) as found:
        yield found
