"""
CloudEvents in every mode, of vendors and of one's own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import connector, recognise
from ingest.connectors._generic import kind_of
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA, RECEIVED, read

RAW = (DATA / "cloudevents.json").read_bytes()


def test_a_type_that_says_what_changed_makes_a_change_of_its_data() -> None:
    deploy, flag, prompt, vendor, aws = read("cloudevents", RAW)
    assert deploy == Change(
        id="cloudevents:https://acme.example/ship#e1",
        kind=ChangeKind.DEPLOY,
        at=datetime(2026, 3, 2, 14, tzinfo=UTC),
        title="com.acme.basket.deployed",
        services=("service:basket",),
        environment="production",
        revision="v7",
        previous="v6",
        actor="lena",
        url="https://ship.example/7",
    )
    assert isinstance(flag, Change)
    assert (flag.kind, flag.revision, flag.previous, flag.attributes) == (
        ChangeKind.FLAG,
        "on",
        "off",
        {"flag": "fast-pay"},
    )
    assert isinstance(prompt, Change)
    assert (prompt.kind, prompt.services, prompt.at) == (ChangeKind.MODEL, ("service:helper",), RECEIVED)
    assert isinstance(vendor, Change)
    assert (vendor.id, vendor.revision) == ("cdevents:service.deployed:ev-9", "v7")
    assert isinstance(aws, Change)
    assert (aws.id, aws.status) == ("aws:codedeploy:d-1", "START")


def test_a_vendors_event_has_the_part_of_its_own_connector() -> None:
    pieces = list(connector("cloudevents").split(RAW, {}))
    assert [piece.part for piece in pieces[3:]] == ["cdevents/service.deployed:ev-9", "aws_changes/deploymentId:d-1"]
    assert [piece.meta.get("reader") for piece in pieces[3:]] == ["cdevents", "aws_changes"]


def test_binary_mode_takes_the_attributes_from_headers() -> None:
    body = b'{"service": "basket", "environment": "production", "version": "v8"}'
    headers = {
        "ce-id": "b1",
        "ce-source": "/ship",
        "ce-type": "com.acme.release.rollback",
        "ce-specversion": "1.0",
        "ce-time": "2026-03-02T15:00:00Z",
    }
    assert (found := recognise(orjson.loads(body), headers)) is not None
    assert found.name == "cloudevents"
    (change,) = read("cloudevents", body, **{key.replace("-", "_"): value for key, value in headers.items()})
    assert isinstance(change, Change)
    assert (change.id, change.kind, change.revision) == ("cloudevents:/ship#b1", ChangeKind.ROLLBACK, "v8")


def test_a_relayed_delivery_of_github_is_read_by_its_event() -> None:
    body = {
        "action": "published",
        "release": {"id": 5, "tag_name": "v2", "published_at": "2026-03-02T15:00:00Z"},
        "repository": {"name": "basket", "full_name": "acme/basket"},
    }
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "https://github.com/acme/basket",
        "type": "dev.knative.source.github.release",
        "data": body,
    }
    (change,) = read("cloudevents", orjson.dumps(event))
    assert isinstance(change, Change)
    assert (change.id, change.revision) == ("release:5", "v2")


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("com.acme.shop.deployment.succeeded", ChangeKind.DEPLOY),
        ("acme.configUpdated", ChangeKind.CONFIG),
        ("acme.search.index.published", ChangeKind.MODEL),
        ("acme.dataset.loaded", ChangeKind.DATA),
        ("acme.deploy.rolledback", ChangeKind.ROLLBACK),
        ("acme.metadata.seen", None),
        ("acme.order.placed", None),
    ],
)
def test_the_words_of_a_type_decide_the_kind(event: str, kind: ChangeKind | None) -> None:
    assert kind_of(event) is kind


def test_the_specifications_examples_are_kept_and_state_nothing(shared: Path) -> None:
    said = []
    for path in sorted((shared / "samples/cloudevents").glob("*.json")):
        for piece in connector("cloudevents").split(path.read_bytes(), {"path": path.name}):
            with pytest.raises(
                BadRecord, match="is kept, and states nothing: its type does not say what was changed"
            ) as error:
                read("cloudevents", piece.body.encode())
            said.append((path.name, piece.part, str(error.value).split("'")[1]))
    assert said == [
        ("json-format.0.json", "/mycontext#A234-1234-1234", "com.example.someevent"),
        ("json-format.1.json", "/mycontext#B234-1234-1234", "com.example.someevent"),
        ("json-format.2.json", "/mycontext#C234-1234-1234", "com.example.someevent"),
        ("json-format.4.json", "/mycontext#D234-1234-1234", "com.example.someevent"),
        ("json-format.5.json", "/mycontext#D234-1234-1234", "com.example.someevent"),
        ("json-format.6.json", "/mycontext/4#B234-1234-1234", "com.example.someevent"),
        ("json-format.6.json", "/mycontext/9#C234-1234-1234", "com.example.someotherevent"),
    ]
