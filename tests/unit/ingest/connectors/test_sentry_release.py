"""
Sentry's releases and deploys.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, read

RAW = (DATA / "sentry_release.json").read_bytes()


def test_a_release_is_code_and_its_last_deploy_a_deploy() -> None:
    release, deploy, begun = read("sentry_release", RAW)
    assert release == Change(
        id="sentry:release:basket@4.2.0+ab12cd:basket,basket-web",
        kind=ChangeKind.CODE,
        at=datetime(2026, 3, 2, 13, 30, tzinfo=UTC),
        title="Release basket@4.2.0+ab12cd of basket basket-web",
        services=("service:basket", "service:basket-web"),
        revision="basket@4.2.0+ab12cd",
        status="released",
        carries=("ab12cdef",),
        attributes={"package": "basket", "build": "ab12cd", "commits": "2"},
    )
    assert isinstance(deploy, Change)
    assert (deploy.id, deploy.kind, deploy.environment) == ("sentry:deploy:55", ChangeKind.DEPLOY, "production")
    assert (deploy.at, deploy.ended_at) == (
        datetime(2026, 3, 2, 13, 40, tzinfo=UTC),
        datetime(2026, 3, 2, 13, 45, tzinfo=UTC),
    )
    assert isinstance(begun, Change)
    assert (begun.status, begun.services, begun.revision, begun.ended_at) == (
        "started",
        ("service:basket",),
        "4.3.0",
        None,
    )


def test_a_deploy_that_finished_comes_after_the_same_when_it_began() -> None:
    body = {"id": "1", "environment": "p", "dateStarted": "2026-03-02T14:00:00Z", "dateFinished": None}
    moments = []
    for finished in (None, "2026-03-02T14:00:00Z"):
        piece = next(iter(connector("sentry_release").split(orjson.dumps({**body, "dateFinished": finished}), {})))
        assert piece.part == "deploy:1"
        assert piece.occurred_at is not None
        moments.append(piece.occurred_at)
    assert moments[0] < moments[1]


def test_what_is_neither_says_so() -> None:
    with pytest.raises(BadRecord, match="neither a release"):
        read("sentry_release", b'{"name": "x"}')
    assert read("sentry_release", b'{"action": "created", "installation": {"uuid": "u"}}') == []


def test_real_bodies(shared: Path) -> None:
    folder = shared / "samples/sentry_release"
    (deploy,) = read("sentry_release", (folder / "create_deploy.superplane.json").read_bytes())
    assert isinstance(deploy, Change)
    assert (deploy.id, deploy.title, deploy.services) == ("sentry:deploy:1234567", "Deploy #42", ("service:go-gin",))
    assert (deploy.environment, deploy.revision) == ("production", "2026.03.25")
    (release,) = read("sentry_release", (folder / "create_release.superplane.json").read_bytes())
    assert isinstance(release, Change)
    assert (release.kind, release.at) == (ChangeKind.CODE, datetime(2026, 3, 25, 10, 15, tzinfo=UTC))
    assert release.carries == ("6ba09a7c53235ee8a8fa5ee4c1ca8ca886e7fdbb",)
    for path in folder.glob("*.json"):
        found = recognise(orjson.loads(path.read_bytes()), {})
        assert found is not None, path.name
        assert found.name == "sentry_release"
