"""
Connectors of changes on payloads of which any one field is missing, null, or of another type.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import orjson
import pytest
import yaml

from graph.values import Change, Fact
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.changing import data
from tests.unit.ingest.connectors.reading import DATA, read

NAMES = (
    "argocd", "azure_devops", "bitbucket", "circleci", "flux", "github", "gitlab", "helm", "jenkins", "kubernetes",
    "kubernetes_manifests", "octopus", "spinnaker", "terraform",
)  # fmt: skip
ODD: tuple[Any, ...] = (None, "", "soon", -1, 1e30, True, [], {}, [None], {"x": []}, ["a"])


def places(value: object, here: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """
    The path of every field and entry.
    """
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*here, key)
        yield from places(item, (*here, key))


def changed(value: Any, path: tuple[str | int, ...], odd: tuple[Any, ...]) -> object:
    """
    A copy with what lies at a path replaced, or taken away where there is nothing to put.
    """
    copy = deepcopy(value)
    at = copy
    for step in path[:-1]:
        at = at[step]
    if odd:
        at[path[-1]] = odd[0]
    else:
        del at[path[-1]]
    return copy


@pytest.mark.parametrize("name", NAMES)
def test_a_field_that_is_missing_or_odd_is_passed_over_or_told(name: str) -> None:
    payload = list(yaml.safe_load_all(data(name)))
    refused: list[str] = []
    for place, path in enumerate(places(payload)):
        for odd in ((), (ODD[place % len(ODD)],), (ODD[(place * 7 + 3) % len(ODD)],)):
            body = changed(payload, path, odd)
            try:
                found = read(name, orjson.dumps(body, default=str), path=f"{name}.history.json")
            except BadRecord as error:
                refused.append(str(error))
                continue
            assert all(isinstance(one, Change | Fact) for one in found)
            assert [one.id for one in found if isinstance(one, Change) and not one.id.strip(":")] == []
    assert all(len(message) > 20 for message in refused)


def test_every_payload_of_ours_is_of_a_connector_here() -> None:
    assert set(NAMES) <= {path.stem for path in DATA.iterdir()}
