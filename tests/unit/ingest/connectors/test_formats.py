"""
Every format through the whole way in, and the page that shows what each states.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.values import RecordState
from ingest.connectors import NAMES
from tests.unit.ingest.connectors import formats
from tests.unit.ingest.connectors.reading import DATA

PAGE = formats.PAGE.read_text(encoding="utf-8")
WITHOUT_PAYLOAD = {
    "changes",
    "feedback",
    "git",
    "identity",
    "mapping",
    "policy",
    "postmortems",
    "prometheus_rules",
    "runbooks",
    "webhook",
}
"""Connectors that are tested on texts in their tests."""
REWRITE = "run: python -m tests.unit.ingest.connectors.formats"


def test_every_connector_has_a_payload_of_ours() -> None:
    assert {formats.connector_of(path.name) for path in DATA.iterdir()} == set(NAMES) - WITHOUT_PAYLOAD


def test_the_page_shows_what_our_payloads_state() -> None:
    assert formats.table_in(PAGE, "own") == formats.own_table(), REWRITE


def test_the_page_shows_what_real_payloads_state(shared: Path) -> None:
    assert formats.table_in(PAGE, "samples") == formats.sample_table(), REWRITE


@pytest.mark.parametrize("path", sorted(DATA.iterdir()), ids=lambda path: path.name)
def test_nothing_of_our_payloads_is_refused(path: Path) -> None:
    found, records = formats.stated(formats.connector_of(path.name), path)
    assert [(one.part, one.reason) for one in records if one.state is not RecordState.APPLIED] == []
    assert sum(found.values()) > found["silent"]
