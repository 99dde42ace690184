"""
Whatever stands in one place of a payload of a catalogue or of topology, it is read or refused in words.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from datetime import UTC, datetime

import orjson
import pytest
import yaml

from graph.encoding import encode
from graph.values import Fact, Record
from ingest.connectors import connector
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.reading import DATA

ODD: tuple[object, ...] = (None, "", 7, 1.5, True, [], {}, "x", [None], [[1]], {"a": None}, [{"a": 1}], -1, "unknown")
PLACES = 60
FILES = [
    ("backstage", "backstage.yaml"),
    ("compass", "compass.yml"),
    ("compose", "compose.yaml"),
    ("consul", "consul.json"),
    ("cortex", "cortex.yaml"),
    ("datadog_service", "datadog_service.yaml"),
    ("datadog_service_map", "datadog_service_map.json"),
    ("jaeger", "jaeger.json"),
    ("kiali", "kiali.json"),
    ("openslo", "openslo.yaml"),
    ("opslevel", "opslevel.yml"),
    ("otlp", "otlp.json"),
    ("port", "port.json"),
    ("score", "score.yaml"),
    ("service_graph_metrics", "service_graph_metrics.json"),
    ("sloth", "sloth.yaml"),
    ("sloth", "sloth_rules.yaml"),
    ("xray", "xray.json"),
]


def places(value: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """
    Every place in a document.
    """
    yield at
    if isinstance(value, dict):
        for key, one in value.items():
            yield from places(one, (*at, key))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from places(one, (*at, number))


def with_odd(document: object, at: tuple[str | int, ...], odd: object) -> object:
    """
    The document with something else in one place.
    """
    whole = [copy.deepcopy(document)]
    inside: object = whole
    path: tuple[str | int, ...] = (0, *at)
    for step in path[:-1]:
        assert isinstance(inside, dict | list)
        inside = inside[step]  # type: ignore[index]
    assert isinstance(inside, dict | list)
    inside[path[-1]] = odd  # type: ignore[index]
    return whole[0]


@pytest.mark.parametrize(("name", "file"), FILES)
def test_an_odd_value_is_read_or_refused_in_words(name: str, file: str) -> None:
    chance = random.Random(file)
    one = connector(name)
    for document in yaml.safe_load_all((DATA / file).read_bytes()):
        found = list(places(document))
        for at in chance.sample(found, min(PLACES, len(found))):
            body = orjson.dumps(with_odd(document, at, chance.choice(ODD)))
            try:
                pieces = list(one.split(body, {"path": "file.json"}))
            except BadRecord as error:
                assert str(error).startswith(("file.json", "the document")), str(error)
                continue
            for piece in pieces:
                record = Record(
                    id="r", source="s", connector=name, part=piece.part, body=piece.body, digest="",
                    received_at=datetime(2026, 5, 1, tzinfo=UTC), meta={"path": "file.json", **piece.meta},
                )  # fmt: skip
                try:
                    items = [] if piece.problem else list(one.transform(record))
                except BadRecord as error:
                    assert str(error)
                    continue
                for item in items:
                    assert isinstance(item, Fact)
                    assert item.subject.partition(":")[2]
                    assert all(isinstance(said, str) and said for said in item.attributes.values())
                    encode(item)
