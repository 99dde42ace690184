"""
MLflow's registry, by webhooks new and old and by its API.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, RECEIVED, read

RAW = (DATA / "mlflow.json").read_bytes()


def test_versions_aliases_prompts_and_stages_are_changes_of_a_model() -> None:
    made, alias, prompt, moved = read("mlflow", RAW)
    assert made == Change(
        id="mlflow:version:ranker/4",
        kind=ChangeKind.MODEL,
        at=datetime(2026, 3, 2, 14, tzinfo=UTC),
        ended_at=datetime(2026, 3, 2, 14, tzinfo=UTC),
        title="Model ranker version 4 made",
        services=("service:ranker",),
        revision="4",
        status="model_version.created",
        text="more trees",
        attributes={"model": "ranker", "run": "r1", "source": "models:/m-1"},
    )
    assert isinstance(alias, Change)
    assert (alias.title, alias.environment) == ("Model ranker: alias Champion points to version 4", "champion")
    assert isinstance(prompt, Change)
    assert (prompt.title, prompt.services) == ("Prompt helper version 2 made", ("service:helper",))
    assert isinstance(moved, Change)
    assert (moved.title, moved.environment) == ("Model ranker version 4 moved to production", "production")
    assert moved.attributes["from_stage"] == "Staging"


def test_the_api_tells_versions_and_aliases() -> None:
    model = {
        "name": "ranker",
        "last_updated_timestamp": 1772460000000,
        "aliases": [{"alias": "champion", "version": "4"}],
        "latest_versions": [
            {"name": "ranker", "version": "4", "creation_timestamp": 1772450000000, "current_stage": "Production"}
        ],
    }
    alias, version = read("mlflow", orjson.dumps({"registered_models": [model]}))
    assert isinstance(alias, Change)
    assert (alias.environment, alias.revision) == ("champion", "4")
    assert isinstance(version, Change)
    assert (version.id, version.environment) == ("mlflow:version:ranker/4", "production")


def test_each_move_of_an_alias_is_a_part_of_its_own() -> None:
    body = orjson.loads(RAW)[1]
    moves = [{**body, "data": {**body["data"], "version": version}} for version in ("4", "5")]
    parts = {next(iter(connector("mlflow").split(orjson.dumps(move), {}))).part for move in moves}
    assert len(parts) == 2


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"entity": "moon", "action": "landed", "data": {}}, "MLflow's event 'moon.landed' is not read"),
        ({"entity": "model_version", "action": "created", "data": {"version": "1"}}, "names no model"),
    ],
)
def test_what_cannot_be_read_says_why(body: object, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        read("mlflow", orjson.dumps(body))


def test_deliveries_are_recognised_and_proven_by_their_signature() -> None:
    body = orjson.dumps(orjson.loads(RAW)[0])
    stamp = str(int(RECEIVED.timestamp()))
    digest = hmac.new(b"hush", f"d1.{stamp}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "x-mlflow-delivery-id": "d1",
        "x-mlflow-timestamp": stamp,
        "x-mlflow-signature": "v1," + base64.b64encode(digest).decode(),
    }
    for headed in ({}, headers):
        found = recognise(orjson.loads(body), headed)
        assert found is not None
        assert found.name == "mlflow"
    signing = connector("mlflow").signing
    assert signing is not None
    assert signing.problem(body, headers, "hush", RECEIVED) == ""
    assert "not that of the body" in signing.problem(body + b" ", headers, "hush", RECEIVED)
    assert "is missing" in signing.problem(body, {}, "hush", RECEIVED)
    late = datetime.fromtimestamp(RECEIVED.timestamp() + 301, UTC)
    assert "is not within 300 s" in signing.problem(body, headers, "hush", late)
